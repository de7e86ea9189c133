//! Ids of documents. An id says its document's table, its creation time, and carries a check sum,
//! so that a mistyped or foreign id is an error and not a document that is missing. Whether a
//! document or table exists is not known here.
//!
//! The bytes are `[table: VInt][creation time: 8, sort bits][random: 8][check sum: 2]`, written
//! in lower-case Crockford base 32 without padding (31 to 37 characters). The check sum is
//! Fletcher-16 over what stands before it, XOR the version, little-endian. Ids of one table sort,
//! as text and as bytes, by creation time.

mod base32;
mod checksum;
mod creation_time;
mod document_id;
mod vint;

pub use creation_time::{CreationTime, CreationTimeError};
pub use document_id::{DocumentId, IdError};

/// The number of a table within its deployment; ids contain it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableNumber(pub u32);

impl TableNumber {
    /// The first number of a user's table; those below are reserved for the host's own.
    pub const FIRST_USER: TableNumber = TableNumber(10_001);

    /// The next number.
    pub const fn next(self) -> TableNumber {
        TableNumber(self.0.saturating_add(1))
    }
}

impl std::fmt::Display for TableNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
