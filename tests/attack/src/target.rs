//! The host that is attacked.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use weir_test_support::host::{check, host_binary};
use weir_test_support::{HostProcess, http, project};

use crate::ordinary::WRITER;

/// One attack at a time: another one beside it would be measured with it.
static ALONE: Mutex<()> = Mutex::new(());

/// Waits until nobody else in this process attacks.
pub fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A host that serves `tests/guests/attack`, as it is started without flags.
pub struct Target {
    folder: tempfile::TempDir,
    host: HostProcess,
}

impl Target {
    /// Builds and deploys the app, and starts a host that serves it.
    ///
    /// # Errors
    /// When it does not build or start.
    pub fn start() -> Result<Target> {
        Self::start_with(&[])
    }

    /// As [`Target::start`], with these flags.
    ///
    /// # Errors
    /// As those of [`Target::start`].
    pub fn start_with(flags: &[&str]) -> Result<Target> {
        let folder = tempfile::tempdir()?;
        HostProcess::dev(&project::guest("attack"), folder.path())?.stop()?;
        let host = serve(folder.path(), flags)?;
        Ok(Target { folder, host })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.host.address()
    }

    /// The process.
    pub fn host(&mut self) -> &mut HostProcess {
        &mut self.host
    }

    /// Its data folder.
    #[must_use]
    pub fn data(&self) -> &Path {
        self.folder.path()
    }

    /// Resident memory, in MiB.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn resident_mib(&self) -> Result<u64> {
        let errors = || format!("the host is gone: {}", self.host.errors());
        Ok(self.host.resident_kib().with_context(errors)? / 1024)
    }

    /// Ends it as a power cut would. What the ordinary client was answered is there in the next one, and nothing is
    /// wrong with the data.
    ///
    /// # Errors
    /// When something is missing or wrong.
    pub fn nothing_is_lost(mut self, notes_answered: u64) -> Result<()> {
        self.host.kill();
        self.host = serve(self.folder.path(), &[])?;
        let written = http::value(self.address(), "query", "attack:written", &json!({ "writer": WRITER }))?;
        let written = written.as_f64().context("a number")?;
        ensure!(written >= notes_answered as f64, "{notes_answered} were answered, {written} are there");
        self.host.stop()?;
        check(self.folder.path())?;
        Ok(())
    }
}

fn serve(data: &Path, flags: &[&str]) -> Result<HostProcess> {
    let mut command = Command::new(host_binary());
    command.arg("serve").arg("--data").arg(data).args(["--listen", "127.0.0.1:0"]).args(flags);
    HostProcess::start(command)
}
