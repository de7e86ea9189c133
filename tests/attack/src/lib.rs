//! What strangers can do to a host, without a key: each attack beside an ordinary client, which is measured.
//!
//! An attack is threads that go on until they are told to stop, whatever the host answers them. The ordinary client asks
//! at fixed instants, and its latencies count from those: one that asked again after each answer would hide a stall.
//!
//! **Not for:** what a guest may do inside its instance (`tests/conformance`, hostile guests), and what is refused before
//! anything is held for it (`tests/e2e`, bad inputs).

mod attacks;
mod ordinary;
mod strangers;
mod target;
mod verdict;

pub use attacks::{ALL, Attack};
pub use ordinary::{ORDINARY, be_ordinary};
pub use strangers::Strangers;
pub use target::Target;
pub use verdict::{Verdict, all_at_once, withstands};
