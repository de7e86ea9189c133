//! What only the host writes: records of its own, tables that a schema declares.
use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use weir_store::{Direction, Snapshot};
use weir_value::{Schema, TableNumber};

use super::Transaction;
use crate::write_buffer::Written;
use crate::{DbError, keyspace};

/// So many documents are looked at, at once.
const SCAN_ROWS: usize = 1_000;

impl Transaction {
    /// What it reads from, besides its own writes.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot)
    }

    /// The number of a table, which is made if it is missing.
    pub(crate) fn make_table(&mut self, name: &str) -> Result<TableNumber, DbError> {
        self.table_for_insert(name)
    }

    /// The numbers of a schema's tables, as far as they exist.
    pub(crate) fn numbers_of(&mut self, schema: &Schema) -> Result<BTreeMap<String, TableNumber>, DbError> {
        let mut numbers = BTreeMap::new();
        for name in schema.tables.keys() {
            if let Some(number) = self.table_number(name)? {
                numbers.insert(name.clone(), number);
            }
        }
        Ok(numbers)
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
