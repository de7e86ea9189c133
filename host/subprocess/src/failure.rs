//! Why a piece of work gave nothing.
use std::io;
use std::time::Duration;

/// Why a piece of work gave nothing. The texts go on after a colon, and are for whoever deploys.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The work itself says why.
    #[error("{0}")]
    Refused(String),
    /// It took too long.
    #[error(
        "it takes longer than the {} s that a deployment may: make its largest functions smaller, or let the host take \
         longer, with `--deploy-time`",
        .0.as_secs_f32()
    )]
    Time(Duration),
    /// It needed too much memory, in bytes.
    #[error(
        "it needs more than {} MiB of memory: make its largest functions smaller, or give the host more for it, with \
         `--deploy-memory`",
        .0 >> 20
    )]
    Memory(u64),
    /// What it gives is too large, in bytes.
    #[error("what is made of it is larger than {} MiB: make it smaller", .0 >> 20)]
    Output(u64),
    /// Nobody waits for it any more.
    #[error("nobody waits for it any more")]
    Cancelled,
    /// Too many wait for their turn.
    #[error("too many others wait for the same: try again later")]
    Busy,
    /// The process ended as none should.
    #[error("the process that does it failed, which is a bug: {0}")]
    Died(String),
    /// The process was killed, and not by the host.
    #[error("the process that does it was killed, as the system does with processes when memory runs out")]
    Killed,
    /// The system does not start the process.
    #[error("the process that does it cannot be started: {0}")]
    Start(#[from] io::Error),
}
