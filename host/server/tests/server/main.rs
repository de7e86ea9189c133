//! The server over loopback sockets: native functions on an in-memory store, so
//! that neither WebAssembly nor a disk is needed.
#![expect(clippy::disallowed_methods, reason = "tests own no Env")]

mod abandoned;
mod access;
mod acting;
mod actions;
mod auditing;
mod crons;
mod deploying_on_full_disk;
mod deployment;
mod disclosure;
mod fairness;
mod files;
mod foreign_pages;
mod full_disk;
mod health;
mod hold;
mod http;
mod identities;
mod keys;
mod kill_points;
mod limited;
mod loader;
mod many_users;
mod memory;
mod metrics;
mod missing;
mod modules;
mod passwords;
mod providers;
mod refusals;
mod sockets;
mod static_files;
mod stepped_store;
mod stopping;
mod storing;
mod support;
mod system_functions;
mod variables;
mod wrong_keys;
