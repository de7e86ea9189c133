//! A table of many million documents, beside a small one.

use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, ensure};
use serde_json::json;
use weir_db::{Database, Deployment};

use super::{BULK_INSERTS, CALLS, DOCUMENTS, GROUP, READS, fill, functions, open, read_all};
use crate::accounts::Random;
use crate::bases::peak_mib;
use crate::engine;
use crate::table::{Line, quantile};

/// The base's file in a data folder, and its blocks.
const BASE_FILE: &str = "base-redb/base.redb";
const BLOCK_BYTES: usize = 4096;
/// What a file's room is counted in.
const STAT_BLOCK_BYTES: u64 = 512;
/// Calls of a guest of one kind; their median counts.
const GUEST_CALLS: usize = 2_000;

const NAMES: [&str; 4] = [
    "a document by id",
    "a document through an index",
    "50 documents by creation time",
    "50 documents through an index",
];

/// The median times of what `NAMES` says, microseconds.
struct Times {
    /// As the calls of a Rust guest: what a client waits for.
    calls: [f64; 4],
    /// As one of many reads of a function of the host's.
    reads: [f64; 4],
}

/// A table of many documents with two indexes.
///
/// # Errors
/// When a call fails.
pub fn measure(documents: usize, show: &mut impl FnMut(Line)) -> Result<()> {
    let guest = engine::bank(&engine::runtime()?)?;
    let small = tempfile::tempdir()?;
    let (database, _) = open(small.path())?;
    let (firsts, _) = fill(&database, "indexed", DOCUMENTS.min(documents), BULK_INSERTS)?;
    let small = times(&database, &guest, &firsts)?;
    database.store().close();
    drop(database);

    let folder = tempfile::tempdir()?;
    let (database, _) = open(folder.path())?;
    let (firsts, took) = fill(&database, "indexed", documents, BULK_INSERTS)?;
    show(Line::figure(
        format!("import of {documents} documents"),
        format!("{:.0} /s", documents as f64 / took.as_secs_f64()),
    ));
    database.store().close();
    drop(database);
    let started = Instant::now();
    let database = engine::open(folder.path())?;
    let ready = started.elapsed().as_secs_f64();
    show(Line::goal("  ready again", format!("{ready:.2} s"), "<= 5 s", ready <= 5.0));
    let large = times(&database, &guest, &firsts)?;
    let block = read_block(folder.path())?;
    show(Line::figure("  a block of 4 KiB from the page cache", format!("{block:.2} us")));
    for (name, (large, small)) in NAMES.into_iter().zip(large.calls.into_iter().zip(small.calls)) {
        let ratio = large / small;
        show(
            Line::goal(format!("  a call: {name}"), format!("{large:.1} us"), "<= 2 times", ratio <= 2.0)
                .note(format!("{ratio:.2} times as in a small table, {small:.1} us")),
        );
    }
    for (name, (large, small)) in NAMES.into_iter().zip(large.reads.into_iter().zip(small.reads)) {
        let ratio = large / small;
        show(
            Line::figure(format!("  the read alone: {name}"), format!("{large:.2} us"))
                .note(format!("{ratio:.2} times as in a small table, {small:.2} us")),
        );
    }
    ensure!(count(&database)? == documents, "not all documents are there");
    database.store().close();
    let peak = peak_mib(Path::new("/proc/self"))?;
    show(Line::goal("  peak resident memory", format!("{peak:.0} MiB"), "<= 512 MiB", peak <= 512.0));
    Ok(())
}

/// How long reads take, with nothing to be flushed meanwhile.
fn times(database: &Database, guest: &Arc<dyn Deployment>, firsts: &[String]) -> Result<Times> {
    database.store().checkpoint()?;
    database.set_deployment(Arc::clone(guest));
    let calls = [
        call_guest(database, firsts, "indexed:readById", |id, _| json!({ "id": id }))?,
        call_guest(database, firsts, "indexed:readByIndex", |_, group| json!({ "n": group * GROUP }))?,
        call_guest(database, firsts, "indexed:readByTime", |id, _| json!({ "id": id }))?,
        call_guest(database, firsts, "indexed:readByGroup", |_, group| json!({ "group": group }))?,
    ];
    let drawn = Arc::default();
    database.set_deployment(Arc::new(functions(&drawn)));
    Ok(Times { calls, reads: read_all(database, &drawn, firsts)? })
}

/// The median time of a call for a group drawn at random, microseconds. `args` are made of the id of its first document
/// and its number.
fn call_guest(
    database: &Database,
    firsts: &[String],
    path: &str,
    args: impl Fn(&str, usize) -> serde_json::Value,
) -> Result<f64> {
    let mut random = Random::new(11);
    let mut times = Vec::with_capacity(GUEST_CALLS);
    for _ in 0..GUEST_CALLS {
        let group = random.below(firsts.len());
        let call = engine::call(path, args(&firsts[group], group).to_string())?;
        let snapshot = database.store().snapshot_durable();
        let started = Instant::now();
        let outcome = database.query(&call, snapshot);
        times.push(started.elapsed().as_nanos() as u64);
        let found = engine::value(outcome.result)?;
        let is_whole = found.as_array().map_or(found.is_object(), |rows| rows.len() == GROUP);
        ensure!(is_whole, "{path} found {found}");
    }
    Ok(quantile(&mut times, 0.5) as f64 / 1000.0)
}

fn count(database: &Database) -> Result<usize> {
    let call = engine::call("t:count", "{}".to_owned())?;
    let count = engine::value(database.query(&call, database.store().snapshot_sequenced()).result)?;
    Ok(count.as_f64().unwrap_or(0.0) as usize)
}

/// How long it takes to read a block of the base's file, wherever it lies, microseconds: what a read costs at least that
/// no memory of the process answers.
fn read_block(folder: &Path) -> Result<f64> {
    let file = File::open(folder.join(BASE_FILE))?;
    // The file is longer than what has been written.
    let blocks = (file.metadata()?.blocks() * STAT_BLOCK_BYTES / BLOCK_BYTES as u64) as usize;
    let mut random = Random::new(7);
    let mut block = [0; BLOCK_BYTES];
    let mut times = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let started = Instant::now();
        for _ in 0..READS {
            file.read_exact_at(&mut block, (random.below(blocks) * BLOCK_BYTES) as u64)?;
        }
        times.push(started.elapsed());
    }
    times.sort();
    Ok(times[CALLS / 2].as_secs_f64() * 1e6 / READS as f64)
}
