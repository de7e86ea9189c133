//! The host's own functions, `_system/...`, which the holders of admin keys call as they call the deployment's.
//!
//! They belong to no deployment, and no deployment's function calls them. What they do is the server's matter.
use std::sync::Arc;

use weir_value::{ComponentPath, FunctionPath};

use crate::call::Resolved;
use crate::error::Failure;
use crate::{Call, Database, FunctionKind, Functions, Principal, Scope};

/// What the paths of the host's own functions begin with.
const SYSTEM_MODULES: &str = "_system/";

/// The host's own functions.
pub trait SystemFunctions: Functions {
    /// Whether a key of this scope may call the function. To everybody who holds no key it does not exist.
    fn is_open_to(&self, path: &FunctionPath, scope: Scope) -> bool;
}

/// Whether this path is one of the host's own functions, or of nothing.
pub(crate) fn is_system(path: &FunctionPath) -> bool {
    path.module().starts_with(SYSTEM_MODULES)
}

impl Database {
    /// Gives the host's own functions, once. Before, and without, there are none.
    pub fn set_system_functions(&self, functions: Arc<dyn SystemFunctions>) {
        let is_first = self.system_functions.set(functions).is_ok();
        debug_assert!(is_first, "the host's own functions are given once");
    }

    /// Finds one of them, for a caller that may call it and as what it is. Called of a component, it sees that one's tables.
    pub(crate) fn resolve_system(&self, call: &Call, called_as: FunctionKind) -> Result<Resolved, Failure> {
        let not_found = Failure::NotFound { to_admin: call.principal.is_admin() };
        let scope = match &call.principal {
            Principal::Admin { scope, .. } => Some(*scope),
            Principal::System => None,
            Principal::Anonymous | Principal::User(_) | Principal::Function { .. } => return Err(not_found),
        };
        let Some(functions) = self.system_functions.get() else { return Err(not_found) };
        let path = call.path.clone().of(ComponentPath::APP);
        let is_there = self.namespace(call.path.component()).is_some();
        let Some(info) = functions.find(&path).filter(|_| is_there) else { return Err(not_found) };
        if let Some(scope) = scope.filter(|scope| !functions.is_open_to(&path, *scope)) {
            return Err(Failure::SystemScope(scope));
        }
        match info.kind == called_as {
            true => Ok(Resolved { info, functions: functions.clone() }),
            false => Err(Failure::WrongKind { is: info.kind, called_as }),
        }
    }
}
