//! The deployed components, as files named by the hash of their content.
//!
//! A file is there whole or not at all, and is not changed: what is deployed is
//! decided elsewhere, by a record that names hashes. Not here: what the files
//! mean, and who may write or remove them when.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::folders;

/// The file name extension of a component.
const COMPONENT: &str = "wasm";
/// And of one that is not written to its end.
const DRAFT: &str = "new";

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
    /// The folder at `folder`, which is made when the first component is kept.
    pub fn at(folder: &Path) -> ComponentFiles {
        ComponentFiles { folder: folder.to_owned() }
    }

    /// Keeps components; when it returns, all of them outlive a power cut.
    ///
    /// # Errors
    /// When the file system refuses. Under no final name there is half of a
    /// component then; those before it may be there.
    pub fn write(&self, components: &[(ComponentHash, &Bytes)]) -> io::Result<()> {
        folders::make_durably(&self.folder).map_err(|error| in_file(&self.folder, &error))?;
        for (hash, component) in components {
            if self.read(hash).is_err() {
                self.write_one(hash, component)?;
            }
        }
        // Also when all were there: whoever wrote them may not have come this far.
        folders::sync(&self.folder)?;
        folders::sync(folders::parent_of(&self.folder))
    }

    /// Reads a component.
    ///
    /// # Errors
    /// When it is not there (`NotFound`), or is not what its name says
    /// (`InvalidData`).
    pub fn read(&self, hash: &ComponentHash) -> io::Result<Bytes> {
        let component = fs::read(self.path(hash))?;
        if ComponentHash::of(&component) != *hash {
            let damage = "the file is damaged: its content is not what its name says";
            return Err(io::Error::new(io::ErrorKind::InvalidData, damage));
        }
        Ok(component.into())
    }

    /// Removes every component but these, and drafts. A file that cannot be
    /// removed is no more than wasted space, and is only logged.
    pub fn keep_only(&self, hashes: &[ComponentHash]) {
        let kept: Vec<PathBuf> = hashes.iter().map(|hash| self.path(hash)).collect();
        let is_ours = |path: &PathBuf| {
            let extension = path.extension();
            extension.is_some_and(|extension| extension == COMPONENT || extension == DRAFT)
        };
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()).filter(|path| is_ours(path) && !kept.contains(path)) {
            if let Err(error) = fs::remove_file(&path) {
                tracing::warn!(path = %path.display(), %error, "an unused component stays on disk");
            }
        }
    }

    /// Where a component is kept.
    pub fn path(&self, hash: &ComponentHash) -> PathBuf {
        self.folder.join(format!("{hash}.{COMPONENT}"))
    }

    /// Its file's name, from the folder that the components' folder stands in:
    /// for those who need not know where on the machine that is.
    pub fn name(&self, hash: &ComponentHash) -> String {
        let folder = self.folder.file_name().unwrap_or_default();
        format!("{}/{hash}.{COMPONENT}", folder.to_string_lossy())
    }

    fn write_one(&self, hash: &ComponentHash, component: &[u8]) -> io::Result<()> {
        let path = self.path(hash);
        let draft = path.with_extension(DRAFT);
        let written = write_draft(&draft, component).and_then(|()| fs::rename(&draft, &path));
        written.map_err(|error| {
            let _ = fs::remove_file(&draft);
            in_file(&path, &error)
        })
    }
}

fn write_draft(draft: &Path, component: &[u8]) -> io::Result<()> {
    let mut file = File::create(draft)?;
    file.write_all(component)?;
    file.sync_all()
}

fn in_file(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(files: &ComponentFiles, contents: &[&'static str]) -> Vec<ComponentHash> {
        let contents: Vec<Bytes> = contents.iter().map(|text| Bytes::from_static(text.as_bytes())).collect();
        let components: Vec<_> = contents.iter().map(|bytes| (ComponentHash::of(bytes), bytes)).collect();
        files.write(&components).unwrap();
        components.iter().map(|(hash, _)| *hash).collect()
    }

    #[test]
    fn keeps_what_was_written_and_only_that() {
        let dir = tempfile::tempdir().unwrap();
        let files = ComponentFiles::at(&dir.path().join("components"));
        files.keep_only(&[]);
        let hashes = write(&files, &["one", "two"]);
        write(&files, &["one"]);
        assert_eq!(files.read(&hashes[0]).unwrap(), "one");
        let draft = files.path(&ComponentHash::of(b"three")).with_extension(DRAFT);
        let others = dir.path().join("components/README");
        fs::write(&draft, "thr").unwrap();
        fs::write(&others, "not ours").unwrap();
        files.keep_only(&hashes[1..]);
        assert_eq!(files.read(&hashes[0]).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(files.read(&hashes[1]).unwrap(), "two");
        assert_eq!((draft.exists(), others.exists()), (false, true));
        assert_eq!(dir.path().join(files.name(&hashes[1])), files.path(&hashes[1]));
    }

    #[test]
    fn damage_is_seen_and_mended_by_writing_again() {
        let dir = tempfile::tempdir().unwrap();
        let files = ComponentFiles::at(dir.path());
        let hash = write(&files, &["content"])[0];
        fs::write(files.path(&hash), b"contenx").unwrap();
        assert_eq!(files.read(&hash).unwrap_err().kind(), io::ErrorKind::InvalidData);
        write(&files, &["content"]);
        assert_eq!(files.read(&hash).unwrap(), "content");
    }

    #[test]
    fn a_folder_that_is_none_is_said_with_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("components");
        fs::write(&folder, "a file").unwrap();
        let files = ComponentFiles::at(&folder);
        let component = Bytes::from_static(b"x");
        let error = files.write(&[(ComponentHash::of(b"x"), &component)]).unwrap_err();
        assert!(error.to_string().contains("components"), "{error}");
        assert!(files.read(&ComponentHash::of(b"x")).is_err());
        files.keep_only(&[]);
    }

    #[test]
    fn a_component_that_cannot_be_written_leaves_no_draft() {
        let dir = tempfile::tempdir().unwrap();
        let files = ComponentFiles::at(dir.path());
        let component = Bytes::from_static(b"x");
        let hash = ComponentHash::of(b"x");
        // Its place is taken by a folder, which no file replaces.
        fs::create_dir(files.path(&hash)).unwrap();
        fs::write(files.path(&hash).join("full"), "").unwrap();
        let error = files.write(&[(hash, &component)]).unwrap_err();
        assert!(error.to_string().contains(&hash.to_string()), "{error}");
        assert!(!files.path(&hash).with_extension(DRAFT).exists());
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
