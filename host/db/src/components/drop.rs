//! Removing what a component has left that is mounted no longer: in steps, each a commit, with calls between them.
//!
//! The numbers of its tables stay in the catalog, with nothing in them: a number is never given twice, so that ids that
//! somebody still has mean nothing.
use bytes::Bytes;
use weir_store::{Direction, Snapshot};
use weir_value::limits::TABLES_MAX;
use weir_value::{ComponentPath, DocumentId, ErrorCode, TableNumber, Timestamp};

use super::{ComponentState, StoredComponent};
use crate::jobs::JobState;
use crate::keyspace::{self, Namespace};
use crate::{CommitError, Database, DbError, Transaction, VariablesError, system_tables};

/// So many documents are removed at once.
const STEP_ROWS: usize = 256;

/// What there is to remove next.
enum Step {
    Jobs(Vec<DocumentId>),
    Files(Vec<DocumentId>),
    Documents(Vec<DocumentId>),
    /// Nothing but what says that there is such a component.
    Forget,
}

impl Database {
    /// Begins to remove all data of a component that is mounted no longer; [`Database::empty_dropped_component`] goes on with
    /// it. Nothing can be mounted at its path until that is done.
    ///
    /// # Errors
    /// `NotFound`: no component has data there; `InvalidDeployment`: it is mounted; the store takes no writes.
    pub fn drop_component(&self, path: &ComponentPath) -> Result<Timestamp, VariablesError> {
        self.change_components(|tx, components| {
            let known = components.find(path).cloned().ok_or_else(|| {
                DbError::new(ErrorCode::NotFound, format!("No component has data at `{path}`."))
            })?;
            if known.state == ComponentState::Mounted {
                let message = format!(
                    "The component `{path}` is mounted: deploy without it first. Its data are kept then until you drop them."
                );
                return Err(DbError::new(ErrorCode::InvalidDeployment, message));
            }
            let next = ComponentState::Dropping;
            tx.replace_system(&known.id, &StoredComponent::encode(path, known.namespace, next))?;
            components.put(path.clone(), super::KnownComponent { state: next, ..known });
            Ok(())
        })
    }

    /// Does one step of removing what a dropped component has left; `false` when there is nothing to do.
    ///
    /// # Errors
    /// The store cannot be read or takes no writes: try again later.
    pub fn empty_dropped_component(&self) -> Result<bool, VariablesError> {
        let Some(namespace) = self.dropping_namespace() else { return Ok(false) };
        let step = self.next_step(namespace)?;
        if let Step::Forget = step {
            self.forget_component(namespace)?;
            return Ok(true);
        }
        self.write_job(|tx| {
            tx.in_namespace(namespace, |tx| match &step {
                Step::Jobs(ids) => ids.iter().try_for_each(|id| tx.remove_job(id)),
                Step::Files(ids) => ids.iter().try_for_each(|id| tx.delete_file(&id.to_string())),
                Step::Documents(ids) => ids.iter().try_for_each(|id| tx.delete_system(id)),
                Step::Forget => Ok(()),
            })?;
            Ok(true)
        })?;
        Ok(true)
    }

    /// Nobody else writes in the namespace of what is not mounted, so what is found is still there in the commit.
    fn next_step(&self, namespace: Namespace) -> Result<Step, VariablesError> {
        let snapshot = self.store().snapshot_sequenced();
        let first = |table| first_documents(&snapshot, table);
        let jobs = first(system_tables::of(namespace, system_tables::SCHEDULED_FUNCTIONS))?;
        if !jobs.is_empty() {
            return Ok(Step::Jobs(jobs));
        }
        let files = first(system_tables::of(namespace, system_tables::STORAGE))?;
        if !files.is_empty() {
            return Ok(Step::Files(files));
        }
        for table in tables_of(&snapshot, namespace)? {
            let documents = first(table)?;
            if !documents.is_empty() {
                return Ok(Step::Documents(documents));
            }
        }
        Ok(Step::Forget)
    }

    fn forget_component(&self, namespace: Namespace) -> Result<(), VariablesError> {
        let tables = tables_of(&self.store().snapshot_sequenced(), namespace)?;
        self.change_components(|tx, components| {
            if let Some(path) = components.paths.remove(&namespace)
                && let Some(known) = components.by_path.remove(&path)
            {
                tx.delete_system(&known.id)?;
            }
            Ok(())
        })?;
        // What of its indexes is left holds nothing any more, and nobody wants it.
        self.drop_indexes_of(&tables)?;
        Ok(())
    }

    /// Commits a change of the components, with which they are in force.
    fn change_components(
        &self,
        change: impl FnOnce(&mut Transaction, &mut super::Components) -> Result<(), DbError>,
    ) -> Result<Timestamp, VariablesError> {
        let mut gate = self.committer.enter();
        let opened = self.committer.open();
        let current = self.deployments.newest();
        let mut tx = self.begin_system(opened.snapshot.clone());
        let mut components = (*current.components).clone();
        change(&mut tx, &mut components)?;
        let deployed = current.with_components(components);
        let ts = self.commit_system(&mut gate, tx.into_draft().0, deployed).map_err(CommitError::from)?;
        Ok(ts)
    }
}

fn tables_of(snapshot: &Snapshot, namespace: Namespace) -> Result<Vec<TableNumber>, VariablesError> {
    let all = keyspace::table_names(namespace);
    let rows = snapshot.scan(&all.start, &all.end, Direction::Ascending, TABLES_MAX)?;
    Ok(rows.iter().filter_map(|(_, number)| keyspace::number_in_value(number)).collect())
}

fn first_documents(snapshot: &Snapshot, table: TableNumber) -> Result<Vec<DocumentId>, VariablesError> {
    let all = keyspace::documents(table);
    let rows: Vec<(Bytes, Bytes)> = snapshot.scan(&all.start, &all.end, Direction::Ascending, STEP_ROWS)?;
    Ok(rows.iter().filter_map(|(key, _)| keyspace::document_in_key(key)).collect())
}

impl Transaction {
    /// Removes a scheduled function, whatever has become of it.
    fn remove_job(&mut self, id: &DocumentId) -> Result<(), DbError> {
        let Some(job) = self.job(id)? else { return Ok(()) };
        match (&job.state, job.completed_time) {
            (JobState::Pending, _) => self.delete_key(keyspace::due_job_key(job.scheduled_time, id)),
            (JobState::InProgress, _) => self.delete_key(keyspace::begun_job_key(id)),
            (_, Some(ended_ms)) => self.delete_key(keyspace::ended_job_key(ended_ms, id)),
            (_, None) => {}
        }
        self.delete_system(id)
    }
}
