//! Actions in Node.js, with the real host: files that begin with `"use node"`.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use weir_test_support::host::host_binary;
use weir_test_support::{HostProcess, SyncClient, command, http, project, wait};

/// SHA-256 of `a`.
const HASH_OF_A: &str = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb";

fn command_for(what: &str, data: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(host_binary());
    command.arg(what).arg("--data").arg(data).args(["--listen", "127.0.0.1:0"]).args(more);
    command
}

/// The Node of the tests: `WEIR_TEST_NODE`, or the one that the machine has.
fn node() -> String {
    std::env::var("WEIR_TEST_NODE").unwrap_or_else(|_| "node".to_owned())
}

/// The project of `tests/guests/node`, in a host that has a Node, and opens this machine to actions.
fn start(data: &Path) -> Result<HostProcess> {
    let mut command =
        command_for("dev", data, &["--no-watch", "--node", &node(), "--allow-outbound", "127.0.0.1"]);
    command.arg(project::guest("node"));
    HostProcess::start(command)
}

fn act(host: &HostProcess, path: &str, args: Value) -> Result<Value> {
    http::value(host.address(), "action", path, &args)
}

/// The error of an action, with what it has logged.
fn failure(host: &HostProcess, path: &str, args: Value) -> Result<(String, Value)> {
    let answer = http::call(host.address(), "action", path, &args)?;
    let message = answer["errorMessage"].as_str().with_context(|| format!("{path}: {answer}"))?;
    Ok((message.to_owned(), answer.clone()))
}

fn wait_for(what: &str, is_so: impl Fn() -> Result<bool>) -> Result<()> {
    wait::until(what, Duration::from_secs(20), is_so)
}

/// A server that answers every request with its first line.
#[expect(clippy::disallowed_methods, reason = "tests own no Env")]
fn stand_in() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut bytes = [0; 4096];
            let count = stream.read(&mut bytes).unwrap_or(0);
            let text = String::from_utf8_lossy(&bytes[..count]);
            let line = text.lines().next().unwrap_or_default();
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", line.len());
            let _ = stream.write_all(format!("{head}{line}").as_bytes());
        }
    });
    Ok(address)
}

#[test]
fn actions_run_in_node_however_they_are_called() -> Result<()> {
    let data = tempfile::tempdir()?;
    let mut host = start(data.path())?;
    // By a cron job, which begins with the deployment.
    let notes = || http::value(host.address(), "query", "notes:list", &json!({}));
    wait_for("the cron job has run", || Ok(notes()? == json!(["by cron"])))?;
    // Over HTTP; they call what is in the database's transactions, an action of Weir's own engine, and one of Node.
    let called = act(&host, "tools:calling", json!({"text": "a"}))?;
    let expected = json!({"notes": ["by cron", "a"], "shouted": "A", "hash": HASH_OF_A});
    ensure!(called == expected, "{called}");
    wait_for("what it has scheduled has run", || Ok(notes()? == json!(["by cron", "a", "a again"])))?;
    // From an action and an HTTP action of Weir's own engine.
    let hash = act(&host, "notes:hashByNode", json!({"text": "a"}))?;
    ensure!(hash == format!("undefined {HASH_OF_A}"), "{hash}");
    let hash = http::request(host.address(), "POST", "/http/hash", "", b"a")?;
    ensure!(hash.status == 200 && hash.body == HASH_OF_A, "{hash:?}");
    // By a mutation's schedule, once.
    http::value(host.address(), "mutation", "notes:later", &json!({"text": "later"}))?;
    wait_for("the scheduled action has run", || {
        Ok(notes()?.as_array().is_some_and(|notes| notes.len() == 4))
    })?;
    // Over a socket.
    let mut client = SyncClient::connect(host.address(), "5e6ea4f6-93b1-4a3f-8ed5-0d5f4a1f5b0d", 0)?;
    client.send(&json!({"type": "Action", "requestId": 0, "udfPath": "tools:around", "args": [{}]}))?;
    let response = client.receive_type("ActionResponse")?;
    ensure!(response["success"] == true && response["result"]["hasHost"] == true, "{response}");
    // An internal one is nobody's to call.
    let (message, _) = failure(&host, "tools:hash", json!({"text": "a"}))?;
    ensure!(message.contains("Could not find public function"), "{message}");
    // Its arguments and results are checked as everybody's.
    let (message, _) = failure(&host, "tools:files", json!({"how": 7}))?;
    ensure!(message.contains("ArgumentValidationError"), "{message}");
    // What the pool does is told; the last two calls have not come to it.
    let metric = |name: &str| http::metric(host.address(), &format!("weir_node_{name}"));
    ensure!(metric("calls_total")? >= 8.0, "{}", metric("calls_total")?);
    ensure!(metric("processes")? >= 1.0 && metric("processes_started_total")? >= metric("processes")?);
    for name in ["busy", "calls_waiting", "failures_total", "timeouts_total", "out_of_memory_total"] {
        ensure!(metric(name)? == 0.0, "{name}: {}", metric(name)?);
    }
    let told = http::get(host.address(), "/metrics")?.body;
    ensure!(told.lines().filter(|line| line.starts_with("weir_node_")).count() == 8, "{told}");
    ensure!(host.stop()?, "{}", host.errors());
    Ok(())
}

#[test]
fn errors_logs_and_files_are_as_in_other_actions() -> Result<()> {
    let data = tempfile::tempdir()?;
    let host = start(data.path())?;
    let (message, answer) = failure(&host, "tools:failing", json!({"how": "error"}))?;
    ensure!(
        message.contains("Uncaught Error: TypeError: what went wrong\n    at handler (convex/tools.ts:"),
        "{message}"
    );
    let lines = json!(["[LOG] failing error { deep: [1, 2n] }", "[LOG] to standard output"]);
    ensure!(answer["logLines"] == lines, "{answer}");
    let (message, answer) = failure(&host, "tools:failing", json!({"how": "convex"}))?;
    ensure!(answer["errorData"] == json!({"code": 7}) && message.contains("ConvexError"), "{answer}");
    let (message, _) = failure(&host, "tools:failing", json!({"how": "database"}))?;
    ensure!(message.contains("If that is `ctx.db`: an action has none"), "{message}");
    let caught = act(&host, "tools:failing", json!({"how": "nested"}))?;
    ensure!(caught == json!(r#"{"refused":"never"}"#), "{caught}");
    let notes = http::value(host.address(), "query", "notes:list", &json!({}))?;
    ensure!(!notes.to_string().contains("never"), "{notes}");
    for bytes in [0, 1, 3_000_000] {
        let stored = act(&host, "tools:storing", json!({"bytes": bytes}))?;
        let expected =
            json!({"size": bytes, "type": "text/plain", "isSame": true, "url": true, "gone": null});
        ensure!(stored == expected, "{stored}");
    }
    command::set_well(
        &host,
        data.path(),
        &[("GREETING", Some("hello")), ("NODE_OPTIONS", Some("--inspect"))],
    )?;
    let around = act(&host, "tools:around", json!({}))?;
    ensure!(around["greeting"] == "hello", "{around}");
    let names = json!(["CONVEX_CLOUD_URL", "CONVEX_SITE_URL", "GREETING", "NODE_ENV", "NODE_OPTIONS", "TZ"]);
    ensure!(around["environment"] == names, "{around}");
    Ok(())
}

#[test]
fn files_processes_and_closed_addresses_are_refused() -> Result<()> {
    let data = tempfile::tempdir()?;
    let host = start(data.path())?;
    for how in ["read", "write", "spawn", "thread"] {
        let (message, _) = failure(&host, "tools:files", json!({"how": how}))?;
        ensure!(message.contains("an action has no files, processes and threads"), "{how}: {message}");
    }
    let (message, _) = failure(&host, "tools:files", json!({"how": "kill"}))?;
    ensure!(message.contains("signals no other process"), "{message}");
    let address = stand_in()?;
    for by in ["fetch", "http"] {
        let url = format!("http://{address}/x?{by}");
        let fetched = act(&host, "tools:fetching", json!({"url": url, "by": by}))?;
        ensure!(fetched == format!("GET /x?{by} HTTP/1.1"), "{fetched}");
    }
    let url = format!("http://{}/api/sync", host.address());
    let opened = act(&host, "tools:fetching", json!({"url": url, "by": "ws"}))?;
    ensure!(opened == "open", "a package that needs Node connects: {opened}");
    let port = address.port();
    let closed = [
        "http://10.0.0.1/".to_owned(),
        "http://169.254.169.254/latest".to_owned(),
        format!("http://[::1]:{port}/"),
        format!("http://127.0.0.2:{port}/"),
        format!("http://2130706434:{port}/"),
        format!("http://[::ffff:7f00:2]:{port}/"),
    ];
    for url in closed {
        for by in ["fetch", "http", "ws"] {
            let (message, _) = failure(&host, "tools:fetching", json!({"url": url, "by": by}))?;
            ensure!(message.contains("not an address of the internet"), "{url} by {by}: {message}");
        }
    }
    Ok(())
}

#[test]
fn hostile_actions_cost_themselves_alone() -> Result<()> {
    let data = tempfile::tempdir()?;
    let host = start(data.path())?;
    let cases = [
        ("heap", "OutOfMemory"),
        ("buffers", "OutOfMemory"),
        ("exit", "exit code 3"),
        ("abort", "signal 6"),
        ("sigkill", "signal 9"),
        ("rejection", "left alone\n    at Object.rejection (convex/hostile.ts:"),
        ("timer", "from a timer\n    at "),
        ("garbage", "wrote to the host's pipe itself"),
        ("announced", "wrote to the host's pipe itself"),
        ("closed", "closed the pipe"),
        ("large", "ResultTooLarge"),
        ("never", "nothing under way"),
        ("recursion", "RangeError"),
    ];
    for (how, expected) in cases {
        let body = json!({"path": "hostile:behave", "args": {"how": how}, "format": "json"}).to_string();
        let headers = "Content-Type: application/json\r\n";
        let patience = Duration::from_secs(60);
        let answer =
            http::request_within(patience, host.address(), "POST", "/api/action", headers, body.as_bytes())?;
        ensure!(
            answer.body.contains(expected.split('\n').next().unwrap_or_default()),
            "{how}: {}",
            answer.body
        );
        let message = answer.json()["errorMessage"].as_str().unwrap_or_default().to_owned();
        ensure!(message.contains(expected), "{how}: {message}");
        let next = act(&host, "hostile:behave", json!({"how": "nothing"}))?;
        ensure!(next.is_number(), "after {how}: {next}");
    }
    ensure!(act(&host, "hostile:behave", json!({"how": "stdin"}))? == "read nothing");
    Ok(())
}

/// The processes whose parent is this one, wherever its threads have started them.
fn children(pid: u32) -> Result<Vec<u32>> {
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc")?.flatten() {
        let Some(child) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let mut fields = stat.rsplit_once(") ").map_or("", |(_, rest)| rest).split(' ');
        if fields.next() != Some("Z") && fields.next() == Some(&pid.to_string()) {
            children.push(child);
        }
    }
    Ok(children)
}

#[test]
#[expect(clippy::disallowed_methods, reason = "tests own no Env")]
fn no_child_outlives_the_host() -> Result<()> {
    for is_killed in [true, false] {
        let data = tempfile::tempdir()?;
        let mut host = start(data.path())?;
        let address = host.address();
        act(&host, "hostile:behave", json!({"how": "nothing"}))?;
        std::thread::spawn(move || {
            let _ = http::call(address, "action", "hostile:behave", &json!({"how": "loop"}));
        });
        wait_for("a child computes", || {
            let computing = |pid: &u32| {
                let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
                stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('R'))
            };
            Ok(children(host.pid())?.iter().any(computing))
        })?;
        let before = children(host.pid())?;
        match is_killed {
            true => host.kill(),
            false => ensure!(host.stop()?, "{}", host.errors()),
        }
        wait_for("all children have ended", || {
            Ok(!before.iter().any(|pid| Path::new(&format!("/proc/{pid}/exe")).exists()))
        })?;
    }
    Ok(())
}

#[test]
fn a_scheduled_action_whose_child_or_host_dies_is_not_run_again() -> Result<()> {
    let data = tempfile::tempdir()?;
    let mut host = start(data.path())?;
    let begin = |how: &str| act(&host, "hostile:later", json!({ "how": how }));
    let (child_dies, host_dies) = (begin("sigkill")?, begin("waits")?);
    let state = |address: SocketAddr, id: &Value| {
        http::value(address, "query", "notes:stateOf", &json!({ "id": id }))
    };
    wait_for("the first has failed", || Ok(state(host.address(), &child_dies)? == "failed"))?;
    wait_for("the second has begun", || Ok(state(host.address(), &host_dies)? == "inProgress"))?;
    wait_for("the second has said so", || {
        let notes = http::value(host.address(), "query", "notes:list", &json!({}))?;
        Ok(notes.to_string().contains("began waits"))
    })?;
    host.kill();
    let host = HostProcess::start(command_for("serve", data.path(), &["--node", &node()]))?;
    ensure!(state(host.address(), &host_dies)? == "failed");
    let begun = http::value(host.address(), "query", "notes:list", &json!({}))?;
    let times =
        begun.as_array().context("notes")?.iter().filter(|note| **note == json!("began waits")).count();
    ensure!(times == 1, "{begun}");
    Ok(())
}

#[test]
fn a_host_without_a_node_refuses_the_deployment_and_says_why() -> Result<()> {
    let data = tempfile::tempdir()?;
    let mut host = HostProcess::serve(data.path())?;
    let project = project::guest("node");
    let folder = project.to_str().context("a path")?;
    let refused = command::host(&host, data.path(), &["deploy", folder], "")?;
    ensure!(!refused.is_success, "{}", refused.stdout);
    for part in ["convex/hostile.ts:1:1", "use node", "host serve --node"] {
        ensure!(refused.stderr.contains(part), "{part} is not in {}", refused.stderr);
    }
    let nothing = http::call(host.address(), "query", "notes:list", &json!({}))?;
    ensure!(nothing["status"] == "error", "nothing was deployed: {nothing}");
    ensure!(host.stop()?, "{}", host.errors());

    // With one it is deployed; a later start without one serves all the rest.
    let mut host = HostProcess::start(command_for("serve", data.path(), &["--node", &node()]))?;
    command::host_well(&host, data.path(), &["deploy", folder])?;
    ensure!(act(&host, "hostile:behave", json!({"how": "nothing"}))?.is_number());
    ensure!(host.stop()?, "{}", host.errors());
    let mut host = HostProcess::serve(data.path())?;
    http::value(host.address(), "mutation", "notes:add", &json!({"text": "without Node"}))?;
    let (message, _) = failure(&host, "tools:around", json!({}))?;
    ensure!(message.contains("it runs in Node.js, and this host has none"), "{message}");
    let refused = command::host(&host, data.path(), &["deploy", folder], "")?;
    ensure!(!refused.is_success && refused.stderr.contains("--node"), "{}", refused.stderr);
    let notes = http::value(host.address(), "query", "notes:list", &json!({}))?;
    ensure!(notes.to_string().contains("without Node"), "what was deployed goes on: {notes}");
    ensure!(host.stop()?, "{}", host.errors());
    ensure!(host.errors().contains("some deployed functions cannot run"), "{}", host.errors());
    Ok(())
}

#[test]
fn a_program_that_is_not_node_is_refused_at_the_start() -> Result<()> {
    let data = tempfile::tempdir()?;
    for (program, expected) in [("/nowhere/node", "does not run"), ("/bin/true", "is not Node.js")] {
        let Err(error) = HostProcess::start(command_for("serve", data.path(), &["--node", program])) else {
            anyhow::bail!("it starts with {program}");
        };
        let error = format!("{error:#}");
        ensure!(error.contains(expected) && error.contains("--node"), "{program}: {error}");
    }
    Ok(())
}
