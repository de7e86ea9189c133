//! What the database has, at each timestamp, and what functions make of it.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value as Json, json};
use weir_db::{CallError, KeyRange, Principal, QueryOutcome, ReadSet};
use weir_sync::live::Run;
use weir_value::{ErrorCode, FunctionPath, Identity, Timestamp};

/// The keys that there are: the letters from `a` on.
const KEYS: usize = 8;

/// Numbers by key, at each timestamp, and the timestamps from which on other functions are in place.
pub(super) struct Database {
    snapshots: BTreeMap<Timestamp, [u8; KEYS]>,
    deployments: Vec<Timestamp>,
}

/// A result as its client sees it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shown {
    Value(Json),
    Failure,
}

impl Database {
    pub(super) fn new(ts: Timestamp) -> Database {
        Database { snapshots: BTreeMap::from([(ts, [0; KEYS])]), deployments: Vec::new() }
    }

    pub(super) fn sequenced(&self) -> Timestamp {
        *self.snapshots.last_key_value().expect("a snapshot").0
    }

    /// Counts these keys up; the timestamp of the commit.
    pub(super) fn write(&mut self, keys: &[Bytes]) -> Timestamp {
        let (ts, numbers) = self.snapshots.last_key_value().expect("a snapshot");
        let (ts, mut numbers) = (Timestamp::from_nanos(ts.as_nanos() + 1), *numbers);
        for key in keys {
            let number = &mut numbers[usize::from(key[0] - b'a')];
            *number = if *number == 5 { 0 } else { *number + 1 };
        }
        self.snapshots.insert(ts, numbers);
        ts
    }

    pub(super) fn deploy(&mut self, at: Timestamp) {
        self.deployments.push(at);
    }

    /// What a query's value is.
    pub(super) fn shown(&self, path: &FunctionPath, args: &[u8], at: Timestamp, who: &Principal) -> Shown {
        let deployment = self.deployments.iter().filter(|from| **from <= at).count();
        self.run(path, args, at, who, deployment)
    }

    /// What the executor makes of a run: whatever functions are in place when it ends.
    pub(super) fn outcome(&self, run: &Run<Timestamp>, is_refused: bool) -> QueryOutcome {
        let (path, args) = (&run.key.path, run.key.args());
        let result = match self.run(path, args, run.at, &run.principal, self.deployments.len()) {
            _ if is_refused => Err(CallError::new(ErrorCode::ApplicationError, "not now")),
            Shown::Value(value) => Ok(Bytes::from(value.to_string())),
            Shown::Failure => Err(CallError::new(ErrorCode::ApplicationError, "odd")),
        };
        let (from, to) = keys_of(args);
        let range = KeyRange { start: key(from), end: key(to) };
        QueryOutcome {
            result,
            log_lines: vec![format!("[LOG] '{path}'")],
            read_set: ReadSet::new([], [range]),
            ts: run.at,
            journal: (path.function() == "page").then(|| format!("j{}", run.at.as_nanos() % 3)),
            asked_identity: path.function() == "who",
        }
    }

    fn run(
        &self,
        path: &FunctionPath,
        args: &[u8],
        at: Timestamp,
        who: &Principal,
        deployment: usize,
    ) -> Shown {
        let numbers = self.snapshots.range(..=at).next_back().expect("a snapshot").1;
        let (from, to) = keys_of(args);
        let numbers = &numbers[from..to];
        let sum: usize = numbers.iter().map(|&number| usize::from(number)).sum();
        match path.function() {
            "docs" | "page" => {
                let there = numbers.iter().enumerate().filter(|(_, number)| **number > 0);
                // Those that were counted up most come first: rows move.
                let mut there: Vec<_> = there.collect();
                there.sort_by_key(|(at, number)| (std::cmp::Reverse(**number), *at));
                let row = |(at, number): (usize, &u8)| json!({ "_id": format!("k{at}"), "n": number, "text": "x".repeat(24) });
                Shown::Value(there.into_iter().map(row).collect())
            }
            "who" => {
                let name = who.identity().map_or("", Identity::token_identifier);
                Shown::Value(json!([name, sum]))
            }
            "error" if sum % 2 == 1 => Shown::Failure,
            _ => Shown::Value(json!([deployment, sum])),
        }
    }
}

/// Which keys a query reads: its arguments decide.
fn keys_of(args: &[u8]) -> (usize, usize) {
    let hash = args.iter().fold(7_usize, |hash, byte| hash.wrapping_mul(31).wrapping_add(usize::from(*byte)));
    let (one, other) = (hash % KEYS, hash / KEYS % KEYS);
    (one.min(other), one.max(other) + 1)
}

fn key(number: usize) -> Bytes {
    vec![b'a' + number as u8].into()
}

/// The keys that a word names, each once.
pub(super) fn keys_in(word: &str) -> Vec<Bytes> {
    let mut keys: Vec<usize> = word.bytes().map(|byte| usize::from(byte) % KEYS).collect();
    keys.sort_unstable();
    keys.dedup();
    // The letter `a` is 97, and names the first key.
    keys.into_iter().map(|number| key((number + KEYS - usize::from(b'a') % KEYS) % KEYS)).collect()
}
