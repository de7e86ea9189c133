//! What a function is given: the database, the time, random numbers.

use std::cell::OnceCell;
use std::ops::Deref;
use std::rc::Rc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::db::{Reader, Writer};
use crate::failure::{Context, Error, Result};
use crate::host::{auth, calls, context, crypto};
use crate::identity::Identity;
use crate::json;
use crate::random::Random;
use crate::scheduler::Scheduler;
use crate::storage::{StorageReader, StorageWriter};

/// What every function is given, of whatever kind: the time, random numbers, variables, and who calls.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CallCtx {
    random: Rc<OnceCell<Random>>,
}

/// The first parameter of a query: it reads, and cannot write.
#[derive(Debug)]
#[non_exhaustive]
pub struct QueryCtx {
    /// The database, as of one snapshot.
    pub db: Reader,
    /// What knows stored files.
    pub storage: StorageReader,
    call: CallCtx,
}

/// The first parameter of a mutation: it reads and writes, all or nothing.
/// Where a [`QueryCtx`] is wanted, it serves as one.
#[derive(Debug)]
#[non_exhaustive]
pub struct MutationCtx {
    /// The database, as of one snapshot, with this mutation's own writes on top.
    pub db: Writer,
    /// What has other mutations, and actions, called later.
    pub scheduler: Scheduler,
    /// What makes upload URLs, and deletes stored files.
    pub storage: StorageWriter,
    query: QueryCtx,
}

impl CallCtx {
    pub(crate) fn new() -> Self {
        Self { random: Rc::default() }
    }

    /// The time in milliseconds since the epoch. In a query and a mutation it is that of the start, and stands still;
    /// in an action it goes on.
    pub fn now(&self) -> f64 {
        context::now()
    }

    /// A random number of at least 0 and below 1.
    pub fn random(&self) -> f64 {
        self.rng().next_f64()
    }

    /// The generator of the call's random numbers.
    pub fn rng(&self) -> &Random {
        self.random.get_or_init(|| {
            let seed = context::random_seed();
            Random::from_seed(seed.try_into().expect("the host gives 32 bytes"))
        })
    }

    /// Random bytes for a secret, such as a token or a key: nobody can foretell them, whatever else of the call's random
    /// numbers is known. `let token = ctx.random_bytes::<32>();`
    ///
    /// # Panics
    /// Never, of at most 65,536 bytes; more do not compile.
    pub fn random_bytes<const N: usize>(&self) -> [u8; N] {
        const { assert!(N <= 65_536, "more random bytes than the host gives at once") };
        let bytes = crypto::random_bytes(N as u32).unwrap_or_else(|error| panic!("{}", error.message));
        bytes.try_into().expect("the host gives as many as it is asked for")
    }

    /// The id of the request, as it stands in error messages and in the host's log.
    pub fn request_id(&self) -> String {
        context::request_id()
    }

    /// The value of a variable of the deployment; `None`: there is none of this name. A live query that read it runs
    /// again when it changes.
    pub fn env(&self, name: &str) -> Option<String> {
        crate::env(name)
    }

    /// A text by which any function can call that one, whichever component the two are of: it can be stored, and given
    /// to a component as an argument. It is taken wherever a path is.
    ///
    /// # Errors
    /// `FunctionNotFound`.
    pub fn function_handle(&self, path: &str) -> Result<String> {
        calls::function_handle(path).map_err(Error::from_call)
    }

    /// Who calls; `None`: nobody in particular. In a component it is always nobody.
    ///
    /// # Panics
    /// Never: the host gives claims that can be read.
    pub fn identity(&self) -> Option<Identity> {
        let claims = context::identity()?;
        Some(Identity::from_json(&claims).expect("the host gives an object of claims"))
    }
}

impl QueryCtx {
    #[doc(hidden)]
    #[allow(clippy::new_without_default, reason = "made for functions, not by them")]
    pub fn new() -> Self {
        Self { db: Reader::new(), storage: StorageReader::new(), call: CallCtx::new() }
    }

    /// Runs a query of this deployment, of any module and language, within this
    /// call: `ctx.run_query::<f64>("counter:count", fields! { name: "visits" })`. The path may be one of a
    /// [`component`](crate::component), or a handle.
    ///
    /// # Errors
    /// The query's own, with its data and code, and the host's: see [`Error::code`].
    pub fn run_query<R: DeserializeOwned>(&self, path: &str, args: impl Serialize) -> Result<R> {
        let result = calls::run_query(path, &json::to_vec(&args)?).map_err(Error::from_call)?;
        json::from_slice(&result).context(format_args!("reading the result of {path}"))
    }
}

impl MutationCtx {
    #[doc(hidden)]
    #[allow(clippy::new_without_default, reason = "made for functions, not by them")]
    pub fn new() -> Self {
        let (scheduler, storage) = (Scheduler::new(), StorageWriter::new());
        Self { db: Writer::new(), scheduler, storage, query: QueryCtx::new() }
    }

    /// Hashes a password with argon2id and a salt of its own, for [`MutationCtx::verify_password`]; the hash is a PHC
    /// string. It takes tens of milliseconds, on threads that the host has for it: the mutation ends here, and runs again
    /// from its start when the hash is there.
    ///
    /// # Errors
    /// `InvalidPassword`: empty, or longer than 1,024 bytes; `Overloaded`. More than 8 in a call end it.
    pub fn hash_password(&self, password: &str) -> Result<String> {
        hash_password(password)
    }

    /// Whether this is the password that was hashed; as slow as [`MutationCtx::hash_password`].
    ///
    /// # Errors
    /// As there; `InvalidPasswordHash`: not an argon2id hash as a PHC string, or one that asks for too much.
    pub fn verify_password(&self, password: &str, hash: &str) -> Result<bool> {
        verify_password(password, hash)
    }

    /// Runs a mutation of this deployment, of any module and language, as a part
    /// of this one. What it wrote is undone if it fails; this mutation may go on. The path may be one of a
    /// [`component`](crate::component), or a handle.
    ///
    /// # Errors
    /// The mutation's own, with its data and code, and the host's: see [`Error::code`].
    pub fn run_mutation<R: DeserializeOwned>(&self, path: &str, args: impl Serialize) -> Result<R> {
        let result = calls::run_mutation(path, &json::to_vec(&args)?).map_err(Error::from_call)?;
        json::from_slice(&result).context(format_args!("reading the result of {path}"))
    }
}

impl MutationCtx {
    /// Signs a token, a JWT, with the host's key (ES256): `ctx.sign_jwt(fields! { sub: user }, Duration::from_secs(300))`.
    /// Anybody can verify it with the keys at `/.well-known/jwks.json`, and read its claims.
    ///
    /// The claims are an object; the host adds `iss` (`CONVEX_CLOUD_URL`), `iat` and `exp`. The token is good for whole
    /// seconds, from one to an hour.
    ///
    /// # Errors
    /// `InvalidClaims`: `iss`, `iat`, `exp`, `nbf`, or a name that begins with `convex` or `cvx`; what JSON does not have;
    /// a token of more than 16 KiB; another time. `SigningFailed`: the host's key cannot be used.
    pub fn sign_jwt(&self, claims: impl Serialize, expires_in: Duration) -> Result<String> {
        sign_jwt(claims, expires_in)
    }
}

pub(crate) fn hash_password(password: &str) -> Result<String> {
    crypto::hash_password(password).map_err(Error::from_host)
}

pub(crate) fn verify_password(password: &str, hash: &str) -> Result<bool> {
    crypto::verify_password(password, hash).map_err(Error::from_host)
}

pub(crate) fn sign_jwt(claims: impl Serialize, expires_in: Duration) -> Result<String> {
    let options = SignOptions { expires_in_seconds: expires_in.as_secs_f64() };
    auth::sign_jwt(&json::to_vec(&claims)?, &json::to_vec(&options)?).map_err(Error::from_host)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SignOptions {
    expires_in_seconds: f64,
}

impl Deref for QueryCtx {
    type Target = CallCtx;

    fn deref(&self) -> &CallCtx {
        &self.call
    }
}

impl Deref for MutationCtx {
    type Target = QueryCtx;

    fn deref(&self) -> &QueryCtx {
        &self.query
    }
}
