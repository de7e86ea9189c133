//! Rows in a memory disk: the tree of the store's twin.
//!
//! Not here: what a power failure leaves of them (see the disk).

use std::ops::Bound;

use bytes::Bytes;

use super::tree::{Entries, Space, Tree, TreeWriter, Work, end_of_prefix};
use super::{BaseError, prefix_range};
use crate::Direction;
use crate::disk::{MemoryDisk, TreeChange};
use crate::memory_table::Interval;

/// Maps in `disk`.
pub(crate) struct MemoryTree {
    disk: MemoryDisk,
}

impl MemoryTree {
    pub(crate) fn new(disk: MemoryDisk) -> MemoryTree {
        MemoryTree { disk }
    }

    /// The first entry between two keys that hold their space.
    fn first(&self, low: &Bound<Bytes>, high: &Bound<Bytes>, direction: Direction) -> Option<(Bytes, Bytes)> {
        let interval =
            Interval { low: low.as_ref().map(AsRef::as_ref), high: high.as_ref().map(AsRef::as_ref) };
        if interval.is_empty() {
            return None;
        }
        self.disk.read_rows(|rows| {
            let mut range = rows.range::<[u8], _>((interval.low, interval.high));
            let entry = match direction {
                Direction::Ascending => range.next(),
                Direction::Descending => range.next_back(),
            };
            entry.map(|(key, value)| (key.clone(), value.clone()))
        })
    }
}

/// A key as the disk keeps it.
fn spaced(space: Space, key: &[u8]) -> Bytes {
    [&[space as u8][..], key].concat().into()
}

impl Tree for MemoryTree {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Bytes>, BaseError> {
        Ok(self.disk.read_rows(|rows| rows.get(&spaced(space, key)).cloned()))
    }

    fn range<'a>(
        &'a self,
        space: Space,
        interval: Interval<'a>,
        direction: Direction,
    ) -> Result<Entries<'a>, BaseError> {
        let mut low = match interval.low {
            Bound::Unbounded => Bound::Included(spaced(space, b"")),
            bound => bound.map(|key| spaced(space, key)),
        };
        let mut high = match interval.high {
            Bound::Unbounded => Bound::Excluded(Bytes::copy_from_slice(&[space as u8 + 1])),
            bound => bound.map(|key| spaced(space, key)),
        };
        Ok(Box::new(std::iter::from_fn(move || {
            let (key, value) = self.first(&low, &high, direction)?;
            match direction {
                Direction::Ascending => low = Bound::Excluded(key.clone()),
                Direction::Descending => high = Bound::Excluded(key.clone()),
            }
            Some(Ok((key.slice(1..), value)))
        })))
    }

    fn write(&self, work: &mut Work<'_>) -> Result<(), BaseError> {
        work(&mut Writer { tree: self })
    }

    fn sync(&self) -> Result<(), BaseError> {
        self.disk.sync_rows().map_err(|error| BaseError::new("syncing", error))
    }

    fn may_fall_back(&self) -> bool {
        true
    }

    fn room_needed(&self) -> u64 {
        0
    }

    fn check(&self) -> Result<(), BaseError> {
        Ok(())
    }

    fn is_waiting_for_room(&self) -> bool {
        false
    }

    fn gave_up(&self) -> bool {
        false
    }

    fn stop(&self) {}
}

struct Writer<'a> {
    tree: &'a MemoryTree,
}

impl TreeWriter for Writer<'_> {
    fn insert(&mut self, space: Space, key: &[u8], value: &[u8]) -> Result<Option<Bytes>, BaseError> {
        let value = Some(Bytes::copy_from_slice(value));
        Ok(self.tree.disk.change_row(TreeChange { key: spaced(space, key), value }))
    }

    fn remove(&mut self, space: Space, key: &[u8]) -> Result<Option<Bytes>, BaseError> {
        Ok(self.tree.disk.change_row(TreeChange { key: spaced(space, key), value: None }))
    }

    fn keys(&self, space: Space, prefix: &[u8]) -> Result<Vec<Bytes>, BaseError> {
        let end = end_of_prefix(prefix);
        let entries = self.tree.range(space, prefix_range(prefix, &end), Direction::Ascending)?;
        entries.map(|entry| entry.map(|(key, _)| key)).collect()
    }
}
