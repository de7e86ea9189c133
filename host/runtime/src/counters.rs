//! What the runtime counts, for the host's metrics and for tests that must know what did *not* happen.
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use weir_db::FunctionError;

/// What the runtime has done since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RuntimeStats {
    /// Calls of functions that ended, in whichever way.
    pub calls: u64,
    /// Of these, the ones that trapped.
    pub traps: u64,
    /// Of these, the ones that ran out of time.
    pub timeouts: u64,
    /// Of these, the ones that hit another limit.
    pub limits: u64,
    /// Instances that were made for a query or a mutation.
    pub instances_made: u64,
    /// Queries and mutations that began in an instance that was set back after a call before.
    pub instances_reused: u64,
    /// Components that were compiled.
    pub compiles: u64,
    /// The time that took.
    pub compile_time: Duration,
    /// Components that were mapped from the folder of compiled code.
    pub cached_loads: u64,
    /// The time that took.
    pub cached_load_time: Duration,
    /// Components that a deployment before had loaded already.
    pub shared_loads: u64,
}

/// The counters themselves.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    calls: AtomicU64,
    traps: AtomicU64,
    timeouts: AtomicU64,
    limits: AtomicU64,
    instances_made: AtomicU64,
    instances_reused: AtomicU64,
    compiles: AtomicU64,
    compile_nanos: AtomicU64,
    cached_loads: AtomicU64,
    cached_load_nanos: AtomicU64,
    shared_loads: AtomicU64,
}

impl Counters {
    /// A call ended.
    pub(crate) fn call_ended<R>(&self, result: &Result<R, FunctionError>) {
        count(&self.calls);
        match result {
            Err(FunctionError::Trap { .. }) => count(&self.traps),
            Err(FunctionError::Timeout { .. }) => count(&self.timeouts),
            Err(FunctionError::Limit { .. }) => count(&self.limits),
            _ => {}
        }
    }

    /// A call began in an instance that was there, or in a new one.
    pub(crate) fn began_in_instance(&self, is_reused: bool) {
        count(if is_reused { &self.instances_reused } else { &self.instances_made });
    }

    /// A component was compiled.
    pub(crate) fn compiled(&self, took: Duration) {
        count(&self.compiles);
        add_time(&self.compile_nanos, took);
    }

    /// A component was mapped from disk.
    pub(crate) fn loaded_from_cache(&self, took: Duration) {
        count(&self.cached_loads);
        add_time(&self.cached_load_nanos, took);
    }

    /// A component was in memory already.
    pub(crate) fn shared(&self) {
        count(&self.shared_loads);
    }

    /// All of them. Each is exact; together they are not one snapshot.
    pub(crate) fn stats(&self) -> RuntimeStats {
        RuntimeStats {
            calls: read(&self.calls),
            traps: read(&self.traps),
            timeouts: read(&self.timeouts),
            limits: read(&self.limits),
            instances_made: read(&self.instances_made),
            instances_reused: read(&self.instances_reused),
            compiles: read(&self.compiles),
            compile_time: Duration::from_nanos(read(&self.compile_nanos)),
            cached_loads: read(&self.cached_loads),
            cached_load_time: Duration::from_nanos(read(&self.cached_load_nanos)),
            shared_loads: read(&self.shared_loads),
        }
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

fn add_time(counter: &AtomicU64, took: Duration) {
    counter.fetch_add(took.as_nanos().try_into().unwrap_or(u64::MAX), Ordering::Relaxed);
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}
