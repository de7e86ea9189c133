//! SIGKILL at random instants while files are uploaded and deleted: what was answered is there, whole; there is no half a
//! file, and after the sweep of the start no file without a document.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use weir_test_support::host::{check, free_port};
use weir_test_support::{HostProcess, http, project, wait};

const ROUNDS: u32 = 30;
const WAIT: Duration = Duration::from_secs(60);
const CLIENTS: u32 = 3;

/// What the clients know.
#[derive(Default)]
struct Known {
    /// The files whose upload was answered: their ids, and which number they hold.
    stored: BTreeMap<String, u32>,
    /// Those that were asked to be deleted, and their names. One that is not answered may be there or not.
    deleted: BTreeMap<String, String>,
    /// Those whose deletion was answered.
    gone: BTreeSet<String>,
}

type Shared = Arc<Mutex<Known>>;

#[test]
fn uploads_survive_sigkill_whole_or_not_at_all() -> Result<()> {
    let data = tempfile::tempdir()?;
    let mut host = HostProcess::dev(&project::guest("crash"), data.path())?;
    ensure!(host.stop()?, "the host stopped with an error:\n{}", host.errors());
    let listen = format!("127.0.0.1:{}", free_port()?);
    let address: SocketAddr = listen.parse()?;
    let (known, stop) = (Shared::default(), Arc::new(AtomicBool::new(false)));
    let next = Arc::new(AtomicU32::new(0));
    let clients: Vec<_> = (0..CLIENTS).map(|_| client(address, &next, &known, &stop)).collect();

    for round in 0..ROUNDS {
        let mut host =
            HostProcess::serve_at(data.path(), &listen).with_context(|| format!("round {round}"))?;
        let before = stored(&known);
        let what = format!("no progress in round {round}");
        wait::until(&what, WAIT, || Ok(stored(&known) > before + 5))?;
        std::thread::sleep(Duration::from_micros(u64::from(round * 37 % 100) * 300));
        host.kill();
    }
    stop.store(true, Ordering::SeqCst);
    clients.into_iter().for_each(|client| client.join().expect("a client panicked"));

    let mut host = HostProcess::serve_at(data.path(), &listen)?;
    let known = known.lock().expect("unpoisoned");
    let there = check_files(address, &known)?;
    let strangers = || strangers(data.path(), &there, &known);
    wait::until("files without documents stay", WAIT, || Ok(strangers()?.is_empty()))
        .with_context(|| format!("{:?}", strangers()))?;
    ensure!(host.stop()?, "the host stopped with an error:\n{}", host.errors());
    check(data.path()).map(drop)
}

/// Uploads file after file, and deletes every fifth.
#[expect(clippy::disallowed_methods, reason = "tests own no Env")]
fn client(
    address: SocketAddr,
    next: &Arc<AtomicU32>,
    known: &Shared,
    stop: &Arc<AtomicBool>,
) -> std::thread::JoinHandle<()> {
    let (next, known, stop) = (Arc::clone(next), Arc::clone(known), Arc::clone(stop));
    std::thread::spawn(move || {
        while !stop.load(Ordering::SeqCst) {
            let number = next.fetch_add(1, Ordering::SeqCst);
            if upload(address, number, &known)
                .and_then(|id| delete_some(address, number, &id, &known))
                .is_err()
            {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    })
}

/// What the file of a number holds: up to 360 KB, so that it comes in many pieces.
fn content(number: u32) -> String {
    format!("{number:08}\n").repeat(number as usize * 7919 % 40_000 + 1)
}

fn upload(address: SocketAddr, number: u32, known: &Shared) -> Result<String> {
    let url = http::value(address, "mutation", "files:uploadUrl", &json!({}))?;
    let url = url.as_str().context("an upload URL")?;
    let path = path_of(url)?;
    let answer =
        http::request(address, "POST", path, "Content-Type: text/plain\r\n", content(number).as_bytes())?;
    ensure!(answer.status == 200, "{answer:?}");
    let id = answer.json()["storageId"].as_str().context("a storage id")?.to_owned();
    known.lock().expect("unpoisoned").stored.insert(id.clone(), number);
    Ok(id)
}

fn delete_some(address: SocketAddr, number: u32, id: &str, known: &Shared) -> Result<()> {
    if !number.is_multiple_of(5) {
        return Ok(());
    }
    let url = http::value(address, "query", "files:url", &json!({ "id": id }))?;
    let name = name_of(url.as_str().context("a URL")?)?;
    known.lock().expect("unpoisoned").deleted.insert(id.to_owned(), name);
    http::value(address, "mutation", "files:remove", &json!({ "id": id }))?;
    known.lock().expect("unpoisoned").gone.insert(id.to_owned());
    Ok(())
}

/// Every file that was answered is there with what was sent, and every file that is there is whole; gives their names.
fn check_files(address: SocketAddr, known: &Known) -> Result<BTreeSet<String>> {
    let all: BTreeMap<String, String> =
        serde_json::from_value(http::value(address, "query", "files:all", &json!({}))?)?;
    for (id, number) in &known.stored {
        let is_there = all.contains_key(id);
        ensure!(is_there || known.deleted.contains_key(id), "file {number} was answered, and is not there");
        ensure!(!(is_there && known.gone.contains(id)), "file {number} was deleted, and is there");
    }
    for (id, url) in &all {
        let answer = http::get(address, path_of(url)?)?;
        ensure!(answer.status == 200, "a file that has a document: {answer:?}");
        let number = answer.body.get(..8).and_then(|number| number.parse().ok());
        let number: u32 = number.with_context(|| format!("file {id} holds {:.20}", answer.body))?;
        ensure!(answer.body == content(number), "file {number} is not whole");
        let expected = known.stored.get(id);
        ensure!(expected.is_none_or(|expected| *expected == number), "{id} holds file {number}");
    }
    ensure!(all.len() > 100 && !known.gone.is_empty(), "{} files: nothing was tried", all.len());
    all.values().map(|url| name_of(url)).collect()
}

/// The files in the folder that have no document, and are none of those that were deleted a moment ago.
fn strangers(data: &Path, there: &BTreeSet<String>, known: &Known) -> Result<Vec<String>> {
    let deleted: BTreeSet<&String> = known.deleted.values().collect();
    let mut strangers = Vec::new();
    for entry in std::fs::read_dir(data.join("files"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name != "owner" && !there.contains(&name) && !deleted.contains(&name) {
            strangers.push(name);
        }
    }
    Ok(strangers)
}

fn stored(known: &Shared) -> usize {
    known.lock().expect("unpoisoned").stored.len()
}

fn path_of(url: &str) -> Result<&str> {
    let at = url.find("/api/").with_context(|| format!("a URL of a file: {url}"))?;
    Ok(&url[at..])
}

/// The name of a file in the folder: what its URL ends with.
fn name_of(url: &str) -> Result<String> {
    let name = url.rsplit('/').next().context("a URL")?;
    Ok(name.replace('-', ""))
}
