//! The host's own functions: what they give, and that they are live.

use serde_json::{Value as Json, json};

use crate::support::{Client, SESSION, TestServer, module};

async fn ask(server: &TestServer, path: &str, args: Json) -> Json {
    let body = json!({"path": path, "args": args}).to_string();
    let reply = server.send("POST", "/api/function", &[&server.admin_header()], &body).await;
    let answer: Json = serde_json::from_str(&reply.body).unwrap();
    answer.get("value").cloned().unwrap_or(answer)
}

fn options(cursor: Json, items: u32) -> Json {
    json!({"cursor": cursor, "numItems": items})
}

async fn watching(server: &TestServer, path: &str, args: Json) -> Client {
    let mut client = server.open_socket().await;
    client.connect(SESSION).await;
    client.authenticate(0, &server.admin_key).await;
    client.watch(0, path, args).await;
    client
}

/// The next result of the one query that a client watches.
async fn next(client: &mut Client) -> Json {
    loop {
        let transition = client.hear_type("Transition").await;
        if let Some(change) = transition["modifications"].get(0) {
            return change["value"].clone();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_are_listed_live_without_the_hosts_own() {
    let server = TestServer::start().await;
    let args = json!({"paginationOpts": options(json!(null), 10_000)});
    let mut client = watching(&server, "_system/cli/tables", args.clone()).await;
    let page = |names: &[&str]| {
        let page: Vec<Json> = names.iter().map(|name| json!({ "name": name })).collect();
        json!({"page": page, "isDone": true, "continueCursor": ""})
    };
    assert_eq!(next(&mut client).await, page(&[]));
    server.post("/api/mutation", json!({"path": "other:send", "args": {}})).await;
    assert_eq!(next(&mut client).await, page(&["other"]));
    server.post("/api/mutation", json!({"path": "chat:send", "args": {}})).await;
    assert_eq!(next(&mut client).await, page(&["messages", "other"]));
    assert_eq!(ask(&server, "_system/cli/tables", args).await, page(&["messages", "other"]));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tables_documents_are_read_page_by_page_and_live() {
    let server = TestServer::start().await;
    for n in 0..5 {
        server.post("/api/mutation", json!({"path": "chat:send", "args": {"n": n}})).await;
    }
    let args = |order: &str, cursor: Json| json!({"table": "messages", "order": order, "paginationOpts": options(cursor, 3)});
    let numbers = |page: &Json| -> Vec<i64> {
        page["page"]
            .as_array()
            .unwrap()
            .iter()
            .map(|document| document["n"].as_f64().unwrap() as i64)
            .collect()
    };
    let first = ask(&server, "_system/cli/tableData", args("desc", json!(null))).await;
    assert_eq!((numbers(&first), &first["isDone"]), (vec![4, 3, 2], &json!(false)));
    assert!(first["page"][0]["_id"].is_string() && first["page"][0]["_creationTime"].is_number());
    let second = ask(&server, "_system/cli/tableData", args("desc", first["continueCursor"].clone())).await;
    assert_eq!((numbers(&second), &second["isDone"]), (vec![1, 0], &json!(true)));
    assert_eq!(numbers(&ask(&server, "_system/cli/tableData", args("asc", json!(null))).await), [0, 1, 2]);

    let mut client = watching(&server, "_system/cli/tableData", args("desc", json!(null))).await;
    assert_eq!(numbers(&next(&mut client).await), [4, 3, 2]);
    server.post("/api/mutation", json!({"path": "chat:send", "args": {"n": 5}})).await;
    assert_eq!(numbers(&next(&mut client).await), [5, 4, 3, 2], "the page ends where it ended");

    let none = json!({"page": [], "isDone": true});
    let absent = ask(
        &server,
        "_system/cli/tableData",
        json!({"table": "gone", "paginationOpts": options(json!(null), 3)}),
    )
    .await;
    assert_eq!((&absent["page"], &absent["isDone"]), (&none["page"], &none["isDone"]));
    for (args, part) in [
        (json!({"table": "_admin_keys", "paginationOpts": options(json!(null), 3)}), "holds secrets"),
        (json!({"table": "_variables", "paginationOpts": options(json!(null), 3)}), "holds secrets"),
        (
            json!({"table": "messages", "order": "up", "paginationOpts": options(json!(null), 3)}),
            "ArgumentValidationError",
        ),
        (json!({"table": 7, "paginationOpts": options(json!(null), 3)}), "ArgumentValidationError"),
        (json!({"table": "messages"}), "ArgumentValidationError"),
        (json!({"table": "messages", "paginationOpts": options(json!("x"), 3)}), "InvalidCursor"),
        (json!({"table": "messages", "paginationOpts": 7}), "InvalidQuery"),
    ] {
        let answer = ask(&server, "_system/cli/tableData", args.clone()).await;
        assert!(answer["errorMessage"].as_str().is_some_and(|text| text.contains(part)), "{args}: {answer}");
    }
    // The host's own tables can be read by name, as the official tool says.
    let own = ask(
        &server,
        "_system/cli/tableData",
        json!({"table": "_deployments", "paginationOpts": options(json!(null), 3)}),
    )
    .await;
    assert_eq!(own["page"].as_array().unwrap().len(), 1, "{own}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_deployed_is_described_and_again_when_that_changes() {
    let server = TestServer::start().await;
    let mut client = watching(&server, "_system/cli/modules:apiSpec", json!({})).await;
    let before = next(&mut client).await;
    let identifiers = |spec: &Json| -> Vec<String> {
        spec.as_array()
            .unwrap()
            .iter()
            .map(|function| function["identifier"].as_str().unwrap().to_owned())
            .collect()
    };
    assert!(identifiers(&before).contains(&"chat.js:list".to_owned()), "{before}");
    let modules = vec![module("native", "v1"), module("extra", "extra")];
    server.app.deployer.deploy(modules).await.unwrap();
    let after = next(&mut client).await;
    let hide = json!({
        "identifier": "extra.js:hide", "functionType": "Mutation", "visibility": {"kind": "internal"},
        "args": {"type": "any"}, "returns": {"type": "any"},
    });
    assert!(after.as_array().unwrap().contains(&hide), "{after}");
    assert!(!identifiers(&after).iter().any(|path| path.starts_with("_system")), "{after}");
    assert_eq!(ask(&server, "_system/cli/modules:apiSpec", json!({})).await, after);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_server_is_reached() {
    let server = TestServer::start().await;
    assert_eq!(ask(&server, "_system/cli/convexUrl:cloudUrl", json!({})).await, "http://cloud.test");
    let reply = server.send("GET", "/api/v1/get_canonical_urls", &[&server.admin_header()], "").await;
    let urls: Json = serde_json::from_str(&reply.body).unwrap();
    assert_eq!(urls, json!({"convexCloudUrl": "http://cloud.test", "convexSiteUrl": "http://site.test"}));
    server.stop().await;
}

/// Without a deployment they are there as well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn they_need_no_deployment() {
    let disk = weir_store::memory::MemoryDisk::new();
    let server = TestServer::start_on(&disk, tempfile::tempdir().unwrap()).await;
    assert_eq!(ask(&server, "_system/cli/modules:apiSpec", json!({})).await, json!([]));
    server.stop().await;
}

/// A key that acts as a user is still a key, and functions see the user.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_acts_as_a_user() {
    use base64::Engine;
    let server = TestServer::start().await;
    let modules = vec![module("native", "v1"), module("extra", "extra")];
    server.app.deployer.deploy(modules).await.unwrap();
    let claims = json!({"issuer": "https://i.test", "subject": "ada"}).to_string();
    let claims = base64::engine::general_purpose::STANDARD.encode(claims);
    let header = format!("{}:{claims}", server.admin_header());
    for (path, expected) in [("extra:me", json!("https://i.test|ada")), ("extra:hidden", json!(null))] {
        let body = json!({"path": path, "args": {}}).to_string();
        let reply = server.send("POST", "/api/function", &[&header], &body).await;
        let answer: Json = serde_json::from_str(&reply.body).unwrap();
        assert_eq!(answer["value"], expected, "{reply:?}");
    }
    server.stop().await;
}
