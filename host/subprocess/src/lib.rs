//! Work that the host does in a process of its own: compiling what somebody sent takes as much time and memory as that
//! somebody likes.
//!
//! [`Subprocess`] starts the host's own program once more for each piece of work, gives it bytes on standard input, and
//! takes bytes from standard output. The child is bounded before it has read any of them ([`Confinement`]): in memory, in
//! time, in what it may write; it has a lower priority and an empty environment.
//!
//! **Invariant:** a child outlives neither who waits for it, nor its time, nor the host, however that ends; and there is one
//! at a time. Nothing here knows what the work is.
mod cancellation;
mod child;
mod confinement;
mod failure;
mod limits;
mod queue;
mod subprocess;

pub use cancellation::Cancellation;
pub use confinement::{Confinement, answer};
pub use failure::Failure;
pub use limits::Limits;
pub use subprocess::Subprocess;
