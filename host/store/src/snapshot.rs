//! Reading the state at one timestamp.
//!
//! A snapshot is a timestamp and an entry in the registry of open snapshots; taking one copies nothing. The
//! registry keeps the flush from moving anything newer than the oldest open snapshot into the base, which holds
//! one version of a key.
//!
//! # Why a scan is right while the flush moves entries
//!
//! The flush writes an entry to the base first and takes it out of memory afterwards, and it only ever moves
//! versions that every open snapshot sees. So a reader that looks into *memory first, base second* finds each
//! key in at least one of them: if memory no longer has a version, the base has it already. The other order would
//! lose a key that moved in between. For a single key that is all.
//!
//! A scan reads memory in chunks, because the lock of the table is not held for long, and then reads the base for
//! the same interval of keys. A chunk that stopped early knows nothing of the keys behind the last one it
//! reached, so the base is read up to that key and no further; the next chunk begins there. Within the interval
//! each key is decided by the state of memory at one point in time, *before* the base was read: what memory showed wins
//! (a deletion hides the base's entry), what it did not show was in the base by then, and cannot change there while
//! the snapshot is open.
//!
//! Not here: transactions, read sets, conflicts.

use std::ops::{Bound, ControlFlow};
use std::sync::Arc;

use bytes::Bytes;
use thiserror::Error;
use weir_value::Timestamp;

use crate::base::{BaseError, Row};
use crate::memory_table::{Chunk, Found, Interval, TableKey};
use crate::rows::Rows;
use crate::view::View;

/// Keys of the memory table that one chunk of a scan looks at before it gives the lock back.
const CHUNK_KEYS_MAX: usize = 256;
/// And the fewest, so that a scan for one row does not crawl over a run of deleted ones.
const CHUNK_KEYS_MIN: usize = 16;
/// Deleted rows that one part of a scan passes.
const PART_DELETED_MAX: usize = 1024;

/// The order in which a scan returns keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Smallest key first.
    Ascending,
    /// Largest key first.
    Descending,
}

/// Reading failed below the store: the disk, or damage to the base's files.
#[derive(Debug, Clone, Error)]
#[error("the stored data cannot be read: {0}; if the disk is healthy, restore the data folder from a backup")]
pub struct ReadError(#[from] BaseError);

/// Some rows of a scan, and what it took to find them.
#[derive(Debug)]
pub struct ScanPart {
    /// The rows, with their values.
    pub rows: Vec<(Bytes, Bytes)>,
    /// Rows that were passed and are not there any more: until a flush they lie in memory.
    pub deleted: usize,
    /// The last key that the part speaks for. `None`: all of the range.
    pub reached: Option<Bytes>,
}

/// The state at one timestamp; later commits never show. Dropping it lets the flush go on, so do not keep one
/// for long.
pub struct Snapshot {
    view: Arc<View>,
    ts: Timestamp,
}

impl Snapshot {
    /// `ts` must already stand in the registry of `view`, by one of its `register_` functions.
    pub(crate) fn new(view: Arc<View>, ts: Timestamp) -> Snapshot {
        Snapshot { view, ts }
    }

    /// The newest commit it shows.
    pub fn ts(&self) -> Timestamp {
        self.ts
    }

    /// The value of `key`, or `None` when it does not exist.
    ///
    /// # Errors
    /// The base cannot be read.
    pub fn get(&self, key: &[u8]) -> Result<Option<Bytes>, ReadError> {
        match self.view.memory.find(key, self.ts) {
            Found::Version(value) => Ok(value),
            Found::Newer => Ok(self.view.base.get(key)?),
            Found::Nothing => {
                let value = self.view.base.get(key)?;
                value.iter().for_each(|value| self.view.memory.remember(key, value));
                Ok(value)
            }
        }
    }

    /// As [`Snapshot::get`] for each of `keys`, in their order. Where they follow each other closely in the given direction
    /// it costs less than one after the other.
    ///
    /// # Errors
    /// The base cannot be read.
    pub fn get_each(
        &self,
        keys: &[impl AsRef<[u8]>],
        direction: Direction,
    ) -> Result<Vec<Option<Bytes>>, ReadError> {
        let mut values = vec![None; keys.len()];
        let (mut missing, mut missing_keys) = (Vec::new(), Vec::new());
        for (at, key) in keys.iter().map(AsRef::as_ref).enumerate() {
            match self.view.memory.get(key, self.ts) {
                Some(value) => values[at] = value,
                None => {
                    missing.push(at);
                    missing_keys.push(key);
                }
            }
        }
        let (mut small, mut found, mut large) = (Rows::default(), Vec::new(), Vec::new());
        self.view.base.get_each(&missing_keys, direction, &mut |at, row| match row {
            Row::Here { value, .. } => {
                small.push_copy(&[], value);
                found.push(missing[at]);
            }
            Row::Apart { ts, len } => large.push((missing[at], ts, len)),
        })?;
        for (at, (_, value)) in found.into_iter().zip(small.finish()) {
            values[at] = Some(value);
        }
        for (at, ts, len) in large {
            values[at] = Some(self.view.base.load_apart(keys[at].as_ref(), ts, len)?);
        }
        Ok(values)
    }

    /// As [`Snapshot::get`], for a key that a row of a short scan has led to: if both are asked for again, both are
    /// remembered, unless they are large.
    ///
    /// # Errors
    /// The base cannot be read.
    pub fn get_led_to(&self, key: &[u8]) -> Result<Option<Bytes>, ReadError> {
        if let Some(value) = self.view.memory.get(key, self.ts) {
            return Ok(value);
        }
        Ok(self.view.base.get_again(key)?)
    }

    /// One batch of the keys in `start..end` with their values, at most `limit`, in the order of `direction`.
    /// Fewer than `limit` means that the range is exhausted; otherwise go on behind the last key returned.
    /// Rows share their memory: whoever keeps a key or a value for long should keep a copy of it.
    ///
    /// # Errors
    /// The base cannot be read.
    pub fn scan(
        &self,
        start: &[u8],
        end: &[u8],
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<(Bytes, Bytes)>, ReadError> {
        Ok(self.scan_past(start, end, direction, limit, usize::MAX)?.rows)
    }

    /// As [`Snapshot::scan`], but stops also behind many deleted rows: so whoever scans can count them, and give up.
    ///
    /// # Errors
    /// The base cannot be read.
    pub fn scan_part(
        &self,
        start: &[u8],
        end: &[u8],
        direction: Direction,
        limit: usize,
    ) -> Result<ScanPart, ReadError> {
        self.scan_past(start, end, direction, limit, PART_DELETED_MAX)
    }

    fn scan_past(
        &self,
        start: &[u8],
        end: &[u8],
        direction: Direction,
        limit: usize,
        deleted_max: usize,
    ) -> Result<ScanPart, ReadError> {
        let whole = Interval { low: Bound::Included(start), high: Bound::Excluded(end) };
        let mut rows = Rows::default();
        let mut deleted = 0;
        let mut behind: Option<TableKey> = None;
        let mut is_exhausted = false;
        while rows.len() < limit && deleted < deleted_max {
            let rest = behind.as_deref().map_or(whole, |key| whole.behind(key, direction));
            if rest.is_empty() {
                is_exhausted = true;
                break;
            }
            let keys_max = (limit - rows.len()).clamp(CHUNK_KEYS_MIN, CHUNK_KEYS_MAX);
            let mut chunk = self.view.memory.chunk(rest, self.ts, direction, keys_max);
            let reached = chunk.reached.take();
            let covered = reached.as_deref().map_or(rest, |key| rest.up_to(key, direction));
            deleted += self.merge(chunk, covered, direction, limit, &mut rows)?;
            match reached {
                Some(key) => behind = Some(key),
                None => {
                    is_exhausted = true;
                    break;
                }
            }
        }
        let rows = rows.finish();
        let reached = match rows.last() {
            // Rows behind the last one were not looked at, or will be again.
            Some((last, _)) if rows.len() >= limit => Some(last.clone()),
            _ if is_exhausted => None,
            _ => behind.map(|key| Bytes::copy_from_slice(&key)),
        };
        Ok(ScanPart { rows, deleted, reached })
    }

    /// Adds the rows of `interval`, whose keys in memory are all in `chunk`, until there are `limit`. Gives the number of
    /// deleted rows before that.
    fn merge(
        &self,
        chunk: Chunk,
        interval: Interval<'_>,
        direction: Direction,
        limit: usize,
        rows: &mut Rows,
    ) -> Result<usize, ReadError> {
        let mut deleted = 0;
        // Memory may hide rows of the base, and then more of them are looked at than wanted.
        let rows_max = if chunk.entries.is_empty() { limit - rows.len() } else { usize::MAX };
        let mut recent = chunk.entries.into_iter().peekable();
        let order = |recent_key: &[u8], base_key: &[u8]| match direction {
            Direction::Ascending => recent_key.cmp(base_key),
            Direction::Descending => base_key.cmp(recent_key),
        };
        self.view.base.visit(interval, direction, rows_max, |key, row| {
            // Memory decides, also when the base has the key too.
            let mut is_in_memory = false;
            while let Some((recent_key, value)) = recent.next_if(|(recent, _)| order(recent, key).is_le()) {
                is_in_memory = recent_key[..] == *key;
                match value {
                    Some(value) => rows.push_value(&recent_key, value),
                    None => deleted += 1,
                }
                if rows.len() == limit {
                    return Ok(ControlFlow::Break(()));
                }
            }
            if !is_in_memory {
                match row {
                    Row::Here { value, .. } => rows.push_copy(key, value),
                    Row::Apart { ts, len } => rows.push_value(key, self.view.base.load_apart(key, ts, len)?),
                }
            }
            Ok(if rows.len() == limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        for (key, value) in recent {
            if rows.len() == limit {
                break;
            }
            match value {
                Some(value) => rows.push_value(&key, value),
                None => deleted += 1,
            }
        }
        Ok(deleted)
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        self.view.unregister(self.ts);
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot").field("ts", &self.ts).finish_non_exhaustive()
    }
}
