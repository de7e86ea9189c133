//! Settings of a store.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

const MIB: u64 = 1024 * 1024;

/// Settings of a store. The defaults suit a small server; tests make them smaller.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// A log segment that has grown to this size is followed by a new one. Default 64 MiB.
    pub segment_bytes: u64,
    /// The memory table is folded when its estimated size passes this. Default 64 MiB.
    pub memory_budget_bytes: u64,
    /// New commits are refused as overload when the memory table has reached this size in spite of the fold.
    /// Default 1 GiB.
    pub memory_max_bytes: u64,
    /// A checkpoint is taken when this much log has been written since the last one; it bounds the log on
    /// disk (to about twice this) and the time that a restart takes. Default 128 MiB.
    pub checkpoint_log_bytes: u64,
    /// Fold and checkpoint when nothing was committed for this long. Default one second.
    pub idle_before_fold: Duration,
    /// New commits are refused when the disk has less room than this, or than a sixteenth of its size if that
    /// is less: sled must never meet a full disk. Default 256 MiB.
    pub disk_reserve_bytes: u64,
    /// Bound of sled's page cache, which fills as data is read; a read that misses it costs about ten times
    /// as much. Default 128 MiB.
    pub fold_cache_bytes: u64,
    /// What to do when the log cannot be trusted any more. Default: end the process.
    pub on_fatal: FatalHandler,
}

impl Default for StoreOptions {
    fn default() -> StoreOptions {
        StoreOptions {
            segment_bytes: 64 * MIB,
            memory_budget_bytes: 64 * MIB,
            memory_max_bytes: 1024 * MIB,
            checkpoint_log_bytes: 128 * MIB,
            idle_before_fold: Duration::from_secs(1),
            disk_reserve_bytes: 256 * MIB,
            fold_cache_bytes: 128 * MIB,
            on_fatal: FatalHandler::abort(),
        }
    }
}

/// Called once, with the reason, when the store cannot go on: a sync failed (the page cache cannot be trusted
/// after that), the fold failed, or an observer panicked. When the handler returns the store refuses
/// everything new.
#[derive(Clone)]
pub struct FatalHandler(Arc<dyn Fn(&str) + Send + Sync>);

impl FatalHandler {
    /// Calls `handler` instead of ending the process: for tests.
    pub fn new(handler: impl Fn(&str) + Send + Sync + 'static) -> FatalHandler {
        FatalHandler(Arc::new(handler))
    }

    /// Says why on standard error and in the log, and aborts. The next start recovers what was durable.
    pub fn abort() -> FatalHandler {
        FatalHandler::new(|reason| {
            tracing::error!(
                reason,
                "the store cannot go on; the process ends so that a restart recovers from the log"
            );
            eprintln!("fatal: {reason}; the process ends so that a restart recovers from the log");
            std::process::abort();
        })
    }

    pub(crate) fn call(&self, reason: &str) {
        (self.0)(reason);
    }
}

impl fmt::Debug for FatalHandler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FatalHandler")
    }
}
