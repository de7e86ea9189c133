//! Reading the log back.
//!
//! Recovery starts at the segment that holds the fold's mark; older ones are leftovers of a checkpoint and
//! are not read. From there on the segments must follow each other without a gap, each must begin where the
//! one before ended, and every record must be whole. One exception: the process, or the power, may have gone
//! while the last record was written. What does not parse at the end of the *last* segment is cut when no
//! whole record follows it; such a record was never synced, so nobody was told of it. Anything else is damage
//! and is refused, with the place: going on would lose commits that were answered.
//!
//! The last segment is synced before it is read. After the death of the process alone, its end may stand in
//! the page cache only; what is replayed counts as durable from here on, so it must be.
//!
//! Not here: what is done with the commits.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;

use weir_value::Timestamp;

use super::record::{self, Invalid};
use super::segment::{self, BadHeader, SegmentHeader};
use super::writer::{ClosedSegment, LogEnd, Tail};
use crate::Commit;
use crate::disk::Disk;
use crate::fold::FoldError;

/// Why the log cannot be opened; the texts for people are [`OpenError`](crate::OpenError)'s.
#[derive(Debug)]
pub(crate) enum RecoveryError {
    Damaged { path: PathBuf, offset: u64, what: String },
    Missing { path: PathBuf },
    Io { action: &'static str, path: PathBuf, source: io::Error },
    Fold(FoldError),
}

impl From<FoldError> for RecoveryError {
    fn from(error: FoldError) -> RecoveryError {
        RecoveryError::Fold(error)
    }
}

/// What the log held.
#[derive(Debug)]
pub(crate) struct Recovered {
    pub(crate) end: LogEnd,
    pub(crate) closed: VecDeque<ClosedSegment>,
    /// Bytes of the segments that were read.
    pub(crate) replay_bytes: u64,
    /// Commits handed out.
    pub(crate) commits: u64,
    /// Bytes of a torn end that were cut.
    pub(crate) cut_bytes: u64,
}

/// Reads the log over `disk` and hands every commit newer than `mark` to `apply`, in order.
pub(crate) fn recover(
    disk: &dyn Disk,
    mark: Timestamp,
    apply: &mut dyn FnMut(Commit) -> Result<(), FoldError>,
) -> Result<Recovered, RecoveryError> {
    let mut headers = read_headers(disk)?;
    drop_torn_creation(disk, &mut headers)?;
    let newest_has_records = headers.last().is_some_and(|newest| newest.has_records);
    let headers = check_headers(disk, headers)?;
    let Some(newest) = headers.last() else { return empty_log(disk, mark) };
    sync_segment(disk, newest.number, newest_has_records)?;
    let first = first_needed(disk, &headers, mark)?;
    let closed =
        headers.windows(2).map(|pair| ClosedSegment { number: pair[0].number, last: pair[1].base }).collect();
    let mut replay =
        Replay { disk, mark, apply, last: headers[first].base, replay_bytes: 0, commits: 0, cut_bytes: 0 };
    let mut len = 0;
    for header in &headers[first..] {
        len = replay.read_segment(header, header.number == newest.number)?;
    }
    let tail = Tail { number: newest.number, salt: newest.salt, len };
    Ok(Recovered {
        // A last record that was damaged after it had been folded is cut like a torn one. Nothing is lost by
        // that, but timestamps must not go back behind the fold.
        end: LogEnd { tail: Some(tail), last: replay.last.max(mark) },
        closed,
        replay_bytes: replay.replay_bytes,
        commits: replay.commits,
        cut_bytes: replay.cut_bytes,
    })
}

/// A segment file and what its first bytes say.
struct Found {
    number: u64,
    header: Result<SegmentHeader, BadHeader>,
    /// Whether there is anything behind the header.
    has_records: bool,
}

fn read_headers(disk: &dyn Disk) -> Result<Vec<Found>, RecoveryError> {
    let names = disk.list().map_err(|source| io_error(disk, "listing", "", source))?;
    let mut numbers: Vec<u64> = names.iter().filter_map(|name| segment::parse_file_name(name)).collect();
    numbers.sort_unstable();
    let read = |number: u64| {
        let name = segment::file_name(number);
        let head = disk
            .read(&name, segment::HEADER_BYTES as u64 + 1)
            .map_err(|source| io_error(disk, "reading", &name, source))?;
        let header = SegmentHeader::decode(&head, number);
        Ok(Found { number, header, has_records: head.len() > segment::HEADER_BYTES })
    };
    numbers.into_iter().map(read).collect()
}

/// The newest segment may have been interrupted while it was made; it has no records then.
fn drop_torn_creation(disk: &dyn Disk, found: &mut Vec<Found>) -> Result<(), RecoveryError> {
    let torn = |newest: &mut Found| newest.header == Err(BadHeader::Torn) && !newest.has_records;
    if let Some(newest) = found.pop_if(torn) {
        let name = segment::file_name(newest.number);
        let file = disk.path(&name);
        tracing::warn!(file = %file.display(), "dropping a log segment whose creation was interrupted");
        disk.remove(&name).map_err(|source| io_error(disk, "removing", &name, source))?;
        disk.sync_dir().map_err(|source| io_error(disk, "syncing the folder of", &name, source))?;
    }
    Ok(())
}

fn check_headers(disk: &dyn Disk, found: Vec<Found>) -> Result<Vec<SegmentHeader>, RecoveryError> {
    let check = |found: Found| {
        found.header.map_err(|bad| {
            let what = match bad {
                BadHeader::Torn => "the segment's header does not match its checksum".to_owned(),
                BadHeader::Format(format) => {
                    format!("it has format {format}, which this version cannot read")
                }
                BadHeader::Number(number) => {
                    format!("its header is that of segment {number}; was the file renamed?")
                }
            };
            damaged(disk, found.number, 0, what)
        })
    };
    found.into_iter().map(check).collect()
}

fn empty_log(disk: &dyn Disk, mark: Timestamp) -> Result<Recovered, RecoveryError> {
    if mark > Timestamp::ZERO {
        // The segment being written is never removed, so there always is one once anything was folded.
        return Err(RecoveryError::Missing { path: disk.path("*.log") });
    }
    let end = LogEnd { tail: None, last: Timestamp::ZERO };
    Ok(Recovered { end, closed: VecDeque::new(), replay_bytes: 0, commits: 0, cut_bytes: 0 })
}

/// The index of the segment to start with. From there on none may be missing.
fn first_needed(disk: &dyn Disk, headers: &[SegmentHeader], mark: Timestamp) -> Result<usize, RecoveryError> {
    let missing = |number: u64| RecoveryError::Missing { path: disk.path(&segment::file_name(number)) };
    let first = headers.iter().rposition(|header| header.base <= mark);
    let first = first.ok_or_else(|| missing(headers[0].number.saturating_sub(1)))?;
    match headers[first..].windows(2).find(|pair| pair[0].number + 1 != pair[1].number) {
        Some(pair) => Err(missing(pair[0].number + 1)),
        None => Ok(first),
    }
}

struct Replay<'a> {
    disk: &'a dyn Disk,
    mark: Timestamp,
    apply: &'a mut dyn FnMut(Commit) -> Result<(), FoldError>,
    /// The newest commit so far.
    last: Timestamp,
    replay_bytes: u64,
    commits: u64,
    cut_bytes: u64,
}

impl Replay<'_> {
    /// Hands out the commits of one segment; returns its length, which is less than before when a torn end
    /// was cut.
    fn read_segment(&mut self, header: &SegmentHeader, is_newest: bool) -> Result<u64, RecoveryError> {
        let name = segment::file_name(header.number);
        if header.base != self.last {
            let what = "it does not begin where the segment before it ends".to_owned();
            return Err(damaged(self.disk, header.number, 0, what));
        }
        let segment = self
            .disk
            .read(&name, u64::MAX)
            .map_err(|source| io_error(self.disk, "reading", &name, source))?;
        let mut offset = segment::HEADER_BYTES;
        while offset < segment.len() {
            match record::decode(&segment, offset, header.salt) {
                Ok((commits, end)) => {
                    self.apply_record(header, offset, commits)?;
                    offset = end;
                }
                Err(invalid) => {
                    self.judge(header, &segment, offset, is_newest, invalid)?;
                    self.cut(&name, segment.len(), offset)?;
                    break;
                }
            }
        }
        self.replay_bytes += offset as u64;
        Ok(offset as u64)
    }

    fn apply_record(
        &mut self,
        header: &SegmentHeader,
        offset: usize,
        commits: Vec<Commit>,
    ) -> Result<(), RecoveryError> {
        if commits[0].ts <= self.last {
            let what = "its commits are not newer than those before it".to_owned();
            return Err(damaged(self.disk, header.number, offset, what));
        }
        for commit in commits {
            self.last = commit.ts;
            if commit.ts > self.mark {
                self.commits += 1;
                (self.apply)(commit)?;
            }
        }
        Ok(())
    }

    /// Torn end or damage?
    fn judge(
        &self,
        header: &SegmentHeader,
        segment: &[u8],
        offset: usize,
        is_newest: bool,
        invalid: Invalid,
    ) -> Result<(), RecoveryError> {
        let what = invalid.what();
        if !is_newest {
            let what = format!("{what}, and newer segments follow");
            return Err(damaged(self.disk, header.number, offset, what));
        }
        match record::find_later(segment, offset, header.salt, self.last) {
            Some(later) => {
                let what = format!("{what}, and a whole record follows at byte {later}");
                Err(damaged(self.disk, header.number, offset, what))
            }
            None => Ok(()),
        }
    }

    fn cut(&mut self, name: &str, len: usize, offset: usize) -> Result<(), RecoveryError> {
        self.cut_bytes = (len - offset) as u64;
        tracing::warn!(
            file = %self.disk.path(name).display(), offset, bytes = self.cut_bytes,
            "cutting the end of a write that was interrupted; it was never acknowledged"
        );
        let cut = self.disk.open(name).and_then(|mut file| {
            file.truncate(offset as u64)?;
            file.sync()
        });
        cut.map_err(|source| io_error(self.disk, "cutting", name, source))
    }
}

/// A segment gets its first record when its name has been synced; so only without records the name may be new.
fn sync_segment(disk: &dyn Disk, number: u64, has_records: bool) -> Result<(), RecoveryError> {
    let name = segment::file_name(number);
    let sync = disk.open(&name).and_then(|mut file| file.sync());
    let sync = sync.and_then(|()| if has_records { Ok(()) } else { disk.sync_dir() });
    sync.map_err(|source| io_error(disk, "syncing", &name, source))
}

fn damaged(disk: &dyn Disk, number: u64, offset: usize, what: String) -> RecoveryError {
    RecoveryError::Damaged { path: disk.path(&segment::file_name(number)), offset: offset as u64, what }
}

fn io_error(disk: &dyn Disk, action: &'static str, name: &str, source: io::Error) -> RecoveryError {
    RecoveryError::Io { action, path: disk.path(name), source }
}
