//! Faults in the real files below a store.
//!
//! A [`Lab`] runs a workload on a store, in a process of its own, with a shim between it and libc that records
//! what it does to its files and makes one fault. The [`Recording`] gives the folder as a power failure would
//! have left it at any moment; [`verify`](verify::verify) opens a folder and checks it against what the
//! workload was told. No privileges are needed, and nothing depends on what lies below the store.
//!
//! **Invariant.** Uses the store as the rooms above it do: by its public interface. Not here: the shim and
//! the model of the disk, which have packages of their own, and the tests (see the folder `tests`).

pub mod churn;
pub mod history;
pub mod lab;
pub mod options;
pub mod reading;
pub mod recording;
pub mod verify;

pub use history::{Answer, History, Sizes};
pub use lab::{End, Lab, Process, Run, Work};
pub use recording::{FailedSync, Recording};
pub use weir_fault_model::{CrashImage, Entry, Event, Full, Image, Kill, Moment, Plan, Random, Slow};

/// How much longer than in an ordinary run the tests are to look: the environment variable
/// `WEIR_FAULT_EFFORT`, 1 when it is not set.
///
/// # Panics
/// When it is set to something else than a number above zero.
pub fn effort() -> usize {
    match std::env::var("WEIR_FAULT_EFFORT") {
        Ok(text) => match text.parse() {
            Ok(effort) if effort > 0 => effort,
            _ => panic!("WEIR_FAULT_EFFORT must be a number above zero, not {text:?}"),
        },
        Err(_) => 1,
    }
}

/// Every how many-th of `count` cases to look at, to look at about `wanted` of them in an ordinary run.
pub fn stride(count: usize, wanted: usize) -> usize {
    count.div_ceil(wanted * effort()).max(1)
}
