//! The build room's snapshots, for the server and for tests: a module's component with the memory that its top-level code
//! leaves with a deployment's variables.

use std::path::PathBuf;

use weir_build::snapshots;
use weir_db::{VariableReads, Variables};
use weir_server::deploy::{LoadFailure, Module, Snapshot, SnapshotMaker};

/// Makes snapshots.
#[derive(Debug)]
pub struct Snapshots {
    /// Where machine code is kept that is made on the way, if anywhere.
    pub cache: Option<PathBuf>,
}

impl Snapshots {
    /// Where projects are built: a build has put the machine code into its cache already.
    pub fn on_developers_machine() -> Snapshots {
        Snapshots { cache: weir_build::typescript_cache_folder() }
    }
}

impl SnapshotMaker for Snapshots {
    fn make(&self, module: &Module, variables: &Variables) -> Result<Snapshot, LoadFailure> {
        let made = snapshots::make(&module.component, &variables.to_map(), self.cache.as_deref());
        let made = made.map_err(|error| LoadFailure(format!("module `{}`: {error}", module.name)))?;
        let component = made.component.map_or_else(|| module.component.clone(), Into::into);
        Ok(Snapshot { component, reads: VariableReads::new(made.reads.names, made.reads.all) })
    }
}
