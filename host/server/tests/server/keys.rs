//! Admin keys: how they are made, listed and revoked, and what becomes of those who hold one.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value as Json, json};
use weir_store::memory::{self, MemoryDisk};
use weir_store::{Direction, RealEnv, StoreOptions};
use weir_value::limits::ADMIN_KEY_LIFETIME_S_MAX;

use crate::support::{Client, Reply, SESSION, TestServer, module, until};

const PROBE: &str = r#"{"path":"chat:version","args":{}}"#;

/// What a key is answered for a call that every scope may make.
async fn try_key(server: &TestServer, key: &str) -> Reply {
    server.send("POST", "/api/query", &[&format!("Authorization: Convex {key}")], PROBE).await
}

async fn outcome(server: &TestServer, key: &str) -> (u16, String) {
    let reply = try_key(server, key).await;
    (reply.status, reply.code())
}

fn refused(code: &str) -> (u16, String) {
    (403, code.to_owned())
}

fn good() -> (u16, String) {
    (200, String::new())
}

async fn listed(server: &TestServer) -> Vec<Json> {
    let reply = server.send("GET", "/api/weir/keys", &[&server.admin_header()], "").await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let answer: Json = serde_json::from_str(&reply.body).unwrap();
    answer["keys"].as_array().unwrap().clone()
}

async fn names(server: &TestServer) -> Vec<String> {
    listed(server).await.iter().map(|key| key["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_shown_once_good_at_once_and_gone_when_revoked() {
    let server = TestServer::start().await;
    let admin = server.admin_header();
    let body = json!({"name": "ci", "scope": "deploy", "expiresInSeconds": 3600}).to_string();
    let reply = server.send("POST", "/api/weir/keys", &[&admin], &body).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let made: Json = serde_json::from_str(&reply.body).unwrap();
    let key = made["key"].as_str().unwrap().to_owned();
    assert!(key.starts_with("weir|") && key.len() == "weir|".len() + 64, "the form that tools expect");
    assert_eq!(
        (&made["name"], &made["scope"], &made["isExpired"]),
        (&json!("ci"), &json!("deploy"), &json!(false))
    );
    let lifetime = made["expiresAt"].as_u64().unwrap() - made["createdAt"].as_u64().unwrap();
    assert_eq!(lifetime, 3_600_000);
    assert_eq!(outcome(&server, &key).await, good());
    assert_eq!(outcome(&server, &format!("prod:{key}")).await, good());
    assert_eq!(outcome(&server, &key.replace("weir|", "other|")).await, refused("BadAdminKey"));

    let all = listed(&server).await;
    let first = json!({"name": "admin-key", "scope": "everything", "createdAt": null, "expiresAt": null, "isExpired": false});
    assert_eq!(all[0], first);
    let mut without_text = made.clone();
    without_text.as_object_mut().unwrap().remove("key");
    assert_eq!((all.len(), &all[1]), (2, &without_text), "a list never shows a key");

    server.revoke_key("ci").await;
    assert_eq!(outcome(&server, &key).await, refused("BadAdminKey"));
    assert_eq!(names(&server).await, ["admin-key"]);
    // The name is free again, for another key.
    let again = server.create_key(json!({"name": "ci"})).await;
    assert_ne!(again, key);
    assert_eq!(
        (outcome(&server, &again).await, outcome(&server, &key).await),
        (good(), refused("BadAdminKey"))
    );
    assert_eq!(listed(&server).await[1]["scope"], "everything", "what a key is good for if nothing is said");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_done_is_said() {
    let server = TestServer::start().await;
    let admin = server.admin_header();
    server.create_key(json!({"name": "ci"})).await;
    let too_long = json!({"name": "b", "expiresInSeconds": ADMIN_KEY_LIFETIME_S_MAX + 1}).to_string();
    #[rustfmt::skip]
    let cases: &[(&str, &str, &str, u16, &str, &str)] = &[
        ("POST", "/api/weir/keys", "", 400, "InvalidRequest", "not as expected"),
        ("POST", "/api/weir/keys", "{}", 400, "InvalidRequest", "name"),
        ("POST", "/api/weir/keys", r#"{"name":"b","expires":1}"#, 400, "InvalidRequest", "expires"),
        ("POST", "/api/weir/keys", r#"{"name":"b","expiresInSeconds":-1}"#, 400, "InvalidRequest", "-1"),
        ("POST", "/api/weir/keys", r#"{"name":"b","scope":"root"}"#, 400, "InvalidAdminKey", "`everything`, `deploy`, `functions`, `read-only`"),
        ("POST", "/api/weir/keys", r#"{"name":"a b"}"#, 400, "InvalidAdminKey", "letters, digits"),
        ("POST", "/api/weir/keys", r#"{"name":"b","expiresInSeconds":0}"#, 400, "InvalidAdminKey", "seconds"),
        ("POST", "/api/weir/keys", &too_long, 400, "InvalidAdminKey", "seconds"),
        ("POST", "/api/weir/keys", r#"{"name":"admin-key"}"#, 400, "InvalidAdminKey", "remove the file"),
        ("POST", "/api/weir/keys", r#"{"name":"ci"}"#, 409, "AdminKeyExists", "revoke that one first"),
        ("DELETE", "/api/weir/keys/gone", "", 404, "AdminKeyNotFound", "no admin key `gone`"),
        ("DELETE", "/api/weir/keys/", "", 404, "AdminKeyNotFound", "no admin key"),
        ("DELETE", "/api/weir/keys/admin-key", "", 400, "InvalidAdminKey", "remove the file"),
        ("DELETE", "/api/weir/keys", "", 405, "MethodNotAllowed", "method"),
    ];
    for (method, path, body, status, code, part) in cases {
        let reply = server.send(method, path, &[&admin], body).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (*status, *code),
            "{method} {path} {body}: {reply:?}"
        );
        assert!(reply.body.contains(part), "{method} {path} {body}: {reply:?}");
        assert_eq!(names(&server).await, ["admin-key", "ci"], "{method} {path} {body}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_outlive_the_process_and_their_texts_are_kept_nowhere() {
    let disk = MemoryDisk::new();
    let server = TestServer::start_deployed(&disk).await;
    let kept = server.create_key(json!({"name": "kept", "scope": "functions"})).await;
    let revoked = server.create_key(json!({"name": "revoked"})).await;
    server.revoke_key("revoked").await;
    let snapshot = server.app.db.store().snapshot_durable();
    let rows = snapshot.scan(&[], &[255], Direction::Ascending, 100_000).unwrap();
    for key in [&kept, &revoked] {
        let secret = key.split_once('|').unwrap().1.as_bytes();
        let holds = |bytes: &[u8]| bytes.windows(secret.len()).any(|window| window == secret);
        assert!(!rows.iter().any(|(key, value)| holds(key) || holds(value)));
    }
    drop((rows, snapshot));
    let server = TestServer::start_on(&disk, server.stop().await).await;
    assert_eq!(outcome(&server, &kept).await, good());
    assert_eq!(outcome(&server, &revoked).await, refused("BadAdminKey"));
    assert_eq!(names(&server).await, ["admin-key", "kept"]);
    server.stop().await;
}

/// The key of the data folder is replaced with its file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_file_the_first_key_is_another_at_the_next_start() {
    let disk = MemoryDisk::new();
    let server = TestServer::start_deployed(&disk).await;
    let first = server.admin_key.clone();
    let dir = server.stop().await;
    std::fs::remove_file(dir.path().join("admin-key")).unwrap();
    let server = TestServer::start_on(&disk, dir).await;
    assert_ne!(server.admin_key, first);
    assert_eq!(outcome(&server, &first).await, refused("BadAdminKey"));
    let key = server.admin_key.clone();
    assert_eq!(outcome(&server, &key).await, good());
    server.stop().await;
}

async fn connected(server: &TestServer) -> Client {
    let mut client = server.open_socket().await;
    client.connect(SESSION).await;
    client
}

/// A socket of the holder of a key, who watches an internal query.
async fn watching_as(server: &TestServer, key: &str) -> Client {
    let mut client = connected(server).await;
    client.authenticate(0, key).await;
    client.watch(0, "extra:hidden", json!({})).await;
    loop {
        let transition = client.hear_type("Transition").await;
        if let Some(change) = transition["modifications"].get(0) {
            assert_eq!(change["type"], "QueryUpdated", "{transition}");
            return client;
        }
    }
}

/// What the server says last before it closes.
async fn last_words(client: &mut Client) -> Json {
    let (before, _) = client.hear_close().await;
    serde_json::from_str(before.last().expect("a message before the end")).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_key_ends_its_sockets_and_no_others() {
    let server = TestServer::start().await;
    server.app.deployer.deploy(vec![module("native", "v1"), module("extra", "extra")]).await.unwrap();
    let doomed = server.create_key(json!({"name": "doomed", "scope": "functions"})).await;
    let other = server.create_key(json!({"name": "other", "scope": "functions"})).await;
    let mut ended = [watching_as(&server, &doomed).await, watching_as(&server, &doomed).await];
    let first = server.admin_key.clone();
    let mut staying = [watching_as(&server, &other).await, watching_as(&server, &first).await];
    // One that is nobody's any more when the key is revoked.
    let mut left = watching_as(&server, &doomed).await;
    left.say(json!({"type": "Authenticate", "baseVersion": 1, "tokenType": "None"})).await;
    assert_eq!(left.hear_type("Transition").await["modifications"][0]["type"], "QueryFailed");
    // Over HTTP a call that has begun goes on, and needs its key no more.
    server.revoke_key("doomed").await;
    for client in &mut ended {
        let last = last_words(client).await;
        assert_eq!(
            (&last["type"], &last["authUpdateAttempted"]),
            (&json!("AuthError"), &json!(false)),
            "{last}"
        );
        assert!(last["error"].as_str().unwrap().starts_with("AdminKeyRevoked"), "{last}");
    }
    let mut again = connected(&server).await;
    again.authenticate(0, &doomed).await;
    let last = last_words(&mut again).await;
    assert_eq!((&last["type"], &last["authUpdateAttempted"]), (&json!("AuthError"), &json!(true)), "{last}");
    server.deploy(&[("native", "v2"), ("extra", "extra")]).await;
    for client in staying.iter_mut().chain([&mut left]) {
        client.mutate(0, "chat:send", json!({"n": 1})).await;
        assert_eq!(client.hear_type("MutationResponse").await["success"], true);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_key_ends_its_sockets_and_is_told_so() {
    let server = TestServer::start().await;
    server.app.deployer.deploy(vec![module("native", "v1"), module("extra", "extra")]).await.unwrap();
    let key = server.create_key(json!({"name": "brief", "expiresInSeconds": 2})).await;
    let mut client = watching_as(&server, &key).await;
    let last = last_words(&mut client).await;
    assert!(last["error"].as_str().unwrap().starts_with("AdminKeyExpired"), "{last}");
    assert_eq!((&last["type"], &last["authUpdateAttempted"]), (&json!("AuthError"), &json!(false)));
    assert_eq!(outcome(&server, &key).await, refused("AdminKeyExpired"));
    let brief = &listed(&server).await[1];
    assert_eq!((&brief["name"], &brief["isExpired"]), (&json!("brief"), &json!(true)));
    server.revoke_key("brief").await;
    assert_eq!(outcome(&server, &key).await, refused("BadAdminKey"));
    server.stop().await;
}

/// Nothing is answered, and nothing changes, before it would survive a crash.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_in_force_when_it_is_durable() {
    let disk = MemoryDisk::new();
    TestServer::start_deployed(&disk).await.stop().await;
    let (store, stepper) =
        memory::open_stepped(&disk, StoreOptions::default(), Arc::new(RealEnv::new())).unwrap();
    let server = TestServer::start_with(store, tempfile::tempdir().unwrap(), Arc::default()).await;
    let admin = server.admin_header();
    let headers = [admin.as_str()];
    let sequenced = || server.app.db.store().sequenced();
    let before = sequenced();
    let mut making = Box::pin(server.send("POST", "/api/weir/keys", &headers, r#"{"name":"ci"}"#));
    tokio::select! {
        reply = &mut making => panic!("answered too early: {reply:?}"),
        () = until(|| sequenced() > before) => {}
    }
    let none_yet = tokio::time::timeout(Duration::from_millis(100), &mut making).await;
    assert!(none_yet.is_err(), "{none_yet:?}");
    assert_eq!(names(&server).await, ["admin-key"]);
    assert!(stepper.write_group());
    let made: Json = serde_json::from_str(&making.await.body).unwrap();
    let key = made["key"].as_str().unwrap();
    assert_eq!(outcome(&server, key).await, good());

    // Whoever revokes and goes away has revoked.
    let before = sequenced();
    {
        let revoking = server.send("DELETE", "/api/weir/keys/ci", &headers, "");
        tokio::select! {
            reply = revoking => panic!("answered too early: {reply:?}"),
            () = until(|| sequenced() > before) => {}
        }
    }
    assert_eq!(outcome(&server, key).await, good());
    assert!(stepper.write_group());
    until(|| server.app.machine.tasks.running() == 0).await;
    assert_eq!(outcome(&server, key).await, refused("BadAdminKey"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_that_meet_leave_memory_as_the_table_is() {
    let server = TestServer::start_on_disk().await;
    let create =
        |round: usize| server.create_key(json!({"name": format!("key-{round}"), "scope": "read-only"}));
    let keys = futures_util::future::join_all((0..40).map(create)).await;
    let revoke = async |round: usize| server.revoke_key(&format!("key-{round}")).await;
    let (_, more) = tokio::join!(
        futures_util::future::join_all((0..20).map(revoke)),
        futures_util::future::join_all((40..60).map(create)),
    );
    for (number, key) in keys.iter().chain(&more).enumerate() {
        let expected = if number < 20 { refused("BadAdminKey") } else { good() };
        assert_eq!(outcome(&server, key).await, expected, "{number}");
    }
    assert_eq!(names(&server).await.len(), 1 + 40);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_full_disk_keys_are_checked_and_not_made() {
    let disk = MemoryDisk::new();
    let server = TestServer::start_deployed(&disk).await;
    let key = server.create_key(json!({"name": "ci"})).await;
    disk.set_capacity_bytes(Some(disk.file_bytes()));
    let mut round = 0;
    let reply = loop {
        let body = json!({"name": format!("more-{round}")}).to_string();
        let reply = server.send("POST", "/api/weir/keys", &[&server.admin_header()], &body).await;
        if reply.status != 200 {
            break reply;
        }
        round += 1;
        assert!(round < 900, "the disk does not get full");
    };
    assert_eq!((reply.status, reply.code().as_str()), (503, "DiskFull"), "{reply:?}");
    assert_eq!(outcome(&server, &key).await, good());
    disk.set_capacity_bytes(None);
    server.stop().await;
}
