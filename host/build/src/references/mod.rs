//! Typed references to the functions of what is mounted, for modules in Rust, Go and AssemblyScript: for each function a
//! constant that knows its kind, its arguments and its result. (TypeScript's are types of `components` in `_generated/api`,
//! which `typescript/codegen` writes.)
//!
//! They lie in a folder `_generated` among the module's sources, as TypeScript's do. The same components give the same
//! bytes.

mod assemblyscript;
mod go;
mod model;
mod names;
mod rust;

use std::path::PathBuf;

use crate::build::BuildError;
use crate::generated;
use crate::project::{Language, Module};
pub(crate) use model::Mount;
use model::Tree;

/// Writes the references of a module, and gives the files that have changed. A module in TypeScript has none; nor has one
/// that mounts nothing, unless it mounted something before.
pub(crate) fn write(module: &Module, mounts: &[Mount]) -> Result<Vec<PathBuf>, BuildError> {
    let mut trees: Vec<_> = mounts.iter().map(Mounted::of).collect();
    trees.sort_by_key(|mounted| mounted.name);
    let (folder, files) = match module.language {
        Language::Rust => ("src", rust::files(&trees)),
        Language::Go => (".", go::files(&trees)),
        Language::AssemblyScript => ("assembly", assemblyscript::files(&trees)),
        Language::TypeScript => return Ok(Vec::new()),
    };
    let folder = if folder == "." { module.path.clone() } else { module.path.join(folder) };
    let is_there = files.iter().any(|(name, _)| folder.join(generated::FOLDER).join(name).exists());
    // What is wrong with a folder that is not there, the build says.
    if !folder.is_dir() || (mounts.is_empty() && !is_there) {
        return Ok(Vec::new());
    }
    generated::write(&folder, &files)
}

/// What is mounted, with its functions in their places.
struct Mounted<'a> {
    name: &'a str,
    tree: Tree,
    /// Whether its functions are known.
    is_known: bool,
}

impl<'a> Mounted<'a> {
    fn of(mount: &'a Mount) -> Mounted<'a> {
        Mounted { name: &mount.name, tree: Tree::of(mount), is_known: mount.functions.is_some() }
    }

    /// A sentence or two about it.
    fn comment(&self) -> String {
        let unknown = match self.is_known {
            true => "",
            false => " They are not known before a deployment: call them by their names.",
        };
        format!("The functions of what is mounted as `{}`.{unknown}", self.name)
    }
}

#[cfg(test)]
mod tests;
