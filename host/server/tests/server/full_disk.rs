//! A full disk: what cannot be saved is refused at once, everything else goes on, and so does writing when there is
//! room again.

use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use weir_store::memory::MemoryDisk;

use crate::support::{Client, PATIENCE, Reply, TestServer};

/// Whoever is answered without a wait for the disk is answered within this.
const SOON: Duration = Duration::from_secs(10);

const SESSIONS: [&str; 3] = [
    "00000000-0000-4000-8000-000000000001",
    "00000000-0000-4000-8000-000000000002",
    "00000000-0000-4000-8000-000000000003",
];

async fn soon<T>(what: &str, answer: impl Future<Output = T>) -> T {
    tokio::time::timeout(SOON, answer).await.unwrap_or_else(|_| panic!("{what}: no answer in time"))
}

async fn connected(server: &TestServer, session: &str) -> Client {
    let mut client = server.open_socket().await;
    client.connect(session).await;
    client
}

fn send(body: &str) -> String {
    json!({"path": "chat:send", "args": {"body": body}}).to_string()
}

/// The bodies of all messages, newest first.
async fn bodies(server: &TestServer) -> Vec<String> {
    let list = server.post("/api/query", json!({"path": "chat:all", "args": {}})).await;
    let body = |message: &Json| message["body"].as_str().unwrap().to_owned();
    list["value"].as_array().unwrap().iter().map(body).collect()
}

/// A client that writes until the disk is full.
struct Probe {
    client: Client,
    sent: u32,
    answered: u32,
    /// The requests that were answered with success.
    taken: Vec<u32>,
}

impl Probe {
    /// Hears the answers that are due and come before the time is over.
    async fn hear(&mut self, time: Duration) {
        while self.answered < self.sent
            && let Ok(answer) = tokio::time::timeout(time, self.client.hear_type("MutationResponse")).await
        {
            self.answered += 1;
            if answer["success"] == true {
                self.taken.push(answer["requestId"].as_u64().unwrap() as u32);
            }
        }
    }
}

/// Takes all room but this many bytes away. The store learns of it as it writes, so somebody has to.
async fn fill(server: &TestServer, disk: &MemoryDisk, room_bytes: u64) -> Probe {
    disk.set_capacity_bytes(Some(disk.file_bytes() + room_bytes));
    let client = connected(server, SESSIONS[0]).await;
    let mut probe = Probe { client, sent: 0, answered: 0, taken: Vec::new() };
    let begun = Instant::now();
    while probe.sent == 0 || server.metric("weir_disk_full").await == 0 {
        assert!(begun.elapsed() < PATIENCE, "the disk does not fill");
        if probe.answered == probe.sent {
            probe.client.mutate(probe.sent, "chat:send", json!({"body": "probe"})).await;
            probe.sent += 1;
        }
        probe.hear(Duration::from_millis(5)).await;
    }
    probe
}

fn assert_refused(reply: &Reply) {
    assert_eq!((reply.status, reply.code().as_str()), (503, "DiskFull"), "{reply:?}");
    assert!(reply.body.contains("isk is full") && reply.body.contains("ree some space"), "{reply:?}");
}

/// Its answer, and that a transition follows.
async fn hear_refusal(client: &mut Client, request: u32) {
    let answer = soon("a refusal on a socket", client.hear_type("MutationResponse")).await;
    assert_eq!(answer["requestId"], request);
    assert_eq!((&answer["success"], &answer["ts"]), (&json!(false), &Json::Null), "{answer}");
    assert!(answer["result"].as_str().unwrap().contains("\nDiskFull: nothing of `chat:send` was saved"));
    assert_eq!((&answer["logLines"], answer.get("errorData")), (&json!([]), None), "{answer}");
    soon("the transition after a refusal", client.hear_type("Transition")).await;
}

/// Sends until it is taken; gives the answer.
async fn send_until_taken(client: &mut Client, request: u32, body: &str) -> Json {
    let begun = Instant::now();
    loop {
        client.mutate(request, "chat:send", json!({"body": body})).await;
        let answer = client.hear_type("MutationResponse").await;
        if answer["success"] == true {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "there is room again, and no writing: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writing_is_refused_at_once_and_goes_on_when_there_is_room() {
    let disk = MemoryDisk::new();
    let server = TestServer::start_deployed(&disk).await;
    server.post("/api/mutation", json!({"path": "chat:send", "args": {"body": "before"}})).await;
    let mut watcher = connected(&server, SESSIONS[1]).await;
    watcher.watch(0, "chat:list", json!({})).await;
    watcher.hear_type("Transition").await;
    let mut probe = fill(&server, &disk, 0).await;

    let admin = server.admin_header();
    for (path, headers, body) in [
        ("/api/mutation", &[][..], send("http")),
        ("/api/run/chat/send", &[], json!({"args": {"body": "run"}}).to_string()),
        ("/api/function", &[admin.as_str()], send("admin")),
    ] {
        assert_refused(&soon(path, server.send("POST", path, headers, &body)).await);
    }
    watcher.mutate(0, "chat:send", json!({"body": "watcher"})).await;
    hear_refusal(&mut watcher, 0).await;
    let mut late = connected(&server, SESSIONS[2]).await;
    for request in 0..3 {
        late.mutate(request, "chat:send", json!({"body": "late"})).await;
        hear_refusal(&mut late, request).await;
    }
    assert!(server.metric("weir_mutations_refused_total").await >= 7);

    disk.set_capacity_bytes(None);
    let taken = send_until_taken(&mut late, 3, "after").await;
    // Sent again on another connection, as a client does that did not hear the answer.
    let mut again = connected(&server, SESSIONS[2]).await;
    again.mutate(3, "chat:send", json!({"body": "after"})).await;
    assert_eq!(again.hear_type("MutationResponse").await["ts"], taken["ts"]);
    probe.hear(PATIENCE).await;
    let expected = [vec!["after"], vec!["probe"; probe.taken.len()], vec!["before"]].concat();
    assert_eq!(bodies(&server).await, expected, "nothing is lost or doubled");
    let mut told = Json::Null;
    while told[0]["value"][0]["body"] != "after" {
        told = soon("the watcher's news", watcher.hear_type("Transition")).await["modifications"].clone();
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_does_not_write_goes_on() {
    let disk = MemoryDisk::new();
    let server = TestServer::start_deployed(&disk).await;
    // A sixteenth of the disk is kept free; half of that is left, and what is taken until that is seen fits in.
    let large = json!({"path": "other:send", "args": {"body": "x".repeat(1_000_000)}});
    for _ in 0..8 {
        assert_eq!(server.post("/api/mutation", large.clone()).await["status"], "success");
    }
    let before = json!({"path": "chat:send", "args": {"body": "before"}});
    assert_eq!(server.post("/api/mutation", before).await["status"], "success");
    let mut probe = fill(&server, &disk, 256 * 1024).await;
    probe.hear(SOON).await;
    assert_eq!(probe.answered, probe.sent, "what was taken is written");

    let admin = server.admin_header();
    #[rustfmt::skip]
    let asked: &[(&str, &str, &[&str], &str, &str)] = &[
        ("GET", "/api/weir/deployment", &[&admin], "", "chat:send"),
        ("POST", "/api/query", &[], r#"{"path":"chat:version"}"#, "one"),
        ("POST", "/api/query_ts", &[], "{}", "ts"),
        ("POST", "/api/function", &[&admin], r#"{"path":"chat:version"}"#, "one"),
        ("POST", "/api/mutation", &[], r#"{"path":"chat:look"}"#, r#""status":"success","value":[{"#),
        ("POST", "/api/mutation", &[], r#"{"path":"chat:fail"}"#, "no way"),
        ("POST", "/api/mutation", &[], r#"{"path":"chat:nothing"}"#, "Could not find public function"),
    ];
    let health = soon("/health", server.send("GET", "/health", &[], "")).await;
    assert_eq!((health.status, health.body.as_str()), (503, r#"{"status":"diskFull"}"#));
    for (method, path, headers, body, expected) in asked {
        let reply = soon(path, server.send(method, path, headers, body)).await;
        assert_eq!(reply.status, 200, "{path} {body}: {reply:?}");
        assert!(reply.body.contains(expected), "{path} {body}: {reply:?}");
    }
    let mut client = connected(&server, SESSIONS[1]).await;
    client.watch(0, "chat:list", json!({})).await;
    let first = soon("a new subscription", client.hear_type("Transition")).await;
    let list = &first["modifications"][0]["value"];
    assert!(list.as_array().is_some_and(|list| !list.is_empty()), "{first}");
    client.mutate(0, "chat:look", json!({})).await;
    let looked = soon("a mutation that only reads", client.hear_type("MutationResponse")).await;
    assert_eq!((&looked["success"], &looked["result"]), (&json!(true), list));
    soon("its transition", client.hear_type("Transition")).await;
    disk.set_capacity_bytes(None);
    // It is well again by itself.
    while server.send("GET", "/health", &[], "").await.status != 200 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_is_sent_again_and_again_is_done_once() {
    let disk = MemoryDisk::new();
    let server = TestServer::start_deployed(&disk).await;
    let Probe { client, sent, taken, .. } = fill(&server, &disk, 0).await;
    let request = sent - 1;
    let others = taken.iter().filter(|taken| **taken != request).count();
    // The client gives up and comes back, with the same session and request; each time it may be that the store has
    // taken the request and cannot write it yet.
    drop(client);
    let mut clients = Vec::new();
    for _ in 0..3 {
        let mut client = connected(&server, SESSIONS[0]).await;
        client.mutate(request, "chat:send", json!({"body": "probe"})).await;
        clients.push(client);
    }
    disk.set_capacity_bytes(None);
    let mut last = connected(&server, SESSIONS[0]).await;
    let done = send_until_taken(&mut last, request, "probe").await;
    for client in &mut clients {
        let answer = client.hear_type("MutationResponse").await;
        assert!(answer["success"] == false || answer["ts"] == done["ts"], "{answer}");
    }
    assert_eq!(bodies(&server).await, vec!["probe"; others + 1]);
    server.stop().await;
}
