//! One script of all functions of a project, with its source map.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Module;
use crate::build::{BuildError, Progress};
use crate::process;
use crate::scratch::Scratch;

use super::node_section::NodePart;
use super::sdk::Sdk;

/// A project's functions.
pub(crate) struct Bundle {
    pub(crate) script: String,
    pub(crate) source_map: String,
    /// What runs in Node, if anything does.
    pub(crate) node: Option<NodePart>,
    /// The files that it was made of.
    pub(crate) inputs: Vec<PathBuf>,
}

/// Makes sure that a project has npm `convex`: installs its packages, if it has never had any.
pub(crate) fn ensure_packages(
    module: &Module,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<(), BuildError> {
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
    Ok(())
}

/// Runs the bundler over a module's functions, or those of the component in a folder. What is not supported is refused
/// here, with its place.
pub(crate) fn make(
    module: &Module,
    component: Option<&Path>,
    sdk: &Sdk,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Bundle, BuildError> {
    ensure_packages(module, progress)?;
    let scratch = Scratch::new()?;
    let out = scratch.path();
    let mut node = Command::new("node");
    node.arg(sdk.folder.join("build/bundle.mjs")).arg(&module.path).arg(out).current_dir(&module.path);
    node.args(component);
    process::run(module, &mut node, progress)?;
    let read = |name: &str| {
        let path = out.join(name);
        fs::read_to_string(&path).map_err(|source| BuildError::file("read", &path, source))
    };
    let node = match out.join("node.json").exists() {
        true => Some(NodePart {
            description: read("node.json")?,
            script: read("node.mjs")?,
            source_map: read("node.mjs.map")?,
        }),
        false => None,
    };
    let inputs = serde_json::from_str(&read("inputs.json")?)
        .map_err(|error| BuildError::source(module, format!("the bundler's files: {error}")))?;
    Ok(Bundle { script: read("bundle.js")?, source_map: read("bundle.js.map")?, node, inputs })
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
