//! Variables on the real binary: set over HTTP and from the command line, read by functions, watched over sockets, and
//! shown to nobody else.

mod command_line;
mod http_api;
mod live;
mod top_level;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use weir_test_support::host::host_binary;
use weir_test_support::{HostProcess, http, project};

/// The functions `variables:get` and `variables:top`, in Rust.
fn functions() -> std::path::PathBuf {
    project::repository().join("tests/conformance/rust")
}

/// A command of the binary that has ended.
struct Finished {
    is_success: bool,
    stdout: String,
    stderr: String,
}

/// Runs `host` against a server, with its data folder's key, and with this on standard input.
fn host(server: &HostProcess, data: &Path, arguments: &[&str], input: &str) -> Result<Finished> {
    let mut child = Command::new(host_binary())
        .args(arguments)
        .args(["--url", &format!("http://{}", server.address()), "--data"])
        .arg(data)
        .env_remove("HOST_ADMIN_KEY")
        .env("RUST_LOG", "trace")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    child.stdin.take().context("piped")?.write_all(input.as_bytes())?;
    let output = child.wait_with_output()?;
    Ok(Finished {
        is_success: output.status.success(),
        stdout: String::from_utf8(output.stdout)?,
        stderr: String::from_utf8(output.stderr)?,
    })
}

/// As [`host`], of a command that must succeed; gives its standard output.
fn host_well(server: &HostProcess, data: &Path, arguments: &[&str]) -> Result<String> {
    let finished = host(server, data, arguments, "")?;
    ensure!(finished.is_success, "{arguments:?}: {}", finished.stderr);
    Ok(finished.stdout)
}

/// Sets a variable, or removes it.
fn set(server: &HostProcess, data: &Path, changes: &[(&str, Option<&str>)]) -> Result<http::Answer> {
    let changes: Vec<Value> =
        changes.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    let body = json!({ "changes": changes }).to_string();
    let headers = format!("{}Content-Type: application/json\r\n", authorization(data)?);
    let path = "/api/update_environment_variables";
    let patience = std::time::Duration::from_secs(120);
    http::request_within(patience, server.address(), "POST", path, &headers, body.as_bytes())
}

/// The same, which must succeed.
fn set_well(server: &HostProcess, data: &Path, changes: &[(&str, Option<&str>)]) -> Result<()> {
    let answer = set(server, data, changes)?;
    ensure!(answer.status == 200, "{} {}", answer.status, answer.body);
    Ok(())
}

fn authorization(data: &Path) -> Result<String> {
    let key = std::fs::read_to_string(data.join("admin-key"))?;
    Ok(format!("Authorization: Convex {}\r\n", key.trim()))
}

fn get(server: &HostProcess, name: &str) -> Result<Value> {
    http::value(server.address(), "query", "variables:get", &json!({ "name": name }))
}
