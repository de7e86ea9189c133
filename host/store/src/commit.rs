//! What is written: single writes, commits, groups of commits.
//!
//! Not here: how they are encoded (see the log) or where they are kept.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use weir_value::Timestamp;

/// Tells a store's files from those of any other: 8 random bytes, made with it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct StoreId(pub(crate) [u8; 8]);

impl std::fmt::Debug for StoreId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// One key set or deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The key; any bytes, also none at all.
    pub key: Bytes,
    /// The new value; `None` deletes the key.
    pub value: Option<Bytes>,
}

/// What one transaction does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// What is written. When a key stands here twice, the later write counts.
    pub writes: Vec<Write>,
    /// Keys that are announced to observers together with the written ones, although nothing is written under
    /// them. They are neither logged nor replayed.
    pub touched: Vec<Bytes>,
}

impl From<Vec<Write>> for Changes {
    fn from(writes: Vec<Write>) -> Changes {
        Changes { writes, touched: Vec::new() }
    }
}

/// The changes of one transaction, all or nothing, visible from `ts` on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// When: unique, and larger than that of every commit before it.
    pub ts: Timestamp,
    /// What was written, never empty. When a key stands here twice, the later write counts.
    pub writes: Vec<Write>,
    /// See [`Changes::touched`]; empty in a commit that was read back from the log.
    pub touched: Vec<Bytes>,
}

impl Commit {
    /// Every key that the commit concerns: those that were written, and those that were touched.
    pub fn keys(&self) -> impl Iterator<Item = &Bytes> {
        self.writes.iter().map(|write| &write.key).chain(&self.touched)
    }
}

/// Commits made durable by one sync, in the order of their timestamps; never empty.
#[derive(Debug, Clone)]
pub struct CommitGroup {
    /// Oldest first.
    pub commits: Vec<Arc<Commit>>,
}

impl CommitGroup {
    /// The timestamp of the newest commit of the group.
    pub fn last_ts(&self) -> Timestamp {
        self.commits.last().map_or(Timestamp::ZERO, |commit| commit.ts)
    }
}

/// Is told of every group as it becomes durable.
pub trait GroupObserver: Send + Sync {
    /// Called on the log thread, in order, after the group was synced and
    /// [`Store::snapshot_durable`](crate::Store::snapshot_durable) shows exactly its last commit.
    ///
    /// The next group waits until this returns, so hand the work over and return. A panic here ends the
    /// process as a failed sync does, because a listener that missed a group would be wrong from then on.
    fn group_durable(&self, group: &CommitGroup);

    /// Called just before that, with how long writing and syncing the group has taken, and how long the first of its
    /// commits has waited since it was sequenced, the writing included.
    fn group_written(&self, took: Duration, waited: Duration) {
        let _ = (took, waited);
    }
}
