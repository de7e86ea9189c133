//! How far a query has come.
//!
//! A cursor is a position among keys, not a copy of rows: what the transaction writes behind it is seen.
use std::collections::HashMap;
use std::sync::Arc;
use weir_value::ErrorCode;

use bytes::Bytes;
use weir_store::Direction;
use weir_value::limits::QUERY_CURSORS_MAX;

use super::filter::Filter;
use super::plan::{Plan, Source};
use crate::{DbError, KeyRange, keyspace};

#[derive(Debug, Clone)]
pub(crate) struct Cursor {
    pub(crate) source: Source,
    /// The keys that were not read yet.
    pub(crate) rest: KeyRange,
    pub(crate) direction: Direction,
    pub(crate) filter: Option<Arc<Filter>>,
    /// How many more rows are wanted.
    pub(crate) rows_wanted: u64,
}

impl Cursor {
    pub(crate) fn new(plan: &Plan<'_>, source: Source, keys: KeyRange) -> Cursor {
        Cursor {
            source,
            rest: keys,
            direction: plan.direction,
            filter: plan.filter.clone(),
            rows_wanted: plan.limit.unwrap_or(u64::MAX),
        }
    }

    /// Whether there is nothing more to read.
    pub(crate) fn is_done(&self) -> bool {
        self.rows_wanted == 0 || self.rest.is_empty()
    }

    /// Moves on to right behind a key.
    pub(crate) fn pass(&mut self, key: &Bytes) {
        match self.direction {
            Direction::Ascending => self.rest.start = keyspace::successor(key),
            // A copy: the read set keeps it, and it shares its memory with the rows of a scan.
            Direction::Descending => self.rest.end = Bytes::copy_from_slice(key),
        }
    }

    /// Moves on to the end.
    pub(crate) fn pass_all(&mut self) {
        match self.direction {
            Direction::Ascending => self.rest.start = self.rest.end.clone(),
            Direction::Descending => self.rest.end = self.rest.start.clone(),
        }
    }

    /// The keys up to and with this one, in the cursor's direction.
    pub(crate) fn up_to(&self, key: &Bytes) -> KeyRange {
        match self.direction {
            Direction::Ascending => {
                KeyRange { start: self.rest.start.clone(), end: keyspace::successor(key) }
            }
            Direction::Descending => KeyRange { start: key.clone(), end: self.rest.end.clone() },
        }
    }

    /// Where it stands: the first key that was not read yet, or, downwards, the one behind it.
    pub(crate) fn place(&self) -> &Bytes {
        match self.direction {
            Direction::Ascending => &self.rest.start,
            Direction::Descending => &self.rest.end,
        }
    }

    /// What was passed since it stood at `before`.
    pub(crate) fn passed_since(&self, before: Bytes) -> KeyRange {
        let here = self.place().clone();
        match self.direction {
            Direction::Ascending => KeyRange { start: before, end: here },
            Direction::Descending => KeyRange { start: here, end: before },
        }
    }
}

/// The cursors of a transaction that are open.
#[derive(Default)]
pub(crate) struct Cursors {
    open: HashMap<u32, Cursor>,
    given: u32,
}

impl Cursors {
    /// Keeps a cursor; gives its number, which none had before.
    pub(crate) fn open(&mut self, cursor: Cursor) -> Result<u32, DbError> {
        if self.open.len() >= QUERY_CURSORS_MAX {
            return Err(DbError::new(
                ErrorCode::TooManyCursors,
                format!(
                    "{QUERY_CURSORS_MAX} queries of this call are open at once; read one to its end or close it first"
                ),
            ));
        }
        self.given += 1;
        self.open.insert(self.given, cursor);
        Ok(self.given)
    }

    pub(crate) fn take(&mut self, number: u32) -> Result<Cursor, DbError> {
        let unknown = || {
            let message = format!("cursor {number} was never given, was read to its end, or was closed");
            DbError::new(ErrorCode::InvalidCursor, message)
        };
        self.open.remove(&number).ok_or_else(unknown)
    }

    pub(crate) fn put_back(&mut self, number: u32, cursor: Cursor) {
        self.open.insert(number, cursor);
    }

    pub(crate) fn close(&mut self, number: u32) {
        self.open.remove(&number);
    }
}
