//! A part of a memory table: entries by the hash of their key.
//!
//! An entry has the versions of its key that are not in the base, or, if there are none, the newest version as the
//! base has it: a *remembered* row. What is remembered has a bound of its own, and goes by the clock algorithm.

use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry as Place;
use smallvec::{SmallVec, smallvec};
use weir_value::Timestamp;

use super::{Found, Hasher, TableKey, key_bytes, version_bytes};
use crate::Write;
use crate::planted::{self, Bug};

/// A chain that has grown to this many versions, or to a multiple by a power of two, is pruned.
pub(super) const CHAIN_PRUNE_LEN: usize = 8;
/// A row that takes more is not remembered: it would push out many for what a copy of it costs anyway.
const ROW_BYTES_MAX: usize = 1024;
/// Estimated memory of one beside its key and its value: its place, and the allocation's own.
const ROW_OVERHEAD_BYTES: usize = 160;
/// A shard that has been this many times as large gives memory back.
const SHRINK_FACTOR: usize = 8;

/// `None` is a deletion.
pub(super) type Version = (Timestamp, Option<Bytes>);
/// Ascending timestamps, never empty.
pub(super) type Chain = SmallVec<[Version; 1]>;

/// Entries of keys whose hashes have something in common.
#[derive(Default)]
#[repr(align(64))]
pub(super) struct Shard {
    entries: HashTable<Entry>,
    /// Estimated memory of the rows that are remembered.
    remembered_bytes: usize,
    /// The bucket where the search for a row to push out goes on.
    hand: usize,
}

struct Entry {
    key: TableKey,
    chain: Chain,
    /// Its one version is the base's.
    is_remembered: bool,
    /// Somebody has asked for the key, since the hand passed.
    is_used: AtomicBool,
}

/// What became of the table by a change, estimated bytes.
#[derive(Default)]
pub(super) struct Change {
    pub(super) added: u64,
    pub(super) freed: u64,
}

impl Entry {
    fn remembered_bytes(&self) -> usize {
        row_bytes(&self.key, self.chain[0].1.as_ref())
    }
}

impl Shard {
    /// Adds a version. Gives the key if the table had none of its versions that are to be flushed.
    pub(super) fn put(
        &mut self,
        hasher: &Hasher,
        hash: u64,
        ts: Timestamp,
        write: &Write,
        floor: impl Fn() -> Timestamp,
        change: &mut Change,
    ) -> Option<TableKey> {
        let place =
            self.entries.entry(hash, |entry| entry.key[..] == write.key, |entry| hasher.hash(&entry.key));
        change.added += version_bytes(write.value.as_ref());
        match place {
            Place::Occupied(mut place) => {
                let entry = place.get_mut();
                if entry.is_remembered {
                    self.remembered_bytes -= entry.remembered_bytes();
                    // A snapshot that is older finds it in the base, which keeps it as long as there is one.
                    entry.chain = smallvec![(ts, write.value.clone())];
                    entry.is_remembered = false;
                    change.added += key_bytes(&write.key);
                    return Some(entry.key.clone());
                }
                change.freed += add_version(&mut entry.chain, ts, write.value.clone(), floor);
                None
            }
            Place::Vacant(place) => {
                let key = TableKey::from_slice(&write.key);
                let chain = smallvec![(ts, write.value.clone())];
                change.added += key_bytes(&key);
                place.insert(Entry {
                    key: key.clone(),
                    chain,
                    is_remembered: false,
                    is_used: AtomicBool::new(false),
                });
                Some(key)
            }
        }
    }

    /// What is known of `key` at a timestamp.
    pub(super) fn find(&self, hash: u64, key: &[u8], at: Timestamp) -> Found {
        let Some(entry) = self.entry(hash, key) else { return Found::Nothing };
        // A line that is only read stays in the caches of all processors.
        if !entry.is_used.load(Ordering::Relaxed) {
            entry.is_used.store(true, Ordering::Relaxed);
        }
        visible(&entry.chain, at).map_or(Found::Newer, |(_, value)| Found::Version(value.clone()))
    }

    /// The newest version of `key` at a timestamp, for a scan or a flush, which are no reason to remember it.
    pub(super) fn version(&self, hash: u64, key: &[u8], at: Timestamp) -> Option<&Version> {
        visible(&self.entry(hash, key)?.chain, at)
    }

    /// Remembers what the base has under a key that has no entry.
    pub(super) fn remember(
        &mut self,
        hasher: &Hasher,
        hash: u64,
        key: &[u8],
        value: &Bytes,
        bytes_max: usize,
    ) {
        let bytes = row_bytes(key, Some(value));
        if bytes > ROW_BYTES_MAX {
            return;
        }
        let place = self.entries.entry(hash, |entry| entry.key[..] == *key, |entry| hasher.hash(&entry.key));
        if let Place::Vacant(place) = place {
            let chain = smallvec![(Timestamp::ZERO, Some(value.clone()))];
            let key = TableKey::from_slice(key);
            place.insert(Entry { key, chain, is_remembered: true, is_used: AtomicBool::new(false) });
            self.remembered_bytes += bytes;
            self.push_out(bytes_max);
        }
    }

    /// Forgets the versions of `key` up to `bound`, which the base has, or remembers the newest of them if somebody has
    /// asked for it. Gives whether none is left that is to be flushed.
    pub(super) fn settle(
        &mut self,
        hash: u64,
        key: &[u8],
        bound: Timestamp,
        remembered_max: usize,
        change: &mut Change,
    ) -> bool {
        let Ok(mut place) = self.entries.find_entry(hash, |entry| entry.key[..] == *key) else { return true };
        let entry = place.get_mut();
        if entry.is_remembered {
            return true;
        }
        let count = entry.chain.partition_point(|version| version.0 <= bound);
        change.freed +=
            entry.chain[..count].iter().map(|version| version_bytes(version.1.as_ref())).sum::<u64>();
        if count < entry.chain.len() {
            entry.chain.drain(..count);
            return false;
        }
        change.freed += key_bytes(key);
        let newest = if planted::is(Bug::RememberedRowStays) { 0 } else { count - 1 };
        let (ts, newest) = entry.chain.swap_remove(newest);
        let bytes = row_bytes(key, newest.as_ref());
        match newest {
            Some(value) if bytes <= ROW_BYTES_MAX && *entry.is_used.get_mut() => {
                // A copy: it may be a part of something that is much larger.
                entry.chain = smallvec![(ts, Some(Bytes::copy_from_slice(&value)))];
                entry.is_remembered = true;
                *entry.is_used.get_mut() = false;
                self.remembered_bytes += bytes;
                self.push_out(remembered_max);
            }
            _ => drop(place.remove()),
        }
        true
    }

    /// Gives memory back that a burst of writes took.
    pub(super) fn shrink(&mut self, hasher: &Hasher) {
        if self.entries.capacity() / SHRINK_FACTOR > self.entries.len() {
            self.entries.shrink_to(self.entries.len() * 2, |entry| hasher.hash(&entry.key));
        }
    }

    fn entry(&self, hash: u64, key: &[u8]) -> Option<&Entry> {
        self.entries.find(hash, |entry| entry.key[..] == *key)
    }

    /// The clock algorithm: a row that was asked for since the hand passed stays for one round.
    fn push_out(&mut self, bytes_max: usize) {
        while self.remembered_bytes > bytes_max {
            self.hand = if self.hand + 1 < self.entries.num_buckets() { self.hand + 1 } else { 0 };
            let Some(entry) = self.entries.get_bucket_mut(self.hand).filter(|entry| entry.is_remembered)
            else {
                continue;
            };
            if std::mem::take(entry.is_used.get_mut()) {
                continue;
            }
            self.remembered_bytes -= entry.remembered_bytes();
            if let Ok(place) = self.entries.get_bucket_entry(self.hand) {
                place.remove();
            }
        }
    }
}

/// The newest version up to `ts`. Readers want the newest of all most of the time, so look from the end
/// first.
pub(super) fn visible(chain: &Chain, ts: Timestamp) -> Option<&Version> {
    match chain.last() {
        Some(last) if last.0 <= ts => Some(last),
        _ => chain[..chain.partition_point(|version| version.0 <= ts)].last(),
    }
}

/// Gives the estimated size of what is not needed any more.
fn add_version(chain: &mut Chain, ts: Timestamp, value: Option<Bytes>, floor: impl Fn() -> Timestamp) -> u64 {
    if let Some(last) = chain.last_mut().filter(|last| last.0 == ts) {
        return version_bytes(std::mem::replace(&mut last.1, value).as_ref());
    }
    chain.push((ts, value));
    match chain.len() >= CHAIN_PRUNE_LEN && chain.len().is_power_of_two() {
        true => prune(chain, floor()),
        false => 0,
    }
}

/// Drops the versions that are older than the newest one up to `floor`; returns their estimated size.
fn prune(chain: &mut Chain, floor: Timestamp) -> u64 {
    let hidden = chain.partition_point(|version| version.0 <= floor).saturating_sub(1);
    chain.drain(..hidden).map(|version| version_bytes(version.1.as_ref())).sum()
}

fn row_bytes(key: &[u8], value: Option<&Bytes>) -> usize {
    ROW_OVERHEAD_BYTES + key.len() + value.map_or(0, Bytes::len)
}
