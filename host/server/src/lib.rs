//! The server: HTTP API, WebSockets, deployment, static files.
//!
//! Here the rooms below meet the network: requests become calls of functions on
//! dedicated threads, commits become answers when they are durable, changes
//! become messages to those who watch.
//!
//! **Invariant:** nothing here decides what a message of the sync protocol
//! means, which live query must run, or how a commit becomes durable; no guest
//! runs on a thread of the network; nothing is answered before it is durable.

mod actions;
mod address;
pub mod admin_key;
mod answer;
pub mod app;
mod audit;
mod bucket;
mod budget;
mod canonical_urls;
mod component_files;
mod connection_room;
pub mod deploy;
mod descriptors;
mod disclosure;
mod durable_gate;
mod executor;
mod fan_out;
mod folders;
mod front;
mod group_listener;
mod housekeeping;
mod http;
pub mod identity;
mod inbox;
mod kept_snapshots;
mod key_changes;
mod large_json;
mod listener;
mod live_hub;
mod log_limits;
pub mod machine;
mod metrics;
mod passwords;
mod range;
mod reach;
mod redirect;
mod refusals;
mod request_body;
mod request_id;
mod scheduler;
mod server;
mod shutdown;
mod socket;
mod start_error;
mod static_files;
mod storage;
mod stream;
mod strict_heads;
mod system_functions;
mod tasks;
mod timings;
mod tls;
mod wire;

pub use address::AddressLimitOptions;
pub use audit::read_newest as read_audit;
pub use canonical_urls::CanonicalUrls;
pub use component_files::{ComponentFiles, ComponentHash};
pub use disclosure::Disclosure;
pub use front::FrontOptions;
pub use http::{ROUTES, Route};
pub use log_limits::{LogLimits, Severity};
pub use reach::{Reach, ReachOptions};
pub use server::{
    ComponentLoader, Server, ServerOptions, WebFolder, acme_folder, audit_folder, store_folder,
};
pub use shutdown::StopSignals;
pub use start_error::StartError;
pub use static_files::StaticFiles;
pub use system_functions::system_function_paths;
pub use tls::{AcmeOptions, LETS_ENCRYPT, TlsError, TlsOptions};
