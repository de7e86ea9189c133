//! The deployed components, as files named by the hash of their content.
//!
//! A file is there whole or not at all, and is not changed: what is deployed is
//! decided elsewhere, by a record that names hashes. Knows nothing of what the
//! files mean.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

/// SHA-256 of a component.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ComponentHash([u8; 32]);

impl ComponentHash {
    /// The hash of these bytes.
    pub fn of(component: &[u8]) -> ComponentHash {
        ComponentHash(Sha256::digest(component).into())
    }

    fn parse(hex: &str) -> Option<ComponentHash> {
        let mut bytes = [0_u8; 32];
        if hex.len() != 64 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(ComponentHash(bytes))
    }
}

impl fmt::Display for ComponentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ComponentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for ComponentHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ComponentHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ComponentHash, D::Error> {
        let hex = String::deserialize(deserializer)?;
        ComponentHash::parse(&hex).ok_or_else(|| serde::de::Error::custom("not a SHA-256 in hex"))
    }
}

/// A folder of components.
#[derive(Debug)]
pub struct ComponentFiles {
    folder: PathBuf,
}

impl ComponentFiles {
    /// The folder at `folder`, made if it is missing.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(folder: &Path) -> io::Result<ComponentFiles> {
        fs::create_dir_all(folder)?;
        Ok(ComponentFiles { folder: folder.to_owned() })
    }

    /// Keeps a component; when it returns, it outlives a power cut.
    ///
    /// # Errors
    /// When the file system refuses. Nothing is left under the final name then.
    pub fn write(&self, hash: &ComponentHash, component: &[u8]) -> io::Result<()> {
        let path = self.path(hash);
        if self.read(hash).is_ok() {
            return Ok(());
        }
        let draft = path.with_extension("new");
        let result = self.write_draft(&draft, component).and_then(|()| fs::rename(&draft, &path));
        if let Err(error) = result {
            let _ = fs::remove_file(&draft);
            return Err(in_file(&path, &error));
        }
        File::open(&self.folder)?.sync_all()
    }

    /// Reads a component.
    ///
    /// # Errors
    /// When it is not there, or is not what its name says.
    pub fn read(&self, hash: &ComponentHash) -> io::Result<Bytes> {
        let path = self.path(hash);
        let component = fs::read(&path).map_err(|error| in_file(&path, &error))?;
        if ComponentHash::of(&component) != *hash {
            let damage = io::Error::new(
                io::ErrorKind::InvalidData,
                "its content is not what its name says: the file is damaged, deploy again",
            );
            return Err(in_file(&path, &damage));
        }
        Ok(component.into())
    }

    /// Removes every file but these. A file that cannot be removed is no more
    /// than wasted space, and is only logged.
    pub fn keep_only(&self, hashes: &[ComponentHash]) {
        let kept: Vec<PathBuf> = hashes.iter().map(|hash| self.path(hash)).collect();
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()).filter(|path| !kept.contains(path)) {
            if let Err(error) = fs::remove_file(&path) {
                tracing::warn!(path = %path.display(), %error, "an unused component stays on disk");
            }
        }
    }

    fn path(&self, hash: &ComponentHash) -> PathBuf {
        self.folder.join(format!("{hash}.wasm"))
    }

    fn write_draft(&self, draft: &Path, component: &[u8]) -> io::Result<()> {
        let mut file = File::create(draft)?;
        file.write_all(component)?;
        file.sync_all()
    }
}

fn in_file(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_was_written_and_only_that() {
        let dir = tempfile::tempdir().unwrap();
        let files = ComponentFiles::open(&dir.path().join("components")).unwrap();
        let [one, two] = [b"one".as_slice(), b"two".as_slice()];
        let hashes = [ComponentHash::of(one), ComponentHash::of(two)];
        files.write(&hashes[0], one).unwrap();
        files.write(&hashes[0], one).unwrap();
        files.write(&hashes[1], two).unwrap();
        assert_eq!(files.read(&hashes[0]).unwrap(), one);
        files.keep_only(&hashes[1..]);
        assert_eq!(files.read(&hashes[0]).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(files.read(&hashes[1]).unwrap(), two);
    }

    #[test]
    fn damage_is_seen_and_mended_by_writing_again() {
        let dir = tempfile::tempdir().unwrap();
        let files = ComponentFiles::open(dir.path()).unwrap();
        let hash = ComponentHash::of(b"content");
        files.write(&hash, b"content").unwrap();
        fs::write(files.path(&hash), b"contenx").unwrap();
        let error = files.read(&hash).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(error.to_string().contains(&hash.to_string()));
        files.write(&hash, b"content").unwrap();
        assert_eq!(files.read(&hash).unwrap(), b"content".as_slice());
    }

    #[test]
    fn hashes_are_hex() {
        let hash = ComponentHash::of(b"");
        let text = "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"";
        assert_eq!(serde_json::to_string(&hash).unwrap(), text);
        assert_eq!(serde_json::from_str::<ComponentHash>(text).unwrap(), hash);
        for wrong in ["\"\"", "\"e3b0\"", "\"zz\"", "7", "\"../../../../etc/passwd\""] {
            assert!(serde_json::from_str::<ComponentHash>(wrong).is_err(), "{wrong}");
        }
    }
}
