//! Appending groups to the newest segment.
//!
//! One write and one sync a group, into space that was allocated beforehand. A record that finds no room all
//! the same is cut away again and can be tried once more later; every other failure is final, because after a
//! failed sync nobody knows which pages reached the disk, and the kernel may report the next one as a success.
//!
//! Not here: who waits, who is told, when to try again.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use parking_lot::Mutex;
use weir_value::Timestamp;

use super::AppendError;
use super::record::Encoder;
use super::sector::SECTOR_BYTES;
use super::segment::{self, SegmentHeader};
use crate::disk::{Disk, DiskFile, is_full};
use crate::{Commit, Env, StoreId};

/// Kept free behind everything else in a segment, so that it can always be sealed.
const SEAL_BYTES: u64 = SECTOR_BYTES as u64;

/// A segment that is written to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClosedSegment {
    pub(crate) number: u64,
    /// Its newest commit.
    pub(crate) last: Timestamp,
}

/// The segments that are written to the end, oldest first; shared with whoever reads or removes them.
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
    /// Where the next record begins.
    pub(crate) end: u64,
}

/// Appends to the newest segment.
pub(crate) struct LogWriter {
    disk: Arc<dyn Disk>,
    env: Arc<dyn Env>,
    store: StoreId,
    segment_bytes: u64,
    closed: ClosedSegments,
    tail: Tail,
    file: Arc<dyn DiskFile>,
    /// Length of the newest segment's file; what lies behind the tail's end is allocated.
    file_bytes: u64,
    last: Timestamp,
    encoder: Encoder,
}

/// What the writer is made of.
pub(crate) struct WriterParts {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) env: Arc<dyn Env>,
    pub(crate) store: StoreId,
    pub(crate) segment_bytes: u64,
    pub(crate) closed: ClosedSegments,
}

impl LogWriter {
    /// Goes on at `end`, or begins the first segment.
    pub(crate) fn open(parts: WriterParts, end: LogEnd) -> Result<LogWriter, AppendError> {
        let WriterParts { disk, env, store, segment_bytes, closed } = parts;
        let (tail, file) = match end.tail {
            Some(tail) => {
                let name = segment::file_name(tail.number);
                (tail, disk.open(&name).map_err(|error| fatal(&*disk, "opening", &name, error))?)
            }
            None => {
                let begun = Begun { disk: &*disk, env: &*env, store, number: 1, base: end.last, room: 0 };
                begun.make()?
            }
        };
        let name = segment::file_name(tail.number);
        let file_bytes = file.len().map_err(|error| fatal(&*disk, "measuring", &name, error))?;
        let encoder = Encoder::default();
        let last = end.last;
        Ok(LogWriter { disk, env, store, segment_bytes, closed, tail, file, file_bytes, last, encoder })
    }

    /// Writes one record and syncs it; returns its length. `commits` are newer than everything before.
    pub(crate) fn append(&mut self, commits: &[Arc<Commit>]) -> Result<u64, AppendError> {
        if self.tail.end >= self.segment_bytes {
            self.rotate()?;
        }
        let first = sector_number(self.tail.end);
        let framed = self.encoder.group(commits, self.tail.salt, first);
        let len = framed.len() as u64;
        match self.file.write_at(self.tail.end, framed) {
            Ok(()) => {}
            Err(error) if is_full(&error) => return Err(self.take_back(error)),
            Err(error) => return Err(self.fatal("writing", error)),
        }
        if !crate::planted::is(crate::planted::Bug::UnsyncedLog) {
            self.file.sync().map_err(|error| self.fatal("syncing", error))?;
        }
        self.tail.end += len;
        self.file_bytes = self.file_bytes.max(self.tail.end);
        self.last = commits.last().map_or(self.last, |commit| commit.ts);
        Ok(len)
    }

    /// Secures space for `bytes` of records in the newest segment.
    pub(crate) fn secure(&mut self, bytes: u64) -> Result<(), AppendError> {
        let wanted = self.tail.end + bytes + SEAL_BYTES;
        if wanted <= self.file_bytes {
            return Ok(());
        }
        match self.file.allocate(wanted) {
            Ok(()) => {
                self.file_bytes = wanted;
                Ok(())
            }
            Err(error) if is_full(&error) => Err(AppendError::Full(error)),
            Err(error) => Err(self.fatal("allocating", error)),
        }
    }

    /// See [`CommitLog::secured_bytes`](super::CommitLog::secured_bytes).
    pub(crate) fn secured_bytes(&self) -> u64 {
        self.file_bytes.saturating_sub(self.tail.end + SEAL_BYTES)
    }

    /// The newest segment's number.
    pub(crate) fn tail_number(&self) -> u64 {
        self.tail.number
    }

    /// Bytes of the newest segment that are used.
    pub(crate) fn tail_bytes(&self) -> u64 {
        self.tail.end
    }

    /// Begins the next segment and seals this one, if it has any record. On a full disk this one goes on
    /// instead: its space is secured, the next one's is not.
    pub(crate) fn rotate(&mut self) -> Result<(), AppendError> {
        if self.tail.end == segment::HEADER_BYTES as u64 {
            return Ok(());
        }
        match self.secure(0) {
            Ok(()) => {}
            Err(AppendError::Full(_)) => return Ok(()),
            Err(error) => return Err(error),
        }
        let number = self.tail.number + 1;
        let room = self.secured_bytes();
        let (disk, env) = (&*self.disk, &*self.env);
        let begun = Begun { disk, env, store: self.store, number, base: self.last, room }.make();
        let (tail, file) = match begun {
            Ok(next) => next,
            Err(AppendError::Full(_)) => return Ok(()),
            Err(error) => return Err(error),
        };
        let seal = self.encoder.seal(number, self.tail.salt, sector_number(self.tail.end));
        let end = self.tail.end + seal.len() as u64;
        let sealed = self.file.write_at(self.tail.end, seal);
        let sealed = sealed.and_then(|()| self.file.set_len(end)).and_then(|()| self.file.sync());
        sealed.map_err(|error| self.fatal("sealing", error))?;
        self.closed.lock().push_back(ClosedSegment { number: self.tail.number, last: self.last });
        self.file_bytes = segment::HEADER_BYTES as u64 + room + SEAL_BYTES;
        (self.tail, self.file) = (tail, file);
        Ok(())
    }

    /// Gives back the space behind the last record, for a folder that is not in use.
    pub(crate) fn trim(&mut self) -> io::Result<()> {
        self.file.set_len(self.tail.end)?;
        self.file_bytes = self.tail.end;
        self.file.sync()
    }

    /// Cuts away a record for which there was no room after all. The space that was secured goes with it.
    fn take_back(&mut self, error: io::Error) -> AppendError {
        if let Err(error) = self.file.set_len(self.tail.end) {
            return self.fatal("cutting", error);
        }
        self.file_bytes = self.tail.end;
        AppendError::Full(error)
    }

    fn fatal(&self, action: &'static str, source: io::Error) -> AppendError {
        fatal(&*self.disk, action, &segment::file_name(self.tail.number), source)
    }
}

/// Removes the closed segments whose newest commit is not newer than `upto`. A removal that a power failure
/// undoes does no harm: recovery does not read what is older than the base's checkpoint.
pub(crate) fn remove_segments(disk: &dyn Disk, closed: &ClosedSegments, upto: Timestamp) -> io::Result<u64> {
    let mut removed = 0;
    loop {
        let oldest = closed.lock().front().copied().filter(|segment| segment.last <= upto);
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

/// The number of the sector at `offset`; segments are far smaller than 2^32 sectors.
pub(crate) fn sector_number(offset: u64) -> u32 {
    u32::try_from(offset / SECTOR_BYTES as u64).expect("a segment has fewer than 2^32 sectors")
}

/// A segment to be made.
struct Begun<'a> {
    disk: &'a dyn Disk,
    env: &'a dyn Env,
    store: StoreId,
    number: u64,
    base: Timestamp,
    /// Space to secure in it, bytes.
    room: u64,
}

impl Begun<'_> {
    /// A new segment is durable, name and header, before its first record is written: so a segment that holds
    /// records has a good header, and one with a bad header holds none.
    fn make(&self) -> Result<(Tail, Arc<dyn DiskFile>), AppendError> {
        let name = segment::file_name(self.number);
        let mut salt = self.store.0;
        if self.number > 1 {
            self.env.fill_random(&mut salt);
        }
        let salt = u64::from_le_bytes(salt);
        let header = SegmentHeader { number: self.number, base: self.base, salt, store: self.store };
        let file = self.disk.create(&name).map_err(|error| self.failure("creating", &name, error))?;
        let written = file.write_at(0, &header.encode()).and_then(|()| self.allocate(&*file));
        if let Err(error) = written {
            // The next try would replace it, and recovery drops it; removing it only keeps the folder tidy.
            let _ = self.disk.remove(&name);
            return Err(self.failure("writing", &name, error));
        }
        file.sync().map_err(|error| fatal(self.disk, "syncing", &name, error))?;
        self.disk.sync_dir().map_err(|error| fatal(self.disk, "syncing the folder", &name, error))?;
        Ok((Tail { number: self.number, salt, end: segment::HEADER_BYTES as u64 }, file))
    }

    fn allocate(&self, file: &dyn DiskFile) -> io::Result<()> {
        match self.room {
            0 => Ok(()),
            room => file.allocate(segment::HEADER_BYTES as u64 + room + SEAL_BYTES),
        }
    }

    fn failure(&self, action: &'static str, name: &str, error: io::Error) -> AppendError {
        if is_full(&error) { AppendError::Full(error) } else { fatal(self.disk, action, name, error) }
    }
}

fn fatal(disk: &dyn Disk, action: &'static str, name: &str, source: io::Error) -> AppendError {
    AppendError::Fatal { action, file: disk.path(name).display().to_string(), source }
}
