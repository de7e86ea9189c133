//! What a base needs of a library that keeps ordered keys on disk.
//!
//! Three tenants: sled, redb, and rows in a [`MemoryDisk`](crate::memory::MemoryDisk). One suite of tests runs
//! over all of them (see `base::tests`).
//!
//! Not here: what keys and values mean, and when they are written.

use std::ops::ControlFlow;

use bytes::Bytes;

use super::BaseError;
use crate::Direction;
use crate::memory_table::Interval;

/// Which of the ordered maps of a base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Space {
    /// A row for each key.
    Rows,
    /// The parts of large values.
    Pieces,
    /// What the base remembers of itself.
    Marks,
}

impl Space {
    /// Every space.
    pub(crate) const ALL: [Space; 3] = [Space::Rows, Space::Pieces, Space::Marks];
}

/// Entries of a range, in its order.
pub(crate) type Entries<'a> = Box<dyn Iterator<Item = Result<(Bytes, Bytes), BaseError>> + 'a>;

/// What sees the entries of a range: keys and values.
pub(crate) type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>, BaseError> + 'a;

/// Ordered maps on disk. Readers come from any thread, writes from one at a time.
pub(crate) trait Tree: Send + Sync + 'static {
    /// The value of `key`.
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Bytes>, BaseError>;

    /// Shows the value of `key` to `look`, if it has one.
    fn look(&self, space: Space, key: &[u8], look: &mut dyn FnMut(&[u8])) -> Result<(), BaseError> {
        if let Some(value) = self.get(space, key)? {
            look(&value);
        }
        Ok(())
    }

    /// As `look`, for a key that is likely to be asked for again, and was led to by an entry that is too.
    fn look_again(&self, space: Space, key: &[u8], look: &mut dyn FnMut(&[u8])) -> Result<(), BaseError> {
        self.look(space, key, look)
    }

    /// As `look` for each of `keys`, with its number, in their order. Keys that follow each other closely in the given
    /// direction may cost less.
    fn look_each(
        &self,
        space: Space,
        keys: &[&[u8]],
        _direction: Direction,
        look: &mut dyn FnMut(usize, &[u8]),
    ) -> Result<(), BaseError> {
        keys.iter().enumerate().try_for_each(|(at, key)| self.look(space, key, &mut |value| look(at, value)))
    }

    /// Shows the entries of `interval`, which is not empty, to `visit`, in their order, until it breaks off, which it
    /// does at the latest after so many entries.
    fn visit(
        &self,
        space: Space,
        interval: Interval<'_>,
        direction: Direction,
        _entries_max: usize,
        visit: &mut Visit<'_>,
    ) -> Result<(), BaseError> {
        for entry in self.range(space, interval, direction)? {
            let (key, value) = entry?;
            if visit(&key, &value)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// The entries of `interval`, which is not empty.
    fn range<'a>(
        &'a self,
        space: Space,
        interval: Interval<'a>,
        direction: Direction,
    ) -> Result<Entries<'a>, BaseError>;

    /// Runs `work`, which writes. Readers see all of it when this returns, and some of it, perhaps, before. It
    /// is durable after the next [`Tree::sync`], all or any part of it perhaps earlier.
    fn write(&self, work: &mut Work<'_>) -> Result<(), BaseError>;

    /// Makes everything durable that was written.
    fn sync(&self) -> Result<(), BaseError>;

    /// Whether a power failure may bring back a state that is older than the newest sync: then the log is kept
    /// for one checkpoint longer.
    fn may_fall_back(&self) -> bool;

    /// Room on the disk without which nothing should be written, bytes.
    fn room_needed(&self) -> u64;

    /// Reads everything that a range over all spaces does not reach, and says what is wrong with it.
    fn check(&self) -> Result<(), BaseError>;

    /// Whether a write waits for room on the disk now, which may take for ever and is no stall.
    fn is_waiting_for_room(&self) -> bool;

    /// The store closes: nothing waits for room any more, and what would have to fails.
    fn stop(&self);

    /// Whether a write failed for that reason, so that its error is none of the disk's.
    fn gave_up(&self) -> bool;

    /// Writes what the library writes at its end, durably. Nothing is read or written any more.
    fn close(&self) -> Result<(), BaseError> {
        Ok(())
    }
}

/// What [`Tree::write`] runs.
pub(crate) type Work<'a> = dyn FnMut(&mut dyn TreeWriter) -> Result<(), BaseError> + 'a;

/// Writes into the maps.
pub(crate) trait TreeWriter {
    /// Sets a key; returns its value before.
    fn insert(&mut self, space: Space, key: &[u8], value: &[u8]) -> Result<Option<Bytes>, BaseError>;

    /// Adds the keys that a run begins with, as long as they have no values yet and no other key lies between them;
    /// returns how many. It may be fewer, and none at all where adding them one by one is as good.
    fn insert_run(&mut self, _space: Space, _run: &dyn Run) -> Result<usize, BaseError> {
        Ok(0)
    }

    /// Deletes a key; returns its value before.
    fn remove(&mut self, space: Space, key: &[u8]) -> Result<Option<Bytes>, BaseError>;

    /// The keys that begin with `prefix`.
    fn keys(&self, space: Space, prefix: &[u8]) -> Result<Vec<Bytes>, BaseError>;
}

/// Keys with values that are to be set one after another.
pub(crate) trait Run {
    /// The key at a place; `None` behind the end.
    fn key(&self, at: usize) -> Option<&[u8]>;

    /// Its value; there is a key at that place.
    fn value(&self, at: usize) -> Vec<u8>;
}

/// The first key behind all that begin with `prefix`; `None` when there is none.
pub(crate) fn end_of_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != 255)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}
