//! Tiny random histories: the checker finds something exactly when brute force finds no order that explains them.

use std::cell::Cell;
use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use crate::check::graph::{Edge, EdgeKind, Graph};
use crate::check::{Anomaly, CycleClass, Level, check, cycles, describe};
use crate::history::{Element, History, Key, Kind, List, Operation, Outcome, Transaction};

use super::brute_force::{holds, is_explained};

const CASES: u32 = 6_000;
const LEVELS: [Level; 4] = [Level::Data, Level::Session, Level::RealTime, Level::Timestamps];

/// A transaction before it has run: where in the serial order, and how its answer is bent.
#[derive(Debug, Clone)]
struct Plan {
    kind: Kind,
    outcome: Outcome,
    session: u32,
    /// How early it is asked for and how late it is answered, around its place in the serial order.
    slack: (u64, u64),
    /// How far its timestamp is off; `None`: it has none.
    ts_shift: Option<i64>,
    steps: Vec<Step>,
}

#[derive(Debug, Clone)]
struct Step {
    key: Key,
    kind: StepKind,
    /// How many elements are missing at the end of what is read; 0 for most.
    stale: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum StepKind {
    Append,
    Read,
    Range,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let kind = prop_oneof![Just(StepKind::Append), Just(StepKind::Read), Just(StepKind::Range)];
    let stale = prop_oneof![12 => Just(0_usize), 2 => Just(1_usize), 1 => Just(2_usize)];
    prop::collection::vec(
        (0_u32..2, kind, stale).prop_map(|(key, kind, stale)| Step { key, kind, stale }),
        1..4,
    )
}

fn plan() -> impl Strategy<Value = Plan> {
    let kind = prop_oneof![4 => Just(Kind::Mutation), 1 => Just(Kind::Query), 2 => Just(Kind::Transition)];
    let outcome =
        prop_oneof![8 => Just(Outcome::Committed), 1 => Just(Outcome::Aborted), 1 => Just(Outcome::Unknown)];
    let slack = prop_oneof![2 => (0_u64..2, 0_u64..2), 1 => (0_u64..40, 0_u64..40)];
    let shift = prop_oneof![2 => Just(None), 6 => Just(Some(0_i64)), 1 => (-20_i64..20).prop_map(Some)];
    (kind, outcome, 0_u32..3, slack, shift, steps()).prop_map(
        |(kind, outcome, session, slack, ts_shift, steps)| Plan {
            kind,
            outcome,
            session,
            slack,
            ts_shift,
            steps,
        },
    )
}

/// Runs the plans one after another and bends what they say they saw.
fn run(plans: &[Plan]) -> History {
    let mut lists: BTreeMap<Key, Vec<Element>> = BTreeMap::new();
    let mut history = History::default();
    let mut next: Element = 1;
    for (place, plan) in plans.iter().enumerate() {
        let mut own = lists.clone();
        let operations = plan.steps.iter().map(|step| perform(plan, step, &mut own, &mut next)).collect();
        let mut transaction = Transaction {
            kind: plan.kind,
            outcome: if plan.kind == Kind::Mutation { plan.outcome } else { Outcome::Committed },
            session: plan.session,
            sequence: 0,
            started_ns: (100 + place as u64 * 10).saturating_sub(plan.slack.0),
            ended_ns: Some(104 + place as u64 * 10 + plan.slack.1),
            ts: plan.ts_shift.map(|shift| (100 + place as i64 * 10 + shift) as u64),
            operations,
        };
        settle(&mut transaction);
        if transaction.outcome != Outcome::Aborted {
            lists = own;
        }
        history.transactions.push(transaction);
    }
    number(&mut history);
    history
}

fn perform(plan: &Plan, step: &Step, own: &mut BTreeMap<Key, Vec<Element>>, next: &mut Element) -> Operation {
    let seen = |key: &Key| -> List {
        let list = own.get(key).map(Vec::as_slice).unwrap_or_default();
        list[..list.len().saturating_sub(if *key == step.key { step.stale } else { 0 })].into()
    };
    match step.kind {
        StepKind::Append if plan.kind == Kind::Mutation => {
            let element = *next;
            *next += 1;
            own.entry(step.key).or_default().push(element);
            Operation::Append { key: step.key, element }
        }
        StepKind::Append | StepKind::Read => Operation::Read { key: step.key, list: seen(&step.key) },
        StepKind::Range => Operation::ReadRange { lists: [0, 1].map(|key| (key, seen(&key))).into() },
    }
}

/// What is not known of transactions that failed or were never answered.
fn settle(transaction: &mut Transaction) {
    if transaction.kind == Kind::Transition {
        transaction.ended_ns = Some(transaction.started_ns);
    }
    if transaction.outcome != Outcome::Committed {
        transaction.ts = None;
        transaction.operations.retain(|operation| matches!(operation, Operation::Append { .. }));
    }
    if transaction.outcome == Outcome::Unknown {
        transaction.ended_ns = None;
    }
}

/// Numbers each session's requests and transitions in the order of time.
fn number(history: &mut History) {
    let mut order: Vec<usize> = (0..history.transactions.len()).collect();
    order.sort_by_key(|at| history.transactions[*at].started_ns);
    for (sequence, at) in order.into_iter().enumerate() {
        history.transactions[at].sequence = sequence as u32;
    }
}

#[test]
fn the_verdict_is_that_of_brute_force_at_every_level() {
    let (clean, at_level) = (Cell::new(0), [const { Cell::new(0) }; 4]);
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let plans = prop::collection::vec(plan(), 1..6);
    let outcome = TestRunner::new(config).run(&plans, |plans| {
        let history = run(&plans);
        let found = check(&history);
        let first = found.iter().map(Anomaly::level).min();
        for level in LEVELS {
            let is_clean = first.is_none_or(|first| first > level);
            if is_clean != is_explained(&history, level) {
                let told: String = found.iter().map(|anomaly| describe(&history, anomaly)).collect();
                return Err(TestCaseError::fail(format!(
                    "at {level:?}, the checker found: {told}\n{history:?}"
                )));
            }
        }
        for anomaly in &found {
            let Anomaly::Cycle(cycle) = anomaly else { continue };
            let wrong = cycle.edges.iter().find(|edge| !holds(&history, edge, cycle.level));
            prop_assert!(wrong.is_none(), "{:?} is not an edge, in {}", wrong, describe(&history, anomaly));
        }
        let counter = first.map_or(&clean, |level| &at_level[level as usize]);
        counter.set(counter.get() + 1);
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    // Both verdicts were given often, and every level was the first at which something shows.
    let counts: Vec<u32> = at_level.iter().map(Cell::get).chain([clean.get()]).collect();
    assert!(counts.iter().all(|count| *count > CASES / 100), "at each level, and clean: {counts:?}");
}

#[test]
fn the_cycle_is_the_smallest_of_the_worst_class() {
    let kind = prop_oneof![
        2 => Just(EdgeKind::WriteWrite),
        2 => Just(EdgeKind::WriteRead),
        2 => Just(EdgeKind::ReadWrite),
        1 => Just(EdgeKind::RangeReadWrite)
    ];
    let edges = prop::collection::vec((0_u32..6, 0_u32..6, kind), 1..14);
    let classes = [const { Cell::new(0) }; 6];
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&edges, |edges| {
        let edges = edges.into_iter().filter(|(from, to, _)| from != to);
        let edges: Vec<_> =
            edges.map(|(from, to, kind)| Edge { from, to, kind, key: 0, element: 0 }).collect();
        let all = simple_cycles(&edges);
        let expected = all.iter().map(|cycle| (class(cycle), cycle.len())).min();
        let found = cycles::find(&strangers(6), &Graph::new(6, edges), &[]);
        let first = found.iter().map(|cycle| (cycle.class, cycle.edges.len())).min();
        prop_assert_eq!(first, expected);
        prop_assert!(found.iter().all(|cycle| class(&cycle.edges) == cycle.class));
        if let Some((class, _)) = first {
            classes[class as usize].set(classes[class as usize].get() + 1);
        }
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    // `Orders` takes orders, of which there are none here.
    let counts: Vec<u32> = classes.iter().skip(1).map(Cell::get).collect();
    assert!(counts.iter().all(|count| *count > CASES / 500), "of each class: {counts:?}");
}

/// Transactions between which no order holds but that of the edges.
fn strangers(count: u32) -> History {
    let stranger = |session| Transaction {
        kind: Kind::Mutation,
        outcome: Outcome::Committed,
        session,
        sequence: 0,
        started_ns: 0,
        ended_ns: None,
        ts: None,
        operations: Vec::new(),
    };
    History { transactions: (0..count).map(stranger).collect(), complaints: Vec::new() }
}

fn class(cycle: &[Edge]) -> CycleClass {
    let count = |wanted| cycle.iter().filter(|edge| edge.kind == wanted).count();
    let (items, ranges) = (count(EdgeKind::ReadWrite), count(EdgeKind::RangeReadWrite));
    match (items + ranges, ranges) {
        (0, _) if count(EdgeKind::WriteRead) == 0 => CycleClass::G0,
        (0, _) => CycleClass::G1c,
        (1, _) => CycleClass::GSingle,
        (_, 0) => CycleClass::G2Item,
        _ => CycleClass::G2,
    }
}

/// All cycles that pass no transaction twice.
fn simple_cycles(edges: &[Edge]) -> Vec<Vec<Edge>> {
    let mut found = Vec::new();
    for first in edges {
        extend(edges, &mut vec![*first], &mut found);
    }
    found
}

fn extend(edges: &[Edge], path: &mut Vec<Edge>, found: &mut Vec<Vec<Edge>>) {
    let (start, end) = (path[0].from, path[path.len() - 1].to);
    if end == start {
        return found.push(path.clone());
    }
    for edge in edges.iter().filter(|edge| edge.from == end) {
        // Each cycle from its lowest transaction alone.
        if edge.to >= start && path.iter().all(|before| before.from != edge.to || edge.to == start) {
            path.push(*edge);
            extend(edges, path, found);
            path.pop();
        }
    }
}
