//! Following the log while it is written.
//!
//! Reads one record at a time, from the segment that holds the wanted timestamp to the newest one. What is not
//! durable yet counts as not there, and neither does the half of a record that is being written.
//!
//! Not here: recovery, which must tell torn from damaged, and removal.

use std::sync::Arc;

use weir_value::Timestamp;

use super::record::{self, NoRecord, Record};
use super::sector::{SECTOR_BYTES, Sector, Sectors};
use super::segment::{self, SegmentHeader};
use super::{LogReadError, LogReader};
use crate::Commit;
use crate::disk::{Disk, DiskFile};

/// Reads segments in order.
pub(crate) struct SegmentReader {
    disk: Arc<dyn Disk>,
    /// Commits up to here are not wanted.
    after: Timestamp,
    number: u64,
    salt: u64,
    file: Arc<dyn DiskFile>,
    /// Where the next record begins.
    at: u64,
}

impl SegmentReader {
    /// Begins in segment `number`, which must not begin behind `after`.
    pub(crate) fn open(
        disk: Arc<dyn Disk>,
        number: u64,
        after: Timestamp,
    ) -> Result<SegmentReader, LogReadError> {
        let (header, file) = open_segment(&*disk, number)?;
        if header.base > after {
            return Err(LogReadError::new("the log no longer reaches back to where its reader stands"));
        }
        let at = segment::HEADER_BYTES as u64;
        Ok(SegmentReader { disk, after, number, salt: header.salt, file, at })
    }

    /// The record in this place, with its length; `None` when it is not written, or not to its end.
    fn record(&self) -> Result<Option<(Record, u64)>, LogReadError> {
        let file_bytes = self.file.len().map_err(|error| self.failure(&error.to_string()))?;
        if self.at + SECTOR_BYTES as u64 > file_bytes {
            return Ok(None);
        }
        let first = self.read(SECTOR_BYTES)?;
        // Numbers count within the segment, and only this part of it is read.
        let number = super::writer::sector_number(self.at);
        let Sector::Written { data, .. } = Sectors::new(&first, self.salt, number).read(number) else {
            return Ok(None);
        };
        let count = record::sectors(data).ok_or_else(|| self.failure("a record's head makes no sense"))?;
        let len = u64::from(count) * SECTOR_BYTES as u64;
        if self.at + len > file_bytes {
            return Ok(None);
        }
        let bytes = self.read(usize::try_from(len).unwrap_or(usize::MAX))?;
        match record::decode(Sectors::new(&bytes, self.salt, number), number) {
            Ok((record, _)) => Ok(Some((record, len))),
            Err(NoRecord::End | NoRecord::Torn) => Ok(None),
            Err(NoRecord::Damaged(what)) => Err(self.failure(&what)),
        }
    }

    fn read(&self, len: usize) -> Result<Vec<u8>, LogReadError> {
        let mut bytes = vec![0; len];
        self.file.read_at(self.at, &mut bytes).map_err(|error| self.failure(&error.to_string()))?;
        Ok(bytes)
    }

    fn failure(&self, what: &str) -> LogReadError {
        let file = self.disk.path(&segment::file_name(self.number));
        LogReadError::new(format!("the log file {} at byte {}: {what}", file.display(), self.at))
    }
}

impl LogReader for SegmentReader {
    fn next_group(&mut self, durable: Timestamp) -> Result<Option<Vec<Commit>>, LogReadError> {
        loop {
            match self.record()? {
                None => return Ok(None),
                Some((Record::Seal { next }, _)) => {
                    let (header, file) = open_segment(&*self.disk, next)?;
                    (self.number, self.salt, self.file) = (next, header.salt, file);
                    self.at = segment::HEADER_BYTES as u64;
                }
                Some((Record::Group(commits), len)) => {
                    if commits.last().is_some_and(|last| last.ts > durable) {
                        return Ok(None);
                    }
                    self.at += len;
                    let wanted: Vec<Commit> =
                        commits.into_iter().filter(|commit| commit.ts > self.after).collect();
                    if !wanted.is_empty() {
                        return Ok(Some(wanted));
                    }
                }
            }
        }
    }
}

fn open_segment(disk: &dyn Disk, number: u64) -> Result<(SegmentHeader, Arc<dyn DiskFile>), LogReadError> {
    let name = segment::file_name(number);
    let failure =
        |what: String| LogReadError::new(format!("the log file {}: {what}", disk.path(&name).display()));
    let head = disk.read(&name, segment::HEADER_BYTES as u64).map_err(|error| failure(error.to_string()))?;
    let header = SegmentHeader::decode(&head, number)
        .map_err(|_| failure("its header does not match its checksum".to_owned()))?;
    let file = disk.open(&name).map_err(|error| failure(error.to_string()))?;
    Ok((header, file))
}
