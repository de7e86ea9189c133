//! What can be wrong with a history, under the names that the literature has for it.
//!
//! The names are those of Adya ("Weak Consistency", 1999) and of Kingsbury and Alvaro ("Elle", 2020).
//!
//! Not here: finding it, and printing it whole (`report`).

use crate::history::{Complaint, Element, Index, Key};

use super::graph::Edge;

/// One thing that no serializable, durable, exactly-once store does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Anomaly {
    /// What a client found by itself.
    Complaint(Complaint),
    /// A list holds an element twice: a mutation took effect more than once.
    Duplicate {
        /// The list.
        key: Key,
        /// The element.
        element: Element,
        /// Who read it.
        reader: Index,
    },
    /// A list holds an element that nobody appended to it.
    Unwritten {
        /// The list.
        key: Key,
        /// The element.
        element: Element,
        /// Who read it.
        reader: Index,
    },
    /// G1a: what a failed transaction wrote was read.
    AbortedRead {
        /// The list.
        key: Key,
        /// The element.
        element: Element,
        /// Who failed.
        writer: Index,
        /// Who read it.
        reader: Index,
    },
    /// G1b: a transaction was read that had not come to its end.
    IntermediateRead {
        /// The list.
        key: Key,
        /// The last element that was read.
        element: Element,
        /// Who appended it, and more to the same list.
        writer: Index,
        /// Who read it.
        reader: Index,
    },
    /// Two reads of a list, of which neither is the beginning of the other.
    IncompatibleOrder {
        /// The list.
        key: Key,
        /// Who read the longest list.
        longest: Index,
        /// Who read another one.
        other: Index,
    },
    /// A transaction does not see what it has itself read or written before.
    Internal {
        /// The list.
        key: Key,
        /// Who.
        reader: Index,
    },
    /// An append was answered, and a read that began later does not have it, nor does any other read.
    LostAppend {
        /// The list.
        key: Key,
        /// The element.
        element: Element,
        /// Whose append.
        writer: Index,
        /// Who should have read it.
        reader: Index,
    },
    /// Two commits of one timestamp.
    SharedTimestamp {
        /// The one.
        first: Index,
        /// The other.
        second: Index,
    },
    /// Transactions that come before one another in a circle.
    Cycle(Cycle),
}

/// The kinds of cycles, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CycleClass {
    /// Orders that contradict each other, without any data: a later mutation has the earlier timestamp.
    Orders,
    /// Writes alone.
    G0,
    /// Writes, and reads of them.
    G1c,
    /// Exactly one read that misses a write: lost update, read skew.
    GSingle,
    /// Several reads of single lists that miss a write: write skew.
    G2Item,
    /// Several, of which some are reads of a range: phantoms.
    G2,
}

/// How much order a history must violate for a cycle to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// None but that of the data: the history is not serializable.
    Data,
    /// The order of one client's own requests and transitions.
    Session,
    /// Real time: what was answered comes before what was asked later.
    RealTime,
    /// The timestamps that the host itself names.
    Timestamps,
}

/// A cycle, and what makes each of its transactions come before the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cycle {
    /// What kind.
    pub class: CycleClass,
    /// The least order that it takes.
    pub level: Level,
    /// Its edges, in order: each ends where the next begins, the last where the first begins.
    pub edges: Vec<Edge>,
}

impl Anomaly {
    /// Its name, as `G-single-realtime`.
    #[must_use]
    pub fn name(&self) -> String {
        let name = match self {
            Anomaly::Complaint(Complaint::ChangedAnswer { .. }) => "changed-answer",
            Anomaly::Complaint(Complaint::WentBack { .. }) => "went-back",
            Anomaly::Duplicate { .. } => "duplicate",
            Anomaly::Unwritten { .. } => "unwritten",
            Anomaly::AbortedRead { .. } => "G1a",
            Anomaly::IntermediateRead { .. } => "G1b",
            Anomaly::IncompatibleOrder { .. } => "incompatible-order",
            Anomaly::Internal { .. } => "internal",
            Anomaly::LostAppend { .. } => "lost-append",
            Anomaly::SharedTimestamp { .. } => "shared-timestamp",
            Anomaly::Cycle(cycle) => return cycle.name(),
        };
        name.to_owned()
    }

    /// The least order under which it is an anomaly.
    #[must_use]
    pub fn level(&self) -> Level {
        match self {
            Anomaly::Cycle(cycle) => cycle.level,
            Anomaly::LostAppend { .. } => Level::RealTime,
            Anomaly::SharedTimestamp { .. } | Anomaly::Complaint(_) => Level::Timestamps,
            _ => Level::Data,
        }
    }

    /// The transactions that take part, each once.
    #[must_use]
    pub fn transactions(&self) -> Vec<Index> {
        match self {
            Anomaly::Complaint(_) => Vec::new(),
            Anomaly::Duplicate { reader, .. }
            | Anomaly::Unwritten { reader, .. }
            | Anomaly::Internal { reader, .. } => vec![*reader],
            Anomaly::AbortedRead { writer, reader, .. }
            | Anomaly::IntermediateRead { writer, reader, .. }
            | Anomaly::LostAppend { writer, reader, .. } => vec![*writer, *reader],
            Anomaly::IncompatibleOrder { longest, other, .. } => vec![*longest, *other],
            Anomaly::SharedTimestamp { first, second } => vec![*first, *second],
            Anomaly::Cycle(cycle) => cycle.edges.iter().map(|edge| edge.from as Index).collect(),
        }
    }
}

impl Cycle {
    fn name(&self) -> String {
        let class = match self.class {
            CycleClass::Orders => "orders",
            CycleClass::G0 => "G0",
            CycleClass::G1c => "G1c",
            CycleClass::GSingle => "G-single",
            CycleClass::G2Item => "G2-item",
            CycleClass::G2 => "G2",
        };
        let level = match self.level {
            Level::Data => "",
            Level::Session => "-session",
            Level::RealTime => "-realtime",
            Level::Timestamps => "-timestamps",
        };
        format!("{class}{level}")
    }
}
