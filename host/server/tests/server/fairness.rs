//! Slow functions beside ordinary ones: who calls those finds a thread, however many of the others wait.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value as Json, json};
use weir_store::memory::MemoryDisk;

use crate::hold::Closed;
use crate::support::{Client, Reply, SESSION, TestServer, module, until};

const OTHER_SESSION: &str = "88820804-3a9c-4c65-92f2-0e2f8a7a5c1f";

/// Slow calls that wait beside the one that runs.
const WAITING: usize = 7;

/// A server with slow functions, which it knows to be slow.
async fn start() -> TestServer {
    let server = TestServer::start_on(&MemoryDisk::new(), tempfile::tempdir().unwrap()).await;
    server.app.deployer.deploy(vec![module("native", "v1"), module("slow", "slow")]).await.unwrap();
    for (route, path) in [("query", "slow:read"), ("mutation", "slow:write")] {
        let answer = server.post(&format!("/api/{route}"), json!({"path": path, "args": {}})).await;
        assert_eq!(answer["status"], "success", "{answer}");
    }
    server
}

async fn call(server: &TestServer, route: &str, path: &str) -> Reply {
    let body = json!({"path": path, "args": {"n": 1}}).to_string();
    server.send("POST", &format!("/api/{route}"), &["Content-Type: application/json"], &body).await
}

/// Calls a slow function from many connections; one is held, and the rest wait. Meanwhile `beside` is done, and then none
/// is held any more.
async fn beside_slow_calls(
    server: &TestServer,
    (route, path): (&str, &str),
    beside: impl AsyncFnOnce(Closed<'_>),
) -> Vec<Reply> {
    let closed = server.loader.slow_calls.close();
    let calls = join_all((0..=WAITING).map(|_| call(server, route, path)));
    let doing = async {
        server.loader.slow_calls.somebody_waits().await;
        until(|| server.app.machine.executor.queued() == WAITING).await;
        beside(closed).await;
    };
    tokio::join!(calls, doing).0
}

/// What an ordinary client does: a query, a mutation, and a socket that watches and writes.
async fn is_served(server: &TestServer, session: &str) {
    assert_eq!(server.ask("chat:version").await, "one");
    assert_eq!(call(server, "mutation", "chat:send").await.status, 200);
    let mut socket = server.open_socket().await;
    socket.connect(session).await;
    socket.watch(0, "chat:list", json!({})).await;
    socket.hear_type("Transition").await;
    socket.mutate(0, "chat:send", json!({"n": 2})).await;
    assert_eq!(socket.hear_type("MutationResponse").await["success"], true);
    socket.hear_type("Transition").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_calls_quick_functions_does_not_wait_for_slow_ones() {
    let server = start().await;
    let slow = [("query", "slow:read"), ("mutation", "slow:write")];
    for (slow, session) in slow.into_iter().zip([SESSION, OTHER_SESSION]) {
        let replies = beside_slow_calls(&server, slow, async |closed| {
            is_served(&server, session).await;
            drop(closed);
        });
        let replies = replies.await;
        assert!(replies.iter().all(|reply| reply.status == 200), "{replies:?}");
    }
    server.stop().await;
}

/// Live queries whose socket is gone do not stay behind in the queue, nor do the snapshots that they would have read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_leaves_leaves_no_live_queries_behind() {
    const WATCHED: u32 = 50;
    let server = start().await;
    let app = &server.app;
    let snapshots = app.db.store().stats().snapshots;
    let replies = beside_slow_calls(&server, ("query", "slow:read"), async |closed| {
        let mut socket = server.open_socket().await;
        socket.connect(SESSION).await;
        for query in 0..WATCHED {
            socket.watch(query, "slow:read", json!({"n": 100 + query})).await;
        }
        until(|| app.machine.executor.queued() == WAITING + WATCHED as usize).await;
        drop(socket);
        until(|| app.live.stats().runs_in_flight == 0).await;
        assert_eq!(app.machine.executor.queued(), WAITING);
        drop(closed);
    });
    let replies = replies.await;
    assert!(replies.iter().all(|reply| reply.status == 200), "{replies:?}");
    until(|| app.db.store().stats().snapshots <= snapshots).await;
    server.stop().await;
}

/// Slow mutations of one function would conflict: they run one after the other instead, and once each.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_mutations_do_not_conflict_with_one_another() {
    let server = start().await;
    let before = server.app.db.stats();
    beside_slow_calls(&server, ("mutation", "slow:write"), async |closed| drop(closed)).await;
    let after = server.app.db.stats();
    assert_eq!(after.mutation_runs - before.mutation_runs, 1 + WAITING as u64);
    assert_eq!((after.conflicts, after.serial_runs), (before.conflicts, before.serial_runs));
    server.stop().await;
}

async fn watch_many(socket: &mut Client, path: &str, queries: usize) {
    let add =
        |query: usize| json!({"type": "Add", "queryId": query, "udfPath": path, "args": [{ "n": query }]});
    let modifications: Vec<Json> = (0..queries).map(add).collect();
    let message = json!({"type": "ModifyQuerySet", "baseVersion": 0, "newVersion": 1,
        "modifications": modifications});
    socket.say(message).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_with_many_slow_live_queries_holds_up_no_other() {
    let server = start().await;
    let closed = server.loader.slow_calls.close();
    let mut greedy = server.open_socket().await;
    greedy.connect(OTHER_SESSION).await;
    watch_many(&mut greedy, "slow:read", 1 + WAITING).await;
    server.loader.slow_calls.somebody_waits().await;
    until(|| server.app.machine.executor.queued() == WAITING).await;
    is_served(&server, SESSION).await;
    drop(closed);
    let transition = greedy.hear_type("Transition").await;
    assert_eq!(transition["modifications"].as_array().unwrap().len(), 1 + WAITING);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_refuses_calls_that_wait_and_ends_those_that_run() {
    let mut server = start().await;
    let hold = Arc::clone(&server.loader.slow_calls);
    let closed = hold.close();
    let address = server.address;
    let calls: Vec<_> = (0..=WAITING)
        .map(|_| {
            let body = r#"{"path":"slow:read","args":{}}"#;
            let head = "POST /api/query HTTP/1.1\r\nHost: test\r\nContent-Type: application/json";
            let request = format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            tokio::task::spawn_blocking(move || ask_blocking(address, &request))
        })
        .collect();
    hold.somebody_waits().await;
    until(|| server.app.machine.executor.queued() == WAITING).await;
    server.begin_stop();
    // The one that runs is held on; the others are answered nevertheless.
    let is_answered = || calls.iter().filter(|call| call.is_finished()).count() == WAITING;
    until(is_answered).await;
    drop(closed);
    let answers: Vec<String> = join_all(calls).await.into_iter().map(Result::unwrap).collect();
    let refused = |answer: &&String| answer.starts_with("HTTP/1.1 503") && answer.contains("ShuttingDown");
    assert_eq!(answers.iter().filter(refused).count(), WAITING, "{answers:?}");
    assert_eq!(answers.iter().filter(|answer| answer.starts_with("HTTP/1.1 200")).count(), 1);
    server.stop().await;
}

/// Sends a request, and reads until the server closes.
fn ask_blocking(address: std::net::SocketAddr, request: &str) -> String {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
