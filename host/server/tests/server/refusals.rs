//! What is refused is counted by the limit that it was over.

use std::time::Duration;

use serde_json::json;
use weir_server::{AddressLimitOptions, FrontOptions};

use crate::support::{PATIENCE, TestServer};

async fn refused(server: &TestServer, limit: &str) -> u64 {
    server.metric(&format!("weir_refused_total{{limit=\"{limit}\"}}")).await
}

async fn of_one_address(limits: AddressLimitOptions) -> TestServer {
    let limits = AddressLimitOptions { includes_loopback: true, ..limits };
    TestServer::start_facing(FrontOptions { limits, ..FrontOptions::default() }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_limit_has_a_figure_from_the_start() {
    let server = TestServer::start().await;
    for limit in [
        "connections",
        "address_connections",
        "sockets",
        "address_sockets",
        "address_calls",
        "address_bytes",
        "handshakes",
        "host_name",
        "origin",
        "http_calls",
        "actions",
        "uploads",
        "open_files",
        "memory_connection",
        "memory_address",
        "memory_process",
        "queue_age",
        "wrong_keys",
    ] {
        assert_eq!(refused(&server, limit).await, 0, "{limit}");
    }
    assert!(server.metric("weir_held_bytes_max").await > server.metric("weir_held_bytes").await);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn foreign_names_and_pages_are_counted_apart() {
    let server = TestServer::start().await;
    let ask = |headers: &'static str| {
        let head = format!("GET /version HTTP/1.1\r\n{headers}\r\nConnection: close\r\n\r\n");
        let server = &server;
        async move { server.send_raw(head.as_bytes()).await.status }
    };
    assert_eq!(ask("Host: evil.test").await, 421);
    assert_eq!(ask("Host: evil.test:80").await, 421);
    assert_eq!(ask("Host: test\r\nOrigin: https://evil.test").await, 403);
    assert_eq!(ask("Host: test\r\nOrigin: https://app.test").await, 200);
    let form = ["Origin: https://app.test", "Content-Type: text/plain"];
    assert_eq!(server.send("POST", "/api/query", &form, "{}").await.status, 415, "another thing");
    assert_eq!((refused(&server, "host_name").await, refused(&server, "origin").await), (2, 1));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_address_takes_too_much_of_is_counted_by_what_it_is() {
    let server = of_one_address(AddressLimitOptions { calls_per_second: 1, ..Default::default() }).await;
    let mut over = 0;
    for _ in 0..20 {
        let reply = server.send("GET", "/api/query?path=chat:version", &[], "").await;
        over += u64::from(reply.status == 429);
    }
    assert!(over >= 5, "{over}");
    assert_eq!(refused(&server, "address_calls").await, over);
    server.stop().await;

    let server = of_one_address(AddressLimitOptions { sockets: 1, ..Default::default() }).await;
    let _socket = server.open_socket().await;
    let upgrade = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"];
    let headers = [&upgrade[..], &["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]].concat();
    assert_eq!(server.send("GET", "/api/sync", &headers, "").await.status, 429);
    assert_eq!(refused(&server, "address_sockets").await, 1);
    server.stop().await;

    let server = of_one_address(AddressLimitOptions { connections: 2, ..Default::default() }).await;
    let held = [
        tokio::net::TcpStream::connect(server.address).await.unwrap(),
        tokio::net::TcpStream::connect(server.address).await.unwrap(),
    ];
    tokio::time::sleep(Duration::from_millis(200)).await;
    let begun = std::time::Instant::now();
    while server.send("GET", "/version", &[], "").await.status != 429 {
        assert!(begun.elapsed() < PATIENCE);
    }
    drop(held);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(refused(&server, "address_connections").await >= 1);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_that_was_not_to_be_had_is_counted_by_whose_account_was_full() {
    let server = TestServer::start_with_memory(3 << 20).await;
    let large = json!({"path": "chat:send", "args": {"n": "x".repeat(2 << 20)}}).to_string();
    assert_eq!(server.send("POST", "/api/mutation", &[], &large).await.status, 503);
    assert!(refused(&server, "memory_connection").await >= 1);
    assert_eq!(refused(&server, "memory_address").await, 0);
    server.stop().await;
}
