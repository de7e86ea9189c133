//! The definition itself, for histories of a handful of transactions: is there an order of them that explains everything?
//!
//! Shares nothing with the checker: the orders that must hold are stated anew, in other words.

use std::collections::BTreeMap;

use crate::check::Level;
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
        let fits =
            is_first && moments_differ(placed, level) && answers_fit(placed) && extends(placed, left, level);
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
    let is_request = |transaction: &Transaction| transaction.kind != Kind::Transition;
    let same_session = first.session == second.session;
    let answered_before = |limit: u64, inclusive: bool| {
        first.ended_ns.is_some_and(|at| at < limit || (inclusive && at == limit))
    };
    let session = same_session
        && if is_request(first) == is_request(second) {
            first.sequence < second.sequence
        } else if is_request(second) {
            answered_before(second.started_ns, false)
        } else {
            let as_new = matches!((first.ts, second.ts), (Some(first), Some(second)) if first <= second);
            as_new && answered_before(second.started_ns, true)
        };
    let real_time = is_request(second) && answered_before(second.started_ns, false);
    let stamped = match (first.ts, second.ts) {
        (Some(one), Some(other)) => one < other || (one == other && first.writes() && !second.writes()),
        _ => false,
    };
    (level >= Level::Session && session)
        || (level >= Level::RealTime && real_time)
        || (level >= Level::Timestamps && stamped)
}

fn moments_differ(placed: &[&Transaction], level: Level) -> bool {
    let Some((last, before)) = placed.split_last() else { return true };
    let same =
        |other: &&Transaction| other.ts.is_some() && other.ts == last.ts && other.writes() && last.writes();
    level < Level::Timestamps || !before.iter().any(same)
}
