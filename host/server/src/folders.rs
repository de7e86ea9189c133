//! Folders that outlive a power cut, and how a full disk is known.
//!
//! Not here: what lies in the folders.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

/// What others than the owner may do, in a file's mode.
const OTHERS: u32 = 0o077;

/// Makes a folder, and what is missing above it. When it returns, those that it made outlive a power cut.
///
/// # Errors
/// When one cannot be made or synced.
pub(crate) fn make_durably(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = parent_of(folder);
    make_durably(parent)?;
    match fs::create_dir(folder) {
        // Somebody else was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
        made => made?,
    }
    sync_above(folder)
}

/// Makes a new folder outlive a power cut.
fn sync_above(folder: &Path) -> io::Result<()> {
    match sync(parent_of(folder)) {
        // A folder in which one may make others, and not look.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            tracing::warn!(folder = %folder.display(), %error, "a power cut now may take the new folder away");
            Ok(())
        }
        synced => synced,
    }
}

/// As [`make_durably`], of a folder that only its owner may enter, if it is not there yet: it will hold secrets.
///
/// # Errors
/// As for [`make_durably`].
pub(crate) fn make_private_durably(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    make_durably(parent_of(folder))?;
    match fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
        made => made?,
    }
    sync_above(folder)
}

/// Lets nobody but its owner enter a folder that holds secrets, and says so if that was otherwise.
///
/// # Errors
/// When it cannot be looked at. One that is not this user's own stays as it is, and that is said.
pub(crate) fn keep_others_out(folder: &Path) -> io::Result<()> {
    let mode = fs::metadata(folder)?.permissions().mode();
    if mode & OTHERS == 0 {
        return Ok(());
    }
    let folder_text = folder.display();
    match fs::set_permissions(folder, fs::Permissions::from_mode(mode & !OTHERS & 0o7777)) {
        Ok(()) => {
            tracing::warn!(folder = %folder_text, "other users could enter the data folder; they cannot any more")
        }
        Err(error) => tracing::warn!(folder = %folder_text, %error, "other users can enter the data folder"),
    }
    Ok(())
}

/// Whether a folder is another one, or somewhere below it. What is not there yet is taken as it is written.
pub(crate) fn is_inside(folder: &Path, other: &Path) -> bool {
    let place = |path: &Path| path.canonicalize().or_else(|_| std::path::absolute(path));
    match (place(folder), place(other)) {
        (Ok(folder), Ok(other)) => folder.starts_with(other),
        _ => false,
    }
}

/// Makes what was created, renamed or removed in a folder outlive a power cut.
///
/// # Errors
/// When the folder cannot be opened or synced.
pub(crate) fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// The folder that this one stands in.
pub(crate) fn parent_of(folder: &Path) -> &Path {
    match folder.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => folder,
    }
}

/// Whether the disk, or the user's share of it, has no room.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_others_could_enter_is_closed() {
        let dir = tempfile::tempdir().unwrap();
        for (mode, closed) in [(0o755, 0o700), (0o777, 0o700), (0o500, 0o500), (0o1750, 0o1700)] {
            fs::set_permissions(dir.path(), fs::Permissions::from_mode(mode)).unwrap();
            keep_others_out(dir.path()).unwrap();
            let found = fs::metadata(dir.path()).unwrap().permissions().mode() & 0o7777;
            assert_eq!(found, closed, "{mode:o}");
        }
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
        assert!(keep_others_out(&dir.path().join("gone")).is_err());
    }

    #[test]
    fn a_folder_is_inside_another_by_whatever_way() {
        let dir = tempfile::tempdir().unwrap();
        let (web, data) = (dir.path().join("web"), dir.path().join("web/data"));
        fs::create_dir_all(&data).unwrap();
        std::os::unix::fs::symlink(&web, dir.path().join("link")).unwrap();
        for (folder, other, inside) in [
            (data.clone(), web.clone(), true),
            (web.clone(), web.clone(), true),
            (web.clone(), data.clone(), false),
            (web.join("data/../data"), dir.path().join("link"), true),
            (dir.path().join("link/data"), web.clone(), true),
            (dir.path().join("webdata"), web.clone(), false),
            (dir.path().join("late/data"), dir.path().join("late"), true),
        ] {
            assert_eq!(is_inside(&folder, &other), inside, "{} in {}", folder.display(), other.display());
        }
    }

    #[test]
    fn makes_all_that_is_missing_and_nothing_twice() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("a/b/c");
        make_durably(&folder).unwrap();
        fs::write(folder.join("file"), "kept").unwrap();
        make_durably(&folder).unwrap();
        assert!(folder.join("file").exists());
        assert!(make_durably(&folder.join("file")).is_err());
        assert!(make_durably(&folder.join("file/below")).is_err());
    }

    #[test]
    fn a_new_private_folder_is_its_owners_and_an_old_one_stays_as_it_is() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("a/b");
        let mode = || fs::metadata(&folder).unwrap().permissions().mode() & 0o777;
        make_private_durably(&folder).unwrap();
        assert_eq!(mode(), 0o700);
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o750)).unwrap();
        make_private_durably(&folder).unwrap();
        assert_eq!(mode(), 0o750);
    }

    #[test]
    fn every_folder_has_a_parent() {
        for (folder, parent) in
            [("/a/b", "/a"), ("/a", "/"), ("/", "/"), ("a", "."), ("a/b", "a"), (".", ".")]
        {
            assert_eq!(parent_of(Path::new(folder)), Path::new(parent), "{folder}");
        }
    }

    #[test]
    fn a_full_disk_is_known() {
        assert!(is_full(&io::Error::from_raw_os_error(28)), "ENOSPC");
        assert!(is_full(&io::Error::from_raw_os_error(122)), "EDQUOT");
        assert!(!is_full(&io::Error::from_raw_os_error(13)), "EACCES");
    }
}
