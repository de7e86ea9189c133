//! The database as the other rooms see it.
//!
//! Wires the rooms below together; the mutation's two ways of execution are in `mutation`, the sweeping of old records in `sweep`.
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use parking_lot::RwLock;
use thiserror::Error;
use weir_store::{Env, ReadError, Snapshot, Store, Write};
use weir_value::{ComponentPath, ErrorCode, FunctionPath, TableNumber, Timestamp};

use crate::call::Resolved;
use crate::catalog::Catalog;
use crate::committer::Committer;
use crate::deployed::Deployments;
use crate::deployment::Preparing;
use crate::entropy::Entropy;
use crate::error::Failure;
use crate::execution::ConflictRates;
use crate::long_turns::LongTurns;
use crate::record_age::RecordAge;
use crate::run_observer::RunObserver;
use crate::scan_all::scan_all;
use crate::session_highs::SessionHighs;
use crate::stats::{Counters, count};
use crate::transaction::Shared;
use crate::{
    Call, CommitError, DbStats, Deployment, FunctionError, FunctionInfo, FunctionKind, Functions, Namespace,
    QueryOutcome, ReadSet, SystemFunctions, Teardown, TokenSigner, Transaction, call, deployment, keyspace,
    system_functions,
};

/// Which set of functions: one more at each [`Database::set_deployment`], zero before the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct DeploymentVersion(pub u64);

/// Why a database could not be opened.
#[derive(Debug, Error)]
pub enum DbOpenError {
    /// The store cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The catalog is not one that this version writes.
    #[error("the catalog of tables is damaged: {0}; restore the data folder from a backup")]
    Catalog(String),
}

/// A deployment without functions: what a database has before the first.
#[derive(Debug, Default)]
pub struct NoFunctions;

impl Deployment for NoFunctions {}

impl Functions for NoFunctions {
    fn find(&self, _path: &FunctionPath) -> Option<Arc<FunctionInfo>> {
        None
    }

    fn list(&self) -> Vec<Arc<FunctionInfo>> {
        Vec::new()
    }

    fn run(
        &self,
        info: &FunctionInfo,
        _args: &Bytes,
        tx: Transaction,
        _teardown: &mut Teardown,
    ) -> (Transaction, Result<Bytes, FunctionError>) {
        let message = format!("`{}` was called in a deployment without functions", info.path);
        (tx, Err(FunctionError::System { code: ErrorCode::InternalServerError, message }))
    }
}

/// A database. Shared by all threads that call functions.
pub struct Database {
    pub(crate) committer: Committer,
    pub(crate) shared: Arc<Shared>,
    pub(crate) conflict_rates: ConflictRates,
    pub(crate) long_turns: LongTurns,
    pub(crate) counters: Counters,
    pub(crate) record_age: RecordAge,
    pub(crate) session_highs: SessionHighs,
    pub(crate) deployments: Deployments,
    pub(crate) preparing: Preparing,
    pub(crate) system_functions: OnceLock<Arc<dyn SystemFunctions>>,
    pub(crate) run_observer: OnceLock<Box<dyn RunObserver>>,
}

impl Database {
    /// Opens the database that a store holds; an empty store is an empty database. Nothing else may write to the
    /// store.
    ///
    /// # Errors
    /// See [`DbOpenError`].
    pub fn open(store: Arc<dyn Store>, env: Arc<dyn Env>) -> Result<Arc<Database>, DbOpenError> {
        let snapshot = store.snapshot_sequenced();
        let catalog = Catalog::load(&snapshot)?;
        let counts = read_counts(&snapshot)?;
        let deployed = deployment::load(&snapshot, &catalog)?;
        let record_age = RecordAge::load(&snapshot, env.clone())?;
        let cursor_key = deployment::load_cursor_key(&snapshot)?;
        drop(snapshot);
        let entropy = Entropy::new(env.clone());
        let cursor_key = RwLock::new(cursor_key.map(Arc::new));
        Ok(Arc::new(Database {
            committer: Committer::new(store, counts, env.processors().saturating_sub(1)),
            shared: Arc::new(Shared {
                env,
                catalog,
                entropy,
                signer: OnceLock::new(),
                cursor_key,
                built_in_variables: RwLock::default(),
            }),
            conflict_rates: ConflictRates::default(),
            long_turns: LongTurns::default(),
            counters: Counters::default(),
            record_age,
            session_highs: SessionHighs::default(),
            deployments: Deployments::new(deployed),
            preparing: Preparing::default(),
            system_functions: OnceLock::new(),
            run_observer: OnceLock::new(),
        }))
    }

    /// Puts a deployment in force under the schemas that are, without a commit: that which the database was opened with,
    /// or a test's. Queries that have begun end with the one they began with.
    pub fn set_deployment(&self, deployment: Arc<dyn Deployment>) -> DeploymentVersion {
        let _gate = self.committer.enter();
        let mut version = DeploymentVersion::default();
        self.deployments.replace(|deployed| {
            version = DeploymentVersion(deployed.version.0 + 1);
            deployed.with_deployment(version, deployment)
        });
        self.conflict_rates.clear();
        version
    }

    /// Whether calls of a mutation are executed one after another, for the time being, because they would conflict: threads
    /// that call it beside each other would wait for each other.
    pub fn is_serial(&self, path: &FunctionPath) -> bool {
        self.conflict_rates.is_serial(path)
    }

    /// Lets functions sign tokens; the first signer stays.
    pub fn set_signer(&self, signer: Arc<dyn TokenSigner>) {
        let _ = self.shared.signer.set(signer);
    }

    /// What is in force.
    pub fn deployment(&self) -> (DeploymentVersion, Arc<dyn Deployment>) {
        let deployed = self.deployments.newest();
        (deployed.version, deployed.deployment.clone())
    }

    /// Runs a query at a snapshot, on the calling thread.
    pub fn query(&self, call: &Call, at: impl Into<Arc<Snapshot>>) -> QueryOutcome {
        self.query_again(call, at, None, &mut Teardown::default())
    }

    /// As [`Database::query`], of a query that ran before and left this journal: a page that it reads ends where it
    /// ended then. A journal that is not one of this query is ignored. What the query ran in is
    /// left in `teardown`.
    pub fn query_again(
        &self,
        call: &Call,
        at: impl Into<Arc<Snapshot>>,
        journal: Option<&str>,
        teardown: &mut Teardown,
    ) -> QueryOutcome {
        let _span = call.span().entered();
        let snapshot = at.into();
        let ts = snapshot.ts();
        let deployed = self.deployments.at(ts);
        let resolved = match self.resolve(call, &deployed.deployment, FunctionKind::Query) {
            Ok(resolved) => resolved,
            Err(failure) => {
                count(&self.counters.failures);
                let result = Err(call::report(call, failure));
                return QueryOutcome {
                    result,
                    log_lines: Vec::new(),
                    read_set: ReadSet::default(),
                    journal: None,
                    asked_identity: false,
                    ts,
                };
            }
        };
        count(&self.counters.query_runs);
        let mut tx = Transaction::begin(self.shared.clone(), snapshot, deployed, FunctionKind::Query, call);
        tx.resume_page(journal.map(str::to_owned));
        let (tx, result) = self.measured(&call.path, || call::run(&resolved, call, tx, teardown));
        if result.is_err() {
            count(&self.counters.failures);
        }
        let asked_identity = tx.asked_identity();
        let (read_set, journal, lines) = tx.into_read_set();
        let log_lines = call::emit_log(call, lines);
        QueryOutcome {
            result: result.map_err(|failure| call::report(call, failure)),
            log_lines,
            read_set,
            journal,
            asked_identity,
            ts,
        }
    }

    /// Finds the function of a call: the host's own, or one of the deployment's.
    pub(crate) fn resolve(
        &self,
        call: &Call,
        deployed: &Arc<dyn Deployment>,
        called_as: FunctionKind,
    ) -> Result<Resolved, Failure> {
        match system_functions::is_system(&call.path) {
            true => self.resolve_system(call, called_as),
            false => call::resolve_deployed(call, deployed, called_as),
        }
    }

    pub(crate) fn begin(&self, call: &Call, kind: FunctionKind, snapshot: Arc<Snapshot>) -> Transaction {
        let deployed = self.deployments.at(snapshot.ts());
        Transaction::begin(self.shared.clone(), snapshot, deployed, kind, call)
    }

    /// The namespace of the component that is mounted there, or was; `None`: there is none.
    pub fn namespace(&self, component: &ComponentPath) -> Option<Namespace> {
        self.deployments.newest().components.namespace(component)
    }

    /// The store below: for snapshots, durability and observers. Writing to it directly breaks transactions.
    pub fn store(&self) -> &Arc<dyn Store> {
        self.committer.store()
    }

    /// What has been done since the database was opened.
    pub fn stats(&self) -> DbStats {
        self.counters.read()
    }

    /// A small record of the host itself, as of the newest sequenced commit.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn read_system(&self, name: &str) -> Result<Option<Bytes>, CommitError> {
        Ok(self.store().snapshot_sequenced().get(&keyspace::system_record_key(name))?)
    }

    /// Writes a small record of the host itself; returns when it is sequenced, with its timestamp.
    ///
    /// # Errors
    /// The store takes no writes.
    pub fn write_system(&self, name: &str, value: Bytes) -> Result<Timestamp, CommitError> {
        let write = Write { key: keyspace::system_record_key(name), value: Some(value) };
        Ok(self.committer.enter().sequence_plain(vec![write])?.ts)
    }
}

/// How many documents each table has.
fn read_counts(snapshot: &Snapshot) -> Result<HashMap<TableNumber, u64>, DbOpenError> {
    let mut counts = HashMap::new();
    scan_all(snapshot, keyspace::table_counts(), |key, value| {
        let entry = keyspace::table_of_count(key).zip(keyspace::count_in_value(value));
        let (table, count) =
            entry.ok_or_else(|| DbOpenError::Catalog(format!("the count {key:?} cannot be read")))?;
        counts.insert(table, count);
        Ok::<(), DbOpenError>(())
    })?;
    Ok(counts)
}
