//! How much happened in a run.
//!
//! Not here: how much is enough (`verdict`).

use std::fmt;
use std::sync::atomic::Ordering::Relaxed;

use weir_test_support::{HostProcess, http};

use super::shared::Shared;

/// How much happened in a run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Figures {
    /// How often the host was ended by SIGKILL.
    pub kills: u64,
    /// How often it was asked to stop.
    pub stops: u64,
    /// Mutations that were answered.
    pub answers: u64,
    /// Mutations that were sent again.
    pub sent_again: u64,
    /// Those of them that had been answered before, and were answered again.
    pub repeated_answers: u64,
    /// Transitions of sockets.
    pub transitions: u64,
    /// Values that came as patches.
    pub patches: u64,
    /// Queries over HTTP.
    pub queries: u64,
    /// Connections that the clients cut.
    pub cuts: u64,
    /// Runs that met a conflict, as the hosts counted them until they were ended.
    pub conflicts: u64,
    /// Runs in serial execution, likewise.
    pub serial_runs: u64,
}

impl Figures {
    pub(super) fn take(&mut self, shared: &Shared) {
        let counters = &shared.counters;
        self.answers = counters.answers.load(Relaxed);
        self.sent_again = counters.sent_again.load(Relaxed);
        self.repeated_answers = counters.repeated_answers.load(Relaxed);
        self.transitions = counters.transitions.load(Relaxed);
        self.patches = counters.patches.load(Relaxed);
        self.queries = counters.queries.load(Relaxed);
        self.cuts = counters.cuts.load(Relaxed);
    }

    /// What a host has counted, before it is ended. It is not part of the verdict, so a host that is busy is let be.
    pub(super) fn take_metrics(&mut self, host: &HostProcess) {
        let metric = |name| http::metric(host.address(), name).unwrap_or(0.0) as u64;
        self.conflicts += metric("weir_conflicts_total");
        self.serial_runs += metric("weir_serial_runs_total");
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} kills, {} stops, {} cut connections; {} mutations answered, {} sent again, {} of them after their answer; \
             {} transitions with {} patches, {} queries; {} conflicts, {} serial runs",
            self.kills,
            self.stops,
            self.cuts,
            self.answers,
            self.sent_again,
            self.repeated_answers,
            self.transitions,
            self.patches,
            self.queries,
            self.conflicts,
            self.serial_runs
        )
    }
}
