//! Starts of the real host on a data folder in which something is amiss, and the deployment that mends it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use weir_test_support::host::host_binary;
use weir_test_support::{HostProcess, http, project};

const ACCOUNTS: u32 = 3;

/// Two modules: `bank:*` is in one, `hostile:*` in the other.
fn guests() -> PathBuf {
    project::repository().join("tests/guests")
}

#[test]
fn a_component_that_is_gone_costs_its_own_functions_until_it_is_deployed_again() -> Result<()> {
    let data = tempfile::tempdir()?;
    let mut host = HostProcess::dev(&guests(), data.path())?;
    let seed = json!({"from": 0, "count": ACCOUNTS, "balance": 10.0});
    let ids = http::value(host.address(), "mutation", "bank:seed", &seed)?;
    let deployed = deployment(&host, data.path())?;
    ensure!(host.stop()?, "{}", host.errors());
    let file = remove_component(data.path(), &deployed, "bench")?;
    // Nor does the folder of compiled code take any: all goes on without it.
    fs::write(data.path().join("compiled"), "a file")?;

    let mut host = HostProcess::serve(data.path())?;
    http::value(host.address(), "query", "hostile:count", &json!({}))?;
    let balances = json!({ "ids": ids });
    let refused = http::call(host.address(), "query", "bank:balances", &balances)?;
    let message = refused["errorMessage"].as_str().context("an error")?;
    for part in ["'bank:balances' is deployed but cannot run", "`bench`", &file, "host deploy"] {
        ensure!(message.contains(part), "{part} is not in {message}");
    }
    let described = deployment(&host, data.path())?;
    ensure!(described["missing"][0]["name"] == "bench", "{described}");
    ensure!(described["missing"][0]["functions"].as_array().is_some_and(|all| all.len() > 3), "{described}");

    let output = deploy(&host, data.path())?;
    ensure!(output.contains("bank:balances"), "{output}");
    let values = http::value(host.address(), "query", "bank:balances", &balances)?;
    ensure!(values == json!([10, 10, 10]), "{values}");
    ensure!(deployment(&host, data.path())?["missing"].is_null());
    ensure!(host.stop()?, "{}", host.errors());
    let log = host.errors();
    ensure!(log.contains("ERROR") && log.contains(&file) && log.contains("there is no such file"), "{log}");
    ensure!(log.contains("functions without those of: bench"), "{log}");
    let warnings = log.matches("compiled code cannot be kept on disk").count();
    ensure!(warnings == 1, "it is said once, not {warnings} times: {log}");
    Ok(())
}

fn deployment(host: &HostProcess, data: &Path) -> Result<Value> {
    let key = fs::read_to_string(data.join("admin-key"))?;
    let headers = format!("Authorization: Convex {}\r\n", key.trim());
    Ok(http::request(host.address(), "GET", "/api/weir/deployment", &headers, b"")?.json())
}

/// Removes the component of a module; gives its file's name.
fn remove_component(data: &Path, deployed: &Value, name: &str) -> Result<String> {
    let modules = deployed["modules"].as_array().context("modules")?;
    let module = modules.iter().find(|module| module["name"] == name).context("the module")?;
    let file = format!("components/{}.wasm", module["sha256"].as_str().context("a hash")?);
    fs::remove_file(data.join(&file))?;
    Ok(file)
}

/// `host deploy`; gives what it printed.
fn deploy(host: &HostProcess, data: &Path) -> Result<String> {
    let mut command = Command::new(host_binary());
    command.arg("deploy").arg(guests()).arg("--data").arg(data);
    command.args(["--url", &format!("http://{}", host.address())]).env_remove("CARGO_TARGET_DIR");
    let output = command.output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}
