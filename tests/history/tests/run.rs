//! Clients on real sockets, a host that is killed under them, and nothing that is wrong with what they saw.
//!
//! `WEIR_HISTORY_SECONDS` makes it longer than the 45 s that are part of every test run: hours, if you like.
//! `WEIR_HISTORY_SEED` chooses what the clients do; a run that fails prints its seed.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use weir_history::verdict::{expect_busy, expect_clean};
use weir_history::workload::{Least, Settings, Site, episode};

/// How long the clients go on by default.
const SECONDS: u64 = 45;
/// How long one history grows at most: it is checked as a whole, in memory.
const EPISODE: Duration = Duration::from_secs(60);
/// How many histories one data folder is used for. Each needs tables of its own, of which a host has only so many.
const EPISODES_PER_SITE: usize = 20;

#[test]
fn what_clients_see_is_strictly_serializable_while_the_host_is_killed() -> Result<()> {
    let end = Instant::now() + Duration::from_secs(variable("WEIR_HISTORY_SECONDS")?.unwrap_or(SECONDS));
    let mut seed = variable("WEIR_HISTORY_SEED")?.unwrap_or(1);
    while Instant::now() < end {
        let mut site = Site::new()?;
        for _ in 0..EPISODES_PER_SITE {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let started = Instant::now();
            let least = Least { answers: 500, ends: 4 };
            let run = episode(&mut site, &Settings { seed, duration: left.min(EPISODE), least })?;
            let ran = started.elapsed();
            expect_clean(&run, seed, Path::new(env!("CARGO_TARGET_TMPDIR")))?;
            let (count, took) = (run.history.transactions.len(), started.elapsed() - ran);
            println!(
                "seed {seed}: {count} transactions in {ran:.1?}, checked in {took:.1?}: {}",
                run.figures
            );
            expect_busy(&run)?;
            seed += 1;
        }
    }
    Ok(())
}

fn variable(name: &str) -> Result<Option<u64>> {
    let Ok(text) = std::env::var(name) else { return Ok(None) };
    text.parse().map(Some).with_context(|| format!("{name} is to be a number, not {text:?}"))
}
