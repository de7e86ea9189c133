//! What a call read and wrote, in the words of its function: tables, ids, indexes and values. For tests of functions.
//!
//! Costs what no call in service should pay; nothing else in this room uses it.
use std::sync::Arc;

use bytes::Bytes;
use weir_store::Snapshot;
use weir_value::{CreationTime, DocumentId, TableNumber, Value, sort_key};

use crate::{Call, Database, KeyRange, MutationOutcome, QueryOutcome, ReadSet, keyspace, system_tables};

/// Something that a call's result depends on.
#[derive(Debug, Clone, PartialEq)]
pub enum Read {
    /// One document, whether it was there or not.
    Document {
        /// Its table's name.
        table: String,
        /// Its id.
        id: DocumentId,
    },
    /// A range of one of the table's own indexes, and the absence of other documents in it.
    IndexRange {
        /// The table's name.
        table: String,
        /// The index's name.
        index: String,
        /// The fields' values where the range begins, as many as it says; `None` is `undefined`.
        from: Vec<Option<Value>>,
        /// The fields' values where it ends.
        to: Vec<Option<Value>>,
    },
    /// How many documents a table has.
    Count {
        /// The table's name.
        table: String,
    },
    /// A variable, whether it was there or not.
    Variable {
        /// Its name.
        name: String,
    },
    /// Which variables there are.
    Variables,
    /// Who calls, whether it was somebody or nobody in particular.
    Identity,
    /// The documents of a table that were created in a span of time, and the absence of others.
    Range {
        /// The table's name.
        table: String,
        /// The first creation time, in milliseconds since the epoch; `None`: from the beginning.
        from_ms: Option<f64>,
        /// The creation time at which the range ends; `None`: it does not.
        to_ms: Option<f64>,
    },
}

/// A document that a call wrote.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// Its table's name.
    pub table: String,
    /// Its id.
    pub id: DocumentId,
    /// What it is now, canonical JSON; `None`: it was deleted.
    pub document: Option<Bytes>,
}

/// What a call read and wrote.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Trace {
    /// The identity first, single documents, then ranges, each in the order of their keys.
    pub reads: Vec<Read>,
    /// In the order of tables and creation times; empty if the call failed.
    pub writes: Vec<Written>,
}

impl Database {
    /// As [`Database::query`], with what the query read.
    pub fn query_traced(&self, call: &Call, at: impl Into<Arc<Snapshot>>) -> (QueryOutcome, Trace) {
        let outcome = self.query(call, at);
        let reads = self.describe_reads(&outcome.read_set, outcome.asked_identity);
        (outcome, Trace { reads, writes: Vec::new() })
    }

    /// Runs a mutation in serial execution, with what it read and wrote.
    pub fn mutation_traced(&self, call: &Call) -> (MutationOutcome, Trace) {
        let mut read_set = ReadSet::default();
        let mut asked_identity = false;
        let mut written = Vec::new();
        let outcome = self.mutation_observed(call, &mut |tx| {
            read_set = tx.reads().to_read_set();
            asked_identity = tx.asked_identity();
            written =
                tx.writes().iter().map(|(key, written)| (key.clone(), written.value().cloned())).collect();
        });
        if outcome.result.is_err() {
            written.clear();
        }
        let reads = self.describe_reads(&read_set, asked_identity);
        (outcome, Trace { reads, writes: self.describe_writes(written) })
    }

    fn describe_reads(&self, read_set: &ReadSet, asked_identity: bool) -> Vec<Read> {
        let tables = TableNames(self.store().snapshot_sequenced());
        let points = read_set.points().iter().filter_map(|key| describe_point(&tables, key));
        let identity = asked_identity.then_some(Read::Identity).into_iter();
        identity
            .chain(points)
            .chain(read_set.ranges().iter().filter_map(|range| self.describe_range(&tables, range)))
            .collect()
    }

    fn describe_range(&self, tables: &TableNames, range: &KeyRange) -> Option<Read> {
        if *range == keyspace::variable_names() {
            return Some(Read::Variables);
        }
        let Some(number) = keyspace::index_in_key(&range.start) else {
            return describe_documents(tables, range);
        };
        let deployed = self.deployments.newest();
        let index = deployed.registry.indexes().find(|index| index.number == number)?;
        Some(Read::IndexRange {
            table: index.table_name.to_string(),
            index: index.name.to_string(),
            from: values(&range.start, index.fields.len()),
            to: end_values(&range.end, index.fields.len()),
        })
    }

    fn describe_writes(&self, written: Vec<(Bytes, Option<Bytes>)>) -> Vec<Written> {
        let tables = TableNames(self.store().snapshot_sequenced());
        let describe = |(key, document): (Bytes, Option<Bytes>)| {
            let id = keyspace::document_in_key(&key)?;
            Some(Written { table: tables.name(id.table)?, id, document })
        };
        written.into_iter().filter_map(describe).collect()
    }
}

/// The names of tables, as of now: one that was only made by a call that failed has none.
struct TableNames(Snapshot);

impl TableNames {
    fn name(&self, table: TableNumber) -> Option<String> {
        if let Some((_, name)) = system_tables::name(table) {
            return Some(name.to_owned());
        }
        let value = self.0.get(&keyspace::table_number_key(table)).ok()??;
        keyspace::table_in_value(&value).map(|(_, name)| name.to_owned())
    }
}

fn describe_point(tables: &TableNames, key: &[u8]) -> Option<Read> {
    if let Some(id) = keyspace::document_in_key(key) {
        return Some(Read::Document { table: tables.name(id.table)?, id });
    }
    // A table's name is read only while there is no such table: all of it is what was not there.
    if let Some((_, table)) = keyspace::table_in_key(key) {
        return Some(Read::Range { table: table.to_owned(), from_ms: None, to_ms: None });
    }
    if let Some(name) = keyspace::variable_in_key(key) {
        return Some(Read::Variable { name: name.to_owned() });
    }
    // Which file a document is about: it says when that is gone.
    if let Some(id) = keyspace::document_of_file_in_key(key) {
        return Some(Read::Document { table: tables.name(id.table)?, id });
    }
    Some(Read::Count { table: tables.name(keyspace::table_of_count(key)?)? })
}

/// The values that the key of an entry, or the end of a range, begins with: whole ones, of at most so many fields.
fn values(key: &[u8], fields: usize) -> Vec<Option<Value>> {
    let mut rest = key.get(keyspace::SOURCE_PREFIX_BYTES..).unwrap_or_default();
    let mut values = Vec::new();
    while values.len() < fields
        && let Ok((value, behind)) = sort_key::decode(rest)
    {
        values.push(value);
        rest = behind;
    }
    values
}

/// The same of the end of a range: where it is the key right behind a prefix, the prefix's.
fn end_values(key: &[u8], fields: usize) -> Vec<Option<Value>> {
    let found = values(key, fields);
    match key.split_last() {
        Some((last, before)) if found.is_empty() && *last > 0 => {
            values(&[before, &[last - 1]].concat(), fields)
        }
        _ => found,
    }
}

fn describe_documents(tables: &TableNames, range: &KeyRange) -> Option<Read> {
    let (number, from) = keyspace::place_among_documents(&range.start)?;
    let to = keyspace::place_among_documents(&range.end).filter(|(other, _)| *other == number);
    Some(Read::Range {
        table: tables.name(number)?,
        from_ms: from.map(CreationTime::as_f64),
        to_ms: to.and_then(|(_, time)| time).map(CreationTime::as_f64),
    })
}
