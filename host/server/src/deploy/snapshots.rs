//! Modules whose top-level code has read variables: their snapshots are made with the deployment's values.
//!
//! A component can hold the memory that its top-level code has left, so that no call runs that again. What that code
//! read of the variables stands fixed in it, so it has to be made anew when one of those is another. Not here: how that
//! is done, which the host's build room knows; and when, which is a deployment's matter.

use std::fmt::Debug;

use bytes::Bytes;
use weir_db::{MissingFunctions, VariableReads, Variables};
use weir_subprocess::Cancellation;
use weir_value::Mounts;

use super::{LoadFailure, Loaded, Loader, Module, Placed};

/// Makes the snapshots of modules.
pub trait SnapshotMaker: Debug + Send + Sync + 'static {
    /// Gives a module's component with the snapshot that its top-level code leaves with these variables: the same bytes,
    /// if that is the one it has. Blocks. It ends soon when it is cancelled, as far as it can.
    ///
    /// # Errors
    /// The component says that it has a snapshot, and is damaged; or its top-level code fails. The text shows no value of
    /// a variable.
    fn make(
        &self,
        module: &Module,
        variables: &Variables,
        cancellation: &Cancellation,
    ) -> Result<Snapshot, LoadFailure>;
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
    fn make(&self, module: &Module, _: &Variables, _: &Cancellation) -> Result<Snapshot, LoadFailure> {
        Ok(Snapshot { component: module.component.clone(), reads: VariableReads::default() })
    }
}

/// Who makes snapshots, who loads, and whether somebody still waits for it.
#[derive(Clone, Copy)]
pub(super) struct Makers<'a> {
    pub(super) maker: &'a dyn SnapshotMaker,
    pub(super) loader: &'a dyn Loader,
    pub(super) cancellation: &'a Cancellation,
}

impl Makers<'_> {
    /// Makes the snapshots of all modules, and loads them. What was read of the variables was read by either.
    pub(super) fn make_and_load(
        self,
        modules: Vec<Placed>,
        mounts: &Mounts,
        missing: MissingFunctions,
        variables: &Variables,
    ) -> Result<(Vec<Placed>, Loaded), LoadFailure> {
        let (modules, reads) = self.make_all(modules, mounts, variables)?;
        let mut loaded = self.loader.load(&modules, mounts, missing, variables, self.cancellation)?;
        loaded.variable_reads.extend(&reads);
        Ok((modules, loaded))
    }

    /// Makes the snapshots of all modules, those of a mount with the variables that it has, and says which of the app's they
    /// read together.
    fn make_all(
        self,
        modules: Vec<Placed>,
        mounts: &Mounts,
        variables: &Variables,
    ) -> Result<(Vec<Placed>, VariableReads), LoadFailure> {
        let mut reads = VariableReads::default();
        let mut made = Vec::with_capacity(modules.len());
        for Placed { mount, module } in modules {
            let component = match mounts.find(&mount) {
                Some(mount) => {
                    let snapshot = self.maker.make(&module, &variables.of_mount(mount), self.cancellation)?;
                    reads.extend(&snapshot.reads.of_app(mount));
                    snapshot.component
                }
                None => {
                    let snapshot = self.maker.make(&module, variables, self.cancellation)?;
                    reads.extend(&snapshot.reads);
                    snapshot.component
                }
            };
            made.push(Placed { mount, module: Module { name: module.name, component } });
        }
        Ok((made, reads))
    }
}
