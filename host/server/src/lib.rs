//! The server: HTTP API, WebSockets, deployment, static files.
//!
//! Here the rooms below meet the network: requests become calls of functions on
//! dedicated threads, commits become answers when they are durable, changes
//! become messages to those who watch.
//!
//! **Invariant:** nothing here decides what a message of the sync protocol
//! means, which live query must run, or how a commit becomes durable; no guest
//! runs on a thread of the network; nothing is answered before it is durable.

pub mod admin_key;
pub mod backend;
mod component_files;
pub mod deploy;
mod durable_gate;
mod executor;
mod folders;
mod housekeeping;
mod http;
pub mod identity;
mod kept_snapshots;
mod key_changes;
mod listener;
mod live_hub;
mod metrics;
mod passwords;
mod scheduler;
mod server;
mod shutdown;
mod socket;
mod system_functions;
mod tasks;

pub use component_files::{ComponentFiles, ComponentHash};
pub use http::{ROUTES, Route, StaticFiles};
pub use server::{Server, ServerOptions, StartError, WebFolder, store_folder};
pub use shutdown::StopSignals;
pub use system_functions::system_function_paths;
