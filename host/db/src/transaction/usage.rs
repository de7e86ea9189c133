//! How much a transaction has used of what it may use.
//!
//! Only counts; whoever counts marks the transaction as poisoned when this says that a limit is passed.
use weir_value::ErrorCode;
use weir_value::limits::{
    DELETED_ROWS_PER_DOCUMENT, FUNCTION_HOST_CALLS_MAX, TRANSACTION_BYTES_READ_MAX,
    TRANSACTION_BYTES_WRITTEN_MAX, TRANSACTION_DOCUMENTS_READ_MAX, TRANSACTION_DOCUMENTS_WRITTEN_MAX,
    TRANSACTION_RANGES_READ_MAX,
};

use crate::DbError;

/// What a transaction has used. What a failed operation had used stays counted, and so does what a rolled
/// back sub-transaction wrote: the work was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Documents read, those included that a filter dropped.
    pub documents_read: usize,
    /// Their size.
    pub bytes_read: usize,
    /// Rows passed that had been deleted, and that still lie in memory.
    pub deleted_passed: usize,
    /// Calls of `get` and `query`.
    pub ranges_read: usize,
    /// Documents written or deleted; a document that is written twice counts twice.
    pub documents_written: usize,
    /// Their size, before or after the write, whichever is larger.
    pub bytes_written: usize,
    /// Calls of the host by the guest.
    pub host_calls: usize,
}

impl Usage {
    pub(crate) fn add_host_call(&mut self) -> Result<(), DbError> {
        self.host_calls += 1;
        if self.host_calls <= FUNCTION_HOST_CALLS_MAX {
            return Ok(());
        }
        Err(DbError::new(
            ErrorCode::TooManyHostCalls,
            format!(
                "Too many calls of the host in a single function execution (limit: {FUNCTION_HOST_CALLS_MAX})."
            ),
        ))
    }

    pub(crate) fn add_range(&mut self) -> Result<(), DbError> {
        self.ranges_read += 1;
        if self.ranges_read <= TRANSACTION_RANGES_READ_MAX {
            return Ok(());
        }
        Err(DbError::new(
            ErrorCode::TooManyReads,
            format!(
                "Too many reads in a single function execution (limit: {TRANSACTION_RANGES_READ_MAX} calls of get \
                 and query). Read several documents with one query."
            ),
        ))
    }

    pub(crate) fn add_read(&mut self, bytes: usize) -> Result<(), DbError> {
        self.documents_read += 1;
        self.bytes_read += bytes;
        self.check_rows()?;
        if self.bytes_read > TRANSACTION_BYTES_READ_MAX {
            return Err(DbError::new(
                ErrorCode::TooManyBytesRead,
                format!(
                    "Too many bytes read in a single function execution (limit: {TRANSACTION_BYTES_READ_MAX} bytes). \
                     Narrow the query's range, or keep large fields in documents of their own."
                ),
            ));
        }
        Ok(())
    }

    /// A query passed rows that had been deleted: several of them cost as much as a document that is there.
    pub(crate) fn add_deleted(&mut self, rows: usize) -> Result<(), DbError> {
        self.deleted_passed += rows;
        self.check_rows()
    }

    fn check_rows(&self) -> Result<(), DbError> {
        let deleted = self.deleted_passed / DELETED_ROWS_PER_DOCUMENT;
        if self.documents_read + deleted <= TRANSACTION_DOCUMENTS_READ_MAX {
            return Ok(());
        }
        let why = match deleted {
            0 => "Narrow the query's range, or take fewer documents.",
            _ => {
                "Documents that were deleted a moment ago and lie in the range count a little, too: begin the range \
                 behind them, or try again later."
            }
        };
        Err(DbError::new(
            ErrorCode::TooManyReads,
            format!(
                "Too many documents read in a single function execution (limit: {TRANSACTION_DOCUMENTS_READ_MAX}). {why}"
            ),
        ))
    }

    pub(crate) fn add_write(&mut self, bytes: usize) -> Result<(), DbError> {
        self.documents_written += 1;
        self.bytes_written += bytes;
        if self.documents_written > TRANSACTION_DOCUMENTS_WRITTEN_MAX {
            return Err(DbError::new(
                ErrorCode::TooManyWrites,
                format!(
                    "Too many documents written in a single function execution (limit: \
                     {TRANSACTION_DOCUMENTS_WRITTEN_MAX}). Write them in several mutations."
                ),
            ));
        }
        if self.bytes_written > TRANSACTION_BYTES_WRITTEN_MAX {
            return Err(DbError::new(
                ErrorCode::TooManyBytesWritten,
                format!(
                    "Too many bytes written in a single function execution (limit: \
                     {TRANSACTION_BYTES_WRITTEN_MAX} bytes). Write them in several mutations."
                ),
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deleted_rows_count_a_part_of_those_that_are_there() {
        let mut usage = Usage::default();
        let all = TRANSACTION_DOCUMENTS_READ_MAX * DELETED_ROWS_PER_DOCUMENT;
        assert_eq!(usage.add_deleted(all), Ok(()));
        assert_eq!(usage.add_deleted(DELETED_ROWS_PER_DOCUMENT - 1), Ok(()));
        let error = usage.add_deleted(1).expect_err("one too many");
        assert!(error.code == "TooManyReads" && error.message.contains("deleted"), "{error:?}");
        let mut usage = Usage { deleted_passed: all / 2, ..Usage::default() };
        for _ in 0..TRANSACTION_DOCUMENTS_READ_MAX / 2 {
            usage.add_read(1).expect("within the limit");
        }
        assert!(usage.add_read(1).is_err());
    }
}
