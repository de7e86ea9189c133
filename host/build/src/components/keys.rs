//! What definitions and their modules are called.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::hex::hex;
use crate::typescript::Config;

/// How long the name of a module may be.
const NAME_CHARS_MAX: usize = 64;

/// Gives names to definitions, by their folders, and to their modules.
pub(super) struct Keys {
    root: PathBuf,
    of_folders: BTreeMap<PathBuf, String>,
    /// The names of modules that are taken.
    modules: BTreeSet<String>,
}

impl Keys {
    /// `modules` are the names of the app's own.
    pub(super) fn new(root: &Path, modules: impl Iterator<Item = String>) -> Keys {
        Keys { root: root.to_path_buf(), of_folders: BTreeMap::new(), modules: modules.collect() }
    }

    /// Names a definition after its package; of two versions of one, the second after its folder.
    pub(super) fn of_config(&mut self, config: &Config) {
        let package = config.specifier.as_ref().filter(|_| !config.is_source());
        let free = package.filter(|name| !self.of_folders.values().any(|taken| taken == *name));
        let key = free.cloned().unwrap_or_else(|| self.place(&config.folder));
        self.of_folders.insert(config.folder.clone(), key);
    }

    /// The definition of a folder or a file.
    pub(super) fn of_folder(&self, folder: &Path) -> String {
        self.of_folders.get(folder).cloned().unwrap_or_else(|| self.place(folder))
    }

    /// A path as people read it: relative to the project.
    pub(super) fn place(&self, path: &Path) -> String {
        relative(&self.root, path)
    }

    /// A name for a definition's module, which no other one has.
    pub(super) fn module(&mut self, key: &str) -> String {
        let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
        let parts = key.split(|letter: char| !is_allowed(letter)).filter(|part| !part.is_empty());
        let name = parts.collect::<Vec<_>>().join("_");
        let is_free =
            |name: &str| !name.is_empty() && name.len() <= NAME_CHARS_MAX && !self.modules.contains(name);
        let name = if is_free(&name) {
            name
        } else {
            let digest = hex(&Sha256::digest(key)[..4]);
            let start: String = name.chars().take(NAME_CHARS_MAX - 1 - digest.len()).collect();
            format!("{start}_{digest}")
        };
        self.modules.insert(name.clone());
        name
    }
}

/// The path of `to` as it is named in `from`, with slashes: `../a/b`, or `.`.
pub(crate) fn relative(from: &Path, to: &Path) -> String {
    let (from, to): (Vec<_>, Vec<_>) = (from.components().collect(), to.components().collect());
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = from[common..].iter().map(|_| "..".to_owned());
    let down = to[common..].iter().map(|part| match part {
        Component::Normal(name) => name.to_string_lossy().into_owned(),
        part => part.as_os_str().to_string_lossy().into_owned(),
    });
    let path = up.chain(down).collect::<Vec<_>>().join("/");
    if path.is_empty() { ".".to_owned() } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_to_the_project() {
        let cases = [
            ("/a/b", "/a/b/c/d", "c/d"),
            ("/a/b", "/a/c", "../c"),
            ("/a/b/c", "/d", "../../../d"),
            ("/a", "/a", "."),
        ];
        for (from, to, expected) in cases {
            assert_eq!(relative(Path::new(from), Path::new(to)), expected);
        }
    }

    #[test]
    fn modules_have_names_of_their_own() {
        let mut keys = Keys::new(Path::new("/p"), ["counter".to_owned()].into_iter());
        assert_eq!(keys.module("@convex-dev/rate-limiter"), "convex-dev_rate-limiter");
        assert_eq!(keys.module("../shared/mail.wasm"), "shared_mail_wasm");
        let second = keys.module("counter");
        assert!(second.starts_with("counter_") && second.len() == 16, "{second}");
        let long = keys.module(&"a/".repeat(70));
        assert_eq!(long.len(), NAME_CHARS_MAX);
        assert_ne!(keys.module("@convex-dev/rate_limiter"), keys.module("@convex-dev_rate/limiter"));
    }
}
