//! Rows that were read by their key, remembered: what a read of a hot row costs is a hash and a comparison.
//!
//! The memory table is ordered, so that it can be scanned and flushed, and the base is a tree on disk; a look-up by key
//! descends in the one and then in the other. This is a set-associative cache in front of both. A row that is told
//! is always its newest version, with its timestamp: a snapshot that is older looks where the versions are.
//!
//! # Why it is never stale
//!
//! Each commit announces its keys here after its writes stand in the memory table and before any snapshot can show
//! them. That replaces what is known of a key, and counts as a change of the set that the key belongs to. Whoever has read
//! a row keeps it only if its set has not changed since *before* he looked into the memory table, and if nothing newer
//! than what he read stood there. A flush changes no row, so it is none of this room's business.
//!
//! Rows are kept when they are read, not when they are written: most rows that are written are never asked for by key.
//! Which set a key belongs to can be worked out by a client; all it can do with that is to push out other rows.

use std::sync::OnceLock;

use bytes::Bytes;
use parking_lot::Mutex;
use weir_value::Timestamp;

use crate::Write;
use crate::planted::{self, Bug};

/// What a set may hold, bytes, and its share of the memory.
const SET_BYTES: usize = 4096;
/// A row that takes more is not kept: it would push out a whole set for what a copy of it costs anyway.
const ROW_BYTES_MAX: usize = 1024;
/// Estimated memory of a row beside its key and its value: its place, and two allocations.
const ROW_OVERHEAD_BYTES: usize = 128;

/// The cache.
pub(crate) struct RowCache {
    sets: OnceLock<Box<[Mutex<Set>]>>,
    count: usize,
}

/// What a look-up came to.
pub(crate) enum Cached {
    /// The value at the snapshot.
    Found(Bytes),
    /// Nothing is known; with this the row may be kept once it is read.
    Missed(Miss),
}

/// A key that was not found, and how often its set had changed by then.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Miss {
    sum: u32,
    changes: u32,
}

#[derive(Default)]
struct Set {
    rows: Vec<CachedRow>,
    bytes: usize,
    /// Commits that wrote keys of this set.
    changes: u32,
    /// Where the search for a row to push out goes on.
    hand: usize,
}

struct CachedRow {
    sum: u32,
    /// Asked for since the hand passed.
    is_used: bool,
    ts: Timestamp,
    key: Bytes,
    value: Bytes,
}

impl CachedRow {
    fn bytes(&self) -> usize {
        row_bytes(&self.key, &self.value)
    }
}

impl RowCache {
    /// It takes about `bytes` at most, and none before something is kept in it.
    pub(crate) fn new(bytes: u64) -> RowCache {
        let sets = usize::try_from(bytes).unwrap_or(usize::MAX) / SET_BYTES;
        RowCache { sets: OnceLock::new(), count: sets.max(1) }
    }

    /// What `key` holds at `ts`.
    pub(crate) fn get(&self, key: &[u8], ts: Timestamp) -> Cached {
        let sum = crc32c::crc32c(key);
        let Some(sets) = self.sets.get() else { return Cached::Missed(Miss { sum, changes: 0 }) };
        let mut set = sets[self.place(sum)].lock();
        match set.find(sum, key) {
            Some(at) if set.rows[at].ts <= ts => {
                let row = &mut set.rows[at];
                row.is_used = true;
                Cached::Found(row.value.clone())
            }
            _ => Cached::Missed(Miss { sum, changes: set.changes }),
        }
    }

    /// Keeps a row that was read after `miss`: the newest version of `key`, of `ts` or older.
    pub(crate) fn keep(&self, miss: Miss, key: &[u8], ts: Timestamp, value: &Bytes) {
        if row_bytes(key, value) > ROW_BYTES_MAX {
            return;
        }
        let mut set = self.sets()[self.place(miss.sum)].lock();
        if set.changes == miss.changes && set.find(miss.sum, key).is_none() {
            let key = Bytes::copy_from_slice(key);
            set.add(CachedRow { sum: miss.sum, is_used: false, ts, key, value: value.clone() });
        }
    }

    /// A commit's writes, which stand in the memory table, and which no snapshot shows yet.
    pub(crate) fn note_commit(&self, ts: Timestamp, writes: &[Write]) {
        // Also when nothing was kept yet: a reader who found no sets was told of 0 changes.
        let sets = self.sets();
        for Write { key, value } in writes {
            let sum = crc32c::crc32c(key);
            let mut set = sets[self.place(sum)].lock();
            set.changes = set.changes.wrapping_add(1);
            let Some(at) = set.find(sum, key).filter(|_| !planted::is(Bug::RememberedRowStays)) else {
                continue;
            };
            match value {
                Some(value) if row_bytes(key, value) <= ROW_BYTES_MAX => set.replace(at, ts, value.clone()),
                _ => set.remove(at),
            }
        }
    }

    fn sets(&self) -> &[Mutex<Set>] {
        self.sets.get_or_init(|| (0..self.count).map(|_| Mutex::default()).collect())
    }

    fn place(&self, sum: u32) -> usize {
        sum as usize % self.count
    }
}

impl Set {
    fn find(&self, sum: u32, key: &[u8]) -> Option<usize> {
        self.rows.iter().position(|row| row.sum == sum && row.key == key)
    }

    fn add(&mut self, row: CachedRow) {
        self.bytes += row.bytes();
        self.rows.push(row);
        while self.bytes > SET_BYTES {
            self.push_one_out();
        }
    }

    fn replace(&mut self, at: usize, ts: Timestamp, value: Bytes) {
        let row = &mut self.rows[at];
        let before = row.bytes();
        (row.ts, row.value) = (ts, value);
        self.bytes = self.bytes + row.bytes() - before;
        while self.bytes > SET_BYTES {
            self.push_one_out();
        }
    }

    fn remove(&mut self, at: usize) {
        self.bytes -= self.rows.swap_remove(at).bytes();
    }

    /// The second-chance algorithm: a row that was asked for since the hand passed stays for one round.
    fn push_one_out(&mut self) {
        loop {
            self.hand = if self.hand + 1 < self.rows.len() { self.hand + 1 } else { 0 };
            if !std::mem::take(&mut self.rows[self.hand].is_used) {
                return self.remove(self.hand);
            }
        }
    }
}

fn row_bytes(key: &[u8], value: &[u8]) -> usize {
    ROW_OVERHEAD_BYTES + key.len() + value.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ts(nanos: u64) -> Timestamp {
        Timestamp::from_nanos(nanos)
    }

    fn write(key: &str, value: Option<&str>) -> Write {
        Write {
            key: Bytes::copy_from_slice(key.as_bytes()),
            value: value.map(|value| Bytes::from(value.to_owned())),
        }
    }

    fn miss(cache: &RowCache, key: &str, at: u64) -> Miss {
        match cache.get(key.as_bytes(), ts(at)) {
            Cached::Missed(miss) => miss,
            Cached::Found(value) => panic!("{key} at {at} is {value:?}"),
        }
    }

    fn found(cache: &RowCache, key: &str, at: u64) -> Option<Bytes> {
        match cache.get(key.as_bytes(), ts(at)) {
            Cached::Found(value) => Some(value),
            Cached::Missed(_) => None,
        }
    }

    fn keep(cache: &RowCache, key: &str, at: u64, value: &'static str) {
        cache.keep(miss(cache, key, at), key.as_bytes(), ts(at), &Bytes::from(value));
    }

    #[test]
    fn a_commit_replaces_what_is_known_and_adds_nothing() {
        let cache = RowCache::new(1 << 20);
        keep(&cache, "a", 5, "old");
        cache.note_commit(ts(9), &[write("a", Some("new")), write("b", Some("unread"))]);
        assert_eq!(found(&cache, "a", 9).as_deref(), Some(&b"new"[..]));
        assert_eq!(found(&cache, "a", 8), None, "an older snapshot sees an older version, which is not here");
        assert_eq!(found(&cache, "b", 9), None);
        cache.note_commit(ts(10), &[write("a", None)]);
        assert_eq!(found(&cache, "a", 10), None);
    }

    #[test]
    fn what_was_read_before_a_commit_is_not_kept_after_it() {
        let cache = RowCache::new(1 << 20);
        for round in 0..2 {
            // In the first round there is no set yet.
            let before = miss(&cache, "a", 1);
            cache.note_commit(ts(2 + round), &[write("a", Some("new"))]);
            cache.keep(before, b"a", ts(1), &Bytes::from("old"));
            assert_eq!(found(&cache, "a", 9), None);
        }
        keep(&cache, "a", 3, "new");
        assert_eq!(found(&cache, "a", 9).as_deref(), Some(&b"new"[..]));
    }

    #[test]
    fn the_later_write_of_one_commit_counts() {
        let cache = RowCache::new(1 << 20);
        keep(&cache, "a", 1, "old");
        cache.note_commit(ts(2), &[write("a", Some("first")), write("a", Some("last"))]);
        assert_eq!(found(&cache, "a", 2).as_deref(), Some(&b"last"[..]));
    }

    #[test]
    fn it_stays_within_its_bytes_and_keeps_what_is_asked_for() {
        let cache = RowCache::new(SET_BYTES as u64 * 4);
        let keys: Vec<String> = (0..1000).map(|number| format!("key {number}")).collect();
        for key in &keys {
            keep(&cache, key, 1, "value");
            found(&cache, &keys[0], 1).expect("it is asked for again and again");
        }
        let large = "x".repeat(ROW_BYTES_MAX);
        cache.note_commit(ts(2), &[write(&keys[0], Some(&large))]);
        assert_eq!(found(&cache, &keys[0], 2), None, "too large");
        for key in &keys {
            cache.note_commit(
                ts(3),
                &[write(key, Some(&large[..ROW_BYTES_MAX - ROW_OVERHEAD_BYTES - key.len()]))],
            );
        }
        for set in cache.sets().iter().map(|set| set.lock()) {
            assert!(set.bytes <= SET_BYTES);
            assert_eq!(set.bytes, set.rows.iter().map(CachedRow::bytes).sum::<usize>());
            assert!(!set.rows.is_empty());
        }
    }
}
