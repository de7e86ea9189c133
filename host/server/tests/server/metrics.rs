//! What the server tells of itself in figures.

use serde_json::json;

use crate::support::TestServer;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn times_are_told_as_histograms() {
    let server = TestServer::start().await;
    let mut client = server.open_socket().await;
    client.connect("00000000-0000-4000-8000-000000000001").await;
    client.watch(0, "chat:list", json!({})).await;
    client.hear_type("Transition").await;
    for number in 0..3 {
        client.mutate(number, "chat:send", json!({"body": "hi"})).await;
        client.hear_type("MutationResponse").await;
        // It needs a run of what is watched.
        client.hear_type("Transition").await;
    }
    for _ in 0..2 {
        server.send("POST", "/api/query", &[], r#"{"path":"chat:version"}"#).await;
        server.send("POST", "/api/query", &[], r#"{"path":"chat:nothing"}"#).await;
    }
    let reply = server.send("GET", "/metrics", &[&server.admin_header()], "").await;
    assert!(reply.body.ends_with("# EOF\n"), "{reply:?}");
    let count = |series: &str| -> u64 {
        let line = reply.body.lines().find(|line| line.starts_with(&format!("{series} ")));
        line.unwrap_or_else(|| panic!("no {series} in {}", reply.body))
            .rsplit(' ')
            .next()
            .unwrap()
            .parse()
            .unwrap()
    };
    let run = |function: &str| count(&format!("weir_function_run_seconds_count{{function=\"{function}\"}}"));
    assert_eq!((run("chat:send"), run("chat:version")), (3, 2));
    assert!(run("chat:list") >= 2, "{}", reply.body);
    assert!(!reply.body.contains("nothing"), "who calls what is not there makes no figure: {}", reply.body);
    let waits = |kind: &str| count(&format!("weir_queue_wait_seconds_count{{kind=\"{kind}\"}}"));
    assert!(waits("client") >= 3 && waits("mutation") >= 3, "{}", reply.body);
    assert!(count("weir_queue_wait_seconds_count{kind=\"live\"}") >= 2);
    for name in ["log_sync", "commit", "push"] {
        assert!(count(&format!("weir_{name}_seconds_count")) >= 1, "{name}: {}", reply.body);
    }
    assert_eq!(count("weir_log_groups_total"), count("weir_log_sync_seconds_count"));
    server.stop().await;
}
