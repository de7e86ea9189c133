//! Who comes before whom without looking at the data: by session, by real time, by the host's own timestamps.
//!
//! Each order is given twice: as edges, few enough for a long history, whose paths are the whole order; and as a
//! question about two transactions, with which the checker makes a cycle short.
//!
//! Not here: what the data says (`dependencies`).

use std::collections::{BTreeMap, HashMap};

use crate::history::{History, Index, Kind, Outcome, Transaction};

use super::anomaly::{Anomaly, Level};
use super::graph::{Edge, EdgeKind};

/// Why `first` comes before `second`, by an order that counts at this level.
pub(crate) fn reason(first: &Transaction, second: &Transaction, level: Level) -> Option<EdgeKind> {
    if level >= Level::RealTime && in_real_time(first, second) {
        Some(EdgeKind::RealTime)
    } else if level >= Level::Session && in_session(first, second) {
        Some(EdgeKind::Session)
    } else if level >= Level::Timestamps && by_timestamp(first, second) {
        Some(EdgeKind::Timestamp)
    } else {
        None
    }
}

/// The order that one client is promised: its requests happen in the order in which it sent them; its live queries never
/// go back; they show what it has written once they are as new as that; and what it asks for is later than what it saw.
pub(crate) fn in_session(first: &Transaction, second: &Transaction) -> bool {
    first.session == second.session
        && match (first.kind == Kind::Transition, second.kind == Kind::Transition) {
            (false, false) | (true, true) => first.sequence < second.sequence,
            (false, true) => {
                let is_as_new = first.ts.zip(second.ts).is_some_and(|(written, seen)| written <= seen);
                is_as_new && first.ended_ns.is_some_and(|answered| answered <= second.started_ns)
            }
            (true, false) => first.started_ns < second.started_ns,
        }
}

/// What was answered happened before what was asked for later. A live query may lag behind, so nothing is said of what
/// it must have seen; but what it has seen is durable, and so comes before all that is asked for from then on.
pub(crate) fn in_real_time(first: &Transaction, second: &Transaction) -> bool {
    second.kind != Kind::Transition && first.ended_ns.is_some_and(|answered| answered < second.started_ns)
}

/// A commit comes before all later ones, and a snapshot of a timestamp holds the commit of that timestamp.
pub(crate) fn by_timestamp(first: &Transaction, second: &Transaction) -> bool {
    rank(first).zip(rank(second)).is_some_and(|(first, second)| first < second)
}

fn rank(transaction: &Transaction) -> Option<(u64, bool)> {
    transaction.ts.map(|ts| (ts, !transaction.writes()))
}

/// The edges of all three orders, between transactions that have happened.
pub(crate) fn edges(history: &History, happened: &[bool]) -> Vec<Edge> {
    let numbered = history.transactions.iter().enumerate();
    let all: Vec<_> = numbered.filter(|(index, _)| happened[*index]).collect();
    let mut edges = session_edges(&all);
    edges.extend(real_time_edges(&all));
    edges.extend(timestamp_edges(&all));
    edges
}

type Numbered<'history> = (Index, &'history Transaction);

fn session_edges(all: &[Numbered<'_>]) -> Vec<Edge> {
    let mut sessions: BTreeMap<u32, (Vec<Numbered<'_>>, Vec<Numbered<'_>>)> = BTreeMap::new();
    for numbered in all {
        let session = sessions.entry(numbered.1.session).or_default();
        match numbered.1.kind {
            Kind::Mutation | Kind::Query => session.0.push(*numbered),
            Kind::Transition => session.1.push(*numbered),
        }
    }
    let mut edges = Vec::new();
    for (requests, transitions) in sessions.values_mut() {
        for chain in [&mut *requests, &mut *transitions] {
            chain.sort_by_key(|(_, transaction)| transaction.sequence);
            let pairs = chain.windows(2);
            edges.extend(pairs.map(|pair| Edge::order(pair[0].0, pair[1].0, EdgeKind::Session)));
        }
        edges.extend(edges_across(requests, transitions));
        edges.extend(edges_across(transitions, requests));
    }
    edges
}

/// For each of `to` an edge from the last of `from` that comes before it: those before that one come before it anyway.
fn edges_across(from: &[Numbered<'_>], to: &[Numbered<'_>]) -> Vec<Edge> {
    let mut ended: Vec<_> =
        from.iter().filter_map(|first| first.1.ended_ns.map(|ended| (ended, first))).collect();
    let mut begun: Vec<_> = to.iter().collect();
    ended.sort_by_key(|(ended, _)| *ended);
    begun.sort_by_key(|(_, second)| second.started_ns);
    let mut ended = ended.into_iter().peekable();
    let mut earlier = BTreeMap::new();
    let mut edges = Vec::new();
    for second in begun {
        while let Some((_, first)) = ended.next_if(|(ended, _)| *ended <= second.1.started_ns) {
            earlier.insert(first.1.sequence, first);
        }
        let last = earlier.values().rev().find(|first| in_session(first.1, second.1));
        edges.extend(last.map(|first| Edge::order(first.0, second.0, EdgeKind::Session)));
    }
    edges
}

/// Walks through the starts and ends of all transactions in the order of time. The frontier holds what has ended and is
/// not known to come before something else that has ended: it is as small as the number of clients.
fn real_time_edges(all: &[Numbered<'_>]) -> Vec<Edge> {
    // At the same instant the starts come first: nothing is said of which was earlier.
    let mut events: Vec<(u64, bool, usize)> = Vec::new();
    for (at, (_, transaction)) in all.iter().enumerate() {
        if transaction.kind != Kind::Transition {
            events.push((transaction.started_ns, false, at));
        }
        events.extend(transaction.ended_ns.map(|ended| (ended, true, at)));
    }
    events.sort_unstable();
    let mut edges = Vec::new();
    let mut frontier: Vec<usize> = Vec::new();
    let mut before: HashMap<usize, Vec<usize>> = HashMap::new();
    for (_, is_end, at) in events {
        let (index, transaction) = all[at];
        if !is_end {
            edges.extend(frontier.iter().map(|first| Edge::order(all[*first].0, index, EdgeKind::RealTime)));
            before.insert(at, frontier.clone());
            continue;
        }
        let dominated = before.remove(&at).unwrap_or_default();
        frontier.retain(|first| !dominated.contains(first) && !is_chained(all[*first].1, transaction));
        frontier.push(at);
    }
    edges
}

/// Whether two transactions are of one chain of a session, so that the later one stands for both.
fn is_chained(first: &Transaction, second: &Transaction) -> bool {
    let same_kind = (first.kind == Kind::Transition) == (second.kind == Kind::Transition);
    same_kind && in_session(first, second)
}

fn timestamp_edges(all: &[Numbered<'_>]) -> Vec<Edge> {
    let mut ranks: BTreeMap<(u64, bool), Vec<Index>> = BTreeMap::new();
    for (index, transaction) in all {
        if let Some(rank) = rank(transaction) {
            ranks.entry(rank).or_default().push(*index);
        }
    }
    let groups: Vec<_> = ranks.into_values().collect();
    let mut edges = Vec::new();
    for pair in groups.windows(2) {
        for first in &pair[0] {
            edges.extend(pair[1].iter().map(|second| Edge::order(*first, *second, EdgeKind::Timestamp)));
        }
    }
    edges
}

/// Two commits never have one timestamp.
pub(crate) fn shared_timestamps(history: &History) -> Vec<Anomaly> {
    let mut commits: HashMap<u64, Index> = HashMap::new();
    let mut found = Vec::new();
    for (index, transaction) in history.transactions.iter().enumerate() {
        let is_commit = transaction.writes() && transaction.outcome == Outcome::Committed;
        let Some(ts) = transaction.ts.filter(|_| is_commit) else { continue };
        if let Some(first) = commits.insert(ts, index) {
            found.push(Anomaly::SharedTimestamp { first, second: index });
        }
    }
    found
}
