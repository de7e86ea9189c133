//! Pages: a part of a query that begins where another one ended, in this call or in one long ago.
//!
//! A page ends behind its last row, or, when it was read before, where it ended then: so pages that are read again, each
//! for itself, neither leave a gap nor overlap, whatever has come and gone between them.
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use weir_value::ErrorCode;
use weir_value::limits::{PAGE_BYTES_SOFT, PAGE_ROWS_MAX, PAGE_ROWS_SOFT, TRANSACTION_BYTES_READ_MAX};

use super::Transaction;
use super::scan::{Rows, keeps};
use crate::query::{Cursor, Fingerprint, PageCursor, Plan};
use crate::{DbError, KeyRange, keyspace};

/// What a function asks of a page: Convex's `paginationOpts`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageOptions {
    /// Where the page begins; `null`: at the beginning of the query.
    #[serde(default)]
    cursor: Option<String>,
    /// Where it ends, whatever `numItems` says.
    #[serde(default)]
    end_cursor: Option<String>,
    /// How many documents it should have.
    num_items: f64,
    /// How many it may look at.
    #[serde(default)]
    maximum_rows_read: Option<f64>,
    #[serde(default)]
    maximum_bytes_read: Option<f64>,
}

/// Convex's `PaginationResult`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PageResult<'a> {
    page: &'a RawValue,
    is_done: bool,
    continue_cursor: String,
    split_cursor: Option<String>,
    page_status: Option<PageStatus>,
}

/// Whether a client should read the page as two from now on.
#[derive(Serialize, Clone, Copy, PartialEq, Eq)]
enum PageStatus {
    SplitRecommended,
    /// The page ends before its end cursor.
    SplitRequired,
}

/// What was read of a page.
struct Page {
    documents: Rows,
    /// The keys of the rows that were looked at, also of those that the filter dropped.
    keys: Vec<Bytes>,
    bytes_read: usize,
}

/// Where the page must end.
struct Bounds {
    items: usize,
    rows: usize,
    bytes: usize,
}

impl Transaction {
    /// Reads one page of a query; `options` is Convex's `paginationOpts`, the answer its `PaginationResult`, JSON both.
    ///
    /// # Errors
    /// `InvalidQuery`, `IndexNotFound`; `InvalidCursor`, which ends the call; `TooManyPages`: a function reads one; limits.
    pub fn page(&mut self, plan: &[u8], options: &[u8]) -> Result<Vec<u8>, DbError> {
        self.count_host_call()?;
        let (plan, fingerprint) = Plan::parse_for_pages(plan)?;
        let fingerprint = fingerprint.of_namespace(self.namespace);
        if plan.limit.is_some() {
            return Err(invalid("a query whose pages are read has no limit: give `numItems`"));
        }
        let options: PageOptions = serde_json::from_slice(options)
            .map_err(|error| invalid(&format!("the options of a page cannot be read: {error}")))?;
        let bounds = options.bounds()?;
        if std::mem::replace(&mut self.has_paged, true) {
            return Err(DbError::new(
                ErrorCode::TooManyPages,
                "A function can read one page of one query, and this one reads a second. Read the other query with \
                 `take` or `collect`, or in a function of its own.",
            ));
        }
        let counted = self.usage.add_range();
        self.or_poison(counted)?;
        let (source, keys) = self.resolve_plan(&plan)?;
        let query = fingerprint.on(&source);
        let opened = self.open_cursors(&options, query);
        let (begin, end) = self.or_poison(opened)?;
        let mut cursor = Cursor::new(&plan, source, keys);
        let prefix = prefix_bytes(&cursor.rest);
        enter(&mut cursor, &prefix, begin.as_ref(), end.as_ref());
        let page = self.read_page(&mut cursor, &bounds, end.is_some())?;
        self.page_result(page, &cursor, &prefix, query, end)
    }

    /// Where the page begins and ends: as the options say, and else, at a query that runs again, where it ended before.
    fn open_cursors(
        &self,
        options: &PageOptions,
        query: Fingerprint,
    ) -> Result<(Option<PageCursor>, Option<PageCursor>), DbError> {
        let key = self.shared.cursor_key();
        let open = |text: &String| key.open(text, query);
        let begin = options.cursor.as_ref().map(open).transpose()?;
        let end = options.end_cursor.as_ref().map(open).transpose()?;
        // A journal of another query is none of this run's business: the function took another turn than last time.
        let before = || self.journal_in.as_ref().and_then(|text| open(text).ok());
        let end = if self.nested.depth == 0 { end.or_else(before) } else { end };
        Ok((begin, end))
    }

    fn read_page(&mut self, cursor: &mut Cursor, bounds: &Bounds, has_end: bool) -> Result<Page, DbError> {
        let before = cursor.place().clone();
        let mut page = Page { documents: Rows::new(), keys: Vec::new(), bytes_read: 0 };
        let filled = self.fill_page(&mut page, cursor, bounds, has_end);
        self.reads.add_range(cursor.passed_since(before));
        filled.map(|()| page)
    }

    fn fill_page(
        &mut self,
        page: &mut Page,
        cursor: &mut Cursor,
        bounds: &Bounds,
        has_end: bool,
    ) -> Result<(), DbError> {
        let is_full = |page: &Page| {
            let has_items = !has_end && page.documents.len() >= bounds.items;
            has_items || page.keys.len() >= bounds.rows || page.bytes_read >= bounds.bytes
        };
        let mut piece_rows = bounds.items.clamp(1, super::scan::FIRST_PIECE_ROWS);
        while !cursor.is_done() && !is_full(page) {
            let piece = self.read_piece(cursor, piece_rows)?;
            piece_rows = super::scan::next_piece_rows(&piece.rows, piece_rows);
            let reached = piece.reached;
            for (key, document) in piece.rows {
                if is_full(page) {
                    return Ok(());
                }
                cursor.pass(&key);
                let counted = self.usage.add_read(document.len());
                self.or_poison(counted)?;
                page.bytes_read += document.len();
                page.keys.push(key);
                if keeps(cursor, &document)? {
                    page.documents.push(&document);
                }
            }
            match reached {
                // A full page ends behind its last row, and not where the store was read up to.
                Some(_) if is_full(page) => return Ok(()),
                Some(key) => cursor.pass(&key),
                None => cursor.pass_all(),
            }
        }
        Ok(())
    }

    fn page_result(
        &mut self,
        page: Page,
        cursor: &Cursor,
        prefix: &[u8],
        query: Fingerprint,
        end: Option<PageCursor>,
    ) -> Result<Vec<u8>, DbError> {
        let key = self.shared.cursor_key();
        let is_at_end = cursor.is_done();
        let reached = match (is_at_end, &end) {
            (true, Some(end)) => end.clone(),
            (true, None) => PageCursor::BehindAll,
            (false, _) => PageCursor::BehindRow(position(page.keys.last(), prefix)),
        };
        let status = match () {
            () if !is_at_end && end.is_some() => Some(PageStatus::SplitRequired),
            () if page.keys.len() > PAGE_ROWS_SOFT || page.bytes_read > PAGE_BYTES_SOFT => {
                Some(PageStatus::SplitRecommended)
            }
            () => None,
        };
        let middle = (page.keys.len() >= 2).then(|| &page.keys[page.keys.len() / 2 - 1]);
        let split = middle.map(|key| PageCursor::BehindRow(key.slice(prefix.len()..)));
        let continues = match (status, &end) {
            (Some(PageStatus::SplitRequired), Some(end)) => end,
            _ => &reached,
        };
        let continue_cursor = key.seal(continues, query);
        let (documents, _) = page.documents.finish();
        let documents: Box<RawValue> = serde_json::from_slice(&documents).map_err(|error| {
            DbError::new(ErrorCode::StorageFailed, format!("a page cannot be written: {error}"))
        })?;
        let result = PageResult {
            page: &documents,
            is_done: *continues == PageCursor::BehindAll,
            continue_cursor: continue_cursor.clone(),
            split_cursor: split.map(|split| key.seal(&split, query)),
            page_status: status,
        };
        if self.nested.depth == 0 {
            self.journal_out = Some(continue_cursor);
        }
        Ok(serde_json::to_vec(&result).expect("a page of JSON can be written as JSON"))
    }
}

impl PageOptions {
    fn bounds(&self) -> Result<Bounds, DbError> {
        let whole = |name: &str, number: f64| match number.fract() == 0.0 && number >= 0.0 {
            true => Ok(number.min(f64::from(u32::MAX)) as usize),
            false => Err(invalid(&format!("`{name}` of a page must be a whole number, not {number}"))),
        };
        let at_most = |name: &str, given: Option<f64>, most: usize| match given {
            None => Ok(most),
            Some(number) => whole(name, number).map(|number| number.clamp(1, most)),
        };
        Ok(Bounds {
            items: match whole("numItems", self.num_items)? {
                0 => return Err(invalid("`numItems` of a page must be at least 1")),
                items => items,
            },
            rows: at_most("maximumRowsRead", self.maximum_rows_read, PAGE_ROWS_MAX)?,
            bytes: at_most("maximumBytesRead", self.maximum_bytes_read, TRANSACTION_BYTES_READ_MAX / 2)?,
        })
    }
}

/// The number of the table or of the index, with its space: what all keys of a query begin with.
fn prefix_bytes(keys: &KeyRange) -> Vec<u8> {
    keys.start.get(..keyspace::SOURCE_PREFIX_BYTES).unwrap_or_default().to_vec()
}

/// Restricts a query to what lies between two cursors.
fn enter(cursor: &mut Cursor, prefix: &[u8], begin: Option<&PageCursor>, end: Option<&PageCursor>) {
    let key = |position: &Bytes| Bytes::from([prefix, position.as_ref()].concat());
    match begin {
        None => {}
        Some(PageCursor::BehindRow(position)) => {
            let mut passed = cursor.clone();
            passed.pass(&key(position));
            cursor.rest.start = passed.rest.start.max(cursor.rest.start.clone());
            cursor.rest.end = passed.rest.end.min(cursor.rest.end.clone());
        }
        Some(PageCursor::BehindAll) => cursor.pass_all(),
    }
    if let Some(PageCursor::BehindRow(position)) = end {
        let wanted = cursor.up_to(&key(position));
        cursor.rest.start = wanted.start.max(cursor.rest.start.clone());
        cursor.rest.end = wanted.end.min(cursor.rest.end.clone());
    }
}

/// The last row of a page, without what all keys of the query begin with. A page that is not at its end has a row.
fn position(last: Option<&Bytes>, prefix: &[u8]) -> Bytes {
    last.map(|key| key.slice(prefix.len()..)).unwrap_or_default()
}

fn invalid(message: &str) -> DbError {
    DbError::new(ErrorCode::InvalidQuery, message)
}
