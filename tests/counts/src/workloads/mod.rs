//! What is counted: fixed work on one thread, of which the first part warms up.

mod bank;
mod calls;
mod commit;
mod diff;
mod push;

use std::path::Path;

use anyhow::Result;
use clap::ValueEnum;

/// One kind of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Workload {
    /// A query through a guest: one document by its id.
    Query,
    /// A mutation through a guest: a transfer, until it is durable on a disk in memory.
    Mutation,
    /// The same transfer as a function of the host's: what the database and the store take of it.
    Commit,
    /// What one of many sockets that watch a query is sent, from the durable commit to its frame.
    Push,
    /// The patch between two results.
    Diff,
}

impl Workload {
    /// All of them.
    pub const ALL: [Workload; 5] =
        [Workload::Query, Workload::Mutation, Workload::Commit, Workload::Push, Workload::Diff];

    /// Its name, as an argument and among the kept figures.
    pub fn name(self) -> &'static str {
        match self {
            Workload::Query => "query",
            Workload::Mutation => "mutation",
            Workload::Commit => "commit",
            Workload::Push => "push",
            Workload::Diff => "diff",
        }
    }

    /// How often the work is done while it is counted.
    pub fn times(self) -> u32 {
        match self {
            Workload::Query | Workload::Mutation | Workload::Commit => 400,
            Workload::Push => push::SOCKETS * push::ROUNDS,
            Workload::Diff => 100,
        }
    }

    /// Does it; `component` is the bank's.
    ///
    /// # Errors
    /// When something fails that has to succeed.
    pub fn run(self, component: &Path) -> Result<()> {
        match self {
            Workload::Query => calls::query(component, self.times()),
            Workload::Mutation => calls::mutation(component, self.times()),
            Workload::Commit => commit::run(self.times()),
            Workload::Push => push::run(),
            Workload::Diff => diff::run(self.times()),
        }
    }
}

/// All that happens in here is counted, and nothing else: callgrind knows it by its name.
#[inline(never)]
pub fn counted(work: &mut dyn FnMut() -> Result<()>) -> Result<()> {
    // Not the last thing in here: a jump into it would be no call.
    std::hint::black_box(work())
}
