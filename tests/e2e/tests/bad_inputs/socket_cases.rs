//! What clients can send over a WebSocket that they should not.

use anyhow::Result;
use serde_json::{Value, json};
use weir_test_support::sync_client::Received;
use weir_test_support::{HostProcess, SyncClient, project};

use crate::{Report, expect_alive, expect_all};

/// A name, what is done on a connection that has said `Connect`, and what must stand in what comes back until the
/// wanted message or the end: messages as JSON, and `close CODE REASON`.
pub struct Case(&'static str, fn(&mut SyncClient) -> Result<()>, &'static [&'static str]);

pub const CASES: &[Case] = &[
    Case("no JSON", |client| client.send_text("{nope"), &["FatalError", "WSMessageInvalidJson", "column 2"]),
    Case("no object", |client| client.send_text("7"), &["FatalError"]),
    Case("no type", |client| client.send(&json!({})), &["FatalError", "type"]),
    Case("an unknown type", |client| client.send(&json!({"type": "Surprise"})), &["FatalError", "Surprise"]),
    Case("a second Connect", connect_again, &["FatalError", "Connect"]),
    Case("a binary frame", |client| client.send_bytes(&[0x82, 0x81, 0, 0, 0, 0, 1]), &["FatalError"]),
    Case("a frame without a mask", |client| client.send_bytes(&[0x81, 0x02, b'{', b'}']), &["close"]),
    Case("a reserved opcode", |client| client.send_bytes(&[0x83, 0x80, 0, 0, 0, 0]), &["close"]),
    Case("text that is not UTF-8", |client| client.send_bytes(&[0x81, 0x81, 0, 0, 0, 0, 0xFF]), &["close"]),
    Case("a frame that announces 2 GiB", announce_2_gib, &["close"]),
    Case(
        "a wrong base version",
        |client| client.subscribe(7, 0, "chat:getMessages", &json!({})),
        &["FatalError", "BaseVersion"],
    ),
    Case("a version that does not grow", version_that_stays, &["FatalError", "ersion"]),
    Case("a query id added twice", added_twice, &["FatalError", "0"]),
    Case("an unknown query id removed", unknown_removed, &["FatalError", "9"]),
    Case("an unknown modification", unknown_modification, &["FatalError", "Surprise"]),
    Case(
        "a version that is not a number",
        version_no_number,
        &["FatalError", "ModifyQuerySet", "expected u32"],
    ),
    Case(
        "an unknown function watched",
        |client| client.subscribe(0, 0, "chat:nothing", &json!({})),
        &["QueryFailed", "Could not find public function", "chat:nothing"],
    ),
    Case(
        "a mutation watched",
        |client| client.subscribe(0, 0, "chat:sendMessage", &json!({"user": "a", "body": "b"})),
        &["QueryFailed", "mutation"],
    ),
    Case(
        "wrong arguments of a query",
        |client| client.subscribe(0, 0, "chat:getMessages", &json!({"more": 1.0})),
        &["QueryFailed", "ArgumentValidationError", "more"],
    ),
    Case(
        "an unknown mutation",
        |client| client.mutate(0, "chat:nothing", &json!({})),
        &["MutationResponse", "\"success\":false", "Could not find public function"],
    ),
    Case(
        "wrong arguments of a mutation",
        |client| client.mutate(0, "chat:sendMessage", &json!({"user": "a"})),
        &["MutationResponse", "\"success\":false", "ArgumentValidationError", "body"],
    ),
    Case("a mutation without arguments", mutation_without_arguments, &["FatalError", "args"]),
    Case("an action", action, &["ActionResponse", "\"success\":false", "not"]),
    Case("a token", token, &["AuthError", "authUpdateAttempted"]),
];

#[test]
fn sockets() -> Result<()> {
    let data = tempfile::tempdir()?;
    let host = HostProcess::dev(&project::chat(), data.path())?;
    let mut report = Report::default();
    for (number, case) in CASES.iter().enumerate() {
        report.add(case.0, check(&host, number, case));
    }
    report.end()
}

fn check(host: &HostProcess, number: usize, Case(_, act, wanted): &Case) -> Result<()> {
    let session = format!("00000000-0000-4000-8000-{number:012}");
    let mut client = SyncClient::connect(host.address(), &session, 0)?;
    act(&mut client)?;
    expect_all(&read_until(&mut client, wanted), wanted)?;
    expect_alive(host.address(), "chat:getMessages")
}

#[test]
fn before_connect() -> Result<()> {
    let data = tempfile::tempdir()?;
    let host = HostProcess::dev(&project::chat(), data.path())?;
    let mut client = SyncClient::open(host.address())?;
    client.subscribe(0, 0, "chat:getMessages", &json!({}))?;
    let wanted = ["FatalError", "Connect"];
    expect_all(&read_until(&mut client, &wanted), &wanted)?;

    // A client that has seen a newer timestamp than this server has: the server must not serve the past.
    let mut client = SyncClient::open(host.address())?;
    client.send(
        &json!({"type": "Connect", "sessionId": "00000000-0000-4000-8000-000000000000", "connectionCount": 1,
        "lastCloseReason": "unknown", "maxObservedTimestamp": "////////f38="}),
    )?;
    client.subscribe(0, 0, "chat:getMessages", &json!({}))?;
    expect_all(&read_until(&mut client, &["close 1011"]), &["close 1011"])?;

    let mut client = SyncClient::open(host.address())?;
    client.send(&json!({"type": "Connect", "sessionId": "no uuid", "connectionCount": 0}))?;
    expect_all(&read_until(&mut client, &wanted[..1]), &wanted[..1])?;

    let mut client = SyncClient::open(host.address())?;
    client.send(
        &json!({"type": "Connect", "sessionId": "00000000-0000-4000-8000-000000000000", "connectionCount": 1,
        "maxObservedTimestamp": "AAA="}),
    )?;
    expect_all(&read_until(&mut client, &wanted[..1]), &wanted[..1])?;
    expect_alive(host.address(), "chat:getMessages")
}

/// What comes back, as text, until all that is wanted has come or the connection is over.
fn read_until(client: &mut SyncClient, wanted: &[&str]) -> String {
    let mut seen = String::new();
    while !wanted.iter().all(|part| seen.contains(part)) {
        match client.receive() {
            Ok(Received::Message(message)) => seen.push_str(&message.to_string()),
            Ok(Received::Closed(code, reason)) => {
                seen.push_str(&format!("close {code} {reason}"));
                break;
            }
            Err(error) => {
                seen.push_str(&format!("nothing more: {error}"));
                break;
            }
        }
    }
    seen
}

fn connect_again(client: &mut SyncClient) -> Result<()> {
    client.send(&json!({"type": "Connect", "sessionId": "00000000-0000-4000-8000-0000000000ff", "connectionCount": 0}))
}

fn announce_2_gib(client: &mut SyncClient) -> Result<()> {
    let mut bytes = vec![0x81, 0x80 | 127];
    bytes.extend_from_slice(&(2_u64 << 30).to_be_bytes());
    bytes.extend_from_slice(&[0; 4]);
    client.send_bytes(&bytes)
}

fn version_that_stays(client: &mut SyncClient) -> Result<()> {
    client.send(&json!({"type": "ModifyQuerySet", "baseVersion": 0, "newVersion": 0, "modifications": []}))
}

fn modify(client: &mut SyncClient, modifications: &Value) -> Result<()> {
    client.send(
        &json!({"type": "ModifyQuerySet", "baseVersion": 0, "newVersion": 1, "modifications": modifications}),
    )
}

fn added_twice(client: &mut SyncClient) -> Result<()> {
    let add = json!({"type": "Add", "queryId": 0, "udfPath": "chat:getMessages", "args": [{}]});
    modify(client, &json!([add, add]))
}

fn unknown_removed(client: &mut SyncClient) -> Result<()> {
    modify(client, &json!([{"type": "Remove", "queryId": 9}]))
}

fn unknown_modification(client: &mut SyncClient) -> Result<()> {
    modify(client, &json!([{"type": "Surprise", "queryId": 0}]))
}

fn version_no_number(client: &mut SyncClient) -> Result<()> {
    client.send(&json!({"type": "ModifyQuerySet", "baseVersion": "0", "newVersion": 1, "modifications": []}))
}

fn mutation_without_arguments(client: &mut SyncClient) -> Result<()> {
    client.send(&json!({"type": "Mutation", "requestId": 0, "udfPath": "chat:sendMessage"}))
}

fn action(client: &mut SyncClient) -> Result<()> {
    client.send(&json!({"type": "Action", "requestId": 0, "udfPath": "chat:act", "args": [{}]}))
}

fn token(client: &mut SyncClient) -> Result<()> {
    client.send(&json!({"type": "Authenticate", "baseVersion": 0, "tokenType": "User", "value": "x.y.z"}))
}
