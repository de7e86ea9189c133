//! The store's counters.
//!
//! Not here: how metrics are named or served.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use weir_value::Timestamp;

/// Counters since the store was opened, and sizes at the moment of the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StoreStats {
    /// Syncs of the log that made a group durable.
    pub syncs: u64,
    /// Groups made durable.
    pub groups: u64,
    /// Commits made durable.
    pub commits: u64,
    /// Bytes of log records written.
    pub bytes_logged: u64,
    /// Estimated size of the memory table.
    pub memory_bytes: u64,
    /// Keys in the memory table.
    pub memory_keys: u64,
    /// Log segments on disk, the one being written included.
    pub segments: u64,
    /// Bytes of log records since the last checkpoint: about what a restart would replay.
    pub replay_bytes: u64,
    /// Commits replayed when the store was opened.
    pub replayed_commits: u64,
    /// Bytes of a torn end that were cut from the log when the store was opened.
    pub cut_bytes: u64,
    /// Everything up to here is in the base, durably: a restart replays what is newer.
    pub checkpoint: Timestamp,
    /// Keys written to the base.
    pub flushed_keys: u64,
    /// Checkpoints completed.
    pub checkpoints: u64,
    /// Snapshots that are open.
    pub snapshots: u64,
    /// Everything up to here is durable, and is shown by every snapshot that is open or will be opened.
    pub floor: Timestamp,
    /// Whether new commits are refused because the disk is full.
    pub disk_full: bool,
    /// Whether no commit will be accepted any more: the store was closed, or has failed.
    pub is_closed: bool,
}

/// Counted as it happens.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) groups: AtomicU64,
    pub(crate) commits: AtomicU64,
    pub(crate) bytes_logged: AtomicU64,
    pub(crate) flushed_keys: AtomicU64,
    checkpoints: AtomicU64,
    /// Found in the log when it was opened.
    replayed_bytes: u64,
    pub(crate) replayed_commits: u64,
    pub(crate) cut_bytes: u64,
    /// Position of the log, counted from what was found, at the last checkpoint.
    checkpoint_position: AtomicU64,
    last_group_ns: AtomicU64,
}

impl Counters {
    pub(crate) fn new(replayed_bytes: u64, replayed_commits: u64, cut_bytes: u64) -> Counters {
        Counters { replayed_bytes, replayed_commits, cut_bytes, ..Counters::default() }
    }

    /// A group became durable at that time of the monotonic clock.
    pub(crate) fn note_group(&self, commits: usize, bytes: u64, at: Duration) {
        self.groups.fetch_add(1, Ordering::Relaxed);
        self.commits.fetch_add(commits as u64, Ordering::Relaxed);
        self.bytes_logged.fetch_add(bytes, Ordering::Relaxed);
        self.last_group_ns.store(u64::try_from(at.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// A checkpoint of everything up to that position was completed.
    pub(crate) fn note_checkpoint(&self, position: u64) {
        self.checkpoints.fetch_add(1, Ordering::Relaxed);
        self.checkpoint_position.store(position, Ordering::Relaxed);
    }

    /// Bytes of log, counted from what was found when it was opened.
    pub(crate) fn logged_position(&self) -> u64 {
        self.replayed_bytes + self.bytes_logged.load(Ordering::Relaxed)
    }

    /// Bytes of log since the last checkpoint.
    pub(crate) fn replay_bytes(&self) -> u64 {
        self.logged_position().saturating_sub(self.checkpoint_position.load(Ordering::Relaxed))
    }

    /// When the last group became durable, by the monotonic clock.
    pub(crate) fn last_group_at(&self) -> Duration {
        Duration::from_nanos(self.last_group_ns.load(Ordering::Relaxed))
    }

    /// The part of the statistics that is counted here.
    pub(crate) fn snapshot(&self) -> StoreStats {
        let groups = self.groups.load(Ordering::Relaxed);
        StoreStats {
            // One sync a group, and a group counts when its sync has succeeded.
            syncs: groups,
            groups,
            commits: self.commits.load(Ordering::Relaxed),
            bytes_logged: self.bytes_logged.load(Ordering::Relaxed),
            replay_bytes: self.replay_bytes(),
            replayed_commits: self.replayed_commits,
            cut_bytes: self.cut_bytes,
            flushed_keys: self.flushed_keys.load(Ordering::Relaxed),
            checkpoints: self.checkpoints.load(Ordering::Relaxed),
            ..StoreStats::default()
        }
    }
}
