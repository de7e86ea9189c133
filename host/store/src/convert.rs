//! Moving a data folder from one base to another.
//!
//! The rows are copied into a new base beside the old one; the log stays as it is, because the new base stands
//! where the old one stood. The folder's format, which names the base, is replaced at once: before that the
//! folder is what it was, after it what it should be. An interruption leaves a copy that the next try, or
//! nobody, needs.
//!
//! Not here: opening.

use std::path::Path;

use crate::folder::{Folder, FolderState, remove_folder};
use crate::open::{open_base, open_base_of};
use crate::{BaseKind, OpenError, StoreOptions};

/// What a conversion did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Converted {
    /// What kept the base before.
    pub from: BaseKind,
    /// How many rows were copied; none when it was `to` already.
    pub rows: u64,
}

/// Moves the store in `dir`, which nothing may have open, to the base `to`. Needs as much room on the disk as
/// the base has.
///
/// # Errors
/// The folder has no store, or cannot be read or written; it is as it was then.
pub fn convert(dir: &Path, to: BaseKind) -> Result<Converted, OpenError> {
    let folder = Folder::lock(dir)?;
    let FolderState::Store(from) = folder.state()? else {
        let what = "has no store in it".to_owned();
        return Err(OpenError::Format { path: dir.to_owned(), what });
    };
    if from == to {
        return Ok(Converted { from, rows: 0 });
    }
    let options = StoreOptions::default();
    let old = open_base_of(&folder, from, &options)?;
    remove_folder(&folder.base(to))?;
    folder.make_parts(to)?;
    let new = open_base(to, &folder.base(to), options.cache_bytes())?;
    let rows = new.copy_from(&old)?;
    drop((new, old));
    folder.set_format(to)?;
    remove_folder(&folder.base(from))?;
    Ok(Converted { from, rows })
}
