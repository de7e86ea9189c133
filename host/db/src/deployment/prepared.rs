//! One deployment on its way: prepared, built, put in force or abandoned.
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use weir_value::{Schema, TableNumber, Timestamp, Validator};

use super::build::{IndexBuild, Validation};
use super::plan::{Wanted, is_abandoned};
use super::{CURSOR_KEY_RECORD, DEPLOYMENT_RECORD, DeploymentError, SCHEMA_RECORD, Turn, validators};
use crate::committer::Gate;
use crate::deployed::Deployed;
use crate::index::{Index, IndexState, Registry};
use crate::keyspace::IndexNumber;
use crate::query::CursorKey;
use crate::{
    Database, DbError, DeploymentVersion, Functions, Transaction, VariableChanges, keyspace, system_tables,
};

/// How many deployments the table `_deployments` remembers.
const DEPLOYMENTS_KEPT: usize = 100;

/// A deployment whose tables and indexes are made, and which is not in force yet. End it with
/// [`Database::put_in_force`] or [`Database::abandon`].
pub struct PreparedDeployment {
    schema: Arc<Schema>,
    numbers: BTreeMap<String, TableNumber>,
    builds: VecDeque<IndexBuild>,
    validations: VecDeque<Validation>,
    progress: Progress,
    variables: VariableChanges,
    turn: Turn,
}

/// How far the work of a deployment is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// The indexes that are or were to be built.
    pub indexes: Vec<IndexWork>,
    /// Documents that were checked against the schema.
    pub documents_checked: u64,
    /// How many there were to check when the deployment began.
    pub documents_to_check: u64,
}

/// How far an index is built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IndexWork {
    /// Its table.
    pub table: String,
    /// Its name.
    pub index: String,
    /// Documents that are in it, of those that were there when the deployment began.
    pub documents: u64,
    /// How many there were.
    pub of: u64,
}

impl PreparedDeployment {
    /// How far the work is.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Lets a batch read no more documents than this: for tests, whose tables are small.
    #[must_use]
    pub fn in_batches_of(mut self, rows: usize) -> PreparedDeployment {
        self.builds.iter_mut().for_each(|build| build.limit_batches(rows));
        self.validations.iter_mut().for_each(|validation| validation.limit_batches(rows));
        self
    }

    /// Lets the commit that puts it in force set variables too: those that its functions were made with.
    pub fn set_variables(&mut self, changes: VariableChanges) {
        self.variables = changes;
    }

    /// Does the next batch of the work; `false` when there is none left.
    ///
    /// # Errors
    /// A document does not fit the schema; another deployment has begun; the store cannot be read or written.
    pub fn step(&mut self, db: &Database) -> Result<bool, DeploymentError> {
        self.check_writes(db)?;
        if let Some(validation) = self.validations.front_mut() {
            let step = validation.step(db)?;
            self.progress.documents_checked += step.documents;
            if step.is_done {
                self.validations.pop_front();
            }
            return Ok(true);
        }
        let Some(build) = self.builds.front_mut() else { return Ok(false) };
        let step = build.step(db)?;
        let at = self.progress.indexes.len() - self.builds.len();
        let work = &mut self.progress.indexes[at];
        work.documents += step.documents;
        if step.is_done {
            work.of = work.documents;
            self.builds.pop_front();
        }
        Ok(true)
    }

    /// Whether a document has been written meanwhile that does not fit.
    fn check_writes(&self, db: &Database) -> Result<(), DeploymentError> {
        let Some((id, reason)) = db.preparing.mismatch(self.turn)? else { return Ok(()) };
        let named = self.numbers.iter().find(|(_, number)| **number == id.table);
        let table = named.map(|(name, _)| name.clone()).unwrap_or_default();
        Err(DeploymentError::DocumentMismatch { table, id: id.to_string(), reason })
    }
}

impl Database {
    /// Begins a deployment with this schema: its tables are made, its new indexes begin to be kept. One at a time; a
    /// deployment that was prepared before and not ended is abandoned.
    ///
    /// # Errors
    /// There would be too many tables, or the store takes no writes.
    pub fn prepare(&self, schema: Schema) -> Result<PreparedDeployment, DeploymentError> {
        let mut gate = self.committer.enter();
        let opened = self.committer.open();
        let current = self.deployments.newest();
        let mut tx = self.begin_system(opened.snapshot.clone());
        let mut numbers = BTreeMap::new();
        for name in schema.tables.keys() {
            numbers.insert(name.clone(), tx.make_table(name)?);
        }
        let wanted = Wanted::new(&schema, &numbers);
        let in_force = Wanted::new(&current.schema, &tx.numbers_of(&current.schema)?);
        let mut registry = current.registry.to_changed();
        drop_abandoned(&mut tx, &mut registry, &current.registry, &wanted, &in_force)?;
        for new in wanted.missing(&current.registry) {
            let mut index = Index {
                id: super::build::unsaved_id(),
                number: registry.next_number(),
                table: new.table,
                table_name: new.table_name,
                name: new.name,
                fields: new.fields,
                staged: new.staged,
                state: IndexState::Building,
            };
            index.id = tx.insert_system(system_tables::INDEXES, &index.encode())?;
            registry.put_index(index);
        }
        let documents = validators(&schema, |name| numbers.get(name).copied());
        let to_check = changed(&documents, &current.registry);
        registry.set_pending_documents(documents);
        let mut prepared = plan_work(&gate, &registry, &wanted, schema, numbers, to_check);
        let deployed = current.with_registry(registry);
        self.commit_system(&mut gate, tx.into_draft().0, deployed)?;
        prepared.turn = self.preparing.begin();
        Ok(prepared)
    }

    /// Gives a database a key for its cursors, if it has none yet.
    fn record_cursor_key(&self, tx: &mut Transaction) -> Result<Option<[u8; 32]>, DeploymentError> {
        let record = keyspace::system_record_key(CURSOR_KEY_RECORD);
        if tx.read_uncounted(record)?.is_some() {
            return Ok(None);
        }
        let key = CursorKey::draw(&*self.shared.env);
        tx.put_record(CURSOR_KEY_RECORD, Bytes::copy_from_slice(&key));
        Ok(Some(key))
    }

    /// Puts a deployment in force whose work is done: functions, schema, indexes, cron jobs and variables, at the timestamp of one
    /// commit that also holds `record`, the server's own, and `event`, a JSON object for the table `_deployments`. When it returns the
    /// commit is sequenced, not yet durable; new mutations run under the new deployment, queries as soon as they read a
    /// snapshot that is not older.
    ///
    /// # Errors
    /// A document does not fit, the work is not done, another deployment has begun since, or the store takes no writes:
    /// abandon it then.
    pub fn put_in_force(
        &self,
        prepared: &PreparedDeployment,
        functions: Arc<dyn Functions>,
        record: Bytes,
        event: &[u8],
    ) -> Result<(DeploymentVersion, Timestamp), DeploymentError> {
        let mut gate = self.committer.enter();
        prepared.check_writes(self)?;
        if !prepared.builds.is_empty() || !prepared.validations.is_empty() {
            return Err(DeploymentError::Superseded);
        }
        let opened = self.committer.open();
        let current = self.deployments.newest();
        let mut tx = self.begin_system(opened.snapshot.clone());
        let wanted = Wanted::new(&prepared.schema, &prepared.numbers);
        if !wanted.missing(&current.registry).is_empty() {
            return Err(DeploymentError::Superseded);
        }
        let mut registry = current.registry.to_changed();
        let built: Vec<IndexNumber> = self.built_indexes(&current.registry, &opened.snapshot)?;
        for index in current.registry.indexes() {
            let next = after_deployment(index, &wanted, &built);
            if next != **index {
                replace_index(&mut tx, &mut registry, next)?;
            }
        }
        let documents = validators(&prepared.schema, |name| prepared.numbers.get(name).copied());
        registry.set_documents(documents);
        registry.set_pending_documents(BTreeMap::new());
        tx.put_variables(&prepared.variables, gate.count(system_tables::VARIABLES))?;
        tx.insert_system(system_tables::DEPLOYMENTS, event)?;
        tx.keep_newest(system_tables::DEPLOYMENTS, DEPLOYMENTS_KEPT)?;
        tx.deploy_crons(functions.crons())?;
        let cursor_key = self.record_cursor_key(&mut tx)?;
        tx.put_record(DEPLOYMENT_RECORD, record);
        let schema = serde_json::to_vec(&prepared.schema.to_json()).expect("JSON can be written");
        tx.put_record(SCHEMA_RECORD, schema.into());
        let version = DeploymentVersion(current.version.0 + 1);
        let deployed =
            Deployed { version, functions, schema: prepared.schema.clone(), registry: Arc::new(registry) };
        let ts = self.commit_system(&mut gate, tx.into_draft().0, deployed)?;
        if let Some(key) = cursor_key {
            *self.shared.cursor_key.write() = Some(Arc::new(CursorKey::new(&key)));
        }
        self.preparing.end();
        self.conflict_rates.clear();
        Ok((version, ts))
    }

    /// All of a deployment at once, for tests and programs without a server.
    ///
    /// # Errors
    /// As for its steps; the deployment is abandoned then.
    pub fn deploy(
        &self,
        schema: Schema,
        functions: Arc<dyn Functions>,
    ) -> Result<DeploymentVersion, DeploymentError> {
        let mut prepared = self.prepare(schema)?;
        let finish = || {
            while prepared.step(self)? {}
            self.put_in_force(&prepared, functions, Bytes::from_static(b"{}"), b"{}")
        };
        match finish() {
            Ok((version, _)) => Ok(version),
            Err(error) => {
                // What was wrong first is what is to be told.
                let _ = self.abandon(prepared);
                Err(error)
            }
        }
    }

    /// Gives a deployment up: what it has built is dropped, unless the deployment in force wants it too. Does nothing to
    /// one that is over: whatever began after it has seen to that.
    ///
    /// # Errors
    /// The store takes no writes; then the housekeeping sees to it, or the next deployment.
    pub fn abandon(&self, prepared: PreparedDeployment) -> Result<(), DeploymentError> {
        let mut gate = self.committer.enter();
        if !self.preparing.is_turn(prepared.turn) {
            return Ok(());
        }
        self.preparing.end();
        self.drop_all_abandoned(&mut gate)
    }

    /// Begins to drop the indexes that no deployment wants: one has left them behind whose process ended on the way, or
    /// that could not be given up. Until then every write keeps them. Gives whether there were any that can be dropped:
    /// those of a deployment that is on its way cannot.
    ///
    /// # Errors
    /// The store takes no writes: try again later.
    pub fn drop_abandoned_indexes(&self) -> Result<bool, DeploymentError> {
        if !self.deployments.newest().has_undeclared_indexes() {
            return Ok(false);
        }
        let mut gate = self.committer.enter();
        // Looked at again behind the gate: a deployment may have begun, or ended, meanwhile.
        if self.preparing.is_under_way() || !self.deployments.newest().has_undeclared_indexes() {
            return Ok(false);
        }
        self.drop_all_abandoned(&mut gate)?;
        Ok(true)
    }

    fn drop_all_abandoned(&self, gate: &mut Gate<'_>) -> Result<(), DeploymentError> {
        let opened = self.committer.open();
        let current = self.deployments.newest();
        let mut tx = self.begin_system(opened.snapshot.clone());
        let in_force = Wanted::new(&current.schema, &tx.numbers_of(&current.schema)?);
        let mut registry = current.registry.to_changed();
        drop_abandoned(&mut tx, &mut registry, &current.registry, &in_force, &in_force)?;
        registry.set_pending_documents(BTreeMap::new());
        let deployed = current.with_registry(registry);
        self.commit_system(gate, tx.into_draft().0, deployed)?;
        Ok(())
    }

    /// Forgets the deployments that no query can meet any more, because everything up to `ts` is durable and no older
    /// snapshot is open. Those that are met still are forgotten later, by [`Database::maintain_indexes`].
    pub fn forget_deployments_before(&self, ts: Timestamp) {
        self.deployments.forget_before(ts.min(self.store().stats().floor));
    }
}

/// Begins to drop the indexes that neither schema wants.
fn drop_abandoned(
    tx: &mut Transaction,
    registry: &mut Registry,
    current: &Registry,
    wanted: &Wanted,
    in_force: &Wanted,
) -> Result<(), DbError> {
    let mut abandoned = current.indexes().filter(|index| is_abandoned(index, wanted, in_force));
    abandoned.try_for_each(|index| {
        replace_index(tx, registry, Index { state: IndexState::Dropping, ..(**index).clone() })
    })
}

/// Writes what has become of an index, into its document and into the registry.
pub(super) fn replace_index(
    tx: &mut Transaction,
    registry: &mut Registry,
    index: Index,
) -> Result<(), DbError> {
    tx.replace_system(&index.id, &index.encode())?;
    registry.put_index(index);
    Ok(())
}

fn plan_work(
    gate: &Gate<'_>,
    registry: &Registry,
    wanted: &Wanted,
    schema: Schema,
    numbers: BTreeMap<String, TableNumber>,
    to_check: BTreeMap<TableNumber, Arc<Validator>>,
) -> PreparedDeployment {
    let count = |table: TableNumber| gate.count(table);
    let mut progress = Progress::default();
    let mut builds = VecDeque::new();
    let needs_work = |index: &Index| {
        index.state == IndexState::Building && wanted.declared(index).is_some_and(|declared| !declared.staged)
    };
    for index in registry.indexes().filter(|index| needs_work(index)) {
        progress.indexes.push(IndexWork {
            table: index.table_name.to_string(),
            index: index.name.to_string(),
            documents: 0,
            of: count(index.table),
        });
        builds.push_back(IndexBuild::new(index.clone()));
    }
    let mut validations = VecDeque::new();
    for (table, validator) in to_check {
        progress.documents_to_check += count(table);
        let named = numbers.iter().find(|(_, number)| **number == table);
        let name = named.map(|(name, _)| name.clone()).unwrap_or_default();
        validations.push_back(Validation::new(table, name, validator));
    }
    PreparedDeployment {
        schema: Arc::new(schema),
        numbers,
        builds,
        validations,
        progress,
        variables: VariableChanges::default(),
        turn: Turn::default(),
    }
}

/// What becomes of an index when the deployment is put in force.
fn after_deployment(index: &Index, wanted: &Wanted, built: &[IndexNumber]) -> Index {
    let mut next = index.clone();
    match wanted.declared(index) {
        None => next.state = IndexState::Dropping,
        Some(declared) => {
            next.staged = declared.staged;
            if built.contains(&index.number) {
                next.state = IndexState::Ready;
            }
        }
    }
    next
}

/// The validators that the documents in the database are not known to fit.
fn changed(
    documents: &BTreeMap<TableNumber, Arc<Validator>>,
    registry: &Registry,
) -> BTreeMap<TableNumber, Arc<Validator>> {
    let fits = |table: &TableNumber, validator: &Arc<Validator>| {
        let in_force = registry.table(*table).and_then(|rules| rules.document.as_ref());
        in_force == Some(validator)
    };
    let unknown = documents.iter().filter(|(table, validator)| !fits(table, validator));
    unknown.map(|(table, validator)| (*table, validator.clone())).collect()
}
