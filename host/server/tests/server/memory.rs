//! What clients make the server hold is bounded, and whoever wants little is served beside those who want all.

use std::time::Duration;

use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Client, PATIENCE, TestServer};

const SESSION: &str = "88820804-0000-4000-8000-000000000001";
const OTHER_SESSION: &str = "88820804-0000-4000-8000-000000000002";
const MIB: usize = 1 << 20;

/// What the servers here may hold: 2.7 MiB a connection, and a quarter of it for those who hold less than a mebibyte.
const MEMORY: usize = 8 * MIB;

/// What may be held beyond that: by those who hold so little that nobody asks.
const GRANTED: u64 = 512 * 1024;

async fn connected(server: &TestServer, session: &str) -> Client {
    let mut client = server.open_socket().await;
    client.connect(session).await;
    client
}

async fn held(server: &TestServer, kind: &str) -> u64 {
    server.metric(&format!("weir_held{kind}_bytes")).await
}

/// Waits until nothing is held any more.
async fn until_nothing_is_held(server: &TestServer) {
    let begun = std::time::Instant::now();
    while held(server, "").await > 0 {
        assert!(begun.elapsed() < PATIENCE, "{} bytes are never given back", held(server, "").await);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A client as there are many: it watches, writes and asks, and is served.
async fn an_ordinary_client_is_served(server: &TestServer) {
    let mut client = connected(server, OTHER_SESSION).await;
    client.watch(0, "chat:version", json!({})).await;
    assert_eq!(client.hear_type("Transition").await["modifications"][0]["value"], "one");
    client.mutate(0, "other:send", json!({"body": "hello"})).await;
    assert_eq!(client.hear_type("MutationResponse").await["success"], true);
    assert_eq!(server.ask("chat:version").await, "one");
}

/// A message of `bytes` of which the first half is sent.
fn half_message(bytes: usize) -> Vec<u8> {
    let mut frame = vec![0x81, 0xff];
    frame.extend_from_slice(&(bytes as u64).to_be_bytes());
    frame.extend_from_slice(&[0; 4]);
    frame.resize(frame.len() + bytes / 2, b' ');
    frame
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_messages_are_bounded_and_end_with_their_socket() {
    let server = TestServer::start_with_memory(MEMORY).await;
    let mut clients = Vec::new();
    for _ in 0..20 {
        let mut client = connected(&server, SESSION).await;
        // The server may hang up in the middle.
        let _ = client.socket.get_mut().write_all(&half_message(2 * MIB)).await;
        clients.push(client);
        assert!(held(&server, "").await <= MEMORY as u64 + GRANTED);
    }
    assert!(held(&server, "_messages").await >= MEMORY as u64 / 2);
    assert!(server.metric("weir_sockets_shed_total").await >= 10);
    an_ordinary_client_is_served(&server).await;
    let mut last = clients.pop().unwrap();
    let Some(Message::Close(Some(close))) = last.hear_raw().await else { panic!("the last one had no room") };
    assert_eq!(u16::from(close.code), 1013);
    assert!(close.reason.starts_with("TooManyConcurrentRequests"), "{close:?}");
    drop(clients);
    until_nothing_is_held(&server).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_message_is_small() {
    let server = TestServer::start().await;
    for padding in [70_000, 15 << 20] {
        let mut client = server.open_socket().await;
        let connect =
            json!({"type": "Connect", "sessionId": SESSION, "connectionCount": 0, "x": " ".repeat(padding)});
        let _ = client.send_text(connect.to_string()).await;
        assert_eq!(client.hear_close().await.1, Some(1009));
    }
    let mut client = server.open_socket().await;
    let reason = "x".repeat(60_000);
    client
        .say(
            json!({"type": "Connect", "sessionId": SESSION, "connectionCount": 0, "lastCloseReason": reason}),
        )
        .await;
    // What follows may be large, and comes in its order.
    client.mutate(0, "chat:send", json!({"body": "x".repeat(900_000)})).await;
    client.mutate(1, "chat:send", json!({"body": "small"})).await;
    for request in 0..2 {
        let answer = client.hear_type("MutationResponse").await;
        assert_eq!((&answer["requestId"], &answer["success"]), (&json!(request), &json!(true)));
    }
    until_nothing_is_held(&server).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn arguments_of_watched_queries_are_bounded() {
    let server = TestServer::start_with_memory(MEMORY).await;
    let mut greedy = connected(&server, SESSION).await;
    let (mut watched, mut failed) = (0, 0);
    for number in 0..900_u32 {
        greedy.watch(number, "chat:version", json!({"n": number, "x": "x".repeat(3500)})).await;
        let transition = greedy.hear_type("Transition").await;
        for change in transition["modifications"].as_array().unwrap() {
            match change["type"].as_str().unwrap() {
                "QueryUpdated" => watched += 1,
                _ => {
                    let message = change["errorMessage"].as_str().unwrap();
                    assert!(message.starts_with("Overloaded: "), "{message}");
                    failed += 1;
                }
            }
        }
    }
    assert!(watched > 500 && failed > 50 && watched + failed == 900, "{watched} and {failed}");
    assert!(held(&server, "_arguments").await <= (MEMORY / 3) as u64);
    an_ordinary_client_is_served(&server).await;
    // Large ones are refused as they come.
    let _ = greedy.send_text(json!({"x": "x".repeat(500_000)}).to_string()).await;
    assert_eq!(greedy.hear_close().await.1, Some(1013));
    drop(greedy);
    until_nothing_is_held(&server).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn results_are_bounded_and_count_once_however_many_watch() {
    let server = TestServer::start_with_memory(MEMORY).await;
    let mut sharing = Vec::new();
    for _ in 0..20 {
        let mut client = connected(&server, SESSION).await;
        client.watch(0, "chat:large", json!({"bytes": 300_000})).await;
        assert_eq!(client.hear_type("Transition").await["modifications"][0]["type"], "QueryUpdated");
        sharing.push(client);
    }
    assert!((300_000..400_000).contains(&held(&server, "_results").await));
    let mut greedy = connected(&server, SESSION).await;
    let (mut watched, mut failed) = (0, 0);
    for number in 0..60_u32 {
        greedy.watch(number, "chat:large", json!({"bytes": 100_000, "n": number})).await;
        let transition = greedy.hear_type("Transition").await;
        let change = &transition["modifications"][0];
        match change["type"].as_str().unwrap() {
            "QueryUpdated" => watched += 1,
            _ => {
                assert!(change["errorMessage"].as_str().unwrap().starts_with("Overloaded: "), "{change}");
                failed += 1;
            }
        }
    }
    assert!(watched >= 20 && failed >= 30, "{watched} and {failed}");
    assert!(server.metric("weir_live_results_without_room_total").await >= failed);
    assert!(held(&server, "_results").await <= (MEMORY / 3 + 400_000) as u64);
    an_ordinary_client_is_served(&server).await;
    let changes = json!([{"type": "Remove", "queryId": 0}, {"type": "Add", "queryId": 100, "udfPath": "chat:large",
        "args": [{"bytes": 90_000}]}]);
    greedy
        .say(json!({"type": "ModifyQuerySet", "baseVersion": 60, "newVersion": 61, "modifications": changes}))
        .await;
    let transition = greedy.hear_type("Transition").await;
    let types: Vec<&Json> =
        transition["modifications"].as_array().unwrap().iter().map(|change| &change["type"]).collect();
    assert!(types.contains(&&json!("QueryUpdated")), "there is room again: {types:?}");
    drop((greedy, sharing));
    until_nothing_is_held(&server).await;
    server.stop().await;
}

/// The client does not take its answers, and finds all of them when it comes back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_nobody_takes_are_bounded_and_not_lost() {
    let server = TestServer::start_with_memory(MEMORY).await;
    let mut lazy = connected(&server, SESSION).await;
    let count = 40_u32;
    for request in 0..count {
        lazy.mutate(request, "chat:send_large", json!({"bytes": 600_000, "n": request})).await;
    }
    let begun = std::time::Instant::now();
    while held(&server, "_answers").await < 1_200_000 {
        assert!(begun.elapsed() < PATIENCE, "the answers of {count} are nowhere");
    }
    for _ in 0..50 {
        assert!(held(&server, "").await <= (MEMORY / 3) as u64 + GRANTED);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    an_ordinary_client_is_served(&server).await;
    let (answered, closed) = lazy.hear_close().await;
    assert_eq!(closed, Some(1013), "after {} answers", answered.len());
    assert!(answered.len() < count as usize);
    drop(lazy);
    let mut again = connected(&server, SESSION).await;
    for request in 0..count {
        again.mutate(request, "chat:send_large", json!({"bytes": 600_000, "n": request})).await;
        let answer = again.hear_type("MutationResponse").await;
        assert_eq!(answer["success"], true, "{request}");
        assert_eq!(answer["result"].as_str().unwrap().len(), 600_000);
    }
    assert_eq!(server.ask("chat:all").await.as_array().unwrap().len(), count as usize, "each ran once");
    drop(again);
    until_nothing_is_held(&server).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_are_bounded() {
    let large = |bytes: u32, count: u32| {
        let query = |n| {
            let args = json!({"bytes": bytes, "n": n});
            json!({"path": "chat:large", "args": args, "format": "convex_encoded_json"})
        };
        json!({"queries": (0..count).map(query).collect::<Vec<_>>()}).to_string()
    };
    let server = TestServer::start_with_memory(MEMORY).await;
    let reply = server.send("POST", "/api/query_batch", &[], &large(100_000, 100)).await;
    assert_eq!((reply.status, reply.code().as_str()), (503, "Overloaded"));
    let reply = server.send("POST", "/api/query_batch", &[], &large(100_000, 10)).await;
    assert_eq!(reply.status, 200);
    assert!(reply.body.len() > 1_000_000);
    until_nothing_is_held(&server).await;
    server.stop().await;
    let server = TestServer::start().await;
    let reply = server.send("POST", "/api/query_batch", &[], &large(900_000, 40)).await;
    assert_eq!((reply.status, reply.code().as_str()), (400, "TooManyQueries"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_are_bounded() {
    let server = TestServer::start_with_memory(MEMORY).await;
    let head = "POST /api/query HTTP/1.1\r\nHost: test\r\nContent-Length: 2000000\r\n\r\n";
    let half = [head.as_bytes(), &vec![b' '; 900_000]].concat();
    let mut connections = Vec::new();
    for _ in 0..20 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let _ = stream.write_all(&half).await;
        connections.push(stream);
        assert!(held(&server, "").await <= MEMORY as u64 + GRANTED);
    }
    let begun = std::time::Instant::now();
    while held(&server, "_bodies").await < MEMORY as u64 / 2 {
        assert!(begun.elapsed() < PATIENCE, "the bodies come");
    }
    an_ordinary_client_is_served(&server).await;
    let mut last = connections.pop().unwrap();
    let mut answer = vec![0; 12];
    last.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 503");
    drop(connections);
    until_nothing_is_held(&server).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_over_http_that_nobody_takes_are_bounded() {
    let server = TestServer::start_with_memory(MEMORY).await;
    let body = json!({"path": "chat:large", "args": {"bytes": 2_000_000}}).to_string();
    let request = format!(
        "POST /api/query HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    // Each takes a part of its answer into buffers of the system.
    let mut connections = Vec::new();
    for _ in 0..30 {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let mut stream = socket.connect(server.address).await.unwrap();
        stream.write_all(request.repeat(4).as_bytes()).await.unwrap();
        connections.push(stream);
        assert!(held(&server, "").await <= 2 * MEMORY as u64);
    }
    an_ordinary_client_is_served(&server).await;
    drop(connections);
    until_nothing_is_held(&server).await;
    server.stop().await;
}
