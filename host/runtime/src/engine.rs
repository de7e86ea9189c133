//! The engine's settings, and why each is as it is.
use std::sync::Arc;

use wasmtime::{Config, Engine, InstanceAllocationStrategy, WasmBacktraceDetails};
use weir_value::limits::{GUEST_STACK_BYTES_MAX, HOST_STACK_BYTES_MAX};

use crate::RuntimeError;
use crate::memory::Memories;

/// An engine.
pub(crate) fn build() -> Result<Engine, RuntimeError> {
    Engine::new(&config()).map_err(|error| RuntimeError::Engine(format!("{error:#}")))
}

fn config() -> Config {
    let mut config = Config::new();
    config
        // Memories come from `Memories`, which sets them back better than wasmtime's pool does.
        .allocation_strategy(InstanceAllocationStrategy::OnDemand)
        .with_host_memory(Arc::new(Memories))
        // Epochs, not fuel: a counter in every block costs far more than a load and a compare at loop heads.
        .epoch_interruption(true)
        // Nothing runs concurrently within a store; the bookkeeping for it costs as much as a small call.
        .concurrency_support(false)
        .max_wasm_stack(GUEST_STACK_BYTES_MAX)
        // The stack of an action, which is set aside while it waits: address space, of which few pages are used.
        .async_stack_size(GUEST_STACK_BYTES_MAX + HOST_STACK_BYTES_MAX)
        // Nor does wasmtime map what is in them at the start.
        .memory_init_cow(false)
        // All that 32 bits reach is reserved, so that no access needs a bounds check.
        .memory_reservation(4 << 30)
        // Relaxed SIMD may differ between processors, but then its results would too.
        .relaxed_simd_deterministic(true)
        .wasm_backtrace_details(WasmBacktraceDetails::Enable);
    config
}
