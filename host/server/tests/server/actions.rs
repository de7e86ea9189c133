//! Actions over HTTP and sockets, and HTTP actions.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use weir_store::memory::MemoryDisk;

use crate::stepped_store::SteppedStore;
use crate::support::{SESSION, TestServer, deploy_request, module, open_store};

async fn start() -> TestServer {
    let server = TestServer::start().await;
    let modules = vec![module("native", "v1"), module("actions", "actions")];
    server.app.deployer.deploy(modules).await.unwrap();
    server
}

async fn act(server: &TestServer, path: &str, args: Json) -> Json {
    server.post("/api/action", json!({"path": path, "args": args})).await
}

/// The body of a response that was sent in chunks.
fn dechunked(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        whole.push_str(&rest[..size]);
        body = &rest[size + 2..];
    }
    whole
}

fn error(answer: &Json) -> &str {
    answer["errorMessage"].as_str().unwrap_or_else(|| panic!("{answer}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_action_calls_functions_and_sees_what_they_wrote() {
    let server = start().await;
    let answer = act(&server, "act:relay", json!({"body": "hi"})).await;
    assert_eq!(answer["value"][0]["body"], "hi", "{answer}");
    assert_eq!(answer["logLines"], json!(["[LOG] 'relaying'"]));
    // Whatever kind of function a path names.
    let headers = [server.admin_header()];
    let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
    let any = json!({"path": "act:who", "args": {}}).to_string();
    let reply = server.send("POST", "/api/function", &headers, &any).await;
    assert!(reply.body.contains("success"), "{reply:?}");
    let reply = server.send("POST", "/api/run/act/who", &[], "{}").await;
    assert!(reply.body.contains("success"), "{reply:?}");
    assert_eq!(act(&server, "act:hash", json!({})).await["value"], true);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_goes_wrong_in_an_action_is_told() {
    let server = start().await;
    let call = |kind: &str, path: &str| json!({"kind": kind, "path": path});
    let cases = [
        ("act:fail", json!({}), "Uncaught Error: no way"),
        ("act:gone", json!({}), "Could not find public function for 'act:gone'"),
        (
            "chat:send",
            json!({}),
            "Trying to execute 'chat:send' as an action, but it is defined as a mutation",
        ),
        ("act:recurse", json!({}), "NestedTooDeep"),
        ("act:call", call("query", "chat:gone"), "Could not find function for 'chat:gone'"),
        ("act:call", call("query", "chat:send"), "Trying to execute 'chat:send' as a query"),
        ("act:call", call("mutation", "chat:fail"), "ApplicationError: no way"),
        ("act:call", call("query", "no path"), "is not the path of a function"),
        ("act:panic", json!({}), "given up"),
        ("act:fetch", json!({"url": "http://10.0.0.1/"}), "AddressRefused"),
        ("act:fetch", json!({"url": "ftp://a.example/"}), "InvalidRequest"),
    ];
    for (path, args, expected) in cases {
        let answer = act(&server, path, args).await;
        assert!(error(&answer).contains(expected), "{path}: {answer}");
    }
    let as_query = server.post("/api/query", json!({"path": "act:who", "args": {}})).await;
    assert!(error(&as_query).contains("as a query, but it is defined as an action"), "{as_query}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_has_many_actions_at_once_and_a_transition_after_each() {
    let server = start().await;
    let mut client = server.open_socket().await;
    client.connect(SESSION).await;
    client.watch(0, "chat:list", json!({})).await;
    client.hear_type("Transition").await;
    let action = |request: u32, path: &str, args: Json| json!({"type": "Action", "requestId": request, "udfPath": path, "args": [args]});
    client.say(action(0, "act:sleep", json!({"ms": "300"}))).await;
    client.say(action(1, "act:fail", json!({}))).await;
    let failed = client.hear_type("ActionResponse").await;
    assert_eq!((&failed["requestId"], &failed["success"]), (&json!(1), &json!(false)), "{failed}");
    client.hear_type("Transition").await;
    client.say(action(2, "act:relay", json!({"body": "hi"}))).await;
    let mut answered = Vec::new();
    while answered.len() < 2 {
        let response = client.hear_type("ActionResponse").await;
        assert_eq!(response["success"], true, "{response}");
        answered.push(response["requestId"].as_u64().unwrap());
    }
    assert_eq!(answered, [2, 0]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_waiting_actions_hold_nobody_up() {
    let server = start().await;
    let mut client = server.open_socket().await;
    client.connect(SESSION).await;
    for request in 0..1000 {
        let args = json!([{ "ms": "60000" }]);
        let action = json!({"type": "Action", "requestId": request, "udfPath": "act:sleep", "args": args});
        client.say(action).await;
    }
    let deadline = Instant::now() + Duration::from_secs(20);
    while server.metric("weir_actions_running").await < 1000 {
        assert!(Instant::now() < deadline, "they all begin");
    }
    assert_eq!(server.ask("chat:version").await, "one");
    // One more is too much for one socket.
    let args = json!([{}]);
    client.say(json!({"type": "Action", "requestId": 1000, "udfPath": "act:who", "args": args})).await;
    let (_, code) = client.hear_close().await;
    assert_eq!(code, Some(1013));
    // Stopping does not wait for them.
    let began = Instant::now();
    server.stop().await;
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_action_schedules_is_called() {
    let server = start().await;
    assert_eq!(act(&server, "act:later", json!({})).await["status"], "success");
    let deadline = Instant::now() + Duration::from_secs(10);
    while server.ask("chat:list").await[0]["body"] != "later" {
        assert!(Instant::now() < deadline, "it is called");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scheduled_functions_pause_when_they_have_written_much() {
    const PAUSE: Duration = Duration::from_millis(300);
    let store = SteppedStore::new(open_store(&MemoryDisk::new()), |_| {});
    let server = TestServer::start_with(store.clone(), tempfile::tempdir().unwrap(), Arc::default()).await;
    let modules = vec![module("native", "v1"), module("actions", "actions")];
    server.app.deployer.deploy(modules).await.unwrap();
    store.pause_ms.store(PAUSE.as_millis() as u64, Ordering::SeqCst);
    let began = Instant::now();
    assert_eq!(act(&server, "act:many", json!({"count": "12"})).await["status"], "success");
    while server.ask("chat:list").await.as_array().unwrap().len() < 12 {
        assert!(began.elapsed() < Duration::from_secs(20), "they are called");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Four run at once, so one of them runs three, and pauses after each.
    assert!(began.elapsed() >= 2 * PAUSE, "{:?}", began.elapsed());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_actions_answer_requests() {
    let server = start().await;
    let hello = server.send("GET", "/http/hello?a=1", &["X-Two: 2"], "").await;
    assert_eq!((hello.status, hello.header("x-one")), (200, Some("1")), "{hello:?}");
    let request: Json = serde_json::from_str(&hello.body).unwrap();
    assert_eq!(request["method"], "GET");
    assert!(request["url"].as_str().unwrap().ends_with("/hello?a=1"), "{request}");
    assert!(request["headers"].as_array().unwrap().contains(&json!(["x-two", "2"])), "{request}");
    assert_eq!(request["stream"], Json::Null);
    let head = server.send("HEAD", "/http/hello", &[], "").await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    let body = "e".repeat(200_000);
    let echo = server.send("POST", "/http/echo", &[], &body).await;
    assert_eq!((echo.status, dechunked(&echo.body) == body), (201, true));
    let events = server.send("GET", "/http/events/today", &[], "").await;
    assert!(events.body.contains("one ") && events.body.contains("two "), "{events:?}");
    let who = server.send("GET", "/http/who", &["Authorization: Bearer sk_somebody_elses"], "").await;
    assert_eq!(who.body, "nobody");
    for (method, path) in [("GET", "/http/gone"), ("PUT", "/http/hello"), ("GET", "/http/")] {
        let reply = server.send(method, path, &[], "").await;
        assert_eq!((reply.status, reply.body.as_str()), (404, "No matching routes found"), "{path}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_http_action_that_fails_says_so() {
    let server = start().await;
    for (path, expected) in [("/http/fail", "no page"), ("/http/silent", "without a response")] {
        let reply = server.send("GET", path, &[], "").await;
        let body: Json = serde_json::from_str(&reply.body).unwrap();
        assert_eq!((reply.status, &body["code"]), (500, &json!("InternalServerError")), "{body}");
        assert!(body["message"].as_str().unwrap().starts_with("[Request ID: "), "{body}");
        assert!(body["trace"].as_str().unwrap().contains(expected), "{body}");
    }
    // A body that breaks off does not end as a whole one does.
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET /http/broken HTTP/1.1\r\nHost: test\r\n\r\n").await.unwrap();
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("half ") && !text.ends_with("0\r\n\r\n"), "{text}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn actions_fetch_from_where_they_may() {
    let server = start().await;
    // The server itself is on an address that the test's rules open.
    let url = format!("http://{}/version", server.address);
    let answer = act(&server, "act:fetch", json!({ "url": url })).await;
    let expected = format!("200 {}", env!("CARGO_PKG_VERSION"));
    assert_eq!(answer["value"], json!(expected), "{answer}");
    let url = format!("http://localhost:{}/version", server.address.port());
    let answer = act(&server, "act:fetch", json!({ "url": url })).await;
    assert_eq!(answer["value"], json!(expected), "{answer}");
    let url = format!("http://[::1]:{}/version", server.address.port());
    let answer = act(&server, "act:fetch", json!({ "url": url })).await;
    assert!(error(&answer).contains("--allow-outbound"), "{answer}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deployment_opens_what_its_project_says() {
    let server = start().await;
    let admin = server.admin_header();
    let url = format!("http://localhost:{}/version", server.address.port());
    let local = format!("http://127.0.0.2:{}/version", server.address.port());
    let answer = act(&server, "act:fetch", json!({ "url": local })).await;
    assert!(error(&answer).contains("AddressRefused"), "{answer}");
    let deploy = async |outbound: Json| {
        let mut request: Json =
            serde_json::from_str(&deploy_request(&[("native", "v1"), ("actions", "actions")])).unwrap();
        request["outbound"] = outbound;
        server.send("POST", "/api/weir/deploy", &[&admin], &request.to_string()).await
    };
    let wrong = deploy(json!({ "allow": ["http://a.lan"] })).await;
    assert!(wrong.status == 400 && wrong.body.contains("is not a host"), "{wrong:?}");
    assert_eq!(deploy(json!({ "allow": ["127.0.0.2"] })).await.status, 200);
    // The server listens on one address: what was opened is tried, and what was open stays so.
    let answer = act(&server, "act:fetch", json!({ "url": local })).await;
    assert!(!error(&answer).contains("AddressRefused"), "{answer}");
    assert_eq!(act(&server, "act:fetch", json!({ "url": url })).await["status"], "success");
    server.stop().await;
}
