//! What a build keeps for the next one of the same process: components seldom change while an app does.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};

use crate::describe::Asked;
use crate::generated;
use crate::typescript::{BuiltComponent, Found, JsEngine};

/// What a build keeps for the next one. What is in it is used as long as every file that it was made of is the same.
#[derive(Default)]
pub struct Memory {
    /// The components that there are, as their configs say.
    pub(crate) found: Option<Kept<Found>>,
    /// Each component in TypeScript, by the folder of its functions.
    pub(crate) built: BTreeMap<PathBuf, Kept<BuiltComponent>>,
    /// The engine of all that is in TypeScript.
    pub(crate) engine: Option<Arc<JsEngine>>,
    /// The functions of components that were asked for them.
    pub(crate) asked: Asked,
    /// How many components in TypeScript were built, and not kept.
    pub(crate) made: usize,
}

/// Something that was made of files.
pub(crate) struct Kept<T> {
    files: Vec<PathBuf>,
    digest: [u8; 32],
    value: Arc<T>,
}

/// When something began to be made.
#[derive(Clone, Copy)]
pub(crate) struct Began(SystemTime);

/// The time of a file is that of the kernel's last tick.
const TICK: Duration = Duration::from_millis(10);

impl Began {
    #[expect(
        clippy::disallowed_methods,
        reason = "it is compared with the times of files; a build has no `Env`"
    )]
    pub(crate) fn now() -> Began {
        Began(SystemTime::now() - TICK)
    }

    /// Whether a file may have changed since.
    fn is_before(self, file: &Path) -> bool {
        std::fs::metadata(file).and_then(|file| file.modified()).is_ok_and(|modified| modified >= self.0)
    }
}

impl<T> Kept<T> {
    /// `besides` is what it was made of besides the files. `None` if one of them may have changed while it was made: then
    /// nobody knows which of its contents it was made of.
    pub(crate) fn new(began: Began, files: Vec<PathBuf>, besides: &str, value: Arc<T>) -> Option<Kept<T>> {
        // Generated files are the build's own, which writes them before it reads them.
        let is_generated = |file: &Path| file.components().any(|part| part.as_os_str() == generated::FOLDER);
        if files.iter().any(|file| !is_generated(file) && began.is_before(file)) {
            return None;
        }
        let digest = digest(&files, besides);
        Some(Kept { files, digest, value })
    }

    /// It, if it would be made of the same again.
    pub(crate) fn get(&self, besides: &str) -> Option<Arc<T>> {
        (self.digest == digest(&self.files, besides)).then(|| Arc::clone(&self.value))
    }
}

fn digest(files: &[PathBuf], besides: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    add(besides.as_bytes());
    for file in files {
        add(file.as_os_str().as_encoded_bytes());
        // One that is gone is another than it was.
        add(&std::fs::read(file).unwrap_or_default());
    }
    hash.finalize().into()
}

/// The paths of all files below a folder, without those that tools write: whether one has come or gone.
pub(crate) fn listing(folder: &Path) -> String {
    let mut names = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') || name == generated::FOLDER || name == "node_modules" {
                continue;
            }
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_folder {
                folders.push(entry.path());
            }
            names.push(entry.path().display().to_string());
        }
    }
    names.sort_unstable();
    names.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_holds_as_long_as_its_files() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.ts");
        std::fs::write(&file, "1").unwrap();
        let earlier = std::fs::metadata(&file).unwrap().modified().unwrap() - 100 * TICK;
        std::fs::File::options().write(true).open(&file).unwrap().set_modified(earlier).unwrap();
        let began = Began::now();
        let kept = Kept::new(began, vec![file.clone()], "options", Arc::new(7)).unwrap();
        assert_eq!(kept.get("options").as_deref(), Some(&7));
        assert_eq!(kept.get("others"), None);
        std::fs::write(&file, "2").unwrap();
        assert_eq!(kept.get("options"), None);
        std::fs::write(&file, "1").unwrap();
        assert!(kept.get("options").is_some());
        assert!(
            Kept::new(began, vec![file.clone()], "options", Arc::new(7)).is_none(),
            "it changed while it was made"
        );
        std::fs::remove_file(&file).unwrap();
        assert_eq!(kept.get("options"), None);
    }

    #[test]
    fn new_files_are_listed_and_generated_ones_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let before = listing(folder.path());
        std::fs::create_dir_all(folder.path().join("_generated")).unwrap();
        std::fs::write(folder.path().join("_generated/api.ts"), "").unwrap();
        assert_eq!(listing(folder.path()), before);
        std::fs::create_dir_all(folder.path().join("inner")).unwrap();
        std::fs::write(folder.path().join("inner/a.ts"), "").unwrap();
        assert_ne!(listing(folder.path()), before);
    }
}
