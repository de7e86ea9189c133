//! How the flush takes versions out of a memory table.
//!
//! Many keys at once, part by part of the table: they are nowhere near each other, and a lock for each would have the
//! processor wait for the memory of one before it asks for the next one's.

use std::collections::BTreeSet;
use std::ops::Bound;

use bytes::Bytes;
use parking_lot::RwLock;
use smallvec::SmallVec;
use weir_value::Timestamp;

use super::shard::{Change, Shard};
use super::{MemoryTable, TableKey, shard_number};
use crate::rows::Rows;

/// Entries that are taken out of memory while nobody can scan it: some ten microseconds.
const REMOVED_AT_ONCE: usize = 256;
/// So many keys are looked at for each that may be taken.
const LOOKS_FOR_EACH: usize = 16;
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
    /// The hash of each key.
    hashes: Vec<u64>,
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

    fn give(self, entries: &mut [Option<FlushEntry>]) {
        for (at, (_, value)) in self.entries.into_iter().zip(self.copies.finish()) {
            if let Some(entry) = &mut entries[at] {
                entry.value = Some(value);
            }
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
        let mut keys = sorted.range::<[u8], _>((low, Bound::Unbounded));
        let mut slice = FlushSlice::default();
        let (mut bytes, mut looks_left) = (0, bounds.entries * LOOKS_FOR_EACH);
        loop {
            let wanted = (bounds.entries - slice.entries.len()).min(looks_left);
            let keys: Vec<&TableKey> = keys.by_ref().take(wanted).collect();
            if keys.is_empty() {
                return slice;
            }
            looks_left -= keys.len();
            let hashes: Vec<u64> = keys.iter().map(|key| self.hasher.hash(key)).collect();
            let found = self.versions(&keys, &hashes, bound);
            for ((key, hash), entry) in keys.iter().zip(hashes).zip(found) {
                if let Some(entry) = entry {
                    bytes += entry.key.len() + entry.value.as_ref().map_or(0, Bytes::len);
                    slice.entries.push(entry);
                    slice.hashes.push(hash);
                }
                if slice.entries.len() == bounds.entries || bytes >= bounds.bytes {
                    slice.reached = Some(TableKey::clone(key));
                    return slice;
                }
            }
            if looks_left == 0 {
                slice.reached = keys.last().map(|key| TableKey::clone(key));
                return slice;
            }
        }
    }

    /// The newest version of each key up to `bound`, if there is one.
    fn versions(&self, keys: &[&TableKey], hashes: &[u64], bound: Timestamp) -> Vec<Option<FlushEntry>> {
        let mut entries: Vec<Option<FlushEntry>> = keys.iter().map(|_| None).collect();
        let mut values = Values::default();
        self.each_shard(hashes, |shard, numbers| {
            let shard = shard.read();
            // First all are found and then all are copied: what one waits for holds up none of the others.
            let versions: SmallVec<[_; 32]> =
                numbers.iter().map(|&at| shard.version(hashes[at], keys[at], bound)).collect();
            for (&at, version) in numbers.iter().zip(versions) {
                entries[at] = version.map(|(ts, value)| FlushEntry {
                    key: keys[at].clone(),
                    ts: *ts,
                    value: value.as_ref().and_then(|value| values.take(at, value)),
                });
            }
        });
        values.give(&mut entries);
        entries
    }

    /// Takes out the versions up to `bound` of the keys in `slice`, which must be in the base by now. Returns how
    /// much memory that gives back.
    pub(crate) fn remove_flushed(&self, slice: &FlushSlice, bound: Timestamp) -> u64 {
        let mut change = Change::default();
        for (entries, hashes) in
            slice.entries.chunks(REMOVED_AT_ONCE).zip(slice.hashes.chunks(REMOVED_AT_ONCE))
        {
            // Held over both, the entries and their places in the order: in between a key could come again, and be sorted in.
            let mut sorted = self.order.as_sorted_mut();
            let settled = self.settle(entries, hashes, bound, &mut change);
            remove_sorted(&mut sorted, &settled);
        }
        self.note(&change);
        if slice.reached.is_none() {
            self.shards.iter().for_each(|shard| shard.write().shrink(&self.hasher));
        }
        change.freed
    }

    /// The keys of which nothing is left to be flushed, in their order.
    fn settle<'a>(
        &self,
        entries: &'a [FlushEntry],
        hashes: &[u64],
        bound: Timestamp,
        change: &mut Change,
    ) -> Vec<&'a TableKey> {
        let mut is_settled = vec![false; entries.len()];
        self.each_shard(hashes, |shard, numbers| {
            let mut shard = shard.write();
            for &at in numbers {
                let key = &entries[at].key;
                is_settled[at] = shard.settle(hashes[at], key, bound, self.remembered_max, change);
            }
        });
        let settled = entries.iter().zip(is_settled).filter(|(_, is_settled)| *is_settled);
        settled.map(|(entry, _)| &entry.key).collect()
    }

    /// Shows each part that has some of these hashes to `visit`, with their numbers.
    fn each_shard(&self, hashes: &[u64], mut visit: impl FnMut(&RwLock<Shard>, &[usize])) {
        let shard_of = |at: &usize| shard_number(hashes[*at]);
        let mut numbers: Vec<usize> = (0..hashes.len()).collect();
        numbers.sort_unstable_by_key(shard_of);
        for numbers in numbers.chunk_by(|one, other| shard_of(one) == shard_of(other)) {
            visit(&self.shards[shard_of(&numbers[0])], numbers);
        }
    }
}

/// Takes keys away, which ascend, in one walk over where they are.
fn remove_sorted(sorted: &mut BTreeSet<TableKey>, keys: &[&TableKey]) {
    let (Some(first), Some(last)) = (keys.first(), keys.last()) else { return };
    let mut keys = keys.iter().copied().peekable();
    let range = (Bound::Included(*first), Bound::Included(*last));
    let removed = sorted.extract_if(range, |key| {
        while keys.next_if(|next| *next < key).is_some() {}
        keys.next_if(|next| *next == key).is_some()
    });
    removed.for_each(drop);
}
