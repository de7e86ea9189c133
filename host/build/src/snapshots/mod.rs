//! Snapshots that depend on variables.
//!
//! The memory that a module's top-level code leaves is part of its component (AssemblyScript, Go, TypeScript), and what
//! that code read of the deployment's variables stands fixed in it. So a component whose top-level code reads some says
//! in a [`section`] which they were, and has what its snapshot is made of; whoever deploys it makes the snapshot with the
//! deployment's values, and makes it anew when one of them changes.
//!
//! **Invariant:** no error here shows a value of a variable that was read.

pub(crate) mod bounds;
pub(crate) mod section;
pub(crate) mod variables;

use std::path::Path;

use crate::build::{BuildError, Progress};
use crate::component::EncodeError;
use crate::{Module, assemblyscript, go, typescript};
use section::{Recipe, Section};
use variables::Given;
pub use variables::{Reads, Values};

/// A component with the snapshot that it has with some variables.
#[derive(Debug, Clone)]
pub struct Made {
    /// The component; `None`: it is as it was.
    pub component: Option<Vec<u8>>,
    /// What its top-level code read.
    pub reads: Reads,
}

/// Why a snapshot could not be made.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SnapshotError(String);

/// What a component's top-level code has read, if it has the snapshot that this leaves with these variables, or needs none;
/// `None`: it is to be made. Runs and compiles nothing.
///
/// # Errors
/// The component says that it has a snapshot, and is damaged.
pub fn reads_if_made(component: &[u8], values: &Values) -> Result<Option<Reads>, SnapshotError> {
    let section = Section::find(component).map_err(|error| SnapshotError(format!("{error:#}")))?;
    Ok(match section {
        None => Some(Reads::default()),
        Some(section) if section.made_with.as_ref() == Some(&section.reads.digest(values)) => {
            Some(section.reads)
        }
        Some(_) => None,
    })
}

/// Gives a component the snapshot that its top-level code leaves with these variables. `cache` is a folder for machine code
/// that is made on the way, and that the next call finds there. Blocks, for as long as compiling takes.
///
/// # Errors
/// The component says that it has a snapshot, and is damaged; or its top-level code fails.
pub fn make(component: &[u8], values: &Values, cache: Option<&Path>) -> Result<Made, SnapshotError> {
    if let Some(reads) = reads_if_made(component, values)? {
        return Ok(Made { component: None, reads });
    }
    let failed = |error: anyhow::Error| SnapshotError(format!("{error:#}"));
    let Some(section) = Section::find(component).map_err(failed)? else {
        return Ok(Made { component: None, reads: Reads::default() });
    };
    let given = Given::new(values);
    let made = match section.recipe {
        Recipe::Go => go::remake(&section, &given),
        Recipe::AssemblyScript => assemblyscript::remake(&section, &given),
        Recipe::TypeScript => typescript::remake(&section, component, &given, cache),
    };
    let made = made.map_err(|error| SnapshotError(given.mask(&format!("{error:#}"))))?;
    let reads = given.reads();
    let made = section.made(reads.clone(), reads.digest(values)).add_to(&made).map_err(failed)?;
    Ok(Made { component: Some(made), reads })
}

/// What a build has of a module's top-level code, which it ran without any variables.
pub(crate) struct Built<'a> {
    pub(crate) module: &'a Module,
    pub(crate) recipe: Recipe,
    /// What the snapshot is made of, in the recipe's order.
    pub(crate) parts: &'a [&'a [u8]],
    /// What it was given.
    pub(crate) given: &'a Given,
}

impl Built<'_> {
    /// The component of a build: with what makes its snapshot anew, if it depends on variables. `snapshot` is the component,
    /// or why its top-level code fails; if that has read variables, it may not fail with those of a deployment, and
    /// `without` is put in its place.
    ///
    /// # Errors
    /// The top-level code fails, whatever the variables are.
    pub(crate) fn finish(
        self,
        snapshot: Result<Vec<u8>, String>,
        without: impl FnOnce() -> Result<Vec<u8>, EncodeError>,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Vec<u8>, BuildError> {
        let Built { module, recipe, parts, given } = self;
        let reads = given.reads();
        if reads.is_empty() {
            return snapshot.map_err(|reason| BuildError::source(module, reason));
        }
        let digest = reads.digest(&Values::default());
        let (component, made_with, line) = match snapshot {
            Ok(component) => {
                let line =
                    format!("its top-level code reads {reads}: it is run again with the deployment's values");
                (component, Some(digest), line)
            }
            Err(reason) => {
                let line = format!(
                    "its top-level code fails without a value of {reads}, and is run again with the deployment's:\n{reason}"
                );
                (without().map_err(|error| BuildError::encode(module, error))?, None, line)
            }
        };
        for line in line.lines() {
            progress(Progress::Output { module: &module.name, line });
        }
        Section::new(recipe, reads, made_with, parts)
            .add_to(&component)
            .map_err(|error| BuildError::source(module, format!("{error:#}")))
    }
}

/// A component of nothing, for a section to be put into.
pub(crate) fn empty_component() -> Vec<u8> {
    wasm_encoder::Component::new().finish()
}
