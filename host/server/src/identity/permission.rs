//! What an admin key opens.

use weir_db::{Principal, Scope};

use super::Refusal;

/// What only the holder of an admin key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// Make, list and revoke keys.
    ManageKeys,
    /// Deploy, and set variables.
    Deploy,
    /// See what is deployed.
    Inspect,
    /// Read what the holders of keys have done.
    ReadAudit,
    /// Call functions that clients do not see. Which of them, the function's kind decides.
    CallAny,
}

impl Permission {
    /// In an error's text.
    pub fn describe(self) -> &'static str {
        match self {
            Permission::ManageKeys => "manage keys",
            Permission::Deploy => "deploy or set variables",
            Permission::Inspect => "see what is deployed",
            Permission::ReadAudit => "read the audit log",
            Permission::CallAny => "call functions",
        }
    }

    /// Whether a key of this scope is good for it.
    pub fn is_in(self, scope: Scope) -> bool {
        match scope {
            Scope::Everything => true,
            Scope::Deploy => matches!(self, Permission::Deploy | Permission::Inspect),
            Scope::Functions | Scope::ReadOnly => matches!(self, Permission::CallAny | Permission::Inspect),
        }
    }

    /// Whether this principal may.
    ///
    /// # Errors
    /// It holds no admin key, or one that is good for less.
    pub fn check(self, principal: &Principal) -> Result<(), Refusal> {
        match principal {
            Principal::System => Ok(()),
            Principal::Admin { scope, .. } if self.is_in(*scope) => Ok(()),
            Principal::Admin { scope, .. } => Err(Refusal::Scope { scope: *scope, needed: self }),
            Principal::Anonymous | Principal::User(_) | Principal::Function { .. } => {
                Err(Refusal::KeyRequired)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_what_it_says() {
        use Permission::{CallAny, Deploy, Inspect, ManageKeys, ReadAudit};
        let all = [ManageKeys, Deploy, Inspect, CallAny, ReadAudit];
        for (scope, expected) in [
            (Scope::Everything, vec![ManageKeys, Deploy, Inspect, CallAny, ReadAudit]),
            (Scope::Deploy, vec![Deploy, Inspect]),
            (Scope::Functions, vec![Inspect, CallAny]),
            (Scope::ReadOnly, vec![Inspect, CallAny]),
        ] {
            let admin = Principal::Admin { scope, acting_as: None };
            let may: Vec<_> = all.into_iter().filter(|needed| needed.check(&admin).is_ok()).collect();
            assert_eq!(may, expected, "{scope}");
        }
        assert!(
            all.iter().all(|needed| matches!(needed.check(&Principal::Anonymous), Err(Refusal::KeyRequired)))
        );
    }
}
