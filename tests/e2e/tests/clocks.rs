//! What the clocks of a language's own library say within functions.

use anyhow::{Result, ensure};
use serde_json::json;
use weir_test_support::{HostProcess, http, project};

#[test]
fn clocks_go_on_in_actions_and_stand_still_elsewhere() -> Result<()> {
    let data = tempfile::tempdir()?;
    let mut host = HostProcess::dev(&project::guest("probe"), data.path())?;
    let args = json!({ "milliseconds": 50.0 });
    let went_on: Vec<f64> =
        serde_json::from_value(http::value(host.address(), "action", "probe:clocks", &args)?)?;
    ensure!(went_on.iter().all(|ms| (49.0..10_000.0).contains(ms)), "wall and monotonic: {went_on:?}");
    let stood_still = http::value(host.address(), "query", "probe:clocksStandStill", &json!({}))?;
    ensure!(stood_still == json!(true));
    ensure!(host.stop()?, "the host stopped with an error:\n{}", host.errors());
    Ok(())
}
