//! The text of admin keys, and the first of them: the one in the data folder.
//!
//! A key has the form that the official tools expect, `instanceName|hex`, and
//! never appears in a log or in an error. The first one is made at the first
//! start, kept in a file that only its owner may read, and good for everything.
//! Whoever wants another one removes the file and starts the server again.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use weir_auth::private_file::{self, PrivateFileError};

use crate::folders;

/// The file's name in the data folder.
pub const FILE_NAME: &str = "admin-key";

/// Random bytes in a key.
const SECRET_BYTES: usize = 32;

/// An admin key.
#[derive(Clone)]
pub struct AdminKey {
    text: String,
}

/// Why there is no admin key.
#[derive(Debug, thiserror::Error)]
pub enum AdminKeyError {
    /// No server has been started on this folder yet.
    #[error("there is no admin key at {0}: it is made when a server is first started on this data folder")]
    Missing(PathBuf),
    /// The file is there, but is not a key.
    #[error(
        "{0} is not an admin key (`name|hex`): restore it from a copy, or remove it to have a new one made"
    )]
    Malformed(PathBuf),
    /// Others could read the key.
    #[error("{path} can be read by others (mode {mode:03o}): make it private with `chmod 600`")]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file system refused.
    #[error("the admin key at {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl AdminKey {
    /// Reads the key of a data folder.
    ///
    /// # Errors
    /// When there is none, it is not one, or others may read it.
    pub fn read(data_dir: &Path) -> Result<AdminKey, AdminKeyError> {
        let path = data_dir.join(FILE_NAME);
        let io_error = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => AdminKeyError::Missing(path.clone()),
            _ => AdminKeyError::Io { path: path.clone(), source },
        };
        let secret = private_file::read(&path).map_err(|error| match error {
            PrivateFileError::Exposed { mode } => AdminKeyError::Exposed { path: path.clone(), mode },
            PrivateFileError::Io(source) => io_error(source),
        })?;
        let text = String::from_utf8(secret)
            .map_err(|error| io_error(io::Error::new(io::ErrorKind::InvalidData, error.utf8_error())))?;
        AdminKey::parse(text.trim()).ok_or(AdminKeyError::Malformed(path))
    }

    /// Reads the key, or makes one for `instance_name` when there is none. On a
    /// full disk the new key is not kept, so nobody learns it: what needs no key
    /// can be served, and the next start makes another one.
    ///
    /// # Errors
    /// As for `read`; and when the file cannot be written for another reason.
    pub fn read_or_create(data_dir: &Path, instance_name: &str) -> Result<AdminKey, AdminKeyError> {
        match AdminKey::read(data_dir) {
            Err(AdminKeyError::Missing(path)) => AdminKey::create(&path, instance_name, AdminKey::write),
            other => other,
        }
    }

    fn create(
        path: &Path,
        instance_name: &str,
        write: impl FnOnce(&AdminKey, &Path) -> io::Result<()>,
    ) -> Result<AdminKey, AdminKeyError> {
        let failed = |source| AdminKeyError::Io { path: path.to_owned(), source };
        let key = AdminKey::generate(instance_name).map_err(failed)?;
        match write(&key, path) {
            Err(error) if folders::is_full(&error) => {
                tracing::error!(
                    path = %path.display(),
                    %error,
                    "there is no admin key, and no room for one: free some space on the disk and start again; nothing \
                     can be deployed until then"
                );
            }
            written => written.map_err(failed)?,
        }
        Ok(key)
    }

    /// The text that callers send: `instanceName|hex`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The name before the bar.
    pub fn instance_name(&self) -> &str {
        self.text.split_once('|').map_or("", |(name, _)| name)
    }

    fn parse(text: &str) -> Option<AdminKey> {
        let (name, secret) = text.split_once('|')?;
        let is_hex = secret.len() >= 2 * SECRET_BYTES && secret.bytes().all(|b| b.is_ascii_hexdigit());
        (!name.is_empty() && is_hex).then(|| AdminKey { text: text.to_owned() })
    }

    /// A new key, of 256 random bits.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn generate(instance_name: &str) -> io::Result<AdminKey> {
        let mut secret = [0_u8; SECRET_BYTES];
        #[expect(clippy::disallowed_methods, reason = "a secret: no simulated `Env` may foresee it")]
        getrandom::fill(&mut secret).map_err(|error| io::Error::other(error.to_string()))?;
        let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(AdminKey { text: format!("{instance_name}|{hex}") })
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        private_file::write(path, format!("{}\n", self.text).as_bytes())
    }
}

/// Without the secret: keys end up in logs through `{:?}`.
impl fmt::Debug for AdminKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AdminKey({}|...)", self.instance_name())
    }
}

/// `prod:name|hex` and the like without what stands before the colon.
pub fn without_kind(key: &str) -> &str {
    let name_end = key.find('|').unwrap_or(0);
    match key[..name_end].rfind(':') {
        Some(colon) => &key[colon + 1..],
        None => key,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn is_made_once_and_private() {
        let dir = tempfile::tempdir().unwrap();
        let made = AdminKey::read_or_create(dir.path(), "weir").unwrap();
        let mode = fs::metadata(dir.path().join(FILE_NAME)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(made.as_str().starts_with("weir|"));
        assert_eq!(AdminKey::read(dir.path()).unwrap().as_str(), made.as_str());
        assert_eq!(AdminKey::read_or_create(dir.path(), "x").unwrap().as_str(), made.as_str());
        assert_ne!(AdminKey::generate("weir").unwrap().as_str(), made.as_str());
        assert!(!format!("{made:?}").contains(&made.as_str()[5..]));
    }

    #[test]
    fn says_what_is_wrong_with_the_file() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(AdminKey::read(dir.path()), Err(AdminKeyError::Missing(_))));
        let path = dir.path().join(FILE_NAME);
        for text in ["", "weir", "weir|", "weir|12", "|00", "weir|zz"] {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            assert!(matches!(AdminKey::read(dir.path()), Err(AdminKeyError::Malformed(_))), "{text}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(AdminKey::read(dir.path()), Err(AdminKeyError::Exposed { mode: 0o644, .. })));
    }

    #[test]
    fn a_draft_left_by_a_cut_start_is_no_obstacle() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("admin-key.new"), "wei").unwrap();
        assert!(AdminKey::read_or_create(dir.path(), "weir").is_ok());
    }

    #[test]
    fn a_full_disk_costs_the_key_and_not_the_start() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE_NAME);
        let failing = |kind: io::ErrorKind| move |_: &AdminKey, _: &Path| Err(io::Error::from(kind));
        let key = AdminKey::create(&path, "weir", failing(io::ErrorKind::StorageFull)).unwrap();
        assert!(AdminKey::parse(key.as_str()).is_some());
        assert!(matches!(AdminKey::read(dir.path()), Err(AdminKeyError::Missing(_))));
        let other = AdminKey::create(&path, "weir", failing(io::ErrorKind::PermissionDenied));
        assert!(matches!(other, Err(AdminKeyError::Io { .. })));
    }

    #[test]
    fn a_key_that_cannot_be_written_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join(FILE_NAME).join("in the way")).unwrap();
        let key = AdminKey::generate("weir").unwrap();
        assert!(key.write(&dir.path().join(FILE_NAME)).is_err());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
