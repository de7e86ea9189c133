//! Reading everything in a database, and saying what does not fit.
//!
//! The store says whether bytes are what was written (see `weir_store::check`); this says whether what was
//! written makes a database: every key is of a known kind, tables have one name and one number, a document is
//! JSON and carries the id of its key, documents, index entries, counts and names of variables agree, request records and
//! admin keys can be read.
//!
//! Not here: repair.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde::Deserialize;
use weir_store::{ReadError, Snapshot};
use weir_value::commit_timestamp::Template;
use weir_value::{ComponentPath, DocumentId, TableNumber, json};

use crate::components;
use crate::crons::CronJob;
use crate::files::FilesCheck;
use crate::index::{Index, IndexState, read_indexes};
use crate::jobs::{JobState, StoredJob};
use crate::keyspace::{self, KeyKind, Namespace};
use crate::scan_all::scan_all;
use crate::session_requests::SessionRecord;
use crate::variables::StoredVariable;
use crate::{AdminKeyRecord, KeyRange, system_tables};

/// More problems than this are counted and not told.
const PROBLEMS_MAX: usize = 100;

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DbCheck {
    /// Documents in all tables.
    pub documents: u64,
    /// Documents of each table, by name; those of a component's with its path before it.
    pub tables: BTreeMap<String, u64>,
    /// Entries of all indexes.
    pub index_entries: u64,
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
    let mut checker = Checker::new(snapshot)?;
    let all = KeyRange { start: Bytes::new(), end: Bytes::from_static(keyspace::END) };
    scan_all(snapshot, all, |key, value| checker.row(key, value))?;
    Ok(checker.finish())
}

struct Checker<'a> {
    snapshot: &'a Snapshot,
    names: BTreeMap<(Namespace, String), TableNumber>,
    numbers: BTreeMap<u32, (Namespace, String)>,
    counts: BTreeMap<u32, u64>,
    documents: BTreeMap<u32, u64>,
    indexes: BTreeMap<u32, CheckedIndex>,
    /// What the names of variables say: where their documents are.
    variable_names: BTreeMap<String, Bytes>,
    /// Where variables' documents are, by the names that they have.
    variables: BTreeMap<String, Bytes>,
    /// When jobs are due, and when they ended, as their keys say.
    due_jobs: BTreeMap<DocumentId, f64>,
    ended_jobs: BTreeMap<DocumentId, f64>,
    /// Which jobs are actions that have begun, as keys say.
    begun_jobs: BTreeSet<DocumentId>,
    /// The same, as their documents say.
    jobs: BTreeMap<DocumentId, StoredJob>,
    /// The cron jobs.
    crons: BTreeMap<DocumentId, CronJob>,
    cron_names: BTreeSet<(TableNumber, String)>,
    /// Where components are mounted, or were, by their namespaces.
    components: BTreeMap<Namespace, ComponentPath>,
    /// The names of the admin keys.
    admin_keys: BTreeSet<String>,
    files: FilesCheck,
    found: DbCheck,
}

/// An index, and what was seen of it.
struct CheckedIndex {
    index: Index,
    /// The last document that it must hold; `None`: it need not hold any.
    built_to: Option<Bytes>,
    /// Documents that have their entry.
    expected: u64,
    entries: u64,
}

/// What every document has.
#[derive(Deserialize)]
struct Identified {
    #[serde(rename = "_id")]
    id: String,
    #[serde(rename = "_creationTime")]
    creation_time: f64,
}

impl<'a> Checker<'a> {
    fn new(snapshot: &'a Snapshot) -> Result<Checker<'a>, ReadError> {
        let mut checker = Checker {
            snapshot,
            names: BTreeMap::new(),
            numbers: BTreeMap::new(),
            counts: BTreeMap::new(),
            documents: BTreeMap::new(),
            indexes: BTreeMap::new(),
            variable_names: BTreeMap::new(),
            variables: BTreeMap::new(),
            due_jobs: BTreeMap::new(),
            ended_jobs: BTreeMap::new(),
            begun_jobs: BTreeSet::new(),
            jobs: BTreeMap::new(),
            crons: BTreeMap::new(),
            cron_names: BTreeSet::new(),
            components: BTreeMap::new(),
            admin_keys: BTreeSet::new(),
            files: FilesCheck::default(),
            found: DbCheck::default(),
        };
        scan_all(snapshot, keyspace::documents(system_tables::COMPONENTS), |_, document| {
            checker.component(document);
            Ok::<(), ReadError>(())
        })?;
        for index in read_indexes(snapshot)? {
            match index {
                Err(problem) => checker.problem(problem),
                Ok(index) => checker.add_index(index)?,
            }
        }
        Ok(checker)
    }

    fn add_index(&mut self, index: Index) -> Result<(), ReadError> {
        let built_to = match index.state {
            IndexState::Ready => Some(keyspace::documents(index.table).end),
            IndexState::Building => self.snapshot.get(&keyspace::index_progress_key(index.number))?,
            IndexState::Dropping => None,
        };
        let number = index.number.0;
        let checked = CheckedIndex { index, built_to, expected: 0, entries: 0 };
        if self.indexes.insert(number, checked).is_some() {
            self.problem(format!("two indexes have the number {number}"));
        }
        Ok(())
    }

    fn row(&mut self, key: &Bytes, value: &Bytes) -> Result<(), ReadError> {
        match keyspace::kind(key) {
            Some(KeyKind::TableName(namespace, name)) => match keyspace::number_in_value(value) {
                Some(number) => drop(self.names.insert((namespace, name.to_owned()), number)),
                None => self.problem(format!("the number of table `{name}` cannot be read")),
            },
            Some(KeyKind::TableNumber(number)) => match keyspace::table_in_value(value) {
                Some((namespace, name)) => {
                    drop(self.numbers.insert(number.0, (namespace, name.to_owned())));
                }
                None => self.problem(format!("the name of table {} cannot be read", number.0)),
            },
            Some(KeyKind::TableCount(number)) => match keyspace::count_in_value(value) {
                Some(count) => drop(self.counts.insert(number.0, count)),
                None => self.problem(format!("the count of table {} cannot be read", number.0)),
            },
            Some(KeyKind::SystemRecord | KeyKind::IndexProgress(_)) => {}
            Some(KeyKind::VariableName(name)) => {
                self.variable_names.insert(name.to_owned(), value.clone());
            }
            Some(KeyKind::DueJob(time, id)) => self.job_key(id, time, true),
            Some(KeyKind::EndedJob(time, id)) => self.job_key(id, time, false),
            Some(KeyKind::BegunJob(id)) => drop(self.begun_jobs.insert(id)),
            Some(KeyKind::File(name)) => self.files.name(name, value),
            Some(KeyKind::FileOfDocument(id)) => self.files.document_name(id, value),
            Some(KeyKind::RemovedFile(name)) => self.files.removed(name),
            Some(KeyKind::Upload) => {}
            Some(KeyKind::Document(id)) => {
                *self.documents.entry(id.table.0).or_default() += 1;
                self.document(&id, value);
                self.variable(&id, value);
                self.admin_key(&id, value);
                self.job(&id, value);
                self.cron(&id, value);
                self.file(&id, value);
                self.entries_of(&id, key, value)?;
            }
            Some(KeyKind::IndexEntry(number)) => {
                self.found.index_entries += 1;
                match self.indexes.get_mut(&number.0) {
                    Some(checked) => checked.entries += 1,
                    None => self.problem(format!("the entry {key:?} is of no index")),
                }
            }
            Some(KeyKind::Request) => {
                self.found.requests += 1;
                if SessionRecord::decode(value.clone()).is_none() {
                    self.problem(format!("the record of the request {key:?} cannot be read"));
                }
            }
            None => self.problem(format!("the key {key:?} is of no known kind")),
        }
        Ok(())
    }

    /// Looks whether a document has its entries.
    fn entries_of(&mut self, id: &DocumentId, key: &Bytes, value: &Bytes) -> Result<(), ReadError> {
        if !self.indexes.values().any(|checked| checked.index.table == id.table) {
            return Ok(());
        }
        // One that cannot be read has been told of.
        let Ok(document) = json::parse_object(value) else { return Ok(()) };
        let mut missing = Vec::new();
        for checked in self.indexes.values_mut().filter(|checked| checked.index.table == id.table) {
            let is_there = self.snapshot.get(&checked.index.entry_key(id, &document))?.is_some();
            match is_there {
                true => checked.expected += 1,
                false if checked.built_to.as_ref().is_some_and(|built_to| key <= built_to) => {
                    missing.push(checked.index.name.clone());
                }
                false => {}
            }
        }
        for index in missing {
            self.problem(format!("the document {id} has no entry in the index `{index}` of its table"));
        }
        Ok(())
    }

    fn variable(&mut self, id: &DocumentId, value: &Bytes) {
        if id.table != system_tables::VARIABLES {
            return;
        }
        match StoredVariable::decode(value) {
            None => self.problem(format!("the variable {id} cannot be read")),
            Some(variable) => {
                let place = keyspace::document_place(id);
                if self.variables.insert(variable.name.clone(), place).is_some() {
                    self.problem(format!("the variable `{}` has two documents", variable.name));
                }
            }
        }
    }

    fn component(&mut self, document: &Bytes) {
        let Some((path, namespace, _)) = components::decode(document) else {
            return self.problem("a document of `_components` cannot be read".to_owned());
        };
        if self.components.values().any(|other| *other == path) {
            self.problem(format!("the component `{path}` has two namespaces"));
        }
        if self.components.insert(namespace, path.clone()).is_some() {
            self.problem(format!("the component `{path}` has the namespace of another"));
        }
    }

    fn job(&mut self, id: &DocumentId, value: &Bytes) {
        if !system_tables::is_kind(id.table, system_tables::SCHEDULED_FUNCTIONS) {
            return;
        }
        match StoredJob::decode(value) {
            Some(job) => drop(self.jobs.insert(*id, job)),
            None => self.problem(format!("the scheduled function {id} cannot be read")),
        }
    }

    fn cron(&mut self, id: &DocumentId, value: &Bytes) {
        if !system_tables::is_kind(id.table, system_tables::CRON_JOBS) {
            return;
        }
        let Some(cron) = CronJob::decode(value) else {
            return self.problem(format!("the cron job {id} cannot be read"));
        };
        if !self.cron_names.insert((id.table, cron.name().to_owned())) {
            self.problem(format!("two cron jobs have the name `{}`", cron.name()));
        }
        self.crons.insert(*id, cron);
    }

    fn file(&mut self, id: &DocumentId, value: &Bytes) {
        if system_tables::is_kind(id.table, system_tables::STORAGE) && !self.files.document(id, value) {
            self.problem(format!("the stored file {id} cannot be read"));
        }
    }

    fn job_key(&mut self, id: DocumentId, time: f64, is_due: bool) {
        let keys = if is_due { &mut self.due_jobs } else { &mut self.ended_jobs };
        if keys.insert(id, time).is_some() {
            self.problem(format!("the scheduled function {id} stands in an order of times twice"));
        }
    }

    /// A job stands in the order that its state says, and in that alone.
    fn finish_jobs(&mut self) {
        let mut begun = std::mem::take(&mut self.begun_jobs);
        let (mut due, mut ended) = (std::mem::take(&mut self.due_jobs), std::mem::take(&mut self.ended_jobs));
        for (id, job) in std::mem::take(&mut self.jobs) {
            let expected = match job.state {
                JobState::Pending => (Some(job.scheduled_time), None, false),
                JobState::InProgress => (None, None, true),
                _ => (None, job.completed_time, false),
            };
            if (due.remove(&id), ended.remove(&id), begun.remove(&id)) != expected {
                self.problem(format!(
                    "the time of the scheduled function {id} does not agree with its document"
                ));
            }
        }
        for (id, cron) in std::mem::take(&mut self.crons) {
            let due_ms = cron.due_ms();
            if (due.remove(&id), begun.remove(&id)) != (due_ms, due_ms.is_none()) {
                self.problem(format!("the time of the cron job {id} does not agree with its document"));
            }
        }
        for id in due.into_keys().chain(ended.into_keys()).chain(begun) {
            self.problem(format!(
                "the time of the scheduled function {id} is there, and its document is not"
            ));
        }
    }

    fn document(&mut self, id: &DocumentId, value: &Bytes) {
        let expected = id.to_string();
        match serde_json::from_slice::<Identified>(value) {
            Err(error) => self.problem(format!("the document {expected} cannot be read: {error}")),
            Ok(found) if found.id != expected => {
                self.problem(format!("the document {expected} says that its id is {}", found.id));
            }
            Ok(found) if found.creation_time != id.creation_time.as_f64() => {
                self.problem(format!("the document {expected} has another creation time than its id"));
            }
            Ok(_) if Template::of_json(value).is_some() => {
                self.problem(format!("the document {expected} waits for the timestamp of its commit"));
            }
            Ok(_) => {}
        }
    }

    fn admin_key(&mut self, id: &DocumentId, value: &Bytes) {
        if id.table != system_tables::ADMIN_KEYS {
            return;
        }
        match AdminKeyRecord::decode(value) {
            None => self.problem(format!("the admin key {id} cannot be read")),
            Some(key) if !self.admin_keys.insert(key.name.clone()) => {
                self.problem(format!("two admin keys have the name `{}`", key.name));
            }
            Some(_) => {}
        }
    }

    fn finish(mut self) -> DbCheck {
        for ((namespace, name), number) in std::mem::take(&mut self.names) {
            if self.numbers.get(&number.0) != Some(&(namespace, name.clone())) {
                self.problem(format!("table `{name}` has the number {}, which is not its own", number.0));
            }
        }
        let documents = std::mem::take(&mut self.documents);
        for (number, count) in &documents {
            self.table(*number, *count);
        }
        let mut counts = std::mem::take(&mut self.counts);
        let bytes = counts.remove(&system_tables::STORAGE_BYTES.0).unwrap_or_default();
        for problem in std::mem::take(&mut self.files).finish(bytes) {
            self.problem(problem);
        }
        for (number, count) in counts {
            let found = documents.get(&number).copied().unwrap_or_default();
            if found != count {
                self.problem(format!("table {number} counts {count} documents and has {found}"));
            }
        }
        let (names, variables) =
            (std::mem::take(&mut self.variable_names), std::mem::take(&mut self.variables));
        for name in names.keys().chain(variables.keys().filter(|name| !names.contains_key(*name))) {
            if names.get(name) != variables.get(name) {
                self.problem(format!("the name of the variable `{name}` does not agree with its document"));
            }
        }
        self.finish_jobs();
        for checked in std::mem::take(&mut self.indexes).into_values() {
            let CheckedIndex { index, expected, entries, .. } = checked;
            if index.state != IndexState::Dropping && entries != expected {
                let name = format!("{}.{}", index.table_name, index.name);
                self.problem(format!(
                    "the index `{name}` has {entries} entries, of which {expected} are of a document"
                ));
            }
        }
        self.found
    }

    fn table(&mut self, number: u32, count: u64) {
        self.found.documents += count;
        if !self.counts.contains_key(&number) {
            self.problem(format!("{count} documents are in table {number}, which counts none"));
        }
        let system = system_tables::name(TableNumber(number)).map(|(owner, name)| (owner, name.to_owned()));
        let Some((owner, name)) = system.or_else(|| self.numbers.get(&number).cloned()) else {
            return self.problem(format!("{count} documents are in table {number}, which has no name"));
        };
        let name = match (owner, self.components.get(&owner)) {
            (Namespace::APP, _) => name,
            (_, Some(component)) => format!("{component}/{name}"),
            (_, None) => {
                return self.problem(format!("{count} documents are in table {number}, of no component"));
            }
        };
        self.found.tables.insert(name, count);
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
        write(&world, keyspace::table_name_key(Namespace::APP, "ghosts"), "\0\0\0\x07");
        write(&world, keyspace::session_requests().start, "");
        let found = checked(&world);
        let told = found.problems.join("\n");
        for part in [&id, "no known kind", "`ghosts` has the number 7", "cannot be read"] {
            assert!(told.contains(part), "{part}: {told}");
        }
        write(&world, key.clone(), r#"{"_id":"another","_creationTime":1}"#);
        assert!(checked(&world).problems.join("\n").contains("says that its id is another"));
        let time = DocumentId::parse(&id).unwrap().creation_time.as_f64();
        write(&world, key, &format!(r#"{{"_id":"{id}","_creationTime":{time},"at":{{"$commitTs":null}}}}"#));
        assert!(checked(&world).problems.join("\n").contains("waits for the timestamp of its commit"));
    }
}
