//! What only the host writes: records of its own, tables that a schema declares.
use std::sync::Arc;

use bytes::Bytes;
use weir_store::{Direction, Snapshot};
use weir_value::TableNumber;

use super::Transaction;
use crate::components::Components;
use crate::deployment::TableNumbers;
use crate::keyspace::Namespace;
use crate::write_buffer::Written;
use crate::{DbError, Schemas, keyspace};

/// So many documents are looked at, at once.
const SCAN_ROWS: usize = 1_000;

impl Transaction {
    /// What it reads from, besides its own writes.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot)
    }

    /// The numbers of the tables of schemas; those that are missing are made.
    pub(crate) fn make_tables(
        &mut self,
        schemas: &Schemas,
        components: &Components,
    ) -> Result<TableNumbers, DbError> {
        let mut numbers = TableNumbers::new();
        for (path, schema) in schemas.iter() {
            let Some(namespace) = components.namespace(path) else { continue };
            for name in schema.tables.keys() {
                let number = self.in_namespace(namespace, |tx| tx.table_for_insert(name))?;
                numbers.insert((namespace, name.clone()), number);
            }
        }
        Ok(numbers)
    }

    /// Works with the tables of a component.
    pub(crate) fn in_namespace<R>(
        &mut self,
        namespace: Namespace,
        work: impl FnOnce(&mut Transaction) -> R,
    ) -> R {
        let own = std::mem::replace(&mut self.namespace, namespace);
        let result = work(self);
        self.namespace = own;
        result
    }

    /// Writes a record of the host.
    pub(crate) fn put_record(&mut self, name: &str, value: Bytes) {
        self.writes.put(keyspace::system_record_key(name), Written::Value(value));
    }

    /// Writes a key of the host.
    pub(crate) fn put_key(&mut self, key: Bytes, value: Bytes) {
        self.writes.put(key, Written::Value(value));
    }

    /// Deletes a key of the host.
    pub(crate) fn delete_key(&mut self, key: Bytes) {
        self.writes.put(key, Written::Deleted);
    }

    /// Removes the oldest documents of a system table until `kept` are left of those that were committed.
    pub(crate) fn keep_newest(&mut self, table: TableNumber, kept: usize) -> Result<(), DbError> {
        let all = keyspace::documents(table);
        let rows = self.snapshot.scan(&all.start, &all.end, Direction::Descending, SCAN_ROWS);
        let rows = self.or_unreadable(rows)?;
        for (key, _) in rows.into_iter().skip(kept) {
            if let Some(id) = keyspace::document_in_key(&key) {
                self.delete_system(&id)?;
            }
        }
        Ok(())
    }
}
