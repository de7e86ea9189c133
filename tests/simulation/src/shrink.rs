//! Failures made small, and told so that they can be seen again.
//!
//! A run with fewer events is the beginning of the same run; so the first length that fails is found by halving.
//!
//! Not here: what failed.

use std::fmt;

use weir_store::planted::Bug;

use crate::{Broken, Settings, run};

/// How many lines of the trace a report has.
const TRACE_LINES: usize = 40;

/// A seed that fails, with as few events as it takes.
#[derive(Debug)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// How many events it takes.
    pub events: u64,
    /// What did not hold.
    pub broken: Broken,
    /// The end of the trace.
    pub trace_end: String,
    bug: Option<Bug>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failure { seed, events, broken, trace_end, bug } = self;
        let bug = bug.map(|bug| format!(" --bug {}", bug.name())).unwrap_or_default();
        write!(
            f,
            "seed {seed} fails within {events} events\n{broken}\n\nThe end of the trace:\n{trace_end}\nAll of it: make \
             simulate SIMULATE=\"--seed {seed} --events {events}{bug}\""
        )
    }
}

/// Runs a seed; if it fails, finds out with how few events.
pub fn find_failure(seed: u64, settings: &Settings) -> Option<Failure> {
    let (event, _) = run(seed, settings).broken?;
    let events = fewest_events(seed, settings, event);
    let settings = Settings { events, is_traced: true, ..settings.clone() };
    let outcome = run(seed, &settings);
    let broken = outcome.broken?.1;
    let lines: Vec<&str> = outcome.trace.lines().collect();
    let trace_end = lines[lines.len().saturating_sub(TRACE_LINES)..].join("\n");
    Some(Failure { seed, events, broken, trace_end, bug: settings.bug })
}

/// The smallest number of events that fails, if those that fail follow those that do not. It is one that fails
/// in any case.
fn fewest_events(seed: u64, settings: &Settings, known_to_fail: u64) -> u64 {
    let (mut passes, mut fails) = (0, known_to_fail);
    while passes < fails {
        let events = passes + (fails - passes) / 2;
        let settings = Settings { events, is_traced: false, ..settings.clone() };
        match run(seed, &settings).broken {
            Some(_) => fails = events,
            None => passes = events + 1,
        }
    }
    fails
}
