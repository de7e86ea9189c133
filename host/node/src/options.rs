//! What a host decides about its Node.
use std::path::PathBuf;
use std::time::Duration;

use weir_value::limits::{ACTION_GUEST_TIME_MS_MAX, FUNCTION_RESULT_BYTES_MAX};

use crate::NodeBinary;

/// What a host decides about its Node.
#[derive(Debug, Clone)]
pub struct NodeOptions {
    /// The program.
    pub binary: NodeBinary,
    /// A folder of its own: what the children run is written there, and removed at the next start.
    pub folder: PathBuf,
    /// How many children work at the same time; further calls wait for one. One that waits for another action counts
    /// for none, and there are four times as many in all.
    pub processes_max: usize,
    /// Resident memory of one child, in bytes, Node's own included. Three quarters of it may be JavaScript's heap.
    pub memory_bytes_max: u64,
    /// The time that one call may compute; while it waits, none passes. Granularity 20 ms.
    pub computing_time_max: Duration,
    /// A child that nobody has called for so long is ended.
    pub idle_time_max: Duration,
    /// A child that has served so many calls is ended.
    pub calls_max: u32,
    /// A result's size in bytes.
    pub result_bytes_max: usize,
}

impl NodeOptions {
    /// The documented limits, and as many children as there are processors, two at least.
    pub fn new(binary: NodeBinary, folder: PathBuf) -> NodeOptions {
        NodeOptions {
            binary,
            folder,
            processes_max: NodeOptions::default_processes(),
            memory_bytes_max: 512 << 20,
            computing_time_max: Duration::from_millis(ACTION_GUEST_TIME_MS_MAX),
            idle_time_max: Duration::from_secs(60),
            calls_max: 1000,
            result_bytes_max: FUNCTION_RESULT_BYTES_MAX,
        }
    }

    /// As many as there are processors, two at least.
    pub fn default_processes() -> usize {
        std::thread::available_parallelism().map_or(2, usize::from).max(2)
    }
}
