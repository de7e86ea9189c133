//! What an action is given.

use std::ops::Deref;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::fetch::fetch;
use super::http::{Request, Response};
use super::task::Task;
use crate::ctx::{self, CallCtx};
use crate::failure::{Context, Result};
use crate::host::{HostError, tasks};
use crate::json;
use crate::scheduler::Scheduler;
use crate::storage::StorageActionWriter;

/// The first parameter of an action and an HTTP action. It has no database: it calls queries and mutations, each a
/// transaction of its own. Its futures are begun when they are first polled; several of them go on at the same time under
/// `join!` and the like, and one that is dropped is given up.
///
/// A copy is the same context, for work that goes on by itself, such as what writes a body.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ActionCtx {
    /// What has functions called later. From an action each call is done at once, and durable.
    pub scheduler: Scheduler,
    /// What stores, reads and deletes files.
    pub storage: StorageActionWriter,
    call: CallCtx,
}

impl ActionCtx {
    #[doc(hidden)]
    #[allow(clippy::new_without_default, reason = "made for functions, not by them")]
    pub fn new() -> Self {
        Self { scheduler: Scheduler::new(), storage: StorageActionWriter::new(), call: CallCtx::new() }
    }

    /// Runs a query of this deployment, of any module and language, in a transaction of its own:
    /// `ctx.run_query::<f64>("counter:count", fields! { name: "visits" }).await?`. The path may be one of a
    /// [`component`](crate::component), or a handle.
    ///
    /// # Errors
    /// The query's own, with its data and code, and the host's: see [`Error::code`](crate::Error::code).
    pub async fn run_query<R: DeserializeOwned>(&self, path: &str, args: impl Serialize) -> Result<R> {
        run(tasks::run_query, path, args).await
    }

    /// Runs a mutation, in a transaction of its own; what it wrote is on disk when this is over.
    ///
    /// # Errors
    /// As for [`ActionCtx::run_query`].
    pub async fn run_mutation<R: DeserializeOwned>(&self, path: &str, args: impl Serialize) -> Result<R> {
        run(tasks::run_mutation, path, args).await
    }

    /// Runs another action. Within one language a plain function does without it.
    ///
    /// # Errors
    /// As for [`ActionCtx::run_query`].
    pub async fn run_action<R: DeserializeOwned>(&self, path: &str, args: impl Serialize) -> Result<R> {
        run(tasks::run_action, path, args).await
    }

    /// Waits for so long.
    ///
    /// # Errors
    /// `TooManyTasks`: the action does 1,000 things at once.
    pub async fn sleep(&self, time: Duration) -> Result<()> {
        Task::new(tasks::sleep(time.as_secs_f64() * 1e3))?.await.map(drop)
    }

    /// Sends a request, and gives the response when its head is there, whatever its status is:
    /// `ctx.fetch(Request::get("https://api.example.com")).await?.text().await?`.
    ///
    /// # Errors
    /// `FetchFailed`: no connection, or it broke, or too many redirects; `AddressRefused`: the host does not connect to
    /// such an address; `FetchTimedOut`; `InvalidRequest`; `TooManyTasks`.
    pub async fn fetch(&self, request: Request) -> Result<Response> {
        fetch(request).await
    }

    /// Hashes a password with argon2id and a salt of its own; the hash is a PHC string. It takes tens of milliseconds, in
    /// which the action does nothing else.
    ///
    /// # Errors
    /// `InvalidPassword`: empty, or longer than 1,024 bytes; `Overloaded`.
    pub fn hash_password(&self, password: &str) -> Result<String> {
        ctx::hash_password(password)
    }

    /// Whether this is the password that was hashed; as slow as [`ActionCtx::hash_password`].
    ///
    /// # Errors
    /// As there; `InvalidPasswordHash`: not an argon2id hash as a PHC string, or one that asks for too much.
    pub fn verify_password(&self, password: &str, hash: &str) -> Result<bool> {
        ctx::verify_password(password, hash)
    }

    /// Signs a token with the host's key: see [`MutationCtx::sign_jwt`](crate::MutationCtx::sign_jwt).
    ///
    /// # Errors
    /// As there.
    pub fn sign_jwt(&self, claims: impl Serialize, expires_in: Duration) -> Result<String> {
        ctx::sign_jwt(claims, expires_in)
    }
}

impl Deref for ActionCtx {
    type Target = CallCtx;

    fn deref(&self) -> &CallCtx {
        &self.call
    }
}

async fn run<R: DeserializeOwned>(
    begin: fn(&str, &[u8]) -> Result<u32, HostError>,
    path: &str,
    args: impl Serialize,
) -> Result<R> {
    let task = Task::new(begin(path, &json::to_vec(&args)?))?;
    json::from_slice(&task.await?).context(format_args!("reading the result of {path}"))
}
