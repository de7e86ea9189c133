//! Attempts with admin keys that are none: counted, and bounded for one address.

use serde_json::json;
use weir_server::{AddressLimitOptions, FrontOptions};

use crate::support::{Reply, SESSION, TestServer};

const WRONG: &str = "Authorization: Convex weir|00";
/// Keys a minute, and one more, which is paid for afterwards.
const KEYS: usize = 6;

async fn server(includes_loopback: bool) -> TestServer {
    let limits = AddressLimitOptions {
        wrong_keys_per_minute: KEYS as u64 - 1,
        includes_loopback,
        ..AddressLimitOptions::default()
    };
    let trusted_proxies = match includes_loopback {
        true => Vec::new(),
        false => vec!["127.0.0.0/8".parse().unwrap()],
    };
    TestServer::start_facing(FrontOptions { limits, trusted_proxies, ..FrontOptions::default() }).await
}

async fn get(server: &TestServer, headers: &[&str]) -> Reply {
    server.send("GET", "/api/weir/keys", headers, "").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_sends_wrong_keys_is_refused_without_a_look_at_them() {
    let server = server(true).await;
    let right = server.admin_header();
    assert_eq!(get(&server, &[&right]).await.status, 200);
    for _ in 0..KEYS {
        assert_eq!(get(&server, &[WRONG]).await.status, 403);
    }
    for header in [WRONG, &right] {
        let refused = get(&server, &[header]).await;
        assert_eq!(refused.status, 429, "{refused:?}");
        assert!(refused.body.contains("TooManyRequests") && !refused.body.contains("weir|"), "{refused:?}");
        let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=60).contains(&wait), "{wait}");
    }
    // Whoever sends no key is served, and so is who sends something else.
    assert_eq!(server.ask("chat:version").await, json!("one"));
    let token = server.send("GET", "/api/query?path=chat:version", &["Authorization: Bearer x"], "").await;
    assert_eq!(token.status, 401, "{token:?}");
    let action = server.send("GET", "/http/nowhere", &[WRONG], "").await;
    assert_eq!(action.status, 404, "no route, no look");
    // A socket's key is refused as one that nobody can check just now: the client comes back with it.
    let mut client = server.open_socket().await;
    client.connect(SESSION).await;
    client
        .say(json!({"type": "Authenticate", "tokenType": "Admin", "value": server.admin_key, "baseVersion": 0}))
        .await;
    assert_eq!(client.hear_close().await.1, Some(1013));
    assert_eq!(server.app.identities.attempts().wrong(), KEYS as u64);
    assert_eq!(server.app.identities.attempts().unseen(), 3);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sockets_that_send_wrong_keys_count_too_and_those_that_are_in_stay() {
    let server = server(true).await;
    let authenticate =
        |key: &str| json!({"type": "Authenticate", "tokenType": "Admin", "value": key, "baseVersion": 0});
    let mut holder = server.open_socket().await;
    holder.connect(SESSION).await;
    holder.say(authenticate(&server.admin_key)).await;
    holder.hear_type("Transition").await;
    for _ in 0..KEYS {
        let mut client = server.open_socket().await;
        client.connect(SESSION).await;
        client.say(authenticate("weir|00")).await;
        client.hear_type("AuthError").await;
    }
    assert_eq!(get(&server, &[&server.admin_header()]).await.status, 429);
    holder.mutate(0, "chat:send", json!({"n": 1})).await;
    assert_eq!(holder.hear_type("MutationResponse").await["success"], true);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_addresses_have_nothing_to_do_with_it() {
    let server = server(false).await;
    let right = server.admin_header();
    let from = |n: u8| format!("X-Forwarded-For: 203.0.113.{n}");
    for _ in 0..2 * KEYS {
        get(&server, &[WRONG, &from(1)]).await;
    }
    assert_eq!(get(&server, &[&right, &from(1)]).await.status, 429);
    assert_eq!(get(&server, &[&right, &from(2)]).await.status, 200);
    // This machine's own programs, and what speaks for many, are counted and not bounded.
    for _ in 0..10 * KEYS {
        assert_eq!(get(&server, &[WRONG]).await.status, 403);
    }
    assert_eq!(get(&server, &[&right]).await.status, 200);
    assert_eq!(server.metric("weir_wrong_admin_keys_total").await, 11 * KEYS as u64);
    server.stop().await;
}
