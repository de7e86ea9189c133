//! Secrets in files that only their owner may read: the host's signing keys here, its first admin key in the server.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Why a secret cannot be read.
#[derive(Debug)]
pub enum PrivateFileError {
    /// Others could read it too.
    Exposed {
        /// The file's permission bits.
        mode: u32,
    },
    /// The file is not there, or cannot be read.
    Io(io::Error),
}

impl From<io::Error> for PrivateFileError {
    fn from(error: io::Error) -> Self {
        PrivateFileError::Io(error)
    }
}

/// Reads a file that only its owner may read.
///
/// # Errors
/// It is not there, it cannot be read, or others could read it too.
pub fn read(path: &Path) -> Result<Vec<u8>, PrivateFileError> {
    let secret = fs::read(path)?;
    match fs::metadata(path)?.permissions().mode() & 0o777 {
        mode if mode & 0o077 != 0 => Err(PrivateFileError::Exposed { mode }),
        _ => Ok(secret),
    }
}

/// Writes such a file, durably: the whole of it under another name first, so that a start that is cut short leaves no
/// half of a secret.
///
/// # Errors
/// It cannot be written; then nothing is left behind.
pub fn write(path: &Path, secret: &[u8]) -> io::Result<()> {
    let draft = path.with_extension("new");
    remove_if_there(&draft)?;
    let written = write_draft(&draft, secret).and_then(|()| fs::rename(&draft, path));
    if let Err(error) = written {
        let _ = fs::remove_file(&draft);
        return Err(error);
    }
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

fn write_draft(draft: &Path, secret: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    file.write_all(secret)?;
    file.sync_all()
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
