//! The simulation in small: a thousand seeds, their determinism, and the defects that it must find.
//!
//! Not here: hours of seeds, for which there is `make simulate`.

mod binary;
mod planted;
mod search;
mod seeds;
