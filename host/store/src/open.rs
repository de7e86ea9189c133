//! Opening a data folder.
//!
//! Not here: what the parts do when they are open, and the folder's own files (see `folder`).

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;

use crate::base::{Activity, Base, BaseError, CheckedFile, REDB_FILE, RedbTree, SledTree};
use crate::disk::{Disk, RealDisk, forget_cached};
use crate::engine::{Engine, Site};
use crate::folder::{Folder, FolderState};
use crate::log::AppendError;
use crate::log::recovery::RecoveryError;
use crate::{BaseKind, Env, Store, StoreOptions};

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
    /// A part of the log belongs to another store.
    #[error(
        "the log file {} belongs to another data folder; put the right one back, or restore the whole data \
         folder from a backup",
        path.display()
    )]
    LogForeign {
        /// The file.
        path: PathBuf,
    },
    /// The base holds commits that the log does not: parts of different copies.
    #[error(
        "the log, which ends with {}, is older than the base beside it: the end of the log is missing, or the \
         parts were copied at different times. Put back what is missing, or restore the whole data folder from \
         a backup that was made in one piece",
        path.display()
    )]
    LogTooShort {
        /// The newest file of the log.
        path: PathBuf,
    },
    /// Another base was asked for than the folder has.
    #[error(
        "the data folder {} keeps its base in {found}, and {wanted} was asked for; leave the choice out, or \
         convert the folder: host convert --data DIR --base {wanted}",
        path.display()
    )]
    WrongBase {
        /// The data folder.
        path: PathBuf,
        /// What it has.
        found: BaseKind,
        /// What was asked for.
        wanted: BaseKind,
    },
    /// The base cannot be read or written.
    #[error("{what}; if the disk is healthy and has room, restore the data folder from a backup")]
    Base {
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
            RecoveryError::Foreign { path } => OpenError::LogForeign { path },
            RecoveryError::TooShort { path } => OpenError::LogTooShort { path },
            RecoveryError::Base(error) => error.into(),
        }
    }
}

impl From<AppendError> for OpenError {
    fn from(error: AppendError) -> OpenError {
        OpenError::LogWrite { what: error.to_string() }
    }
}

impl From<BaseError> for OpenError {
    fn from(error: BaseError) -> OpenError {
        OpenError::Base { what: error.to_string() }
    }
}

impl OpenError {
    /// The file that says who reads the log.
    pub(crate) fn consumers(error: &io::Error) -> OpenError {
        OpenError::LogWrite { what: error.to_string() }
    }
}

/// Opens the store in `dir`, or makes one there. Recovers what was durable when it was closed, killed or cut
/// off.
///
/// # Errors
/// See [`OpenError`]. Damage is never repaired by dropping data that may have been acknowledged.
pub fn open(dir: &Path, options: StoreOptions, env: Arc<dyn Env>) -> Result<Arc<dyn Store>, OpenError> {
    let folder = Folder::lock(dir)?;
    let state = folder.state()?;
    let kind = match state {
        FolderState::New => options.base.unwrap_or(StoreOptions::NEW_BASE),
        FolderState::Store(found) => match options.base {
            Some(wanted) if wanted != found => {
                return Err(OpenError::WrongBase { path: dir.to_owned(), found, wanted });
            }
            _ => found,
        },
    };
    if state == FolderState::New {
        folder.make_parts(kind)?;
    }
    let site = site(folder, kind, options, env, state == FolderState::New)?;
    let engine = Engine::open(site, true)?;
    if state == FolderState::New {
        engine.set_format(kind)?;
    }
    Ok(Arc::new(engine))
}

/// The parts of a folder whose state is known.
pub(crate) fn site(
    folder: Folder,
    kind: BaseKind,
    options: StoreOptions,
    env: Arc<dyn Env>,
    is_new: bool,
) -> Result<Site, OpenError> {
    let activity = Arc::new(Activity::new(Arc::clone(&env)));
    let base = activity.watch("opening", || match is_new {
        true => named(&folder.base(kind), open_base(kind, &folder.base(kind), options.cache_bytes())),
        false => open_base_of(&folder, kind, &options),
    })?;
    let disk = Arc::new(RealDisk::new(&folder.log()));
    Ok(Site { disk, base, env, options, is_new, activity, folder: Some(folder) })
}

/// Opens the base of a store that was made before.
pub(crate) fn open_base_of(
    folder: &Folder,
    kind: BaseKind,
    options: &StoreOptions,
) -> Result<Base, OpenError> {
    let path = folder.base(kind);
    if !folder.was_closed() {
        let forgotten = forget_cached(&path);
        forgotten.map_err(|source| OpenError::Io { action: "syncing", path: path.clone(), source })?;
    }
    named(&path, open_base(kind, &path, options.cache_bytes()))
}

fn named(path: &Path, base: Result<Base, BaseError>) -> Result<Base, OpenError> {
    base.map_err(|error| OpenError::Base { what: format!("{error} ({})", path.display()) })
}

/// Opens the base in a folder of its own, or makes one there.
pub(crate) fn open_base(kind: BaseKind, path: &Path, cache_bytes: u64) -> Result<Base, BaseError> {
    match kind {
        BaseKind::Sled => Ok(Base::new(SledTree::open(path, cache_bytes)?)),
        BaseKind::Redb => open_redb(&RealDisk::new(path), cache_bytes),
    }
}

/// Opens a redb base in a file of `disk`, or makes one there.
pub(crate) fn open_redb(disk: &dyn Disk, cache_bytes: u64) -> Result<Base, BaseError> {
    let opening = |error| BaseError::new("opening", error);
    let file = match disk.open(REDB_FILE) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let file = disk.create(REDB_FILE).map_err(opening)?;
            disk.sync_dir().map_err(opening)?;
            file
        }
        file => file.map_err(opening)?,
    };
    let file = CheckedFile::open(file).map_err(opening)?;
    Ok(Base::new(RedbTree::open(file, cache_bytes)?))
}
