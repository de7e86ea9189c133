//! Starts with components that are gone, damaged or do not load any more: all else runs, and a deployment mends it.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value as Json, json};
use weir_server::ComponentHash;
use weir_store::memory::MemoryDisk;

use crate::loader::TestLoader;
use crate::support::{SESSION, TestServer, open_store};

const EXTRA: &str = "extra";
/// Should it not load any more, it brings the loader down.
const PANICKING: &str = "extra that panics";

/// A disk and a folder on which the chat and `EXTRA` are deployed.
async fn deployed() -> (MemoryDisk, tempfile::TempDir) {
    deployed_with(EXTRA).await
}

async fn deployed_with(extra: &str) -> (MemoryDisk, tempfile::TempDir) {
    let disk = MemoryDisk::new();
    let server = TestServer::start_on(&disk, tempfile::tempdir().unwrap()).await;
    assert_eq!(server.deploy(&[("native", "v1"), ("more", extra)]).await.status, 200);
    server.post("/api/mutation", json!({"path": "chat:send", "args": {"body": "kept"}})).await;
    (disk, server.stop().await)
}

fn file_of(dir: &tempfile::TempDir, component: &str) -> PathBuf {
    dir.path().join("components").join(format!("{}.wasm", ComponentHash::of(component.as_bytes())))
}

async fn deployment(server: &TestServer) -> Json {
    let reply = server.send("GET", "/api/weir/deployment", &[&server.admin_header()], "").await;
    serde_json::from_str(&reply.body).unwrap()
}

async fn error_of(server: &TestServer, path: &str, headers: &[&str]) -> String {
    let body = json!({"path": path, "args": {}}).to_string();
    let reply = server.send("POST", "/api/query", headers, &body).await;
    let answer: Json = serde_json::from_str(&reply.body).unwrap();
    assert_eq!(answer["status"], "error", "{answer}");
    answer["errorMessage"].as_str().unwrap().to_owned()
}

fn put_folder_in_place_of(file: &PathBuf) {
    fs::remove_file(file).unwrap();
    fs::create_dir(file).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_module_that_is_missing_is_missed_alone_and_said() {
    type Damage = fn(&PathBuf);
    let damages: [(Damage, &str, bool, &str); 6] = [
        (|file| fs::remove_file(file).unwrap(), EXTRA, true, "there is no such file"),
        (|file| fs::write(file, "extrX").unwrap(), EXTRA, true, "the file is damaged"),
        (|file| fs::write(file, "").unwrap(), EXTRA, true, "the file is damaged"),
        (put_folder_in_place_of, EXTRA, true, "the file cannot be read"),
        (|_| {}, EXTRA, false, "does not load any more: module `more` uses an unknown feature"),
        (|_| {}, PANICKING, false, "does not load any more: the host failed while it loaded it"),
    ];
    for (damage, extra, loads, reason) in damages {
        let (disk, dir) = deployed_with(extra).await;
        damage(&file_of(&dir, extra));
        let loader = if loads { TestLoader::without(&[]) } else { TestLoader::without(&[extra]) };
        let server = TestServer::start_with(open_store(&disk), dir, loader).await;

        assert_eq!(server.ask("chat:version").await, "one", "{reason}");
        assert_eq!(server.ask("chat:list").await[0]["body"], "kept", "{reason}");
        let file = format!("components/{}.wasm", ComponentHash::of(extra.as_bytes()));
        let error = error_of(&server, "extra:name", &[]).await;
        for part in ["'extra:name' is deployed but cannot run", "`more`", &file, reason, "host deploy"] {
            assert!(error.contains(part), "{part} is not in: {error}");
        }
        let error = error_of(&server, "extra:hidden", &[]).await;
        assert!(error.contains("Could not find public function"), "{error}");
        let error = error_of(&server, "extra:hidden", &[&server.admin_header()]).await;
        assert!(error.contains("'extra:hidden' is deployed but cannot run"), "{error}");

        let described = deployment(&server).await;
        let missing = described["missing"].as_array().unwrap();
        assert_eq!(missing.len(), 1, "{described}");
        assert_eq!((&missing[0]["name"], &missing[0]["file"]), (&json!("more"), &json!(file)));
        assert!(missing[0]["reason"].as_str().unwrap().contains(reason), "{described}");
        let listed = json!({"path": "extra:send", "kind": "mutation", "visibility": "public"});
        assert!(missing[0]["functions"].as_array().unwrap().contains(&listed), "{described}");
        assert!(!described["functions"].as_array().unwrap().contains(&listed), "{described}");
        assert_eq!(described["modules"].as_array().unwrap().len(), 2);
        assert_eq!(server.metric("weir_missing_modules").await, 1);
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deploying_again_mends_it_for_those_who_watch_too() {
    let (disk, dir) = deployed().await;
    fs::remove_file(file_of(&dir, "v1")).unwrap();
    fs::remove_file(file_of(&dir, EXTRA)).unwrap();
    let server = TestServer::start_on(&disk, dir).await;
    let mut client = server.open_socket().await;
    client.connect(SESSION).await;
    client.watch(0, "extra:name", json!({})).await;
    let failed = client.hear_type("Transition").await;
    let error = failed["modifications"][0]["errorMessage"].as_str().unwrap();
    assert!(error.contains("there is no such file"), "{failed}");
    client.mutate(0, "extra:send", json!({})).await;
    let refused = client.hear_type("MutationResponse").await;
    assert_eq!(refused["success"], false);
    assert!(refused["result"].as_str().unwrap().contains("is deployed but cannot run"), "{refused}");

    // The very same components.
    assert_eq!(server.deploy(&[("native", "v1"), ("more", EXTRA)]).await.status, 200);
    let mut changed = json!([]);
    while changed.as_array().is_none_or(Vec::is_empty) {
        changed = client.hear_type("Transition").await["modifications"].take();
    }
    assert_eq!(
        (&changed[0]["type"], &changed[0]["value"]),
        (&json!("QueryUpdated"), &json!(EXTRA)),
        "{changed}"
    );
    assert_eq!(deployment(&server).await.get("missing"), None);
    let server = TestServer::start_on(&disk, server.stop().await).await;
    assert_eq!(server.ask("extra:name").await, EXTRA);
    assert_eq!(server.ask("chat:version").await, "one");
    server.stop().await;
}

/// A record as hosts wrote it before they recorded functions.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_without_functions_is_read() {
    let (disk, dir) = deployed().await;
    let server = TestServer::start_on(&disk, dir).await;
    let record = server.app.db.read_system("deployment").unwrap().unwrap();
    let mut record: Json = serde_json::from_slice(&record).unwrap();
    for module in record["modules"].as_array_mut().unwrap() {
        assert!(module.as_object_mut().unwrap().remove("functions").is_some());
    }
    let ts = server.app.db.write_system("deployment", record.to_string().into()).unwrap();
    server.app.db.store().wait_durable(ts).unwrap();
    let server = TestServer::start_on(&disk, server.stop().await).await;
    assert_eq!(server.ask("extra:name").await, EXTRA);
    let dir = server.stop().await;
    fs::remove_file(file_of(&dir, EXTRA)).unwrap();
    let server = TestServer::start_on(&disk, dir).await;
    assert_eq!(server.ask("chat:version").await, "one");
    let error = error_of(&server, "extra:name", &[]).await;
    assert!(error.contains("Could not find public function for 'extra:name'"), "{error}");
    assert!(error.contains("module `more` is missing") && error.contains("there is no such file"), "{error}");
    assert_eq!(deployment(&server).await["missing"][0].get("functions"), None);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_finds_what_has_come_back() {
    let (disk, dir) = deployed().await;
    let (file, aside) = (file_of(&dir, EXTRA), dir.path().join("aside"));
    fs::rename(&file, &aside).unwrap();
    let server = TestServer::start_on(&disk, dir).await;
    error_of(&server, "extra:name", &[]).await;
    // A deployment that fails changes nothing of it.
    assert_eq!(server.deploy(&[("native", "broken")]).await.status, 400);
    error_of(&server, "extra:name", &[]).await;
    let dir = server.stop().await;
    fs::rename(&aside, &file).unwrap();
    let server = TestServer::start_on(&disk, dir).await;
    assert_eq!(server.ask("extra:name").await, EXTRA);
    server.stop().await;
}
