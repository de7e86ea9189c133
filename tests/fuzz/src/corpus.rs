//! The inputs in the repository, one a file: `corpus/<target>/<what it is>`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// An input, and the name of its file.
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) input: Vec<u8>,
}

/// The inputs of a target, in the order of their names.
///
/// # Errors
/// The folder cannot be read: each target has one.
pub(crate) fn read(target: &str) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for file in fs::read_dir(folder().join(target))? {
        let file = file?;
        let name = file.file_name().to_string_lossy().into_owned();
        entries.push(Entry { name, input: fs::read(file.path())? });
    }
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(entries)
}

/// Where the inputs of all targets are.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}
