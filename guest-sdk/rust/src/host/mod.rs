//! The host as the SDK sees it: the world's imports as plain functions. Outside
//! of WebAssembly there is the host of a test, or none, and they say so.
//!
//! All of the SDK's unsafe code is below this module and in the allocator.

pub(crate) mod abi;
#[allow(
    unsafe_code,
    missing_docs,
    unreachable_pub,
    unused,
    unsafe_op_in_unsafe_fn,
    clippy::all,
    clippy::too_many_lines,
    clippy::undocumented_unsafe_blocks,
    reason = "made by wit-bindgen"
)]
pub mod bindings {
    //! The world as Rust, made by `build.rs`.
    include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
}
#[cfg(target_family = "wasm")]
mod exports;
#[cfg(not(target_family = "wasm"))]
#[allow(missing_docs, reason = "for the crate weir-test alone; the world's own files say what each does")]
pub mod native;

pub(crate) use bindings::Failure;
pub(crate) use bindings::weir::guest::calls::CallError;
pub use bindings::weir::guest::log::Level;
pub(crate) use bindings::weir::guest::tasks::Completion;
pub(crate) use bindings::weir::guest::types::Error as HostError;

#[cfg(target_family = "wasm")]
pub(crate) use bindings::weir::guest::{
    auth, calls, context, crypto, db, http, log, scheduler, storage, streams, tasks, variables,
};
#[cfg(not(target_family = "wasm"))]
pub(crate) use native::{
    auth, calls, context, crypto, db, http, log, scheduler, storage, streams, tasks, variables,
};
