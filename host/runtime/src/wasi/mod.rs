//! WASI 0.2 for guests whose toolchain cannot do without: time stands still, random numbers come from the call's seed,
//! arguments, environment and folders are empty, what is printed becomes log lines.
//!
//! **Invariant:** nothing here reads a clock, a random source, a file, the environment or standard input, and nothing
//! waits: every pollable is ready. There are no sockets. The state is made when a guest first uses it, so that one
//! that does not pays nothing.
mod clocks;
mod process;
mod random;
mod stdio;

use wasmtime::component::{HasData, Linker, ResourceTable};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemCtx, WasiFilesystemCtxView};
use wasmtime_wasi::p2::bindings::{
    cli, clocks as clock_bindings, filesystem, random as random_bindings, sync,
};
use weir_db::{CallContext, LogLevel};

use crate::call_state::CallState;
use random::SeededRandom;
use stdio::Output;

/// Resources (streams, pollables) that a call may hold at the same time.
const RESOURCES_MAX: usize = 1_000;

/// The WASI of one call.
pub(crate) struct WasiState {
    now_nanos: u64,
    random: SeededRandom,
    output: Output,
    filesystem: WasiFilesystemCtx,
    table: ResourceTable,
}

impl WasiState {
    /// Of a call that knows this much of the world.
    pub(crate) fn new(context: &CallContext) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(RESOURCES_MAX);
        WasiState {
            now_nanos: nanos_since_epoch(context.now_ms),
            random: SeededRandom::new(context.seed),
            output: Output::default(),
            filesystem: WasiFilesystemCtx::default(),
            table,
        }
    }

    /// Whether the guest has a stream, a pollable or another resource.
    pub(crate) fn holds_resources(&self) -> bool {
        !self.table.is_empty()
    }

    /// The lines that were printed since this was asked last.
    pub(crate) fn take_output(&mut self, at_the_end: bool) -> Vec<(LogLevel, String)> {
        self.output.take(at_the_end)
    }
}

/// Whole milliseconds stay exact, which they would not as one float of nanoseconds.
fn nanos_since_epoch(ms: f64) -> u64 {
    // A cast from a float keeps to the range of the integer.
    (ms.trunc() as u64).saturating_mul(1_000_000).saturating_add((ms.fract() * 1e6) as u64)
}

/// [`WasiState`] as the data of an interface.
struct HasWasi;

impl HasData for HasWasi {
    type Data<'a> = &'a mut WasiState;
}

/// Its table alone, which is all that streams and pollables need.
struct HasTable;

impl HasData for HasTable {
    type Data<'a> = &'a mut ResourceTable;
}

/// The interfaces that are offered, without their version.
const OFFERED: [&str; 20] = [
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
];

/// Whether the interface of this name, without its version, is offered.
pub(crate) fn offers(name: &str) -> bool {
    OFFERED.contains(&name)
}

/// Adds all that is offered.
pub(crate) fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    link_cli(linker)?;
    link_io(linker)?;
    clock_bindings::wall_clock::add_to_linker::<_, HasWasi>(linker, CallState::wasi)?;
    clock_bindings::monotonic_clock::add_to_linker::<_, HasWasi>(linker, CallState::wasi)?;
    random_bindings::random::add_to_linker::<_, HasWasi>(linker, CallState::wasi)?;
    random_bindings::insecure::add_to_linker::<_, HasWasi>(linker, CallState::wasi)?;
    random_bindings::insecure_seed::add_to_linker::<_, HasWasi>(linker, CallState::wasi)?;
    filesystem::preopens::add_to_linker::<_, WasiFilesystem>(linker, no_files)?;
    sync::filesystem::types::add_to_linker::<_, WasiFilesystem>(linker, no_files)
}

fn link_cli(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    cli::environment::add_to_linker::<_, HasWasi>(linker, CallState::wasi)?;
    cli::exit::add_to_linker::<_, HasWasi>(linker, CallState::wasi)?;
    cli::stdin::add_to_linker::<_, HasWasi>(linker, CallState::wasi)?;
    cli::stdout::add_to_linker::<_, HasWasi>(linker, CallState::wasi)?;
    cli::stderr::add_to_linker::<_, HasWasi>(linker, CallState::wasi)?;
    cli::terminal_input::add_to_linker::<_, HasWasi>(linker, CallState::wasi)?;
    cli::terminal_output::add_to_linker::<_, HasWasi>(linker, CallState::wasi)?;
    cli::terminal_stdin::add_to_linker::<_, HasWasi>(linker, CallState::wasi)?;
    cli::terminal_stdout::add_to_linker::<_, HasWasi>(linker, CallState::wasi)?;
    cli::terminal_stderr::add_to_linker::<_, HasWasi>(linker, CallState::wasi)
}

fn link_io(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    use wasmtime_wasi::p2::bindings::io;
    io::error::add_to_linker::<_, HasTable>(linker, table)?;
    sync::io::poll::add_to_linker::<_, HasTable>(linker, table)?;
    sync::io::streams::add_to_linker::<_, HasTable>(linker, table)
}

fn table(state: &mut CallState) -> &mut ResourceTable {
    &mut state.wasi().table
}

fn no_files(state: &mut CallState) -> WasiFilesystemCtxView<'_> {
    let wasi = state.wasi();
    WasiFilesystemCtxView { ctx: &mut wasi.filesystem, table: &mut wasi.table }
}
