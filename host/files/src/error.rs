//! What goes wrong with files.

use std::error::Error;
use std::io;

/// Why a file was not written, read or removed.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// There is no such file.
    #[error("the file is not there")]
    NotFound,
    /// The disk, or the host's share of it, has no room.
    #[error("the disk is full")]
    Full,
    /// The folder or the bucket belongs to another host, which would take this one's files for its own.
    #[error(
        "{place} holds the files of another host: give this one a folder, or a prefix in the bucket, of its own"
    )]
    OfAnother {
        /// Where.
        place: String,
    },
    /// There is no such bucket.
    #[error("there is no such bucket: make it, or name another")]
    NoPlace,
    /// The folder or the bucket refused, or could not be reached.
    #[error("{0}")]
    Failed(String),
}

impl From<object_store::Error> for FilesError {
    fn from(error: object_store::Error) -> Self {
        if matches!(error, object_store::Error::NotFound { .. }) {
            return FilesError::NotFound;
        }
        match io_error_in(&error).is_some_and(is_full) {
            true => FilesError::Full,
            false => FilesError::Failed(error.to_string()),
        }
    }
}

impl From<io::Error> for FilesError {
    fn from(error: io::Error) -> Self {
        match is_full(&error) {
            true => FilesError::Full,
            false => FilesError::Failed(error.to_string()),
        }
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// What the system said, below what others made of it.
fn io_error_in<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a io::Error> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<io::Error>() {
            return Some(found);
        }
        cause = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_known_below_other_errors() {
        let source = Box::new(io::Error::from_raw_os_error(28));
        let full = object_store::Error::Generic { store: "LocalFileSystem", source };
        assert!(matches!(FilesError::from(full), FilesError::Full));
        let source = Box::new(io::Error::from_raw_os_error(13));
        let refused = object_store::Error::Generic { store: "LocalFileSystem", source };
        assert!(matches!(FilesError::from(refused), FilesError::Failed(_)));
    }
}
