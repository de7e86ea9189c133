//! The database as the other rooms see it.
//!
//! Wires the rooms below together; the mutation's two lanes are in `mutation`, the sweeping of old records in `sweep`.
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::RwLock;
use thiserror::Error;
use weir_store::{Env, ReadError, Snapshot, Store, Write};
use weir_value::{FunctionPath, Timestamp};

use crate::catalog::Catalog;
use crate::committer::Committer;
use crate::entropy::Entropy;
use crate::lane::Lanes;
use crate::record_age::RecordAge;
use crate::stats::{Counters, count};
use crate::transaction::Shared;
use crate::{
    Call, CommitError, DbStats, FunctionError, FunctionInfo, FunctionKind, Functions, QueryOutcome, ReadSet,
    Transaction, call, keyspace,
};

/// Which set of functions: one more at each [`Database::set_functions`], zero before the first.
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
    ) -> (Transaction, Result<Bytes, FunctionError>) {
        let message = format!("`{}` was called in a deployment without functions", info.path);
        (tx, Err(FunctionError::System { code: "InternalServerError", message }))
    }
}

/// A database. Shared by all threads that call functions.
pub struct Database {
    pub(crate) committer: Committer,
    pub(crate) shared: Arc<Shared>,
    pub(crate) lanes: Lanes,
    pub(crate) counters: Counters,
    pub(crate) record_age: RecordAge,
    functions: RwLock<(DeploymentVersion, Arc<dyn Functions>)>,
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
        let record_age = RecordAge::load(&snapshot, env.clone())?;
        drop(snapshot);
        let entropy = Entropy::new(env.clone());
        Ok(Arc::new(Database {
            committer: Committer::new(store),
            shared: Arc::new(Shared { env, catalog, entropy }),
            lanes: Lanes::default(),
            counters: Counters::default(),
            record_age,
            functions: RwLock::new((DeploymentVersion::default(), Arc::new(NoFunctions))),
        }))
    }

    /// Puts another deployment in place. Calls that have begun end with the one they began with.
    pub fn set_functions(&self, functions: Arc<dyn Functions>) -> DeploymentVersion {
        let mut current = self.functions.write();
        let version = DeploymentVersion(current.0.0 + 1);
        *current = (version, functions);
        self.lanes.clear();
        version
    }

    /// The deployment in place.
    pub fn functions(&self) -> (DeploymentVersion, Arc<dyn Functions>) {
        self.functions.read().clone()
    }

    /// Runs a query at a snapshot, on the calling thread.
    pub fn query(&self, call: &Call, at: impl Into<Arc<Snapshot>>) -> QueryOutcome {
        let snapshot = at.into();
        let ts = snapshot.ts();
        let resolved = match call::resolve(call, self.functions().1, FunctionKind::Query) {
            Ok(resolved) => resolved,
            Err(failure) => {
                count(&self.counters.failures);
                let result = Err(call::report(call, failure));
                return QueryOutcome { result, log_lines: Vec::new(), read_set: ReadSet::default(), ts };
            }
        };
        count(&self.counters.query_runs);
        let tx = self.begin(call, FunctionKind::Query, snapshot);
        let (tx, result) = call::run(&resolved, call, tx);
        if result.is_err() {
            count(&self.counters.failures);
        }
        let (read_set, lines) = tx.into_read_set();
        let log_lines = call::emit_log(call, lines);
        QueryOutcome {
            result: result.map_err(|failure| call::report(call, failure)),
            log_lines,
            read_set,
            ts,
        }
    }

    pub(crate) fn begin(&self, call: &Call, kind: FunctionKind, snapshot: Arc<Snapshot>) -> Transaction {
        Transaction::begin(self.shared.clone(), snapshot, kind, call)
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
        Ok(self.committer.enter().sequence_plain(vec![write])?)
    }
}
