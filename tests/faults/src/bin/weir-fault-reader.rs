//! Opens a folder that may be damaged and reads everything in every way.
//!
//! ```text
//! weir-fault-reader <folder> <seed> <size of values> <commits>
//! ```
//!
//! Ends with 0 when every read gave the state after that many commits, with 1 when the folder did not open or
//! a read failed, with 2 when a read gave anything else. Not here: the damage.

use std::path::Path;
use std::process::ExitCode;

use weir_faults::History;
use weir_faults::history::{END, Rows, difference};
use weir_faults::options::{open, options};
use weir_store::{Direction, Snapshot};

/// What reading came to, best first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Right,
    Failed(String),
    Wrong(String),
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match &arguments[..] {
        [folder, seed, sizes, commits] => read(Path::new(folder), seed, sizes, commits),
        _ => Outcome::Wrong("expected a folder, a seed, the size of values and commits".to_owned()),
    };
    let (code, what) = match outcome {
        Outcome::Right => (0, "right".to_owned()),
        Outcome::Failed(what) => (1, what),
        Outcome::Wrong(what) => (2, what),
    };
    println!("{what}");
    // The folder is thrown away: closing it in good order is not what is looked at.
    std::process::exit(code)
}

fn read(folder: &Path, seed: &str, sizes: &str, commits: &str) -> Outcome {
    let history = History::from_arguments(seed, sizes);
    let (history, commits) = match (history, commits.parse()) {
        (Ok(history), Ok(commits)) => (history, commits),
        (Err(what), _) => return Outcome::Wrong(what),
        (_, Err(_)) => return Outcome::Wrong(format!("{commits:?} is no number of commits")),
    };
    match open(folder, options(history.sizes)) {
        Ok(store) => {
            let snapshot = store.snapshot_durable();
            let outcome = read_all(&snapshot, &history.state_after(commits));
            // Both outlive this: dropping the last handle would close the store.
            std::mem::forget((snapshot, store));
            outcome
        }
        Err(error) => Outcome::Failed(error.to_string()),
    }
}

/// The worst of all reads: two scans, and each key that is there or could be.
fn read_all(snapshot: &Snapshot, expected: &Rows) -> Outcome {
    let scans =
        [Direction::Ascending, Direction::Descending].map(|direction| scan(snapshot, direction, expected));
    let absent = (0..100).map(|key| format!("key-{key:02}").into_bytes());
    let keys = expected.keys().map(|key| key.to_vec()).chain(absent);
    let gets = keys.map(|key| match snapshot.get(&key) {
        Ok(value) if value.as_ref() == expected.get(&key[..]) => Outcome::Right,
        Ok(_) => Outcome::Wrong(format!("get of {} gives something else", String::from_utf8_lossy(&key))),
        Err(error) => Outcome::Failed(error.to_string()),
    });
    scans.into_iter().chain(gets).max().unwrap_or(Outcome::Right)
}

fn scan(snapshot: &Snapshot, direction: Direction, expected: &Rows) -> Outcome {
    match snapshot.scan(b"", END, direction, usize::MAX) {
        Ok(rows) if rows.len() != expected.len() => {
            Outcome::Wrong(format!("a scan gives {} rows instead of {}", rows.len(), expected.len()))
        }
        Ok(rows) => match difference(&rows.into_iter().collect(), expected) {
            Some(what) => Outcome::Wrong(format!("a scan gives something else: {what}")),
            None => Outcome::Right,
        },
        Err(error) => Outcome::Failed(error.to_string()),
    }
}
