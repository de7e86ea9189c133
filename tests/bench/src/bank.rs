//! The bank of the funds transfer, in a host process of its own.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use weir_store::BaseKind;
use weir_test_support::host::host_binary;
use weir_test_support::{HostProcess, http, project};

/// What each account holds at first.
pub const BALANCE: f64 = 1_000_000.0;
/// Accounts that one mutation opens: as many ids as one list may hold, nearly.
pub const ACCOUNTS_A_CALL: usize = 8_000;

/// Where the sources of the bank's module are, in its `host.toml`.
const MODULE_PATH: &str = "path = \".\"";

/// How the bank is deployed.
#[derive(Default)]
pub struct Setting {
    /// The data folder's base; `None` is the host's own choice.
    pub base: Option<BaseKind>,
    /// Lines of `host.toml` that the module gets beside its own.
    pub module_lines: &'static str,
}

/// A running host with its accounts.
pub struct Bank {
    host: HostProcess,
    ids: Arc<[String]>,
    // Dropped last: the host writes there until it ends.
    _data: tempfile::TempDir,
}

impl Bank {
    /// Builds and deploys the bank and opens its accounts.
    ///
    /// # Errors
    /// When the guest does not build or the host does not start.
    pub fn open(accounts: usize, setting: &Setting) -> Result<Bank> {
        let data = tempfile::tempdir()?;
        let mut host = start(data.path(), setting)?;
        let mut ids: Vec<String> = Vec::with_capacity(accounts);
        while ids.len() < accounts {
            let count = (accounts - ids.len()).min(ACCOUNTS_A_CALL);
            let seeded = http::value(
                host.address(),
                "mutation",
                "bank:seed",
                &json!({"from": ids.len(), "count": count, "balance": BALANCE}),
            )?;
            ids.extend(serde_json::from_value::<Vec<String>>(seeded)?);
        }
        ensure!(host.stop()?, "the host failed:\n{}", host.errors());
        let host = HostProcess::serve(data.path())?;
        Ok(Bank { host, ids: ids.into(), _data: data })
    }

    /// Where the host listens.
    pub fn address(&self) -> SocketAddr {
        self.host.address()
    }

    /// The host's process.
    pub fn pid(&self) -> u32 {
        self.host.pid()
    }

    /// The accounts' ids.
    pub fn ids(&self) -> Arc<[String]> {
        Arc::clone(&self.ids)
    }

    /// How many syncs of the log there were since the host started.
    ///
    /// # Errors
    /// When the host does not answer.
    pub fn syncs(&self) -> Result<f64> {
        http::metric(self.host.address(), "weir_log_syncs_total")
    }

    /// The sum over all accounts is what was paid in: no transfer was lost or done by half.
    ///
    /// # Errors
    /// When it is not.
    pub fn check_total(&self) -> Result<()> {
        let mut sum = 0.0;
        for ids in self.ids.chunks(2_000) {
            let balances = http::value(self.address(), "query", "bank:balances", &json!({"ids": ids}))?;
            let balances: Vec<f64> = serde_json::from_value(balances).context("a list of balances")?;
            sum += balances.iter().sum::<f64>();
        }
        let expected = BALANCE * self.ids.len() as f64;
        ensure!(sum == expected, "the sum of all balances is {sum}, not {expected}");
        Ok(())
    }
}

/// A host that builds, serves and deploys the bank; the folder keeps its base from then on.
fn start(data: &Path, setting: &Setting) -> Result<HostProcess> {
    let project = project_with(setting.module_lines)?;
    let mut command = Command::new(host_binary());
    command.arg("dev").arg(project.path()).arg("--no-watch").arg("--data").arg(data);
    command.args(["--listen", "127.0.0.1:0"]);
    if let Some(base) = setting.base {
        command.args(["--base", base.name()]);
    }
    HostProcess::start(command)
}

/// A folder with the project of the bank, whose module has these lines too: its sources stay where they are.
fn project_with(module_lines: &str) -> Result<tempfile::TempDir> {
    let sources = project::guest("bench");
    let settings = std::fs::read_to_string(sources.join("host.toml"))?;
    let here = format!("path = {:?}", sources.display().to_string());
    ensure!(settings.contains(MODULE_PATH), "the bank's host.toml has no line `{MODULE_PATH}`");
    let settings = settings.replace(MODULE_PATH, &format!("{here}\n{module_lines}"));
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("host.toml"), settings)?;
    Ok(folder)
}
