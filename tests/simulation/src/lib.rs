//! The store and the database in a simulated world: one seed decides everything, and a model says what is right.
//!
//! A run is some hundred events: clients call functions whose transactions overlap step by step, the log writes
//! groups, flushes and checkpoints happen, disks get full or fail, the process or the power goes, in the midst of
//! things too, and the host starts again. Every outcome is checked against a model in plain maps, see [`Property`].
//! Equal seeds give equal runs, to the byte of their trace; so a seed is all that it takes to see a failure again.
//!
//! Not here: sockets, guests, real files and threads that race; `tests/e2e` and the rooms' own tests have those.

mod calls;
mod chance;
mod client;
mod deploying;
mod documents;
mod faults;
mod functions;
mod generate;
mod host;
mod inspect;
mod model;
mod outcomes;
mod profile;
mod program;
mod property;
mod replay;
mod schemas;
mod scope;
mod shrink;
mod simulation;
mod trace;

use std::panic::{AssertUnwindSafe, catch_unwind};

use weir_store::planted::{self, Bug};

pub use property::{Broken, Property};
pub use shrink::{Failure, find_failure};

use simulation::Simulation;

/// How many events a run has, unless it is told otherwise.
pub const EVENTS: u64 = 200;

/// What a run is told beside its seed.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How many events happen before everything comes to rest.
    pub events: u64,
    /// A defect that the host has in this run.
    pub bug: Option<Bug>,
    /// Whether the trace is written.
    pub is_traced: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { events: EVENTS, bug: None, is_traced: false }
    }
}

/// How often things happened in a run: a simulation in which something never happens does not test it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Mutations that were sent, repetitions included.
    pub calls: u64,
    /// Runs of functions.
    pub runs: u64,
    /// Mutations that committed.
    pub commits: u64,
    /// Mutations that ran again behind the gate, because of a conflict.
    pub conflicts: u64,
    /// Mutations that were answered from their record.
    pub repetitions: u64,
    /// Mutations that were refused for want of room.
    pub refusals: u64,
    /// Flushes, or parts of one.
    pub flushes: u64,
    /// Parts that were not the last one.
    pub open_passes: u64,
    /// Checkpoints.
    pub checkpoints: u64,
    /// Ends of the process or the power.
    pub crashes: u64,
    /// Ends of the power in the midst of something.
    pub cuts: u64,
    /// Stores that gave up because a sync had failed.
    pub failures: u64,
    /// Starts that a crash or a failed sync ended.
    pub failed_starts: u64,
    /// Starts on a full disk.
    pub full_starts: u64,
    /// Restarts in good order.
    pub restarts: u64,
    /// Commits that a crash took away before they were answered.
    pub lost_commits: u64,
    /// Deployments that came into force.
    pub deployments: u64,
    /// Batches of their work.
    pub deployment_steps: u64,
    /// Deployments that documents did not fit.
    pub refused_deployments: u64,
    /// Queries and counts of an index of a schema that succeeded.
    pub index_reads: u64,
    /// Pages that were read, each behind another one or the first.
    pub pages: u64,
    /// Of those, pages behind a cursor from another call.
    pub later_pages: u64,
}

/// What became of a run.
#[derive(Debug)]
pub struct Outcome {
    /// What did not hold, and at which event.
    pub broken: Option<(u64, Broken)>,
    /// What happened how often.
    pub figures: Figures,
    /// Everything that happened, if that was wanted.
    pub trace: String,
}

/// Runs the simulation of one seed.
pub fn run(seed: u64, settings: &Settings) -> Outcome {
    let _planted = settings.bug.map(planted::plant);
    let mut simulation = match Simulation::new(seed, settings) {
        Ok(simulation) => simulation,
        Err(broken) => {
            return Outcome { broken: Some((0, broken)), figures: Figures::default(), trace: String::new() };
        }
    };
    let ended = catch_unwind(AssertUnwindSafe(|| simulation.run())).unwrap_or_else(|panic| {
        Err(Broken { property: Property::NoPanic, detail: client::text_of(&*panic) })
    });
    if let Err(broken) = &ended {
        simulation.note(|| format!("BROKEN {broken}"));
    }
    let (event, figures) = (simulation.event, simulation.figures);
    let broken = ended.err().map(|broken| (event, broken));
    Outcome { broken, figures, trace: simulation.into_trace() }
}
