//! Reading the log back.
//!
//! Recovery starts at the segment that holds the base's checkpoint; older ones are leftovers and are not read.
//! From there on the segments must follow each other without a gap, each must begin where the one before
//! ended, every record must be whole, and every segment but the newest must be sealed. One exception: the
//! process, or the power, may have gone while the last record of the newest segment was written. A record of
//! which sectors were never written, and whose other sectors are right, is cut: it was never synced, so nobody
//! was told of it. Anything else is damage and is refused, with the place: going on would lose commits that
//! were answered.
//!
//! **The newest segment is written anew before it counts.** When a sync failed the process ended; but the
//! kernel keeps the pages that did not reach the disk, takes them for clean, and lets the next sync succeed
//! without them. What is read here may come from such pages. So all of the segment is written again, in place,
//! and synced: pages become dirty, whatever the kernel took them for, and what is replayed is on the disk. In
//! place, because a full disk has no room for a copy, and because equal bytes over equal bytes cannot tear.
//! Segments before the newest one need it not: each was synced, with success, before its seal was written, and
//! the seal, whose own sync may be the one that failed, is written anew as well.
//!
//! Not here: what is done with the commits.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;

use weir_value::Timestamp;

use super::record::{self, Encoder, NoRecord, Record};
use super::sector::{SECTOR_BYTES, Sectors};
use super::segment::{self, BadHeader, FIRST_SECTOR, SegmentHeader};
use super::writer::{ClosedSegment, LogEnd, Tail, sector_number};
use crate::base::BaseError;
use crate::disk::{Disk, DiskFile};
use crate::{Commit, StoreId};

/// Why the log cannot be opened; the texts for people are [`OpenError`](crate::OpenError)'s.
#[derive(Debug)]
pub(crate) enum RecoveryError {
    Damaged { path: PathBuf, offset: u64, what: String },
    Missing { path: PathBuf },
    Foreign { path: PathBuf },
    TooShort { path: PathBuf },
    Io { action: &'static str, path: PathBuf, source: io::Error },
    Base(BaseError),
}

impl From<BaseError> for RecoveryError {
    fn from(error: BaseError) -> RecoveryError {
        RecoveryError::Base(error)
    }
}

/// What the base says of the log that belongs to it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected {
    /// The store that the segments must belong to.
    pub(crate) store: StoreId,
    /// Every commit up to here is in the base.
    pub(crate) checkpoint: Timestamp,
    /// Commits up to here may be in the base; so they were durable, and the log must reach that far.
    pub(crate) reaches: Timestamp,
    /// Whether there may be no log at all, because the store is being made.
    pub(crate) may_be_empty: bool,
    /// Whether recovery only looks, and mends nothing.
    pub(crate) read_only: bool,
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

/// Reads the log over `disk` and hands every commit newer than the checkpoint to `apply`, in order.
pub(crate) fn recover(
    disk: &dyn Disk,
    expected: Expected,
    apply: &mut dyn FnMut(Commit) -> Result<(), BaseError>,
) -> Result<Recovered, RecoveryError> {
    let mut found = read_headers(disk)?;
    drop_torn_creation(disk, &mut found, expected.read_only)?;
    let headers = check_headers(disk, found, expected.store)?;
    let Some(newest) = headers.last() else { return empty_log(disk, expected) };
    let first = first_needed(disk, &headers, expected.checkpoint)?;
    let closed =
        headers.windows(2).map(|pair| ClosedSegment { number: pair[0].number, last: pair[1].base }).collect();
    let last = headers[first].base;
    let mut replay =
        Replay { disk, expected, apply, last, replay_bytes: 0, commits: 0, cut_bytes: 0, end: 0 };
    let newest_is_empty = !has_records(disk, newest)?;
    if newest_is_empty && headers.len() > 1 {
        replay.renew_header(newest)?;
    }
    for pair in headers[first..].windows(2) {
        replay.read_closed(&pair[0], &pair[1], newest_is_empty && pair[1].number == newest.number)?;
    }
    if first + 1 == headers.len() && headers.len() > 1 {
        // Not to be read again; but its seal must be durable before the newest segment gets more records.
        replay.renew_seal(&headers[first - 1], newest_is_empty)?;
    }
    replay.read_newest(newest)?;
    if replay.last < expected.reaches {
        return Err(RecoveryError::TooShort { path: disk.path(&segment::file_name(newest.number)) });
    }
    let tail = Tail { number: newest.number, salt: newest.salt, end: replay.end };
    Ok(Recovered {
        end: LogEnd { tail: Some(tail), last: replay.last },
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
}

fn read_headers(disk: &dyn Disk) -> Result<Vec<Found>, RecoveryError> {
    let names = disk.list().map_err(|source| io_error(disk, "listing", "", source))?;
    let mut numbers: Vec<u64> = names.iter().filter_map(|name| segment::parse_file_name(name)).collect();
    numbers.sort_unstable();
    let read = |number: u64| {
        let name = segment::file_name(number);
        let head = disk
            .read(&name, segment::HEADER_BYTES as u64)
            .map_err(|source| io_error(disk, "reading", &name, source))?;
        Ok(Found { number, header: SegmentHeader::decode(&head, number) })
    };
    numbers.into_iter().map(read).collect()
}

/// Whether the newest segment has anything behind its header.
fn has_records(disk: &dyn Disk, header: &SegmentHeader) -> Result<bool, RecoveryError> {
    Ok(read_segment(disk, header.number)?.iter().skip(segment::HEADER_BYTES).any(|byte| *byte != 0))
}

/// The newest segment may have been interrupted while it was made; it has no records then.
fn drop_torn_creation(disk: &dyn Disk, found: &mut Vec<Found>, read_only: bool) -> Result<(), RecoveryError> {
    let Some(newest) = found.last().filter(|newest| newest.header == Err(BadHeader::Torn)) else {
        return Ok(());
    };
    let bytes = read_segment(disk, newest.number)?;
    if bytes.len() >= segment::HEADER_BYTES && bytes.iter().any(|byte| *byte != 0) {
        return Ok(());
    }
    let name = segment::file_name(newest.number);
    found.pop();
    if read_only {
        return Ok(());
    }
    let file = disk.path(&name);
    tracing::warn!(file = %file.display(), "dropping a log segment whose creation was interrupted");
    disk.remove(&name).map_err(|source| io_error(disk, "removing", &name, source))?;
    disk.sync_dir().map_err(|source| io_error(disk, "syncing the folder of", &name, source))
}

fn check_headers(
    disk: &dyn Disk,
    found: Vec<Found>,
    store: StoreId,
) -> Result<Vec<SegmentHeader>, RecoveryError> {
    let check = |found: Found| {
        let header = found.header.map_err(|bad| {
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
        })?;
        if header.store != store {
            return Err(RecoveryError::Foreign { path: disk.path(&segment::file_name(found.number)) });
        }
        Ok(header)
    };
    found.into_iter().map(check).collect()
}

fn empty_log(disk: &dyn Disk, expected: Expected) -> Result<Recovered, RecoveryError> {
    if !expected.may_be_empty || expected.reaches > Timestamp::ZERO {
        // The segment being written is never removed, so a store always has one.
        return Err(RecoveryError::Missing { path: disk.path("*.log") });
    }
    let end = LogEnd { tail: None, last: Timestamp::ZERO };
    Ok(Recovered { end, closed: VecDeque::new(), replay_bytes: 0, commits: 0, cut_bytes: 0 })
}

/// The index of the segment to start with. From there on none may be missing.
fn first_needed(
    disk: &dyn Disk,
    headers: &[SegmentHeader],
    checkpoint: Timestamp,
) -> Result<usize, RecoveryError> {
    let missing = |number: u64| RecoveryError::Missing { path: disk.path(&segment::file_name(number)) };
    let first = headers.iter().rposition(|header| header.base <= checkpoint);
    let first = first.ok_or_else(|| missing(headers[0].number.saturating_sub(1)))?;
    match headers[first..].windows(2).find(|pair| pair[0].number + 1 != pair[1].number) {
        Some(pair) => Err(missing(pair[0].number + 1)),
        None => Ok(first),
    }
}

struct Replay<'a> {
    disk: &'a dyn Disk,
    expected: Expected,
    apply: &'a mut dyn FnMut(Commit) -> Result<(), BaseError>,
    /// The newest commit so far.
    last: Timestamp,
    replay_bytes: u64,
    commits: u64,
    cut_bytes: u64,
    /// Where the next record of the newest segment begins.
    end: u64,
}

/// What is done with a group.
type TakeGroup<'a, R> = dyn FnMut(&mut R, Vec<Commit>) -> Result<(), RecoveryError> + 'a;

/// How the records of a segment end.
enum End {
    Open,
    Torn,
    Sealed { next: u64, seal_at: u64 },
}

impl Replay<'_> {
    /// A segment that another one follows: all of it must be there.
    fn read_closed(
        &mut self,
        header: &SegmentHeader,
        next: &SegmentHeader,
        next_is_empty: bool,
    ) -> Result<(), RecoveryError> {
        let bytes = read_segment(self.disk, header.number)?;
        let apply = &mut |replay: &mut Self, commits| replay.apply_group(header, commits);
        match self.read_records(header, &bytes, apply)? {
            End::Sealed { next, seal_at } if next == header.number + 1 => self.write_seal(header, seal_at),
            // The process went between the making of the newest segment and the seal.
            End::Open if next_is_empty => self.write_seal(header, self.end),
            // Or while that was written. The next one says that there are no more commits before it.
            End::Torn if next_is_empty && next.base == self.last => self.write_seal(header, self.end),
            _ => {
                let what = "the segment is not complete, and a newer one follows".to_owned();
                Err(damaged(self.disk, header.number, self.end, what))
            }
        }
    }

    /// As [`Replay::read_closed`], for a segment whose commits are all in the base.
    fn renew_seal(&mut self, header: &SegmentHeader, newest_is_empty: bool) -> Result<(), RecoveryError> {
        let bytes = read_segment(self.disk, header.number)?;
        let sectors = Sectors::new(&bytes, header.salt, 0);
        let mut number = FIRST_SECTOR;
        loop {
            match record::decode(sectors, number) {
                Ok((Record::Group(_), next)) => number = next,
                Ok((Record::Seal { .. }, _)) => return self.write_seal(header, byte_offset(number)),
                Err(NoRecord::End | NoRecord::Torn) if newest_is_empty => {
                    return self.write_seal(header, byte_offset(number));
                }
                // Nothing of it is needed, so damage in it is no reason to refuse.
                Err(_) => return Ok(()),
            }
        }
    }

    /// Whoever made the newest segment may have gone before it stood on the disk. It must, name and header,
    /// before the seal of another one says that it follows.
    fn renew_header(&self, header: &SegmentHeader) -> Result<(), RecoveryError> {
        self.write(header, 0, &header.encode())?;
        let synced = if self.expected.read_only { Ok(()) } else { self.disk.sync_dir() };
        synced.map_err(|source| io_error(self.disk, "syncing the folder of", "", source))
    }

    fn write_seal(&self, header: &SegmentHeader, at: u64) -> Result<(), RecoveryError> {
        let mut encoder = Encoder::default();
        self.write(header, at, encoder.seal(header.number + 1, header.salt, sector_number(at)))
    }

    /// Durably.
    fn write(&self, header: &SegmentHeader, at: u64, bytes: &[u8]) -> Result<(), RecoveryError> {
        if self.expected.read_only {
            return Ok(());
        }
        let name = segment::file_name(header.number);
        let written = self.disk.open(&name).and_then(|file| {
            file.write_at(at, bytes)?;
            file.sync()
        });
        written.map_err(|source| io_error(self.disk, "writing", &name, source))
    }

    /// What it holds counts only when it is on the disk for sure; so it is handed out last.
    fn read_newest(&mut self, header: &SegmentHeader) -> Result<(), RecoveryError> {
        let bytes = read_segment(self.disk, header.number)?;
        let mut groups = Vec::new();
        let is_torn = match self.read_records(header, &bytes, &mut |_, commits| {
            groups.push(commits);
            Ok(())
        })? {
            End::Open => false,
            End::Torn => true,
            End::Sealed { next, .. } => {
                return Err(RecoveryError::Missing { path: self.disk.path(&segment::file_name(next)) });
            }
        };
        self.write_anew(header, &bytes, is_torn)?;
        groups.into_iter().try_for_each(|commits| self.apply_group(header, commits))
    }

    /// Gives the groups of one segment to `take`; `end` is where the record behind the last group begins.
    fn read_records(
        &mut self,
        header: &SegmentHeader,
        bytes: &[u8],
        take: &mut TakeGroup<'_, Self>,
    ) -> Result<End, RecoveryError> {
        if header.base != self.last {
            let what = "it does not begin where the segment before it ends".to_owned();
            return Err(damaged(self.disk, header.number, 0, what));
        }
        let sectors = Sectors::new(bytes, header.salt, 0);
        let mut number = FIRST_SECTOR;
        let end = loop {
            self.end = byte_offset(number);
            match record::decode(sectors, number) {
                Ok((Record::Group(commits), next)) => {
                    take(self, commits)?;
                    number = next;
                }
                Ok((Record::Seal { next }, _)) => break End::Sealed { next, seal_at: self.end },
                Err(NoRecord::End) => break End::Open,
                Err(NoRecord::Torn) => break End::Torn,
                Err(NoRecord::Damaged(what)) => {
                    return Err(damaged(self.disk, header.number, self.end, what));
                }
            }
        };
        self.replay_bytes += self.end;
        Ok(end)
    }

    fn apply_group(&mut self, header: &SegmentHeader, commits: Vec<Commit>) -> Result<(), RecoveryError> {
        if commits[0].ts <= self.last {
            let what = "its commits are not newer than those before it".to_owned();
            return Err(damaged(self.disk, header.number, self.end, what));
        }
        for commit in commits {
            self.last = commit.ts;
            if commit.ts > self.expected.checkpoint {
                self.commits += 1;
                (self.apply)(commit)?;
            }
        }
        Ok(())
    }

    /// See the room's own words. A torn end is cut; space that was allocated behind a good end stays.
    fn write_anew(
        &mut self,
        header: &SegmentHeader,
        bytes: &[u8],
        is_torn: bool,
    ) -> Result<(), RecoveryError> {
        let name = segment::file_name(header.number);
        let kept = &bytes[..usize::try_from(self.end).unwrap_or(bytes.len()).min(bytes.len())];
        if is_torn {
            self.cut_bytes = (bytes.len() - kept.len()) as u64;
            tracing::warn!(
                file = %self.disk.path(&name).display(), offset = self.end,
                "cutting the end of a write that was interrupted; it was never acknowledged"
            );
        }
        if self.expected.read_only {
            return Ok(());
        }
        let write = |file: &dyn DiskFile| {
            if is_torn {
                file.set_len(self.end)?;
            }
            file.write_at(0, kept)?;
            file.sync()
        };
        let written = self.disk.open(&name).and_then(|file| write(&*file));
        let written = written.and_then(|()| self.disk.sync_dir());
        written.map_err(|source| io_error(self.disk, "writing", &name, source))
    }
}

fn byte_offset(sector: u32) -> u64 {
    u64::from(sector) * SECTOR_BYTES as u64
}

fn read_segment(disk: &dyn Disk, number: u64) -> Result<Vec<u8>, RecoveryError> {
    let name = segment::file_name(number);
    disk.read(&name, u64::MAX).map_err(|source| io_error(disk, "reading", &name, source))
}

fn damaged(disk: &dyn Disk, number: u64, offset: u64, what: String) -> RecoveryError {
    RecoveryError::Damaged { path: disk.path(&segment::file_name(number)), offset, what }
}

fn io_error(disk: &dyn Disk, action: &'static str, name: &str, source: io::Error) -> RecoveryError {
    RecoveryError::Io { action, path: disk.path(name), source }
}
