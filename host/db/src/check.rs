//! Reading everything in a database, and saying what does not fit.
//!
//! The store says whether bytes are what was written (see `weir_store::check`); this says whether what was
//! written makes a database: every key is of a known kind, tables have one name and one number, a document is
//! JSON and carries the id of its key, request records can be read.
//!
//! Not here: repair.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;
use weir_store::{Direction, ReadError, Snapshot};
use weir_value::TableNumber;

use crate::keyspace::{self, KeyKind};
use crate::session_requests::SessionRecord;

const SCAN_ROWS: usize = 1_000;
/// More problems than this are counted and not told.
const PROBLEMS_MAX: usize = 100;

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DbCheck {
    /// Documents in all tables.
    pub documents: u64,
    /// Documents of each table, by name.
    pub tables: BTreeMap<String, u64>,
    /// Answered requests that are kept.
    pub requests: u64,
    /// What is wrong, for people; the first hundred.
    pub problems: Vec<String>,
    /// How many problems there are.
    pub problem_count: u64,
}

/// Reads all that `snapshot` shows.
///
/// # Errors
/// The store cannot be read.
pub fn check(snapshot: &Snapshot) -> Result<DbCheck, ReadError> {
    let mut checker = Checker::default();
    let mut start = Bytes::new();
    loop {
        let rows = snapshot.scan(&start, keyspace::END, Direction::Ascending, SCAN_ROWS)?;
        for (key, value) in &rows {
            checker.row(key, value);
        }
        match rows.last() {
            Some((last, _)) if rows.len() == SCAN_ROWS => start = keyspace::successor(last),
            _ => return Ok(checker.finish()),
        }
    }
}

#[derive(Default)]
struct Checker {
    names: BTreeMap<String, TableNumber>,
    numbers: BTreeMap<u32, String>,
    documents: BTreeMap<u32, u64>,
    found: DbCheck,
}

/// What every document has.
#[derive(Deserialize)]
struct Identified {
    #[serde(rename = "_id")]
    id: String,
    #[serde(rename = "_creationTime")]
    creation_time: f64,
}

impl Checker {
    fn row(&mut self, key: &Bytes, value: &Bytes) {
        match keyspace::kind(key) {
            Some(KeyKind::TableName(name)) => match keyspace::number_in_value(value) {
                Some(number) => drop(self.names.insert(name.to_owned(), number)),
                None => self.problem(format!("the number of table `{name}` cannot be read")),
            },
            Some(KeyKind::TableNumber(number)) => match std::str::from_utf8(value) {
                Ok(name) => drop(self.numbers.insert(number.0, name.to_owned())),
                Err(_) => self.problem(format!("the name of table {} is not text", number.0)),
            },
            Some(KeyKind::SystemRecord) => {}
            Some(KeyKind::Document(id)) => {
                *self.documents.entry(id.table.0).or_default() += 1;
                self.document(&id, value);
            }
            Some(KeyKind::Request) => {
                self.found.requests += 1;
                if SessionRecord::decode(value.clone()).is_none() {
                    self.problem(format!("the record of the request {key:?} cannot be read"));
                }
            }
            None => self.problem(format!("the key {key:?} is of no known kind")),
        }
    }

    fn document(&mut self, id: &weir_value::DocumentId, value: &Bytes) {
        let expected = id.to_string();
        match serde_json::from_slice::<Identified>(value) {
            Err(error) => self.problem(format!("the document {expected} cannot be read: {error}")),
            Ok(found) if found.id != expected => {
                self.problem(format!("the document {expected} says that its id is {}", found.id));
            }
            Ok(found) if found.creation_time != id.creation_time.as_f64() => {
                self.problem(format!("the document {expected} has another creation time than its id"));
            }
            Ok(_) => {}
        }
    }

    fn finish(mut self) -> DbCheck {
        for (name, number) in std::mem::take(&mut self.names) {
            if self.numbers.get(&number.0) != Some(&name) {
                self.problem(format!("table `{name}` has the number {}, which is not its own", number.0));
            }
        }
        for (number, count) in std::mem::take(&mut self.documents) {
            self.found.documents += count;
            match self.numbers.get(&number) {
                Some(name) => drop(self.found.tables.insert(name.clone(), count)),
                None => self.problem(format!("{count} documents are in table {number}, which has no name")),
            }
        }
        self.found
    }

    fn problem(&mut self, what: String) {
        self.found.problem_count += 1;
        if self.found.problems.len() < PROBLEMS_MAX {
            self.found.problems.push(what);
        }
    }
}

#[cfg(test)]
mod tests {
    use weir_store::Write;
    use weir_value::DocumentId;

    use super::*;
    use crate::testing::World;

    fn checked(world: &World) -> DbCheck {
        check(&world.db.committer.store().snapshot_sequenced()).unwrap()
    }

    fn write(world: &World, key: Bytes, value: &str) {
        let write = Write { key, value: Some(Bytes::copy_from_slice(value.as_bytes())) };
        world.db.committer.enter().sequence_plain(vec![write]).unwrap();
    }

    #[test]
    fn what_the_database_writes_is_sound_and_what_others_write_is_not() {
        let world = World::forgetful();
        let id = world.write(|tx| tx.insert("messages", br#"{"text":"hello"}"#)).to_string();
        let sound = checked(&world);
        assert_eq!((sound.documents, sound.tables.get("messages"), sound.problem_count), (1, Some(&1), 0));
        let key = keyspace::document_key(&DocumentId::parse(&id).unwrap());
        write(&world, key.clone(), "{");
        write(&world, Bytes::from_static(&[9, 9]), "");
        write(&world, keyspace::table_name_key("ghosts"), "\0\0\0\x07");
        write(&world, keyspace::session_requests().start, "");
        let found = checked(&world);
        let told = found.problems.join("\n");
        for part in [&id, "no known kind", "`ghosts` has the number 7", "cannot be read"] {
            assert!(told.contains(part), "{part}: {told}");
        }
        write(&world, key, r#"{"_id":"another","_creationTime":1}"#);
        assert!(checked(&world).problems.join("\n").contains("says that its id is another"));
    }
}
