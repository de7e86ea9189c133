//! Who somebody is: from a key or a token to a principal. The same for HTTP and for sockets.

mod credentials;
mod key_ring;
mod permission;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::StatusCode;
use weir_db::{Database, Principal, Scope};
use weir_store::Env;
use weir_value::{ErrorCode, Identity, IdentityError};

pub use credentials::Credentials;
pub use key_ring::{FIRST_KEY_NAME, HeldKey, KeyRing, hash_of};
pub use permission::Permission;

use crate::admin_key::AdminKey;

/// Whose credentials some are, and for how long.
#[derive(Debug, Clone)]
pub struct Authenticated {
    /// Whose.
    pub principal: Principal,
    /// Until when, since the Unix epoch; `None`: for good.
    pub expires_at: Option<Duration>,
    /// The admin key by which it is so; whoever goes on for long has to see that it is not revoked.
    pub key: Option<Arc<HeldKey>>,
}

/// Why credentials are nobody's, or not good enough. The texts go to the client, and hold nothing of the credentials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not a key of this server.
    #[error("The admin key is not this server's.")]
    WrongKey,
    /// A key of this server, once.
    #[error("The admin key has expired: make another one, with `host key create`.")]
    ExpiredKey,
    /// An admin key was sent where URLs are kept.
    #[error(
        "An admin key does not belong in a URL, which stands in logs and histories: send it as `Authorization: Convex \
         <admin key>`, and make a new one if this one was real."
    )]
    KeyInUrl,
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
            Refusal::ExpiredKey => ErrorCode::AdminKeyExpired,
            Refusal::KeyInUrl => ErrorCode::AdminKeyInUrl,
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
            Refusal::WrongKey | Refusal::ExpiredKey | Refusal::Scope { .. } => StatusCode::FORBIDDEN,
            Refusal::ActingAs(_) | Refusal::KeyInUrl => StatusCode::BAD_REQUEST,
            Refusal::KeyRequired | Refusal::NoProvider | Refusal::UnreadableHeader => {
                StatusCode::UNAUTHORIZED
            }
        }
    }
}

/// What credentials are checked against.
pub struct Identities {
    instance_name: String,
    keys: KeyRing,
}

impl Identities {
    /// A server with this first key, and those of its database once they are read.
    pub fn new(admin_key: &AdminKey, env: Arc<dyn Env>, db: Arc<Database>) -> Identities {
        let instance_name = admin_key.instance_name().to_owned();
        Identities { instance_name, keys: KeyRing::new(env, db, admin_key) }
    }

    /// The admin keys.
    pub fn keys(&self) -> &KeyRing {
        &self.keys
    }

    /// The server's name, which its keys begin with.
    pub fn instance_name(&self) -> &str {
        &self.instance_name
    }

    /// Finds out whose credentials these are.
    ///
    /// # Errors
    /// They are nobody's.
    pub async fn authenticate(&self, credentials: Credentials) -> Result<Authenticated, Refusal> {
        match credentials {
            Credentials::None => {
                Ok(Authenticated { principal: Principal::Anonymous, expires_at: None, key: None })
            }
            Credentials::AdminKey { key, acting_as } => self.admin(&key, acting_as),
            Credentials::Token(_) => Err(Refusal::NoProvider),
            Credentials::Unknown => Err(Refusal::UnreadableHeader),
        }
    }

    fn admin(&self, key: &str, acting_as: Option<Bytes>) -> Result<Authenticated, Refusal> {
        let key = self.keys.find(key)?;
        let acting_as = acting_as.map(|claims| Identity::from_json(&claims)).transpose()?;
        let principal = Principal::Admin { scope: key.scope(), acting_as };
        Ok(Authenticated { principal, expires_at: key.expires_at(), key: Some(key) })
    }
}
