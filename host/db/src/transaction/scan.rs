//! Queries: the snapshot's rows and the transaction's own writes, merged in order, in batches.
//!
//! **Invariant:** what is recorded as read is exactly what was passed: from where the query began to the last key
//! that was looked at, or to the end of the range if that was reached. Rows that the store gave and that nobody looked
//! at are not part of it.
use std::cmp::Ordering;

use bytes::Bytes;
use weir_store::planted::{self, Bug};
use weir_store::{Direction, ScanPart};
use weir_value::json::{self, Bounds};
use weir_value::limits::{QUERY_BATCH_BYTES_MAX, QUERY_BATCH_ROWS_DEFAULT, QUERY_BATCH_ROWS_MAX};
use weir_value::{ErrorCode, TableNumber};

use super::Transaction;
use super::write::damaged;
use crate::query::{Cursor, Plan, Source};
use crate::write_buffer::Written;
use crate::{Batch, DbError, KeyRange, keyspace, system_tables};

/// How many rows the first piece holds when their size is not known yet.
pub(super) const FIRST_PIECE_ROWS: usize = 32;
/// What a batch has room for at first: one small document, as a query through an index often gives.
const SMALL_BATCH_BYTES: usize = 256;
/// So few entries of an index are not a part of a list: somebody looks a document up, and will again.
const LOOK_UP_ROWS: usize = 2;
/// How many rows a piece holds at most.
const PIECE_ROWS_MAX: usize = 512;

/// The rows of a batch so far.
struct Page {
    documents: Rows,
    rows_max: usize,
}

/// Documents as a JSON array that grows.
pub(super) struct Rows {
    json: Vec<u8>,
    count: usize,
}

impl Rows {
    pub(super) fn new() -> Rows {
        let mut json = Vec::with_capacity(SMALL_BATCH_BYTES);
        json.push(b'[');
        Rows { json, count: 0 }
    }

    pub(super) fn push(&mut self, document: &[u8]) {
        if self.count > 0 {
            self.json.push(b',');
        }
        self.json.extend_from_slice(document);
        self.count += 1;
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// The array, and how many documents it has.
    pub(super) fn finish(mut self) -> (Vec<u8>, u32) {
        self.json.push(b']');
        (self.json, self.count as u32)
    }
}

impl Page {
    fn new(max_rows: u32) -> Page {
        let rows_max = match max_rows as usize {
            0 => QUERY_BATCH_ROWS_DEFAULT,
            rows => rows.min(QUERY_BATCH_ROWS_MAX),
        };
        Page { documents: Rows::new(), rows_max }
    }

    fn is_full(&self) -> bool {
        self.documents.count >= self.rows_max || self.documents.json.len() >= QUERY_BATCH_BYTES_MAX
    }
}

/// Some rows, merged; and whether the range is read to its end with them.
pub(super) struct Piece {
    /// Keys, of documents or of index entries, and documents.
    pub(super) rows: Vec<(Bytes, Bytes)>,
    /// The last key that the piece speaks for. `None`: all of the range.
    pub(super) reached: Option<Bytes>,
}

impl Transaction {
    /// Begins a query and gives its first batch of at most `max_rows` documents (0: the host chooses).
    ///
    /// # Errors
    /// `InvalidQuery`, `IndexNotFound`, `TooManyCursors`, and the limits.
    pub fn query(&mut self, plan: &[u8], max_rows: u32) -> Result<Batch, DbError> {
        self.count_host_call()?;
        let plan = Plan::parse(plan)?;
        let counted = self.usage.add_range();
        self.or_poison(counted)?;
        let (source, keys) = self.resolve_plan(&plan)?;
        let mut cursor = Cursor::new(&plan, source, keys);
        let (documents, count) = self.read_batch(&mut cursor, max_rows)?;
        let cursor = if cursor.is_done() { None } else { Some(self.cursors.open(cursor)?) };
        Ok(Batch { documents, count, cursor })
    }

    /// The next batch of a query. After an error that is no limit's the cursor stands where it stood.
    ///
    /// # Errors
    /// `InvalidCursor`: never given, used up, or closed; `InvalidQuery`; and the limits.
    pub fn query_next(&mut self, cursor: u32, max_rows: u32) -> Result<Batch, DbError> {
        self.count_host_call()?;
        let number = cursor;
        let mut cursor = self.cursors.take(number)?;
        let before = cursor.clone();
        match self.read_batch(&mut cursor, max_rows) {
            Ok((documents, count)) if cursor.is_done() => Ok(Batch { documents, count, cursor: None }),
            Ok((documents, count)) => {
                self.cursors.put_back(number, cursor);
                Ok(Batch { documents, count, cursor: Some(number) })
            }
            Err(error) => {
                self.cursors.put_back(number, before);
                Err(error)
            }
        }
    }

    /// Drops a cursor before its end. Unknown ones are ignored.
    pub fn query_close(&mut self, cursor: u32) {
        if self.count_host_call().is_ok() {
            self.cursors.close(cursor);
        }
    }

    /// Where a plan's rows are.
    pub(super) fn resolve_plan(&mut self, plan: &Plan<'_>) -> Result<(Source, KeyRange), DbError> {
        let table = self.table_number(&plan.table)?;
        if table.is_some_and(system_tables::is_private) {
            return Err(system_tables::private(&plan.table));
        }
        let rules = table.and_then(|table| self.deployed.registry.table(table));
        plan.resolve(table, rules)
    }

    /// Reads on, and records what was passed, also when a row's evaluation failed.
    fn read_batch(&mut self, cursor: &mut Cursor, max_rows: u32) -> Result<(Vec<u8>, u32), DbError> {
        let before = cursor.place().clone();
        let mut page = Page::new(max_rows);
        let filled = self.fill(&mut page, cursor);
        if !planted::is(Bug::ReadSetMissesGap) {
            self.reads.add_range(cursor.passed_since(before));
        }
        filled.map(|()| page.documents.finish())
    }

    fn fill(&mut self, page: &mut Page, cursor: &mut Cursor) -> Result<(), DbError> {
        let mut piece_rows = FIRST_PIECE_ROWS;
        while !page.is_full() && !cursor.is_done() {
            let wanted = match cursor.filter {
                Some(_) => piece_rows,
                None => {
                    piece_rows.min(page.rows_max - page.documents.count).min(to_usize(cursor.rows_wanted))
                }
            };
            let piece = self.read_piece(cursor, wanted)?;
            piece_rows = next_piece_rows(&piece.rows, piece_rows);
            if self.take_rows(page, cursor, piece.rows)? {
                match piece.reached {
                    Some(key) => cursor.pass(&key),
                    None => cursor.pass_all(),
                }
            }
        }
        Ok(())
    }

    /// Takes rows until the page is full, and passes them if not all were taken or no more are wanted; whether the cursor
    /// has still to pass all of them.
    fn take_rows(
        &mut self,
        page: &mut Page,
        cursor: &mut Cursor,
        rows: Vec<(Bytes, Bytes)>,
    ) -> Result<bool, DbError> {
        let mut last = None;
        let mut rows = rows.into_iter();
        let taken = loop {
            let is_enough = page.is_full() || cursor.rows_wanted == 0;
            let Some((key, document)) = rows.next().filter(|_| !is_enough) else { break Ok(!is_enough) };
            let taken = self.take_row(page, cursor, &key, &document);
            last = Some(key);
            if let Err(error) = taken {
                break Err(error);
            }
        };
        if let (Some(key), false) = (last, matches!(taken, Ok(true))) {
            cursor.pass(&key);
        }
        taken
    }

    fn take_row(
        &mut self,
        page: &mut Page,
        cursor: &mut Cursor,
        key: &Bytes,
        document: &Bytes,
    ) -> Result<(), DbError> {
        if planted::is(Bug::ReadSetMissesGap) {
            self.reads.add_range(KeyRange { end: keyspace::successor(key), start: key.clone() });
        }
        let counted = self.usage.add_read(document.len());
        self.or_poison(counted)?;
        if keeps(cursor, document)? {
            page.documents.push(document);
            cursor.rows_wanted -= 1;
        }
        Ok(())
    }

    /// The next rows: of the snapshot at most `rows_max`, and what this transaction wrote among them.
    pub(super) fn read_piece(&mut self, cursor: &Cursor, rows_max: usize) -> Result<Piece, DbError> {
        let mut piece = self.read_keys(cursor, rows_max)?;
        if let Source::Entries(index) = &cursor.source {
            self.read_documents(&mut piece.rows, index.table, cursor.direction)?;
        }
        Ok(piece)
    }

    /// The same with what stands under the keys: documents, or nothing under those of index entries.
    pub(super) fn read_keys(&mut self, cursor: &Cursor, rows_max: usize) -> Result<Piece, DbError> {
        let rest = &cursor.rest;
        let part = self.snapshot.scan_part(&rest.start, &rest.end, cursor.direction, rows_max);
        let ScanPart { rows: stored, deleted, reached } = self.or_unreadable(part)?;
        let counted = self.usage.add_deleted(deleted);
        self.or_poison(counted)?;
        let rows = match self.writes.is_empty() {
            true => stored,
            false => {
                let covered = reached.as_ref().map_or_else(|| rest.clone(), |key| cursor.up_to(key));
                let own = self.writes.range(&covered).map(|(key, written)| (key.clone(), written.clone()));
                match cursor.direction {
                    Direction::Ascending => merge(stored, own, |a, b| a.cmp(b)),
                    Direction::Descending => merge(stored, own.rev(), |a, b| b.cmp(a)),
                }
            }
        };
        Ok(Piece { rows, reached })
    }

    /// Puts the documents that index entries stand for beside the entries' keys. They are not recorded as read: whoever
    /// writes one of them changes the entry's key, or touches it.
    fn read_documents(
        &mut self,
        entries: &mut [(Bytes, Bytes)],
        table: TableNumber,
        direction: Direction,
    ) -> Result<(), DbError> {
        let is_look_up = entries.len() <= LOOK_UP_ROWS;
        if !is_look_up && self.writes.is_empty() {
            return self.read_list(entries, table, direction);
        }
        for (entry, row) in entries {
            let key = document_key_of(entry, table)?;
            let document = match self.writes.get(&key) {
                Some(written) => written.value().cloned(),
                None => {
                    let stored = match is_look_up {
                        true => self.snapshot.get_led_to(&key),
                        false => self.snapshot.get(&key),
                    };
                    self.or_unreadable(stored)?
                }
            };
            *row = self.or_inconsistent(document, &key)?;
        }
        Ok(())
    }

    /// The same of many at once, where this transaction has written nothing: what an index lists next to each other was
    /// often created one after the other.
    fn read_list(
        &mut self,
        entries: &mut [(Bytes, Bytes)],
        table: TableNumber,
        direction: Direction,
    ) -> Result<(), DbError> {
        let keys: Vec<_> =
            entries.iter().map(|(entry, _)| document_key_of(entry, table)).collect::<Result<_, _>>()?;
        let documents = self.snapshot.get_each(&keys, direction);
        let documents = self.or_unreadable(documents)?;
        for ((row, document), key) in entries.iter_mut().zip(documents).zip(&keys) {
            row.1 = self.or_inconsistent(document, key)?;
        }
        Ok(())
    }

    /// The document that an entry stands for is there, or the index is damaged.
    fn or_inconsistent(&mut self, document: Option<Bytes>, key: &[u8]) -> Result<Bytes, DbError> {
        let document = document.ok_or_else(|| {
            let id = keyspace::document_in_key(key).map(|id| id.to_string());
            tracing::error!(target: "weir::db", id, "an index has an entry of a document that is not there");
            DbError::new(
                ErrorCode::StorageFailed,
                "An index does not agree with its table; run `host check`.",
            )
        });
        self.or_poison(document)
    }
}

/// The key of the document that an index entry stands for.
fn document_key_of(entry: &[u8], table: TableNumber) -> Result<keyspace::DocumentKey, DbError> {
    let id = keyspace::document_of_entry(entry, table).ok_or_else(damaged)?;
    Ok(keyspace::document_key_bytes(&id))
}

pub(super) fn keeps(cursor: &Cursor, document: &[u8]) -> Result<bool, DbError> {
    let Some(filter) = &cursor.filter else { return Ok(true) };
    let document = json::parse_within(document, Bounds::MUTATION).map_err(|error| {
        DbError::new(ErrorCode::StorageFailed, format!("A stored document cannot be read: {error}"))
    })?;
    filter.keeps(&document)
}

/// Both, in order; where both have a key the own one counts, unless it was only touched, and what it deleted is left out.
fn merge(
    stored: Vec<(Bytes, Bytes)>,
    own: impl Iterator<Item = (Bytes, Written)>,
    order: impl Fn(&Bytes, &Bytes) -> Ordering,
) -> Vec<(Bytes, Bytes)> {
    let mut rows = Vec::with_capacity(stored.len());
    let mut stored = stored.into_iter().peekable();
    for (key, written) in own {
        while let Some(row) = stored.next_if(|row| order(&row.0, &key).is_lt()) {
            rows.push(row);
        }
        let covered = stored.next_if(|row| row.0 == key);
        match written {
            Written::Value(value) => rows.push((key, value)),
            Written::Deleted => {}
            Written::Touched => rows.extend(covered),
        }
    }
    rows.extend(stored);
    rows
}

/// Twice as many as before, but no more than fill a batch if they are as large as these.
pub(super) fn next_piece_rows(rows: &[(Bytes, Bytes)], before: usize) -> usize {
    let bytes: usize = rows.iter().map(|(_, document)| document.len()).sum();
    let row_bytes = (bytes / rows.len().max(1)).max(1);
    (before * 2).min(PIECE_ROWS_MAX).min(QUERY_BATCH_BYTES_MAX / row_bytes).max(1)
}

fn to_usize(rows: u64) -> usize {
    usize::try_from(rows).unwrap_or(usize::MAX)
}
