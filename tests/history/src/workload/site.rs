//! Where a host lives: a data folder, an address, and what the host is told.
//!
//! Not here: when it is started and ended (`run`).

use std::net::SocketAddr;
use std::process::Command;

use anyhow::{Result, ensure};
use weir_test_support::host::{TELLING, free_port, host_binary};
use weir_test_support::{HostProcess, project};

/// Where a host lives: its data, its address, and what else it is told.
#[derive(Debug)]
pub struct Site {
    data: tempfile::TempDir,
    listen: String,
    environment: Vec<(String, String)>,
    /// The number of the next run on this data, and its first transaction.
    pub(super) next: (u32, u32),
}

impl Site {
    /// A new data folder, with the guest deployed.
    ///
    /// # Errors
    /// When the guest cannot be built or deployed.
    pub fn new() -> Result<Site> {
        let data = tempfile::tempdir()?;
        let mut host = HostProcess::dev(&project::guest("lists"), data.path())?;
        ensure!(host.stop()?, "the host stopped with an error:\n{}", host.errors());
        let listen = format!("127.0.0.1:{}", free_port()?);
        Ok(Site { data, listen, environment: Vec::new(), next: (0, 0) })
    }

    /// Starts hosts with this variable in their environment.
    #[must_use]
    pub fn with_variable(mut self, name: &str, value: &str) -> Site {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Where its hosts listen.
    ///
    /// # Errors
    /// Never: it is an address.
    pub(super) fn address(&self) -> Result<SocketAddr> {
        Ok(self.listen.parse()?)
    }

    /// Starts a host and waits until it is ready.
    ///
    /// # Errors
    /// When it does not become ready.
    pub(super) fn start(&self) -> Result<HostProcess> {
        let mut command = Command::new(host_binary());
        command.arg("serve").arg("--data").arg(self.data.path()).args(["--listen", &self.listen]);
        command.args(TELLING);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        HostProcess::start(command)
    }
}
