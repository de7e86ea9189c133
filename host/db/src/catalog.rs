//! The tables that are known without asking the store.
//!
//! A cache and no truth: a table is created by writing its two catalog keys in a transaction. Tables are never
//! removed or renumbered, so an entry that was once read stays right for every snapshot that is not older than
//! the one it was read at. An older snapshot asks the store.
use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;
use weir_store::{Direction, Snapshot};
use weir_value::{TableNumber, Timestamp};

use crate::{DbOpenError, keyspace};

const SCAN_ROWS: usize = 1_000;

#[derive(Default)]
pub(crate) struct Catalog {
    tables: RwLock<Tables>,
}

#[derive(Default)]
struct Tables {
    by_name: HashMap<Arc<str>, Seen<TableNumber>>,
    by_number: HashMap<TableNumber, Seen<Arc<str>>>,
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
        let mut rest = keyspace::table_numbers();
        loop {
            let rows = snapshot.scan(&rest.start, &rest.end, Direction::Ascending, SCAN_ROWS)?;
            for (key, name) in &rows {
                let number = keyspace::number_in_key(key)
                    .ok_or_else(|| DbOpenError::Catalog(format!("{key:?} is no key of a table")))?;
                let name = std::str::from_utf8(name).map_err(|_| {
                    DbOpenError::Catalog(format!("the name of table {} is no text", number.0))
                })?;
                catalog.remember(name, number, snapshot.ts());
            }
            match rows.last() {
                Some((last, _)) if rows.len() == SCAN_ROWS => rest.start = keyspace::successor(last),
                _ => return Ok(catalog),
            }
        }
    }

    /// The table's number, if it is known to exist at this snapshot.
    pub(crate) fn number(&self, name: &str, at: Timestamp) -> Option<TableNumber> {
        let tables = self.tables.read();
        tables.by_name.get(name).filter(|seen| seen.at <= at).map(|seen| seen.entry)
    }

    /// The table's name, if it is known to exist at this snapshot.
    pub(crate) fn name(&self, number: TableNumber, at: Timestamp) -> Option<Arc<str>> {
        let tables = self.tables.read();
        tables.by_number.get(&number).filter(|seen| seen.at <= at).map(|seen| seen.entry.clone())
    }

    /// Keeps what the snapshot of this moment says.
    pub(crate) fn remember(&self, name: &str, number: TableNumber, at: Timestamp) {
        let name: Arc<str> = name.into();
        let mut tables = self.tables.write();
        let by_name = tables.by_name.entry(name.clone()).or_insert(Seen { entry: number, at });
        by_name.at = by_name.at.min(at);
        let by_number = tables.by_number.entry(number).or_insert(Seen { entry: name, at });
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
        catalog.remember("users", TableNumber(10_001), at(50));
        assert_eq!(catalog.number("users", at(49)), None);
        assert_eq!(catalog.name(TableNumber(10_001), at(49)), None);
        assert_eq!(catalog.number("users", at(50)), Some(TableNumber(10_001)));
        catalog.remember("users", TableNumber(10_001), at(20));
        catalog.remember("users", TableNumber(10_001), at(90));
        assert_eq!(catalog.number("users", at(20)), Some(TableNumber(10_001)));
        assert_eq!(catalog.name(TableNumber(10_001), at(20)).as_deref(), Some("users"));
        assert_eq!(catalog.number("rooms", at(90)), None);
    }
}
