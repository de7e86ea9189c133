//! What the holders of admin keys do is written down: who, where, what, and what came of it; and nothing is done of which
//! nothing can be written.

use serde_json::{Value as Json, json};

use crate::support::{SESSION, TestServer};

/// The entries so far, when the last of them is of this action and has this outcome.
async fn entries(server: &TestServer, action: &str, outcome: &str) -> Vec<Json> {
    for _ in 0..1000 {
        let reply = server.send("GET", "/api/weir/audit?lines=1000", &[&server.admin_header()], "").await;
        let mut log: Json = serde_json::from_str(&reply.body).unwrap_or_else(|_| panic!("{reply:?}"));
        let entries = log["entries"].take();
        let entries = entries.as_array().unwrap();
        if entries.iter().any(|entry| entry["action"] == action && entry["outcome"] == outcome) {
            return entries.clone();
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("no {action} {outcome}");
}

fn said(entry: &Json) -> (&str, &str, &str) {
    let text = |name: &str| entry[name].as_str().unwrap();
    (text("key"), text("action"), text("outcome"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changes_something_stands_there_before_and_after() {
    let server = TestServer::start().await;
    let deployed = server.deploy(&[("native", "v2")]).await;
    assert_eq!(deployed.status, 200, "{deployed:?}");
    let refused = server.deploy(&[("native", "v2"), ("native", "v2")]).await;
    assert_eq!(refused.status, 400, "{refused:?}");
    let update = json!({"changes": [{"name": "TOKEN", "value": "very-secret"}]}).to_string();
    server.send("POST", "/api/update_environment_variables", &[&server.admin_header()], &update).await;
    let key = server.create_key(json!({"name": "ci", "scope": "read-only"})).await;
    let header = format!("Authorization: Convex {key}");
    let refused = server.send("GET", "/api/weir/keys", &[&header], "").await;
    assert_eq!(refused.status, 403, "{refused:?}");
    let call = json!({"path": "chat:send", "args": {"body": "private"}}).to_string();
    server.send("POST", "/api/function", &[&server.admin_header()], &call).await;
    let query = json!({"path": "chat:all", "args": {}}).to_string();
    server.send("POST", "/api/query", &[&header], &query).await;
    server.revoke_key("ci").await;
    let entries = entries(&server, "revokeKey", "ok").await;
    let found: Vec<_> = entries.iter().map(said).collect();
    for expected in [
        ("admin-key", "deploy", "begun"),
        ("admin-key", "deploy", "ok"),
        ("admin-key", "deploy", "refused"),
        ("admin-key", "setVariables", "begun"),
        ("admin-key", "setVariables", "ok"),
        ("admin-key", "createKey", "ok"),
        ("ci", "listKeys", "refused"),
        ("admin-key", "mutation", "begun"),
        ("admin-key", "mutation", "ok"),
        ("ci", "query", "begun"),
        ("admin-key", "revokeKey", "begun"),
    ] {
        assert!(found.contains(&expected), "{expected:?} in {found:?}");
    }
    assert!(entries.iter().all(|entry| entry["address"] == "127.0.0.1"), "{entries:?}");
    let deploy = entries.iter().find(|entry| entry["action"] == "deploy").unwrap();
    let digest = deploy["detail"]["modules"][0]["sha256"].as_str().unwrap();
    assert!(digest.len() == 64 && deploy["detail"]["modules"][0]["name"] == "native", "{deploy}");
    let all = json!(entries).to_string();
    for secret in [
        "very-secret",
        "private",
        key.split('|').nth(1).unwrap(),
        server.admin_key.split('|').nth(1).unwrap(),
    ] {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
    assert!(all.contains("TOKEN") && all.contains("chat:send"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_socket_with_a_key_calls_is_written_and_what_others_do_is_not() {
    let server = TestServer::start().await;
    let mut client = server.open_socket().await;
    client.connect(SESSION).await;
    client.mutate(0, "chat:send", json!({"body": "nobody's"})).await;
    client.hear_type("MutationResponse").await;
    client.authenticate(0, &server.admin_key).await;
    client.mutate(1, "chat:send", json!({"body": "an admin's"})).await;
    client.hear_type("MutationResponse").await;
    client.watch(0, "chat:all", json!({})).await;
    let entries = entries(&server, "query", "begun").await;
    let found: Vec<_> = entries.iter().map(said).collect();
    assert_eq!(found, [("admin-key", "mutation", "begun"), ("admin-key", "query", "begun")]);
    assert_eq!(entries[0]["detail"]["function"], "chat:send");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_room_for_its_line_nothing_is_done_and_the_rest_goes_on() {
    let server = TestServer::start().await;
    // No line can be written.
    std::fs::write(server.dir.path().join("audit"), "in the way").unwrap();
    let deployed = server.deploy(&[("native", "v2")]).await;
    assert_eq!((deployed.status, deployed.code().as_str()), (507, "DiskFull"), "{deployed:?}");
    assert_eq!(server.ask("chat:version").await, "one", "what was there goes on");
    let call = json!({"path": "chat:send", "args": {"body": "x"}});
    assert_eq!(server.post("/api/mutation", call).await["status"], "success", "clients are not concerned");
    std::fs::remove_file(server.dir.path().join("audit")).unwrap();
    let deployed = server.deploy(&[("native", "v2")]).await;
    assert_eq!(deployed.status, 200, "{deployed:?}");
    server.stop().await;
}
