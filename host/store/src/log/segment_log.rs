//! The log in segment files.
//!
//! Not here: the bytes of a segment, and what is done with commits.

use std::io;
use std::sync::Arc;

use parking_lot::Mutex;
use weir_value::Timestamp;

use super::reader::SegmentReader;
use super::segment;
use super::writer::{self, ClosedSegments, LogEnd, LogWriter, WriterParts};
use super::{AppendError, CommitLog, LogReadError, LogReader};
use crate::Commit;
use crate::disk::Disk;

/// A segment larger than this is not read again at the next start when all of it is in the base: closing
/// begins a new one.
const CLOSE_ROTATE_BYTES: u64 = 1024 * 1024;

/// Segment files in one folder.
pub(crate) struct SegmentLog {
    disk: Arc<dyn Disk>,
    closed: ClosedSegments,
    /// Taken by one thread almost always.
    writer: Mutex<LogWriter>,
}

impl SegmentLog {
    /// Goes on at `end`, or begins the first segment.
    pub(crate) fn open(parts: WriterParts, end: LogEnd) -> Result<SegmentLog, AppendError> {
        let (disk, closed) = (Arc::clone(&parts.disk), Arc::clone(&parts.closed));
        Ok(SegmentLog { disk, closed, writer: Mutex::new(LogWriter::open(parts, end)?) })
    }
}

impl CommitLog for SegmentLog {
    fn append(&self, group: &[Arc<Commit>]) -> Result<u64, AppendError> {
        self.writer.lock().append(group)
    }

    fn secure(&self, bytes: u64) -> Result<(), AppendError> {
        self.writer.lock().secure(bytes)
    }

    fn secured_bytes(&self) -> u64 {
        self.writer.lock().secured_bytes()
    }

    fn read_after(&self, after: Timestamp) -> Result<Box<dyn LogReader>, LogReadError> {
        let newest = self.writer.lock().tail_number();
        let first =
            self.closed.lock().iter().find(|segment| segment.last > after).map(|segment| segment.number);
        let reader = SegmentReader::open(Arc::clone(&self.disk), first.unwrap_or(newest), after)?;
        Ok(Box::new(reader))
    }

    fn release(&self, upto: Timestamp) -> io::Result<u64> {
        writer::remove_segments(&*self.disk, &self.closed, upto)
    }

    fn segments(&self) -> u64 {
        self.closed.lock().len() as u64 + 1
    }

    fn finish(&self, is_flushed: bool) -> bool {
        let mut writer = self.writer.lock();
        let mut is_sound = true;
        if is_flushed
            && writer.tail_bytes() > CLOSE_ROTATE_BYTES
            && let Err(error) = writer.rotate()
        {
            is_sound = false;
            tracing::warn!(%error, "no new log segment at the end; the next start takes a little longer");
        }
        if let Err(error) = writer.trim() {
            is_sound = false;
            let file = self.disk.path(&segment::file_name(writer.tail_number()));
            tracing::warn!(%error, file = %file.display(), "the unused end of the log stays allocated");
        }
        is_sound
    }
}
