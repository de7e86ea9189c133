//! One state of a tree on redb, to be read: by descents, and by what is known of earlier ones.
//!
//! Its functions are those of [`Tree`](super::tree::Tree), for one state.
//!
//! Not here: which state it is.

use std::cmp::Ordering;
use std::ops::{Bound, ControlFlow};

use bytes::Bytes;
use redb::{Database, ReadOnlyTable, ReadableDatabase, ReadableTable};

use super::BaseError;
use super::redb_tree::{definition, reading};
use super::short_ranges::{self, Collector, ENTRIES_MAX, ShortRanges};
use super::tree::{Entries, Space, Visit};
use crate::Direction;
use crate::memory_table::Interval;

/// So many entries are walked over at most to the next key: a descent of the tree takes as long as some more.
const STEPS_MAX: usize = 4;
/// After so many times in a row that the next key was further away, nobody walks any more.
const FAILED_WALKS_MAX: u32 = 2;
/// To find that out is too dear for fewer keys.
const WALK_MIN: usize = 8;

type Table = ReadOnlyTable<&'static [u8], &'static [u8]>;

type Guard<'a> = redb::AccessGuard<'a, &'static [u8]>;

/// A committed state.
pub(super) struct Reader {
    tables: [Table; 3],
    /// Of the rows.
    short_ranges: ShortRanges,
}

impl Reader {
    /// The newest state of `db`. What is known of short ranges takes so many bytes at most.
    pub(super) fn new(db: &Database, short_ranges_bytes: u64) -> Result<Reader, BaseError> {
        let transaction = db.begin_read().map_err(reading)?;
        let [rows, pieces, marks] = Space::ALL.map(|space| transaction.open_table(definition(space)));
        let tables = [rows.map_err(reading)?, pieces.map_err(reading)?, marks.map_err(reading)?];
        Ok(Reader { tables, short_ranges: ShortRanges::new(short_ranges_bytes) })
    }

    pub(super) fn table(&self, space: Space) -> &Table {
        &self.tables[space as usize]
    }

    pub(super) fn look(
        &self,
        space: Space,
        key: &[u8],
        look: &mut dyn FnMut(&[u8]),
    ) -> Result<(), BaseError> {
        if let Some(value) = self.table(space).get(key).map_err(reading)? {
            look(value.value());
        }
        Ok(())
    }

    /// Shows the entries of `interval` to `visit`, and says whether that broke off or all were shown.
    fn walk(
        &self,
        space: Space,
        interval: Interval<'_>,
        direction: Direction,
        visit: &mut Visit<'_>,
    ) -> Result<ControlFlow<()>, BaseError> {
        // A cursor knows one end alone, where a range would copy both.
        let mut cursor = match direction {
            Direction::Ascending => self.table(space).lower_bound(interval.low),
            Direction::Descending => self.table(space).upper_bound(interval.high),
        }
        .map_err(reading)?;
        loop {
            let entry = match direction {
                Direction::Ascending => cursor.next(),
                Direction::Descending => cursor.prev(),
            };
            let Some((key, value)) = entry.map_err(reading)? else { return Ok(ControlFlow::Continue(())) };
            if !interval.ends_behind(key.value(), direction) {
                return Ok(ControlFlow::Continue(()));
            }
            if visit(key.value(), value.value())?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
    }

    pub(super) fn look_again(
        &self,
        space: Space,
        key: &[u8],
        look: &mut dyn FnMut(&[u8]),
    ) -> Result<(), BaseError> {
        if space != Space::Rows {
            return self.look(space, key, look);
        }
        let point = short_ranges::point(key);
        if let Some(known) = self.short_ranges.find(point, Direction::Ascending, 1) {
            known.entries().for_each(|(_, value)| look(value));
            return Ok(());
        }
        let mut collector = Collector::begin(point, Direction::Ascending);
        self.look(space, key, &mut |value| {
            collector = collector.take().and_then(|collector| collector.with_entry(&[], value));
            look(value);
        })?;
        self.short_ranges.keep(collector, true);
        Ok(())
    }

    pub(super) fn look_each(
        &self,
        space: Space,
        keys: &[&[u8]],
        direction: Direction,
        look: &mut dyn FnMut(usize, &[u8]),
    ) -> Result<(), BaseError> {
        let failures = if keys.len() < WALK_MIN { FAILED_WALKS_MAX } else { 0 };
        let mut walker = Walker { table: self.table(space), direction, cursor: None, failures };
        for (at, key) in keys.iter().enumerate() {
            if !walker.walk_to(key, &mut |value| look(at, value))? {
                self.look(space, key, &mut |value| look(at, value))?;
            }
        }
        Ok(())
    }

    pub(super) fn visit(
        &self,
        space: Space,
        interval: Interval<'_>,
        direction: Direction,
        entries_max: usize,
        visit: &mut Visit<'_>,
    ) -> Result<(), BaseError> {
        if space != Space::Rows || entries_max > ENTRIES_MAX {
            return self.walk(space, interval, direction, visit).map(drop);
        }
        if let Some(known) = self.short_ranges.find(interval, direction, entries_max) {
            for (key, value) in known.entries() {
                if visit(key, value)?.is_break() {
                    break;
                }
            }
            return Ok(());
        }
        let mut collector = Collector::begin(interval, direction);
        let end = self.walk(space, interval, direction, &mut |key, value| {
            collector = collector.take().and_then(|collector| collector.with_entry(key, value));
            visit(key, value)
        })?;
        self.short_ranges.keep(collector, end.is_continue());
        Ok(())
    }

    pub(super) fn range(
        &self,
        space: Space,
        interval: Interval<'_>,
        direction: Direction,
    ) -> Result<Entries<'static>, BaseError> {
        let bounds: (Bound<&[u8]>, Bound<&[u8]>) = (interval.low, interval.high);
        let entries = self.table(space).range::<&[u8]>(bounds).map_err(reading)?;
        let entry = |entry: Result<(Guard<'_>, Guard<'_>), redb::StorageError>| {
            let (key, value) = entry.map_err(reading)?;
            Ok((Bytes::copy_from_slice(key.value()), Bytes::copy_from_slice(value.value())))
        };
        Ok(match direction {
            Direction::Ascending => Box::new(entries.map(entry)),
            Direction::Descending => Box::new(entries.rev().map(entry)),
        })
    }
}

/// Looks for keys near each other by walking from one to the next, as long as that gets anywhere.
struct Walker<'a> {
    table: &'a Table,
    direction: Direction,
    /// Behind the key that was looked for last.
    cursor: Option<redb::Cursor<'a, &'static [u8], &'static [u8]>>,
    /// How many times in a row the next key was not near.
    failures: u32,
}

impl Walker<'_> {
    /// Whether it got to where `key` stands, or would; shows its value.
    fn walk_to(&mut self, key: &[u8], look: &mut dyn FnMut(&[u8])) -> Result<bool, BaseError> {
        if self.failures < FAILED_WALKS_MAX && self.step_to(key, look)? {
            self.failures = 0;
            return Ok(true);
        }
        self.failures += u32::from(self.cursor.is_some());
        if self.failures >= FAILED_WALKS_MAX {
            return Ok(false);
        }
        let begun = match self.direction {
            Direction::Ascending => self.table.lower_bound(Bound::Included(key)),
            Direction::Descending => self.table.upper_bound(Bound::Included(key)),
        };
        self.cursor = Some(begun.map_err(reading)?);
        self.step_to(key, look)
    }

    /// The same over a few entries.
    fn step_to(&mut self, key: &[u8], look: &mut dyn FnMut(&[u8])) -> Result<bool, BaseError> {
        let Some(cursor) = &mut self.cursor else { return Ok(false) };
        for _ in 0..STEPS_MAX {
            let entry = match self.direction {
                Direction::Ascending => cursor.next(),
                Direction::Descending => cursor.prev(),
            };
            let Some((found, value)) = entry.map_err(reading)? else { return Ok(false) };
            let order = match self.direction {
                Direction::Ascending => found.value().cmp(key),
                Direction::Descending => key.cmp(found.value()),
            };
            match order {
                Ordering::Less => {}
                Ordering::Equal => {
                    look(value.value());
                    return Ok(true);
                }
                Ordering::Greater => return Ok(false),
            }
        }
        Ok(false)
    }
}
