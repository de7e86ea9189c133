//! A `host` process: started on a free port, ended with the test.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// A running `host`. Dropping it kills it.
pub struct HostProcess {
    child: Child,
    address: SocketAddr,
    errors: Arc<Mutex<String>>,
    start_to_ready: Duration,
}

/// The `host` binary: `HOST_BIN`, or the one beside the running test or bench.
///
/// # Panics
/// When there is none, with the command that builds it.
#[must_use]
pub fn host_binary() -> PathBuf {
    if let Some(path) = std::env::var_os("HOST_BIN") {
        return PathBuf::from(path);
    }
    program_beside("host")
        .expect("no `host` binary beside this program: run `cargo build -p weir-cli`, or set HOST_BIN")
}

/// A program that was built with the one that runs: it is in the same folder, or above that of tests.
#[must_use]
pub fn program_beside(name: &str) -> Option<PathBuf> {
    let current = std::env::current_exe().expect("the running program has a path");
    current.ancestors().skip(1).take(2).map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// `host check` finds nothing wrong with a data folder; gives what it tells.
///
/// # Errors
/// When it finds something, with what it says.
pub fn check(data: &Path) -> Result<String> {
    let output = Command::new(host_binary()).arg("check").arg("--data").arg(data).output()?;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(
        output.status.success() && told.contains("all is well"),
        "{told}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(told)
}

/// The flags with which `host serve` tells everybody what it tells holders of admin keys: tests look at it.
pub const TELLING: [&str; 2] = ["--show-errors", "--open-metrics"];

impl HostProcess {
    /// `host serve` on `data`, on a free port; clients are told all, as `host dev` tells them.
    ///
    /// # Errors
    /// When it ends, or says nothing for 60 s, before it is ready; with what it wrote.
    pub fn serve(data: &Path) -> Result<HostProcess> {
        Self::serve_at(data, "127.0.0.1:0")
    }

    /// `host serve` on `data`, at `listen`.
    ///
    /// # Errors
    /// As for [`HostProcess::serve`].
    pub fn serve_at(data: &Path, listen: &str) -> Result<HostProcess> {
        let mut command = Command::new(host_binary());
        command.arg("serve").arg("--data").arg(data).args(["--listen", listen]);
        command.args(TELLING);
        Self::start(command)
    }

    /// `host dev --no-watch`: builds `project`, serves and deploys it.
    ///
    /// # Errors
    /// As for [`HostProcess::serve`].
    pub fn dev(project: &Path, data: &Path) -> Result<HostProcess> {
        let mut command = Command::new(host_binary());
        command.arg("dev").arg(project).arg("--no-watch").arg("--data").arg(data);
        command.args(["--listen", "127.0.0.1:0"]);
        Self::start(command)
    }

    /// Starts a command that prints `ready http://ADDR`, or `https://`, and waits for that line.
    ///
    /// # Errors
    /// As for [`HostProcess::serve`].
    pub fn start(mut command: Command) -> Result<HostProcess> {
        let started = Instant::now();
        let mut child = command
            .env_remove("CARGO_TARGET_DIR")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {command:?}"))?;
        let errors = collect(child.stderr.take().expect("piped"));
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line)?;
        let ready = line.trim().strip_prefix("ready ").and_then(|url| url.split_once("://"));
        let Some((_, address)) = ready else {
            let status = child.wait()?;
            // The reader of standard error may be a moment behind the end of the process.
            std::thread::sleep(Duration::from_millis(50));
            bail!(
                "{command:?} ended with {status} before it was ready:\n{}",
                errors.lock().expect("never poisoned")
            );
        };
        let address = address.parse().with_context(|| format!("the address in {line:?}"))?;
        Ok(HostProcess { child, address, errors, start_to_ready: started.elapsed() })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The time from starting the process to its `ready` line.
    #[must_use]
    pub fn start_to_ready(&self) -> Duration {
        self.start_to_ready
    }

    /// What it has written to standard error so far.
    #[must_use]
    pub fn errors(&self) -> String {
        self.errors.lock().expect("never poisoned").clone()
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Resident memory in KiB, as the kernel counts it.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn resident_kib(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("no VmRSS")?;
        Ok(line.split_whitespace().nth(1).context("no figure in VmRSS")?.parse()?)
    }

    /// Ends it as a power cut would: SIGKILL, no goodbye.
    pub fn kill(&mut self) {
        // It may be gone already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks it to stop (SIGTERM) and waits for its end, at most 20 s. Gives whether it ended with code 0.
    ///
    /// # Errors
    /// When it does not end.
    pub fn stop(&mut self) -> Result<bool> {
        let pid = self.child.id().to_string();
        self.stop_process(&pid)
    }

    /// As [`HostProcess::stop`], for a host that runs as the only child of a tracer.
    ///
    /// # Errors
    /// As for [`HostProcess::stop`].
    pub fn stop_traced(&mut self) -> Result<bool> {
        let tracer = self.child.id();
        let children = std::fs::read_to_string(format!("/proc/{tracer}/task/{tracer}/children"))?;
        self.stop_process(children.trim())
    }

    fn stop_process(&mut self, pid: &str) -> Result<bool> {
        Command::new("kill").args(["-TERM", pid]).status()?;
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status.success());
            }
            if Instant::now() > deadline {
                bail!("the host did not end within 20 s of SIGTERM:\n{}", self.errors());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for HostProcess {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port that was free a moment ago, for a server that must come back at the same address.
///
/// # Errors
/// When there is no free port.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

#[expect(clippy::disallowed_methods, reason = "tests own no Env")]
fn collect(mut stream: impl Read + Send + 'static) -> Arc<Mutex<String>> {
    let text = Arc::new(Mutex::new(String::new()));
    let sink = Arc::clone(&text);
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = stream.read(&mut buffer) {
            sink.lock().expect("never poisoned").push_str(&String::from_utf8_lossy(&buffer[..length]));
        }
    });
    text
}
