//! Whose a compiled file is. Cargo gives a guest's file the package's name alone, so in the folder that
//! all guests share, two packages of one name (two checkouts of one project, say) write the same file, and
//! Cargo takes the other's for its own as long as nothing of its source has changed. Here it is written
//! down which package made the file last.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Keeps other builds out of `target` until it is dropped: between Cargo's end and the reading of what it
/// made, another build could write the file. Cargo itself lets one build at a time into a folder.
pub(crate) fn lock(target: &Path) -> io::Result<File> {
    fs::create_dir_all(target)?;
    let file = File::create(target.join(".weir-lock"))?;
    file.lock()?;
    Ok(file)
}

/// Whether `artifact` is what the package of `manifest` made.
pub(crate) fn is_held(artifact: &Path, manifest: &Path) -> bool {
    fs::read(record(artifact)).is_ok_and(|holder| holder == manifest.as_os_str().as_bytes())
}

/// Writes down that the package of `manifest` made `artifact`.
pub(crate) fn take(artifact: &Path, manifest: &Path) -> io::Result<()> {
    fs::write(record(artifact), manifest.as_os_str().as_bytes())
}

/// Takes `artifact` away, so that Cargo makes it again: both the file it gives and the one it keeps.
pub(crate) fn discard(artifact: &Path) {
    let kept =
        artifact.parent().zip(artifact.file_name()).map(|(folder, name)| folder.join("deps").join(name));
    for file in kept.iter().map(PathBuf::as_path).chain([artifact]) {
        // One that is gone already is what is wanted.
        let _ = fs::remove_file(file);
    }
}

fn record(artifact: &Path) -> PathBuf {
    let mut name = OsString::from(artifact);
    name.push(".holder");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_held_by_who_took_it_last() {
        let folder = tempfile::tempdir().unwrap();
        let artifact = folder.path().join("chat.wasm");
        let (one, two) = (Path::new("/one/Cargo.toml"), Path::new("/two/Cargo.toml"));
        assert!(!is_held(&artifact, one));
        take(&artifact, one).unwrap();
        assert!(is_held(&artifact, one) && !is_held(&artifact, two));
        take(&artifact, two).unwrap();
        assert!(is_held(&artifact, two) && !is_held(&artifact, one));
    }

    #[test]
    fn discarding_takes_away_both_files() {
        let folder = tempfile::tempdir().unwrap();
        let (given, kept) = (folder.path().join("a.wasm"), folder.path().join("deps/a.wasm"));
        fs::create_dir(folder.path().join("deps")).unwrap();
        for file in [&given, &kept] {
            fs::write(file, "x").unwrap();
        }
        discard(&given);
        assert!(!given.exists() && !kept.exists());
        discard(&given);
    }
}
