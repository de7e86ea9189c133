//! Queries: what a plan means, which rows its filter keeps, how far its cursor has come.
//!
//! Reads no store: `transaction::scan` does, as these say.
mod cursor;
mod filter;
mod page_cursor;
mod plan;
mod plan_text;
mod range;

pub(crate) use cursor::{Cursor, Cursors};
pub(crate) use page_cursor::{CursorKey, Fingerprint, PageCursor};
pub(crate) use plan::{Plan, Source};

/// A part of a query's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// A JSON array of documents, in the query's order; `[]` when there is none.
    pub documents: Vec<u8>,
    /// How many they are.
    pub count: u32,
    /// Where the rest begins, for [`crate::Transaction::query_next`]. `None`: that was all.
    pub cursor: Option<u32>,
}
