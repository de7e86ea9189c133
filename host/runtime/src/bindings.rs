//! The world `weir:guest/guest`, as Rust types and traits made from `wit/` at compile time.
//!
//! Synchronous: a call runs from its first to its last instruction on the thread that asked for it.
#![allow(missing_docs, reason = "the text stands in wit/, and the generator does not carry all of it over")]

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "guest",
    // A host function may end the call (a limit was hit), besides answering with an error.
    imports: { default: trappable },
});

/// The package that this host speaks, as it stands in component imports.
pub(crate) const WORLD: &str = "weir:guest@0.1.0";
