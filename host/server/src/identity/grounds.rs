//! Why credentials are somebody's, for whoever holds on to them: a socket goes on for long after its token was checked.

use std::sync::Arc;

use weir_auth::TrustedProvider;
use weir_db::Principal;

use super::HeldKey;

/// What it rests on that credentials are somebody's. It may be taken away before they expire.
#[derive(Debug, Clone, Default)]
pub enum Grounds {
    /// On nothing: they are nobody's.
    #[default]
    None,
    /// An admin key, which may be revoked.
    Key(Arc<HeldKey>),
    /// A provider that vouched for a user, and may be taken out of the deployment.
    Provider {
        /// Who.
        provider: TrustedProvider,
        /// The number of the list that it was last seen in.
        list: u64,
    },
}

/// Why an identity ends, for the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Withdrawal {
    /// Its key was revoked.
    #[error("AdminKeyRevoked: the admin key was revoked; use another one.")]
    Key,
    /// The deployment does not trust its provider any more, or has changed what it says of it.
    #[error(
        "AuthProviderRemoved: who vouched for this user is not a provider of this deployment any more; sign in again."
    )]
    Provider,
}

impl Grounds {
    /// The admin key, if they are one.
    pub fn key(&self) -> Option<&Arc<HeldKey>> {
        match self {
            Grounds::Key(key) => Some(key),
            Grounds::None | Grounds::Provider { .. } => None,
        }
    }

    /// Whether they are those of this principal: one that signed out rests on nothing.
    pub(super) fn support(&self, principal: &Principal) -> bool {
        match self {
            Grounds::None => false,
            Grounds::Key(_) => principal.is_admin(),
            Grounds::Provider { .. } => matches!(principal, Principal::User(_)),
        }
    }
}
