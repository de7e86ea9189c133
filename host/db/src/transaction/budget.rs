//! What a transaction has used and may still use, for functions that ask; and what of it is set aside for a while.
use serde_json::{Value as Json, json};
use weir_value::limits::{
    SCHEDULED_ARGS_BYTES_TOTAL_MAX, SCHEDULED_FUNCTIONS_MAX, TRANSACTION_BYTES_READ_MAX,
    TRANSACTION_BYTES_WRITTEN_MAX, TRANSACTION_DOCUMENTS_READ_MAX, TRANSACTION_DOCUMENTS_WRITTEN_MAX,
    TRANSACTION_RANGES_READ_MAX,
};

use super::{ReadSetBuilder, Transaction};
use crate::DbError;
use crate::call_options::Budget;
use crate::write_buffer::WriteBuffer;

/// What a transaction has read and written, while something runs apart from it.
pub(crate) struct SetAside {
    reads: ReadSetBuilder,
    writes: WriteBuffer,
}

impl Transaction {
    /// How much of what it may use the transaction has used, and what is left: JSON in npm `convex`'s names,
    /// `{"documentsRead": {"used": 3, "remaining": 31997}, ...}`.
    ///
    /// # Errors
    /// `TooManyHostCalls` (poisons).
    pub fn usage_json(&mut self) -> Result<Json, DbError> {
        self.count_host_call()?;
        let Budget { usage, functions_scheduled, scheduled_args_bytes } = self.budget();
        let of = |used: usize, max: usize| json!({"used": used, "remaining": max.saturating_sub(used)});
        Ok(json!({
            "documentsRead": of(usage.documents_read, TRANSACTION_DOCUMENTS_READ_MAX),
            "bytesRead": of(usage.bytes_read, TRANSACTION_BYTES_READ_MAX),
            "databaseQueries": of(usage.ranges_read, TRANSACTION_RANGES_READ_MAX),
            "documentsWritten": of(usage.documents_written, TRANSACTION_DOCUMENTS_WRITTEN_MAX),
            "bytesWritten": of(usage.bytes_written, TRANSACTION_BYTES_WRITTEN_MAX),
            "functionsScheduled": of(functions_scheduled, SCHEDULED_FUNCTIONS_MAX),
            "scheduledFunctionArgsBytes": of(scheduled_args_bytes, SCHEDULED_ARGS_BYTES_TOTAL_MAX),
            "filesRead": of(0, 0),
            "fileReadBytes": of(0, 0),
            "filesWritten": of(0, 0),
            "fileWriteBytes": of(0, 0),
        }))
    }

    /// What has been used of everything that has a limit.
    pub(crate) fn budget(&self) -> Budget {
        Budget {
            usage: self.usage,
            functions_scheduled: self.scheduled.count,
            scheduled_args_bytes: self.scheduled.args_bytes,
        }
    }

    /// Puts away what was read and written, until [`Transaction::take_back`].
    pub(crate) fn set_aside(&mut self) -> SetAside {
        SetAside { reads: std::mem::take(&mut self.reads), writes: std::mem::take(&mut self.writes) }
    }

    /// Drops what was read and written meanwhile, and has again what was set aside.
    pub(crate) fn take_back(&mut self, own: SetAside) {
        (self.reads, self.writes) = (own.reads, own.writes);
    }
}
