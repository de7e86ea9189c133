//! On whose behalf a call is made. One value travels with every call, from whoever asked to the last nested function.
use std::fmt;

use weir_value::Identity;

use crate::{FunctionKind, Visibility};

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Principal {
    /// Anybody.
    Anonymous,
    /// A user whose token was verified.
    User(Identity),
    /// The holder of an admin key, perhaps acting as a user.
    Admin {
        /// What the key is good for.
        scope: Scope,
        /// The user whose claims functions see.
        acting_as: Option<Identity>,
    },
    /// A function of the deployment, outside of the transaction of its caller: an action.
    Function {
        /// The user that it runs for.
        acting_for: Option<Identity>,
    },
    /// The host itself.
    System,
}

/// What an admin key is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Everything, keys too.
    Everything,
    /// To deploy and to set variables.
    Deploy,
    /// To call every function, the internal ones too.
    Functions,
    /// To call every query.
    ReadOnly,
}

impl Scope {
    /// All of them.
    pub const ALL: [Scope; 4] = [Scope::Everything, Scope::Deploy, Scope::Functions, Scope::ReadOnly];

    /// The scope that [`Scope::as_str`] calls so.
    pub fn parse(text: &str) -> Option<Scope> {
        Scope::ALL.into_iter().find(|scope| scope.as_str() == text)
    }

    /// `everything`, `deploy`, `functions` or `read-only`.
    pub fn as_str(self) -> &'static str {
        match self {
            Scope::Everything => "everything",
            Scope::Deploy => "deploy",
            Scope::Functions => "functions",
            Scope::ReadOnly => "read-only",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which functions a principal may call: what of it a function's result depends on, even when that never asks for the
/// identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Access {
    /// Public functions.
    Public,
    /// Those, and what tells of the deployment.
    Deployment,
    /// All queries, and nothing that writes.
    Queries,
    /// All functions.
    All,
}

impl Principal {
    /// The holder of a key that is good for everything, as nobody in particular.
    pub const ADMIN: Principal = Principal::Admin { scope: Scope::Everything, acting_as: None };

    /// The user that functions are told of.
    pub fn identity(&self) -> Option<&Identity> {
        match self {
            Principal::User(identity) => Some(identity),
            Principal::Admin { acting_as, .. } => acting_as.as_ref(),
            Principal::Function { acting_for } => acting_for.as_ref(),
            Principal::Anonymous | Principal::System => None,
        }
    }

    /// Which functions it may call.
    pub fn access(&self) -> Access {
        match self {
            Principal::Admin { scope: Scope::Everything | Scope::Functions, .. }
            | Principal::Function { .. }
            | Principal::System => Access::All,
            Principal::Admin { scope: Scope::ReadOnly, .. } => Access::Queries,
            Principal::Admin { scope: Scope::Deploy, .. } => Access::Deployment,
            Principal::Anonymous | Principal::User(_) => Access::Public,
        }
    }

    /// Whether it holds an admin key, or is the host.
    pub fn is_admin(&self) -> bool {
        matches!(self, Principal::Admin { .. } | Principal::System)
    }
}

impl Access {
    /// Whether a function exists for it.
    pub(crate) fn sees(self, visibility: Visibility) -> bool {
        visibility == Visibility::Public || matches!(self, Access::Queries | Access::All)
    }

    /// Whether the functions of components exist for it: what is public of those is so to what mounts them, and to no
    /// client.
    pub(crate) fn sees_components(self) -> bool {
        matches!(self, Access::Queries | Access::All)
    }

    /// Whether it may call functions of this kind.
    pub(crate) fn may_call(self, kind: FunctionKind) -> bool {
        kind == FunctionKind::Query || self != Access::Queries
    }
}
