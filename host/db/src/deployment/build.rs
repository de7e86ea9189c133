//! The work of a deployment, batch by batch: building an index, checking the documents of a table.
use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use weir_store::{Direction, Snapshot, Write};
use weir_value::{CreationTime, DocumentId, ErrorCode, TableNumber, Timestamp, Validator, Value, json};

use super::DeploymentError;
use crate::committer::Gate;
use crate::index::{Index, IndexState, Registry};
use crate::keyspace::{self, IndexNumber, Namespace};
use crate::transaction::{ReadSetBuilder, without_host_fields};
use crate::{Database, DbError, KeyRange};

/// A batch reads no more documents than this,
const BATCH_ROWS_MAX: usize = 1_024;
/// and begins with so many, whose size is not known.
const BATCH_ROWS_FIRST: usize = 64;
/// What a batch of documents should have together.
const BATCH_BYTES: usize = 2 * 1024 * 1024;

/// What a batch has done.
pub(super) struct Step {
    pub(super) documents: u64,
    pub(super) is_done: bool,
}

/// How many rows the next batch reads.
struct BatchSize {
    next: usize,
    max: usize,
}

impl Default for BatchSize {
    fn default() -> BatchSize {
        BatchSize { next: BATCH_ROWS_FIRST, max: BATCH_ROWS_MAX }
    }
}

impl BatchSize {
    fn at_most(rows: usize) -> BatchSize {
        let max = rows.clamp(1, BATCH_ROWS_MAX);
        BatchSize { next: BATCH_ROWS_FIRST.min(max), max }
    }

    fn learn(&mut self, rows: &[(Bytes, Bytes)]) {
        let bytes: usize = rows.iter().map(|(_, document)| document.len()).sum();
        let row_bytes = (bytes / rows.len().max(1)).max(1);
        self.next = (BATCH_BYTES / row_bytes).clamp(1, self.max);
    }
}

/// An index that is being built.
pub(super) struct IndexBuild {
    index: Arc<Index>,
    size: BatchSize,
}

impl IndexBuild {
    pub(super) fn new(index: Arc<Index>) -> IndexBuild {
        IndexBuild { index, size: BatchSize::default() }
    }

    pub(super) fn limit_batches(&mut self, rows: usize) {
        self.size = BatchSize::at_most(rows);
    }

    /// Adds the next documents. Optimistic, as mutations are: what was written meanwhile is read again behind the gate.
    pub(super) fn step(&mut self, db: &Database) -> Result<Step, DeploymentError> {
        let opened = db.committer.open();
        let batch = self.read(&opened.snapshot)?;
        self.commit_checked(db, batch, opened.snapshot.ts())
    }

    /// Commits a batch that was read at `read_at`, or one that is read anew.
    fn commit_checked(
        &mut self,
        db: &Database,
        batch: Batch,
        read_at: Timestamp,
    ) -> Result<Step, DeploymentError> {
        let mut gate = db.committer.enter();
        let mut reads = ReadSetBuilder::default();
        reads.add_range(batch.covered.clone());
        // Somebody else may build the same index: a deployment that declares one that was staged until now.
        reads.add_point(keyspace::index_progress_key(self.index.number), None);
        let batch = match gate.check(&reads, read_at) {
            Ok(()) => batch,
            Err(_) => self.read(&db.committer.open().snapshot)?,
        };
        let (step, pause) = self.commit(db, &mut gate, batch)?;
        drop(gate);
        db.shared.env.sleep(pause);
        Ok(step)
    }

    fn read(&mut self, snapshot: &Snapshot) -> Result<Batch, DeploymentError> {
        let mut covered = keyspace::documents(self.index.table);
        let progress = snapshot.get(&keyspace::index_progress_key(self.index.number))?;
        if let Some(progress) = progress {
            covered.start = keyspace::successor(&progress);
        }
        let rows = snapshot.scan(&covered.start, &covered.end, Direction::Ascending, self.size.next)?;
        let is_done = rows.len() < self.size.next;
        self.size.learn(&rows);
        let last = match (is_done, rows.last()) {
            (false, Some((last, _))) => {
                covered.end = keyspace::successor(last);
                Bytes::copy_from_slice(last)
            }
            // Behind every document there can be.
            _ => covered.end.clone(),
        };
        let mut writes = Vec::with_capacity(rows.len() + 1);
        for (key, document) in &rows {
            writes.push(Write { key: self.entry_key(key, document)?, value: Some(Bytes::new()) });
        }
        writes.push(Write { key: keyspace::index_progress_key(self.index.number), value: Some(last) });
        Ok(Batch { covered, writes, documents: rows.len() as u64, is_done })
    }

    fn entry_key(&self, key: &[u8], document: &[u8]) -> Result<Bytes, DeploymentError> {
        let id = keyspace::document_in_key(key).ok_or_else(damaged)?;
        let document = json::parse_object(document).map_err(|_| damaged())?;
        Ok(self.index.entry_key(&id, &document))
    }

    /// Gives also how long to pause, without the gate.
    fn commit(
        &self,
        db: &Database,
        gate: &mut Gate<'_>,
        batch: Batch,
    ) -> Result<(Step, Duration), DeploymentError> {
        let current = db.deployments.newest();
        let rules = current.registry.table(self.index.table);
        if !rules.is_some_and(|rules| rules.indexes.iter().any(|index| index.number == self.index.number)) {
            return Err(DeploymentError::Superseded);
        }
        let pause = gate.sequence_plain(batch.writes)?.pause;
        Ok((Step { documents: batch.documents, is_done: batch.is_done }, pause))
    }
}

struct Batch {
    /// The documents that were looked at.
    covered: KeyRange,
    writes: Vec<Write>,
    documents: u64,
    is_done: bool,
}

/// A table whose documents are being checked. What is written meanwhile is checked by its transaction.
pub(super) struct Validation {
    namespace: Namespace,
    table_name: String,
    validator: Arc<Validator>,
    rest: KeyRange,
    size: BatchSize,
}

impl Validation {
    pub(super) fn new(
        table: TableNumber,
        namespace: Namespace,
        table_name: String,
        validator: Arc<Validator>,
    ) -> Validation {
        let rest = keyspace::documents(table);
        Validation { namespace, table_name, validator, rest, size: BatchSize::default() }
    }

    pub(super) fn limit_batches(&mut self, rows: usize) {
        self.size = BatchSize::at_most(rows);
    }

    pub(super) fn step(&mut self, db: &Database) -> Result<Step, DeploymentError> {
        let opened = db.committer.open();
        let snapshot = &opened.snapshot;
        let rows = snapshot.scan(&self.rest.start, &self.rest.end, Direction::Ascending, self.size.next)?;
        let is_done = rows.len() < self.size.next;
        self.size.learn(&rows);
        let unreadable = RefCell::new(None);
        let tables = |number| match db.shared.catalog.read_name(number, snapshot) {
            Ok(named) => named.filter(|(namespace, _)| *namespace == self.namespace).map(|(_, name)| name),
            Err(error) => {
                unreadable.replace(Some(error));
                None
            }
        };
        for (key, document) in &rows {
            let id = keyspace::document_in_key(key).ok_or_else(damaged)?;
            let document = json::parse_object(document).map_err(|_| damaged())?;
            let checked = self.validator.check(&Value::Object(without_host_fields(document)), &tables);
            if let Some(error) = unreadable.take() {
                return Err(error.into());
            }
            checked.map_err(|error| DeploymentError::DocumentMismatch {
                table: self.table_name.clone(),
                id: id.to_string(),
                reason: error.to_string(),
            })?;
        }
        if let Some((last, _)) = rows.last() {
            self.rest.start = keyspace::successor(last);
        }
        Ok(Step { documents: rows.len() as u64, is_done })
    }
}

impl Database {
    /// The indexes that hold every document of their table.
    pub(super) fn built_indexes(
        &self,
        registry: &Registry,
        snapshot: &Snapshot,
    ) -> Result<Vec<IndexNumber>, DeploymentError> {
        let mut built = Vec::new();
        for index in registry.indexes() {
            if index.state == IndexState::Ready || is_built(index, snapshot)? {
                built.push(index.number);
            }
        }
        Ok(built)
    }
}

/// Whether the last batch of an index has been committed.
pub(super) fn is_built(index: &Index, snapshot: &Snapshot) -> Result<bool, DeploymentError> {
    let progress = snapshot.get(&keyspace::index_progress_key(index.number))?;
    Ok(progress.is_some_and(|progress| progress >= keyspace::documents(index.table).end))
}

/// The id of a document that is about to be inserted.
pub(super) fn unsaved_id() -> DocumentId {
    DocumentId { table: crate::system_tables::INDEXES, creation_time: CreationTime::ZERO, random: [0; 8] }
}

fn damaged() -> DbError {
    DbError::new(
        ErrorCode::StorageFailed,
        "a stored document is damaged; restore the data folder from a backup",
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use weir_value::Schema;

    use super::*;
    use crate::testing::World;

    /// A world with documents, and an index that has begun to be kept.
    fn begun(documents: u32) -> (World, Vec<String>, Arc<Index>) {
        let world = World::forgetful();
        let insert = |n| world.write(|tx| tx.insert("t", format!(r#"{{"n":{n}}}"#).as_bytes()));
        let ids = (0..documents).map(insert).collect();
        let index = json!([{ "indexDescriptor": "by_n", "fields": ["n"] }]);
        let schema =
            Schema::from_json(&json!({ "tables": [{ "tableName": "t", "indexes": index }] })).unwrap();
        world.db.prepare(schema).unwrap();
        let index = world.db.deployments.newest().registry.indexes().next().unwrap().clone();
        (world, ids, index)
    }

    #[test]
    fn what_is_written_between_the_two_looks_of_a_batch_is_seen() {
        let (world, ids, index) = begun(5);
        let mut build = IndexBuild::new(index);
        let opened = world.db.committer.open();
        let early = build.read(&opened.snapshot).unwrap();
        world.write(|tx| {
            tx.delete(None, &ids[0])?;
            tx.patch(None, &ids[1], br#"{"n":10}"#)?;
            tx.insert("t", br#"{"n":11}"#)
        });
        let step = build.commit_checked(&world.db, early, opened.snapshot.ts()).unwrap();
        assert_eq!((step.documents, step.is_done), (5, true));
        let found = crate::check(&world.db.store().snapshot_sequenced()).unwrap();
        assert_eq!((found.problem_count, found.index_entries), (0, 5));
    }

    #[test]
    fn of_two_builders_none_takes_back_what_the_other_has_done() {
        let (world, _, index) = begun(100);
        let [mut one, mut other] = [(); 2].map(|()| IndexBuild::new(index.clone()));
        let opened = world.db.committer.open();
        let early = one.read(&opened.snapshot).unwrap();
        while !other.step(&world.db).unwrap().is_done {}
        let late = one.commit_checked(&world.db, early, opened.snapshot.ts()).unwrap();
        assert_eq!((late.documents, late.is_done), (0, true), "the other has come to the end");
        assert!(is_built(&index, &world.db.committer.open().snapshot).unwrap());
        world.assert_sound();
    }
}
