//! AssemblyScript guests.

use crate::build::{BuildError, Compiled, Progress};
use crate::project::Module;

/// Builds a module.
pub(crate) fn build(
    module: &Module,
    _progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Compiled, BuildError> {
    Err(BuildError::source(module, "AssemblyScript is not supported yet"))
}
