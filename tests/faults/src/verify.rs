//! Opens a folder after a fault and checks it against what was answered.
//!
//! Not here: the fault.

use std::path::Path;
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use weir_store::{
    BaseKind, Direction, Env, OpenError, RealEnv, SequenceError, Snapshot, Store, StoreOptions, Timestamp,
};

use crate::history::{END, Rows, count, difference};
use crate::options::{self, told};
use crate::{Answer, History};

/// How many commits show that the store works on.
const MORE_COMMITS: u64 = 12;
/// How long a folder may stay locked. A process that another test starts at this moment has the lock, too,
/// until it runs its own program.
const LOCKED_MAX: Duration = Duration::from_secs(5);
const LOCKED_POLL: Duration = Duration::from_millis(5);
/// And how long the flush takes to make room, at most.
const OVERLOADED_MAX: Duration = Duration::from_secs(20);
/// Longer than this nothing here takes unless it hangs.
const VERIFY_MAX: Duration = Duration::from_secs(60);

/// Opens the store in `dir`, on a thread of its own: its state is that after some commit of `history`, not
/// older than `answered`; it takes more commits and a checkpoint; closed and opened again it shows them; and a
/// check finds nothing wrong. Returns how far the state got.
///
/// # Errors
/// What is not so, in words.
pub fn verify(dir: &Path, base: BaseKind, history: History, answered: Option<Answer>) -> Result<u64, String> {
    let (tell, outcome) = mpsc::channel();
    let dir = dir.to_owned();
    let thread = RealEnv::new().spawn(
        "verify",
        Box::new(move || {
            // The receiver is gone when this took too long.
            let _ = tell.send(verify_here(&dir, base, history, answered));
        }),
    );
    match outcome.recv_timeout(VERIFY_MAX) {
        Ok(outcome) => outcome,
        Err(mpsc::RecvTimeoutError::Timeout) => Err(format!("it hangs for {VERIFY_MAX:?}")),
        Err(mpsc::RecvTimeoutError::Disconnected) => Err(match thread.join() {
            Err(panic) => format!("it panics: {}", panic_text(&*panic)),
            Ok(()) => "it ends without a word".to_owned(),
        }),
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no text")
}

fn verify_here(
    dir: &Path,
    base: BaseKind,
    history: History,
    answered: Option<Answer>,
) -> Result<u64, String> {
    let fatal: Arc<Mutex<Option<String>>> = Arc::default();
    let sink = Arc::clone(&fatal);
    let on_fatal = told(move |reason| *sink.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason));
    let options = StoreOptions { on_fatal, ..options::options(base, history.sizes) };
    let outcome = verify_with(dir, history, answered, &options);
    match fatal.lock().unwrap_or_else(PoisonError::into_inner).take() {
        Some(reason) => Err(format!("the store gives up: {reason}")),
        None => outcome,
    }
}

fn verify_with(
    dir: &Path,
    history: History,
    answered: Option<Answer>,
    options: &StoreOptions,
) -> Result<u64, String> {
    let store = open(dir, options).map_err(|error| format!("it does not open: {error}"))?;
    let reached = check_state(&store.snapshot_durable(), history)?;
    if let Some(Answer { number, ts }) = answered {
        if reached < number {
            return Err(format!("commit {number} was answered, and the folder has only {reached} commits"));
        }
        if store.durable() < Timestamp::from_nanos(ts) {
            return Err(format!("time went back: {:?}, and {ts} was answered", store.durable()));
        }
    }
    let before = store.durable();
    let last = reached + MORE_COMMITS;
    for number in reached + 1..=last {
        let ts = commit(&*store, history, number)?;
        store.wait_durable(ts).map_err(|error| format!("commit {number} is not answered: {error}"))?;
        if ts <= before {
            return Err(format!("time went back from {before:?} to {ts:?}"));
        }
    }
    store.checkpoint().map_err(|error| format!("no checkpoint: {error}"))?;
    expect_state(&store.snapshot_durable(), history, last, "after more commits and a checkpoint")?;
    store.close();
    drop(store);
    let store = open(dir, options).map_err(|error| format!("it does not open again: {error}"))?;
    expect_state(&store.snapshot_durable(), history, last, "after it was closed and opened")?;
    store.close();
    drop(store);
    check(dir)?;
    Ok(reached)
}

/// Everything in the folder can be read and is sound.
///
/// # Errors
/// The first of the problems.
pub fn check(dir: &Path) -> Result<(), String> {
    let report =
        unlocked(|| weir_store::check(dir)).map_err(|error| format!("it cannot be checked: {error}"))?;
    match report.problems.first() {
        Some(problem) => {
            Err(format!("a check finds {} problems; the first: {problem}", report.problems.len()))
        }
        None => Ok(()),
    }
}

fn open(dir: &Path, options: &StoreOptions) -> Result<Arc<dyn Store>, OpenError> {
    unlocked(|| options::open(dir, options.clone()))
}

/// Tries again while somebody else holds the folder.
fn unlocked<T>(act: impl Fn() -> Result<T, OpenError>) -> Result<T, OpenError> {
    let started = Instant::now();
    loop {
        match act() {
            Err(OpenError::Locked { .. }) if started.elapsed() < LOCKED_MAX => {
                std::thread::sleep(LOCKED_POLL);
            }
            outcome => return outcome,
        }
    }
}

/// A large commit is refused where the flush has to make room for it first; whoever makes it tries again, as clients do.
fn commit(store: &dyn Store, history: History, number: u64) -> Result<Timestamp, String> {
    let writes = history.writes(number);
    let started = Instant::now();
    loop {
        match store.sequence(&mut |_| writes.clone().into()) {
            Ok(sequenced) => return Ok(sequenced.ts),
            Err(SequenceError::Overloaded) if started.elapsed() < OVERLOADED_MAX => {
                std::thread::sleep(LOCKED_POLL);
            }
            Err(error) => return Err(format!("commit {number} is refused: {error}")),
        }
    }
}

/// The snapshot shows the state after some commit of `history`; returns which.
///
/// # Errors
/// What it shows instead.
pub fn check_state(snapshot: &Snapshot, history: History) -> Result<u64, String> {
    let rows = rows(snapshot)?;
    let reached = count(&rows).ok_or("there are rows and no count")?;
    match difference(&rows, &history.state_after(reached)) {
        Some(what) => Err(format!("the count is {reached}, and {what}")),
        None => Ok(reached),
    }
}

fn expect_state(snapshot: &Snapshot, history: History, number: u64, when: &str) -> Result<(), String> {
    match check_state(snapshot, history) {
        Ok(reached) if reached == number => Ok(()),
        Ok(reached) => Err(format!("{when}: {reached} commits instead of {number}")),
        Err(what) => Err(format!("{when}: {what}")),
    }
}

/// All rows, read both ways and one by one.
///
/// # Errors
/// The store's, or that the ways disagree.
pub fn rows(snapshot: &Snapshot) -> Result<Rows, String> {
    let scan = |direction| {
        let rows = snapshot.scan(b"", END, direction, usize::MAX);
        rows.map_err(|error| error.to_string())
    };
    let ascending = scan(Direction::Ascending)?;
    let mut descending = scan(Direction::Descending)?;
    descending.reverse();
    if ascending != descending {
        return Err("the two directions of a scan show different rows".to_owned());
    }
    for (key, value) in &ascending {
        if snapshot.get(key).map_err(|error| error.to_string())?.as_ref() != Some(value) {
            return Err(format!("a scan and a get of {} differ", String::from_utf8_lossy(key)));
        }
    }
    Ok(ascending.into_iter().collect())
}
