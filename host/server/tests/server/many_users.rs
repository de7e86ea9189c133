//! A thousand users on a query that asks who calls, and a thousand on one that does not.

use std::sync::atomic::Ordering;
use std::time::Duration;

use rustix::process::{Resource, getrlimit, setrlimit};
use serde_json::json;

use crate::identities::{ISSUER, World, authenticate, shown};
use crate::support::{Client, TestServer, until};

const USERS: usize = 1000;
const WRITES: u64 = 3;

/// Both ends of each socket are this process's.
const FILES: u64 = 4 * USERS as u64 + 500;

/// Sockets of so many users, each of which watches this query.
async fn watching(world: &World, path: &str) -> Vec<Client> {
    let mut clients = Vec::with_capacity(USERS);
    for user in 0..USERS {
        let mut client = world.socket().await;
        authenticate(&mut client, 0, "User", &world.token(&format!("user{user}"), 3000)).await;
        client.watch(0, path, json!({})).await;
        clients.push(client);
    }
    clients
}

/// The first transition in which the query is.
async fn first_result(client: &mut Client) -> serde_json::Value {
    loop {
        let transition = client.hear_type("Transition").await;
        if !transition["modifications"].as_array().unwrap().is_empty() {
            return transition;
        }
    }
}

/// How often live queries have run, when none runs any more.
async fn runs_at_rest(server: &TestServer) -> u64 {
    let stats = || server.app.live.stats();
    until(|| stats().runs_in_flight == 0).await;
    let before = stats().runs_started;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(stats().runs_started, before, "they were at rest");
    before
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_runs_a_query_once_for_each_user_only_if_it_asked_who_calls() {
    let mut limit = getrlimit(Resource::Nofile);
    assert!(limit.maximum.is_none_or(|most| most >= FILES), "this test needs {FILES} open files");
    limit.current = Some(limit.current.map_or(FILES, |now| now.max(FILES)));
    setrlimit(Resource::Nofile, limit).unwrap();

    let world = World::start().await;
    let server = &world.server;
    let mut asking = watching(&world, "chat:who").await;
    for (user, client) in asking.iter_mut().enumerate() {
        assert_eq!(shown(&first_result(client).await), &json!(format!("{ISSUER}|user{user}")));
    }
    let before_others = runs_at_rest(server).await;
    let mut sharing = watching(&world, "chat:list").await;
    for client in &mut sharing {
        assert_eq!(shown(&first_result(client).await), &json!([]));
    }
    let mut runs = runs_at_rest(server).await;
    assert_eq!(runs - before_others, 1, "a thousand users share one query");
    assert_eq!(server.app.live.stats().live_queries, USERS as u64 + 1);

    let lists = server.list_runs.load(Ordering::SeqCst);
    for write in 1..=WRITES {
        server.post("/api/mutation", json!({"path": "chat:send", "args": {"n": write}})).await;
        for client in &mut sharing {
            let list = first_result(client).await;
            assert_eq!(shown(&list).as_array().unwrap().len() as u64, write);
        }
        let after = runs_at_rest(server).await;
        let shared = server.list_runs.load(Ordering::SeqCst) - lists;
        assert_eq!((after - runs - 1, shared), (USERS as u64, write), "of the write {write}");
        runs = after;
    }
    assert_eq!(server.metric("weir_live_queries").await, USERS as u64 + 1);
    drop((asking, sharing));
    world.server.stop().await;
}
