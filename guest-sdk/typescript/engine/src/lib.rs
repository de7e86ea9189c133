//! The JavaScript engine that TypeScript functions run on: QuickJS-ng, compiled to WebAssembly.
//!
//! Its sources are in `c/` and `patches/`, and in the crate that `source/Cargo.toml` pins. It is a core module of Weir's
//! world, with one export more, `init`, which loads a project (`c/engine.c`).

/// The core module.
pub static ENGINE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/engine.wasm"));
