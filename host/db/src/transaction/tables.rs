//! Tables as a transaction sees them: names to numbers and back, and their creation by the first insert.
//!
//! A table that is found is never recorded as read, because it can neither vanish nor change its number. One that is
//! missing is recorded: whoever creates it wakes, or conflicts with, those who missed it.
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use weir_store::Direction;
use weir_value::limits::TABLES_MAX;
use weir_value::{ErrorCode, IdTables, TableNumber};

use super::Transaction;
use crate::keyspace::{self, Namespace};
use crate::system_tables::APP_TABLE_FIRST;
use crate::write_buffer::Written;
use crate::{DbError, KeyRange};

/// A table of the catalog, which stays what it is.
pub(super) struct SeenTable {
    number: TableNumber,
    namespace: Namespace,
    name: Arc<str>,
}

impl Transaction {
    /// The number of a table, if it exists.
    pub(super) fn table_number(&mut self, name: &str) -> Result<Option<TableNumber>, DbError> {
        let at = self.snapshot.ts();
        let namespace = self.namespace;
        if let Some(number) = self.shared.catalog.number(namespace, name, at) {
            return Ok(Some(number));
        }
        let Some((value, own)) = self.read_catalog(keyspace::table_name_key(namespace, name))? else {
            return Ok(None);
        };
        let number = keyspace::number_in_value(&value).ok_or_else(damaged)?;
        if !own {
            self.shared.catalog.remember(namespace, name, number, at);
        }
        Ok(Some(number))
    }

    /// The names of the app's tables, in their order, without the host's own. Whoever asks depends on which there are.
    ///
    /// # Errors
    /// The limits: it counts as one range read, and each name as a document.
    pub fn table_names(&mut self) -> Result<Vec<String>, DbError> {
        self.count_host_call()?;
        let counted = self.usage.add_range();
        self.or_poison(counted)?;
        let all = keyspace::table_names(self.namespace);
        let rows = self.snapshot.scan(&all.start, &all.end, Direction::Ascending, TABLES_MAX + 1);
        let rows = self.or_unreadable(rows)?;
        let own = self.writes.range(&all).filter(|(_, written)| written.value().is_some());
        let keys: BTreeSet<Bytes> =
            rows.into_iter().map(|(key, _)| key).chain(own.map(|(key, _)| key.clone())).collect();
        self.reads.add_range(all);
        let mut names = Vec::with_capacity(keys.len());
        for key in keys {
            let counted = self.usage.add_read(key.len());
            self.or_poison(counted)?;
            names.extend(keyspace::table_in_key(&key).map(|(_, name)| name.to_owned()));
        }
        Ok(names)
    }

    /// The name of a table, if it exists in the transaction's namespace.
    pub(super) fn table_name(&mut self, number: TableNumber) -> Result<Option<Arc<str>>, DbError> {
        let at = self.snapshot.ts();
        if self.last_table.as_ref().is_none_or(|table| table.number != number) {
            // A copy: everybody who counts references to the catalog's own would wait for each other.
            let table =
                |(namespace, name): (_, Arc<str>)| SeenTable { number, namespace, name: name[..].into() };
            self.last_table = self.shared.catalog.name(number, at).map(table);
        }
        if let Some(SeenTable { namespace, name, .. }) = &self.last_table {
            return Ok((*namespace == self.namespace).then(|| Arc::clone(name)));
        }
        let Some((value, own)) = self.read_catalog(keyspace::table_number_key(number))? else {
            return Ok(None);
        };
        let (namespace, name) = keyspace::table_in_value(&value).ok_or_else(damaged)?;
        if !own {
            self.shared.catalog.remember(namespace, name, number, at);
        }
        Ok((namespace == self.namespace).then(|| name.into()))
    }

    /// An entry of the catalog, and whether this transaction wrote it.
    fn read_catalog(&mut self, key: Bytes) -> Result<Option<(Bytes, bool)>, DbError> {
        if let Some(written) = self.writes.get(&key) {
            return Ok(written.value().map(|value| (value.clone(), true)));
        }
        let stored = self.snapshot.get(&key);
        let stored = self.or_unreadable(stored)?;
        if stored.is_none() {
            self.reads.add_point(key, None);
        }
        Ok(stored.map(|value| (value, false)))
    }

    /// The number of a table that is created if it is missing.
    pub(super) fn table_for_insert(&mut self, name: &str) -> Result<TableNumber, DbError> {
        if let Some(number) = self.table_number(name)? {
            return Ok(number);
        }
        let number = self.next_table_number()?;
        if number.0 - APP_TABLE_FIRST >= TABLES_MAX as u32 {
            let message = format!("Table `{name}` cannot be created: there are {TABLES_MAX} tables already.");
            return Err(DbError::new(ErrorCode::TooManyTables, message));
        }
        let entry = Bytes::copy_from_slice(&number.0.to_be_bytes());
        self.writes.put(keyspace::table_name_key(self.namespace, name), Written::Value(entry));
        let entry = keyspace::table_value(self.namespace, name);
        self.writes.put(keyspace::table_number_key(number), Written::Value(entry));
        Ok(number)
    }

    /// One more than the highest. Reading the highest is recorded, so that two transactions that create tables
    /// conflict.
    fn next_table_number(&mut self) -> Result<TableNumber, DbError> {
        let all = keyspace::table_numbers();
        let rows = self.snapshot.scan(&all.start, &all.end, Direction::Descending, 1);
        let committed = self.or_unreadable(rows)?.pop().map(|(key, _)| key);
        let read_from = committed.clone().unwrap_or_else(|| all.start.clone());
        self.reads.add_range(KeyRange { start: read_from, end: all.end.clone() });
        let own = self.writes.range(&all).next_back().map(|(key, _)| key.clone());
        match committed.max(own) {
            None => Ok(TableNumber(APP_TABLE_FIRST)),
            Some(key) => {
                let highest = keyspace::number_in_key(&key).ok_or_else(damaged)?;
                Ok(TableNumber(highest.0.saturating_add(1).max(APP_TABLE_FIRST)))
            }
        }
    }
}

fn damaged() -> DbError {
    DbError::new(
        ErrorCode::StorageFailed,
        "The catalog of tables is damaged; restore the data folder from a backup.",
    )
}

/// A transaction's tables, for validators: what they look up is read by the transaction.
///
/// Where the store cannot be read a table seems missing, and the transaction is poisoned.
pub(crate) struct SeenTables<'a> {
    transaction: RefCell<&'a mut Transaction>,
}

impl<'a> SeenTables<'a> {
    pub(crate) fn new(transaction: &'a mut Transaction) -> Self {
        SeenTables { transaction: RefCell::new(transaction) }
    }
}

impl IdTables for SeenTables<'_> {
    fn table_name(&self, number: TableNumber) -> Option<Arc<str>> {
        self.transaction.borrow_mut().table_name(number).ok().flatten()
    }
}
