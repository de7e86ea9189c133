//! Reads everything in a folder that may be damaged, in every way.
//!
//! Not here: the damage.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use weir_store::{BaseKind, Direction, Snapshot, StoreOptions};

use crate::Sizes;
use crate::history::{END, Rows, difference};
use crate::options::{open, options, told};

/// What reading came to, best first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Every read gave what it should.
    Right,
    /// The folder did not open, or a read failed, with this error.
    Failed(String),
    /// A read gave something else.
    Wrong(String),
}

/// Opens the folder, which should show `expected`, reads, and closes it.
pub fn read(folder: &Path, base: BaseKind, sizes: Sizes, expected: &Rows) -> Outcome {
    // Closing writes to the folder, and may fail.
    let options = StoreOptions { on_fatal: told(|_| {}), ..options(base, sizes) };
    let read = || match open(folder, options) {
        Ok(store) => read_all(&store.snapshot_durable(), expected),
        Err(error) => Outcome::Failed(error.to_string()),
    };
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Outcome::Wrong("it panics".to_owned()))
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
