//! What a set of modules must be, before any of them is looked into.
//!
//! Not here: what is in the components.

use weir_value::limits;

use super::{DeployError, Module};

/// Checks a set of modules against the rules.
///
/// # Errors
/// The first that is broken.
pub(super) fn check(modules: &[Module]) -> Result<(), DeployError> {
    if modules.len() > limits::DEPLOY_MODULES_MAX {
        let message = format!("more than {} modules", limits::DEPLOY_MODULES_MAX);
        return Err(DeployError::Invalid(message));
    }
    let bytes: usize = modules.iter().map(|module| module.component.len()).sum();
    if bytes > limits::DEPLOY_BYTES_MAX {
        let message =
            format!("the components have {bytes} bytes together, more than {}", limits::DEPLOY_BYTES_MAX);
        return Err(DeployError::Invalid(message));
    }
    for (number, module) in modules.iter().enumerate() {
        let name = &module.name;
        let is_name = !name.is_empty()
            && name.len() <= limits::MODULE_NAME_CHARS_MAX
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if !is_name {
            let message = format!(
                "`{}` is not a valid module name: use 1 to {} letters, digits, `-` and `_`",
                name.escape_debug().take(80).collect::<String>(),
                limits::MODULE_NAME_CHARS_MAX
            );
            return Err(DeployError::Invalid(message));
        }
        if modules[..number].iter().any(|earlier| earlier.name == *name) {
            return Err(DeployError::Invalid(format!("module `{name}` is there twice")));
        }
        if module.component.len() > limits::MODULE_BYTES_MAX {
            let message = format!(
                "the component of module `{name}` has {} bytes, more than {}",
                module.component.len(),
                limits::MODULE_BYTES_MAX
            );
            return Err(DeployError::Invalid(message));
        }
    }
    Ok(())
}
