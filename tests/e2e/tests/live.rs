//! Live queries, counted from outside: how often a function runs, and who is told what.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use weir_test_support::{HostProcess, SyncClient, http, project};

const SUBSCRIBERS: u32 = 100;

/// A hundred sockets watch one query: a commit runs it once, and all of them see it.
#[test]
fn a_hundred_subscribers_cost_one_run_a_group() -> Result<()> {
    let data = tempfile::tempdir()?;
    let host = HostProcess::dev(&project::chat(), data.path())?;
    let mut watchers = (0..SUBSCRIBERS).map(|number| watch(&host, number)).collect::<Result<Vec<_>>>()?;
    let runs_before = runs(&host)?;
    for number in 0..5 {
        send(&host, &format!("message {number}"))?;
        for watcher in &mut watchers {
            let messages = watcher.receive_value(0)?;
            let last = messages.as_array().and_then(|all| all.last()).context("a message")?;
            ensure!(last["body"] == format!("message {number}"), "{last}");
        }
    }
    let runs = runs(&host)? - runs_before;
    ensure!(runs == 5.0, "{SUBSCRIBERS} subscribers and 5 commits: {runs} runs");
    Ok(())
}

/// A write that a query did not read does not run it: another table, and a page that is older than what it read.
#[test]
fn a_write_outside_the_interval_runs_nothing() -> Result<()> {
    let data = tempfile::tempdir()?;
    let host = HostProcess::dev(&project::guest("bench"), data.path())?;
    let seed = json!({"from": 0, "count": 40, "balance": 10});
    let ids: Vec<String> =
        serde_json::from_value(http::value(host.address(), "mutation", "bank:seed", &seed)?)?;
    let mut watcher = SyncClient::connect(host.address(), &session(0), 0)?;
    // The newest ten accounts, and one that is watched by its id.
    watcher.subscribe(0, 0, "bank:newest", &json!({"count": 10}))?;
    ensure!(watcher.receive_value(0)?.as_array().is_some_and(|page| page.len() == 10), "ten accounts");
    watcher.subscribe(1, 1, "bank:get", &json!({"id": ids[20]}))?;
    watcher.receive_value(1)?;
    let before = runs(&host)?;

    transfer(&host, &ids[0], &ids[1])?;
    http::value(host.address(), "mutation", "bank:note", &json!({"text": "another table"}))?;
    ensure!(runs(&host)? == before, "writes outside of what was read ran a query again");

    transfer(&host, &ids[20], &ids[1])?;
    ensure!(watcher.receive_value(1)?["balance"] == 9.0, "the account that is watched");
    ensure!(runs(&host)? == before + 1.0, "one query of two reads this account");

    transfer(&host, &ids[35], &ids[1])?;
    watcher.receive_value(0)?;
    ensure!(runs(&host)? == before + 2.0, "one query of two reads this page");
    Ok(())
}

/// The whole list for a client that did not ask for patches, a patch under 500 bytes for one that did.
#[test]
fn one_new_message_of_fifty_is_a_small_patch() -> Result<()> {
    let data = tempfile::tempdir()?;
    let host = HostProcess::dev(&project::chat(), data.path())?;
    for number in 0..60 {
        send(&host, &format!("one of the first sixty messages, number {number}"))?;
    }
    let mut whole = watch(&host, 1)?;
    let mut patched = SyncClient::open(host.address())?;
    patched.send(&json!({"type": "Connect", "sessionId": session(2), "connectionCount": 0,
        "lastCloseReason": "InitialConnect", "queryPatches": "rfc6902"}))?;
    patched.subscribe(0, 0, "chat:getMessages", &json!({}))?;
    ensure!(patched.receive_value(0)?.as_array().is_some_and(|all| all.len() == 50), "fifty messages");

    send(&host, "one more")?;
    let list = whole.receive_value(0)?;
    let transition = patched.receive_type("Transition")?;
    let text = transition.to_string();
    ensure!(text.len() < 500, "the patch takes {} bytes: {text}", text.len());
    let patch = transition["modifications"][0]["patch"].as_array().context("a patch")?;
    let kinds: Vec<&Value> = patch.iter().map(|operation| &operation["op"]).collect();
    ensure!(kinds == ["remove", "add"], "{patch:?}");
    ensure!(
        patch[1]["value"] == *list.as_array().and_then(|all| all.last()).context("a last")?,
        "the same document"
    );
    Ok(())
}

fn watch(host: &HostProcess, number: u32) -> Result<SyncClient> {
    let mut client = SyncClient::connect(host.address(), &session(number), 0)?;
    client.subscribe(0, 0, "chat:getMessages", &json!({}))?;
    client.receive_value(0)?;
    Ok(client)
}

fn session(number: u32) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

fn send(host: &HostProcess, body: &str) -> Result<()> {
    let message = json!({"user": "ada", "body": body});
    http::value(host.address(), "mutation", "chat:sendMessage", &message)?;
    Ok(())
}

fn transfer(host: &HostProcess, from: &str, to: &str) -> Result<()> {
    let args = json!({"from": from, "to": to, "amount": 1.0});
    http::value(host.address(), "mutation", "bank:transfer", &args)?;
    Ok(())
}

/// How often a query function ran.
fn runs(host: &HostProcess) -> Result<f64> {
    http::metric(host.address(), "weir_query_runs_total")
}
