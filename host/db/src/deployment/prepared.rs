//! One deployment on its way: prepared, built, put in force or abandoned.
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use weir_value::{TableNumber, Timestamp, Validator};

use super::build::{IndexBuild, Validation};
use super::plan::{is_abandoned, told};
use super::{
    CURSOR_KEY_RECORD, DEPLOYMENT_RECORD, DeploymentError, TableNumbers, Turn, Wanted, is_of_unmounted,
    schema_records, validators,
};
use crate::committer::Gate;
use crate::components::Components;
use crate::deployed::Deployed;
use crate::index::{Index, IndexState, Registry};
use crate::keyspace::{IndexNumber, Namespace};
use crate::query::CursorKey;
use crate::{
    CommitError, Database, DbError, Deployment, DeploymentVersion, Schemas, Transaction, VariableChanges,
    VariablesError, keyspace, system_tables,
};

/// How many deployments the table `_deployments` remembers.
const DEPLOYMENTS_KEPT: usize = 100;

/// A deployment whose tables and indexes are made, and which is not in force yet. End it with
/// [`Database::put_in_force`] or [`Database::abandon`].
pub struct PreparedDeployment {
    schemas: Schemas,
    numbers: TableNumbers,
    wanted: Wanted,
    /// The components with those that it mounts first.
    components: Components,
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
        let table = self.name_of(id.table);
        Err(DeploymentError::DocumentMismatch { table, id: id.to_string(), reason })
    }

    /// The name of a table, for people.
    fn name_of(&self, table: TableNumber) -> String {
        name_of(&self.numbers, &self.components, table)
    }
}

impl Database {
    /// Begins a deployment with these schemas: its tables are made, its new indexes begin to be kept. One at a time; a
    /// deployment that was prepared before and not ended is abandoned.
    ///
    /// # Errors
    /// There would be too many tables, or the store takes no writes.
    pub fn prepare(&self, schemas: impl Into<Schemas>) -> Result<PreparedDeployment, DeploymentError> {
        let schemas = schemas.into();
        let mut gate = self.committer.enter();
        let opened = self.committer.open();
        let current = self.deployments.newest();
        let mut tx = self.begin_system(opened.snapshot.clone());
        let mut components = (*current.components).clone();
        tx.make_namespaces(&mut components, schemas.mounts.keys())?;
        let numbers = tx.make_tables(&schemas, &components)?;
        let wanted = Wanted::new(&schemas, &components, &numbers);
        let mut registry = current.registry.to_changed();
        drop_abandoned(&mut tx, &mut registry, &current.registry, &wanted, &current.wanted)?;
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
        let documents = validators(&schemas, &components, &numbers);
        let to_check = changed(&documents, &current.registry);
        registry.set_pending_documents(documents);
        let deployed = current.with_components(components.clone()).with_registry(registry);
        let mut prepared = PreparedDeployment {
            schemas,
            numbers,
            wanted,
            components,
            builds: VecDeque::new(),
            validations: VecDeque::new(),
            progress: Progress::default(),
            variables: VariableChanges::default(),
            turn: Turn::default(),
        };
        prepared.plan_work(&gate, &deployed.registry, to_check);
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
        deployment: Arc<dyn Deployment>,
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
        let wanted = &prepared.wanted;
        if !wanted.missing(&current.registry).is_empty() {
            return Err(DeploymentError::Superseded);
        }
        let mut components = (*current.components).clone();
        let left =
            tx.put_mounts_in_force(&mut components, |path| prepared.schemas.mounts.contains_key(path))?;
        let mut wanted = Wanted::new(&prepared.schemas, &components, &prepared.numbers);
        wanted.keep_unmounted(&current.registry, |table| self.is_of_unmounted(table, &components));
        let mut registry = current.registry.to_changed();
        let built: Vec<IndexNumber> = self.built_indexes(&current.registry, &opened.snapshot)?;
        for index in current.registry.indexes() {
            let next = after_deployment(index, &wanted, &built);
            if next != **index {
                replace_index(&mut tx, &mut registry, next)?;
            }
        }
        registry.set_documents(validators(&prepared.schemas, &components, &prepared.numbers));
        registry.set_pending_documents(BTreeMap::new());
        tx.put_variables(&prepared.variables, gate.count(system_tables::VARIABLES))?;
        tx.insert_system(system_tables::DEPLOYMENTS, event)?;
        tx.keep_newest(system_tables::DEPLOYMENTS, DEPLOYMENTS_KEPT)?;
        tx.deploy_crons(deployment.crons(), &components)?;
        let cursor_key = self.record_cursor_key(&mut tx)?;
        tx.put_record(DEPLOYMENT_RECORD, record);
        for (name, record) in schema_records(&prepared.schemas) {
            tx.put_record(name, record);
        }
        let version = DeploymentVersion(current.version.0 + 1);
        let deployed = Deployed {
            version,
            deployment,
            wanted: Arc::new(wanted),
            registry: Arc::new(registry),
            components: Arc::new(components),
        };
        let ts = self.commit_system(&mut gate, tx.into_draft().0, deployed)?;
        if let Some(key) = cursor_key {
            *self.shared.cursor_key.write() = Some(Arc::new(CursorKey::new(&key)));
        }
        self.preparing.end();
        self.conflict_rates.clear();
        for path in left {
            tracing::warn!(
                target: "weir::db",
                "the component `{path}` is mounted no longer; its data are kept, and are there again when it is. \
                 `host component drop {path}` removes them"
            );
        }
        Ok((version, ts))
    }

    /// All of a deployment at once, for tests and programs without a server.
    ///
    /// # Errors
    /// As for its steps; the deployment is abandoned then.
    pub fn deploy(
        &self,
        schemas: impl Into<Schemas>,
        deployment: Arc<dyn Deployment>,
    ) -> Result<DeploymentVersion, DeploymentError> {
        let mut prepared = self.prepare(schemas)?;
        let finish = || {
            while prepared.step(self)? {}
            self.put_in_force(&prepared, deployment, Bytes::from_static(b"{}"), b"{}")
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
        let mut registry = current.registry.to_changed();
        drop_abandoned(&mut tx, &mut registry, &current.registry, &current.wanted, &current.wanted)?;
        registry.set_pending_documents(BTreeMap::new());
        let deployed = current.with_registry(registry);
        self.commit_system(gate, tx.into_draft().0, deployed)?;
        Ok(())
    }

    /// Begins to drop all indexes of these tables, of which nobody has a use any more.
    pub(crate) fn drop_indexes_of(&self, tables: &[TableNumber]) -> Result<(), VariablesError> {
        let mut gate = self.committer.enter();
        let opened = self.committer.open();
        let current = self.deployments.newest();
        let mut tx = self.begin_system(opened.snapshot.clone());
        let mut registry = current.registry.to_changed();
        for index in current.registry.indexes().filter(|index| tables.contains(&index.table)) {
            let dropped = Index { state: IndexState::Dropping, ..(**index).clone() };
            replace_index(&mut tx, &mut registry, dropped)?;
        }
        let deployed = current.with_registry(registry);
        self.commit_system(&mut gate, tx.into_draft().0, deployed).map_err(CommitError::from)?;
        Ok(())
    }

    fn is_of_unmounted(&self, table: TableNumber, components: &Components) -> bool {
        is_of_unmounted(table, &self.shared.catalog, components, self.store().sequenced())
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

impl PreparedDeployment {
    fn plan_work(
        &mut self,
        gate: &Gate<'_>,
        registry: &Registry,
        to_check: BTreeMap<TableNumber, Arc<Validator>>,
    ) {
        let needs_work = |index: &Index| {
            let declared = self.wanted.declared(index);
            index.state == IndexState::Building && declared.is_some_and(|declared| !declared.staged)
        };
        for index in registry.indexes().filter(|index| needs_work(index)) {
            self.progress.indexes.push(IndexWork {
                table: index.table_name.to_string(),
                index: index.name.to_string(),
                documents: 0,
                of: gate.count(index.table),
            });
            self.builds.push_back(IndexBuild::new(index.clone()));
        }
        for (table, validator) in to_check {
            self.progress.documents_to_check += gate.count(table);
            let owner = self.numbers.iter().find(|(_, number)| **number == table);
            let namespace = owner.map_or(Namespace::APP, |((namespace, _), _)| *namespace);
            self.validations.push_back(Validation::new(table, namespace, self.name_of(table), validator));
        }
    }
}

fn name_of(numbers: &TableNumbers, components: &Components, table: TableNumber) -> String {
    let named = numbers.iter().find(|(_, number)| **number == table);
    named.map(|((namespace, name), _)| told(name, components.path(*namespace))).unwrap_or_default()
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
