//! Recent versions of keys, ordered, in memory.
//!
//! A B-tree of keys behind a readers-writer lock; each key has a chain of versions, oldest first, almost
//! always of length one. The lock is held for one lookup, one chunk of a scan or the writes of one commit.
//! Turned down: a persistent map (several times slower to write, and each snapshot pins old nodes) and a
//! lock-free skip list keyed by key and timestamp (one node per version, so a hot row costs a walk over all
//! its versions).
//!
//! Versions that no snapshot can see any more are dropped when a chain grows, so a counter bumped a thousand
//! times a second does not pile up until the next flush.
//!
//! Not here: durability, and which snapshots are open.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use parking_lot::RwLock;
use smallvec::SmallVec;
use weir_value::Timestamp;

use crate::{Direction, Write};

/// A chain that has grown to this many versions, or to a multiple by a power of two, is pruned.
const CHAIN_PRUNE_LEN: usize = 8;
/// Entries that are taken out of memory while its lock is held once.
const REMOVED_AT_ONCE: usize = 64;
/// Estimated memory of a key beside its bytes: the slot in the tree, the allocation, its share of the commit.
const KEY_OVERHEAD_BYTES: u64 = 160;
/// Estimated memory of a version beside its value.
const VERSION_OVERHEAD_BYTES: u64 = 48;

/// A key as the tree has it. Most are short, and stand in the tree's nodes themselves: a descent compares what lies side
/// by side, where it would otherwise fetch each key from a place of its own.
pub(crate) type TableKey = SmallVec<[u8; KEY_INLINE_BYTES]>;
/// So long are the keys of documents, and more.
const KEY_INLINE_BYTES: usize = 40;
/// `None` is a deletion.
type Version = (Timestamp, Option<Bytes>);
/// Ascending timestamps.
type Chain = SmallVec<[Version; 1]>;

/// A range of keys.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Interval<'a> {
    pub(crate) low: Bound<&'a [u8]>,
    pub(crate) high: Bound<&'a [u8]>,
}

impl<'a> Interval<'a> {
    /// Every key.
    pub(crate) const ALL: Interval<'static> = Interval { low: Bound::Unbounded, high: Bound::Unbounded };

    /// Whether no key can lie in it. Maps panic on such ranges.
    pub(crate) fn is_empty(&self) -> bool {
        match (self.low, self.high) {
            (Bound::Included(low), Bound::Included(high)) => low > high,
            (Bound::Included(low) | Bound::Excluded(low), Bound::Excluded(high) | Bound::Included(high)) => {
                low >= high
            }
            _ => false,
        }
    }

    /// Whether its end, in the given direction, lies behind `key`, or at it if that belongs to it.
    pub(crate) fn ends_behind(&self, key: &[u8], direction: Direction) -> bool {
        match (direction, self.high, self.low) {
            (Direction::Ascending, Bound::Included(high), _) => key <= high,
            (Direction::Ascending, Bound::Excluded(high), _) => key < high,
            (Direction::Descending, _, Bound::Included(low)) => key >= low,
            (Direction::Descending, _, Bound::Excluded(low)) => key > low,
            _ => true,
        }
    }

    /// The part from its beginning, in the given direction, up to and with `key`.
    pub(crate) fn up_to<'b>(self, key: &'b [u8], direction: Direction) -> Interval<'b>
    where
        'a: 'b,
    {
        match direction {
            Direction::Ascending => Interval { low: self.low, high: Bound::Included(key) },
            Direction::Descending => Interval { low: Bound::Included(key), high: self.high },
        }
    }

    /// The part behind `key`.
    pub(crate) fn behind<'b>(self, key: &'b [u8], direction: Direction) -> Interval<'b>
    where
        'a: 'b,
    {
        match direction {
            Direction::Ascending => Interval { low: Bound::Excluded(key), high: self.high },
            Direction::Descending => Interval { low: self.low, high: Bound::Excluded(key) },
        }
    }
}

/// Part of a scan.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    /// Keys that have a version at the timestamp, in the order of the scan; `None` is a deletion.
    pub(crate) entries: Vec<(TableKey, Option<Bytes>)>,
    /// The last key looked at; `None` when the interval is exhausted.
    pub(crate) reached: Option<TableKey>,
}

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

/// What the table knows of a key at a timestamp.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing at all: the base has its newest version, if there is one.
    Nothing,
    /// Only versions that are newer.
    Newer,
    /// A version, `None` if that is a deletion, and whether it is the newest one.
    Version { ts: Timestamp, value: Option<Bytes>, is_newest: bool },
}

/// The table.
#[derive(Debug, Default)]
pub(crate) struct MemoryTable {
    chains: RwLock<BTreeMap<TableKey, Chain>>,
    bytes: AtomicU64,
}

impl MemoryTable {
    /// Adds the writes of one commit, all at once. `ts` is larger than any before. `floor` says up to which
    /// timestamp only the newest version of a key is still needed; it is asked rarely.
    pub(crate) fn insert(&self, ts: Timestamp, writes: &[Write], floor: impl Fn() -> Timestamp) {
        let mut added = 0;
        let mut freed = 0;
        let mut chains = self.chains.write();
        for write in writes {
            added += version_bytes(write.value.as_ref());
            let chain = chains.entry(TableKey::from_slice(&write.key)).or_insert_with(|| {
                added += key_bytes(&write.key);
                Chain::new()
            });
            if let Some(last) = chain.last_mut().filter(|last| last.0 == ts) {
                freed += version_bytes(last.1.as_ref());
                last.1 = write.value.clone();
                continue;
            }
            chain.push((ts, write.value.clone()));
            if chain.len() >= CHAIN_PRUNE_LEN && chain.len().is_power_of_two() {
                freed += prune(chain, floor());
            }
        }
        drop(chains);
        self.bytes.fetch_add(added, Ordering::Relaxed);
        self.bytes.fetch_sub(freed, Ordering::Relaxed);
    }

    /// The version of `key` at `ts`: `None` when the table has none, `Some(None)` when it is deleted.
    pub(crate) fn get(&self, key: &[u8], ts: Timestamp) -> Option<Option<Bytes>> {
        match self.find(key, ts) {
            Found::Nothing | Found::Newer => None,
            Found::Version { value, .. } => Some(value),
        }
    }

    /// As [`MemoryTable::get`], and what is known of other versions.
    pub(crate) fn find(&self, key: &[u8], at: Timestamp) -> Found {
        let chains = self.chains.read();
        let Some(chain) = chains.get(key) else { return Found::Nothing };
        match visible(chain, at) {
            None => Found::Newer,
            Some((ts, value)) => {
                let is_newest = chain.last().is_some_and(|last| last.0 == *ts);
                Found::Version { ts: *ts, value: value.clone(), is_newest }
            }
        }
    }

    /// The versions at `ts` of the keys in `interval`, which is not empty, from its beginning in the given
    /// direction. Looks at `keys_max` keys at most.
    pub(crate) fn chunk(
        &self,
        interval: Interval<'_>,
        ts: Timestamp,
        direction: Direction,
        keys_max: usize,
    ) -> Chunk {
        let chains = self.chains.read();
        let range = chains.range::<[u8], _>((interval.low, interval.high));
        match direction {
            Direction::Ascending => collect_chunk(range, ts, keys_max),
            Direction::Descending => collect_chunk(range.rev(), ts, keys_max),
        }
    }

    /// The entries behind `after` that can be flushed up to `bound`. Looks at no more than sixteen times as many
    /// keys as it may take.
    pub(crate) fn flushable(
        &self,
        after: Option<&[u8]>,
        bound: Timestamp,
        bounds: SliceBounds,
    ) -> FlushSlice {
        let low = after.map_or(Bound::Unbounded, Bound::Excluded);
        let chains = self.chains.read();
        let mut slice = FlushSlice::default();
        let mut bytes = 0;
        for (looked_at, (key, chain)) in chains.range::<[u8], _>((low, Bound::Unbounded)).enumerate() {
            if let Some((ts, value)) = visible(chain, bound) {
                bytes += key.len() + value.as_ref().map_or(0, Bytes::len);
                slice.entries.push(FlushEntry { key: key.clone(), ts: *ts, value: value.clone() });
            }
            let is_full = slice.entries.len() == bounds.entries || bytes >= bounds.bytes;
            if is_full || looked_at + 1 == bounds.entries * 16 {
                slice.reached = Some(key.clone());
                break;
            }
        }
        slice
    }

    /// Forgets the versions up to `bound` of the keys in `slice`, which must be in the base by now. Returns how
    /// much memory that gives back.
    pub(crate) fn remove_flushed(&self, slice: &FlushSlice, bound: Timestamp) -> u64 {
        // The lock is not held for long: readers and commits come in between.
        slice.entries.chunks(REMOVED_AT_ONCE).map(|entries| self.remove_entries(entries, bound)).sum()
    }

    fn remove_entries(&self, entries: &[FlushEntry], bound: Timestamp) -> u64 {
        let mut freed = 0;
        let mut chains = self.chains.write();
        for entry in entries {
            let Some(chain) = chains.get_mut(&entry.key[..]) else { continue };
            let count = chain.partition_point(|version| version.0 <= bound);
            freed += chain.drain(..count).map(|version| version_bytes(version.1.as_ref())).sum::<u64>();
            if chain.is_empty() {
                freed += key_bytes(&entry.key);
                chains.remove(&entry.key[..]);
            }
        }
        drop(chains);
        self.bytes.fetch_sub(freed, Ordering::Relaxed);
        freed
    }

    /// What the table may grow by when these writes are made, bytes.
    pub(crate) fn bytes_of(writes: &[Write]) -> u64 {
        writes.iter().map(|write| key_bytes(&write.key) + version_bytes(write.value.as_ref())).sum()
    }

    /// Estimated size, bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Keys with at least one version.
    pub(crate) fn keys(&self) -> u64 {
        self.chains.read().len() as u64
    }
}

fn key_bytes(key: &[u8]) -> u64 {
    KEY_OVERHEAD_BYTES + key.len() as u64
}

fn version_bytes(value: Option<&Bytes>) -> u64 {
    VERSION_OVERHEAD_BYTES + value.map_or(0, |value| value.len() as u64)
}

/// The newest version up to `ts`. Readers want the newest of all most of the time, so look from the end
/// first.
fn visible(chain: &Chain, ts: Timestamp) -> Option<&Version> {
    match chain.last() {
        Some(last) if last.0 <= ts => Some(last),
        _ => chain[..chain.partition_point(|version| version.0 <= ts)].last(),
    }
}

/// Drops the versions that are older than the newest one up to `floor`; returns their estimated size.
fn prune(chain: &mut Chain, floor: Timestamp) -> u64 {
    let hidden = chain.partition_point(|version| version.0 <= floor).saturating_sub(1);
    chain.drain(..hidden).map(|version| version_bytes(version.1.as_ref())).sum()
}

fn collect_chunk<'a>(
    range: impl Iterator<Item = (&'a TableKey, &'a Chain)>,
    ts: Timestamp,
    keys_max: usize,
) -> Chunk {
    let mut chunk = Chunk::default();
    for (looked_at, (key, chain)) in range.enumerate() {
        if let Some((_, value)) = visible(chain, ts) {
            chunk.entries.push((key.clone(), value.clone()));
        }
        if looked_at + 1 == keys_max {
            chunk.reached = Some(key.clone());
            break;
        }
    }
    chunk
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEVER: fn() -> Timestamp = || Timestamp::ZERO;

    fn ts(nanos: u64) -> Timestamp {
        Timestamp::from_nanos(nanos)
    }

    fn write(key: &'static str, value: Option<&'static str>) -> Write {
        Write { key: Bytes::from(key), value: value.map(Bytes::from) }
    }

    fn entries(chunk: &Chunk) -> Vec<(&str, Option<&str>)> {
        chunk
            .entries
            .iter()
            .map(|(key, value)| {
                (
                    std::str::from_utf8(key).unwrap(),
                    value.as_deref().map(|value| std::str::from_utf8(value).unwrap()),
                )
            })
            .collect()
    }

    #[test]
    fn each_timestamp_sees_its_version() {
        let table = MemoryTable::default();
        table.insert(ts(10), &[write("a", Some("1"))], NEVER);
        table.insert(ts(20), &[write("a", None)], NEVER);
        table.insert(ts(30), &[write("a", Some("3"))], NEVER);
        let cases = [
            (9, None),
            (10, Some(Some("1"))),
            (19, Some(Some("1"))),
            (20, Some(None)),
            (35, Some(Some("3"))),
        ];
        for (at, expected) in cases {
            assert_eq!(table.get(b"a", ts(at)), expected.map(|value| value.map(Bytes::from)), "at {at}");
        }
        assert_eq!(table.get(b"b", ts(99)), None);
    }

    #[test]
    fn the_later_write_of_one_commit_counts() {
        let table = MemoryTable::default();
        table.insert(ts(1), &[write("a", Some("first")), write("a", None), write("a", Some("last"))], NEVER);
        assert_eq!(table.get(b"a", ts(1)), Some(Some(Bytes::from("last"))));
        let slice = table.flushable(None, ts(1), SliceBounds { entries: 10, bytes: 1000 });
        table.remove_flushed(&slice, ts(1));
        assert_eq!((table.bytes(), table.keys()), (0, 0));
    }

    #[test]
    fn chunks_stop_where_they_are_told_and_go_both_ways() {
        let table = MemoryTable::default();
        table.insert(ts(1), &[write("a", Some("1")), write("b", None), write("c", Some("3"))], NEVER);
        table.insert(ts(5), &[write("bb", Some("later"))], NEVER);
        let chunk = table.chunk(Interval::ALL, ts(1), Direction::Ascending, 3);
        assert_eq!(entries(&chunk), [("a", Some("1")), ("b", None)]);
        assert_eq!(
            chunk.reached.as_deref(),
            Some(&b"bb"[..]),
            "a key that is not visible yet counts as reached"
        );
        let chunk = table.chunk(Interval::ALL, ts(9), Direction::Descending, 99);
        assert_eq!(entries(&chunk), [("c", Some("3")), ("bb", Some("later")), ("b", None), ("a", Some("1"))]);
        assert_eq!(chunk.reached, None);
    }

    #[test]
    fn a_hot_key_does_not_pile_up_versions() {
        let table = MemoryTable::default();
        for at in 1..=1000 {
            table.insert(ts(at), &[write("hot", Some("v"))], || ts(at - 1));
        }
        assert!(table.chains.read()[&b"hot"[..]].len() <= CHAIN_PRUNE_LEN);
        let one_key = key_bytes(b"hot") + CHAIN_PRUNE_LEN as u64 * (VERSION_OVERHEAD_BYTES + 1);
        assert!(table.bytes() <= one_key);
    }

    #[test]
    fn pruning_keeps_what_a_snapshot_sees() {
        let table = MemoryTable::default();
        for at in 1..=100 {
            table.insert(ts(at), &[write("hot", Some("v"))], || ts(3));
        }
        assert!(table.get(b"hot", ts(3)).is_some());
        assert_eq!(table.get(b"hot", ts(2)), None, "older than the floor, and superseded");
        assert_eq!(visible(&table.chains.read()[&b"hot"[..]], ts(50)).unwrap().0, ts(50));
    }

    #[test]
    fn flushing_takes_the_newest_version_and_leaves_later_ones() {
        let table = MemoryTable::default();
        for at in [1, 2, 8] {
            table.insert(ts(at), &[write("a", Some("v")), write("b", None)], NEVER);
        }
        table.insert(ts(9), &[write("c", Some("v"))], NEVER);
        let first = table.flushable(None, ts(5), SliceBounds { entries: 1, bytes: 1000 });
        assert_eq!((&first.entries[0].key[..], first.entries[0].ts), (&b"a"[..], ts(2)));
        let second =
            table.flushable(first.reached.as_deref(), ts(5), SliceBounds { entries: 99, bytes: 1000 });
        assert_eq!(second.entries.len(), 1);
        assert_eq!((second.entries[0].value.as_ref(), second.reached), (None, None));
        table.remove_flushed(&first, ts(5));
        assert_eq!(table.get(b"a", ts(5)), None);
        assert!(table.get(b"a", ts(8)).is_some());
        let rest = table.flushable(None, ts(9), SliceBounds { entries: 99, bytes: 1000 });
        table.remove_flushed(&rest, ts(9));
        assert_eq!((table.bytes(), table.keys()), (0, 0));
    }

    #[test]
    fn empty_intervals_are_known() {
        use Bound::{Excluded, Included, Unbounded};
        let key = |key: &'static str| key.as_bytes();
        let cases = [
            (Included(key("a")), Included(key("a")), false),
            (Included(key("a")), Excluded(key("a")), true),
            (Excluded(key("a")), Included(key("a")), true),
            (Excluded(key("a")), Excluded(key("b")), false),
            (Included(key("b")), Included(key("a")), true),
            (Unbounded, Excluded(key("a")), false),
        ];
        for (low, high, empty) in cases {
            assert_eq!(Interval { low, high }.is_empty(), empty, "{low:?} {high:?}");
        }
    }
}
