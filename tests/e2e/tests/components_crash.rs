//! SIGKILL at random instants while deployments mount components, drop them and mount them again, and while the data of
//! one are removed: what was written in the app and in a mount is in both or in neither, waits for a mount that is gone,
//! and is gone itself once it was dropped; `host check` is content after each.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use weir_test_support::host::{check, free_port, host_binary};
use weir_test_support::{HostProcess, command, http, project, wait};

const ROUNDS: u64 = 20;
const WAIT: Duration = Duration::from_secs(60);
/// Mounts that come and go with their data, and one whose data are dropped whenever it has gone.
const KEPT: [&str; 2] = ["left", "right"];
const DROPPED: &str = "scrap";
const ALL: [&str; 3] = ["left", "right", DROPPED];
/// What is mounted, in turn.
const TURNS: [&[&str]; 5] = [&ALL, &["left"], &["right", DROPPED], &[], &["right", "left"]];
const WRITERS: u32 = 2;
/// So many documents more are written into what is dropped, each time that it is there: to remove them takes several commits.
const BALLAST: u32 = 1_000;

/// What was answered, and what was asked for next.
#[derive(Default)]
struct Shared {
    /// The header with the admin key.
    authorization: String,
    /// The guest, in base64.
    guest: String,
    stop: AtomicBool,
    next: AtomicU32,
    /// The numbers that are written for certain, by their mounts.
    answered: Mutex<BTreeMap<&'static str, BTreeSet<u32>>>,
    /// Those that were written into the mount that is dropped before it was, for certain.
    dropped: Mutex<BTreeSet<u32>>,
    /// The turns in which documents were written that were dropped, for certain.
    dropped_turns: Mutex<BTreeSet<u32>>,
    /// How many deployments were answered.
    turns: AtomicU32,
    /// How often data were removed.
    drops: AtomicU32,
}

#[test]
fn mounts_that_come_and_go_survive_sigkill_with_their_data() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let listen = format!("127.0.0.1:{}", free_port()?);
    let address: SocketAddr = listen.parse()?;
    let guest = build(folder.path())?;
    let mut host = HostProcess::serve_at(&data, &listen)?;
    let authorization = command::authorization(&data)?;
    deploy(address, &authorization, &guest, &ALL)?;
    ensure!(host.stop()?, "{}", host.errors());

    let shared = Arc::new(Shared { authorization, guest, ..Shared::default() });
    let mut threads: Vec<_> = (0..WRITERS).map(|_| write(address, &shared)).collect();
    threads.push(change_mounts(address, &shared));
    for round in 0..ROUNDS {
        let mut host = HostProcess::serve_at(&data, &listen).with_context(|| format!("round {round}"))?;
        let before = (shared.answered_count(), shared.turns.load(Ordering::SeqCst));
        wait::until(&format!("no progress in round {round}"), WAIT, || {
            Ok(shared.answered_count() > before.0 && shared.turns.load(Ordering::SeqCst) > before.1)
        })?;
        std::thread::sleep(Duration::from_millis(round * 137 % 400));
        host.kill();
        check_copy(&data, folder.path()).with_context(|| format!("round {round}"))?;
    }
    let mut host = HostProcess::serve_at(&data, &listen)?;
    shared.stop.store(true, Ordering::SeqCst);
    threads.into_iter().for_each(|thread| thread.join().expect("a thread panicked"));
    let deployed = || Ok(shared.deploy(address, &ALL).is_ok());
    wait::until("the mounts do not come back", WAIT, deployed)?;
    check_numbers(address, &shared)?;
    check_ballast(address, &shared)?;
    ensure!(shared.drops.load(Ordering::SeqCst) >= 2, "nothing was dropped");
    ensure!(host.stop()?, "the host stopped with an error:\n{}", host.errors());
    check(&data).map(drop)
}

impl Shared {
    fn answered_count(&self) -> usize {
        self.answered.lock().expect("unpoisoned").values().map(BTreeSet::len).sum()
    }

    fn answered_of(&self, mount: &str) -> BTreeSet<u32> {
        self.answered.lock().expect("unpoisoned").get(mount).cloned().unwrap_or_default()
    }

    fn deploy(&self, address: SocketAddr, mounts: &[&str]) -> Result<()> {
        deploy(address, &self.authorization, &self.guest, mounts)
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }
}

/// Builds the guest; gives it in base64.
fn build(folder: &Path) -> Result<String> {
    let out = folder.join("out");
    let mut command = Command::new(host_binary());
    command.arg("build").arg(project::guest("crash")).arg("--out").arg(&out).env_remove("CARGO_TARGET_DIR");
    let output = command.output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(STANDARD.encode(std::fs::read(out.join("crash.wasm"))?))
}

/// Deploys the guest as an app that mounts itself under these names.
fn deploy(address: SocketAddr, authorization: &str, guest: &str, mounts: &[&str]) -> Result<()> {
    let mount = |name: &&str| json!({ "name": name, "definition": "part", "place": "host.toml" });
    let body = json!({
        "modules": [{ "name": "app", "component": guest }, { "name": "part", "component": guest }],
        "components": {
            "definitions": { "part": { "modules": ["part"] } },
            "mounts": mounts.iter().map(mount).collect::<Vec<_>>(),
        },
    });
    let headers = format!("{authorization}Content-Type: application/json\r\n");
    let body = body.to_string();
    let answer = http::request_within(WAIT, address, "POST", "/api/weir/deploy", &headers, body.as_bytes())?;
    ensure!(answer.status == 200, "{} {}", answer.status, answer.body);
    Ok(())
}

/// Writes numbers into all mounts, whether or not they are there.
#[expect(clippy::disallowed_methods, reason = "tests own no Env")]
fn write(address: SocketAddr, shared: &Arc<Shared>) -> JoinHandle<()> {
    let shared = Arc::clone(shared);
    std::thread::spawn(move || {
        while !shared.is_stopped() {
            let number = shared.next.fetch_add(1, Ordering::SeqCst);
            let mount = ALL[number as usize % ALL.len()];
            let args = json!({ "mount": mount, "number": number });
            match http::value(address, "mutation", "parts:addIn", &args) {
                Ok(_) => {
                    let mut answered = shared.answered.lock().expect("unpoisoned");
                    answered.entry(mount).or_default().insert(number);
                }
                Err(_) => std::thread::sleep(Duration::from_millis(3)),
            }
        }
    })
}

/// Deploys one turn after the other, and drops what is to be dropped when it has gone; what fails is tried again.
#[expect(clippy::disallowed_methods, reason = "tests own no Env")]
fn change_mounts(address: SocketAddr, shared: &Arc<Shared>) -> JoinHandle<()> {
    let shared = Arc::clone(shared);
    std::thread::spawn(move || {
        let mut filled = BTreeSet::new();
        'turns: for (turn, mounts) in (0..).zip(TURNS.iter().cycle()) {
            let written = shared.answered_of(DROPPED);
            while shared.deploy(address, mounts).is_err() {
                std::thread::sleep(Duration::from_millis(10));
                if shared.is_stopped() {
                    break 'turns;
                }
            }
            shared.turns.fetch_add(1, Ordering::SeqCst);
            if mounts.contains(&DROPPED) {
                filled.insert(turn);
                // If it is not answered, all of them are there or none.
                let args = json!({ "turn": turn, "count": BALLAST });
                let _ =
                    http::call_of(address, DROPPED, "mutation", "parts:fill", &args, &shared.authorization);
            } else {
                while !is_dropped(address, &shared.authorization) {
                    std::thread::sleep(Duration::from_millis(10));
                    if shared.is_stopped() {
                        break 'turns;
                    }
                }
                shared.drops.fetch_add(1, Ordering::SeqCst);
                shared.dropped.lock().expect("unpoisoned").extend(written);
                shared.dropped_turns.lock().expect("unpoisoned").extend(&filled);
            }
            if shared.is_stopped() {
                break;
            }
        }
    })
}

/// Drops; whether it was answered that it is being dropped, or that there is no such component any more.
fn is_dropped(address: SocketAddr, authorization: &str) -> bool {
    let path = format!("/api/weir/components/{DROPPED}");
    let answer = http::request(address, "DELETE", &path, authorization, b"");
    answer.is_ok_and(|answer| answer.status == 200 || answer.status == 404)
}

/// `host check` of what a kill has left, in a copy: the next start is to recover it by itself.
fn check_copy(data: &Path, folder: &Path) -> Result<()> {
    let copy = folder.join("copy");
    ensure!(Command::new("cp").arg("-r").arg(data).arg(&copy).status()?.success(), "no copy");
    check(&copy)?;
    std::fs::remove_dir_all(copy)?;
    Ok(())
}

/// What was written into the mount that is dropped is there whole or not at all, and not once it was dropped.
fn check_ballast(address: SocketAddr, shared: &Shared) -> Result<()> {
    let none = json!({});
    let answer = http::call_of(address, DROPPED, "query", "parts:ballast", &none, &shared.authorization)?;
    let turns: Vec<u32> =
        serde_json::from_value(answer["value"].clone()).with_context(|| answer.to_string())?;
    let mut counts: BTreeMap<u32, u32> = BTreeMap::new();
    turns.into_iter().for_each(|turn| *counts.entry(turn).or_default() += 1);
    ensure!(counts.values().all(|count| *count == BALLAST), "in part: {counts:?}");
    let dropped = shared.dropped_turns.lock().expect("unpoisoned");
    ensure!(!dropped.is_empty(), "nothing was dropped");
    ensure!(counts.keys().all(|turn| !dropped.contains(turn)), "dropped and there: {counts:?}");
    Ok(())
}

/// Compares what the app has with what each mount has, and both with what was answered.
fn check_numbers(address: SocketAddr, shared: &Shared) -> Result<()> {
    let read = |component: &str, path: &str, args: Value| -> Result<BTreeSet<u32>> {
        let mut answer = http::call_of(address, component, "query", path, &args, &shared.authorization)?;
        ensure!(answer["status"] == "success", "{component} {path}: {answer}");
        let numbers: Vec<u32> = serde_json::from_value(answer["value"].take())?;
        let once: BTreeSet<u32> = numbers.iter().copied().collect();
        ensure!(once.len() == numbers.len(), "{component} {path}: some are there twice");
        Ok(once)
    };
    let of_app = |mount: &str| read("", "parts:numbers", json!({ "mount": mount }));
    for mount in ALL {
        let (in_app, answered) = (of_app(mount)?, shared.answered_of(mount));
        ensure!(answered.is_subset(&in_app), "{mount}: answered and not there: {:?}", &answered - &in_app);
        let in_mount = read(mount, "parts:numbers", json!({ "mount": "" }))?;
        if KEPT.contains(&mount) {
            ensure!(in_app == in_mount, "{mount}: in one of the two: {:?}", &in_app ^ &in_mount);
        } else {
            ensure!(in_mount.is_subset(&in_app), "{mount}: not in the app: {:?}", &in_mount - &in_app);
            let dropped = shared.dropped.lock().expect("unpoisoned");
            ensure!(!dropped.is_empty(), "nothing was written before it was dropped");
            ensure!(in_mount.is_disjoint(&dropped), "{mount}: dropped and there: {:?}", &in_mount & &dropped);
        }
        // What was scheduled in the mount has waited for it as its documents have.
        let late = || Ok(read(mount, "parts:late", json!({}))? == in_mount);
        wait::until(&format!("{mount}: not all scheduled functions have run"), WAIT, late)?;
    }
    Ok(())
}
