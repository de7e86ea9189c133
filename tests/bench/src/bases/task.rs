//! What a process of its own does: one task on one base.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};
use weir_store::{BaseKind, Store};

use super::child::{Figures, peak_mib};
use super::rows::{self, Committer};
use super::{churn, reads};
use crate::accounts::Random;

/// Rows that are committed while nothing can be flushed: well below what the store holds in memory without slowing
/// anybody.
const HELD_ROWS: usize = 50_000;
/// Rounds in which rows are replaced.
const REPLACING_ROUNDS: usize = 4;
/// The part of all rows that is changed before the process is killed.
const KILLED_PART: usize = 20;
/// Who is not killed in this time ends by himself.
const KILLED_WITHIN: Duration = Duration::from_secs(60);

/// A task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Task {
    /// In a new store: flush rows, then read them.
    Flush,
    /// In a new store: replace and delete documents.
    Churn,
    /// In a new store: commit rows as fast as it takes them.
    Load,
    /// Open a store with rows.
    Open,
    /// Read rows of a store that has more of them than its cache holds.
    Read,
    /// Commit changes of rows, keep them from being flushed, and wait for the end.
    WriteUntilKilled,
}

impl Task {
    /// Its name as an argument.
    pub fn name(self) -> &'static str {
        match self {
            Task::Flush => "flush",
            Task::Churn => "churn",
            Task::Load => "load",
            Task::Open => "open",
            Task::Read => "read",
            Task::WriteUntilKilled => "write-until-killed",
        }
    }
}

/// What this program gets when it is started for a task; nothing that a user would give it.
#[derive(Args)]
pub struct TaskOptions {
    #[arg(long, hide = true, requires_all = ["base", "count", "folder"])]
    task: Option<Task>,
    #[arg(long, hide = true)]
    base: Option<BaseKind>,
    /// Rows or changes.
    #[arg(long, hide = true)]
    count: Option<usize>,
    #[arg(long, hide = true)]
    folder: Option<PathBuf>,
}

impl TaskOptions {
    /// Does the task, if there is one, and prints what it found. Gives whether there was one.
    ///
    /// # Errors
    /// When the store fails, or shows other data than were written.
    pub fn run(&self) -> Result<bool> {
        let TaskOptions { task: Some(task), base: Some(base), count: Some(count), folder: Some(folder) } =
            self
        else {
            return Ok(false);
        };
        let mut figures = match task {
            Task::Flush => flush(folder, *base, *count),
            Task::Churn => churn::measure(folder, *base, *count),
            Task::Load => load(folder, *base, *count),
            Task::Open => open(folder, *base, *count),
            Task::Read => read(folder, *base, *count),
            Task::WriteUntilKilled => write_until_killed(folder, *base, *count),
        }?;
        figures.insert("peak_mib".to_owned(), peak_mib(Path::new("/proc/self"))?);
        print(&figures)?;
        Ok(true)
    }
}

fn print(figures: &Figures) -> Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{}", serde_json::to_string(figures)?)?;
    Ok(output.flush()?)
}

/// New rows in the order of their keys, as documents come; then rows from all over them.
fn flush(folder: &Path, base: BaseKind, count: usize) -> Result<Figures> {
    let store = rows::open(folder, base)?;
    let all: Vec<usize> = (0..count).collect();
    let new_rows = flush_rate(&*store, all.chunks(HELD_ROWS))?;
    let mut random = Random::new(3);
    let replaced: Vec<usize> =
        (0..REPLACING_ROUNDS * count.min(HELD_ROWS)).map(|_| random.below(count)).collect();
    let replaced_rows = flush_rate(&*store, replaced.chunks(HELD_ROWS))?;
    let mut figures =
        Figures::from([("new_rows".to_owned(), new_rows), ("replaced_rows".to_owned(), replaced_rows)]);
    reads::measure(&*store, count, &mut figures)?;
    store.close();
    Ok(figures)
}

/// Rows a second from the end of an open snapshot, which held the flush back, until they are in a checkpoint.
fn flush_rate<'a>(store: &dyn Store, rounds: impl Iterator<Item = &'a [usize]>) -> Result<f64> {
    let (mut flushed, mut time) = (0, Duration::ZERO);
    for rows in rounds {
        let snapshot = store.snapshot_durable();
        Committer::new(store).commit_rows(rows.iter().copied())?;
        let (before, started) = (store.stats().flushed_keys, Instant::now());
        drop(snapshot);
        store.checkpoint()?;
        time += started.elapsed();
        ensure!(store.stats().checkpoint == store.durable(), "the checkpoint is not the newest commit's");
        flushed += store.stats().flushed_keys - before;
    }
    Ok(flushed as f64 / time.as_secs_f64())
}

/// The rate counts until the last row is durable, wherever the flush may be by then.
fn load(folder: &Path, base: BaseKind, count: usize) -> Result<Figures> {
    let store = rows::open(folder, base)?;
    let mut committer = Committer::new(&*store);
    let started = Instant::now();
    committer.commit_rows(0..count)?;
    let per_second = count as f64 / started.elapsed().as_secs_f64();
    let refused = committer.refused as f64;
    let started = Instant::now();
    store.close();
    let close_ms = millis(started);
    Ok(Figures::from([
        ("rows".to_owned(), per_second),
        ("refused".to_owned(), refused),
        ("close_ms".to_owned(), close_ms),
    ]))
}

/// The next one to open it finds all in the base, and a clean end.
fn open(folder: &Path, base: BaseKind, count: usize) -> Result<Figures> {
    let started = Instant::now();
    let store = rows::open(folder, base)?;
    let open_ms = millis(started);
    check_last(&store, count)?;
    let replayed = store.stats().replayed_commits as f64;
    store.checkpoint()?;
    store.close();
    drop(store);
    let live_bytes = count * rows::ROW_BYTES;
    Ok(Figures::from([
        ("open_ms".to_owned(), open_ms),
        ("replayed".to_owned(), replayed),
        ("base_end".to_owned(), churn::base_bytes(folder, base) as f64 / live_bytes as f64),
    ]))
}

fn read(folder: &Path, base: BaseKind, count: usize) -> Result<Figures> {
    let store = rows::open(folder, base)?;
    store.checkpoint()?;
    let mut figures = Figures::new();
    reads::measure(&*store, count, &mut figures)?;
    store.close();
    Ok(figures)
}

fn write_until_killed(folder: &Path, base: BaseKind, count: usize) -> Result<Figures> {
    let store = rows::open(folder, base)?;
    let _held_back = store.snapshot_durable();
    let mut random = Random::new(9);
    let changed = (0..count.div_ceil(KILLED_PART)).map(|_| random.below(count));
    Committer::new(&*store).commit_rows(changed)?;
    print(&Figures::new())?;
    std::thread::sleep(KILLED_WITHIN);
    bail!("nobody ended this process")
}

fn check_last(store: &Arc<dyn Store>, count: usize) -> Result<()> {
    let last = count.checked_sub(1).context("no rows")?;
    let value = store.snapshot_durable().get(&rows::key(last))?.context("the last row is missing")?;
    ensure!(rows::is_of(last, &value), "the last row has another value");
    Ok(())
}

fn millis(started: Instant) -> f64 {
    started.elapsed().as_secs_f64() * 1000.0
}
