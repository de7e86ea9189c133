//! Where the host's signing keys lie: a file that only its owner may read.

use std::io;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;

use crate::private_file::{self, PrivateFileError};

/// The file's name in the data folder.
const FILE_NAME: &str = "signing-keys";

/// Why there are no signing keys.
#[derive(Debug, thiserror::Error)]
pub enum SigningKeysError {
    /// The file is there, and does not hold keys.
    #[error(
        "{0} does not hold keys on P-256 (PEM, PKCS #8): restore it from a copy, or remove it to have a new \
         key made; tokens signed with the old one are refused from then on"
    )]
    Malformed(PathBuf),
    /// Others could read the keys.
    #[error("{path} can be read by others (mode {mode:03o}): make it private with `chmod 600`")]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file system, or the source of random numbers, refused.
    #[error("the signing keys at {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

pub(crate) fn path(data_dir: &Path) -> PathBuf {
    data_dir.join(FILE_NAME)
}

/// The keys (PKCS #8) in the file, which is made with one key if it is not there.
///
/// # Errors
/// See [`SigningKeysError`].
pub(crate) fn read_or_create(data_dir: &Path) -> Result<Vec<Vec<u8>>, SigningKeysError> {
    let path = path(data_dir);
    let failed = |source| SigningKeysError::Io { path: path.clone(), source };
    let text = match private_file::read(&path) {
        Ok(text) => text,
        Err(PrivateFileError::Exposed { mode }) => return Err(SigningKeysError::Exposed { path, mode }),
        Err(PrivateFileError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
            return create(&path, private_file::write).map(|key| vec![key]).map_err(failed);
        }
        Err(PrivateFileError::Io(error)) => return Err(failed(error)),
    };
    let keys: Result<Vec<_>, _> = PrivatePkcs8KeyDer::pem_slice_iter(&text)
        .map(|key| key.map(|key| key.secret_pkcs8_der().to_vec()))
        .collect();
    match keys {
        Ok(keys) if !keys.is_empty() => Ok(keys),
        _ => Err(SigningKeysError::Malformed(path)),
    }
}

/// A new key, in the file. On a full disk there is none, as the disk has to be freed by a host that runs: the
/// key is this process's alone then.
fn create(path: &Path, write: impl FnOnce(&Path, &[u8]) -> io::Result<()>) -> io::Result<Vec<u8>> {
    let key = generate()?;
    match write(path, pem(&key).as_bytes()) {
        Err(error) if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => {
            tracing::error!(
                path = %path.display(),
                %error,
                "there is no room for the key that tokens are signed with: free some space on the disk and \
                 start again; what is signed until then is refused after that"
            );
        }
        written => written?,
    }
    Ok(key)
}

/// A new key. Its randomness is the system's own: no simulated source may foresee a secret.
fn generate() -> io::Result<Vec<u8>> {
    let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
    let key = key.map_err(|_| io::Error::other("the system gives no random numbers"))?;
    Ok(key.as_ref().to_vec())
}

fn pem(key: &[u8]) -> String {
    let mut text = String::from("-----BEGIN PRIVATE KEY-----\n");
    let base64 = STANDARD.encode(key);
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str("-----END PRIVATE KEY-----\n");
    text
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn is_made_once_and_private() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("signing-keys.new"), "-----BEG").unwrap();
        let made = read_or_create(dir.path()).unwrap();
        assert_eq!(made.len(), 1);
        assert_eq!(read_or_create(dir.path()).unwrap(), made);
        let mode = fs::metadata(path(dir.path())).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn says_what_is_wrong_with_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = path(dir.path());
        for text in ["", "x", "-----BEGIN PRIVATE KEY-----\n*\n-----END PRIVATE KEY-----\n"] {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            assert!(matches!(read_or_create(dir.path()), Err(SigningKeysError::Malformed(_))), "{text}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let exposed = read_or_create(dir.path());
        assert!(matches!(exposed, Err(SigningKeysError::Exposed { mode: 0o640, .. })));
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(matches!(read_or_create(dir.path()), Err(SigningKeysError::Io { .. })));
    }

    #[test]
    fn a_full_disk_costs_the_file_and_not_the_start() {
        let path = Path::new("signing-keys");
        let failing = |kind: io::ErrorKind| move |_: &Path, _: &[u8]| Err(io::Error::from(kind));
        assert!(create(path, failing(io::ErrorKind::StorageFull)).is_ok());
        assert!(create(path, failing(io::ErrorKind::PermissionDenied)).is_err());
    }

    #[test]
    fn a_key_that_cannot_be_written_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("in the way/x")).unwrap();
        assert!(private_file::write(&dir.path().join("in the way"), b"x").is_err());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
