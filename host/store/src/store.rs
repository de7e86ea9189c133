//! The trait that the rooms above see, and the errors of its operations.
//!
//! Not here: any tenant of it (see `engine`).

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use weir_value::Timestamp;

use crate::{Changes, ConsumerError, GroupObserver, Joining, LogConsumer, Snapshot, StoreStats};

/// A transactional log of byte keys and byte values.
///
/// Closing is a call, not a drop: [`Store::close`] writes and syncs what is left, whoever still holds the
/// store. Dropping the last handle closes too.
pub trait Store: Send + Sync + 'static {
    /// A snapshot of the newest commit, which may not be durable yet: nothing that was read in it may be
    /// answered before [`Store::durable`] has reached [`Snapshot::ts`].
    fn snapshot_sequenced(&self) -> Snapshot;

    /// A snapshot of the newest durable commit.
    fn snapshot_durable(&self) -> Snapshot;

    /// The timestamp of the newest commit; [`Timestamp::ZERO`] in a new store.
    fn sequenced(&self) -> Timestamp;

    /// The timestamp of the newest durable commit; it never goes back and never passes [`Store::sequenced`].
    fn durable(&self) -> Timestamp;

    /// Gives the next timestamp to the changes that `make` returns. Their writes are visible to
    /// [`Store::snapshot_sequenced`] when this returns, all at once, and queued for the log.
    ///
    /// Calls are serialized: while `make` runs nothing else is sequenced, so it can check for conflicts. It
    /// may open and read snapshots but must not call `sequence`. When it returns no writes nothing is
    /// committed, its timestamp goes back, and the result is that of the newest commit
    /// ([`Store::sequenced`]). When it panics nothing is committed.
    ///
    /// # Errors
    /// See [`SequenceError`]; nothing was committed.
    fn sequence(&self, make: &mut dyn FnMut(Timestamp) -> Changes) -> Result<Sequenced, SequenceError>;

    /// Says that the caller is about to commit, so that the log may wait for him, a moment.
    fn joining(&self) -> Joining;

    /// Adds an observer of all groups from the next one on.
    fn observe(&self, observer: Arc<dyn GroupObserver>);

    /// Blocks until [`Store::durable`] is at least `ts`.
    ///
    /// # Errors
    /// The store closed or failed before `ts` became durable.
    fn wait_durable(&self, ts: Timestamp) -> Result<(), StoreClosed>;

    /// Flushes everything that open snapshots allow into the base, syncs it, and lets go of the log that nobody
    /// needs any more. Blocks until that is done; does nothing when the disk has no room for it. The store
    /// does this by itself; asking helps before a backup.
    ///
    /// # Errors
    /// The store closed or failed meanwhile.
    fn checkpoint(&self) -> Result<(), StoreClosed>;

    /// Reads the log as the consumer of that name: what is durable, group by group, from where it stood when it
    /// was here last. A new one begins at [`Store::durable`]. The log keeps what a consumer has not read, over
    /// restarts too, until [`Store::remove_consumer`].
    ///
    /// # Errors
    /// The name is not valid, or the disk refuses.
    fn consumer(&self, name: &str) -> Result<LogConsumer, ConsumerError>;

    /// Forgets a consumer; returns whether there was one.
    ///
    /// # Errors
    /// The disk refuses.
    fn remove_consumer(&self, name: &str) -> Result<bool, ConsumerError>;

    /// Counters, for metrics and tests.
    fn stats(&self) -> StoreStats;

    /// Refuses new commits, syncs those that are queued, tells the observers, ends the threads. What is not in
    /// the base yet is flushed when that is done in a moment, and else replayed by the next start. Snapshots
    /// stay readable. Idempotent; returns when all of it is done.
    fn close(&self);
}

/// A commit that was sequenced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sequenced {
    /// Its timestamp.
    pub ts: Timestamp,
    /// How long whoever wrote it should wait before writing more, five seconds at most: it was large, and memory fills faster
    /// than the flush empties it. Who does not wait is refused sooner. Wait where that holds up nobody else.
    pub pause: Duration,
}

/// Why a commit was not sequenced. Nothing of it was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SequenceError {
    /// The disk is full, or nearly so. Commits that were sequenced before are written as soon as there is
    /// room, and from then on new ones are accepted again.
    #[error(
        "the disk that holds the data folder is full, nothing can be written; free some space on it and writing \
         goes on by itself"
    )]
    DiskFull,
    /// More recent writes are held in memory than the store may hold, because an open snapshot or a slow disk
    /// keeps them from being flushed. Large commits are refused earlier than small ones. Try again later.
    #[error("too many recent writes are waiting to be flushed to disk; try again in a moment")]
    Overloaded,
    /// The commit alone is larger than a log record may be.
    #[error(
        "the commit has {size_bytes} bytes, more than the {max_bytes} that fit into one log record; \
         write less at once"
    )]
    TooLarge {
        /// Size of its keys and values.
        size_bytes: u64,
        /// What is allowed.
        max_bytes: u64,
    },
    /// The store was closed, or failed.
    #[error("the store is closed")]
    Closed,
}

/// The store was closed, or failed, before what was waited for happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the store is closed")]
pub struct StoreClosed;
