//! A transition of a socket that shows something else than one timestamp, or an earlier one.
//!
//! Not here: other reads (`read_changes`).

use weir_history::history::{History, Index, Kind, Operation, Outcome};
use weir_history::workload::Random;

use crate::original::{Original, each_list};

/// The values of a transition are those of the one before the last, and one of them was another in the last.
pub fn turn_back(original: &Original, random: &mut Random) -> Option<History> {
    let (before, index) = any_pair(original, random)?;
    let transition = original.transaction(index);
    let later = original.transition(transition.session, transition.sequence + 1)?;
    let mut history = original.history.clone();
    history.transactions[later].operations = original.transaction(before).operations.clone();
    Some(history)
}

/// A client's transition, as new as a mutation of the same client, lacks what that one appended, and all that came
/// after it.
pub fn hide_own_write(original: &Original, random: &mut Random) -> Option<History> {
    let (writer, element) = original.any_append(random, Outcome::Committed, true)?;
    let write = original.transaction(writer);
    let (answered, ts) = (write.ended_ns?, write.ts?);
    let shows = |operation: &Operation| operation.reads().0.iter().any(|(_, list)| list.contains(&element));
    let transition = original.history.transactions.iter().position(|other| {
        other.kind == Kind::Transition
            && other.session == write.session
            && other.started_ns >= answered
            && other.ts >= Some(ts)
            && other.operations.iter().any(shows)
    })?;
    let mut history = original.history.clone();
    for operation in &mut history.transactions[transition].operations {
        each_list(operation, |list| {
            if let Some(at) = list.iter().position(|other| *other == element) {
                *list = list[..at].into();
            }
        });
    }
    Some(history)
}

/// One query of a transition has already the value of the next transition, in which another one is new as well.
pub fn tear(original: &Original, random: &mut Random) -> Option<History> {
    let (before, index) = any_pair(original, random)?;
    let (old, new) = (original.transaction(before), original.transaction(index));
    let changed: Vec<usize> =
        (0..old.operations.len()).filter(|at| old.operations[*at] != new.operations[*at]).collect();
    let early = *changed.first().filter(|_| changed.len() > 1)?;
    // What it shows too early is of a later timestamp, as far as the timestamp is known: over HTTP it is not.
    let shown = new.operations[early].reads().0;
    let newest = shown.iter().filter_map(|(_, list)| list.last()).max()?;
    original.transaction(original.writers[newest]).ts.filter(|ts| Some(*ts) > old.ts)?;
    let mut history = original.history.clone();
    history.transactions[before].operations[early] = new.operations[early].clone();
    Some(history)
}

/// Two transitions that follow one another in a session, with the same queries and other values.
fn any_pair(original: &Original, random: &mut Random) -> Option<(Index, Index)> {
    let before = original.any_transaction(random);
    let old = original.transaction(before);
    (old.kind == Kind::Transition).then_some(())?;
    let index = original.transition(old.session, old.sequence + 1)?;
    let new = original.transaction(index);
    let keys = |operation: &Operation| operation.reads().0.iter().map(|(key, _)| *key).collect::<Vec<_>>();
    let is_same_query = |(old, new): (&Operation, &Operation)| keys(old) == keys(new);
    let are_same_queries = old.operations.len() == new.operations.len()
        && old.operations.iter().zip(&new.operations).all(is_same_query);
    (are_same_queries && old.operations != new.operations).then_some((before, index))
}
