//! Cron jobs, as a running server calls them.

use std::time::Duration;

use serde_json::{Value as Json, json};
use weir_store::memory::MemoryDisk;

use crate::support::{PATIENCE, TestServer, module};

const TICK: &str = r#"cron chat:send {"body":"tick"}"#;

async fn job(server: &TestServer) -> Json {
    server.ask("cron:jobs").await[0].clone()
}

fn kinds(job: &Json) -> Vec<&str> {
    job["lastRuns"].as_array().unwrap().iter().map(|run| run["status"]["kind"].as_str().unwrap()).collect()
}

/// Waits until the cron job is as it should be.
async fn job_where(server: &TestServer, is_so: impl Fn(&Json) -> bool) -> Json {
    let looking = async {
        loop {
            let job = job(server).await;
            if is_so(&job) {
                return job;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.expect("it is so in time")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cron_job_runs_again_and_again_across_deployments_and_starts() {
    let disk = MemoryDisk::new();
    let server = TestServer::start_on(&disk, tempfile::tempdir().unwrap()).await;
    let modules = || vec![module("native", "v1"), module("crons", TICK)];
    server.app.deployer.deploy(modules()).await.unwrap();
    let is_third = |job: &Json| kinds(job).len() == 3;
    let third = job_where(&server, is_third).await;
    assert_eq!(kinds(&third), ["success"; 3]);
    let time = |run: usize| third["lastRuns"][run]["scheduledTime"].as_f64().unwrap();
    assert_eq!((time(0) - time(1), time(1) - time(2)), (1000.0, 1000.0));
    assert_eq!(server.ask("chat:all").await.as_array().unwrap().len(), 3, "each ran once");
    // The same again: it goes on as it was.
    server.app.deployer.deploy(modules()).await.unwrap();
    let again = job(&server).await;
    assert_eq!(again["_id"], third["_id"]);
    let phase = |job: &Json| job["nextRun"].as_f64().unwrap() % 1000.0;
    assert_eq!(phase(&again), phase(&third));
    // While nothing runs, it misses some.
    let dir = server.stop().await;
    tokio::time::sleep(Duration::from_millis(2100)).await;
    let server = TestServer::start_on(&disk, dir).await;
    let skipped = |job: &Json| {
        let mut runs = job["lastRuns"].as_array().unwrap().iter();
        runs.find(|run| run["status"]["kind"] == "skipped").map(|run| run["status"]["runs"].as_u64().unwrap())
    };
    // What a start writes is seen when it is durable.
    let missed = job_where(&server, |job| skipped(job).is_some()).await;
    assert!(skipped(&missed) >= Some(2), "{missed}");
    let is_running = |job: &Json| kinds(job)[0] == "success";
    assert_eq!(phase(&job_where(&server, is_running).await), phase(&third));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_run_of_an_action_is_under_way_at_a_time() {
    let server = TestServer::start_on(&MemoryDisk::new(), tempfile::tempdir().unwrap()).await;
    let sleep = r#"cron act:sleep {"ms":"1200"}"#;
    let modules = vec![module("native", "v1"), module("actions", "actions"), module("crons", sleep)];
    server.app.deployer.deploy(modules).await.unwrap();
    let under_way = job_where(&server, |job| job["state"]["kind"] == "inProgress").await;
    let begun = under_way["state"]["scheduledTime"].as_f64().unwrap();
    assert_eq!(under_way["nextRun"], json!((begun + 1000.0) as u64));
    let ended = job_where(&server, |job| !kinds(job).is_empty()).await;
    assert_eq!(kinds(&ended), ["skipped", "success"], "the time that came meanwhile");
    assert_eq!(ended["nextRun"], json!((begun + 2000.0) as u64));
    let ended = job_where(&server, |job| kinds(job).len() == 4).await;
    assert_eq!(kinds(&ended), ["skipped", "success", "skipped", "success"]);
    server.stop().await;
}
