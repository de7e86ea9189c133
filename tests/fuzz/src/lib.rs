//! Fuzzing: whatever comes from outside, mutated, and what has to hold of it.
//!
//! A [`Target`] takes any bytes and panics where a property does not hold. What makes the bytes is another matter:
//! [`Campaign`] mutates the corpus from a seed, in every run of the tests; `cargo fuzz` is led by what the code covers,
//! for hours, and calls the same targets (`cargo-fuzz/`).
//!
//! **Invariant:** a target decides by its bytes alone: the same bytes, the same outcome. Those that talk to a process of
//! the host are the exception, whose order of events is the machine's.

mod campaign;
mod chance;
mod component;
mod corpus;
mod edits;
mod memory;
mod mutate;
mod script;
mod site;
mod targets;

pub use campaign::{Bound, Campaign, Failure};
pub use memory::CountingAllocator;
pub use targets::{TARGETS, Target, target};
