//! Opening a data folder.
//!
//! ```text
//! lock      locked by the process that has the folder open
//! format    names the format of everything else
//! log/      the commit log
//! fold/     sled
//! ```
//!
//! Not here: what the parts do when they are open.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;

use crate::disk::RealDisk;
use crate::engine::{Engine, Site};
use crate::fold::SledFold;
use crate::log::recovery::RecoveryError;
use crate::log::writer::AppendError;
use crate::{Env, Store, StoreOptions};

const LOCK_FILE: &str = "lock";
const FORMAT_FILE: &str = "format";
const LOG_FOLDER: &str = "log";
const FOLD_FOLDER: &str = "fold";
const FORMAT: &str = "weir store 1\n";

/// Why a store cannot be opened. Nothing was changed, unless the text says so.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Another process, or another store in this one, has the folder open.
    #[error(
        "the data folder {} is in use by another process; stop that one first, or choose another folder",
        path.display()
    )]
    Locked {
        /// The data folder.
        path: PathBuf,
    },
    /// The operating system refuses something that the store needs.
    #[error(
        "{action} {} failed: {source}; the data folder must be readable and writable for this user",
        path.display()
    )]
    Io {
        /// What was tried.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// The refusal.
        source: io::Error,
    },
    /// The folder has data of another version, or of another program.
    #[error(
        "the data folder {} {what}; choose an empty folder, or use the version of the program that wrote this \
         one",
        path.display()
    )]
    Format {
        /// The data folder.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// The log is damaged in a place that no interrupted write explains.
    #[error(
        "the log file {} is damaged at byte {offset}: {what}. This is not the torn end of an interrupted write, \
         so nothing was changed; restore the data folder from a backup",
        path.display()
    )]
    LogDamaged {
        /// The file.
        path: PathBuf,
        /// Where the damage begins.
        offset: u64,
        /// What does not fit.
        what: String,
    },
    /// A part of the log is missing.
    #[error(
        "the log file {} is missing: the log has a gap. Put the file back, or restore the whole data folder from \
         a backup; parts of different copies do not fit together",
        path.display()
    )]
    LogMissing {
        /// The file.
        path: PathBuf,
    },
    /// The folded data cannot be read or written.
    #[error("{what}; if the disk is healthy and has room, restore the data folder from a backup")]
    Fold {
        /// What happened.
        what: String,
    },
    /// The log cannot be written.
    #[error("{what}; make room on the disk, or check that it is healthy")]
    LogWrite {
        /// What happened.
        what: String,
    },
}

impl From<RecoveryError> for OpenError {
    fn from(error: RecoveryError) -> OpenError {
        match error {
            RecoveryError::Damaged { path, offset, what } => OpenError::LogDamaged { path, offset, what },
            RecoveryError::Missing { path } => OpenError::LogMissing { path },
            RecoveryError::Io { action, path, source } => OpenError::Io { action, path, source },
            RecoveryError::Fold(error) => OpenError::Fold { what: error.to_string() },
        }
    }
}

impl From<AppendError> for OpenError {
    fn from(error: AppendError) -> OpenError {
        OpenError::LogWrite { what: error.to_string() }
    }
}

/// Opens the store in `dir`, or makes one there. Recovers what was durable when it was closed, killed or cut
/// off.
///
/// # Errors
/// See [`OpenError`]. Damage is never repaired by dropping data that may have been acknowledged.
pub fn open(dir: &Path, options: StoreOptions, env: Arc<dyn Env>) -> Result<Arc<dyn Store>, OpenError> {
    make_folder(dir)?;
    let lock = lock_folder(dir)?;
    check_format(dir)?;
    let (log, fold) = (dir.join(LOG_FOLDER), dir.join(FOLD_FOLDER));
    make_folder(&log)?;
    make_folder(&fold)?;
    sync_new_folders(dir, &log)?;
    let fold = SledFold::open(&fold, options.fold_cache_bytes)
        .map_err(|error| OpenError::Fold { what: format!("{error} ({})", fold.display()) })?;
    let site =
        Site { disk: Arc::new(RealDisk::new(&log)), fold: Arc::new(fold), env, options, lock: Some(lock) };
    Ok(Arc::new(Engine::open(site, true)?))
}

fn make_folder(path: &Path) -> Result<(), OpenError> {
    fs::create_dir_all(path).map_err(|source| io_error("making the folder", path, source))
}

/// Makes new folders durable before the first file of the log is made; so when there is one, they are.
fn sync_new_folders(dir: &Path, log: &Path) -> Result<(), OpenError> {
    let mut files = fs::read_dir(log).map_err(|source| io_error("listing", log, source))?;
    if files.next().is_some() {
        return Ok(());
    }
    let dir = dir.canonicalize().map_err(|source| io_error("finding", dir, source))?;
    sync_folder(&dir)?;
    for ancestor in dir.ancestors().skip(1) {
        // Perhaps made on the way, more likely not ours: one that cannot be synced is no reason to refuse.
        let _ = sync_folder(ancestor);
    }
    Ok(())
}

/// The lock goes with the file handle, also when the process is killed.
fn lock_folder(dir: &Path) -> Result<File, OpenError> {
    let path = dir.join(LOCK_FILE);
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
    let file = file.map_err(|source| io_error("opening", &path, source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked { path: dir.to_owned() }),
        Err(TryLockError::Error(source)) => Err(io_error("locking", &path, source)),
    }
}

/// A new folder gets its format file before anything else, whole or not at all.
fn check_format(dir: &Path) -> Result<(), OpenError> {
    let path = dir.join(FORMAT_FILE);
    match fs::read_to_string(&path) {
        Ok(format) if format == FORMAT => Ok(()),
        Ok(format) => {
            let what = format!(
                "has the format {:?}, and this version reads {:?}",
                format.trim_end(),
                FORMAT.trim_end()
            );
            Err(OpenError::Format { path: dir.to_owned(), what })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if dir.join(LOG_FOLDER).exists() || dir.join(FOLD_FOLDER).exists() {
                let what = "has data but no `format` file".to_owned();
                return Err(OpenError::Format { path: dir.to_owned(), what });
            }
            write_format(dir, &path).map_err(|source| io_error("writing", &path, source))
        }
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(OpenError::Format {
            path: dir.to_owned(),
            what: "has a `format` file that is no text".to_owned(),
        }),
        Err(source) => Err(io_error("reading", &path, source)),
    }
}

fn write_format(dir: &Path, path: &Path) -> io::Result<()> {
    let draft = path.with_extension("new");
    let mut file = File::create(&draft)?;
    file.write_all(FORMAT.as_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    File::open(dir)?.sync_all()
}

fn sync_folder(path: &Path) -> Result<(), OpenError> {
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(|source| io_error("syncing the folder", path, source))
}

fn io_error(action: &'static str, path: &Path, source: io::Error) -> OpenError {
    OpenError::Io { action, path: path.to_owned(), source }
}
