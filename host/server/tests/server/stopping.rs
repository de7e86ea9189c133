//! Stopping: what is told, what ends, what is kept.

use serde_json::json;
use tokio::net::TcpStream;
use weir_store::memory::MemoryDisk;

use crate::support::{PATIENCE, SESSION, TestServer, module};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sockets_are_told_and_answered_commits_are_kept() {
    let disk = MemoryDisk::new();
    let mut server = TestServer::start_on(&disk, tempfile::tempdir().unwrap()).await;
    server.app.deployer.deploy(vec![module("native", "v1")]).await.unwrap();
    let mut watcher = server.open_socket().await;
    watcher.connect(SESSION).await;
    watcher.watch(0, "chat:version", json!({})).await;
    watcher.hear_type("Transition").await;
    let mut writer = server.open_socket().await;
    writer.connect("88820804-3a9c-4c65-92f2-0e2f8a7a5c1f").await;
    for number in 0..200 {
        writer.mutate(number, "chat:send", json!({ "n": number })).await;
    }
    writer.hear_type("MutationResponse").await;
    server.begin_stop();
    let (said, code) = writer.hear_close().await;
    assert_eq!(code, Some(1001));
    let answered = 1 + said.iter().filter(|text| text.contains("MutationResponse")).count();
    assert_eq!(watcher.hear_close().await.1, Some(1001));
    let address = server.address;
    let dir = server.stop().await;
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");

    let server = TestServer::start_on(&disk, dir).await;
    let stats = server.app.db.store().stats();
    assert_eq!(stats.replay_bytes, 0, "the log was folded: {stats:?}");
    // Everything that was answered, and perhaps some more, in order.
    let mut client = server.open_socket().await;
    client.connect("88820804-3a9c-4c65-92f2-0e2f8a7a5c1f").await;
    for number in 0..answered as u32 {
        client.mutate(number, "chat:send", json!({ "n": number })).await;
        assert_eq!(client.hear_type("MutationResponse").await["success"], true);
    }
    assert_eq!(server.metric("weir_replays_total").await, answered as u64);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_connection_does_not_hold_up_the_stop() {
    let server = TestServer::start().await;
    let idle = TcpStream::connect(server.address).await.unwrap();
    server.send("GET", "/version", &[], "").await;
    let began = std::time::Instant::now();
    server.stop().await;
    assert!(began.elapsed() < PATIENCE / 4);
    drop(idle);
}
