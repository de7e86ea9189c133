//! What the tests here share: the cases, guests of each language, and the transcript of what came out.
//!
//! **Invariant:** nothing that a case does depends on the machine, the moment or the language, so that
//! one transcript holds for all of them.

mod actions;
mod case;
mod files;
mod guests;
mod http;
mod live;
mod transcript;
mod web;

pub use case::{Case, Cases, Step};
pub use guests::{Guest, deploy, folder, runtime};
pub use transcript::{Transcript, record};
