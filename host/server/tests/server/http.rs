//! HTTP: requests and what each gets.

use serde_json::{Value as Json, json};

use crate::support::TestServer;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_has_its_answer() {
    let server = TestServer::start().await;
    let admin = server.admin_header();
    let admin = admin.as_str();
    #[rustfmt::skip]
    let calls: &[Case<'_>] = &[
        ("GET", "/version", &[], "", 200, "0.1.0"),
        ("GET", "/instance_name", &[], "", 200, "weir"),
        ("GET", "/instance_version", &[], "", 200, "weir-0.1.0"),
        ("GET", "/health", &[], "", 200, r#""status":"ok""#),
        ("POST", "/health", &[], "", 405, "MethodNotAllowed"),
        ("POST", "/echo", &[admin], "hello", 200, "hello"),
        ("GET", "/metrics", &[admin], "", 200, "# TYPE weir_commits counter"),
        // Functions, in all the ways to call them.
        ("POST", "/api/query", &[], r#"{"path":"chat:echo","args":{"a":1}}"#, 200, r#"{"status":"success","value":{"a":1}}"#),
        ("POST", "/api/query", &[], r#"{"path":"chat.js:echo","args":[{"a":1}],"format":"convex_encoded_json"}"#, 200, r#"{"status":"success","value":{"a":1}}"#),
        ("POST", "/api/query", &[], r#"{"path":"chat:echo","args":{"i":{"$integer":"AQAAAAAAAAA="}}}"#, 200, r#"{"i":"1"}"#),
        ("GET", "/api/query?path=chat:echo&args=%7B%22a%22:%22x%22%7D", &[], "", 200, r#"{"status":"success","value":{"a":"x"}}"#),
        ("GET", "/api/query?path=chat:version&format=json", &[], "", 200, r#""one""#),
        ("POST", "/api/query", &[], r#"{"path":"chat:log","args":{}}"#, 200, r#""logLines":["[LOG] 'hi'"]}"#),
        ("POST", "/api/mutation", &[], r#"{"path":"chat:send","args":{"body":"hi"}}"#, 200, r#"{"status":"success","value":null}"#),
        ("POST", "/api/mutation", &[], r#"{"path":"chat:fail","args":{}}"#, 200, "no way"),
        ("POST", "/api/mutation", &[], r#"{"path":"chat:refuse","args":{}}"#, 200, r#""errorData":{"why":"full"}"#),
        ("POST", "/api/run/chat/version", &[], r#"{"args":{}}"#, 200, r#""one""#),
        ("POST", "/api/run/chat/version", &[], "", 200, r#""one""#),
        ("POST", "/api/function", &[admin], r#"{"path":"chat:version","args":{}}"#, 200, r#""one""#),
        ("POST", "/api/query_batch", &[], r#"{"queries":[{"path":"chat:version"},{"path":"chat:echo","args":{}}]}"#, 200, r#"{"results":[{"status":"success","value":"one"},{"status":"success","value":{}}]}"#),
        ("POST", "/api/query_batch", &[], r#"{"queries":[]}"#, 200, r#"{"results":[]}"#),
        // What a function gets wrong is an answer (200).
        ("POST", "/api/query", &[], r#"{"path":"chat:nothing","args":{}}"#, 200, "Could not find public function"),
        ("POST", "/api/query", &[], r#"{"path":"chat:send","args":{}}"#, 200, r#""status":"error""#),
        ("POST", "/api/mutation", &[], r#"{"path":"chat:list","args":{}}"#, 200, r#""status":"error""#),
        ("POST", "/api/query", &[], r#"{"path":"chat:echo","args":{"a":{"$float":"zz"}}}"#, 200, r#""status":"error""#),
        // It is a function of the module `run/chat`, which is not there.
        ("POST", "/api/run/run/chat/version", &[], "{}", 200, r#""status":"error""#),
    ];
    check(&server, calls).await;
    #[rustfmt::skip]
    let mistakes: &[Case<'_>] = &[
        ("POST", "/api/query", &[], "", 400, "InvalidRequest"),
        ("POST", "/api/query", &[], "{", 400, "InvalidRequest"),
        ("POST", "/api/query", &[], "[1]", 400, "InvalidRequest"),
        ("POST", "/api/query", &[], r#"{"args":{}}"#, 400, "InvalidRequest"),
        ("POST", "/api/query", &[], r#"{"path":"chat:echo","args":[1,2]}"#, 400, "InvalidArguments"),
        ("POST", "/api/query", &[], r#"{"path":"","args":{}}"#, 400, "InvalidFunctionPath"),
        ("POST", "/api/query", &[], r#"{"path":"chat:echo","args":{},"format":"xml"}"#, 400, "InvalidFormat"),
        ("GET", "/api/query?args=%7B%7D", &[], "", 400, "InvalidRequest"),
        ("POST", "/api/query_batch", &[], r#"{"queries":[{"path":"chat:version"},{}]}"#, 400, "InvalidRequest"),
        ("POST", "/api/query_at_ts", &[], r#"{"path":"chat:version","args":{}}"#, 400, "InvalidTimestamp"),
        ("POST", "/api/query_at_ts", &[], r#"{"path":"chat:version","args":{},"ts":"AQAAAAAAAAA="}"#, 503, "OutOfRetention"),
        ("POST", "/api/nothing", &[], "", 400, "NotFound"),
        ("GET", "/api/mutation", &[], "", 405, "MethodNotAllowed"),
        ("POST", "/api/run/", &[], "{}", 400, "NotFound"),
    ];
    check(&server, mistakes).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_are_told_apart() {
    let server = TestServer::start().await;
    let wrong = "Authorization: Convex weir|00";
    let long_id = format!("Convex-Request-Id: {}", "x".repeat(65));
    #[rustfmt::skip]
    let cases: &[Case<'_>] = &[
        ("POST", "/api/function", &[], r#"{"path":"chat:version","args":{}}"#, 401, "AdminKeyRequired"),
        ("POST", "/api/function", &[wrong], r#"{"path":"chat:version","args":{}}"#, 403, "BadAdminKey"),
        ("POST", "/api/query", &[wrong], r#"{"path":"chat:version","args":{}}"#, 403, "BadAdminKey"),
        ("POST", "/api/query?adminKey=weir%7C00", &[], r#"{"path":"chat:version","args":{}}"#, 400, "AdminKeyInUrl"),
        ("POST", "/api/query", &["Authorization: Bearer e30.e30."], r#"{"path":"chat:version","args":{}}"#, 401, "NoAuthProvider"),
        ("POST", "/api/query", &["Authorization: Basic eA=="], r#"{"path":"chat:version","args":{}}"#, 401, "InvalidAuthHeader"),
        ("POST", "/api/weir/deploy", &[], r#"{"modules":[]}"#, 401, "AdminKeyRequired"),
        ("POST", "/api/weir/deploy", &[wrong], r#"{"modules":[]}"#, 403, "BadAdminKey"),
        // Clients.
        ("POST", "/api/query", &["Convex-Client: npm-0.19.0"], r#"{"path":"chat:version","args":{}}"#, 400, "ClientVersionUnsupported"),
        ("POST", "/api/query", &["Convex-Client: npm-1.48.0"], r#"{"path":"chat:version","args":{}}"#, 200, "one"),
        ("POST", "/api/query", &["Convex-Request-Id: abc"], r#"{"path":"chat:nothing","args":{}}"#, 200, "[Request ID: abc]"),
        ("POST", "/api/query", &[&long_id], r#"{"path":"chat:nothing","args":{}}"#, 200, "[Request ID: "),
        ("GET", "/api/sync", &[], "", 426, "UpgradeRequired"),
        ("GET", "/api/nonsense/sync", &[], "", 400, "InvalidClientVersion"),
        ("GET", "/api/0.10.0/sync", &[], "", 400, "ClientVersionUnsupported"),
    ];
    check(&server, cases).await;
    server.stop().await;
}

/// Method, path, headers, body; and the status and a part of the body that they get.
type Case<'a> = (&'a str, &'a str, &'a [&'a str], &'a str, u16, &'a str);

async fn check(server: &TestServer, cases: &[Case<'_>]) {
    for (method, path, headers, body, status, expected) in cases {
        let reply = server.send(method, path, headers, body).await;
        assert_eq!(reply.status, *status, "{method} {path} {body}: {reply:?}");
        assert!(reply.body.contains(expected), "{method} {path} {body}: {reply:?}");
        if reply.status >= 400 {
            assert_eq!(reply.code(), *expected, "{reply:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_and_oversized_requests_end_their_connection_alone() {
    let server = TestServer::start().await;
    let huge_head = format!("GET / HTTP/1.1\r\nHost: t\r\nA: {}\r\n\r\n", "a".repeat(80_000));
    let cases: &[(&str, &[u8], u16)] = &[
        ("no HTTP", b"hello\r\n\r\n", 400),
        ("no host", b"GET /version HTTP/1.1\r\nConnection: close\r\n\r\n", 400),
        ("two hosts", b"GET /version HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n", 400),
        ("a head too large", huge_head.as_bytes(), 431),
        ("a body too large by its length", b"POST /api/query HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Length: 99999999999\r\n\r\n{", 413),
        ("two lengths", b"POST /api/query HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}", 400),
        ("a bad chunk", b"POST /api/query HTTP/1.1\r\nHost: t\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        ("HTTP/2 by prior knowledge, cut without an answer", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0),
    ];
    for (name, request, status) in cases {
        let reply = server.send_raw(request).await;
        assert_eq!(reply.status, *status, "{name}: {reply:?}");
        assert_eq!(server.send("GET", "/version", &[], "").await.status, 200, "after {name}");
    }
    server.stop().await;
}

/// The client sends all it has before it reads, as many do: what nobody wants of it is taken, or the answer would be lost
/// with the connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_refused_can_read_why() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let server = TestServer::start().await;
    let chunk = format!("{:x}\r\n{}\r\n", 1 << 20, "x".repeat(1 << 20));
    for (head, status) in [
        ("POST /api/query", 413),
        ("POST /api/weir/keys", 401),
        ("POST /api/nothing", 400),
        ("PUT /api/query", 405),
        ("POST /index.html", 405),
        ("POST /http/hello", 404),
        ("POST /api/storage/upload?token=none", 401),
    ] {
        let head = format!("{head} HTTP/1.1\r\nHost: t\r\n");
        let mut stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
        stream.write_all(format!("{head}Transfer-Encoding: chunked\r\n\r\n").as_bytes()).await.unwrap();
        for _ in 0..18 {
            stream.write_all(chunk.as_bytes()).await.unwrap_or_else(|error| panic!("{head}: {error}"));
        }
        // The connection goes on, after the body's end.
        let last = "GET /version HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n";
        stream.write_all(format!("0\r\n\r\n{last}").as_bytes()).await.unwrap();
        let mut answers = String::new();
        stream.read_to_string(&mut answers).await.unwrap_or_else(|error| panic!("{head}: {error}"));
        assert!(answers.starts_with(&format!("HTTP/1.1 {status} ")), "{head}: {answers}");
        assert!(answers.contains("HTTP/1.1 200 OK"), "{head}: {answers}");
    }
    server.stop().await;
}

/// A line feed alone ends no line of a head: servers that disagree about that disagree about where requests end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heads_have_strict_lines() {
    let server = TestServer::start().await;
    let get = "GET /version HTTP/1.1\r\nHost: t\r\n";
    let body = "POST /api/query HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\n\n\n";
    let chunked =
        "POST /api/query HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n\n\n\r\n0\r\n\r\n";
    let lax = "GET /version HTTP/1.1\nHost: t\n\n";
    for (request, statuses) in [
        (format!("{get}Connection: close\r\n\r\n"), &[200][..]),
        (lax.to_owned(), &[400]),
        (format!("{get}X: y\nConnection: close\r\n\r\n"), &[400]),
        (format!("{get}\n\r\n"), &[400]),
        (format!("\n{get}\r\n"), &[400]),
        // Whatever stands before it: line feeds in bodies are nobody's business.
        (format!("{get}\r\n{lax}"), &[200, 400]),
        (format!("{body}{lax}"), &[400, 400]),
        (format!("{body}{get}Connection: close\r\n\r\n"), &[400, 200]),
        (format!("{chunked}{lax}"), &[400, 400]),
        (format!("{chunked}{get}Connection: close\r\n\r\n"), &[400, 200]),
        // A request for another protocol is not followed further, and nothing is answered behind it.
        (format!("{get}Upgrade: h2c\r\n\r\n{lax}"), &[200]),
    ] {
        let answers = String::from_utf8(server.exchange(request.as_bytes()).await).unwrap();
        let found: Vec<u16> =
            answers.split("HTTP/1.1 ").skip(1).map(|answer| answer[..3].parse().unwrap()).collect();
        assert_eq!(found, statuses, "{request:?}: {answers}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_allowed_origins_may_call() {
    let server = TestServer::start().await;
    let origin = "Origin: https://app.test";
    let preflight = [
        origin,
        "Access-Control-Request-Method: POST",
        "Access-Control-Request-Headers: content-type,convex-client",
    ];
    let reply = server.send("OPTIONS", "/api/mutation", &preflight, "").await;
    assert_eq!(reply.status, 200);
    for (name, value) in [
        ("access-control-allow-origin", "https://app.test"),
        ("access-control-allow-credentials", "true"),
        ("access-control-allow-methods", "get,post,options,patch,delete,put"),
        ("access-control-allow-headers", "content-type,convex-client"),
        ("access-control-max-age", "86400"),
        ("vary", "origin"),
    ] {
        assert_eq!(reply.header(name), Some(value), "{name}");
    }
    for (body, status) in [(r#"{"path":"chat:version","args":{}}"#, 200), ("{", 400)] {
        let reply = server.send("POST", "/api/query", &[origin], body).await;
        assert_eq!(reply.status, status);
        assert_eq!(reply.header("access-control-allow-origin"), Some("https://app.test"));
    }
    let reply = server.send("POST", "/api/query", &[], "{").await;
    assert_eq!(reply.header("access-control-allow-origin"), None);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queries_at_one_timestamp_do_not_see_what_came_later() {
    let server = TestServer::start().await;
    server.post("/api/mutation", json!({"path": "chat:send", "args": {"body": "one"}})).await;
    let ts = server.post("/api/query_ts", json!({})).await["ts"].clone();
    server.post("/api/mutation", json!({"path": "chat:send", "args": {"body": "two"}})).await;
    let list = |answer: Json| answer["value"].as_array().map(Vec::len);
    let now = server.post("/api/query", json!({"path": "chat:list", "args": {}})).await;
    assert_eq!(list(now), Some(2));
    let then = json!({"path": "chat:list", "args": {}, "ts": ts});
    assert_eq!(list(server.post("/api/query_at_ts", then).await), Some(1));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_of_the_host_ends_one_call() {
    let server = TestServer::start().await;
    let reply = server.send("POST", "/api/query", &[], r#"{"path":"chat:panic","args":{}}"#).await;
    assert_eq!((reply.status, reply.code().as_str()), (500, "InternalServerError"));
    assert!(!reply.body.contains("a bug of the host"));
    let reply = server.send("POST", "/api/query", &[], r#"{"path":"chat:version","args":{}}"#).await;
    assert_eq!(reply.status, 200);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_serves_many_requests() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let server = TestServer::start().await;
    let mut stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let one = "GET /version HTTP/1.1\r\nHost: t\r\n\r\n";
    let last = "GET /version HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n";
    stream.write_all(format!("{one}{one}{last}").as_bytes()).await.unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).await.unwrap();
    assert_eq!(answers.matches("HTTP/1.1 200").count(), 3);
    server.stop().await;
}
