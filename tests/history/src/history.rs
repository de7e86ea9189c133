//! What clients saw: transactions on lists, who asked for them, when, and what came back.
//!
//! A history is all that the checker knows. It is written by the clients' own clock and says nothing that a client
//! could not know; it can be stored as JSON and checked again.
//!
//! Not here: where histories come from (`workload`), and what is wrong with one (`check`).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The name of a list.
pub type Key = u32;

/// One entry of a list. No element is appended twice in a history, so an element names its append.
pub type Element = u32;

/// A list as it was read. Shared: a live query's value is a part of many transitions.
pub type List = Arc<[Element]>;

/// Where a transaction stands in its history.
pub type Index = usize;

/// Everything that was done and seen.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct History {
    /// In no particular order.
    pub transactions: Vec<Transaction>,
    /// What a client found wrong by itself: an answer that changed, a version that went back.
    pub complaints: Vec<Complaint>,
}

/// What a transaction was to its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Ran once or not at all, at some point between request and answer.
    Mutation,
    /// A query that was asked once: as new as the time of the request.
    Query,
    /// What a socket was brought to by one `Transition`: all of its live queries, of one timestamp. May lag behind.
    Transition,
}

/// What a client knows about how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It was answered.
    Committed,
    /// It failed, and must have left nothing.
    Aborted,
    /// No answer came. It may have happened: if anybody saw an element of it, it has.
    Unknown,
}

/// One transaction, or one look at the data.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Transaction {
    /// What it was.
    pub kind: Kind,
    /// How it ended.
    pub outcome: Outcome,
    /// The session, which outlives connections.
    pub session: u32,
    /// Requests of a session are numbered in the order they were sent in; its transitions in the order they came in.
    pub sequence: u32,
    /// When it was first asked for, in nanoseconds of the clients' clock. Of a transition: when it came.
    pub started_ns: u64,
    /// When it was first answered; `None` if it was not.
    pub ended_ns: Option<u64>,
    /// The timestamp that the host says it is of.
    pub ts: Option<u64>,
    /// What it did, in order. Of an unknown transaction: its appends alone, as nobody knows what it read.
    pub operations: Vec<Operation>,
}

/// One step of a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    /// Puts an element at a list's end.
    Append {
        /// The list.
        key: Key,
        /// What is put there.
        element: Element,
    },
    /// Reads one list. One that does not exist is empty.
    Read {
        /// The list.
        key: Key,
        /// What it held.
        list: List,
    },
    /// Reads all lists of a range with one scan.
    ReadRange {
        /// Every list that lies in the range, those included that did not exist: they read as empty.
        lists: Arc<[(Key, List)]>,
    },
}

/// Something that is wrong by the word of one client alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Complaint {
    /// A request that was sent again got another answer than before.
    ChangedAnswer {
        /// The session.
        session: u32,
        /// The request.
        request: u32,
        /// The first answer.
        first: String,
        /// A later one.
        second: String,
    },
    /// A socket was brought back to an earlier timestamp, or its versions do not chain.
    WentBack {
        /// The session.
        session: u32,
        /// Where it stood.
        stood: String,
        /// Where the transition leads from and to.
        transition: String,
    },
}

impl Transaction {
    /// Whether it changes anything.
    #[must_use]
    pub fn writes(&self) -> bool {
        self.operations.iter().any(|operation| matches!(operation, Operation::Append { .. }))
    }

    /// What it appends, in order.
    pub fn appends(&self) -> impl Iterator<Item = (Key, Element)> {
        self.operations.iter().filter_map(|operation| match operation {
            Operation::Append { key, element } => Some((*key, *element)),
            Operation::Read { .. } | Operation::ReadRange { .. } => None,
        })
    }
}

impl Operation {
    /// What it reads; whether in a range is the second of the pair.
    #[must_use]
    pub fn reads(&self) -> (Vec<(Key, &List)>, bool) {
        match self {
            Operation::Append { .. } => (Vec::new(), false),
            Operation::Read { key, list } => (vec![(*key, list)], false),
            Operation::ReadRange { lists } => (lists.iter().map(|(key, list)| (*key, list)).collect(), true),
        }
    }
}
