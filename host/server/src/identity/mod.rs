//! Who somebody is: from a key or a token to a principal. The same for HTTP and for sockets.

mod credentials;
mod permission;

use std::time::Duration;

use bytes::Bytes;
use hyper::StatusCode;
use weir_db::{Principal, Scope};
use weir_value::{ErrorCode, Identity, IdentityError};

pub use credentials::Credentials;
pub use permission::Permission;

use crate::admin_key::AdminKey;

/// Whose credentials some are, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authenticated {
    /// Whose.
    pub principal: Principal,
    /// Until when, since the Unix epoch; `None`: for good.
    pub expires_at: Option<Duration>,
}

/// Why credentials are nobody's, or not good enough. The texts go to the client, and hold nothing of the credentials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not a key of this server.
    #[error("The admin key is not this server's.")]
    WrongKey,
    /// An admin key is needed.
    #[error("This needs the admin key: send it as `Authorization: Convex <admin key>`.")]
    KeyRequired,
    /// The key is good for less.
    #[error("This admin key may not {}: its scope is `{scope}`.", needed.describe())]
    Scope {
        /// What the key is good for.
        scope: Scope,
        /// What was to be done with it.
        needed: Permission,
    },
    /// The user to act as is not one.
    #[error("The user to act as: {0}.")]
    ActingAs(#[from] IdentityError),
    /// No provider is configured.
    #[error("No auth provider found matching the given token: this deployment has no auth providers.")]
    NoProvider,
    /// The header is of no kind that is known.
    #[error("The Authorization header must be `Convex <admin key>` or `Bearer <token>`.")]
    UnreadableHeader,
}

impl Refusal {
    /// The code of the answer.
    pub fn code(&self) -> ErrorCode {
        match self {
            Refusal::WrongKey => ErrorCode::BadAdminKey,
            Refusal::KeyRequired => ErrorCode::AdminKeyRequired,
            Refusal::Scope { .. } => ErrorCode::AdminKeyScope,
            Refusal::ActingAs(_) => ErrorCode::InvalidIdentity,
            Refusal::NoProvider => ErrorCode::NoAuthProvider,
            Refusal::UnreadableHeader => ErrorCode::InvalidAuthHeader,
        }
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        match self {
            Refusal::WrongKey | Refusal::Scope { .. } => StatusCode::FORBIDDEN,
            Refusal::ActingAs(_) => StatusCode::BAD_REQUEST,
            Refusal::KeyRequired | Refusal::NoProvider | Refusal::UnreadableHeader => {
                StatusCode::UNAUTHORIZED
            }
        }
    }
}

/// What credentials are checked against.
pub struct Identities {
    admin_key: AdminKey,
}

impl Identities {
    /// A server with this first key.
    pub fn new(admin_key: AdminKey) -> Identities {
        Identities { admin_key }
    }

    /// The server's name, which its keys begin with.
    pub fn instance_name(&self) -> &str {
        self.admin_key.instance_name()
    }

    /// Finds out whose credentials these are.
    ///
    /// # Errors
    /// They are nobody's.
    pub async fn authenticate(&self, credentials: Credentials) -> Result<Authenticated, Refusal> {
        match credentials {
            Credentials::None => Ok(Authenticated { principal: Principal::Anonymous, expires_at: None }),
            Credentials::AdminKey { key, acting_as } => self.admin(&key, acting_as),
            Credentials::Token(_) => Err(Refusal::NoProvider),
            Credentials::Unknown => Err(Refusal::UnreadableHeader),
        }
    }

    fn admin(&self, key: &str, acting_as: Option<Bytes>) -> Result<Authenticated, Refusal> {
        if !self.admin_key.matches(key) {
            return Err(Refusal::WrongKey);
        }
        let acting_as = acting_as.map(|claims| Identity::from_json(&claims)).transpose()?;
        let principal = Principal::Admin { scope: Scope::Everything, acting_as };
        Ok(Authenticated { principal, expires_at: None })
    }
}
