//! Recent versions of keys, and rows that were read by key, in memory.
//!
//! A hash table in parts, each behind a readers-writer lock: a look-up by key is a hash and a comparison, and meets
//! a writer only in the same part. Each key has a chain of versions, oldest first, almost always of length one. The order
//! of the keys is kept apart, and made when it is wanted (see [`order`]).
//! Turned down: a B-tree of chains behind one lock (putting a new key into one of a hundred thousand, spread over more
//! memory than the caches have, took half of the time in which nobody else could commit), a persistent map (several times
//! slower to write, and each snapshot pins old nodes) and a lock-free skip list keyed by key and timestamp (one node per version,
//! so a hot row costs a walk over all its versions).
//!
//! Versions that no snapshot can see any more are dropped when a chain grows, so a counter bumped a thousand
//! times a second does not pile up until the next flush.
//!
//! # Why a remembered row is never stale
//!
//! A row that somebody asks for by key is remembered when it is read from the base, or when a flush has put it there. A
//! commit replaces it. Whoever reads it from the base has an open snapshot. As long as he has, nothing newer than that is
//! flushed: so what was committed since stands here, and he adds his row only where nothing does.
//!
//! Rows that are written and never asked for are not remembered. Scans pass what is remembered: the base has it too.
//!
//! Not here: durability, and which snapshots are open.

mod flush;
mod interval;
mod key;
mod order;
mod shard;

use std::hash::{DefaultHasher, Hasher as _};
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use parking_lot::RwLock;
use smallvec::SmallVec;
use weir_value::Timestamp;

use self::order::Order;
use self::shard::{Change, Shard};
use crate::{Direction, Write};

pub(crate) use self::flush::{FlushEntry, SliceBounds};
pub(crate) use self::interval::Interval;
pub(crate) use self::key::TableKey;

/// Parts of the table.
const SHARDS: usize = 64;
/// Estimated memory of a key beside its bytes: its place among the entries, and in their order.
const KEY_OVERHEAD_BYTES: u64 = 160;
/// Estimated memory of a version beside its value.
const VERSION_OVERHEAD_BYTES: u64 = 48;

/// Part of a scan.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    /// Keys that have a version at the timestamp, in the order of the scan; `None` is a deletion.
    pub(crate) entries: Vec<(TableKey, Option<Bytes>)>,
    /// The last key looked at; `None` when the interval is exhausted.
    pub(crate) reached: Option<TableKey>,
}

/// What the table knows of a key at a timestamp.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing at all: the base has its newest version, if there is one.
    Nothing,
    /// Only versions that are newer.
    Newer,
    /// A version, `None` if that is a deletion.
    Version(Option<Bytes>),
}

/// Hashes keys, which users choose in part: not without a secret.
#[derive(Clone)]
struct Hasher(DefaultHasher);

impl Hasher {
    fn new(secret: [u8; 8]) -> Hasher {
        let mut hasher = DefaultHasher::new();
        hasher.write(&secret);
        Hasher(hasher)
    }

    fn hash(&self, key: &[u8]) -> u64 {
        let mut hasher = self.0.clone();
        hasher.write(key);
        hasher.finish()
    }
}

/// The table.
pub(crate) struct MemoryTable {
    shards: Box<[RwLock<Shard>]>,
    /// The keys that have versions to be flushed.
    order: Order,
    hasher: Hasher,
    bytes: AtomicU64,
    /// What a shard may remember.
    remembered_max: usize,
}

impl MemoryTable {
    /// An empty table. `secret` is random; rows are remembered in about `remembered_bytes` in all.
    pub(crate) fn new(secret: [u8; 8], remembered_bytes: u64) -> MemoryTable {
        MemoryTable {
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            order: Order::default(),
            hasher: Hasher::new(secret),
            bytes: AtomicU64::new(0),
            remembered_max: usize::try_from(remembered_bytes).unwrap_or(usize::MAX) / SHARDS,
        }
    }

    /// Adds the writes of one commit, which nobody asks for before this returns. `ts` is larger than any before. `floor`
    /// says up to which timestamp only the newest version of a key is still needed; it is asked rarely.
    pub(crate) fn insert(&self, ts: Timestamp, writes: &[Write], floor: impl Fn() -> Timestamp) {
        let mut change = Change::default();
        let mut keys: SmallVec<[TableKey; 8]> = SmallVec::new();
        for write in writes {
            let (shard, hash) = self.shard(&write.key);
            keys.extend(shard.write().put(&self.hasher, hash, ts, write, &floor, &mut change));
        }
        if !keys.is_empty() {
            self.order.add(keys);
        }
        self.note(&change);
    }

    /// The version of `key` at `ts`: `None` when the table has none, `Some(None)` when it is deleted.
    pub(crate) fn get(&self, key: &[u8], ts: Timestamp) -> Option<Option<Bytes>> {
        match self.find(key, ts) {
            Found::Nothing | Found::Newer => None,
            Found::Version(value) => Some(value),
        }
    }

    /// As [`MemoryTable::get`], and what is known of other versions.
    pub(crate) fn find(&self, key: &[u8], at: Timestamp) -> Found {
        let (shard, hash) = self.shard(key);
        shard.read().find(hash, key, at)
    }

    /// Remembers a row of the base, of whose key the table knew nothing. The snapshot for which it was read is still open.
    pub(crate) fn remember(&self, key: &[u8], value: &Bytes) {
        let (shard, hash) = self.shard(key);
        shard.write().remember(&self.hasher, hash, key, value, self.remembered_max);
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
        let sorted = self.order.sorted();
        let keys = sorted.range::<[u8], _>((interval.low, interval.high));
        match direction {
            Direction::Ascending => self.collect_chunk(keys, ts, keys_max),
            Direction::Descending => self.collect_chunk(keys.rev(), ts, keys_max),
        }
    }

    fn collect_chunk<'a>(
        &self,
        keys: impl Iterator<Item = &'a TableKey>,
        ts: Timestamp,
        keys_max: usize,
    ) -> Chunk {
        let mut chunk = Chunk::default();
        for (looked_at, key) in keys.enumerate() {
            let (shard, hash) = self.shard(key);
            if let Some((_, value)) = shard.read().version(hash, key, ts) {
                chunk.entries.push((key.clone(), value.clone()));
            }
            if looked_at + 1 == keys_max {
                chunk.reached = Some(key.clone());
                break;
            }
        }
        chunk
    }

    /// What the table may grow by when these writes are made, bytes.
    pub(crate) fn bytes_of(writes: &[Write]) -> u64 {
        writes.iter().map(|write| key_bytes(&write.key) + version_bytes(write.value.as_ref())).sum()
    }

    /// Estimated size of what is to be flushed, bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Keys with at least one version that is to be flushed.
    pub(crate) fn keys(&self) -> u64 {
        self.order.len() as u64
    }

    fn shard(&self, key: &[u8]) -> (&RwLock<Shard>, u64) {
        let hash = self.hasher.hash(key);
        (&self.shards[shard_number(hash)], hash)
    }

    fn note(&self, change: &Change) {
        self.bytes.fetch_add(change.added, Ordering::Relaxed);
        self.bytes.fetch_sub(change.freed, Ordering::Relaxed);
    }
}

/// The part that has the entry. By other bits than the parts use themselves, the lowest and the highest.
fn shard_number(hash: u64) -> usize {
    (hash >> 32) as usize % SHARDS
}

fn key_bytes(key: &[u8]) -> u64 {
    KEY_OVERHEAD_BYTES + key.len() as u64
}

fn version_bytes(value: Option<&Bytes>) -> u64 {
    VERSION_OVERHEAD_BYTES + value.map_or(0, |value| value.len() as u64)
}

#[cfg(test)]
mod concurrent_tests;
#[cfg(test)]
mod tests;
