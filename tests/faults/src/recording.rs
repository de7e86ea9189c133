//! What a workload did to its files, and what it was told meanwhile.
//!
//! Not here: the meaning of the events (see `weir_fault_model`).

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use weir_fault_model::{Entry, Event, FileSystem, Image, RECORDING, Record, records};

use crate::Answer;

/// A recording, of one process or of several, one after the other.
#[derive(Debug, Clone)]
pub struct Recording {
    /// In the order in which it happened.
    pub records: Vec<Record>,
}

/// A sync that failed by the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedSync {
    /// Of which file or folder.
    pub path: PathBuf,
    /// How many records there were with it.
    pub count: usize,
}

impl Recording {
    /// Reads what is in the control folder.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn read(control: &Path) -> io::Result<Recording> {
        Ok(Recording { records: records(&fs::read(control.join(RECORDING))?) })
    }

    /// Begins a recording in the control folder: `image` is there, durably.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn begin(control: &Path, image: &Image) -> io::Result<()> {
        let old = |(path, entry): (&PathBuf, &Entry)| {
            let path = path.clone();
            let event = match entry {
                Entry::Folder => Event::OldFolder { path },
                Entry::File(bytes) => Event::OldFile { path, bytes: bytes.clone() },
            };
            Record { thread: 0, counts: Default::default(), event }.encode()
        };
        fs::write(control.join(RECORDING), image.0.iter().flat_map(old).collect::<Vec<u8>>())
    }

    /// Follows the recording, and hands out the files as they are after each record, with the number of
    /// records so far.
    ///
    /// # Panics
    /// When the recording does not fit together: something escaped the shim.
    pub fn follow(&self, mut after: impl FnMut(usize, &FileSystem)) {
        let mut system = FileSystem::default();
        after(0, &system);
        for (index, record) in self.records.iter().enumerate() {
            if let Err(error) = system.apply(&record.event) {
                panic!("the recording does not fit together at record {index}, {:?}: {error}", record.event);
            }
            after(index + 1, &system);
        }
    }

    /// The files at the end.
    pub fn end(&self) -> FileSystem {
        let mut end = None;
        self.follow(|count, system| {
            if count == self.records.len() {
                end = Some(system.clone());
            }
        });
        end.unwrap_or_default()
    }

    /// The newest answer within the first `count` records.
    pub fn answered(&self, count: usize) -> Option<Answer> {
        let texts = self.records[..count].iter().filter_map(|record| match &record.event {
            Event::Note { bytes } => Some(String::from_utf8_lossy(bytes)),
            _ => None,
        });
        texts.filter_map(|text| text.lines().filter_map(parse_answer).max()).max()
    }

    /// As if the syncs of files below `folder` had done nothing. Of one process: a later one would give the
    /// same numbers to other files.
    pub fn without_syncs(&self, folder: &Path) -> Recording {
        let (mut handles, mut tickets) = (BTreeSet::new(), BTreeSet::new());
        let mut keeps = |event: &Event| match event {
            Event::Open { handle, path, .. } if path.starts_with(folder) => {
                handles.insert(*handle);
                true
            }
            Event::SyncBegin { handle, ticket } if handles.contains(handle) => {
                tickets.insert(*ticket);
                false
            }
            Event::SyncEnd { ticket, .. } => !tickets.contains(ticket),
            _ => true,
        };
        Recording { records: self.records.iter().filter(|record| keeps(&record.event)).cloned().collect() }
    }

    /// How many calls, growing calls and syncs the last process made.
    pub fn counts(&self) -> weir_fault_model::Counts {
        self.records.last().map(|record| record.counts).unwrap_or_default()
    }

    /// The syncs that the plan made fail.
    pub fn failed_syncs(&self) -> Vec<FailedSync> {
        let mut failed = Vec::new();
        let mut begun = None;
        self.follow(|count, system| match count.checked_sub(1).map(|index| &self.records[index].event) {
            Some(Event::SyncBegin { handle, ticket }) => begun = Some((*ticket, system.path_of(*handle))),
            Some(Event::SyncEnd { ticket, ok: false }) => {
                let path = begun.take().filter(|(of, _)| of == ticket).and_then(|(_, path)| path);
                failed.push(FailedSync { path: path.unwrap_or_default(), count });
            }
            _ => {}
        });
        failed
    }

    /// Whether a process may take no notice of the sync: no commit was answered afterwards, or it was that of a
    /// folder from which files had been removed, and nothing else.
    pub fn may_be_ignored(&self, failed: &FailedSync) -> bool {
        let last_answer = self.answered(self.records.len());
        last_answer == self.answered(failed.count) || self.was_removal(failed)
    }

    fn was_removal(&self, failed: &FailedSync) -> bool {
        let is_inside = |path: &Path| path.parent() == Some(&failed.path);
        let names = self.records[..failed.count].iter().rev().find_map(|record| match &record.event {
            Event::Unlink { path } if is_inside(path) => Some(true),
            Event::Open { path, made: true, .. } | Event::MakeFolder { path } if is_inside(path) => {
                Some(false)
            }
            Event::Rename { to, .. } if is_inside(to) => Some(false),
            _ => None,
        });
        names == Some(true)
    }

    /// The calls that were refused, by name and path.
    pub fn refused(&self) -> impl Iterator<Item = (&str, &Path, i32)> {
        self.records.iter().filter_map(|record| match &record.event {
            Event::Refused { call, path, errno } => Some((call.as_str(), path.as_path(), *errno)),
            _ => None,
        })
    }
}

/// `answered <number> <timestamp>`, as the workload prints it.
pub(crate) fn parse_answer(line: &str) -> Option<Answer> {
    let (number, ts) = line.strip_prefix("answered ")?.split_once(' ')?;
    Some(Answer { number: number.parse().ok()?, ts: ts.parse().ok()? })
}
