//! The base tree: where commits go when the log lets go of them.
//!
//! A base holds the newest value of each key up to its *checkpoint*: every commit up to there is in it,
//! durably. It may hold newer ones too, from a flush that did not end; replaying the log from the checkpoint
//! on sets that right, because writing a key again is harmless. How far such a flush went at most is written
//! down, durably, before it begins: a log that ends before that is not the base's own.
//!
//! A base stands on a [`Tree`]: sled, redb, or rows in a [`MemoryDisk`](crate::memory::MemoryDisk).
//!
//! Not here: versions. Who may see a key at which timestamp is decided before it is flushed.

mod checksummed_file;
mod escape;
mod flusher;
mod memory_tree;
mod moving;
mod policy;
mod redb_reader;
mod redb_tree;
mod row;
mod short_ranges;
mod sled_tree;
#[cfg(test)]
mod tests;
mod tree;
mod watchdog;

use std::ops::{Bound, ControlFlow};
use std::sync::Arc;

use bytes::Bytes;
use thiserror::Error;
use weir_value::Timestamp;

use self::tree::{Run, Space, Tree, TreeWriter};
use crate::memory_table::{FlushEntry, Interval, TableKey};
use crate::{Direction, StoreId};

pub(crate) use checksummed_file::CheckedFile;
pub(crate) use flusher::{Flusher, FlusherParts};
pub(crate) use memory_tree::MemoryTree;
pub(crate) use moving::{has_room, move_to_base};
pub(crate) use redb_tree::{FILE as REDB_FILE, RedbTree};
pub(crate) use row::Row;
pub(crate) use sled_tree::SledTree;
pub(crate) use watchdog::{Activity, Watchdog};

const CHECKPOINT: &[u8] = b"checkpoint";
const FLUSHING: &[u8] = b"flushing";
const STORE: &[u8] = b"store";
/// How much is copied at once from one base to another.
const COPY_SLICE_BYTES: usize = 1024 * 1024;

/// The base failed. The libraries do not recover from an error of their disk, so there is no second try.
#[derive(Debug, Clone, Error)]
#[error("{action} the base failed: {source}")]
pub(crate) struct BaseError {
    action: &'static str,
    source: Arc<dyn std::error::Error + Send + Sync>,
}

impl BaseError {
    pub(crate) fn new(
        action: &'static str,
        source: impl std::error::Error + Send + Sync + 'static,
    ) -> BaseError {
        BaseError { action, source: Arc::new(source) }
    }

    pub(crate) fn damaged(what: impl Into<String>) -> BaseError {
        BaseError::new("reading", std::io::Error::new(std::io::ErrorKind::InvalidData, what.into()))
    }
}

/// How far a base goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Marks {
    /// Every commit up to here is in it, durably.
    pub(crate) checkpoint: Timestamp,
    /// No commit newer than this is in it.
    pub(crate) flushing: Timestamp,
    /// The store it belongs to; `None` in a new base.
    pub(crate) store: Option<StoreId>,
}

/// Newest values by key, on disk. Readers come from any thread, writes from one.
pub(crate) struct Base {
    tree: Box<dyn Tree>,
}

impl Base {
    pub(crate) fn new(tree: impl Tree) -> Base {
        Base { tree: Box::new(tree) }
    }

    /// The value of `key`.
    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Bytes>, BaseError> {
        let mut found = None;
        self.tree.look(Space::Rows, key, &mut |row| found = Some(Found::of(key, row)))?;
        found.map(|found| self.load(key, found?)).transpose()
    }

    /// As [`Base::get`], for a key that is likely to be asked for again, and was led to by a row that is too.
    pub(crate) fn get_again(&self, key: &[u8]) -> Result<Option<Bytes>, BaseError> {
        let mut found = None;
        self.tree.look_again(Space::Rows, key, &mut |row| found = Some(Found::of(key, row)))?;
        found.map(|found| self.load(key, found?)).transpose()
    }

    /// As [`Base::get`] for each of `keys`, with its number, which may follow each other closely in the given direction.
    pub(crate) fn get_each(
        &self,
        keys: &[&[u8]],
        direction: Direction,
        get: &mut dyn FnMut(usize, Row<'_>),
    ) -> Result<(), BaseError> {
        let mut result = Ok(());
        self.tree.look_each(Space::Rows, keys, direction, &mut |at, row| match decode(keys[at], row) {
            Ok(row) => get(at, row),
            Err(error) => result = Err(error),
        })?;
        result
    }

    /// Shows the rows of `interval`, which is not empty, to `visit`, in the given direction, until it breaks off, which
    /// it does at the latest after so many rows.
    pub(crate) fn visit(
        &self,
        interval: Interval<'_>,
        direction: Direction,
        rows_max: usize,
        mut visit: impl FnMut(&[u8], Row<'_>) -> Result<ControlFlow<()>, BaseError>,
    ) -> Result<(), BaseError> {
        self.tree
            .visit(Space::Rows, interval, direction, rows_max, &mut |key, row| visit(key, decode(key, row)?))
    }

    fn load(&self, key: &[u8], found: Found) -> Result<Bytes, BaseError> {
        match found {
            Found::Here(value) => Ok(value),
            Found::Apart { ts, len } => self.load_apart(key, ts, len),
        }
    }

    /// A value kept in pieces.
    pub(crate) fn load_apart(&self, key: &[u8], ts: Timestamp, len: usize) -> Result<Bytes, BaseError> {
        let prefix = row::pieces_prefix(key);
        let value = row::join(&prefix, ts, len, |piece| self.tree.get(Space::Pieces, piece))?;
        value.ok_or_else(|| BaseError::damaged("a part of a large value is missing or damaged"))
    }

    /// How far it goes.
    pub(crate) fn marks(&self) -> Result<Marks, BaseError> {
        let checkpoint = self.timestamp(CHECKPOINT)?;
        let flushing = self.timestamp(FLUSHING)?.max(checkpoint);
        let store = self.mark::<8>(STORE)?.map(StoreId);
        Ok(Marks { checkpoint, flushing, store })
    }

    /// Says whom a new base belongs to, durably.
    pub(crate) fn set_store(&self, store: StoreId) -> Result<(), BaseError> {
        self.set_marks(&[(STORE, &store.0)])?;
        self.tree.sync()
    }

    /// Says how far the flush will go that is about to begin. Durable before anything newer is.
    pub(crate) fn begin_flush(&self, upto: Timestamp) -> Result<(), BaseError> {
        if self.marks()?.flushing >= upto {
            return Ok(());
        }
        self.set_marks(&[(FLUSHING, &upto.as_nanos().to_be_bytes())])?;
        // A tree that keeps the order of what is written cannot have a row on disk without the mark.
        if self.tree.may_fall_back() { self.tree.sync() } else { Ok(()) }
    }

    /// Sets or deletes keys, as commits did. Readers see it when it returns.
    pub(crate) fn apply(&self, entries: &[FlushEntry]) -> Result<(), BaseError> {
        self.tree.write(&mut |writer| {
            let mut rest = entries;
            while let Some((entry, others)) = rest.split_first() {
                rest = match writer.insert_run(Space::Rows, &SmallRows(rest))? {
                    0 => {
                        put(writer, &entry.key, entry.ts, entry.value.as_ref())?;
                        others
                    }
                    added => &rest[added..],
                };
            }
            Ok(())
        })
    }

    /// Makes everything durable that was applied, and only then the checkpoint.
    pub(crate) fn checkpoint(&self, checkpoint: Timestamp) -> Result<(), BaseError> {
        if self.tree.may_fall_back() {
            self.tree.sync()?;
        }
        self.set_marks(&[(CHECKPOINT, &checkpoint.as_nanos().to_be_bytes())])?;
        self.tree.sync()
    }

    /// Whether a power failure may bring back an older state than the newest checkpoint's.
    pub(crate) fn may_fall_back(&self) -> bool {
        self.tree.may_fall_back()
    }

    /// Whether a write waits for room on the disk now.
    pub(crate) fn is_waiting_for_room(&self) -> bool {
        self.tree.is_waiting_for_room()
    }

    /// The store closes: nothing waits for room any more.
    pub(crate) fn stop(&self) {
        self.tree.stop();
    }

    /// Whether a write failed because it would have had to wait while the store closes. Nothing more can be
    /// written then, and the next start replays the log.
    pub(crate) fn gave_up(&self) -> bool {
        self.tree.gave_up()
    }

    /// The end: what the library still has to write is durable when this succeeds.
    pub(crate) fn close(&self) -> Result<(), BaseError> {
        self.tree.close()
    }

    /// Room on the disk without which nothing should be flushed, bytes.
    pub(crate) fn room_needed(&self) -> u64 {
        self.tree.room_needed()
    }

    /// Puts everything that `from` holds, and how far it goes, into this base, which is new; durable on return.
    pub(crate) fn copy_from(&self, from: &Base) -> Result<u64, BaseError> {
        let marks = from.marks()?;
        if let Some(store) = marks.store {
            self.set_store(store)?;
        }
        self.begin_flush(marks.flushing)?;
        let (mut rows, mut slice, mut bytes) = (0, Vec::new(), 0);
        for entry in from.tree.range(Space::Rows, Interval::ALL, Direction::Ascending)? {
            let (key, row) = entry?;
            let row = decode(&key, &row)?;
            let ts = row.ts();
            let value = from.load(&key, row.into())?;
            bytes += key.len() + value.len();
            slice.push(FlushEntry { key: TableKey::from_slice(&key), ts, value: Some(value) });
            rows += 1;
            if bytes > COPY_SLICE_BYTES {
                self.apply(&std::mem::take(&mut slice))?;
                bytes = 0;
            }
        }
        self.apply(&slice)?;
        self.checkpoint(marks.checkpoint)?;
        Ok(rows)
    }

    /// Reads everything; tells `problem` what is wrong, and returns how many rows there are.
    pub(crate) fn check(&self, problem: &mut dyn FnMut(String)) -> Result<u64, BaseError> {
        let mut rows = 0;
        for entry in self.tree.range(Space::Rows, Interval::ALL, Direction::Ascending)? {
            match entry.and_then(|(key, row)| self.load(&key, Found::of(&key, &row)?)) {
                Ok(_) => rows += 1,
                Err(error) => problem(error.to_string()),
            }
        }
        for entry in self.tree.range(Space::Pieces, Interval::ALL, Direction::Ascending)? {
            let (key, _) = entry?;
            // A flush that a failure interrupted may leave some behind; they cost room and nothing else.
            if !self.tree.may_fall_back() && !self.is_of_a_row(&key)? {
                problem(format!("the part {} of a large value belongs to no row", hex(&key)));
            }
        }
        self.tree.check()?;
        Ok(rows)
    }

    fn is_of_a_row(&self, piece_key: &[u8]) -> Result<bool, BaseError> {
        let Some((key, ts, _)) = row::parse_piece_key(piece_key) else { return Ok(false) };
        let row = self.tree.get(Space::Rows, &key)?;
        Ok(row.is_some_and(|row| row::decode(&key, &row).is_some_and(|row| row.ts() == ts)))
    }

    /// Marks are rows of their own, so that a damaged one is noticed.
    fn set_marks(&self, marks: &[(&[u8], &[u8])]) -> Result<(), BaseError> {
        self.tree.write(&mut |writer| {
            for (name, value) in marks {
                writer.insert(Space::Marks, name, &row::encode(name, Timestamp::ZERO, value))?;
            }
            Ok(())
        })
    }

    fn mark<const N: usize>(&self, name: &[u8]) -> Result<Option<[u8; N]>, BaseError> {
        let Some(row) = self.tree.get(Space::Marks, name)? else { return Ok(None) };
        let Some(Row::Here { value, .. }) = row::decode(name, &row) else {
            return Err(BaseError::damaged("a mark is damaged"));
        };
        value.try_into().map(Some).map_err(|_| BaseError::damaged("a mark has an unknown form"))
    }

    fn timestamp(&self, name: &[u8]) -> Result<Timestamp, BaseError> {
        let mark = self.mark::<8>(name)?;
        Ok(mark.map_or(Timestamp::ZERO, |bytes| Timestamp::from_nanos(u64::from_be_bytes(bytes))))
    }
}

fn decode<'a>(key: &[u8], row: &'a [u8]) -> Result<Row<'a>, BaseError> {
    row::decode(key, row).ok_or_else(|| bad_row(key))
}

fn bad_row(key: &[u8]) -> BaseError {
    BaseError::damaged(format!("the row of key {} does not match its checksum", hex(key)))
}

/// A row that nobody else holds.
enum Found {
    Here(Bytes),
    Apart { ts: Timestamp, len: usize },
}

impl Found {
    fn of(key: &[u8], row: &[u8]) -> Result<Found, BaseError> {
        decode(key, row).map(Found::from)
    }
}

impl From<Row<'_>> for Found {
    fn from(row: Row<'_>) -> Found {
        match row {
            Row::Here { value, .. } => Found::Here(Bytes::copy_from_slice(value)),
            Row::Apart { ts, len } => Found::Apart { ts, len },
        }
    }
}

/// What entries begin with that set keys to values without pieces. Of a key that has no value yet there are none of an
/// older one either: what a failure left behind goes with the row that it belongs to.
struct SmallRows<'a>(&'a [FlushEntry]);

impl Run for SmallRows<'_> {
    fn key(&self, at: usize) -> Option<&[u8]> {
        let entry = self.0.get(at)?;
        entry.value.as_ref().filter(|value| value.len() <= row::PIECE_BYTES).map(|_| &entry.key[..])
    }

    fn value(&self, at: usize) -> Vec<u8> {
        let FlushEntry { key, ts, value } = &self.0[at];
        row::encode(key, *ts, value.as_deref().unwrap_or_default())
    }
}

/// Writes one key and takes away the pieces of the value that it replaces.
fn put(
    writer: &mut dyn TreeWriter,
    key: &[u8],
    ts: Timestamp,
    value: Option<&Bytes>,
) -> Result<(), BaseError> {
    if let Some(value) = value.filter(|value| value.len() > row::PIECE_BYTES) {
        for (piece_key, piece) in row::cut(&row::pieces_prefix(key), ts, value) {
            writer.insert(Space::Pieces, &piece_key, &piece)?;
        }
    }
    let before = match value {
        Some(value) => writer.insert(Space::Rows, key, &row::encode(key, ts, value))?,
        None => writer.remove(Space::Rows, key)?,
    };
    let Some(before) = before else { return Ok(()) };
    if row::decode(key, &before).is_none_or(|row| row.ts() == ts) {
        // The same commit flushed again after a failure: its predecessor's pieces may have been left behind.
        return sweep_pieces(writer, key, ts);
    }
    let Some((ts, count)) = row::pieces_of(key, &before) else { return Ok(()) };
    let prefix = row::pieces_prefix(key);
    (0..count)
        .try_for_each(|index| writer.remove(Space::Pieces, &row::piece_key(&prefix, ts, index)).map(drop))
}

/// Takes away the pieces of every value of `key` but that of the commit `keep`.
fn sweep_pieces(writer: &mut dyn TreeWriter, key: &[u8], keep: Timestamp) -> Result<(), BaseError> {
    let prefix = row::pieces_prefix(key);
    let kept = row::commit_prefix(&prefix, keep);
    for piece in writer.keys(Space::Pieces, &prefix)? {
        if !piece.starts_with(&kept) {
            writer.remove(Space::Pieces, &piece)?;
        }
    }
    Ok(())
}

fn hex(key: &[u8]) -> String {
    key.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The keys that begin with `prefix`, as a range.
fn prefix_range<'a>(prefix: &'a [u8], end: &'a Option<Vec<u8>>) -> Interval<'a> {
    let high = end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
    Interval { low: Bound::Included(prefix), high }
}
