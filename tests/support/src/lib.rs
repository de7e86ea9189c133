//! What the end-to-end tests and the benches share: a `host` process that is started, watched and ended, and
//! clients that cost next to nothing.
//!
//! **Not for:** anything that ships. Nothing here is used by the host, and nothing here reaches into its rooms:
//! it sees what a user sees, a binary and a socket.

pub mod command;
pub mod connect;
pub mod frame;
pub mod heavy;
pub mod host;
pub mod http;
pub mod project;
pub mod sync_client;
pub mod wait;

pub use host::HostProcess;
pub use sync_client::SyncClient;
