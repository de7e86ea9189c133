//! The files that travel inside the binary: the SDKs and the templates of new projects. `build.rs` makes the table.

use std::io;
use std::path::{Path, PathBuf};

/// Names, `/` between their parts, and contents; sorted by name.
static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// The files below a folder of the table, with their paths in it.
pub(crate) fn below(folder: &str) -> impl Iterator<Item = (&'static str, &'static [u8])> {
    FILES
        .iter()
        .filter_map(move |(name, content)| Some((name.strip_prefix(folder)?.strip_prefix('/')?, *content)))
}

/// Writes a file below a folder, and the folders that it lies in.
pub(crate) fn write(folder: &Path, name: &str, content: &[u8]) -> io::Result<PathBuf> {
    let path = folder.join(name);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    std::fs::write(&path, content)?;
    Ok(path)
}
