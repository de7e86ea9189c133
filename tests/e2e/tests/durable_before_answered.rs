//! No answer leaves before its log record is synced: read off the system calls of the real process.
//!
//! `strace` writes down every write to the log, every sync and every send, with their data, in order. For each
//! answered mutation the three must stand in that order: its record is written, that file is synced, the answer
//! is sent.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use weir_test_support::host::host_binary;
use weir_test_support::{HostProcess, SyncClient, project};

const MUTATIONS: u32 = 60;
const IN_FLIGHT: u32 = 6;

#[test]
fn no_answer_leaves_before_its_record_is_synced() -> Result<()> {
    let data = tempfile::tempdir()?;
    let mut host = HostProcess::dev(&project::chat(), data.path())?;
    ensure!(host.stop()?, "{}", host.errors());

    let trace_path = data.path().join("trace");
    let mut host = HostProcess::start(traced(data.path(), &trace_path))?;
    send_messages(&host)?;
    host.stop_traced()?;

    let trace = std::fs::read_to_string(&trace_path)?;
    let events: Vec<Event<'_>> = trace.lines().filter_map(parse).collect();
    for request in 0..MUTATIONS {
        check_order(&events, request)?;
    }
    Ok(())
}

fn traced(data: &Path, trace: &Path) -> Command {
    let mut command = Command::new("strace");
    command.args([
        "-f",
        "-y",
        "-s",
        "200000",
        "-e",
        "trace=write,pwrite64,writev,sendto,sendmsg,fdatasync,fsync",
    ]);
    command.arg("-o").arg(trace).arg(host_binary()).arg("serve").arg("--data").arg(data);
    command.args(["--listen", "127.0.0.1:0"]);
    command
}

/// Sends messages with a few in flight, so that groups form and answers of several mutations share a sync.
fn send_messages(host: &HostProcess) -> Result<()> {
    let mut client = SyncClient::connect(host.address(), "00000000-0000-4000-8000-0000000000aa", 0)?;
    let send = |client: &mut SyncClient, request: u32| {
        client.mutate(request, "chat:sendMessage", &json!({"user": "ada", "body": marker(request)}))
    };
    (0..IN_FLIGHT).try_for_each(|request| send(&mut client, request))?;
    for request in 0..MUTATIONS {
        let answer = client.receive_type("MutationResponse")?;
        ensure!(answer["success"] == true && answer["requestId"] == request, "{answer}");
        if request + IN_FLIGHT < MUTATIONS {
            send(&mut client, request + IN_FLIGHT)?;
        }
    }
    Ok(())
}

/// Text that stands in the log record of one mutation and nowhere else.
fn marker(request: u32) -> String {
    format!("<marker {request}>")
}

/// One line of the trace. A call that another thread interrupts is split into `unfinished` and `resumed`.
struct Event<'a> {
    thread: &'a str,
    call: &'a str,
    text: &'a str,
    begins: bool,
    ends: bool,
}

fn parse(line: &str) -> Option<Event<'_>> {
    let (thread, rest) = line.split_once(' ')?;
    let rest = rest.trim_start();
    if let Some(resumed) = rest.strip_prefix("<... ") {
        let (call, text) = resumed.split_once(' ')?;
        return Some(Event { thread, call, text, begins: false, ends: true });
    }
    let (call, text) = rest.split_once('(')?;
    Some(Event { thread, call, text, begins: true, ends: !text.contains("<unfinished ...>") })
}

/// The record's write, the end of the next sync of that file, the beginning of the answer: in this order.
fn check_order(events: &[Event<'_>], request: u32) -> Result<()> {
    let record = find(events, 0, |event| {
        event.call.contains("write") && event.text.contains("/log/") && event.text.contains(&marker(request))
    })
    .with_context(|| format!("no log record of request {request}"))?;
    let synced =
        end_of_sync(events, record).with_context(|| format!("no sync after the record of {request}"))?;
    let answer = find(events, 0, |event| {
        event.begins
            && matches!(event.call, "write" | "writev" | "sendto" | "sendmsg")
            && event.text.contains("MutationResponse")
            && (event.text.contains(&format!("\\\"requestId\\\":{request},"))
                || event.text.contains(&format!("\\\"requestId\\\":{request}}}")))
    })
    .with_context(|| format!("no answer to request {request}"))?;
    if answer < synced {
        bail!("the answer to {request} is event {answer}, its record {record} was synced only at {synced}");
    }
    Ok(())
}

/// Where the first sync of the log that begins after `record` has ended.
fn end_of_sync(events: &[Event<'_>], record: usize) -> Option<usize> {
    let begun = find(events, record + 1, |event| {
        event.begins && matches!(event.call, "fdatasync" | "fsync") && event.text.contains("/log/")
    })?;
    if events[begun].ends {
        return Some(begun);
    }
    let (thread, call) = (events[begun].thread, events[begun].call);
    find(events, begun + 1, |event| event.thread == thread && event.call == call && event.ends)
}

fn find(events: &[Event<'_>], from: usize, wanted: impl FnMut(&Event<'_>) -> bool) -> Option<usize> {
    events.get(from..)?.iter().position(wanted).map(|at| at + from)
}
