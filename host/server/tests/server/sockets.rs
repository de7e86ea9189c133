//! Sockets: transcripts of the sync protocol with a real WebSocket client.

use std::sync::atomic::Ordering;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::SinkExt;
use serde_json::{Value as Json, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Client, SESSION, TestServer, mutation};

fn ts(encoded: &Json) -> u64 {
    let bytes = STANDARD.decode(encoded.as_str().expect("a timestamp")).unwrap();
    u64::from_le_bytes(bytes.try_into().unwrap())
}

async fn connected(server: &TestServer) -> Client {
    let mut client = server.open_socket().await;
    client.connect(SESSION).await;
    client
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_reaches_who_watches() {
    let server = TestServer::start().await;
    let mut watcher = connected(&server).await;
    watcher.watch(0, "chat:list", json!({})).await;
    let first = watcher.hear().await;
    assert_eq!(first["startVersion"], json!({"querySet": 0, "identity": 0, "ts": "AAAAAAAAAAA="}));
    assert_eq!(first["endVersion"]["querySet"], 1);
    assert_eq!(first["modifications"][0]["type"], "QueryUpdated");
    assert_eq!(first["modifications"][0]["value"], json!([]));

    let mut writer = connected(&server).await;
    writer.mutate(0, "chat:send", json!({"body": "hi"})).await;
    let response = writer.hear().await;
    assert_eq!(response["type"], "MutationResponse");
    assert_eq!((&response["requestId"], &response["success"]), (&json!(0), &json!(true)));
    let transition = writer.hear().await;
    assert_eq!(transition["type"], "Transition");
    assert!(ts(&transition["endVersion"]["ts"]) >= ts(&response["ts"]));

    let second = watcher.hear().await;
    assert_eq!(second["startVersion"], first["endVersion"]);
    assert_eq!(second["modifications"][0]["value"][0]["body"], "hi");
    assert!(ts(&second["endVersion"]["ts"]) >= ts(&response["ts"]));
    server.stop().await;
}

/// Clients give a connection up that is silent, each kind by other pings. Both leave at one time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_socket_is_pinged() {
    let server = TestServer::start().await;
    let mut client = connected(&server).await;
    let first = client.hear_raw().await;
    assert_eq!(first, Some(Message::text(r#"{"type":"Ping"}"#)));
    let second = tokio::time::timeout(std::time::Duration::from_secs(1), client.hear_raw()).await;
    assert!(matches!(second, Ok(Some(Message::Ping(_)))), "{second:?}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forty_in_flight_share_syncs_and_are_answered_in_order() {
    let server = TestServer::start_on_disk().await;
    let mut client = connected(&server).await;
    let syncs_before = server.metric("weir_log_syncs_total").await;
    const ROUNDS: u32 = 25;
    for round in 0..ROUNDS {
        for number in 0..40 {
            let message = mutation(round * 40 + number, "chat:send", json!({"n": number}));
            client.socket.feed(Message::text(message.to_string())).await.unwrap();
        }
        client.socket.flush().await.unwrap();
        let mut newest = 0;
        for number in 0..40 {
            let response = client.hear_type("MutationResponse").await;
            assert_eq!(response["requestId"], round * 40 + number);
            let committed = ts(&response["ts"]);
            assert!(committed > newest, "commits are in the order of the requests");
            newest = committed;
        }
        let mut seen = 0;
        while seen < newest {
            seen = ts(&client.hear_type("Transition").await["endVersion"]["ts"]);
        }
    }
    let syncs = server.metric("weir_log_syncs_total").await - syncs_before;
    let commits = u64::from(ROUNDS) * 40;
    // How many depends on what is quicker, the processor or the disk.
    assert!(syncs <= commits * 4 / 5, "{syncs} syncs for {commits} commits");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_are_answered_and_the_queue_goes_on() {
    let server = TestServer::start().await;
    let mut client = connected(&server).await;
    for (request, path) in
        ["chat:fail", "chat:refuse", "chat:nothing", "chat:list", "chat:send"].iter().enumerate()
    {
        client.mutate(request as u32, path, json!({"body": "x"})).await;
    }
    let mut responses = Vec::new();
    for _ in 0..5 {
        responses.push(client.hear_type("MutationResponse").await);
    }
    let successes: Vec<_> = responses.iter().map(|r| r["success"].as_bool().unwrap()).collect();
    assert_eq!(successes, [false, false, false, false, true]);
    assert!(responses[0]["result"].as_str().unwrap().contains("no way"));
    assert_eq!(responses[0].get("errorData"), None);
    assert_eq!(responses[1]["errorData"], json!({"why": "full"}));
    client.hear_type("Transition").await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_mutation_is_answered_from_the_record() {
    let server = TestServer::start().await;
    let mut client = connected(&server).await;
    client.mutate(7, "chat:send", json!({"body": "once"})).await;
    let first = client.hear_type("MutationResponse").await;
    drop(client);
    let mut again = connected(&server).await;
    again.mutate(7, "chat:send", json!({"body": "once"})).await;
    let second = again.hear_type("MutationResponse").await;
    assert_eq!(first, second, "the same result, with the same commit");
    again.hear_type("Transition").await;
    let list = server.post("/api/query", json!({"path": "chat:list", "args": {}})).await;
    assert_eq!(list["value"].as_array().unwrap().len(), 1);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_who_watch_one_query_share_its_runs() {
    let server = TestServer::start().await;
    let mut clients = Vec::new();
    for _ in 0..100 {
        let mut client = connected(&server).await;
        client.watch(0, "chat:list", json!({})).await;
        client.hear_type("Transition").await;
        clients.push(client);
    }
    assert_eq!(server.list_runs.load(Ordering::SeqCst), 1);
    assert_eq!(server.metric("weir_live_queries").await, 1);
    assert_eq!(server.metric("weir_subscriptions").await, 100);
    let groups = 5;
    for number in 0..groups {
        server.post("/api/mutation", json!({"path": "chat:send", "args": {"n": number}})).await;
        for client in &mut clients {
            let transition = client.hear_type("Transition").await;
            assert_eq!(transition["modifications"][0]["value"].as_array().unwrap().len(), number + 1);
        }
    }
    assert_eq!(server.list_runs.load(Ordering::SeqCst), 1 + groups as u64);
    // What the query did not read does not run it again.
    server.post("/api/mutation", json!({"path": "other:send", "args": {"n": 1}})).await;
    server.post("/api/mutation", json!({"path": "chat:send", "args": {"n": "last"}})).await;
    for client in &mut clients {
        let transition = client.hear_type("Transition").await;
        assert_eq!(transition["modifications"][0]["value"][0]["n"], "last");
    }
    assert_eq!(server.list_runs.load(Ordering::SeqCst), 2 + groups as u64);
    drop(clients);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn patches_go_to_those_who_asked() {
    let server = TestServer::start().await;
    for number in 0..50 {
        let args = json!({"body": format!("message number {number}, of some length"), "user": "ada"});
        server.post("/api/mutation", json!({"path": "chat:send", "args": args})).await;
    }
    let mut asks = server.open_socket().await;
    asks.say(json!({"type": "Connect", "sessionId": SESSION, "connectionCount": 0,
        "lastCloseReason": "InitialConnect", "queryPatches": "rfc6902"}))
        .await;
    let mut plain = connected(&server).await;
    for client in [&mut asks, &mut plain] {
        client.watch(0, "chat:list", json!({})).await;
        assert_eq!(client.hear().await["modifications"][0]["type"], "QueryUpdated");
    }
    server.post("/api/mutation", json!({"path": "chat:send", "args": {"body": "new", "user": "bob"}})).await;
    let patched = asks.hear().await;
    assert_eq!(patched["modifications"][0]["type"], "QueryPatched", "{patched}");
    assert!(patched["modifications"].to_string().len() < 500, "{patched}");
    let whole = plain.hear().await;
    assert_eq!(whole["modifications"][0]["type"], "QueryUpdated");
    assert!(whole.to_string().len() > 5000);
    server.stop().await;
}

/// A client that does not read gets the newest state when it does, not all states.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_socket_collapses_to_the_newest_state() {
    let server = TestServer::start().await;
    let mut slow = connected(&server).await;
    slow.watch(0, "chat:list", json!({})).await;
    slow.hear_type("Transition").await;
    let filler = "x".repeat(100_000);
    let writes = 60;
    for number in 0..writes {
        let args = json!({"n": number, "filler": filler});
        server.post("/api/mutation", json!({"path": "chat:send", "args": args})).await;
    }
    let mut transitions = 0;
    loop {
        let transition = slow.hear_type("Transition").await;
        transitions += 1;
        if transition["modifications"][0]["value"][0]["n"] == writes - 1 {
            break;
        }
    }
    assert!(transitions < writes, "{transitions} transitions for {writes} writes");
    server.stop().await;
}

/// Sockets that have news together are served together. Those that do not read hold up nobody, get the newest state when they
/// do, and no frame that was written in part is torn.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_sockets_among_others_get_whole_frames() {
    let server = TestServer::start().await;
    let mut clients = Vec::new();
    for _ in 0..4 {
        let mut client = connected(&server).await;
        client.watch(0, "chat:newest", json!({})).await;
        let version = client.hear_type("Transition").await["endVersion"].clone();
        clients.push((client, version));
    }
    let (mut reader, mut version) = clients.pop().unwrap();
    let (filler, writes) = ("x".repeat(50_000), 400);
    for number in 0..writes {
        let args = json!({"n": number, "filler": filler});
        server.post("/api/mutation", json!({"path": "chat:send", "args": args})).await;
        version = hear_until(&mut reader, version, number).await.0;
    }
    for (mut slow, version) in clients {
        let (_, transitions) = hear_until(&mut slow, version, writes - 1).await;
        assert!(transitions < writes, "{transitions} transitions for {writes} writes");
    }
    server.stop().await;
}

/// Hears transitions, each of which begins where the one before ended, until this is the newest message.
async fn hear_until(client: &mut Client, mut version: Json, number: u64) -> (Json, u64) {
    let mut transitions = 0;
    loop {
        let transition = client.hear_type("Transition").await;
        assert_eq!(transition["startVersion"], version);
        version = transition["endVersion"].clone();
        transitions += 1;
        if transition["modifications"][0]["value"][0]["n"] == number {
            return (version, transitions);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_input_ends_its_own_socket() {
    let server = TestServer::start().await;
    let mut bystander = connected(&server).await;
    bystander.watch(0, "chat:version", json!({})).await;
    bystander.hear_type("Transition").await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let connect =
        json!({"type": "Connect", "sessionId": SESSION, "connectionCount": 0, "lastCloseReason": null})
            .to_string();
    let modify = |base: u32, new: u32, changes: Json| {
        json!({"type": "ModifyQuerySet", "baseVersion": base, "newVersion": new, "modifications": changes})
            .to_string()
    };
    #[rustfmt::skip]
    let cases: Vec<(&str, Vec<Message>, &str, Option<u16>)> = vec![
        ("no JSON", vec![Message::text("hello")], "FatalError", None),
        ("an unknown type", vec![Message::text("{\"type\":\"Nothing\"}")], "FatalError", None),
        ("deep JSON", vec![Message::text(connect.clone()), Message::text(deep)], "FatalError", None),
        ("a binary frame", vec![Message::binary(vec![1, 2, 3])], "FatalError", None),
        ("no Connect", vec![Message::text(modify(0, 1, json!([])))], "FatalError", None),
        ("two Connects", vec![Message::text(connect.clone()), Message::text(connect.clone())], "FatalError", None),
        ("a wrong base version", vec![Message::text(connect.clone()), Message::text(modify(5, 6, json!([])))], "FatalError", None),
        ("an unknown query removed", vec![Message::text(connect.clone()), Message::text(modify(0, 1, json!([{"type": "Remove", "queryId": 9}])))], "FatalError", None),
        ("a message too large", vec![Message::text("x".repeat(17 << 20))], "", Some(1009)),
        ("a future timestamp", vec![Message::text(json!({"type": "Connect", "sessionId": SESSION, "connectionCount": 0, "lastCloseReason": null, "maxObservedTimestamp": "/////////38="}).to_string())], "", Some(1011)),
    ];
    for (name, messages, last, code) in cases {
        let mut client = server.open_socket().await;
        for message in messages {
            let _ = client.socket.send(message).await;
        }
        let (before, closed) = client.hear_close().await;
        let said: Vec<String> = before
            .iter()
            .map(|text| serde_json::from_str::<Json>(text).unwrap()["type"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(said.last().map_or("", String::as_str), last, "{name}: {before:?}");
        assert_eq!(closed.filter(|&code| code != 1005), code, "{name}");
    }
    server.app.deployer.deploy(vec![crate::support::module("native", "v2")]).await.unwrap();
    assert_eq!(bystander.hear_type("Transition").await["modifications"][0]["value"], "two");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_that_break_rfc_6455_close_with_its_codes() {
    use tokio::io::AsyncWriteExt;
    let server = TestServer::start().await;
    #[rustfmt::skip]
    let cases: &[(&str, &[u8], u16)] = &[
        ("an unmasked frame", b"\x81\x02hi", 1002),
        ("a reserved opcode", b"\x83\x80\0\0\0\0", 1002),
        ("a reserved bit", b"\xf1\x80\0\0\0\0", 1002),
        ("text that is not UTF-8", b"\x81\x82\0\0\0\0\xff\xff", 1007),
        ("a continuation of nothing", b"\x80\x80\0\0\0\0", 1002),
        ("a length of 2^63", b"\x81\xff\x80\0\0\0\0\0\0\0\0\0\0\0", 1009),
    ];
    for (name, bytes, code) in cases {
        let mut client = server.open_socket().await;
        client.socket.get_mut().write_all(bytes).await.unwrap();
        let (_, closed) = client.hear_close().await;
        assert_eq!(closed, Some(*code), "{name}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_that_goes_leaves_nothing_behind() {
    let server = TestServer::start().await;
    for _ in 0..20 {
        let mut client = connected(&server).await;
        client.watch(0, "chat:list", json!({})).await;
        client.hear_type("Transition").await;
    }
    let patience = std::time::Instant::now();
    while server.metric("weir_sockets").await > 0 || server.metric("weir_subscriptions").await > 0 {
        assert!(patience.elapsed() < crate::support::PATIENCE, "sockets were not let go");
    }
    assert_eq!(server.metric("weir_live_queries").await, 0);
    server.stop().await;
}
