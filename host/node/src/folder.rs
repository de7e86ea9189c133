//! What the children read: our own scripts, and the bundles. Written when a child needs it, so that a full disk is no
//! reason not to start.
use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use weir_db::NodeBundle;

/// A file of the TypeScript SDK that serves here too, and one of our own.
macro_rules! file {
    (runtime $name:literal) => {
        (
            concat!("runtime/", $name),
            include_str!(concat!("../../../guest-sdk/typescript/src/runtime/", $name)),
        )
    };
    (runner $name:literal) => {
        (concat!("runner/", $name), include_str!(concat!("../runner/", $name)))
    };
}

/// What runs in a child.
const FILES: &[(&str, &str)] = &[
    ("package.json", include_str!("../runner/package.json")),
    file!(runner "calls.js"),
    file!(runner "engine.js"),
    file!(runner "fetch.js"),
    file!(runner "main.js"),
    file!(runner "operations.js"),
    file!(runner "outbound.js"),
    file!(runner "pipe.js"),
    file!(runtime "call.js"),
    file!(runtime "console.js"),
    file!(runtime "failure.js"),
    file!(runtime "format.js"),
    file!(runtime "function_paths.js"),
    file!(runtime "host.js"),
    file!(runtime "host_errors.js"),
    file!(runtime "source_map.js"),
    file!(runtime "stack.js"),
];

/// As the SDK's files name their engine, and what is that here.
const ENGINE: (&str, &str) = ("\"weir:engine\"", "\"../runner/engine.js\"");

/// The bundle's name: by it the SDK's traces know its lines.
const BUNDLE: &str = "weir-bundle.js";

/// The folder of a pool.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// `Some` once our own files are there: the path without links in it.
    laid_out: Mutex<Option<PathBuf>>,
    bundles: Mutex<HashMap<String, Weak<BundleFolder>>>,
}

/// Where a bundle lies; removed when nobody runs it any more.
#[derive(Debug)]
pub(crate) struct BundleFolder {
    path: PathBuf,
}

impl BundleFolder {
    pub(crate) fn script(&self) -> PathBuf {
        self.path.join(BUNDLE)
    }

    pub(crate) fn source_map(&self) -> PathBuf {
        self.path.join(format!("{BUNDLE}.map"))
    }
}

impl Drop for BundleFolder {
    fn drop(&mut self) {
        // What stays is removed at the next start.
        let _ = fs::remove_dir_all(&self.path);
    }
}

impl Folder {
    /// One at this path, without what another process has left there.
    pub(crate) fn new(path: PathBuf) -> Folder {
        if let Err(error) = fs::remove_dir_all(&path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, folder = %path.display(), "what is left of an earlier Node stays");
        }
        Folder { path, laid_out: Mutex::new(None), bundles: Mutex::default() }
    }

    /// Our own files, written now if they are not there.
    ///
    /// # Errors
    /// They cannot be written.
    pub(crate) fn lay_out(&self) -> io::Result<PathBuf> {
        let mut laid_out = self.laid_out.lock();
        if let Some(path) = &*laid_out {
            return Ok(path.clone());
        }
        make_folder(&self.path)?;
        let path = self.path.canonicalize()?;
        for folder in ["runner", "runtime", "bundles", "empty"] {
            make_folder(&path.join(folder))?;
        }
        for (name, text) in FILES {
            fs::write(path.join(name), text.replace(ENGINE.0, ENGINE.1))?;
        }
        Ok(laid_out.insert(path).clone())
    }

    /// Where a bundle is, written now if it is not there.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn bundle(&self, bundle: &NodeBundle) -> io::Result<Arc<BundleFolder>> {
        let path = self.lay_out()?;
        let mut bundles = self.bundles.lock();
        if let Some(known) = bundles.get(&bundle.digest).and_then(Weak::upgrade) {
            return Ok(known);
        }
        // A number, because one of the same content may still be on its way out.
        let path = path.join("bundles").join(format!("{}-{}", &bundle.digest, NUMBER.next()));
        make_folder(&path)?;
        let folder = Arc::new(BundleFolder { path });
        fs::write(folder.script(), &bundle.script)?;
        fs::write(folder.source_map(), &bundle.source_map)?;
        bundles.retain(|_, folder| folder.strong_count() > 0);
        bundles.insert(bundle.digest.clone(), Arc::downgrade(&folder));
        Ok(folder)
    }
}

/// Numbers for folders.
struct Numbers(std::sync::atomic::AtomicU64);

static NUMBER: Numbers = Numbers(std::sync::atomic::AtomicU64::new(0));

impl Numbers {
    fn next(&self) -> u64 {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
    }
}

/// A folder for the host's user alone.
fn make_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn no_file_of_the_runner_is_left_out() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("runner");
        for entry in fs::read_dir(folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(FILES.iter().any(|(file, _)| file.ends_with(&name)), "{name}");
        }
        for (name, text) in FILES {
            for import in text.split("from \"").skip(1).filter_map(|rest| rest.split('"').next()) {
                let is_there = match import {
                    "weir:engine" => true,
                    import if import.starts_with("node:") => true,
                    import => {
                        FILES.iter().any(|(file, _)| file.ends_with(import.trim_start_matches(['.', '/'])))
                    }
                };
                assert!(is_there, "{name} imports {import}");
            }
        }
    }

    #[test]
    fn a_bundle_is_there_as_long_as_somebody_runs_it() {
        let data = tempfile::tempdir().unwrap();
        let path = data.path().join("node");
        fs::create_dir_all(path.join("bundles/old")).unwrap();
        let folder = Folder::new(path.clone());
        assert!(!path.exists(), "what was left is gone");
        let (script, source_map) = (Bytes::from_static(b"1"), Bytes::from_static(b"{}"));
        let bundle = NodeBundle { digest: "d".into(), script, source_map };
        let first = folder.bundle(&bundle).unwrap();
        let second = folder.bundle(&bundle).unwrap();
        assert_eq!(first.script(), second.script());
        assert_eq!(fs::read(first.script()).unwrap(), b"1");
        drop((first, second));
        assert_eq!(fs::read_dir(path.join("bundles")).unwrap().count(), 0);
        assert!(folder.bundle(&bundle).unwrap().script().exists());
    }
}
