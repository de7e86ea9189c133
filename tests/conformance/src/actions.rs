//! What the actions of a case run on: the database of the case, requests that may go to the stand-in for the web, and a
//! clock that goes on by as much as an action sleeps, and by nothing else.

use std::sync::{Arc, Weak};
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::task::{JoinHandle, block_in_place};
use weir_db::{
    ActionHost, BodyStream, Call, CallError, Database, DbError, FileToStore, FunctionKind, GivesUp,
    HostFuture, HttpRequest, HttpResponse, PasswordResult, PasswordWork, Principal, StoredFile,
};
use weir_outbound::{Client, Rules};
use weir_store::{Env, SimEnv};
use weir_testing::TestDatabase;
use weir_value::limits::OUTBOUND_IDLE_MAX;
use weir_value::{DocumentId, ErrorCode, FunctionPath, Identity, Timestamp};

use crate::files::CaseFiles;

/// The host of the actions of one case.
pub(crate) struct Host {
    this: Weak<Host>,
    db: Arc<Database>,
    env: Arc<SimEnv>,
    client: Arc<Client>,
    files: Arc<CaseFiles>,
    threads: Handle,
    /// On whose behalf functions are called; actions of a case run one after the other.
    identity: parking_lot::Mutex<Option<Identity>>,
}

impl Host {
    /// One over this database.
    ///
    /// # Errors
    /// The rules for requests are wrong.
    pub(crate) fn new(db: &TestDatabase, threads: Handle) -> Result<Arc<Host>> {
        let rules = Rules::parse(&["127.0.0.1"]).context("the stand-in's address is one")?;
        Ok(Arc::new_cyclic(|this| Host {
            this: this.clone(),
            db: db.database().clone(),
            env: db.env().clone(),
            client: Arc::new(Client::new(rules, OUTBOUND_IDLE_MAX)),
            files: CaseFiles::new(db.database().clone(), threads.clone()),
            threads,
            identity: parking_lot::Mutex::default(),
        }))
    }

    /// Says on whose behalf the functions that actions call run.
    pub(crate) fn act_for(&self, identity: Option<Identity>) {
        *self.identity.lock() = identity;
    }
}

impl ActionHost for Host {
    fn call(
        &self,
        kind: FunctionKind,
        path: FunctionPath,
        args: Bytes,
    ) -> HostFuture<Result<Bytes, CallError>> {
        let principal = Principal::Function { acting_for: self.identity.lock().clone() };
        let call = Call { path, args, principal, request_id: "nested".to_owned() };
        let (db, host) = (self.db.clone(), self.this.upgrade().expect("an action holds its host"));
        Box::pin(async move {
            let result = match kind {
                FunctionKind::Query => {
                    block_in_place(|| db.query(&call, db.store().snapshot_sequenced())).result
                }
                FunctionKind::Mutation => block_in_place(|| db.mutation(&call, None)).result,
                FunctionKind::Action | FunctionKind::HttpAction => db.action(call, host).await.result,
            };
            result.map_err(CallError::into_nested)
        })
    }

    fn durable(&self, ts: Timestamp) -> HostFuture<()> {
        let (db, threads) = (self.db.clone(), self.threads.clone());
        // In memory that takes no time; the store is closed when nobody asks any more.
        Box::pin(async move {
            let _ = threads.spawn_blocking(move || db.store().wait_durable(ts)).await;
        })
    }

    fn sleep(&self, time: Duration) -> HostFuture<()> {
        let _entered = self.threads.enter();
        let sleep = tokio::time::sleep(time);
        let (env, until) = (self.env.clone(), self.env.now().since_epoch() + time);
        Box::pin(async move {
            sleep.await;
            if let Some(rest) = until.checked_sub(env.now().since_epoch()) {
                env.advance(rest);
            }
        })
    }

    fn send(&self, request: HttpRequest) -> HostFuture<Result<HttpResponse, DbError>> {
        let client = self.client.clone();
        Box::pin(async move { client.send(request).await })
    }

    fn store_file(&self, file: FileToStore) -> HostFuture<Result<DocumentId, DbError>> {
        let files = self.files.clone();
        Box::pin(async move { files.store(file).await })
    }

    fn read_file(&self, file: StoredFile) -> HostFuture<Result<BodyStream, DbError>> {
        let files = self.files.clone();
        Box::pin(async move { files.read(file).await })
    }

    fn compute_password(&self, work: PasswordWork) -> HostFuture<Result<PasswordResult, DbError>> {
        let computed = self.threads.spawn_blocking(|| work.run());
        Box::pin(async move {
            computed.await.map_err(|error| DbError::new(ErrorCode::InternalServerError, error.to_string()))
        })
    }

    fn spawn(&self, work: HostFuture<()>) -> Box<dyn GivesUp> {
        Box::new(Spawned(self.threads.spawn(work)))
    }
}

/// A task that ends when this is dropped.
struct Spawned(JoinHandle<()>);

impl GivesUp for Spawned {}

impl Drop for Spawned {
    fn drop(&mut self) {
        self.0.abort();
    }
}
