//! Reading everything in a data folder, and saying what is wrong.
//!
//! Not here: repair. What is damaged comes back from a backup.

use std::path::Path;
use std::sync::Arc;

use weir_value::Timestamp;

use crate::disk::RealDisk;
use crate::folder::{Folder, FolderState};
use crate::log::recovery::{Expected, recover};
use crate::open::open_base_of;
use crate::{BaseKind, OpenError, StoreOptions};

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckReport {
    /// What keeps the base; `None` where there is no store yet.
    pub base: Option<BaseKind>,
    /// Rows of the base.
    pub rows: u64,
    /// Every commit up to here is in the base.
    pub checkpoint: Timestamp,
    /// Commits of the log that a start would replay.
    pub log_commits: u64,
    /// Bytes at the end of the log that an interrupted write left; a start cuts them.
    pub torn_bytes: u64,
    /// What is wrong, for people; nothing when all is well.
    pub problems: Vec<String>,
}

/// Reads all of the store in `dir`: every row of the base with its checksum, the base's own structure, and the
/// log from the base's checkpoint on. Nothing may have the store open. The log is only read; the library under
/// the base may do what it does at every start.
///
/// # Errors
/// The folder cannot be read at all, is in use, or is none of a store. Damage is no error but a problem in the
/// report.
pub fn check(dir: &Path) -> Result<CheckReport, OpenError> {
    let folder = Folder::lock(dir)?;
    let mut report = CheckReport {
        base: None,
        rows: 0,
        checkpoint: Timestamp::ZERO,
        log_commits: 0,
        torn_bytes: 0,
        problems: Vec::new(),
    };
    let FolderState::Store(kind) = folder.state()? else { return Ok(report) };
    report.base = Some(kind);
    let base = match open_base_of(&folder, kind, &StoreOptions::default()) {
        Ok(base) => base,
        Err(error) => {
            report.problems.push(error.to_string());
            return Ok(report);
        }
    };
    let mut problems = Vec::new();
    match base.marks() {
        Ok(marks) => {
            report.checkpoint = marks.checkpoint;
            let expected = Expected {
                store: marks.store.unwrap_or(crate::StoreId([0; 8])),
                checkpoint: marks.checkpoint,
                reaches: marks.flushing,
                may_be_empty: false,
                read_only: true,
            };
            match recover(&RealDisk::new(&folder.log()), expected, &mut |_| Ok(())) {
                Ok(recovered) => {
                    (report.log_commits, report.torn_bytes) = (recovered.commits, recovered.cut_bytes);
                }
                Err(error) => problems.push(OpenError::from(error).to_string()),
            }
        }
        Err(error) => problems.push(error.to_string()),
    }
    if let Err(error) = crate::log::consumers::Consumers::open(Arc::new(RealDisk::new(&folder.log()))) {
        problems.push(error.to_string());
    }
    match base.check(&mut |problem| problems.push(problem)) {
        Ok(rows) => report.rows = rows,
        Err(error) => problems.push(error.to_string()),
    }
    report.problems = problems;
    Ok(report)
}
