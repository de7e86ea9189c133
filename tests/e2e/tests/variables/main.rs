//! Variables on the real binary: set over HTTP and from the command line, read by functions, watched over sockets, and
//! shown to nobody else.

mod command_line;
mod http_api;
mod live;
mod top_level;

use anyhow::Result;
use serde_json::{Value, json};
use weir_test_support::command::{authorization, host, host_well, set, set_well};
use weir_test_support::{HostProcess, http, project};

/// The functions `variables:get` and `variables:top`, in Rust.
fn functions() -> std::path::PathBuf {
    project::repository().join("tests/conformance/rust")
}

fn get(server: &HostProcess, name: &str) -> Result<Value> {
    http::value(server.address(), "query", "variables:get", &json!({ "name": name }))
}
