//! What a host decides about its runtime.
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use weir_db::NodeRunner;
use weir_value::limits::{
    ACTION_GUEST_TIME_MS_MAX, FUNCTION_GUEST_TIME_MS_MAX, FUNCTION_RESULT_BYTES_MAX,
    FUNCTION_TOTAL_TIME_MS_MAX, GUEST_MEMORY_BYTES_MAX, GUEST_TABLE_ELEMENTS_MAX,
};

use crate::Compiler;

/// What a host decides about its runtime. The defaults are the documented limits.
#[derive(Debug, Clone)]
pub struct RuntimeOptions {
    /// Where compiled code is kept between starts. `None`: nowhere, every load compiles. Whoever can write into this
    /// folder can run code in the host: it belongs beside the data, readable and writable by the host's user alone. A
    /// folder that takes nothing, as on a full disk, is said in the log, and every load compiles.
    pub compiled_dir: Option<PathBuf>,
    /// Who compiles. Default: the thread that loads, without a limit.
    pub compiler: Compiler,
    /// How many calls may run at the same time, on threads of the caller. One more is refused as overloaded. Each
    /// costs 4 GiB of address space, not memory. Default 64.
    pub max_concurrent_calls: u32,
    /// The guest's own time in one call, for which its thread computes: neither what the database takes for it is counted,
    /// nor what a busy machine gives to others. Default 1 s, granularity 10 ms.
    pub call_guest_time_max: Duration,
    /// All of a call's time, what the database takes included. It is looked at when the guest calls the host, and
    /// when its own time is up. Default 15 s.
    pub call_total_time_max: Duration,
    /// The guest's own time in one action; while it waits, none passes. Default 5 minutes, granularity 10 ms.
    pub action_guest_time_max: Duration,
    /// Linear memory of one call, in bytes, a multiple of 64 KiB. Default 64 MiB.
    pub call_memory_bytes_max: usize,
    /// Table elements of one call. Default 100,000.
    pub call_table_elements_max: usize,
    /// A result's size in bytes. Default 16 MiB.
    pub result_bytes_max: usize,
    /// Runs the actions that are written for Node; `None`: such a module is loaded, and these actions fail.
    pub node: Option<Arc<dyn NodeRunner>>,
}

impl Default for RuntimeOptions {
    fn default() -> Self {
        RuntimeOptions {
            compiled_dir: None,
            compiler: Compiler::InProcess,
            max_concurrent_calls: 64,
            call_guest_time_max: Duration::from_millis(FUNCTION_GUEST_TIME_MS_MAX),
            call_total_time_max: Duration::from_millis(FUNCTION_TOTAL_TIME_MS_MAX),
            action_guest_time_max: Duration::from_millis(ACTION_GUEST_TIME_MS_MAX),
            call_memory_bytes_max: GUEST_MEMORY_BYTES_MAX,
            call_table_elements_max: GUEST_TABLE_ELEMENTS_MAX,
            result_bytes_max: FUNCTION_RESULT_BYTES_MAX,
            node: None,
        }
    }
}

/// Why there is no runtime.
#[derive(Debug, Error)]
pub enum RuntimeError {
    /// The engine refused its settings.
    #[error("the WebAssembly engine cannot start: {0}")]
    Engine(String),
    /// The ticker's thread could not be started.
    #[error("the thread that ends long calls cannot start: {0}")]
    Ticker(#[source] std::io::Error),
}
