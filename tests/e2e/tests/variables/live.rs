//! Live queries that read variables.

use anyhow::{Context, Result, ensure};
use serde_json::json;
use weir_test_support::{HostProcess, SyncClient, http};

use super::{functions, set_well};

const SESSION: &str = "00000000-0000-4000-8000-000000000001";

fn runs(server: &HostProcess) -> Result<f64> {
    http::metric(server.address(), "weir_query_runs_total")
}

#[test]
fn a_query_runs_again_when_a_variable_changes_that_it_has_read_and_for_no_other() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = HostProcess::dev(&functions(), data.path())?;
    let data = data.path();
    set_well(&server, data, &[("A", Some("1")), ("AB", Some("1"))])?;
    let mut watcher = SyncClient::connect(server.address(), SESSION, 0)?;
    watcher.subscribe(0, 0, "variables:get", &json!({"name": "A"}))?;
    ensure!(watcher.receive_value(0)? == "1");
    watcher.subscribe(1, 1, "variables:get", &json!({"name": "ABSENT"}))?;
    ensure!(watcher.receive_value(1)? == json!(null));
    // The deployment lets every live query run again, and may come to that only now: after it comes this change.
    set_well(&server, data, &[("A", Some("first")), ("ABSENT", Some("first"))])?;
    watcher.receive_type("Transition")?;
    set_well(&server, data, &[("A", Some("1")), ("ABSENT", None)])?;
    watcher.receive_type("Transition")?;
    let before = runs(&server)?;

    set_well(&server, data, &[("AB", Some("2")), ("OTHER", Some("2")), ("A", Some("1"))])?;
    ensure!(runs(&server)? == before, "neither of them was changed");
    set_well(&server, data, &[("A", Some("2"))])?;
    ensure!(watcher.receive_value(0)? == "2");
    ensure!(runs(&server)? == before + 1.0, "one of them was");
    set_well(&server, data, &[("ABSENT", Some("here"))])?;
    ensure!(watcher.receive_value(1)? == "here");
    set_well(&server, data, &[("A", None), ("ABSENT", None)])?;
    let transition = watcher.receive_type("Transition")?;
    let modifications = transition["modifications"].as_array().context("modifications")?;
    ensure!(modifications.len() == 2, "both with one commit: {transition}");
    ensure!(modifications.iter().all(|modification| modification["value"] == json!(null)), "{transition}");
    ensure!(runs(&server)? == before + 4.0, "{} runs", runs(&server)? - before);
    Ok(())
}
