//! Commands of the binary that talk to a running server, as whoever deploys types them.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::host::{HostProcess, host_binary};
use crate::http;

/// A command of the binary that has ended.
#[derive(Debug)]
pub struct Finished {
    /// Whether it ended with 0.
    pub is_success: bool,
    /// What it printed.
    pub stdout: String,
    /// What it said of itself, at the most talkative level.
    pub stderr: String,
}

/// Runs `host` against a server, with its data folder's key, and with this on standard input.
///
/// # Errors
/// When it cannot be started.
pub fn host(server: &HostProcess, data: &Path, arguments: &[&str], input: &str) -> Result<Finished> {
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
///
/// # Errors
/// When it does not, with what it said.
pub fn host_well(server: &HostProcess, data: &Path, arguments: &[&str]) -> Result<String> {
    let finished = host(server, data, arguments, "")?;
    ensure!(finished.is_success, "{arguments:?}: {}", finished.stderr);
    Ok(finished.stdout)
}

/// Sets variables, or removes them, over HTTP.
///
/// # Errors
/// When the server does not answer.
pub fn set(server: &HostProcess, data: &Path, changes: &[(&str, Option<&str>)]) -> Result<http::Answer> {
    let changes: Vec<Value> =
        changes.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    let body = json!({ "changes": changes }).to_string();
    let headers = format!("{}Content-Type: application/json\r\n", authorization(data)?);
    let path = "/api/update_environment_variables";
    let patience = Duration::from_secs(120);
    http::request_within(patience, server.address(), "POST", path, &headers, body.as_bytes())
}

/// As [`set`], which must succeed.
///
/// # Errors
/// When it does not, with the answer.
pub fn set_well(server: &HostProcess, data: &Path, changes: &[(&str, Option<&str>)]) -> Result<()> {
    let answer = set(server, data, changes)?;
    ensure!(answer.status == 200, "{} {}", answer.status, answer.body);
    Ok(())
}

/// The header line with the key of a data folder.
///
/// # Errors
/// When there is none.
pub fn authorization(data: &Path) -> Result<String> {
    let key = std::fs::read_to_string(data.join("admin-key"))?;
    Ok(format!("Authorization: Convex {}\r\n", key.trim()))
}
