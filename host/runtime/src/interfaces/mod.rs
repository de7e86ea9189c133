//! The host's half of the WIT world: one file per interface, each function a thin step from WIT types to `weir_db`.
//!
//! Decides nothing: what a transaction may do, and what it costs, is `weir_db`'s to say.
mod auth;
mod calls;
mod context;
mod crypto;
mod db;
mod exit;
mod http;
mod in_action;
mod intl;
mod log;
mod scheduler;
mod storage;
mod streams;
mod tasks;
mod variables;
mod web_crypto;

use wasmtime::component::{HasSelf, Linker};

use crate::bindings::weir::guest::types;
use crate::bindings::{Guest, WORLD};
use crate::call_state::CallState;
use crate::wasi;

impl types::Host for CallState {}

/// All that a guest can import.
pub(crate) fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    Guest::add_to_linker::<CallState, HasSelf<CallState>>(linker, |state| state)?;
    wasi::link(linker)
}

/// All that an action can import: the same, but what takes time suspends its guest.
pub(crate) fn link_action(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    link(linker)?;
    in_action::link(linker)
}

/// The interfaces of the world.
const INTERFACES: [&str; 16] = [
    "auth",
    "calls",
    "context",
    "crypto",
    "db",
    "exit",
    "http",
    "intl",
    "log",
    "scheduler",
    "storage",
    "streams",
    "tasks",
    "types",
    "variables",
    "web-crypto",
];

/// Whether the host offers an interface of this name (`package:name/interface@version`), or one that it may be asked
/// for in its place.
pub(crate) fn offers(import: &str) -> Offer {
    let (name, version) = import.split_once('@').unwrap_or((import, ""));
    let ours = name.strip_prefix("weir:guest/").is_some_and(|interface| INTERFACES.contains(&interface));
    if name.starts_with("weir:guest/") && !WORLD.ends_with(&format!("@{version}")) {
        return Offer::OtherVersion;
    }
    if ours || wasi::offers(name) { Offer::Yes } else { Offer::No }
}

/// The answer to [`offers`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offer {
    /// It does.
    Yes,
    /// It speaks another version of `weir:guest`.
    OtherVersion,
    /// It does not.
    No,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_offered() {
        let cases = [
            ("weir:guest/db@0.1.0", Offer::Yes),
            ("weir:guest/types@0.1.0", Offer::Yes),
            ("weir:guest/db@0.2.0", Offer::OtherVersion),
            ("weir:guest/db", Offer::OtherVersion),
            ("weir:guest/scheduler@0.1.0", Offer::Yes),
            ("weir:guest/vectors@0.1.0", Offer::No),
            ("wasi:clocks/wall-clock@0.2.3", Offer::Yes),
            ("wasi:filesystem/preopens@0.2.0", Offer::Yes),
            ("wasi:sockets/tcp@0.2.3", Offer::No),
            ("wasi:http/outgoing-handler@0.2.3", Offer::No),
            ("mystery", Offer::No),
        ];
        for (import, expected) in cases {
            assert_eq!(offers(import), expected, "{import}");
        }
    }
}
