//! Actions: functions that wait for the world. They read and write by calling queries and mutations.
//!
//! [`executor`] polls an action's futures and waits for the host; [`task`] is one piece of work in the host as a future;
//! everything else starts such work.

mod beside;
mod ctx;
mod executor;
mod fetch;
pub mod http;
mod serve;
mod stream;
mod task;

pub(crate) use beside::send_beside;
pub use ctx::ActionCtx;
pub(crate) use executor::block_on;
pub(crate) use http::{Handed, text_of};
pub(crate) use serve::serve;
pub(crate) use stream::Outgoing;
pub(crate) use task::Task;
