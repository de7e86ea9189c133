//! What the database has done since it was opened.
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counters since the database was opened. They only grow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DbStats {
    /// Mutations that wrote something and were given a timestamp.
    pub commits: u64,
    /// Optimistic runs whose read set had changed before they could commit.
    pub conflicts: u64,
    /// Runs in serial execution, after a conflict or because the function conflicts often.
    pub serial_runs: u64,
    /// Mutations answered from the record of an earlier run.
    pub replays: u64,
    /// Runs of queries.
    pub query_runs: u64,
    /// Runs of mutations, optimistic and serial.
    pub mutation_runs: u64,
    /// Runs of actions, HTTP actions included.
    pub action_runs: u64,
    /// Calls that ended with an error, of any kind.
    pub failures: u64,
    /// Mutations that the store took no writes of: a full disk, too much waiting, the end of the store.
    pub refusals: u64,
    /// Session records that were swept away.
    pub session_requests_swept: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) commits: AtomicU64,
    pub(crate) conflicts: AtomicU64,
    pub(crate) serial_runs: AtomicU64,
    pub(crate) replays: AtomicU64,
    pub(crate) query_runs: AtomicU64,
    pub(crate) mutation_runs: AtomicU64,
    pub(crate) action_runs: AtomicU64,
    pub(crate) failures: AtomicU64,
    pub(crate) refusals: AtomicU64,
    pub(crate) session_requests_swept: AtomicU64,
}

impl Counters {
    pub(crate) fn read(&self) -> DbStats {
        DbStats {
            commits: self.commits.load(Relaxed),
            conflicts: self.conflicts.load(Relaxed),
            serial_runs: self.serial_runs.load(Relaxed),
            replays: self.replays.load(Relaxed),
            query_runs: self.query_runs.load(Relaxed),
            mutation_runs: self.mutation_runs.load(Relaxed),
            action_runs: self.action_runs.load(Relaxed),
            failures: self.failures.load(Relaxed),
            refusals: self.refusals.load(Relaxed),
            session_requests_swept: self.session_requests_swept.load(Relaxed),
        }
    }
}

/// Adds one.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}

/// Adds some.
pub(crate) fn add(counter: &AtomicU64, number: u64) {
    counter.fetch_add(number, Relaxed);
}
