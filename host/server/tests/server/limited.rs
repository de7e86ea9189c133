//! A socket of an address that calls more than it may: it is not refused, it waits, and so does nobody else.

use std::time::{Duration, Instant};

use serde_json::json;
use weir_server::{AddressLimitOptions, FrontOptions};
use weir_value::limits;

use crate::support::{SESSION, TestServer};

/// Calls a second, and how many come at once.
const RATE: u64 = 20;
const BURST: u32 = RATE as u32 * limits::ADDRESS_CALLS_BURST_SECONDS as u32;

async fn server() -> TestServer {
    let limits = AddressLimitOptions {
        calls_per_second: RATE,
        includes_loopback: true,
        ..AddressLimitOptions::default()
    };
    TestServer::start_facing(FrontOptions { limits, ..FrontOptions::default() }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sockets_calls_wait_until_they_are_paid_for_and_all_are_answered() {
    let server = server().await;
    let mut client = server.open_socket().await;
    client.connect(SESSION).await;
    let begun = Instant::now();
    // 64 messages may be taken in before it is looked at what they cost.
    let (at_once, over) = (BURST + 64, 40);
    for request in 0..at_once + over {
        client.mutate(request, "chat:send", json!({"body": "x"})).await;
    }
    for _ in 0..at_once + over {
        let answer = client.hear_type("MutationResponse").await;
        assert_eq!(answer["success"], true, "{answer}");
    }
    let (took, least) = (begun.elapsed(), Duration::from_secs(u64::from(over) / RATE));
    assert!(took >= least, "{took:?}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_query_that_a_socket_begins_to_watch_is_a_call() {
    let server = server().await;
    let mut client = server.open_socket().await;
    client.connect(SESSION).await;
    let queries: Vec<_> = (0..BURST * 2)
        .map(|id| json!({"type": "Add", "queryId": id, "udfPath": "chat:all", "args": [{"n": id}]}))
        .collect();
    client
        .say(json!({"type": "ModifyQuerySet", "baseVersion": 0, "newVersion": 1, "modifications": queries}))
        .await;
    client.hear_type("Transition").await;
    let refused = server.send("GET", "/api/query?path=chat:all", &[], "").await;
    assert_eq!(refused.status, 429, "{refused:?}");
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((5..=u64::from(BURST) / RATE + 1).contains(&wait), "{wait}");
    server.stop().await;
}
