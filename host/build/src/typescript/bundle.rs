//! One script of all functions of a project, with its source map.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::Module;
use crate::build::{BuildError, Progress};
use crate::process;

use super::node_section::NodePart;
use super::sdk::Sdk;

/// A project's functions.
pub(crate) struct Bundle {
    pub(crate) script: String,
    pub(crate) source_map: String,
    /// What runs in Node, if anything does.
    pub(crate) node: Option<NodePart>,
}

/// Runs the bundler. What is not supported is refused here, with its place.
pub(crate) fn make(
    module: &Module,
    sdk: &Sdk,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Bundle, BuildError> {
    if !has_convex(&module.path) && is_not_installed(&module.path) {
        install(module, progress)?;
    }
    if !has_convex(&module.path) {
        let message = format!(
            "the npm package convex is not installed; run `npm install` in {} (after `npm install convex` if \
             package.json does not name it)",
            module.path.display()
        );
        return Err(BuildError::source(module, message));
    }
    let out = Scratch::new().map_err(|source| BuildError::file("make", &std::env::temp_dir(), source))?;
    let mut node = Command::new("node");
    node.arg(sdk.folder.join("build/bundle.mjs")).arg(&module.path).arg(&out.0).current_dir(&module.path);
    process::run(module, &mut node, progress)?;
    let read = |name: &str| {
        let path = out.0.join(name);
        fs::read_to_string(&path).map_err(|source| BuildError::file("read", &path, source))
    };
    let node = match out.0.join("node.json").exists() {
        true => Some(NodePart {
            description: read("node.json")?,
            script: read("node.mjs")?,
            source_map: read("node.mjs.map")?,
        }),
        false => None,
    };
    Ok(Bundle { script: read("bundle.js")?, source_map: read("bundle.js.map")?, node })
}

fn has_convex(folder: &Path) -> bool {
    folder.ancestors().any(|folder| folder.join("node_modules/convex/package.json").exists())
}

/// Whether the project names packages of its own, and none was ever installed.
fn is_not_installed(folder: &Path) -> bool {
    folder.join("package.json").exists() && !folder.join("node_modules").exists()
}

/// A new project's packages.
fn install(module: &Module, progress: &mut dyn FnMut(Progress<'_>)) -> Result<(), BuildError> {
    let line = "installing the project's npm packages: npm install";
    progress(Progress::Output { module: &module.name, line });
    let mut npm = Command::new("npm");
    npm.current_dir(&module.path).args([
        "install",
        "--no-audit",
        "--no-fund",
        "--prefer-offline",
        "--loglevel=error",
    ]);
    process::run(module, &mut npm, progress).map(|_| ())
}

/// A folder that is removed when it is dropped.
struct Scratch(std::path::PathBuf);

impl Scratch {
    fn new() -> std::io::Result<Scratch> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("weir-bundle-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder)?;
        Ok(Scratch(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays is small, and the system's to clean.
        let _ = fs::remove_dir_all(&self.0);
    }
}
