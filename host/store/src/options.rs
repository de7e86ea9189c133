//! Settings of a store.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

const MIB: u64 = 1024 * 1024;

/// Which library keeps the base tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BaseKind {
    /// sled 0.34.
    Sled,
    /// redb: a copy-on-write B-tree in one file.
    Redb,
}

impl BaseKind {
    /// Every kind.
    pub const ALL: [BaseKind; 2] = [BaseKind::Sled, BaseKind::Redb];

    /// Its name, in settings and in the data folder.
    pub fn name(self) -> &'static str {
        match self {
            BaseKind::Sled => "sled",
            BaseKind::Redb => "redb",
        }
    }
}

impl fmt::Display for BaseKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for BaseKind {
    type Err = String;

    fn from_str(name: &str) -> Result<BaseKind, String> {
        let kind = BaseKind::ALL.into_iter().find(|kind| kind.name() == name);
        kind.ok_or_else(|| format!("{name:?} is not a base: choose sled or redb"))
    }
}

/// Settings of a store. The defaults suit a small server; tests make them smaller.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// What keeps the base tree; it must be what the folder has. Default: what the folder has, and in a new
    /// one [`StoreOptions::NEW_BASE`].
    pub base: Option<BaseKind>,
    /// A log segment that has grown to this size is followed by a new one. Default 16 MiB.
    pub segment_bytes: u64,
    /// Space that the log keeps allocated for commits to come, so that what was sequenced never meets a full
    /// disk. Default 4 MiB.
    pub log_room_bytes: u64,
    /// What the store may keep in memory, roughly: the memory table up to a half of it, the base's cache three
    /// sixteenths, rows that were read by key half as much. Flushing begins when the table has an eighth, commits
    /// are slowed from a quarter on, and refused as overload at a half, large ones when three eighths of that are
    /// left. Default 256 MiB.
    pub memory_bytes: u64,
    /// A checkpoint is taken when this much log has been written since the last one; it bounds the log on
    /// disk (to about twice this) and the time that a restart takes. Default 48 MiB.
    pub checkpoint_log_bytes: u64,
    /// Flush and checkpoint when nothing was committed for this long. Default one second.
    pub idle_before_flush: Duration,
    /// New commits are refused when the disk has less room than this, or than a sixteenth of its size if that
    /// is less. Default 256 MiB.
    pub disk_reserve_bytes: u64,
    /// When a call into the base has not returned for this long, the process ends. Default 60 seconds.
    pub base_stall_max: Duration,
    /// What to do when the store cannot go on. Default: end the process.
    pub on_fatal: FatalHandler,
}

impl StoreOptions {
    /// What keeps the base of a new folder.
    pub const NEW_BASE: BaseKind = BaseKind::Redb;

    /// The smallest budget that the parts can be cut from.
    pub const MEMORY_BYTES_MIN: u64 = 16 * MIB;

    /// The memory table is flushed when its estimated size passes this.
    pub(crate) fn flush_bytes(&self) -> u64 {
        self.memory_bytes / 8
    }

    /// Commits are slowed to the speed of the flush from here on.
    pub(crate) fn slow_bytes(&self) -> u64 {
        self.memory_bytes / 4
    }

    /// Commits are refused when the memory table has reached this size in spite of the flush.
    pub(crate) fn table_bytes_max(&self) -> u64 {
        self.memory_bytes / 2
    }

    /// Bound of the rows that are remembered because they were read by key.
    pub(crate) fn rows_bytes(&self) -> u64 {
        self.memory_bytes / 32 * 3
    }

    /// Bound of the base's cache.
    pub(crate) fn cache_bytes(&self) -> u64 {
        self.memory_bytes / 16 * 3
    }
}

impl Default for StoreOptions {
    fn default() -> StoreOptions {
        StoreOptions {
            base: None,
            segment_bytes: 16 * MIB,
            log_room_bytes: 4 * MIB,
            memory_bytes: 256 * MIB,
            checkpoint_log_bytes: 48 * MIB,
            idle_before_flush: Duration::from_secs(1),
            disk_reserve_bytes: 256 * MIB,
            base_stall_max: Duration::from_secs(60),
            on_fatal: FatalHandler::abort(),
        }
    }
}

/// Called once, with the reason, when the store cannot go on: a sync failed (the page cache cannot be trusted
/// after that), the base failed or does not answer, or an observer panicked. When the handler returns the
/// store refuses everything new.
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
