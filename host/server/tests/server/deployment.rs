//! Deploying: what takes place, what stays, what outlives the process.

use serde_json::{Value as Json, json};
use weir_store::memory::MemoryDisk;

use crate::support::{SESSION, TestServer, deploy_request as request};

async fn version(server: &TestServer) -> Json {
    server.post("/api/query", json!({"path": "chat:version", "args": {}})).await["value"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deployment_takes_place_whole_or_not_at_all() {
    let server = TestServer::start().await;
    let admin = server.admin_header();
    assert_eq!(version(&server).await, "one");
    let long = "n".repeat(65);
    #[rustfmt::skip]
    let refused: &[(String, u16, &str)] = &[
        (request(&[("native", "broken")]), 400, "InvalidDeployment"),
        (request(&[("", "v2")]), 400, "InvalidDeployment"),
        (request(&[("../x", "v2")]), 400, "InvalidDeployment"),
        (request(&[(&long, "v2")]), 400, "InvalidDeployment"),
        (request(&[("a", "v2"), ("a", "v2")]), 400, "InvalidDeployment"),
        (json!({"modules": [{"name": "native", "component": "%%%"}]}).to_string(), 400, "InvalidRequest"),
        (json!({"modules": [], "extra": 1}).to_string(), 400, "InvalidRequest"),
        ("{}".into(), 400, "InvalidRequest"),
        ("".into(), 400, "InvalidRequest"),
    ];
    for (body, status, code) in refused {
        let reply = server.send("POST", "/api/weir/deploy", &[&admin], body).await;
        assert_eq!((reply.status, reply.code().as_str()), (*status, *code), "{body}: {reply:?}");
        assert_eq!(version(&server).await, "one", "{body}");
    }
    let reply = server.send("POST", "/api/weir/deploy", &[&admin], &request(&[("native", "v2")])).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let summary: Json = serde_json::from_str(&reply.body).unwrap();
    assert_eq!(summary["modules"][0]["name"], "native");
    let listed = json!({"path": "chat:send", "kind": "mutation", "visibility": "public"});
    assert!(summary["functions"].as_array().unwrap().contains(&listed), "{summary}");
    assert_eq!(version(&server).await, "two");
    let described = server.send("GET", "/api/weir/deployment", &[&admin], "").await;
    assert_eq!(serde_json::from_str::<Json>(&described.body).unwrap(), summary);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connected_clients_get_the_new_versions_results() {
    let server = TestServer::start().await;
    let mut client = server.open_socket().await;
    client.connect(SESSION).await;
    client.watch(0, "chat:version", json!({})).await;
    assert_eq!(client.hear_type("Transition").await["modifications"][0]["value"], "one");
    let admin = server.admin_header();
    server.send("POST", "/api/weir/deploy", &[&admin], &request(&[("native", "v2")])).await;
    assert_eq!(client.hear_type("Transition").await["modifications"][0]["value"], "two");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_deployment_is_there_after_a_restart() {
    let disk = MemoryDisk::new();
    let server = TestServer::start_on(&disk, tempfile::tempdir().unwrap()).await;
    assert!(server.app.deployer.summary().modules.is_empty());
    let admin = server.admin_header();
    for components in [[("native", "v1")], [("native", "v2")]] {
        let reply = server.send("POST", "/api/weir/deploy", &[&admin], &request(&components)).await;
        assert_eq!(reply.status, 200, "{reply:?}");
    }
    server.post("/api/mutation", json!({"path": "chat:send", "args": {"body": "kept"}})).await;
    let dir = server.stop().await;
    let files: Vec<_> = std::fs::read_dir(dir.path().join("components")).unwrap().collect();
    assert_eq!(files.len(), 1, "the first version's component is gone");
    let server = TestServer::start_on(&disk, dir).await;
    assert_eq!(version(&server).await, "two");
    let list = server.post("/api/query", json!({"path": "chat:list", "args": {}})).await;
    assert_eq!(list["value"][0]["body"], "kept");
    server.stop().await;
}
