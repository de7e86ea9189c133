//! A folder of files: what `object_store` leaves to others.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::SystemTime;

use uuid::Uuid;

use crate::FilesError;

/// Makes the folder; when this returns it outlives a power failure.
pub(crate) fn make(folder: &Path) -> Result<(), FilesError> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder).map_err(|error| in_folder(folder, &error))?;
    let above = folder.ancestors().skip(1).filter(|path| !path.as_os_str().is_empty());
    for parent in above {
        match File::open(parent).and_then(|parent| parent.sync_all()) {
            // A folder in which one may make others, and not look: it was there before.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => break,
            synced => synced.map_err(|error| in_folder(folder, &error))?,
        }
    }
    Ok(())
}

/// Removes what `object_store` calls staged, and this asks for: files that were not written to their end. It is told the
/// file's name and when it was written last. One that cannot be removed is no more than wasted space.
pub(crate) fn remove_drafts(
    folder: &Path,
    is_left: &dyn Fn(Uuid, SystemTime) -> bool,
) -> Result<(), FilesError> {
    for entry in fs::read_dir(folder).map_err(|error| in_folder(folder, &error))?.flatten() {
        let name = entry.file_name();
        let Some(draft) = name.to_str().and_then(file_of_draft) else { continue };
        let Ok(written) = entry.metadata().and_then(|metadata| metadata.modified()) else { continue };
        if is_left(draft, written)
            && let Err(error) = fs::remove_file(entry.path())
        {
            tracing::warn!(path = %entry.path().display(), %error, "half a file stays on disk");
        }
    }
    Ok(())
}

/// The file that is to become of this one: its name, `#` and a number.
fn file_of_draft(name: &str) -> Option<Uuid> {
    let (file, number) = name.split_once('#')?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && file.len() == 32).then(|| file.parse().ok())?
}

fn in_folder(folder: &Path, error: &io::Error) -> FilesError {
    FilesError::Failed(format!("{}: {error}", folder.display()))
}
