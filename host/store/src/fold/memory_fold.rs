//! Folded rows in a memory disk: the tenant of the store's twin.
//!
//! Not here: what a power failure leaves of them (see the disk).

use std::ops::Bound;

use bytes::Bytes;
use weir_value::Timestamp;

use super::{Fold, FoldError, FoldScan, Slot};
use crate::Direction;
use crate::disk::{FoldOp, MemoryDisk};
use crate::memory_table::Interval;

/// Rows in `disk`.
pub(crate) struct MemoryFold {
    disk: MemoryDisk,
}

impl MemoryFold {
    pub(crate) fn new(disk: MemoryDisk) -> MemoryFold {
        MemoryFold { disk }
    }

    fn sync(&self) -> Result<(), FoldError> {
        self.disk.sync_fold().map_err(|error| FoldError::new("syncing", error))
    }

    /// The first row of the interval, and how the interval goes on behind it.
    fn first(&self, low: &Bound<Bytes>, high: &Bound<Bytes>, direction: Direction) -> Option<(Bytes, Slot)> {
        let interval =
            Interval { low: low.as_ref().map(AsRef::as_ref), high: high.as_ref().map(AsRef::as_ref) };
        if interval.is_empty() {
            return None;
        }
        self.disk.read_fold(|fold| {
            let mut range = fold.rows.range::<[u8], _>((interval.low, interval.high));
            let row = match direction {
                Direction::Ascending => range.next(),
                Direction::Descending => range.next_back(),
            };
            row.map(|(key, (_, value))| (key.clone(), Slot::Here(value.clone())))
        })
    }
}

impl Fold for MemoryFold {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, FoldError> {
        Ok(self.disk.read_fold(|fold| fold.rows.get(key).map(|(_, value)| value.clone())))
    }

    fn scan<'a>(&'a self, interval: Interval<'a>, direction: Direction) -> FoldScan<'a> {
        let mut low = interval.low.map(Bytes::copy_from_slice);
        let mut high = interval.high.map(Bytes::copy_from_slice);
        Box::new(std::iter::from_fn(move || {
            let row = self.first(&low, &high, direction)?;
            match direction {
                Direction::Ascending => low = Bound::Excluded(row.0.clone()),
                Direction::Descending => high = Bound::Excluded(row.0.clone()),
            }
            Some(Ok(row))
        }))
    }

    fn load(&self, _key: &[u8], slot: Slot) -> Result<Bytes, FoldError> {
        match slot {
            Slot::Here(value) => Ok(value),
            Slot::Apart { .. } => Err(FoldError::new(
                "reading",
                std::io::Error::other("a memory fold keeps no value in pieces"),
            )),
        }
    }

    fn put(&self, key: &[u8], ts: Timestamp, value: Option<&Bytes>) -> Result<(), FoldError> {
        self.disk.change_fold(FoldOp::Put { key: Bytes::copy_from_slice(key), ts, value: value.cloned() });
        Ok(())
    }

    fn mark(&self) -> Result<Timestamp, FoldError> {
        Ok(self.disk.read_fold(|fold| fold.mark))
    }

    fn checkpoint(&self, mark: Timestamp) -> Result<(), FoldError> {
        self.sync()?;
        self.disk.change_fold(FoldOp::Mark(mark));
        self.sync()
    }
}
