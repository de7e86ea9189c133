//! What a page of another site can do to a server that its visitor's browser can reach: nothing.
use serde_json::json;

use crate::support::TestServer;

/// Requests as a browser sends them for a page of `https://evil.test`: each with its status.
const ATTEMPTS: [(&str, &str, &[&str], &str, u16); 8] = [
    // Without a preflight: what a form or a simple fetch can send.
    ("POST", "/api/mutation", &["Origin: https://evil.test", "Content-Type: text/plain"], SEND, 403),
    ("POST", "/api/mutation", &["Sec-Fetch-Site: cross-site", "Content-Type: text/plain"], SEND, 403),
    ("POST", "/api/run/chat/send", &["Origin: null", "Content-Type: text/plain"], SEND, 403),
    ("GET", "/api/query?path=chat:all", &["Origin: https://evil.test"], "", 403),
    ("POST", "/echo", &["Origin: https://evil.test"], "hi", 403),
    // A socket, which no browser asks about first.
    (
        "GET",
        "/api/1.48.0/sync",
        &[
            "Origin: https://evil.test",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ],
        "",
        403,
    ),
    // A page of the server's own, and one that is allowed, that send what a form of any other could.
    ("POST", "/api/mutation", &["Origin: http://test", "Content-Type: text/plain"], SEND, 415),
    ("POST", "/api/mutation", &["Origin: https://app.test", "Content-Type: text/plain"], SEND, 415),
];

const SEND: &str = r#"{"path":"chat:send","args":{"body":"stolen"}}"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_another_site_changes_and_reads_nothing() {
    let server = TestServer::start().await;
    for (method, path, headers, body, status) in ATTEMPTS {
        let reply = server.send(method, path, headers, body).await;
        assert_eq!(reply.status, status, "{method} {path} {headers:?}: {reply:?}");
        assert!(
            reply
                .header("access-control-allow-origin")
                .is_none_or(|origin| origin == "https://app.test" || origin == "http://test")
        );
    }
    let preflight = [
        "Origin: https://evil.test",
        "Access-Control-Request-Method: POST",
        "Access-Control-Request-Headers: content-type",
    ];
    let reply = server.send("OPTIONS", "/api/mutation", &preflight, "").await;
    assert_eq!((reply.status, reply.header("access-control-allow-origin")), (403, None), "{reply:?}");
    assert_eq!(server.ask("chat:all").await, json!([]), "nothing was written");
    let allowed = ["Origin: https://app.test", "Content-Type: application/json"];
    let reply = server.send("POST", "/api/mutation", &allowed, SEND).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.header("access-control-allow-origin"), Some("https://app.test"));
    assert_eq!(server.ask("chat:all").await.as_array().map(Vec::len), Some(1));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_leads_here_by_somebody_elses_doing_is_not_answered() {
    let server = TestServer::start().await;
    for (host, status) in
        [("evil.test", 421), ("test.evil", 421), ("127.0.0.1:9", 200), ("localhost", 200), ("TEST", 200)]
    {
        for path in ["/version", "/api/query?path=chat:all", "/http/nothing"] {
            let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
            let reply = server.send_raw(request.as_bytes()).await;
            let expected = if status == 200 && path.starts_with("/http") { 404 } else { status };
            assert_eq!(reply.status, expected, "{host} {path}: {reply:?}");
        }
    }
    server.stop().await;
}
