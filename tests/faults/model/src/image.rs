//! The content of a folder at one moment, to be written somewhere or compared.
//!
//! Not here: how it came about.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Zeros in runs of this length are not written: files stay as sparse as they were.
const HOLE_BYTES: usize = 4096;

/// Everything below a folder, by path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Image(pub BTreeMap<PathBuf, Entry>);

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A folder; what is in it has paths of its own.
    Folder,
    /// A file with this content.
    File(Vec<u8>),
}

impl Image {
    /// What is below `folder`.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn read(folder: &Path) -> io::Result<Image> {
        let mut image = Image::default();
        image.read_below(folder, Path::new(""))?;
        Ok(image)
    }

    fn read_below(&mut self, folder: &Path, path: &Path) -> io::Result<()> {
        for entry in fs::read_dir(folder.join(path))? {
            let entry = entry?;
            let below = path.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                self.0.insert(below.clone(), Entry::Folder);
                self.read_below(folder, &below)?;
            } else {
                self.0.insert(below, Entry::File(fs::read(entry.path())?));
            }
        }
        Ok(())
    }

    /// Makes it below `folder`, which must exist and be empty.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write_to(&self, folder: &Path) -> io::Result<()> {
        // In the order of paths a folder comes before what is in it.
        for (path, entry) in &self.0 {
            match entry {
                Entry::Folder => fs::create_dir(folder.join(path))?,
                Entry::File(bytes) => write_sparsely(&folder.join(path), bytes)?,
            }
        }
        Ok(())
    }

    /// The first difference, in words.
    pub fn difference(&self, other: &Image) -> Option<String> {
        for path in self.0.keys().chain(other.0.keys()) {
            let what = match (self.0.get(path), other.0.get(path)) {
                (Some(Entry::File(a)), Some(Entry::File(b))) if a.len() != b.len() => {
                    format!("has {} bytes and {}", a.len(), b.len())
                }
                (Some(Entry::File(a)), Some(Entry::File(b))) => {
                    match a.iter().zip(b).position(|(a, b)| a != b) {
                        Some(at) => format!("differs at byte {at}"),
                        None => continue,
                    }
                }
                (Some(a), Some(b)) if a == b => continue,
                (Some(_), None) => "is missing in the second".to_owned(),
                (None, Some(_)) => "is missing in the first".to_owned(),
                _ => "is a folder in one and a file in the other".to_owned(),
            };
            return Some(format!("{} {what}", path.display()));
        }
        None
    }
}

fn write_sparsely(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let file = File::create_new(path)?;
    file.set_len(bytes.len() as u64)?;
    for (index, block) in bytes.chunks(HOLE_BYTES).enumerate() {
        if block.iter().any(|byte| *byte != 0) {
            file.write_all_at(block, (index * HOLE_BYTES) as u64)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_named() {
        let image = |content: &str| {
            Image(BTreeMap::from([
                ("a".into(), Entry::Folder),
                ("a/b".into(), Entry::File(content.as_bytes().to_vec())),
            ]))
        };
        assert_eq!(image("x").difference(&image("x")), None);
        assert_eq!(image("xy").difference(&image("xz")).unwrap(), "a/b differs at byte 1");
        assert_eq!(image("x").difference(&image("xz")).unwrap(), "a/b has 1 bytes and 2");
        assert_eq!(Image::default().difference(&image("")).unwrap(), "a is missing in the first");
    }
}
