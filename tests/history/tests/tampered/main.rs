//! The checker on a real run that was bent between the clients and the checker: each anomaly is found, under its name.
//!
//! One run of a few seconds is recorded; in it is nothing wrong. Then one thing is changed, as a client would have seen
//! it if the host had gone wrong there.

mod original;
mod read_changes;
mod snapshot_changes;
mod write_changes;

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use weir_history::check::{Anomaly, Level, check};
use weir_history::history::History;
use weir_history::verdict::{expect_clean, told};
use weir_history::workload::{Least, Random, Settings, Site, episode};

use original::Original;

/// How often each change is made, at other places.
const TRIES: u64 = 2;
/// At how many places a change is tried before there is taken to be none for it.
const PLACES: u32 = 100_000;

/// Changes one thing, at a place of the random numbers' choosing; `None` if that place does not do.
type Change = fn(&Original, &mut Random) -> Option<History>;

/// What must be found.
enum Expected {
    /// An anomaly of this name.
    Named(&'static str),
    /// A cycle that shows at this level or at a lower one: where it is made, more than one thing may be wrong with it.
    Cycle(Level),
}

const CHANGES: [(&str, Change, Expected); 12] = [
    ("an element is missing in a read", read_changes::drop_inner, Expected::Named("incompatible-order")),
    ("two elements of a read are exchanged", read_changes::exchange, Expected::Named("incompatible-order")),
    ("an element is read twice", read_changes::repeat_last, Expected::Named("duplicate")),
    ("an element comes from nowhere", read_changes::invent, Expected::Named("unwritten")),
    ("a query is of an earlier timestamp", read_changes::make_stale, Expected::Cycle(Level::RealTime)),
    ("an answered append is gone from all reads", write_changes::lose, Expected::Named("lost-append")),
    ("a lost mutation was answered", write_changes::answer_before_commit, Expected::Named("lost-append")),
    ("a mutation that was read has failed", write_changes::fail, Expected::Named("G1a")),
    ("timestamps are exchanged", write_changes::exchange_timestamps, Expected::Cycle(Level::Timestamps)),
    ("a transition goes back in time", snapshot_changes::turn_back, Expected::Cycle(Level::Session)),
    (
        "a client does not see its own write",
        snapshot_changes::hide_own_write,
        Expected::Cycle(Level::Session),
    ),
    ("a transition is of two timestamps", snapshot_changes::tear, Expected::Cycle(Level::Timestamps)),
];

#[test]
fn what_is_bent_is_found_under_its_name() -> Result<()> {
    let mut site = Site::new()?;
    let least = Least { answers: 500, ends: 2 };
    let settings = Settings { seed: 11, duration: Duration::from_secs(5), least };
    let run = episode(&mut site, &settings)?;
    expect_clean(&run, settings.seed, env!("CARGO_TARGET_TMPDIR").as_ref())?;
    let original = Original::of(run.history);
    for (what, change, expected) in CHANGES {
        let mut random = Random::of(&[settings.seed, 6]);
        for _ in 0..TRIES {
            let bent = (0..PLACES).find_map(|_| change(&original, &mut random));
            let bent = bent.with_context(|| format!("there is no place where {what}"))?;
            let found = check(&bent);
            ensure!(found.iter().any(|one| is(one, &expected)), "{what}; found: {}", told(&bent, &found));
        }
    }
    Ok(())
}

fn is(found: &Anomaly, expected: &Expected) -> bool {
    match expected {
        Expected::Named(name) => found.name() == *name,
        Expected::Cycle(level) => matches!(found, Anomaly::Cycle(cycle) if cycle.level <= *level),
    }
}
