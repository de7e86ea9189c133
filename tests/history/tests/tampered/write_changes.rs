//! A mutation that ended otherwise than it did.
//!
//! Not here: reads that are changed for themselves (`read_changes`).

use weir_history::history::{History, Kind, Outcome};
use weir_history::workload::Random;

use crate::original::{Original, each_list};

pub fn lose(original: &Original, random: &mut Random) -> Option<History> {
    let (_, element) = original.any_append(random, Outcome::Committed, true)?;
    let mut history = original.history.clone();
    for operation in history.transactions.iter_mut().flat_map(|transaction| &mut transaction.operations) {
        each_list(operation, |list| {
            if list.contains(&element) {
                *list = list.iter().copied().filter(|other| *other != element).collect();
            }
        });
    }
    Some(history)
}

/// The host answers, is killed, and has not kept what it answered.
pub fn answer_before_commit(original: &Original, random: &mut Random) -> Option<History> {
    let (index, _) = original.any_append(random, Outcome::Unknown, false)?;
    let mut history = original.history.clone();
    let transaction = &mut history.transactions[index];
    transaction.outcome = Outcome::Committed;
    transaction.ended_ns = Some(transaction.started_ns + 1);
    Some(history)
}

pub fn fail(original: &Original, random: &mut Random) -> Option<History> {
    let (index, _) = original.any_append(random, Outcome::Committed, true)?;
    let mut history = original.history.clone();
    history.transactions[index].outcome = Outcome::Aborted;
    Some(history)
}

/// Of two mutations of which one was answered before the other was asked for.
pub fn exchange_timestamps(original: &Original, random: &mut Random) -> Option<History> {
    let (first, second) = (original.any_transaction(random), original.any_transaction(random));
    let (one, other) = (original.transaction(first), original.transaction(second));
    let is_mutation =
        one.kind == Kind::Mutation && other.kind == Kind::Mutation && one.writes() && other.writes();
    one.ended_ns.filter(|answered| is_mutation && *answered < other.started_ns)?;
    let (earlier, later) = (one.ts?, other.ts?);
    let mut history = original.history.clone();
    history.transactions[first].ts = Some(later);
    history.transactions[second].ts = Some(earlier);
    Some(history)
}
