//! The data folder: its lock, its format, and whether it was left in good order.
//!
//! ```text
//! lock         locked by the process that has the folder open
//! format       names the format of everything else, and the base
//! state        whether the last process ended well
//! log/         the commit log
//! base-redb/   the base, or
//! base-sled/
//! ```
//!
//! The format is written last, when log and base stand: a folder without one is a new one, or one that was
//! being made, in which nothing was ever answered.
//!
//! Not here: what the parts do when they are open.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use crate::log::segment;
use crate::{BaseKind, OpenError};

const LOCK_FILE: &str = "lock";
const FORMAT_FILE: &str = "format";
const STATE_FILE: &str = "state";
const LOG_FOLDER: &str = "log";
const HEAD: &str = "weir store 2";
const IN_USE: &str = "in use   \n";
const OUT_OF_USE: &str = "closed   \n";
/// What an earlier version called the base.
const OLD_BASE_FOLDER: &str = "fold";

/// A data folder that is locked by this process.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// The lock goes with the file handle, also when the process is killed.
    _lock: File,
}

/// What a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FolderState {
    /// Nothing was ever answered in it.
    New,
    /// A store with that base.
    Store(BaseKind),
}

impl Folder {
    /// Locks the folder at `path`, which is made when there is none.
    pub(crate) fn lock(path: &Path) -> Result<Folder, OpenError> {
        make_durable_folder(path)?;
        let lock_path = path.join(LOCK_FILE);
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(&lock_path);
        let lock = file.map_err(|source| io_error("opening", &lock_path, source))?;
        match lock.try_lock() {
            Ok(()) => Ok(Folder { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(OpenError::Locked { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => Err(io_error("locking", &lock_path, source)),
        }
    }

    /// What it is; one that was being made when its maker was interrupted is emptied.
    pub(crate) fn state(&self) -> Result<FolderState, OpenError> {
        let path = self.path.join(FORMAT_FILE);
        match fs::read_to_string(&path) {
            Ok(format) => {
                let base = self.parse_format(&format)?;
                // Perhaps the sync behind the file's making failed, or its maker was killed before it.
                sync_folder(&self.path)?;
                Ok(FolderState::Store(base))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.clear_half_made()?;
                Ok(FolderState::New)
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Err(self.wrong_format("has a `format` file that is not text".to_owned()))
            }
            Err(source) => Err(io_error("reading", &path, source)),
        }
    }

    /// Makes the folders of the parts, durably.
    pub(crate) fn make_parts(&self, base: BaseKind) -> Result<(), OpenError> {
        for part in [self.log(), self.base(base)] {
            make_folder(&part)?;
        }
        let path = self.path.canonicalize().map_err(|source| io_error("finding", &self.path, source))?;
        sync_folder(&path)?;
        for ancestor in path.ancestors().skip(1) {
            // Perhaps a killed process made the folder a moment ago, more likely somebody else did: that it cannot
            // be synced is no reason to refuse, unless the disk says that something is lost.
            match File::open(ancestor).and_then(|folder| folder.sync_all()) {
                Err(source) if source.raw_os_error() == Some(Errno::EIO as i32) => {
                    return Err(io_error("syncing the folder", ancestor, source));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Says that the folder holds a store with that base: whole, or not at all.
    pub(crate) fn set_format(&self, base: BaseKind) -> Result<(), OpenError> {
        let path = self.path.join(FORMAT_FILE);
        let text = format!("{HEAD}\nbase {base}\n");
        replace(&path, text.as_bytes()).map_err(|source| io_error("writing", &path, source))
    }

    /// The folder of the log.
    pub(crate) fn log(&self) -> PathBuf {
        self.path.join(LOG_FOLDER)
    }

    /// The folder of a base.
    pub(crate) fn base(&self, kind: BaseKind) -> PathBuf {
        self.path.join(format!("base-{kind}"))
    }

    /// Whether the last process that wrote here ended well. If not, a sync may have failed in it, and what the
    /// kernel has in its cache may not be what is on the disk.
    ///
    /// The file that says so is never synced. It need not be: it is the page cache that may be wrong, and a
    /// machine that was off has none.
    pub(crate) fn was_closed(&self) -> bool {
        fs::read(self.path.join(STATE_FILE)).is_ok_and(|state| state == OUT_OF_USE.as_bytes())
    }

    pub(crate) fn set_in_use(&self) {
        self.set_state(IN_USE);
    }

    pub(crate) fn set_out_of_use(&self) {
        self.set_state(OUT_OF_USE);
    }

    /// Written over what is there, which needs no room on a full disk.
    fn set_state(&self, state: &str) {
        let path = self.path.join(STATE_FILE);
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).open(&path);
        if let Err(error) = file.and_then(|mut file| file.write_all(state.as_bytes())) {
            tracing::warn!(%error, file = %path.display(), "the state of the data folder cannot be noted");
            // A file that says too much is worse than none.
            let _ = fs::remove_file(&path);
        }
    }

    fn parse_format(&self, format: &str) -> Result<BaseKind, OpenError> {
        let mut lines = format.lines();
        let (head, base) =
            (lines.next().unwrap_or_default(), lines.next().and_then(|line| line.strip_prefix("base ")));
        match base.map(str::parse) {
            Some(Ok(base)) if head == HEAD && lines.next().is_none() => Ok(base),
            _ => {
                let found = format.trim_end().chars().take(80).collect::<String>();
                Err(self.wrong_format(format!("has the format {found:?}, and this version reads {HEAD:?}")))
            }
        }
    }

    fn clear_half_made(&self) -> Result<(), OpenError> {
        let has_old_base = self.path.join(OLD_BASE_FOLDER).exists();
        if has_old_base || has_records(&self.log()) || has_foreign(&self.base(BaseKind::Redb)) {
            return Err(self.wrong_format("has data but no `format` file".to_owned()));
        }
        for part in [self.log(), self.base(BaseKind::Sled), self.base(BaseKind::Redb)] {
            remove_folder(&part)?;
        }
        Ok(())
    }

    fn wrong_format(&self, what: String) -> OpenError {
        OpenError::Format { path: self.path.clone(), what }
    }
}

/// Whether the folder of the log has more than a store that was being made: a record, or a file that is none
/// of ours. What cannot be read counts.
fn has_records(log: &Path) -> bool {
    let is_empty_segment = |entry: fs::DirEntry| {
        let is_segment = segment::parse_file_name(&entry.file_name().to_string_lossy()).is_some();
        let is_empty = |bytes: Vec<u8>| bytes.iter().skip(segment::HEADER_BYTES).all(|byte| *byte == 0);
        is_segment && fs::read(entry.path()).is_ok_and(is_empty)
    };
    any_entry(log, |entry| !is_empty_segment(entry))
}

/// Whether a folder has a file that no base of ours makes.
fn has_foreign(base: &Path) -> bool {
    any_entry(base, |entry| entry.file_name() != crate::base::REDB_FILE)
}

fn any_entry(folder: &Path, is_wanted: impl Fn(fs::DirEntry) -> bool) -> bool {
    match fs::read_dir(folder) {
        Ok(entries) => entries.flatten().any(is_wanted),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

/// Removes a folder and everything in it, if it is there.
pub(crate) fn remove_folder(path: &Path) -> Result<(), OpenError> {
    match fs::remove_dir_all(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(io_error("removing", path, source)),
        _ => Ok(()),
    }
}

/// Writes a file whole or not at all.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let draft = path.with_extension("new");
    let mut file = File::create(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// Makes a folder, and those above it that are missing: they are there after a power failure too.
fn make_durable_folder(path: &Path) -> Result<(), OpenError> {
    let whole = std::path::absolute(path).map_err(|source| io_error("finding", path, source))?;
    let missing: Vec<&Path> = whole.ancestors().take_while(|path| !path.exists()).collect();
    make_folder(&whole)?;
    missing.into_iter().filter_map(Path::parent).try_for_each(sync_folder)
}

fn make_folder(path: &Path) -> Result<(), OpenError> {
    fs::create_dir_all(path).map_err(|source| io_error("making the folder", path, source))
}

fn sync_folder(path: &Path) -> Result<(), OpenError> {
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(|source| io_error("syncing the folder", path, source))
}

pub(crate) fn io_error(action: &'static str, path: &Path, source: io::Error) -> OpenError {
    OpenError::Io { action, path: path.to_owned(), source }
}
