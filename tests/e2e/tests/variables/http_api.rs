//! The routes, who may use them, and what they never show.

use std::process::Command;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use weir_test_support::host::{check, host_binary};
use weir_test_support::{HostProcess, http};

use super::{authorization, functions, get, host, set, set_well};

const UPDATE: &str = "/api/update_environment_variables";
const LIST: &str = "/api/weir/variables";

fn listed(server: &HostProcess, data: &std::path::Path) -> Result<Value> {
    let answer = http::request(server.address(), "GET", LIST, &authorization(data)?, b"")?;
    ensure!(answer.status == 200, "{} {}", answer.status, answer.body);
    Ok(answer.json()["variables"].clone())
}

#[test]
fn only_the_admin_sees_and_sets_them() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = HostProcess::serve(data.path())?;
    set_well(&server, data.path(), &[("A", Some("hidden"))])?;
    let body = r#"{"changes":[{"name":"A","value":"other"}]}"#;
    let strangers = [
        ("", 401),
        ("Authorization: Convex weir|0000\r\n", 403),
        ("Authorization: Bearer hidden\r\n", 401),
        ("Authorization: Basic hidden\r\n", 401),
    ];
    for (headers, status) in strangers {
        for (method, path, body) in [("POST", UPDATE, body), ("GET", LIST, "")] {
            let answer = http::request(server.address(), method, path, headers, body.as_bytes())?;
            ensure!(answer.status == status, "{method} {headers}: {} {}", answer.status, answer.body);
            ensure!(!answer.body.contains("hidden"), "{}", answer.body);
        }
    }
    ensure!(listed(&server, data.path())? == json!([{"name": "A", "value": "hidden"}]));
    Ok(())
}

#[test]
fn what_cannot_be_set_is_refused_and_nothing_changes() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = HostProcess::serve(data.path())?;
    let address = server.address();
    let headers = authorization(data.path())?;
    let large = format!(r#"{{"changes":[{{"name":"A","value":"{}"}}]}}"#, "hidden".repeat(2_000));
    let many: Vec<Value> = (0..1_001).map(|n| json!({"name": format!("V{n}"), "value": "hidden"})).collect();
    let many = json!({ "changes": many }).to_string();
    let cases: [(&str, &str, &str); 12] = [
        ("", "InvalidRequest", "line 1, column 0"),
        ("hidden", "InvalidRequest", "line 1, column 1"),
        (r#"{"changes":[{"name":"A","value":"hidden"}]"#, "InvalidRequest", "column 42"),
        (r#"{"changes":[{"name":"A","value":471147114711}]}"#, "InvalidRequest", "column"),
        (r#"{"changes":[{"name":"A","vlaue":"hidden"}]}"#, "InvalidRequest", "column"),
        (r#"{"changes":{"A":"hidden"}}"#, "InvalidRequest", "column"),
        (r#"{"changes":[{"value":"hidden"}]}"#, "InvalidRequest", "column"),
        (r#"{"changes":[{"name":"","value":"hidden"}]}"#, "InvalidVariable", "must not be empty"),
        (
            r#"{"changes":[{"name":"GOOD","value":"1"},{"name":"A B","value":"hidden"}]}"#,
            "InvalidVariable",
            "' '",
        ),
        (r#"{"changes":[{"name":"CONVEX_CLOUD_URL","value":"hidden"}]}"#, "InvalidVariable", "built in"),
        (&large, "InvalidVariable", "`A` is too large"),
        (&many, "TooManyVariables", "1001 variables; at most 1000"),
    ];
    for (body, code, text) in cases {
        let answer = http::request(address, "POST", UPDATE, &headers, body.as_bytes())?;
        let shown: String = body.chars().take(80).collect();
        ensure!(answer.status == 400, "{shown}: {} {}", answer.status, answer.body);
        ensure!(answer.json()["code"] == code && answer.body.contains(text), "{shown}: {}", answer.body);
        ensure!(!answer.body.contains("hidden") && !answer.body.contains("4711"), "{shown}: {}", answer.body);
    }
    for (method, path) in [("GET", UPDATE), ("POST", LIST)] {
        let answer = http::request(address, method, path, &headers, b"")?;
        ensure!(answer.status == 405, "{method} {path}: {}", answer.status);
    }
    ensure!(listed(&server, data.path())? == json!([]));
    // As npm `convex` removes one: a change without a value.
    set_well(&server, data.path(), &[("A", Some("1"))])?;
    let removed = http::request(address, "POST", UPDATE, &headers, br#"{"changes":[{"name":"A"}]}"#)?;
    ensure!(removed.status == 200 && listed(&server, data.path())? == json!([]), "{}", removed.body);
    Ok(())
}

#[test]
fn they_outlive_a_stop_and_a_kill() -> Result<()> {
    let data = tempfile::tempdir()?;
    let mut server = HostProcess::dev(&functions(), data.path())?;
    set_well(&server, data.path(), &[("A", Some("1")), ("B", Some("1"))])?;
    ensure!(server.stop()?, "{}", server.errors());
    server = HostProcess::serve(data.path())?;
    ensure!(get(&server, "A")? == "1");
    set_well(&server, data.path(), &[("A", Some("2")), ("B", None)])?;
    server.kill();
    server = HostProcess::serve(data.path())?;
    ensure!(get(&server, "A")? == "2" && get(&server, "B")? == json!(null));
    drop(server);
    check(data.path()).map(drop)
}

#[test]
fn the_servers_urls_are_built_in() -> Result<()> {
    let data = tempfile::tempdir()?;
    drop(HostProcess::dev(&functions(), data.path())?);
    let mut command = Command::new(host_binary());
    command.args(["serve", "--listen", "127.0.0.1:0", "--public-url", "https://api.example.com/"]);
    command.args(["--site-url", "https://example.com"]).arg("--data").arg(data.path());
    let server = HostProcess::start(command)?;
    ensure!(get(&server, "CONVEX_CLOUD_URL")? == "https://api.example.com");
    ensure!(get(&server, "CONVEX_SITE_URL")? == "https://example.com");
    let listed = listed(&server, data.path())?;
    ensure!(listed == json!([]), "they were not set: {listed}");
    Ok(())
}

/// Whatever is done with values, the log has none of them, however much it says.
#[test]
fn no_log_shows_a_value() -> Result<()> {
    let data = tempfile::tempdir()?;
    let mut command = Command::new(host_binary());
    command.arg("dev").arg(functions()).args([
        "--no-watch",
        "--listen",
        "127.0.0.1:0",
        "--log",
        "trace",
        "--data",
    ]);
    command.arg(data.path());
    let mut server = HostProcess::start(command)?;
    let (a, b) = ("hidden-value-a", "hidden-value-b");
    set_well(&server, data.path(), &[("A", Some(a)), ("TOP", Some(b))])?;
    let said = host(&server, data.path(), &["env", "set", "B"], b)?;
    ensure!(said.is_success && !said.stderr.contains("hidden-value"), "{}", said.stderr);
    ensure!(get(&server, "A")? == a && get(&server, "B")? == b);
    let refused = set(&server, data.path(), &[("A", Some(a)), ("9", Some(b))])?;
    ensure!(refused.status == 400, "{}", refused.body);
    set_well(&server, data.path(), &[("A", None)])?;
    ensure!(server.stop()?, "it ends well");
    let log = server.errors();
    ensure!(log.len() > 200, "it says much: {log}");
    ensure!(!log.contains("hidden-value"), "{log}");
    Ok(())
}
