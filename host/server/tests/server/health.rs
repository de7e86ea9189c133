//! Whether the server is well: a word for everybody, what there is for the holders of keys.

use serde_json::{Value as Json, json};

use crate::support::TestServer;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_is_told_a_word() {
    let server = TestServer::start().await;
    let reply = server.send("GET", "/health", &[], "").await;
    assert_eq!((reply.status, reply.body.as_str()), (200, r#"{"status":"ok"}"#));
    let reply = server.send("GET", "/health", &[&server.admin_header()], "").await;
    let told: Json = serde_json::from_str(&reply.body).unwrap();
    assert_eq!((&told["status"], &told["missingModules"]), (&json!("ok"), &json!(0)), "{told}");
    assert!(told["functions"].as_u64().is_some_and(|functions| functions > 0), "{told}");
    // A store that takes nothing any more, as after a failure of the disk.
    server.app.db.store().close();
    let reply = server.send("GET", "/health", &[], "").await;
    assert_eq!((reply.status, reply.body.as_str()), (503, r#"{"status":"stopped"}"#));
    server.stop().await;
}
