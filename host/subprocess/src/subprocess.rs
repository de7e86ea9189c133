//! The host's own program, once more, for each piece of work.
use std::ffi::OsString;
use std::fs::File;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::confinement::Confinement;
use crate::queue::Queue;
use crate::{Cancellation, Failure, Limits, child};

/// This program, whatever has been put in the place of its file since it was started: what it makes fits this process.
const THIS_PROGRAM: &str = "/proc/self/exe";

/// Does pieces of work in processes of their own, one at a time.
#[derive(Debug)]
pub struct Subprocess {
    program: PathBuf,
    arguments: Vec<OsString>,
    limits: Limits,
    queue: Queue,
}

impl Subprocess {
    /// Starts this program with these arguments, after which a [`Confinement`] and the kind of work follow. It is to call
    /// [`Confinement::enter`] before it does anything else, and then [`answer`](crate::answer).
    pub fn of_this_program(arguments: &[&str], limits: Limits) -> Subprocess {
        Subprocess::new(THIS_PROGRAM.into(), arguments, limits)
    }

    /// As [`Subprocess::of_this_program`], of another program.
    pub fn new(program: PathBuf, arguments: &[&str], limits: Limits) -> Subprocess {
        let arguments = arguments.iter().map(OsString::from).collect();
        Subprocess { program, arguments, limits, queue: Queue::default() }
    }

    /// What each piece of work may take.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Does a piece of work of this kind, when its turn comes: gives what the child has written, a file in memory that
    /// stands at its beginning. Blocks, for as long as its time and the wait for its turn.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn run(&self, kind: &str, input: &[&[u8]], cancellation: &Cancellation) -> Result<File, Failure> {
        let _turn = self.queue.wait(cancellation, self.limits.time_max)?;
        if cancellation.is_cancelled() {
            return Err(Failure::Cancelled);
        }
        let time = cancellation.left_of(self.limits.time_max);
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).arg(self.confinement().to_string()).arg(kind);
        child::run(command, input, time, &self.limits, cancellation)
    }

    fn confinement(&self) -> Confinement {
        let Limits { time_max, memory_bytes_max, output_bytes_max, threads } = self.limits;
        // Beside the clock on the wall, which the host looks at: all of its threads, and the one that waits for them.
        let time = time_max * (u32::try_from(threads).unwrap_or(u32::MAX).saturating_add(1));
        Confinement {
            parent: std::process::id().cast_signed(),
            memory_bytes_max,
            output_bytes_max,
            cpu_seconds_max: (time + Duration::from_secs(1)).as_secs(),
        }
    }
}
