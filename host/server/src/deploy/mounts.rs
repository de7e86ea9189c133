//! Which module is mounted where.

use weir_db::{MissingFunctions, Variables};
use weir_subprocess::Cancellation;
use weir_value::{ComponentPath, ComponentTree, Mounts};

use super::snapshots::{Makers, SnapshotMaker};
use super::{DeployError, LoadFailure, Loaded, Loader, Module, Placed};

/// Says of each module where it is mounted: those of the app once, those of a component at each of its mounts, and those of
/// a component that nothing mounts nowhere.
///
/// # Errors
/// The tree of components makes no sense.
pub(super) fn place(
    modules: Vec<Module>,
    tree: &ComponentTree,
) -> Result<(Vec<Placed>, Mounts), DeployError> {
    let names: Vec<&str> = modules.iter().map(|module| module.name.as_str()).collect();
    let mounts = tree.mounts(&names).map_err(|error| DeployError::Invalid(error.to_string()))?;
    let mut placed = Vec::with_capacity(modules.len());
    for module in modules.iter().filter(|module| tree.is_app_module(&module.name)) {
        placed.push(Placed { mount: ComponentPath::APP, module: module.clone() });
    }
    for mount in mounts.iter() {
        let of_mount = modules.iter().filter(|module| mount.modules.contains(&module.name));
        placed.extend(of_mount.map(|module| Placed { mount: mount.path.clone(), module: module.clone() }));
    }
    Ok((placed, mounts))
}

/// Makes and loads what a deployment would, with these variables: for programs that keep none, such as a test host. Blocks.
///
/// # Errors
/// What is wrong with which module, or with the tree of components.
pub fn load(
    modules: Vec<Module>,
    tree: &ComponentTree,
    (maker, loader): (&dyn SnapshotMaker, &dyn Loader),
    variables: &Variables,
) -> Result<Loaded, DeployError> {
    let (modules, mounts) = place(modules, tree)?;
    let makers = Makers { maker, loader, cancellation: &Cancellation::default() };
    let (_, loaded) = makers.make_and_load(modules, &mounts, MissingFunctions::default(), variables)?;
    Ok(loaded)
}

/// Checks the variables that the app and its components need.
///
/// # Errors
/// One is missing, or not as it must be.
pub(super) fn check_variables(mounts: &Mounts, variables: &Variables) -> Result<(), LoadFailure> {
    let value = |name: &str| variables.get(name).map(str::to_owned);
    mounts.check_variables(value).map_err(|error| LoadFailure(error.to_string()))
}
