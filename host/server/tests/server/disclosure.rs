//! A host in production: what functions log, and why they fail, is told to holders of admin keys, over every way by which
//! answers leave.

use serde_json::{Value as Json, json};

use crate::support::{Client, TestServer};

const REDACTED: &str = "] Server Error";

/// Kind, function, and what stands in the error's message for who may be told.
const FAILURES: [(&str, &str, &str); 4] = [
    ("query", "chat:broken", "inside"),
    ("mutation", "chat:fail", "no way"),
    ("mutation", "chat:refuse", "refused"),
    ("action", "act:fail", "no way"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_http_strangers_are_told_little() {
    let server = TestServer::start_in_production().await;
    let admin = server.admin_header();
    for (kind, path, inside) in FAILURES {
        let body = json!({"path": path, "args": {}}).to_string();
        let route = format!("/api/{kind}");
        for headers in [&[][..], &[admin.as_str()]] {
            let reply = server.send("POST", &route, headers, &body).await;
            let answer: Json = serde_json::from_str(&reply.body).unwrap();
            let message = answer["errorMessage"].as_str().unwrap();
            match headers {
                [] => assert!(message.ends_with(REDACTED) && !reply.body.contains("inside"), "{answer}"),
                _ => assert!(message.contains(inside), "{answer}"),
            }
            let data = (path == "chat:refuse").then(|| json!({"why": "full"}));
            assert_eq!(answer.get("errorData"), data.as_ref(), "it is meant for clients");
        }
    }
    // Log lines of calls that succeed, in a batch too; and what is the caller's own mistake, or nobody's secret.
    let lines = |answer: &str| answer.contains("[LOG] 'hi'");
    let log = r#"{"path":"chat:log"}"#;
    let batch = format!(r#"{{"queries":[{log}]}}"#);
    for (path, body) in [("/api/query", log), ("/api/query_batch", &batch)] {
        assert!(!lines(&server.send("POST", path, &[], body).await.body));
        assert!(lines(&server.send("POST", path, &[&admin], body).await.body));
    }
    let unknown = server.send("POST", "/api/query", &[], r#"{"path":"chat:nothing"}"#).await;
    assert!(unknown.body.contains("Could not find public function"), "{unknown:?}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_sockets_strangers_are_told_little() {
    let server = TestServer::start_in_production().await;
    // Both watch the same queries at the same time.
    let mut sockets = [server.open_socket().await, server.open_socket().await];
    for (number, socket) in sockets.iter_mut().enumerate() {
        socket.connect(&format!("00000000-0000-4000-8000-00000000000{number}")).await;
    }
    sockets[1].authenticate(0, &server.admin_key).await;
    for (number, socket) in sockets.iter_mut().enumerate() {
        let is_told = number == 1;
        socket.watch(0, "chat:log", json!({})).await;
        let log = hear_change(socket, 0).await;
        assert_eq!(log["logLines"] == json!(["[LOG] 'hi'"]), is_told, "{log}");
        socket.watch(1, "chat:broken", json!({})).await;
        let broken = hear_change(socket, 1).await;
        check(&broken["errorMessage"], "inside", is_told);
        assert_eq!(broken["logLines"] == json!(["[LOG] 'inside'"]), is_told, "{broken}");
        socket.mutate(0, "chat:refuse", json!({})).await;
        let refused = socket.hear_type("MutationResponse").await;
        check(&refused["result"], "refused", is_told);
        assert_eq!(refused["errorData"], json!({"why": "full"}));
        socket.say(json!({"type": "Action", "requestId": 1, "udfPath": "act:fail", "args": [{}]})).await;
        check(&socket.hear_type("ActionResponse").await["result"], "no way", is_told);
    }
    server.stop().await;
}

/// The next change of this query's result.
async fn hear_change(socket: &mut Client, query: u32) -> Json {
    loop {
        let transition = socket.hear_type("Transition").await;
        let changes = transition["modifications"].as_array().cloned().unwrap_or_default();
        if let Some(change) = changes.into_iter().find(|change| change["queryId"] == query) {
            return change;
        }
    }
}

fn check(message: &Json, inside: &str, is_told: bool) {
    let message = message.as_str().unwrap();
    assert_eq!(message.contains(inside), is_told, "{message}");
    assert!(is_told || message.ends_with(REDACTED), "{message}");
}
