//! The engine's settings, and why each is as it is.
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, WasmBacktraceDetails,
};
use weir_value::limits::GUEST_STACK_BYTES_MAX;

use crate::{RuntimeError, RuntimeOptions};

/// Core instances, memories and tables that one component may have. `wit-component` makes three of a guest that
/// imports something (its module, a shim, a fix-up); adapters add one each.
const CORE_INSTANCES_PER_COMPONENT: u32 = 8;
const MEMORIES_PER_COMPONENT: u32 = 2;
const TABLES_PER_COMPONENT: u32 = 4;

/// What a slot keeps of its memory between two calls, if it was touched: it is set back by copying, which is far
/// cheaper than giving the pages back and faulting them in again. What a call touched beyond this is given back.
const MEMORY_KEEP_RESIDENT_BYTES: usize = 1 << 20;
const TABLE_KEEP_RESIDENT_BYTES: usize = 64 << 10;

/// An engine for calls of at most the options' size.
pub(crate) fn build(options: &RuntimeOptions) -> Result<Engine, RuntimeError> {
    Engine::new(&config(options)).map_err(|error| RuntimeError::Engine(format!("{error:#}")))
}

fn config(options: &RuntimeOptions) -> Config {
    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool(options)))
        // Epochs, not fuel: a counter in every block costs far more than a load and a compare at loop heads.
        .epoch_interruption(true)
        // Nothing runs concurrently within a store; the bookkeeping for it costs as much as a small call.
        .concurrency_support(false)
        .max_wasm_stack(GUEST_STACK_BYTES_MAX)
        // An image of the initialized memory is mapped, not copied, into each instance.
        .memory_init_cow(true)
        // The pool's slots are this far apart, so that no access needs a bounds check.
        .memory_reservation(4 << 30)
        // Relaxed SIMD may differ between processors, but then its results would too.
        .relaxed_simd_deterministic(true)
        .wasm_backtrace_details(WasmBacktraceDetails::Enable);
    config
}

fn pool(options: &RuntimeOptions) -> PoolingAllocationConfig {
    let components = options.max_concurrent_calls.saturating_mul(options.max_nested_calls.max(1)).max(1);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(components)
        .total_core_instances(components.saturating_mul(CORE_INSTANCES_PER_COMPONENT))
        .total_memories(components.saturating_mul(MEMORIES_PER_COMPONENT))
        .total_tables(components.saturating_mul(TABLES_PER_COMPONENT))
        .max_core_instances_per_component(CORE_INSTANCES_PER_COMPONENT)
        .max_memories_per_component(MEMORIES_PER_COMPONENT)
        .max_tables_per_component(TABLES_PER_COMPONENT)
        .max_memory_size(options.call_memory_bytes_max)
        .table_elements(options.call_table_elements_max)
        // No stacks: calls are synchronous.
        .total_stacks(0)
        .linear_memory_keep_resident(MEMORY_KEEP_RESIDENT_BYTES)
        .table_keep_resident(TABLE_KEEP_RESIDENT_BYTES)
        // Ask the kernel which pages a call wrote instead of setting all of them back (Linux 6.7 and later).
        .pagemap_scan(Enabled::Auto);
    pool
}
