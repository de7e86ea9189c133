//! An anomaly in words: what it is, which transactions take part, and what makes each of them come before the next.
//!
//! Not here: how to run the same again (`run`), which a history does not know.

use std::fmt::Write as _;

use crate::history::{Complaint, History, Index, Kind, List, Operation, Outcome, Transaction};

use super::anomaly::{Anomaly, Cycle, Level};
use super::graph::{Edge, EdgeKind};

/// How to read what [`describe`] writes.
#[must_use]
pub fn legend() -> &'static str {
    "T7 is the history's transaction number 7 (from 0). 5=[1 2] is a read of list 5, 5+3 an append of 3 to it, \
     {...} one scan of a range. Times are seconds of the run, from request to answer."
}

/// The anomaly as a text of several lines.
#[must_use]
pub fn describe(history: &History, anomaly: &Anomaly) -> String {
    let mut text = format!("{}: {}\n", anomaly.name(), summary(anomaly));
    for index in anomaly.transactions() {
        let _ = writeln!(text, "  T{index} {}", transaction(&history.transactions[index]));
    }
    if let Anomaly::Cycle(cycle) = anomaly {
        for edge in &cycle.edges {
            let _ = writeln!(text, "  T{} comes before T{}: {}", edge.from, edge.to, reason(history, edge));
        }
        if let Some(meaning) = meaning(history, cycle) {
            let _ = writeln!(text, "  That is: {meaning}.");
        }
    }
    text
}

fn summary(anomaly: &Anomaly) -> String {
    match anomaly {
        Anomaly::Complaint(complaint) => complained(complaint),
        Anomaly::Duplicate { key, element, reader } => {
            format!("list {key} holds {element} twice, as T{reader} read it: its append took effect twice")
        }
        Anomaly::Unwritten { key, element, reader } => {
            format!("list {key} holds {element}, as T{reader} read it, and nobody appended it there")
        }
        Anomaly::AbortedRead { key, element, writer, reader } => {
            format!("T{reader} read {element} in list {key}, which T{writer} appended, and T{writer} failed")
        }
        Anomaly::IntermediateRead { key, element, writer, reader } => format!(
            "T{reader} read list {key} up to {element} of T{writer}, which appended more to it: the middle of a \
             transaction was seen"
        ),
        Anomaly::IncompatibleOrder { key, longest, other } => format!(
            "what T{other} read of list {key} is not the beginning of what T{longest} read: an append was lost, or \
             two orders were seen"
        ),
        Anomaly::Internal { key, reader } => {
            format!("T{reader} does not see in list {key} what it has itself read or appended there")
        }
        Anomaly::LostAppend { key, element, writer, reader } => format!(
            "T{writer} was answered that it appended {element} to list {key}; T{reader} was asked later and does not \
             have it, nor does anyone else"
        ),
        Anomaly::SharedTimestamp { first, second } => {
            format!("T{first} and T{second} both write, and have one timestamp")
        }
        Anomaly::Cycle(cycle) => format!(
            "{} transactions come before one another in a circle{}",
            cycle.edges.len(),
            match cycle.level {
                Level::Data => ", by their data alone",
                Level::Session => ", if a client's own order counts",
                Level::RealTime => ", if real time counts",
                Level::Timestamps => ", if the host's timestamps count",
            }
        ),
    }
}

fn complained(complaint: &Complaint) -> String {
    match complaint {
        Complaint::ChangedAnswer { session, request, first, second } => format!(
            "request {request} of session {session} was answered with {first}; sent again, it was answered with {second}"
        ),
        Complaint::WentBack { session, stood, transition } => {
            format!("a socket of session {session} stood at {stood} and was sent a transition {transition}")
        }
    }
}

fn transaction(transaction: &Transaction) -> String {
    let mut text = match transaction.kind {
        Kind::Mutation => format!("mutation {} of session {}", transaction.sequence, transaction.session),
        Kind::Query => format!("query {} of session {}", transaction.sequence, transaction.session),
        Kind::Transition => format!("transition {} of session {}", transaction.sequence, transaction.session),
    };
    let seconds = |ns: u64| ns as f64 / 1e9;
    let _ = match (transaction.outcome, transaction.ended_ns) {
        (Outcome::Aborted, _) => write!(text, ", failed"),
        (Outcome::Committed, Some(ended)) => {
            write!(text, ", {:.6} to {:.6} s", seconds(transaction.started_ns), seconds(ended))
        }
        _ => write!(text, ", from {:.6} s, never answered", seconds(transaction.started_ns)),
    };
    if let Some(ts) = transaction.ts {
        let _ = write!(text, ", at {ts}");
    }
    text.push(':');
    for operation in &transaction.operations {
        let _ = match operation {
            Operation::Append { key, element } => write!(text, " {key}+{element}"),
            Operation::Read { key, list } => write!(text, " {key}={}", elements(list)),
            Operation::ReadRange { lists } => {
                let lists: Vec<_> =
                    lists.iter().map(|(key, list)| format!("{key}={}", elements(list))).collect();
                write!(text, " {{{}}}", lists.join(" "))
            }
        };
    }
    text
}

fn elements(list: &List) -> String {
    let elements: Vec<_> = list.iter().map(ToString::to_string).collect();
    format!("[{}]", elements.join(" "))
}

fn reason(history: &History, edge: &Edge) -> String {
    let Edge { from, to, key, element, .. } = edge;
    let times = |index: &u32| &history.transactions[*index as usize];
    match edge.kind {
        EdgeKind::WriteWrite => format!("T{to} appended {element} to list {key} later (ww)"),
        EdgeKind::WriteRead => format!("T{to} read its {element} in list {key} (wr)"),
        EdgeKind::ReadWrite => format!("it read list {key} without the {element} of T{to} (rw)"),
        EdgeKind::RangeReadWrite => {
            format!("it read a range with list {key} without the {element} of T{to} (rw, range)")
        }
        EdgeKind::Session => format!("session {} has them in this order (session)", times(from).session),
        EdgeKind::RealTime => {
            let gap = times(to).started_ns.saturating_sub(times(from).ended_ns.unwrap_or_default());
            format!("it was answered {:.6} s before T{to} was asked for (real time)", gap as f64 / 1e9)
        }
        EdgeKind::Timestamp => {
            let ts = |index: &u32| times(index).ts.unwrap_or_default();
            format!("the host says {} and {} (timestamp)", ts(from), ts(to))
        }
    }
}

/// What a cycle means to a client, where there is a common name for it.
fn meaning(history: &History, cycle: &Cycle) -> Option<&'static str> {
    let kind = |index: u32| history.transactions[index as Index].kind == Kind::Transition;
    let session = cycle.edges.iter().find(|edge| edge.kind == EdgeKind::Session)?;
    Some(match (kind(session.from), kind(session.to)) {
        (true, true) => "a socket went back in time",
        (false, true) => "a client's live queries do not show what it wrote",
        (true, false) => "a client saw something, and then wrote or read before it",
        (false, false) => "a client's requests did not happen in the order in which it sent them",
    })
}
