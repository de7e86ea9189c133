//! What outlives the process: the account with the authority, the certificate with its key, and how often one was asked for in
//! vain.
//!
//! Files in a folder of the data folder that is its owner's alone. A certificate and its key stand in one file, so that
//! no power cut leaves one of them without the other; each file is written whole, under another name first.

use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use weir_auth::private_file::{self, PrivateFileError};

use crate::folders;
use crate::tls::TlsError;

const ACCOUNT: &str = "account.json";
const CERTIFICATE: &str = "certificate.json";
/// What was tried and has come to nothing yet.
pub const ATTEMPTS: &str = "attempts.json";

/// The folder.
#[derive(Debug, Clone)]
pub struct Kept {
    folder: PathBuf,
}

/// An account with an authority.
#[derive(Clone, Serialize, Deserialize)]
pub struct KeptAccount {
    /// Whose: the URL of its directory.
    pub directory: String,
    /// The address that the authority was told.
    pub email: Option<String>,
    /// Its key, and what the authority calls it: instant-acme's `AccountCredentials`.
    pub credentials: serde_json::Value,
}

/// A certificate, and for what it was asked.
#[derive(Clone, Serialize, Deserialize)]
pub struct KeptCertificate {
    /// Who gave it: the URL of its directory.
    pub directory: String,
    /// The names that it was asked for.
    pub names: Vec<String>,
    /// It, and those that signed it, PEM.
    pub chain: String,
    /// Its private key, PEM.
    pub key: String,
}

/// Attempts to get a certificate that have come to nothing, or have not ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptAttempts {
    /// Who was asked: the URL of its directory.
    pub directory: String,
    /// The names that it was asked for.
    pub names: Vec<String>,
    /// How many, in a row.
    pub failures: u32,
    /// When the next one may be made, in seconds since the Unix epoch.
    pub not_before: u64,
}

impl Kept {
    /// In this folder, which is made when there is something to be kept.
    pub fn at(folder: &Path) -> Kept {
        Kept { folder: folder.to_owned() }
    }

    /// The certificate that was kept last; `None`: there is none that can be read, which is said.
    ///
    /// # Errors
    /// Others can read it, or the system does not let the host read it.
    pub fn certificate(&self) -> Result<Option<KeptCertificate>, TlsError> {
        self.read(CERTIFICATE)
    }

    /// The same of the account.
    ///
    /// # Errors
    /// The same.
    pub fn account(&self) -> Result<Option<KeptAccount>, TlsError> {
        self.read(ACCOUNT)
    }

    /// Keeps a certificate in place of the one before.
    ///
    /// # Errors
    /// It is not kept, and the one before is.
    pub fn keep_certificate(&self, certificate: &KeptCertificate) -> io::Result<()> {
        self.write(CERTIFICATE, certificate)
    }

    /// The same of an account.
    ///
    /// # Errors
    /// The same.
    pub fn keep_account(&self, account: &KeptAccount) -> io::Result<()> {
        self.write(ACCOUNT, account)
    }

    /// What was tried before; `None`: nothing that has not come to an end.
    ///
    /// # Errors
    /// As those of [`Kept::certificate`].
    pub fn attempts(&self) -> Result<Option<KeptAttempts>, TlsError> {
        self.read(ATTEMPTS)
    }

    /// Keeps what was tried.
    ///
    /// # Errors
    /// As those of [`Kept::keep_certificate`].
    pub fn keep_attempts(&self, attempts: &KeptAttempts) -> io::Result<()> {
        self.write(ATTEMPTS, attempts)
    }

    /// Forgets what was tried: there is a certificate.
    ///
    /// # Errors
    /// The system does not let the host.
    pub fn forget_attempts(&self) -> io::Result<()> {
        match std::fs::remove_file(self.folder.join(ATTEMPTS)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Forgets the account: the authority does not know it.
    ///
    /// # Errors
    /// The system does not let the host.
    pub fn forget_account(&self) -> io::Result<()> {
        std::fs::remove_file(self.folder.join(ACCOUNT))?;
        folders::sync(&self.folder)
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, TlsError> {
        let path = self.folder.join(name);
        let text = match private_file::read(&path) {
            Ok(text) => text,
            Err(PrivateFileError::Io(error)) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(PrivateFileError::Io(source)) => return Err(TlsError::Kept { path, source }),
            Err(PrivateFileError::Exposed { mode }) => return Err(TlsError::Exposed { path, mode }),
        };
        match serde_json::from_slice(&text) {
            Ok(kept) => Ok(Some(kept)),
            Err(error) => {
                let path = path.display();
                tracing::warn!("{path} is damaged, and is made anew: {error}");
                Ok(None)
            }
        }
    }

    fn write(&self, name: &str, value: &impl Serialize) -> io::Result<()> {
        folders::make_private_durably(&self.folder)?;
        private_file::write(&self.folder.join(name), &serde_json::to_vec_pretty(value)?)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn certificate(names: &[&str]) -> KeptCertificate {
        KeptCertificate {
            directory: "https://ca.test/dir".into(),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            chain: "chain".into(),
            key: "key".into(),
        }
    }

    fn kept() -> (tempfile::TempDir, Kept) {
        let dir = tempfile::tempdir().unwrap();
        let kept = Kept::at(&dir.path().join("acme"));
        (dir, kept)
    }

    #[test]
    fn what_is_kept_is_there_again_and_nobody_elses_to_read() {
        let (_dir, kept) = kept();
        assert!(kept.certificate().unwrap().is_none() && kept.account().unwrap().is_none());
        assert!(!kept.folder.exists(), "looking makes nothing");
        kept.keep_certificate(&certificate(&["a.test"])).unwrap();
        kept.keep_certificate(&certificate(&["b.test"])).unwrap();
        assert_eq!(kept.certificate().unwrap().unwrap().names, ["b.test"]);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let file = kept.folder.join(CERTIFICATE);
        assert_eq!((mode(&kept.folder), mode(&file)), (0o700, 0o600));
        assert_eq!(fs::read_dir(&kept.folder).unwrap().count(), 1, "no draft is left");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        let refused = kept.certificate().err().unwrap().to_string();
        assert!(refused.contains("chmod 600"), "{refused}");
    }

    #[test]
    fn what_cannot_be_kept_leaves_what_was_there() {
        let (_dir, kept) = kept();
        kept.keep_certificate(&certificate(&["a.test"])).unwrap();
        // A draft that cannot be put aside, as if the disk refused.
        fs::create_dir(kept.folder.join("certificate.new")).unwrap();
        assert!(kept.keep_certificate(&certificate(&["b.test"])).is_err());
        assert_eq!(kept.certificate().unwrap().unwrap().names, ["a.test"]);
    }

    #[test]
    fn what_is_damaged_is_none() {
        let (_dir, kept) = kept();
        kept.keep_certificate(&certificate(&["a.test"])).unwrap();
        fs::write(kept.folder.join(CERTIFICATE), "{\"directory\":").unwrap();
        assert!(kept.certificate().unwrap().is_none());
    }
}
