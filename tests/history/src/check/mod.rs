//! The checker: from a history to what is wrong with it.
//!
//! The method is that of Elle (Kingsbury and Alvaro, VLDB 2020) on list-append: what was read shows the order of the
//! writes; from it follow the edges of Adya's serialization graph; to those come the orders of sessions, of real time
//! and of the host's timestamps; a cycle is an anomaly, and its edges say which.
//!
//! **Pure:** no clock, no thread, no randomness; one history has one verdict.
//!
//! Not here: where histories come from.

mod anomaly;
mod cycles;
mod dependencies;
mod graph;
mod lists;
mod precedence;
mod report;
#[cfg(test)]
mod tests;

use crate::history::{History, Index};

pub use anomaly::{Anomaly, Cycle, CycleClass, Level};
pub use graph::{Edge, EdgeKind};
pub use report::{describe, legend};

/// All that is wrong with a history; nothing if it is strictly serializable, every answered append is there once, and
/// every look at it is of one timestamp.
#[must_use]
pub fn check(history: &History) -> Vec<Anomaly> {
    let mut lists = lists::Lists::of(history);
    let mut edges = dependencies::edges(&lists);
    edges.extend(precedence::edges(history, &lists.happened));
    let graph = graph::Graph::new(history.transactions.len(), edges);
    let lost: Vec<Index> = lists.anomalies.iter().filter_map(lost_writer).collect();
    let mut anomalies: Vec<_> = history.complaints.iter().cloned().map(Anomaly::Complaint).collect();
    anomalies.append(&mut lists.anomalies);
    anomalies.extend(precedence::shared_timestamps(history));
    anomalies.extend(cycles::find(history, &graph, &lost).into_iter().map(Anomaly::Cycle));
    anomalies
}

fn lost_writer(anomaly: &Anomaly) -> Option<Index> {
    match anomaly {
        Anomaly::LostAppend { writer, .. } => Some(*writer),
        _ => None,
    }
}
