//! Files that builds write into the developer's folders: the folders `_generated`, which the developer neither edits nor
//! commits.

use std::fs;
use std::path::{Path, PathBuf};

use crate::build::BuildError;

/// The name of the folders.
pub(crate) const FOLDER: &str = "_generated";

/// Writes files into the folder `_generated` of another folder, and gives those that have changed. One that is right is left
/// alone, so that nothing that watches it begins to work.
pub(crate) fn write(folder: &Path, files: &[(&str, String)]) -> Result<Vec<PathBuf>, BuildError> {
    let out = folder.join(FOLDER);
    let mut changed = Vec::new();
    for (name, text) in files {
        let path = out.join(name);
        if fs::read_to_string(&path).is_ok_and(|found| found == *text) {
            continue;
        }
        let inner = path.parent().unwrap_or(&out);
        fs::create_dir_all(inner).map_err(|source| BuildError::file("make", inner, source))?;
        fs::write(&path, text).map_err(|source| BuildError::file("write", &path, source))?;
        changed.push(path);
    }
    Ok(changed)
}
