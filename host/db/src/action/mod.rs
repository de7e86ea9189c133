//! Actions: functions without a transaction, which may wait for the world.
//!
//! An action reads and writes by calling queries and mutations, each a transaction of its own, and everything that takes
//! time is done by an [`ActionHost`], which the server implements. What needs a moment's look at the database (a
//! variable, a job to be scheduled) has a transaction of that moment.
//!
//! Knows no async runtime: futures are polled by whoever runs the action.
mod host;
mod node;
mod routes;
mod run;
mod running;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use weir_value::{ErrorCode, FunctionPath, Identity, Timestamp};

pub use host::{
    ActionHost, Body, BodyError, BodyStream, FileToStore, GivesUp, HostFuture, HttpRequest, HttpResponse,
    Redirect, Responder,
};
pub use node::{NodeBundle, NodeRunner};
pub use routes::{Route, RoutePath};
pub use run::{ActionOutcome, HttpExchange, not_of_this_deployment};
pub use running::{Completion, Ended, Ends, Outcome as TaskOutcome, RunningAction, WaitTime};

use crate::address::Addresses;
use crate::log_lines::LogLines;
use crate::transaction::CallContext;
use crate::{
    Call, CallError, Database, DbError, FunctionKind, LogLevel, Namespace, PasswordResults, PasswordWork,
    Transaction,
};

/// An action that runs: what the runtime needs while the guest does.
pub struct ActionCall {
    db: Arc<Database>,
    call: Call,
    seed: [u8; 32],
    host: Arc<dyn ActionHost>,
    /// The request that an HTTP action answers.
    exchange: Option<Mutex<HttpExchange>>,
    log: Mutex<LogLines>,
}

impl ActionCall {
    /// What the action may know of the world just now.
    pub fn context(&self) -> CallContext {
        CallContext {
            now_ms: self.db.shared.now_ms(),
            seed: self.seed,
            request_id: self.call.request_id.clone(),
        }
    }

    /// The function that runs.
    pub fn path(&self) -> &FunctionPath {
        &self.call.path
    }

    /// The user that it runs for; to a component's function there is none.
    pub fn identity(&self) -> Option<&Identity> {
        self.call.principal.identity().filter(|_| self.path().component().is_app())
    }

    /// Whose tables and files its function has.
    pub fn namespace(&self) -> Namespace {
        self.db.namespace(self.path().component()).unwrap_or(Namespace::NOBODY)
    }

    /// Calls another function, by how this one names it (see [`ActionHost::call`]).
    pub fn call(
        &self,
        kind: FunctionKind,
        address: &str,
        args: Bytes,
    ) -> HostFuture<Result<Bytes, CallError>> {
        match self.addressed(|addresses| addresses.resolve(address)) {
            Ok(path) => self.host.call(kind, path, args),
            Err(error) => Box::pin(async { Err(error.into()) }),
        }
    }

    /// A text by which any function can call this one.
    ///
    /// # Errors
    /// `FunctionNotFound`, `FunctionMissing`.
    pub fn function_handle(&self, address: &str) -> Result<String, CallError> {
        self.addressed(|addresses| addresses.handle(address))
    }

    fn addressed<R>(&self, look: impl FnOnce(Addresses<'_>) -> R) -> R {
        let (_, deployment) = self.db.deployment();
        let key = self.db.shared.cursor_key();
        look(Addresses { deployment: &*deployment, from: self.path().component(), key: &key })
    }

    /// Does what takes time.
    pub fn host(&self) -> &Arc<dyn ActionHost> {
        &self.host
    }

    /// Fills with random bytes that nobody can foresee.
    pub fn fill_random(&self, bytes: &mut [u8]) {
        self.db.shared.entropy.fill(bytes);
    }

    /// Adds a line to the action's log.
    pub fn log(&self, level: LogLevel, message: &str) {
        self.log.lock().push(level, message);
    }

    /// The body of the request that is answered; `None` if it has none, or was taken.
    pub fn take_request_body(&self) -> Option<BodyStream> {
        self.exchange.as_ref()?.lock().body.take()
    }

    /// What tells whether its client is still there; `None` if nobody can know, or it was taken.
    pub fn take_connection(&self) -> Option<BodyStream> {
        self.exchange.as_ref()?.lock().connection.take()
    }

    /// Begins the response of an HTTP action.
    ///
    /// # Errors
    /// `NotInHttpAction`, `ResponseBegun`.
    pub fn respond(&self, response: HttpResponse) -> Result<(), DbError> {
        let Some(exchange) = &self.exchange else {
            let message =
                format!("`{}` is not an HTTP action, and has no request to respond to.", self.call.path);
            return Err(DbError::new(ErrorCode::NotInHttpAction, message));
        };
        let responder = exchange.lock().responder.take().ok_or_else(|| {
            DbError::new(ErrorCode::ResponseBegun, "The response has begun: a request is answered once.")
        })?;
        responder(response);
        Ok(())
    }

    /// Looks at the database as it is now.
    ///
    /// # Errors
    /// Those of `look`.
    pub fn look<R>(&self, look: impl FnOnce(&mut Transaction) -> Result<R, DbError>) -> Result<R, DbError> {
        look(&mut self.begin_now())
    }

    /// All variables as they are now: names and values.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn variables(&self) -> Result<BTreeMap<String, String>, DbError> {
        let variables = self.db.variables(&self.db.store().snapshot_durable());
        let failed = |_| DbError::new(ErrorCode::InternalServerError, "The variables cannot be read.");
        let (variables, (_, deployment)) = (variables.map_err(failed)?, self.db.deployment());
        Ok(match deployment.mounts().find(self.path().component()) {
            Some(mount) => variables.of_mount(mount).to_map(),
            None => variables.to_map(),
        })
    }

    /// A transaction of this moment.
    fn begin_now(&self) -> Transaction {
        let snapshot = Arc::new(self.db.store().snapshot_durable());
        self.db.begin(&self.call, FunctionKind::Mutation, snapshot)
    }

    /// Asks for a password to be hashed or verified, as a mutation does, which waits for it.
    pub fn with_password<R: Send + 'static>(
        self: &Arc<Self>,
        ask: impl Fn(&mut Transaction) -> Result<R, DbError> + Send + 'static,
    ) -> HostFuture<Result<R, DbError>> {
        let action = self.clone();
        Box::pin(async move {
            let mut known = PasswordResults::default();
            loop {
                let (answer, waiting) = action.ask_password(&ask, &mut known);
                match waiting {
                    Some(work) => known.add(action.host.compute_password(work).await?),
                    None => return answer,
                }
            }
        })
    }

    fn ask_password<R>(
        &self,
        ask: impl FnOnce(&mut Transaction) -> Result<R, DbError>,
        known: &mut PasswordResults,
    ) -> (Result<R, DbError>, Option<PasswordWork>) {
        let mut tx = self.begin_now();
        tx.know_passwords(std::mem::take(known));
        let answer = ask(&mut tx);
        let (waiting, results) = tx.take_passwords();
        *known = results;
        (answer, waiting)
    }

    /// Writes to the database at once; with the timestamp that must be durable before the action goes on.
    ///
    /// # Errors
    /// Those of `write`; the store takes no writes.
    pub fn write<R>(
        &self,
        write: impl FnOnce(&mut Transaction) -> Result<R, DbError>,
    ) -> Result<(R, Timestamp), DbError> {
        let db = &self.db;
        let mut gate = db.committer.enter();
        let opened = db.committer.open();
        let mut tx = db.begin(&self.call, FunctionKind::Mutation, opened.snapshot.clone());
        let result = write(&mut tx)?;
        let draft = tx.into_draft().0;
        let ts = gate.sequence_unstamped(draft.changes, &draft.counts).map_err(|error| {
            DbError::new(crate::error::Failure::Commit(error).code(), "The store takes no writes just now.")
        })?;
        Ok((result, ts))
    }

    fn take_lines(&self) -> Vec<(LogLevel, String)> {
        std::mem::take(&mut *self.log.lock()).into_lines()
    }
}

/// What is told to whoever starts something in a function that is not an action.
pub fn not_in_action(what: &str) -> DbError {
    let message =
        format!("{what} is for actions: a query or a mutation is run again, and must give the same result.");
    DbError::new(ErrorCode::NotInAction, message)
}

/// The arguments of an HTTP action are made by the host.
pub(crate) const NO_ARGS: Bytes = Bytes::from_static(b"{}");
