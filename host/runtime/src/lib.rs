//! The runtime: guest components on wasmtime.
//!
//! A [`Runtime`] is one engine; [`Runtime::load`] turns components into a [`Deployment`], which implements
//! [`weir_db::Functions`]: each call runs in an instance that is as it was when it was made. What a guest
//! can reach is the WIT world in `wit/`, plus a WASI in which time stands still and there is nothing to find.
//!
//! **Invariant:** nothing of wasmtime's types is in this room's public API, and no other room names it. Nothing
//! here knows of sockets, HTTP, the log or the base; a guest cannot read a clock, a file, the environment or another
//! call's memory; nothing that a call leaves in an instance is there in the next one.
mod action;
mod bindings;
mod call_state;
mod compiled_cache;
mod compiler;
mod counters;
mod crons;
mod deployment;
mod engine;
mod failure;
mod guest;
mod inspection;
mod instance_pool;
mod instances_section;
mod interfaces;
mod invocation;
mod load_error;
mod manifest;
mod memory;
mod module;
mod node_section;
mod options;
mod reset;
mod resource_limits;
mod routes;
mod runtime;
mod sections;
mod shared_code;
mod ticker;
mod wasi;

pub use compiler::{Artefact, Compiler, compile, framed};
pub use counters::RuntimeStats;
pub use deployment::Deployment;
pub use load_error::LoadError;
pub use manifest::{ManifestError, ModuleAuth, check_manifest};
pub use module::ModuleInfo;
pub use options::{RuntimeError, RuntimeOptions};
pub use runtime::{ModuleSource, PartSource, Runtime};
