//! What goes on in the background between deployments: dropped indexes give their space back, staged ones are built.
use std::sync::Arc;

use weir_store::{Direction, Write};

use super::DeploymentError;
use super::build::{IndexBuild, is_built};
use super::prepared::replace_index;
use crate::index::{Index, IndexState};
use crate::{Database, keyspace};

/// So many entries are removed at once.
const DROP_ROWS: usize = 1_024;

impl Database {
    /// Does one batch of the work on indexes that no deployment waits for, one commit; `false` when there is none.
    ///
    /// # Errors
    /// The store cannot be read or takes no writes: try again later.
    pub fn maintain_indexes(&self) -> Result<bool, DeploymentError> {
        self.forget_deployments_before(self.store().durable());
        let current = self.deployments.newest();
        if let Some(index) = current.registry.dropping().first() {
            self.drop_entries(index)?;
            return Ok(true);
        }
        let staged = |index: &&Arc<Index>| index.staged && index.state == IndexState::Building;
        let Some(index) = current.registry.indexes().find(staged) else { return Ok(false) };
        match is_built(index, &self.committer.open().snapshot)? {
            true => self.mark_ready(index)?,
            false => {
                IndexBuild::new(index.clone()).step(self)?;
            }
        }
        Ok(true)
    }

    /// Removes some entries, or, when there are none left, the index itself.
    fn drop_entries(&self, index: &Arc<Index>) -> Result<(), DeploymentError> {
        let entries = keyspace::index_entries(index.number);
        let mut gate = self.committer.enter();
        let opened = self.committer.open();
        let rows = opened.snapshot.scan(&entries.start, &entries.end, Direction::Ascending, DROP_ROWS)?;
        if !rows.is_empty() {
            gate.sequence_plain(rows.into_iter().map(|(key, _)| Write { key, value: None }).collect())?;
            return Ok(());
        }
        let current = self.deployments.newest();
        let mut tx = self.begin_system(opened.snapshot.clone());
        tx.delete_system(&index.id)?;
        tx.delete_key(keyspace::index_progress_key(index.number));
        let mut registry = current.registry.to_changed();
        registry.remove_index(index.table, index.number);
        self.commit_system(&mut gate, tx.into_draft().0, current.with_registry(registry))?;
        Ok(())
    }

    fn mark_ready(&self, index: &Arc<Index>) -> Result<(), DeploymentError> {
        let mut gate = self.committer.enter();
        let opened = self.committer.open();
        let current = self.deployments.newest();
        let is_there = current.registry.indexes().any(|other| other == index);
        if !is_there || !is_built(index, &opened.snapshot)? {
            return Ok(());
        }
        let mut tx = self.begin_system(opened.snapshot.clone());
        let mut registry = current.registry.to_changed();
        let ready = Index { state: IndexState::Ready, ..(**index).clone() };
        replace_index(&mut tx, &mut registry, ready)?;
        self.commit_system(&mut gate, tx.into_draft().0, current.with_registry(registry))?;
        Ok(())
    }
}
