//! What a call read and wrote, in the words of its function: tables, ids, creation times. For tests of functions.
//!
//! Costs what no call in service should pay; nothing else in this room uses it.
use std::sync::Arc;

use bytes::Bytes;
use weir_store::Snapshot;
use weir_value::{CreationTime, DocumentId, TableNumber};

use crate::{Call, Database, KeyRange, MutationOutcome, QueryOutcome, ReadSet, keyspace};

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
    /// Single documents first, then ranges, each in the order of their keys.
    pub reads: Vec<Read>,
    /// In the order of tables and creation times; empty if the call failed.
    pub writes: Vec<Written>,
}

impl Database {
    /// As [`Database::query`], with what the query read.
    pub fn query_traced(&self, call: &Call, at: impl Into<Arc<Snapshot>>) -> (QueryOutcome, Trace) {
        let outcome = self.query(call, at);
        let reads = self.describe_reads(&outcome.read_set);
        (outcome, Trace { reads, writes: Vec::new() })
    }

    /// Runs a mutation in the serial lane, with what it read and wrote.
    pub fn mutation_traced(&self, call: &Call) -> (MutationOutcome, Trace) {
        let mut read_set = ReadSet::default();
        let mut written = Vec::new();
        let outcome = self.mutation_observed(call, &mut |tx| {
            read_set = tx.reads().to_read_set();
            written = tx.writes().iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        });
        if outcome.result.is_err() {
            written.clear();
        }
        let trace = Trace { reads: self.describe_reads(&read_set), writes: self.describe_writes(written) };
        (outcome, trace)
    }

    fn describe_reads(&self, read_set: &ReadSet) -> Vec<Read> {
        let tables = TableNames(self.store().snapshot_sequenced());
        let points = read_set.points().iter().filter_map(|key| describe_point(&tables, key));
        points.chain(read_set.ranges().iter().filter_map(|range| describe_range(&tables, range))).collect()
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
        let name = self.0.get(&keyspace::table_number_key(table)).ok()??;
        String::from_utf8(name.to_vec()).ok()
    }
}

fn describe_point(tables: &TableNames, key: &[u8]) -> Option<Read> {
    if let Some(id) = keyspace::document_in_key(key) {
        return Some(Read::Document { table: tables.name(id.table)?, id });
    }
    // A table's name is read only while there is no such table: all of it is what was not there.
    let table = keyspace::table_in_key(key)?.to_owned();
    Some(Read::Range { table, from_ms: None, to_ms: None })
}

fn describe_range(tables: &TableNames, range: &KeyRange) -> Option<Read> {
    let (number, from) = keyspace::place_among_documents(&range.start)?;
    let to = keyspace::place_among_documents(&range.end).filter(|(other, _)| *other == number);
    Some(Read::Range {
        table: tables.name(number)?,
        from_ms: from.map(CreationTime::as_f64),
        to_ms: to.and_then(|(_, time)| time).map(CreationTime::as_f64),
    })
}
