//! Writes down what the clients do and see, by one clock, and makes a history of it.
//!
//! Not here: what any of it means.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::history::{Complaint, History, Kind, Operation, Outcome, Transaction};

use super::expand::{appends, appends_in_vain, operations};
use super::known::Known;
use super::plan::Planned;
use super::step::Seen;

/// Shared by all clients.
#[derive(Debug)]
pub struct Recorder {
    origin: Instant,
    sessions: AtomicU32,
    records: Mutex<Records>,
}

#[derive(Debug, Default)]
struct Records {
    transactions: Vec<Record>,
    complaints: Vec<Complaint>,
}

#[derive(Debug)]
struct Record {
    kind: Kind,
    outcome: Outcome,
    session: u32,
    sequence: u32,
    started_ns: u64,
    ended_ns: Option<u64>,
    ts: Option<u64>,
    /// What was asked, of a mutation.
    planned: Option<Planned>,
    /// What came back. A live query's part is shared by all transitions in which it did not change.
    seen: Vec<Arc<Vec<Seen>>>,
}

/// A mutation that was begun.
#[derive(Debug, Clone, Copy)]
pub struct Begun(usize);

impl Default for Recorder {
    fn default() -> Self {
        Recorder {
            origin: Instant::now(),
            sessions: AtomicU32::new(0),
            records: Mutex::new(Records::default()),
        }
    }
}

impl Recorder {
    /// Nanoseconds since the run began.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.origin.elapsed().as_nanos() as u64
    }

    /// A new session's number.
    pub fn session(&self) -> u32 {
        self.sessions.fetch_add(1, Ordering::Relaxed)
    }

    /// A mutation is about to be sent for the first time. Until it is answered, its outcome is unknown; but one that
    /// is planned to fail must fail.
    pub fn begin(&self, session: u32, sequence: u32, planned: Planned) -> Begun {
        let outcome = if planned.fails { Outcome::Aborted } else { Outcome::Unknown };
        let record =
            Record { outcome, planned: Some(planned), ..self.record(Kind::Mutation, session, sequence) };
        let mut records = self.records.lock().expect("unpoisoned");
        records.transactions.push(record);
        Begun(records.transactions.len() - 1)
    }

    /// A mutation that writes nothing is sent again. The host keeps no record of those, so it runs again, perhaps after
    /// later ones of its session: it has no place in the session's order.
    pub fn detach(&self, begun: Begun) {
        self.records.lock().expect("unpoisoned").transactions[begun.0].session = self.session();
    }

    /// A mutation was answered.
    pub fn commit(&self, begun: Begun, ts: Option<u64>, seen: Vec<Seen>) {
        let ended = self.now();
        let mut records = self.records.lock().expect("unpoisoned");
        let record = &mut records.transactions[begun.0];
        (record.outcome, record.ended_ns, record.ts) = (Outcome::Committed, Some(ended), ts);
        record.seen = vec![Arc::new(seen)];
    }

    /// A query was answered that was asked at `started_ns`.
    pub fn query(&self, session: u32, sequence: u32, started_ns: u64, ts: Option<u64>, seen: Vec<Seen>) {
        let record = self.record(Kind::Query, session, sequence);
        let ended_ns = Some(record.started_ns);
        self.push(Record { started_ns, ended_ns, ts, seen: vec![Arc::new(seen)], ..record });
    }

    /// A socket was brought to a timestamp, at which its live queries have these values.
    pub fn transition(&self, session: u32, sequence: u32, ts: u64, seen: Vec<Arc<Vec<Seen>>>) {
        let record = self.record(Kind::Transition, session, sequence);
        let ended_ns = Some(record.started_ns);
        self.push(Record { ended_ns, ts: Some(ts), seen, ..record });
    }

    /// A client found something wrong.
    pub fn complain(&self, complaint: Complaint) {
        self.records.lock().expect("unpoisoned").complaints.push(complaint);
    }

    fn record(&self, kind: Kind, session: u32, sequence: u32) -> Record {
        let started_ns = self.now();
        Record {
            kind,
            outcome: Outcome::Committed,
            session,
            sequence,
            started_ns,
            ended_ns: None,
            ts: None,
            planned: None,
            seen: Vec::new(),
        }
    }

    fn push(&self, record: Record) {
        self.records.lock().expect("unpoisoned").transactions.push(record);
    }

    /// All that was recorded, as the checker has it.
    #[must_use]
    pub fn into_history(self, known: &Known) -> History {
        let records = self.records.into_inner().expect("unpoisoned");
        let mut expanded = Expanded { known, shared: HashMap::new() };
        let mut transactions = Vec::with_capacity(records.transactions.len());
        for record in &records.transactions {
            let (operations, in_vain) = expanded.operations(record);
            let transaction = |outcome, operations| Transaction {
                kind: record.kind,
                outcome,
                session: record.session,
                sequence: record.sequence,
                started_ns: record.started_ns,
                ended_ns: record.ended_ns,
                ts: record.ts,
                operations,
            };
            transactions.push(transaction(record.outcome, operations));
            if !in_vain.is_empty() {
                transactions.push(Transaction { ts: None, ..transaction(Outcome::Aborted, in_vain) });
            }
        }
        History { transactions, complaints: records.complaints }
    }
}

/// Operations of results, made once for each result.
struct Expanded<'known> {
    known: &'known Known,
    shared: HashMap<*const Vec<Seen>, Vec<Operation>>,
}

impl Expanded<'_> {
    /// What a transaction did, and what it did in vain.
    fn operations(&mut self, record: &Record) -> (Vec<Operation>, Vec<Operation>) {
        let steps = record.planned.as_ref().map(|planned| planned.steps.as_slice()).unwrap_or_default();
        let done = match record.outcome {
            Outcome::Committed => record.seen.iter().flat_map(|seen| self.of(seen)).collect(),
            Outcome::Aborted | Outcome::Unknown => appends(steps),
        };
        (done, appends_in_vain(steps))
    }

    fn of(&mut self, seen: &Arc<Vec<Seen>>) -> Vec<Operation> {
        let made = self.shared.entry(Arc::as_ptr(seen)).or_insert_with(|| operations(seen, self.known));
        made.clone()
    }
}
