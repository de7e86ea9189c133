//! The fold: where commits go when the log lets go of them.
//!
//! A fold holds the newest folded value of each key and one *mark*: every commit up to the mark is in it,
//! durably. It may hold newer ones too, from an interrupted step; replaying the log from the mark on sets
//! that right, because writing a key again is harmless. Two tenants: sled, and rows in a
//! [`MemoryDisk`](crate::memory::MemoryDisk).
//!
//! Not here: versions. Who may see a key at which timestamp is decided before it is folded.

mod chunks;
mod escape;
mod memory_fold;
mod policy;
mod sled_fold;
mod worker;

use std::sync::Arc;

use bytes::Bytes;
use thiserror::Error;
use weir_value::Timestamp;

use crate::Direction;
use crate::memory_table::Interval;

pub(crate) use memory_fold::MemoryFold;
pub(crate) use policy::Pace;
pub(crate) use sled_fold::SledFold;
pub(crate) use worker::{FoldParts, FoldWorker, move_to_fold};

/// The fold failed. sled does not recover from an error of its disk, so there is no second try.
#[derive(Debug, Clone, Error)]
#[error("{action} the folded data failed: {source}")]
pub(crate) struct FoldError {
    action: &'static str,
    source: Arc<dyn std::error::Error + Send + Sync>,
}

impl FoldError {
    pub(crate) fn new(
        action: &'static str,
        source: impl std::error::Error + Send + Sync + 'static,
    ) -> FoldError {
        FoldError { action, source: Arc::new(source) }
    }
}

/// A value as a scan finds it; [`Fold::load`] makes bytes of it. So a scan does not read large values that
/// memory overrides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Slot {
    /// The value itself.
    Here(Bytes),
    /// A value kept in pieces: its commit and its length.
    Apart { ts: Timestamp, len: usize },
}

/// Rows of a scan.
pub(crate) type FoldScan<'a> = Box<dyn Iterator<Item = Result<(Bytes, Slot), FoldError>> + 'a>;

/// Folded rows. Readers come from any thread, writes from one.
pub(crate) trait Fold: Send + Sync + 'static {
    /// The value of `key`.
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, FoldError>;

    /// The rows of `interval`, which is not empty, in the given direction.
    fn scan<'a>(&'a self, interval: Interval<'a>, direction: Direction) -> FoldScan<'a>;

    /// The value of a row that a scan found.
    fn load(&self, key: &[u8], slot: Slot) -> Result<Bytes, FoldError>;

    /// Sets or deletes a key, as the commit `ts` did. Durable after the next `checkpoint`, maybe earlier.
    fn put(&self, key: &[u8], ts: Timestamp, value: Option<&Bytes>) -> Result<(), FoldError>;

    /// Every commit up to here is in the fold, durably.
    fn mark(&self) -> Result<Timestamp, FoldError>;

    /// Makes everything durable that was put, and only then the mark.
    fn checkpoint(&self, mark: Timestamp) -> Result<(), FoldError>;
}
