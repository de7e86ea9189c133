//! Outbound requests: what functions fetch, and where they may connect to.
//!
//! By default the internet is open to them and everything else is closed: this machine, its neighbours, and whatever
//! only routers know. An operator opens hosts and ranges by name ([`Rules`]). It is the *address* that counts, after the
//! name was resolved, at every connection: a name that resolves to something else the second time gains nothing.
//!
//! **Invariant:** no connection is made to an address that the rules have not admitted.
mod address;
mod client;
mod kept;
mod resolver;
mod rules;

pub use client::{Client, ClientError};
pub use resolver::Lookup;
pub use rules::{Rules, RulesError};
