//! What a piece of work may take.
use std::time::Duration;

use weir_value::limits::{COMPILED_BYTES_MAX, DEPLOY_MEMORY_BYTES_MAX, DEPLOY_TIME_MS_MAX};

/// What a piece of work may take.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Time, as a clock on the wall has it, from the child's start on. Also that of all pieces which are for one
    /// [`Cancellation`](crate::Cancellation).
    pub time_max: Duration,
    /// Memory of its own, in bytes: what it has written to, not what it has mapped of files.
    pub memory_bytes_max: u64,
    /// What it may give, in bytes.
    pub output_bytes_max: u64,
    /// Threads that compute.
    pub threads: usize,
}

impl Default for Limits {
    /// The documented limits, and half of the processors.
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Limits {
            time_max: Duration::from_millis(DEPLOY_TIME_MS_MAX),
            memory_bytes_max: DEPLOY_MEMORY_BYTES_MAX,
            output_bytes_max: COMPILED_BYTES_MAX,
            threads: (processors / 2).max(1),
        }
    }
}
