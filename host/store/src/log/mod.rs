//! The commit log: what is true.
//!
//! [`CommitLog`] is the boundary: groups of commits are appended, read again from a timestamp on, and let go
//! of when no consumer needs them any more. Its one tenant is [`SegmentLog`]: files named by their number,
//! each with a header (see [`segment`]) and one record for each group (see [`record`]), divided into checked
//! [`sector`]s. The [`writer`] appends, [`recovery`] reads everything back at the next start and decides
//! whether what does not parse is the torn end of an interrupted write, which is cut, or damage, which is
//! refused; a [`reader`] follows the log while it grows, for the [`consumers`].
//!
//! Not here: who waits for a group, and what the writes mean.

pub(crate) mod consumers;
pub(crate) mod reader;
pub(crate) mod record;
pub(crate) mod recovery;
pub(crate) mod sector;
pub(crate) mod segment;
pub(crate) mod segment_log;
pub(crate) mod writer;

use std::io;
use std::sync::Arc;

use thiserror::Error;
use weir_value::Timestamp;

use crate::Commit;

pub(crate) use segment_log::SegmentLog;

/// Where commits become durable, in order.
pub(crate) trait CommitLog: Send + Sync + 'static {
    /// Makes a group durable: when it returns, a power failure does not lose it. `group` is not empty and is
    /// newer than everything before. Returns how many bytes of log it took.
    ///
    /// # Errors
    /// See [`AppendError`].
    fn append(&self, group: &[Arc<Commit>]) -> Result<u64, AppendError>;

    /// Secures disk space, so that the next records of `bytes` in all cannot meet a full disk.
    ///
    /// # Errors
    /// There is no room; what was secured before stays.
    fn secure(&self, bytes: u64) -> Result<(), AppendError>;

    /// How many bytes of records have their space for sure.
    fn secured_bytes(&self) -> u64;

    /// Reads the groups whose commits are newer than `after`, from the oldest on.
    ///
    /// # Errors
    /// They are not all there any more.
    fn read_after(&self, after: Timestamp) -> Result<Box<dyn LogReader>, LogReadError>;

    /// Lets go of whatever holds no commit newer than `upto`, which must be durable elsewhere.
    ///
    /// # Errors
    /// Something could not be removed; it is tried again by the next call.
    fn release(&self, upto: Timestamp) -> io::Result<u64>;

    /// How many files, or the like, there are.
    fn segments(&self) -> u64;

    /// The last act of closing. `is_flushed` says that the next start needs nothing of what is there. Returns
    /// whether all of it is on the disk for sure.
    fn finish(&self, is_flushed: bool) -> bool;
}

/// Reads a log that others go on writing.
pub(crate) trait LogReader: Send {
    /// The next group, oldest first, or `None` when there is none up to `durable` yet: ask again later.
    ///
    /// # Errors
    /// The log cannot be read, or is damaged in this place.
    fn next_group(&mut self, durable: Timestamp) -> Result<Option<Vec<Commit>>, LogReadError>;
}

/// Why a group is not durable.
#[derive(Debug, Error)]
pub(crate) enum AppendError {
    /// No room; the log is as it was before.
    #[error("no room for the log: {0}")]
    Full(io::Error),
    /// The log cannot be trusted any more.
    #[error("{action} of the log file {file} failed: {source}")]
    Fatal { action: &'static str, file: String, source: io::Error },
}

/// The log could not be read while it is in use.
#[derive(Debug, Clone, Error)]
#[error("{what}")]
pub struct LogReadError {
    what: String,
}

impl LogReadError {
    pub(crate) fn new(what: impl Into<String>) -> LogReadError {
        LogReadError { what: what.into() }
    }
}
