//! What is in `node_modules`: found as Node finds it, from the module's folder upwards.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// An installed npm package.
#[derive(Debug, PartialEq)]
pub(super) struct Package {
    pub(super) folder: PathBuf,
    pub(super) version: String,
}

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    version: String,
}

/// The package of this name that code in `folder` gets.
pub(super) fn find(folder: &Path, name: &str) -> Option<Package> {
    folder.ancestors().find_map(|folder| {
        let folder = folder.join("node_modules").join(name);
        let text = fs::read_to_string(folder.join("package.json")).ok()?;
        let manifest: Manifest = serde_json::from_str(&text).ok()?;
        Some(Package { folder, version: manifest.version })
    })
}

/// The numbers of a version, without what follows a `-`.
pub(super) fn numbers(version: &str) -> [u32; 3] {
    let core = version.trim().trim_start_matches('v').split(['-', '+']).next().unwrap_or_default();
    let mut numbers = core.split('.').map(|number| number.parse().unwrap_or(0));
    std::array::from_fn(|_| numbers.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_package_is_taken() {
        let root = tempfile::tempdir().unwrap();
        let inner = root.path().join("a/b");
        fs::create_dir_all(&inner).unwrap();
        assert_eq!(find(&inner, "@x/y"), None);
        for (folder, version) in [(root.path(), "1.0.0"), (&root.path().join("a"), "2.0.0")] {
            let package = folder.join("node_modules/@x/y");
            fs::create_dir_all(&package).unwrap();
            fs::write(package.join("package.json"), format!(r#"{{"version":"{version}"}}"#)).unwrap();
        }
        assert_eq!(find(&inner, "@x/y").unwrap().version, "2.0.0");
        assert_eq!(find(root.path(), "@x/y").unwrap().version, "1.0.0");
    }

    #[test]
    fn versions_have_an_order() {
        assert_eq!(numbers("0.28.20"), [0, 28, 20]);
        assert_eq!(numbers("v20.1.0-nightly\n"), [20, 1, 0]);
        assert_eq!(numbers("nonsense"), [0, 0, 0]);
        assert!(numbers("0.28.9") < numbers("0.28.20"));
    }
}
