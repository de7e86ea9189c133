//! SIGKILL at random instants while functions are scheduled and called: every scheduled mutation runs exactly once, as
//! does a cron job each time that it is due, no action begins twice, and one that was cut off is told of as failed.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use weir_test_support::host::{check, free_port};
use weir_test_support::{HostProcess, http, project, wait};

const ROUNDS: u32 = 30;
const WAIT: Duration = Duration::from_secs(60);
/// How far ahead functions are scheduled, at most.
const AHEAD_MS: u32 = 150;

/// The numbers that were answered: their functions are scheduled for certain.
type Answered = Arc<Mutex<Vec<u32>>>;

#[test]
fn scheduled_functions_survive_sigkill_once() -> Result<()> {
    let data = tempfile::tempdir()?;
    let mut host = HostProcess::dev(&project::guest("crash"), data.path())?;
    ensure!(host.stop()?, "the host stopped with an error:\n{}", host.errors());
    let listen = format!("127.0.0.1:{}", free_port()?);
    let address: SocketAddr = listen.parse()?;
    let answered = Answered::default();
    let asked = Arc::new(AtomicU32::new(0));
    let stop = Arc::new(AtomicBool::new(false));
    let client = schedule_until(address, &asked, &answered, &stop);

    for round in 0..ROUNDS {
        let mut host =
            HostProcess::serve_at(data.path(), &listen).with_context(|| format!("round {round}"))?;
        let before = answered.lock().expect("unpoisoned").len();
        wait::until(&format!("no progress in round {round}"), WAIT, || {
            Ok(answered.lock().expect("unpoisoned").len() > before + 10)
        })?;
        std::thread::sleep(Duration::from_millis(u64::from(round * 37 % 120)));
        host.kill();
    }

    let mut host = HostProcess::serve_at(data.path(), &listen)?;
    stop.store(true, Ordering::SeqCst);
    client.join().expect("the client panicked");
    wait::until("scheduled functions are left", WAIT, || {
        let states = counts(address, "jobs:states")?;
        Ok(states.keys().all(|key| !key.ends_with("pending") && !key.ends_with("inProgress")))
    })?;
    let asked = asked.load(Ordering::SeqCst);
    check_steps(address, asked, &answered.lock().expect("unpoisoned"))?;
    check_ticks(address)?;
    ensure!(host.stop()?, "the host stopped with an error:\n{}", host.errors());
    check(data.path()).map(drop)
}

/// Asks for functions to be scheduled, again and again; what is not answered may be scheduled or not.
#[expect(clippy::disallowed_methods, reason = "tests own no Env")]
fn schedule_until(
    address: SocketAddr,
    asked: &Arc<AtomicU32>,
    answered: &Answered,
    stop: &Arc<AtomicBool>,
) -> std::thread::JoinHandle<()> {
    let (asked, answered, stop) = (Arc::clone(asked), Arc::clone(answered), Arc::clone(stop));
    std::thread::spawn(move || {
        while !stop.load(Ordering::SeqCst) {
            let number = asked.fetch_add(1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(2));
            let args = json!({ "number": number, "after": number * 31 % AHEAD_MS });
            match http::value(address, "mutation", "jobs:scheduleSteps", &args) {
                Ok(_) => answered.lock().expect("unpoisoned").push(number),
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    })
}

fn check_steps(address: SocketAddr, asked: u32, answered: &[u32]) -> Result<()> {
    let taken: Vec<String> =
        serde_json::from_value(http::value(address, "query", "jobs:steps", &json!({}))?)?;
    let mut steps: BTreeMap<String, u32> = BTreeMap::new();
    taken.into_iter().for_each(|step| *steps.entry(step).or_default() += 1);
    let taken = |number: u32, what: &str| steps.get(&format!("{number} {what}")).copied().unwrap_or(0);
    for number in answered {
        ensure!(taken(*number, "run") == 1, "mutation {number} ran {} times", taken(*number, "run"));
    }
    let (mut scheduled, mut ended) = (0, 0);
    for number in 0..asked {
        ensure!(taken(number, "run") <= 1, "mutation {number} ran twice");
        ensure!(taken(number, "begun") <= 1, "action {number} began twice");
        ensure!(taken(number, "ended") <= taken(number, "begun"), "action {number} ended and did not begin");
        scheduled += taken(number, "run");
        ended += taken(number, "ended");
    }
    let states = counts(address, "jobs:states")?;
    let state = |key: &str| states.get(key).copied().unwrap_or(0);
    ensure!(state("jobs.js:noteStep success") == scheduled, "{scheduled} mutations ran: {states:?}");
    let acted = state("jobs.js:act success") + state("jobs.js:act failed");
    ensure!(acted == scheduled, "an action for each of {scheduled} mutations: {states:?}");
    // One whose last write was durable may have been cut off before its end was noted.
    ensure!(state("jobs.js:act success") <= ended, "{ended} actions ended: {states:?}");
    ensure!(state("jobs.js:act failed") > 0, "no action was cut off, so nothing was tried: {states:?}");
    Ok(())
}

/// Every run of the cron job, which is due every second, was the only one of its time.
fn check_ticks(address: SocketAddr) -> Result<()> {
    let due: Vec<f64> = serde_json::from_value(http::value(address, "query", "jobs:ticks", &json!({}))?)?;
    let times: BTreeSet<u64> = due.iter().map(|ms| *ms as u64).collect();
    ensure!(times.len() == due.len(), "a cron job ran twice for one time: {due:?}");
    ensure!(due.len() >= 3, "the cron job ran {} times: nothing was tried", due.len());
    ensure!(due.iter().all(|ms| (ms - due[0]) % 1000.0 == 0.0), "runs are a second apart: {due:?}");
    Ok(())
}

fn counts(address: SocketAddr, path: &str) -> Result<BTreeMap<String, u32>> {
    Ok(serde_json::from_value(http::value(address, "query", path, &json!({}))?)?)
}
