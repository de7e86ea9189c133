//! Reading all rows of a range, piece by piece: at a start, and for a check.
use bytes::Bytes;
use weir_store::{Direction, ReadError, Snapshot};

use crate::{KeyRange, keyspace};

/// So many rows are read at once.
const PIECE_ROWS: usize = 1_000;

/// Hands every row of a range to `row`, in the order of the keys.
///
/// # Errors
/// The store's, and the first of `row`.
pub(crate) fn scan_all<E: From<ReadError>>(
    snapshot: &Snapshot,
    mut range: KeyRange,
    mut row: impl FnMut(&Bytes, &Bytes) -> Result<(), E>,
) -> Result<(), E> {
    loop {
        let rows = snapshot.scan(&range.start, &range.end, Direction::Ascending, PIECE_ROWS)?;
        rows.iter().try_for_each(|(key, value)| row(key, value))?;
        match rows.last() {
            Some((last, _)) if rows.len() == PIECE_ROWS => range.start = keyspace::successor(last),
            _ => return Ok(()),
        }
    }
}
