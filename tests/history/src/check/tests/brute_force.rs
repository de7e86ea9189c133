//! The definition itself, for histories of a handful of transactions: is there an order of them that explains everything?
//!
//! Shares nothing with the checker: the orders that must hold are stated anew, in other words.

use std::collections::BTreeMap;

use crate::check::{Edge, EdgeKind, Level};
use crate::history::{Element, History, Key, Kind, Operation, Outcome, Transaction};

/// Whether some serial execution, which keeps the orders that count at this level, gives every answer that was given.
pub(super) fn is_explained(history: &History, level: Level) -> bool {
    let committed = |outcome| history.transactions.iter().filter(move |tx| tx.outcome == outcome);
    let unknown: Vec<_> = committed(Outcome::Unknown).collect();
    // Of those that were never answered, any may have happened.
    (0..1_u32 << unknown.len()).any(|chosen| {
        let happened = unknown.iter().enumerate().filter(|(at, _)| chosen & 1 << at != 0);
        let mut all: Vec<_> = committed(Outcome::Committed).collect();
        all.extend(happened.map(|(_, transaction)| *transaction));
        extends(&mut Vec::new(), &mut all, level)
    })
}

/// Whether what has been placed can be continued with all that is left.
fn extends<'history>(
    placed: &mut Vec<&'history Transaction>,
    left: &mut Vec<&'history Transaction>,
    level: Level,
) -> bool {
    if left.is_empty() {
        return true;
    }
    for at in 0..left.len() {
        let next = left.remove(at);
        placed.push(next);
        let is_first = left.iter().all(|other| !must_precede(other, next, level));
        let fits = is_first
            && timestamps_differ(placed, level)
            && answers_fit(placed)
            && extends(placed, left, level);
        placed.pop();
        left.insert(at, next);
        if fits {
            return true;
        }
    }
    false
}

/// Runs all that is placed, and compares what the last one read.
fn answers_fit(placed: &[&Transaction]) -> bool {
    let mut lists: BTreeMap<Key, Vec<Element>> = BTreeMap::new();
    let mut fits = true;
    for transaction in placed {
        fits = true;
        for operation in &transaction.operations {
            match operation {
                Operation::Append { key, element } => lists.entry(*key).or_default().push(*element),
                Operation::Read { key, list } => fits &= lists.entry(*key).or_default()[..] == **list,
                Operation::ReadRange { lists: range } => {
                    for (key, list) in range.iter() {
                        fits &= lists.entry(*key).or_default()[..] == **list;
                    }
                }
            }
        }
    }
    fits
}

fn must_precede(first: &Transaction, second: &Transaction, level: Level) -> bool {
    (level >= Level::Session && by_session(first, second))
        || (level >= Level::RealTime && by_time(first, second))
        || (level >= Level::Timestamps && by_timestamp(first, second))
}

fn is_request(transaction: &Transaction) -> bool {
    transaction.kind != Kind::Transition
}

fn by_session(first: &Transaction, second: &Transaction) -> bool {
    let as_new = matches!((first.ts, second.ts), (Some(first), Some(second)) if first <= second);
    let answered = first.ended_ns.unwrap_or(u64::MAX);
    first.session == second.session
        && match (is_request(first), is_request(second)) {
            (true, true) | (false, false) => first.sequence < second.sequence,
            (true, false) => as_new && answered <= second.started_ns,
            (false, true) => answered < second.started_ns,
        }
}

fn by_time(first: &Transaction, second: &Transaction) -> bool {
    is_request(second) && first.ended_ns.unwrap_or(u64::MAX) < second.started_ns
}

fn by_timestamp(first: &Transaction, second: &Transaction) -> bool {
    match (first.ts, second.ts) {
        (Some(one), Some(other)) => one < other || (one == other && first.writes() && !second.writes()),
        _ => false,
    }
}

/// Whether an edge says the truth about two transactions: what it takes to say so, and not that it is the next one.
pub(super) fn holds(history: &History, edge: &Edge, level: Level) -> bool {
    let transaction = |index: u32| &history.transactions[index as usize];
    let (first, second) = (transaction(edge.from), transaction(edge.to));
    let appends = |by: &Transaction| by.appends().any(|append| append == (edge.key, edge.element));
    let reads = |by: &Transaction, has: bool| {
        let mut reads = by.operations.iter().flat_map(|operation| operation.reads().0);
        reads.any(|(key, list)| key == edge.key && list.contains(&edge.element) == has)
    };
    match edge.kind {
        EdgeKind::WriteWrite => appends(second) && first.appends().any(|(key, _)| key == edge.key),
        EdgeKind::WriteRead => appends(first) && reads(second, true),
        EdgeKind::ReadWrite | EdgeKind::RangeReadWrite => reads(first, false) && appends(second),
        EdgeKind::Session => level >= Level::Session && by_session(first, second),
        EdgeKind::RealTime => level >= Level::RealTime && by_time(first, second),
        EdgeKind::Timestamp => level >= Level::Timestamps && by_timestamp(first, second),
    }
}

fn timestamps_differ(placed: &[&Transaction], level: Level) -> bool {
    let Some((last, before)) = placed.split_last() else { return true };
    let same =
        |other: &&Transaction| other.ts.is_some() && other.ts == last.ts && other.writes() && last.writes();
    level < Level::Timestamps || !before.iter().any(same)
}
