//! Appending groups to the log.
//!
//! One write and one sync a group. A record that does not fit on the disk is cut away again and can be tried
//! once more later; every other failure is final, because after a failed sync nobody knows which pages
//! reached the disk, and the kernel may report the next one as a success.
//!
//! Not here: who waits, who is told, when to try again.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use parking_lot::Mutex;
use thiserror::Error;
use weir_value::Timestamp;

use super::record;
use super::segment::{self, SegmentHeader};
use crate::disk::{Disk, DiskFile, is_full};
use crate::{Commit, Env};

/// A buffer that grew beyond this for one large group is given back.
const BUFFER_KEEP_BYTES: usize = 1024 * 1024;

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

/// A segment that is written to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClosedSegment {
    pub(crate) number: u64,
    /// Its newest commit.
    pub(crate) last: Timestamp,
}

/// The segments that are written to the end, oldest first; shared with whoever removes them.
pub(crate) type ClosedSegments = Arc<Mutex<VecDeque<ClosedSegment>>>;

/// Where the log ends: what recovery found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LogEnd {
    /// The segment that is not full yet; `None` when the log is empty.
    pub(crate) tail: Option<Tail>,
    /// The newest commit.
    pub(crate) last: Timestamp,
}

/// The segment to go on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tail {
    pub(crate) number: u64,
    pub(crate) salt: u64,
    pub(crate) len: u64,
}

/// Appends to the newest segment.
pub(crate) struct LogWriter {
    disk: Arc<dyn Disk>,
    env: Arc<dyn Env>,
    segment_bytes: u64,
    closed: ClosedSegments,
    tail: Tail,
    file: Box<dyn DiskFile>,
    last: Timestamp,
    buffer: Vec<u8>,
}

impl LogWriter {
    /// Goes on at `end`, or begins the first segment.
    pub(crate) fn open(
        disk: Arc<dyn Disk>,
        env: Arc<dyn Env>,
        segment_bytes: u64,
        closed: ClosedSegments,
        end: LogEnd,
    ) -> Result<LogWriter, AppendError> {
        let (tail, file) = match end.tail {
            Some(tail) => {
                let name = segment::file_name(tail.number);
                (tail, disk.open(&name).map_err(|error| fatal(&*disk, "opening", &name, error))?)
            }
            None => begin_segment(&*disk, &*env, 1, end.last)?,
        };
        Ok(LogWriter { disk, env, segment_bytes, closed, tail, file, last: end.last, buffer: Vec::new() })
    }

    /// Writes one record and syncs it; returns its length. `commits` are newer than everything before.
    pub(crate) fn append(&mut self, commits: &[Arc<Commit>]) -> Result<u64, AppendError> {
        if self.tail.len >= self.segment_bytes {
            self.rotate()?;
        }
        self.buffer.clear();
        record::encode(commits, self.tail.salt, self.tail.len, &mut self.buffer);
        self.write_buffer()?;
        self.file.sync().map_err(|error| self.fatal("syncing", error))?;
        let len = self.buffer.len() as u64;
        self.tail.len += len;
        self.last = commits.last().map_or(self.last, |commit| commit.ts);
        if self.buffer.capacity() > BUFFER_KEEP_BYTES {
            self.buffer = Vec::new();
        }
        Ok(len)
    }

    /// Closes the segment, when it has any record, and begins the next one.
    pub(crate) fn rotate(&mut self) -> Result<(), AppendError> {
        if self.tail.len == segment::HEADER_BYTES as u64 {
            return Ok(());
        }
        let (tail, file) = begin_segment(&*self.disk, &*self.env, self.tail.number + 1, self.last)?;
        self.closed.lock().push_back(ClosedSegment { number: self.tail.number, last: self.last });
        (self.tail, self.file) = (tail, file);
        Ok(())
    }

    /// Bytes of the segment being written.
    pub(crate) fn tail_bytes(&self) -> u64 {
        self.tail.len
    }

    fn write_buffer(&mut self) -> Result<(), AppendError> {
        match self.file.write_at(self.tail.len, &self.buffer) {
            Ok(()) => Ok(()),
            Err(error) if is_full(&error) => {
                self.file.truncate(self.tail.len).map_err(|error| self.fatal("cutting", error))?;
                Err(AppendError::Full(error))
            }
            Err(error) => Err(self.fatal("writing", error)),
        }
    }

    fn fatal(&self, action: &'static str, source: io::Error) -> AppendError {
        fatal(&*self.disk, action, &segment::file_name(self.tail.number), source)
    }
}

/// Removes the closed segments whose newest commit is not newer than `mark`, which must be folded and synced.
/// A removal that a power failure undoes does no harm: recovery does not read what is older than the fold's
/// mark.
pub(crate) fn remove_segments(disk: &dyn Disk, closed: &ClosedSegments, mark: Timestamp) -> io::Result<u64> {
    let mut removed = 0;
    loop {
        let oldest = closed.lock().front().copied().filter(|segment| segment.last <= mark);
        let Some(oldest) = oldest else { break };
        match disk.remove(&segment::file_name(oldest.number)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => closed.lock().pop_front(),
        };
        removed += 1;
    }
    if removed > 0 {
        disk.sync_dir()?;
    }
    Ok(removed)
}

/// A new segment is durable, name and header, before its first record is written: so a segment that holds
/// records has a good header, and one with a bad header holds none.
fn begin_segment(
    disk: &dyn Disk,
    env: &dyn Env,
    number: u64,
    base: Timestamp,
) -> Result<(Tail, Box<dyn DiskFile>), AppendError> {
    let name = segment::file_name(number);
    let mut salt = [0; 8];
    env.fill_random(&mut salt);
    let header = SegmentHeader { number, base, salt: u64::from_le_bytes(salt) };
    let mut file = disk.create(&name).map_err(|error| full_or_fatal(disk, "creating", &name, error))?;
    if let Err(error) = file.write_at(0, &header.encode()) {
        // The next try would replace it, and recovery drops it; removing it only keeps the folder tidy.
        let _ = disk.remove(&name);
        return Err(full_or_fatal(disk, "writing", &name, error));
    }
    file.sync().map_err(|error| fatal(disk, "syncing", &name, error))?;
    disk.sync_dir().map_err(|error| fatal(disk, "syncing the folder", &name, error))?;
    Ok((Tail { number, salt: header.salt, len: segment::HEADER_BYTES as u64 }, file))
}

fn full_or_fatal(disk: &dyn Disk, action: &'static str, name: &str, error: io::Error) -> AppendError {
    if is_full(&error) { AppendError::Full(error) } else { fatal(disk, action, name, error) }
}

fn fatal(disk: &dyn Disk, action: &'static str, name: &str, source: io::Error) -> AppendError {
    AppendError::Fatal { action, file: disk.path(name).display().to_string(), source }
}
