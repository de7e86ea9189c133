//! What a pool counts, for who watches it.
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use bytes::Bytes;
use weir_db::FunctionError;
use weir_value::ErrorCode;

/// Figures of a pool as they are now; those that end in `_total` since it was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NodeFigures {
    /// Children that there are.
    pub processes: usize,
    /// Places that are taken: calls that work, and do not wait for other actions.
    pub busy: usize,
    /// Calls that wait for their first place.
    pub waiting: usize,
    /// Children that were started.
    pub started_total: u64,
    /// Calls that have come to an end, those that failed included. One that was given up has none.
    pub calls_total: u64,
    /// Calls that ended with an error, the function's own or the host's.
    pub failures_total: u64,
    /// Calls that were ended because they computed for too long.
    pub timeouts_total: u64,
    /// Calls that were ended because their child held too much memory.
    pub out_of_memory_total: u64,
}

/// What is counted as calls come and go.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    waiting: AtomicUsize,
    pub(crate) started: AtomicU64,
    calls: AtomicU64,
    failures: AtomicU64,
    timeouts: AtomicU64,
    out_of_memory: AtomicU64,
}

/// A call that waits, until this is dropped.
pub(crate) struct Waits<'a>(&'a AtomicUsize);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Counted {
    pub(crate) fn waits(&self) -> Waits<'_> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        Waits(&self.waiting)
    }

    /// A call has come to an end.
    pub(crate) fn ended(&self, result: &Result<Bytes, FunctionError>) {
        count(&self.calls);
        let Err(error) = result else { return };
        count(&self.failures);
        match error {
            FunctionError::Timeout { .. } => count(&self.timeouts),
            FunctionError::Limit { code: ErrorCode::OutOfMemory, .. } => count(&self.out_of_memory),
            _ => {}
        }
    }

    /// The figures, of which a pool has so many children and taken places.
    pub(crate) fn figures(&self, processes: usize, busy: usize) -> NodeFigures {
        let total = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        NodeFigures {
            processes,
            busy,
            waiting: self.waiting.load(Ordering::Relaxed),
            started_total: total(&self.started),
            calls_total: total(&self.calls),
            failures_total: total(&self.failures),
            timeouts_total: total(&self.timeouts),
            out_of_memory_total: total(&self.out_of_memory),
        }
    }
}

pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
