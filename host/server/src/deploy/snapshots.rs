//! Modules whose top-level code has read variables: their snapshots are made with the deployment's values.
//!
//! A component can hold the memory that its top-level code has left, so that no call runs that again. What that code
//! read of the variables stands fixed in it, so it has to be made anew when one of those is another. Not here: how that
//! is done, which the host's build room knows; and when, which is a deployment's matter.

use std::fmt::Debug;

use bytes::Bytes;
use weir_db::{MissingFunctions, VariableReads, Variables};

use super::{LoadFailure, Loaded, Loader, Module};

/// Makes the snapshots of modules.
pub trait SnapshotMaker: Debug + Send + Sync + 'static {
    /// Gives a module's component with the snapshot that its top-level code leaves with these variables: the same bytes,
    /// if that is the one it has. Blocks.
    ///
    /// # Errors
    /// The component says that it has a snapshot, and is damaged; or its top-level code fails. The text shows no value of
    /// a variable.
    fn make(&self, module: &Module, variables: &Variables) -> Result<Snapshot, LoadFailure>;
}

/// A component with its snapshot.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The component.
    pub component: Bytes,
    /// What its top-level code read. Nothing: it is the same with all variables.
    pub reads: VariableReads,
}

/// Takes components as they are: for programs without components, such as tests.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSnapshots;

impl SnapshotMaker for NoSnapshots {
    fn make(&self, module: &Module, _: &Variables) -> Result<Snapshot, LoadFailure> {
        Ok(Snapshot { component: module.component.clone(), reads: VariableReads::default() })
    }
}

/// Makes the snapshots of all modules, and loads them. What was read of the variables was read by either.
pub(super) fn make_and_load(
    maker: &dyn SnapshotMaker,
    loader: &dyn Loader,
    modules: Vec<Module>,
    missing: MissingFunctions,
    variables: &Variables,
) -> Result<(Vec<Module>, Loaded), LoadFailure> {
    let (modules, reads) = make_all(maker, modules, variables)?;
    let mut loaded = loader.load(&modules, missing, variables)?;
    loaded.variable_reads.extend(&reads);
    Ok((modules, loaded))
}

/// Makes the snapshots of all modules, and says what they read together.
fn make_all(
    maker: &dyn SnapshotMaker,
    modules: Vec<Module>,
    variables: &Variables,
) -> Result<(Vec<Module>, VariableReads), LoadFailure> {
    let mut reads = VariableReads::default();
    let mut made = Vec::with_capacity(modules.len());
    for module in modules {
        let snapshot = maker.make(&module, variables)?;
        reads.extend(&snapshot.reads);
        made.push(Module { name: module.name, component: snapshot.component });
    }
    Ok((made, reads))
}
