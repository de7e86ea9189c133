//! The tables that are known without asking the store.
//!
//! A cache and no truth: a table is created by writing its two catalog keys in a transaction. Tables are never
//! removed or renumbered, so an entry that was once read stays right for every snapshot that is not older than
//! the one it was read at. An older snapshot asks the store.
use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;
use weir_store::{ReadError, Snapshot};
use weir_value::{TableNumber, Timestamp};

use crate::keyspace::{self, Namespace};
use crate::scan_all::scan_all;
use crate::{DbOpenError, system_tables};

#[derive(Default)]
pub(crate) struct Catalog {
    tables: RwLock<Tables>,
}

#[derive(Default)]
struct Tables {
    by_name: HashMap<Namespace, HashMap<Arc<str>, Seen<TableNumber>>>,
    by_number: HashMap<TableNumber, Seen<(Namespace, Arc<str>)>>,
}

struct Seen<T> {
    entry: T,
    /// The oldest snapshot that it was read at.
    at: Timestamp,
}

impl Catalog {
    /// Reads all tables of a snapshot.
    pub(crate) fn load(snapshot: &Snapshot) -> Result<Catalog, DbOpenError> {
        let catalog = Catalog::default();
        scan_all(snapshot, keyspace::table_numbers(), |key, value| {
            let number = keyspace::number_in_key(key)
                .ok_or_else(|| DbOpenError::Catalog(format!("{key:?} is not the key of a table")))?;
            let (namespace, name) = keyspace::table_in_value(value).ok_or_else(|| {
                DbOpenError::Catalog(format!("the name of table {} cannot be read", number.0))
            })?;
            catalog.remember(namespace, name, number, snapshot.ts());
            Ok::<(), DbOpenError>(())
        })?;
        Ok(catalog)
    }

    /// The table's number, if it is known to exist at this snapshot.
    pub(crate) fn number(&self, namespace: Namespace, name: &str, at: Timestamp) -> Option<TableNumber> {
        if let Some(number) = system_tables::number(namespace, name) {
            return Some(number);
        }
        let tables = self.tables.read();
        tables.by_name.get(&namespace)?.get(name).filter(|seen| seen.at <= at).map(|seen| seen.entry)
    }

    /// The table's namespace and name, if it is known to exist at this snapshot.
    pub(crate) fn name(&self, number: TableNumber, at: Timestamp) -> Option<(Namespace, Arc<str>)> {
        if let Some((namespace, name)) = system_tables::name(number) {
            return Some((namespace, name.into()));
        }
        let tables = self.tables.read();
        tables.by_number.get(&number).filter(|seen| seen.at <= at).map(|seen| seen.entry.clone())
    }

    /// As [`Catalog::name`], and asks the snapshot about a table that is not known.
    pub(crate) fn read_name(
        &self,
        number: TableNumber,
        snapshot: &Snapshot,
    ) -> Result<Option<(Namespace, Arc<str>)>, ReadError> {
        if let Some(known) = self.name(number, snapshot.ts()) {
            return Ok(Some(known));
        }
        let entry = snapshot.get(&keyspace::table_number_key(number))?;
        let named = entry.as_deref().and_then(keyspace::table_in_value);
        Ok(named.map(|(namespace, name)| {
            self.remember(namespace, name, number, snapshot.ts());
            (namespace, name.into())
        }))
    }

    /// Keeps what the snapshot at this timestamp says.
    pub(crate) fn remember(&self, namespace: Namespace, name: &str, number: TableNumber, at: Timestamp) {
        let name: Arc<str> = name.into();
        let mut tables = self.tables.write();
        let names = tables.by_name.entry(namespace).or_default();
        let by_name = names.entry(name.clone()).or_insert(Seen { entry: number, at });
        by_name.at = by_name.at.min(at);
        let by_number = tables.by_number.entry(number).or_insert(Seen { entry: (namespace, name), at });
        by_number.at = by_number.at.min(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_snapshot_is_not_told() {
        let catalog = Catalog::default();
        let at = Timestamp::from_nanos;
        let number = |name, ts| catalog.number(Namespace::APP, name, at(ts));
        let name = |ts| catalog.name(TableNumber(10_001), at(ts)).map(|(_, name)| name.to_string());
        catalog.remember(Namespace::APP, "users", TableNumber(10_001), at(50));
        assert_eq!(number("users", 49), None);
        assert_eq!(name(49), None);
        assert_eq!(number("users", 50), Some(TableNumber(10_001)));
        catalog.remember(Namespace::APP, "users", TableNumber(10_001), at(20));
        catalog.remember(Namespace::APP, "users", TableNumber(10_001), at(90));
        assert_eq!(number("users", 20), Some(TableNumber(10_001)));
        assert_eq!(name(20).as_deref(), Some("users"));
        assert_eq!(number("rooms", 90), None);
    }

    #[test]
    fn namespaces_have_names_of_their_own() {
        let catalog = Catalog::default();
        let at = Timestamp::from_nanos(1);
        let part = Namespace(7);
        catalog.remember(Namespace::APP, "users", TableNumber(10_001), at);
        catalog.remember(part, "users", TableNumber(10_002), at);
        assert_eq!(catalog.number(Namespace::APP, "users", at), Some(TableNumber(10_001)));
        assert_eq!(catalog.number(part, "users", at), Some(TableNumber(10_002)));
        assert_eq!(catalog.name(TableNumber(10_002), at), Some((part, "users".into())));
    }
}
