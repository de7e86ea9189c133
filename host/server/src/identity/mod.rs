//! Who somebody is: from a key or a token to a principal. The same for HTTP and for sockets.

mod attempts;
mod credentials;
mod grounds;
mod key_ring;
mod permission;
mod signer;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use hyper::StatusCode;
use parking_lot::RwLock;
use weir_auth::{AuthError, KeyFetcher, OwnKeys, Providers, Verifier};
use weir_db::{Principal, Scope};
use weir_store::Env;
use weir_value::{ErrorCode, Identity, IdentityError};

pub use attempts::Attempts;
pub use credentials::Credentials;
pub use grounds::{Grounds, Withdrawal};
pub use key_ring::{FIRST_KEY_NAME, HeldKey, KeyRing, hash_of};
pub use permission::Permission;
pub use signer::HostSigner;

use crate::address::Client;

/// Whose credentials some are, and for how long.
#[derive(Debug, Clone)]
pub struct Authenticated {
    /// Whose.
    pub principal: Principal,
    /// Until when, since the Unix epoch; `None`: for good.
    pub expires_at: Option<Duration>,
    /// What that rests on; whoever goes on for long has to see that it still stands.
    pub grounds: Grounds,
}

/// Why credentials are nobody's, or not good enough. The texts go to the client, and hold nothing of the credentials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not a key of this server.
    #[error("The admin key is not this server's.")]
    WrongKey,
    /// So many keys that are not this server's came from there that no more are looked at.
    #[error("Too many wrong admin keys came from your address: wait, and send the right one.")]
    TooManyWrongKeys {
        /// For how long.
        wait: Duration,
    },
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
    /// The token of a user is no good, or nobody can tell just now.
    #[error("The token was refused: {0}.")]
    Token(#[from] AuthError),
    /// The header is of no kind that is known.
    #[error("The Authorization header must be `Convex <admin key>` or `Bearer <token>`.")]
    UnreadableHeader,
}

impl Refusal {
    /// The code of the answer.
    pub fn code(&self) -> ErrorCode {
        match self {
            Refusal::WrongKey => ErrorCode::BadAdminKey,
            Refusal::TooManyWrongKeys { .. } => ErrorCode::TooManyRequests,
            Refusal::ExpiredKey => ErrorCode::AdminKeyExpired,
            Refusal::KeyInUrl => ErrorCode::AdminKeyInUrl,
            Refusal::KeyRequired => ErrorCode::AdminKeyRequired,
            Refusal::Scope { .. } => ErrorCode::AdminKeyScope,
            Refusal::ActingAs(_) => ErrorCode::InvalidIdentity,
            Refusal::Token(AuthError::NoProviders) => ErrorCode::NoAuthProvider,
            Refusal::Token(error) if error.is_transient() => ErrorCode::AuthProviderUnavailable,
            Refusal::Token(_) => ErrorCode::InvalidToken,
            Refusal::UnreadableHeader => ErrorCode::InvalidAuthHeader,
        }
    }

    /// Whether the same credentials may be good a little later: the fault is not theirs.
    pub fn is_transient(&self) -> bool {
        match self {
            Refusal::Token(error) => error.is_transient(),
            Refusal::TooManyWrongKeys { .. } => true,
            _ => false,
        }
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        match self {
            Refusal::WrongKey | Refusal::ExpiredKey | Refusal::Scope { .. } => StatusCode::FORBIDDEN,
            Refusal::TooManyWrongKeys { .. } => StatusCode::TOO_MANY_REQUESTS,
            Refusal::ActingAs(_) | Refusal::KeyInUrl => StatusCode::BAD_REQUEST,
            Refusal::Token(error) if error.is_transient() => StatusCode::SERVICE_UNAVAILABLE,
            Refusal::KeyRequired | Refusal::Token(_) | Refusal::UnreadableHeader => StatusCode::UNAUTHORIZED,
        }
    }
}

/// What credentials are checked against.
pub struct Identities {
    instance_name: String,
    keys: KeyRing,
    attempts: Attempts,
    env: Arc<dyn Env>,
    verifier: Verifier,
    own_keys: Arc<dyn OwnKeys>,
    trusted: RwLock<Trusted>,
    /// The number of the list in `trusted`, for those who look often.
    newest_list: AtomicU64,
}

/// The providers of the deployment in force.
#[derive(Default)]
struct Trusted {
    providers: Providers,
    /// How many lists there were before this one.
    list: u64,
}

impl Identities {
    /// A server of this name with these keys, and no providers yet.
    pub fn new(
        instance_name: String,
        keys: KeyRing,
        env: Arc<dyn Env>,
        fetcher: Arc<dyn KeyFetcher>,
        own_keys: Arc<dyn OwnKeys>,
    ) -> Identities {
        let clock = Arc::clone(&env);
        let verifier = Verifier::new(fetcher, Arc::clone(&own_keys), move || clock.monotonic());
        let (trusted, newest_list) = (RwLock::default(), AtomicU64::new(0));
        let attempts = Attempts::default();
        Identities { instance_name, keys, attempts, env, verifier, own_keys, trusted, newest_list }
    }

    /// The admin keys.
    pub fn keys(&self) -> &KeyRing {
        &self.keys
    }

    /// Attempts with keys that are none.
    pub fn attempts(&self) -> &Attempts {
        &self.attempts
    }

    /// Another deployment is in force, with these providers: no other token is good from now on, and users of a provider
    /// that is not among them, as it was, are users no more (see [`Identities::withdrawn`]). Gives whether anything has
    /// changed. May read, or make, the host's own key.
    pub fn set_providers(&self, providers: Providers) -> bool {
        if providers.trust_host() {
            // Now, and not with the first token; whether it is there is said then again.
            let _ = self.own_keys.own_keys();
        }
        let mut trusted = self.trusted.write();
        if trusted.providers == providers {
            return false;
        }
        *trusted = Trusted { providers, list: trusted.list + 1 };
        self.newest_list.store(trusted.list, Ordering::Release);
        true
    }

    /// Fetches the keys of the providers in force, so that the first token need not wait. Those that cannot be had are
    /// fetched when a token comes; the log says which they are.
    pub async fn prepare_keys(&self) {
        let providers = self.trusted.read().providers.clone();
        self.verifier.prepare(&providers).await;
    }

    /// Why this principal is so no more, if what that rested on was taken away.
    pub fn withdrawn(&self, principal: &Principal, grounds: &mut Grounds) -> Option<Withdrawal> {
        if !grounds.support(principal) {
            return None;
        }
        match grounds {
            Grounds::None => None,
            Grounds::Key(key) => key.is_revoked().then_some(Withdrawal::Key),
            Grounds::Provider { list, .. } if *list == self.newest_list.load(Ordering::Acquire) => None,
            Grounds::Provider { provider, list } => {
                let trusted = self.trusted.read();
                *list = trusted.list;
                (!trusted.providers.still_have(provider)).then_some(Withdrawal::Provider)
            }
        }
    }

    /// The server's name, which its keys begin with.
    pub fn instance_name(&self) -> &str {
        &self.instance_name
    }

    /// Finds out whose credentials these are, which this client has sent.
    ///
    /// # Errors
    /// They are nobody's.
    pub async fn authenticate(
        &self,
        credentials: Credentials,
        from: Option<&Client>,
    ) -> Result<Authenticated, Refusal> {
        match credentials {
            Credentials::None => Ok(Authenticated {
                principal: Principal::Anonymous,
                expires_at: None,
                grounds: Grounds::None,
            }),
            Credentials::AdminKey { key, acting_as } => self.admin(&key, acting_as, from),
            Credentials::Token(token) => self.user(&token).await,
            Credentials::Unknown => Err(Refusal::UnreadableHeader),
        }
    }

    async fn user(&self, token: &str) -> Result<Authenticated, Refusal> {
        // As of one moment: if the providers change while the token is checked, whoever holds on to the answer sees it.
        let (providers, list) = {
            let trusted = self.trusted.read();
            (trusted.providers.clone(), trusted.list)
        };
        let verified = self.verifier.verify(&providers, token, self.env.now().since_epoch()).await?;
        let principal = Principal::User(verified.identity);
        let grounds = Grounds::Provider { provider: verified.provider, list };
        Ok(Authenticated { principal, expires_at: Some(verified.expires_at), grounds })
    }

    fn admin(
        &self,
        key: &str,
        acting_as: Option<Bytes>,
        from: Option<&Client>,
    ) -> Result<Authenticated, Refusal> {
        let key = self.attempts.look(from, || self.keys.find(key))?;
        let acting_as = acting_as.map(|claims| Identity::from_json(&claims)).transpose()?;
        let principal = Principal::Admin { scope: key.scope(), acting_as };
        Ok(Authenticated { principal, expires_at: key.expires_at(), grounds: Grounds::Key(key) })
    }
}
