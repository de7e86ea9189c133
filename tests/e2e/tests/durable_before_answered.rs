//! No answer leaves before its log record is synced: read off the system calls of the real process.
//!
//! `strace` writes down every write to the log, every sync and every send, with their data, in order. For each
//! answered mutation the three must stand in that order: its record is written, that file is synced, the answer
//! is sent. A deployment has more steps: its component and the folders around it are synced before its record is
//! written.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use base64::Engine;
use serde_json::json;
use weir_test_support::host::host_binary;
use weir_test_support::{HostProcess, SyncClient, http, project};

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

/// A component's file, its folder, and that folder's name in the data folder are all synced before the record names it.
#[test]
fn no_deployment_is_recorded_before_its_files_are_synced() -> Result<()> {
    let work = tempfile::tempdir()?;
    let built = Command::new(host_binary())
        .args(["build", "--out"])
        .arg(work.path())
        .arg(project::chat())
        .env_remove("CARGO_TARGET_DIR")
        .output()?;
    ensure!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let component = std::fs::read(String::from_utf8(built.stdout)?.trim())?;

    let (data, trace_path) = (work.path().join("data"), work.path().join("trace"));
    let mut host = HostProcess::start(traced(&data, &trace_path))?;
    let key = std::fs::read_to_string(data.join("admin-key"))?;
    let component = base64::engine::general_purpose::STANDARD.encode(component);
    let body = json!({"modules": [{"name": "chat", "component": component}]}).to_string();
    let headers = format!("Authorization: Convex {}\r\n", key.trim());
    let answer = http::request(host.address(), "POST", "/api/weir/deploy", &headers, body.as_bytes())?;
    ensure!(answer.status == 200, "{}", answer.body);
    host.stop_traced()?;

    let trace = std::fs::read_to_string(&trace_path)?;
    let events: Vec<Event<'_>> = trace.lines().filter_map(parse).collect();
    let is_sync = |event: &Event<'_>| event.call == "fsync" || event.call == "fdatasync";
    let mut at = 0;
    let mut next = |what: &str, wanted: &dyn Fn(&Event<'_>) -> bool| {
        at =
            find(&events, at, |event| event.begins && wanted(event)).with_context(|| format!("no {what}"))?;
        at = end(&events, at).with_context(|| format!("{what} does not end"))? + 1;
        anyhow::Ok(())
    };
    next("sync of the data folder's own name", &|event| is_sync(event) && is_of(event, work.path()))?;
    next("making of the components' folder", &|event| {
        event.call == "mkdir" && event.text.contains("/components")
    })?;
    next("sync of the component", &|event| is_sync(event) && event.text.contains("/components/"))?;
    next("naming of the component", &|event| {
        event.call.starts_with("rename") && event.text.contains(".wasm")
    })?;
    next("sync of the components' folder", &|event| {
        is_sync(event) && is_of(event, &data.join("components"))
    })?;
    next("sync of the data folder", &|event| is_sync(event) && is_of(event, &data))?;
    next("record", &|event| event.call.contains("write") && event.text.contains("sha256"))?;
    next("sync of the log", &|event| is_sync(event) && event.text.contains("/log/"))?;
    next("answer", &|event| {
        matches!(event.call, "write" | "writev" | "sendto" | "sendmsg") && event.text.contains("200 OK")
    })
}

/// Whether a call's file is exactly this one.
fn is_of(event: &Event<'_>, path: &Path) -> bool {
    event.text.contains(&format!("<{}>", path.display()))
}

fn traced(data: &Path, trace: &Path) -> Command {
    let mut command = Command::new("strace");
    command.args([
        "-f",
        "-y",
        "-s",
        "200000",
        "-e",
        "trace=write,pwrite64,writev,sendto,sendmsg,fdatasync,fsync,mkdir,rename",
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
    end(events, begun)
}

/// Where a call that begins here has ended.
fn end(events: &[Event<'_>], begun: usize) -> Option<usize> {
    if events[begun].ends {
        return Some(begun);
    }
    let (thread, call) = (events[begun].thread, events[begun].call);
    find(events, begun + 1, |event| event.thread == thread && event.call == call && event.ends)
}

fn find(events: &[Event<'_>], from: usize, wanted: impl FnMut(&Event<'_>) -> bool) -> Option<usize> {
    events.get(from..)?.iter().position(wanted).map(|at| at + from)
}
