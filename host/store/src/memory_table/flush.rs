//! How the flush takes versions out of a memory table.

use std::collections::BTreeSet;
use std::ops::Bound;

use bytes::Bytes;
use weir_value::Timestamp;

use super::shard::Change;
use super::{MemoryTable, TableKey};
use crate::rows::Rows;

/// Entries that are taken out of memory while nobody can scan it.
const REMOVED_AT_ONCE: usize = 64;
/// A value that is larger is not copied.
const COPIED_BYTES_MAX: usize = 1024;

/// How much one slice of a flush takes at most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SliceBounds {
    pub(crate) entries: usize,
    /// Of keys and values. One entry is taken however large it is.
    pub(crate) bytes: usize,
}

/// What one slice of a flush moves.
#[derive(Debug, Default)]
pub(crate) struct FlushSlice {
    /// For each key the newest version up to the bound.
    pub(crate) entries: Vec<FlushEntry>,
    /// The last key looked at; `None` at the end of the table.
    pub(crate) reached: Option<TableKey>,
}

/// One key to be flushed.
#[derive(Debug)]
pub(crate) struct FlushEntry {
    pub(crate) key: TableKey,
    pub(crate) ts: Timestamp,
    pub(crate) value: Option<Bytes>,
}

/// Small values of a slice, in few allocations: to share each would write to its own count, which nobody else has looked at.
#[derive(Default)]
struct Values {
    copies: Rows,
    /// Whose they are.
    entries: Vec<usize>,
}

impl Values {
    /// Gives a large value at once, and a small one later.
    fn take(&mut self, entry: usize, value: &Bytes) -> Option<Bytes> {
        if value.len() > COPIED_BYTES_MAX {
            return Some(value.clone());
        }
        self.copies.push_copy(&[], value);
        self.entries.push(entry);
        None
    }

    fn give(self, entries: &mut [FlushEntry]) {
        for (entry, (_, value)) in self.entries.into_iter().zip(self.copies.finish()) {
            entries[entry].value = Some(value);
        }
    }
}

impl MemoryTable {
    /// The entries behind `after` that can be flushed up to `bound`, which is the same in all slices of a pass. Looks at no
    /// more than sixteen times as many keys as it may take.
    pub(crate) fn flushable(
        &self,
        after: Option<&[u8]>,
        bound: Timestamp,
        bounds: SliceBounds,
    ) -> FlushSlice {
        let low = after.map_or(Bound::Unbounded, Bound::Excluded);
        // Keys that came after the first slice have nothing up to the bound.
        let sorted = if after.is_none() { self.order.sorted() } else { self.order.as_sorted() };
        let mut slice = FlushSlice::default();
        let mut values = Values::default();
        let mut bytes = 0;
        for (looked_at, key) in sorted.range::<[u8], _>((low, Bound::Unbounded)).enumerate() {
            let (shard, hash) = self.shard(key);
            if let Some((ts, value)) = shard.read().version(hash, key, bound) {
                bytes += key.len() + value.as_ref().map_or(0, Bytes::len);
                let value = value.as_ref().and_then(|value| values.take(slice.entries.len(), value));
                slice.entries.push(FlushEntry { key: key.clone(), ts: *ts, value });
            }
            let is_full = slice.entries.len() == bounds.entries || bytes >= bounds.bytes;
            if is_full || looked_at + 1 == bounds.entries * 16 {
                slice.reached = Some(key.clone());
                break;
            }
        }
        values.give(&mut slice.entries);
        slice
    }

    /// Takes out the versions up to `bound` of the keys in `slice`, which must be in the base by now. Returns how
    /// much memory that gives back.
    pub(crate) fn remove_flushed(&self, slice: &FlushSlice, bound: Timestamp) -> u64 {
        let mut change = Change::default();
        for entries in slice.entries.chunks(REMOVED_AT_ONCE) {
            // Held over both, the entry and its place in the order: in between the key could come again, and be sorted in.
            let mut sorted = self.order.as_sorted_mut();
            self.remove_entries(&mut sorted, entries, bound, &mut change);
        }
        self.note(&change);
        if slice.reached.is_none() {
            self.shards.iter().for_each(|shard| shard.write().shrink(&self.hasher));
        }
        change.freed
    }

    fn remove_entries(
        &self,
        sorted: &mut BTreeSet<TableKey>,
        entries: &[FlushEntry],
        bound: Timestamp,
        change: &mut Change,
    ) {
        for FlushEntry { key, .. } in entries {
            let (shard, hash) = self.shard(key);
            if shard.write().settle(hash, key, bound, self.remembered_max, change) {
                sorted.remove(&key[..]);
            }
        }
    }
}
