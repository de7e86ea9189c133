//! The binary as a user meets it: help, usage errors, exit codes, what goes to
//! standard output and what to standard error.
#![expect(clippy::disallowed_methods, reason = "tests own no Env")]

mod acme;
mod compiling;
mod facing;
mod help;
mod init;
mod keys;
mod own_tls;
mod pebble;
mod secure;
mod serving;
mod testing;
mod tls_front;
mod usage;

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

/// What a finished command left.
#[derive(Debug)]
pub struct Finished {
    /// Its exit code.
    pub code: i32,
    /// All of standard output.
    pub stdout: String,
    /// All of standard error.
    pub stderr: String,
}

/// The binary, without what the environment of the tests might say to it.
pub fn host() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_host"));
    command.env_remove("HOST_ADMIN_KEY").env_remove("RUST_LOG").env("NO_COLOR", "1").env("COLUMNS", "90");
    command.stdin(Stdio::null());
    command
}

/// What is written first to standard error by the command that watches a function that is not there.
pub fn first_line_watching(folder: &Path, url: &str, more: &[&str]) -> String {
    let mut watching = host();
    watching.current_dir(folder).args(["run", "chat:nothing", "--watch", "--url", url]).args(more);
    let mut watching = watching.stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(watching.stderr.take().unwrap()).read_line(&mut line).unwrap();
    watching.kill().unwrap();
    watching.wait().unwrap();
    line
}

/// Runs the binary in a folder, to its end.
pub fn run_in(folder: &Path, arguments: &[&str]) -> Finished {
    let output = host().current_dir(folder).args(arguments).output().expect("the binary runs");
    Finished {
        code: output.status.code().expect("it was not killed"),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

/// A server that has said `ready`; killed if the test does not stop it.
pub struct Serving {
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// Where it listens: `http://ADDR`.
    pub url: String,
}

impl Serving {
    /// `host serve` on a free port, with these further arguments.
    pub fn start(folder: &Path, arguments: &[&str]) -> Serving {
        Serving::start_at(folder, "127.0.0.1:0", arguments)
    }

    /// The same at this address.
    pub fn start_at(folder: &Path, address: &str, arguments: &[&str]) -> Serving {
        let mut command = host();
        command.current_dir(folder).args(["serve", "--listen", address]).args(arguments);
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("a line");
        let url = line.strip_prefix("ready ").and_then(|rest| rest.strip_suffix('\n'));
        let Some(url) = url.map(str::to_owned) else {
            let mut stderr = String::new();
            let _ = child.stderr.take().expect("a pipe").read_to_string(&mut stderr);
            panic!("no ready line but {line:?}: {stderr}");
        };
        Serving { child, stdout, url }
    }

    /// `127.0.0.1:PORT`
    pub fn address(&self) -> &str {
        self.url.split_once("://").expect("a URL").1
    }

    /// Sends a signal.
    pub fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", signal, &id]).status().expect("kill runs");
        assert!(sent.success());
    }

    /// Sends a signal and waits: exit code, the rest of standard output, standard error.
    pub fn stop(mut self, signal: &str) -> Finished {
        self.signal(signal);
        let (mut stdout, mut stderr) = (String::new(), String::new());
        self.stdout.read_to_string(&mut stdout).expect("UTF-8");
        self.child.stderr.take().expect("a pipe").read_to_string(&mut stderr).expect("UTF-8");
        let status = self.child.wait().expect("it ends");
        Finished { code: status.code().expect("it was not killed"), stdout, stderr }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking()
            && let Some(mut stderr) = self.child.stderr.take()
        {
            let mut text = String::new();
            let _ = stderr.read_to_string(&mut text);
            eprintln!("what the server has logged:\n{text}");
        }
    }
}
