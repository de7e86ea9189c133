//! Mutations that hash passwords: in their order, on threads of their own, and not without end.

use serde_json::{Value as Json, json};
use weir_value::limits::PASSWORDS_WAITING_MAX;

use crate::support::{Client, SESSION, TestServer, until};

async fn connected(server: &TestServer) -> Client {
    let mut client = server.open_socket().await;
    client.connect(SESSION).await;
    client
}

fn is_hash(value: &Json) -> bool {
    value.as_str().is_some_and(|hash| hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_http() {
    let server = TestServer::start().await;
    let request = json!({"path": "chat:hash", "args": {"password": "correct horse"}});
    let answer = server.post("/api/mutation", request).await;
    assert!(answer["status"] == "success" && is_hash(&answer["value"]), "{answer}");
    let bad = server.post("/api/mutation", json!({"path": "chat:hash", "args": {"password": ""}})).await;
    assert!(bad["errorMessage"].as_str().unwrap().contains("InvalidPassword"), "{bad}");
    assert_eq!(server.metric("weir_passwords_total").await, 1);
    assert_eq!(server.metric("weir_passwords_waiting").await, 0);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sockets_mutations_keep_their_order() {
    let server = TestServer::start().await;
    let mut client = connected(&server).await;
    for request in 0..6_u32 {
        let (path, args) = match request % 2 {
            0 => ("chat:hash", json!({"password": "correct horse"})),
            _ => ("chat:look", json!({})),
        };
        client.mutate(request, path, args).await;
    }
    for request in 0..6_u32 {
        let response = client.hear_type("MutationResponse").await;
        assert_eq!((&response["requestId"], &response["success"]), (&json!(request), &json!(true)));
        match request % 2 {
            0 => assert!(is_hash(&response["result"]), "{response}"),
            // What came before is written, and what comes later is not.
            _ => assert_eq!(response["result"].as_array().unwrap().len() as u32, request.div_ceil(2)),
        }
    }
    server.stop().await;
}

/// Far more sockets hash passwords than there are threads for functions, and nobody else waits for them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_do_not_wait_for_passwords() {
    let server = TestServer::start().await;
    let mut clients = Vec::new();
    for number in 0..64 {
        // A session each: of one session, the same request would be answered from its record.
        let mut client = server.open_socket().await;
        client.connect(&format!("00000000-0000-4000-8000-{number:012}")).await;
        clients.push(client);
    }
    for client in &mut clients {
        client.mutate(0, "chat:hash", json!({"password": "correct horse"})).await;
    }
    until(|| server.app.machine.passwords.waiting() >= 32).await;
    let answer =
        server.post("/api/mutation", json!({"path": "chat:send", "args": {"body": "in between"}})).await;
    assert_eq!(answer["status"], "success", "{answer}");
    assert_eq!(server.ask("chat:version").await, "one");
    let waiting = server.app.machine.passwords.waiting();
    assert!(waiting > 0, "they were answered while passwords waited");
    for client in &mut clients {
        let response = client.hear_type("MutationResponse").await;
        assert!(is_hash(&response["result"]), "{response}");
    }
    assert_eq!(server.app.machine.passwords.computed(), 64);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_that_wait_are_refused_and_the_queue_goes_on() {
    let server = TestServer::start().await;
    let places: Vec<_> =
        (0..PASSWORDS_WAITING_MAX).map(|_| server.app.machine.passwords.take_place().unwrap()).collect();
    let body = json!({"path": "chat:hash", "args": {"password": "correct horse"}}).to_string();
    let reply = server.send("POST", "/api/mutation", &[], &body).await;
    assert_eq!((reply.status, reply.code().as_str()), (503, "Overloaded"), "{reply:?}");
    let mut client = connected(&server).await;
    client.mutate(0, "chat:hash", json!({"password": "correct horse"})).await;
    client.mutate(1, "chat:send", json!({"body": "hi"})).await;
    let refused = client.hear_type("MutationResponse").await;
    assert_eq!((&refused["requestId"], &refused["success"]), (&json!(0), &json!(false)));
    let text = refused["result"].as_str().unwrap();
    assert!(text.contains("Overloaded") && text.contains("try again in a moment"), "{text}");
    assert_eq!(client.hear_type("MutationResponse").await["success"], true);
    assert_eq!(server.metric("weir_passwords_refused_total").await, 2);
    drop(places);
    // A refused request was not answered for good: the same one is run when it comes again.
    client.mutate(2, "chat:hash", json!({"password": "correct horse"})).await;
    assert!(is_hash(&client.hear_type("MutationResponse").await["result"]));
    server.stop().await;
}

/// A client that leaves while its mutation waits leaves nothing behind: it sends it again when it comes back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_a_client_that_has_gone_is_dropped() {
    let server = TestServer::start().await;
    let mut clients = Vec::new();
    for _ in 0..16 {
        let mut client = connected(&server).await;
        client.mutate(0, "chat:hash", json!({"password": "correct horse"})).await;
        clients.push(client);
    }
    until(|| server.app.machine.passwords.waiting() >= 8).await;
    drop(clients);
    until(|| server.app.machine.passwords.waiting() == 0).await;
    assert_eq!(server.ask("chat:version").await, "one");
    server.stop().await;
}
