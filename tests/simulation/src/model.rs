//! The model: every version of every document, in plain maps.
//!
//! It is told of each commit in the order of timestamps, and answers what was there at any of them. A crash
//! takes the newest commits away again.
//!
//! Not here: what a program does with it (see `replay`), and the host.

use std::collections::BTreeMap;

use bytes::Bytes;
use weir_db::SessionRequest;
use weir_store::Timestamp;
use weir_value::DocumentId;

use crate::documents::Document;
use crate::schemas::SchemaModel;

/// What a session's request came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) ts: Timestamp,
    pub(crate) result: Bytes,
    pub(crate) log_lines: Vec<String>,
}

/// What a transaction writes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// New tables and their numbers.
    pub(crate) tables: BTreeMap<String, u32>,
    pub(crate) documents: BTreeMap<DocumentId, Option<Document>>,
    /// Of session requests; `None` sweeps one away.
    pub(crate) answers: BTreeMap<SessionRequest, Option<Answer>>,
    /// Of the host itself.
    pub(crate) system: BTreeMap<String, Bytes>,
    /// The schema that is in force from here on.
    pub(crate) schema: Option<SchemaModel>,
}

impl Changes {
    /// Whether a function wrote nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.tables.is_empty() && self.documents.is_empty()
    }
}

/// Every version of some keys.
#[derive(Debug)]
struct Versions<K, V>(BTreeMap<K, Vec<(Timestamp, Option<V>)>>);

impl<K, V> Default for Versions<K, V> {
    fn default() -> Self {
        Versions(BTreeMap::new())
    }
}

impl<K: Ord, V> Versions<K, V> {
    fn put(&mut self, key: K, ts: Timestamp, value: Option<V>) {
        self.0.entry(key).or_default().push((ts, value));
    }

    fn get<Q: Ord + ?Sized>(&self, key: &Q, at: Timestamp) -> Option<&V>
    where
        K: std::borrow::Borrow<Q>,
    {
        visible(self.0.get(key)?, at)
    }

    fn iter(&self, at: Timestamp) -> impl Iterator<Item = (&K, &V)> {
        self.0.iter().filter_map(move |(key, chain)| Some((key, visible(chain, at)?)))
    }

    fn truncate(&mut self, last: Timestamp) {
        self.0.retain(|_, chain| {
            chain.truncate(chain.partition_point(|version| version.0 <= last));
            !chain.is_empty()
        });
    }
}

fn visible<V>(chain: &[(Timestamp, Option<V>)], at: Timestamp) -> Option<&V> {
    let newest = match chain.last() {
        Some(last) if last.0 <= at => Some(last),
        _ => chain[..chain.partition_point(|version| version.0 <= at)].last(),
    };
    newest?.1.as_ref()
}

/// What has been committed.
#[derive(Debug, Default)]
pub(crate) struct Model {
    commits: Vec<Timestamp>,
    tables: Versions<String, u32>,
    documents: Versions<DocumentId, Document>,
    answers: Versions<SessionRequest, Answer>,
    system: Versions<String, Bytes>,
    /// From which commit on, oldest first.
    schemas: Vec<(Timestamp, SchemaModel)>,
    /// Before the first deployment.
    no_schema: SchemaModel,
}

/// The number of the first table.
const TABLE_NUMBER_FIRST: u32 = 10_001;

impl Model {
    /// The newest commit; zero before the first.
    pub(crate) fn last(&self) -> Timestamp {
        self.commits.last().copied().unwrap_or(Timestamp::ZERO)
    }

    /// Whether something was committed at this timestamp; the beginning counts.
    pub(crate) fn has_commit(&self, ts: Timestamp) -> bool {
        ts == Timestamp::ZERO || self.commits.binary_search(&ts).is_ok()
    }

    /// How many commits there are after the first timestamp up to the second.
    pub(crate) fn commits_between(&self, after: Timestamp, up_to: Timestamp) -> u64 {
        let count = |ts: Timestamp| self.commits.partition_point(|commit| *commit <= ts);
        count(up_to).saturating_sub(count(after)) as u64
    }

    /// The commit that follows.
    pub(crate) fn next_commit(&self, after: Timestamp) -> Option<Timestamp> {
        self.commits.get(self.commits.partition_point(|commit| *commit <= after)).copied()
    }

    /// Some commit, chosen by a number.
    pub(crate) fn some_commit(&self, number: u64) -> Timestamp {
        match self.commits.len() {
            0 => Timestamp::ZERO,
            len => self.commits[usize::try_from(number % len as u64).unwrap_or(0)],
        }
    }

    /// Adds a commit that is newer than all.
    pub(crate) fn commit(&mut self, ts: Timestamp, changes: Changes) {
        self.commits.push(ts);
        for (name, number) in changes.tables {
            self.tables.put(name, ts, Some(number));
        }
        for (key, document) in changes.documents {
            let document = document.map(|document| document.committed(&key, ts));
            self.documents.put(key, ts, document);
        }
        for (request, answer) in changes.answers {
            self.answers.put(request, ts, answer);
        }
        for (name, value) in changes.system {
            self.system.put(name, ts, Some(value));
        }
        self.schemas.extend(changes.schema.map(|schema| (ts, schema)));
    }

    /// Takes away what is newer, as a crash does.
    pub(crate) fn truncate(&mut self, last: Timestamp) {
        self.commits.retain(|commit| *commit <= last);
        self.tables.truncate(last);
        self.documents.truncate(last);
        self.answers.truncate(last);
        self.system.truncate(last);
        self.schemas.retain(|(ts, _)| *ts <= last);
    }

    pub(crate) fn table(&self, name: &str, at: Timestamp) -> Option<u32> {
        self.tables.get(name, at).copied()
    }

    pub(crate) fn tables(&self, at: Timestamp) -> impl Iterator<Item = (&String, &u32)> {
        self.tables.iter(at)
    }

    /// The table of this number.
    pub(crate) fn table_of(&self, number: u32, at: Timestamp) -> Option<&str> {
        self.tables(at).find(|(_, other)| **other == number).map(|(name, _)| name.as_str())
    }

    /// The number of the next table that is made.
    pub(crate) fn next_table_number(&self, at: Timestamp) -> u32 {
        self.tables(at).map(|(_, number)| number + 1).max().unwrap_or(TABLE_NUMBER_FIRST)
    }

    /// Those of these tables that are not there, with the numbers that they get, in their order.
    pub(crate) fn numbers_for<'a>(
        &self,
        names: impl Iterator<Item = &'a str>,
        at: Timestamp,
    ) -> BTreeMap<String, u32> {
        let missing = names.filter(|name| self.table(name, at).is_none()).map(str::to_owned);
        missing.zip(self.next_table_number(at)..).collect()
    }

    /// What is in force.
    pub(crate) fn schema(&self, at: Timestamp) -> &SchemaModel {
        let newest = self.schemas.iter().rev().find(|(ts, _)| *ts <= at);
        newest.map_or(&self.no_schema, |(_, schema)| schema)
    }

    /// Whether a deployment came into force with this commit.
    pub(crate) fn is_deployment(&self, ts: Timestamp) -> bool {
        self.schemas.iter().any(|(from, _)| *from == ts)
    }

    /// A record of the host.
    pub(crate) fn record(&self, name: &str, at: Timestamp) -> Option<&Bytes> {
        self.system.get(name, at)
    }

    /// What a document was at this moment and later.
    pub(crate) fn versions(&self, id: &DocumentId, since: Timestamp) -> impl Iterator<Item = &Document> {
        let chain = self.documents.0.get(id).map_or(&[][..], Vec::as_slice);
        let later =
            chain.iter().filter(move |(ts, _)| *ts > since).filter_map(|(_, document)| document.as_ref());
        visible(chain, since).into_iter().chain(later)
    }

    pub(crate) fn document(&self, id: &DocumentId, at: Timestamp) -> Option<&Document> {
        self.documents.get(id, at)
    }

    /// Whether a document has this id, or had it.
    pub(crate) fn knows(&self, id: &DocumentId) -> bool {
        self.documents.0.contains_key(id)
    }

    /// All documents, in the order of their ids, which is that of the store's keys.
    pub(crate) fn documents(&self, at: Timestamp) -> impl Iterator<Item = (&DocumentId, &Document)> {
        self.documents.iter(at)
    }

    pub(crate) fn answer(&self, request: &SessionRequest, at: Timestamp) -> Option<&Answer> {
        self.answers.get(request, at)
    }

    pub(crate) fn answers(&self, at: Timestamp) -> impl Iterator<Item = (&SessionRequest, &Answer)> {
        self.answers.iter(at)
    }

    pub(crate) fn system(&self, at: Timestamp) -> impl Iterator<Item = (&String, &Bytes)> {
        self.system.iter(at)
    }
}
