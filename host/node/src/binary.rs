//! The program that is to be Node: whether it is one, and what it can.
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::Deserialize;

/// The oldest Node whose permissions hold a child to its folder.
const OLDEST: (u32, u32) = (20, 19);
/// How long it may take to say what it is.
const PROBE_TIME_MAX: Duration = Duration::from_secs(20);
const PROBE_EVERY: Duration = Duration::from_millis(10);
/// How much of what it says is read.
const PROBE_BYTES_MAX: u64 = 16 << 10;

/// A Node that was found to be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeBinary {
    /// Where it really is.
    pub(crate) path: PathBuf,
    version: String,
    /// Restricts what it may do: `--permission`, or as older ones call it.
    pub(crate) permission: String,
    /// Whether its permissions are about the network too, and have to allow it.
    pub(crate) restricts_network: bool,
}

/// Why a program is not used as Node.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// It does not run.
    #[error("`{path}` does not run: {source}; give the path of a `node` (https://nodejs.org)", path = path.display())]
    DoesNotRun {
        /// As it was named.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It runs, and is something else.
    #[error("`{path}` is not Node.js: {found}; give the path of a `node` (https://nodejs.org)", path = path.display())]
    NotNode {
        /// As it was named.
        path: PathBuf,
        /// What it did instead of saying its version.
        found: String,
    },
    /// It is too old.
    #[error(
        "`{path}` is Node {version}; install Node {}.{} or later (https://nodejs.org)", OLDEST.0, OLDEST.1,
        path = path.display()
    )]
    TooOld {
        /// As it was named.
        path: PathBuf,
        /// Its version.
        version: String,
    },
}

/// Its answer, one line of JSON.
const PROBE: &str = r#"
const flags = process.allowedNodeEnvironmentFlags;
const permission = ["--permission", "--experimental-permission"].find((flag) => flags.has(flag)) ?? null;
const { version, execPath } = process;
console.log(JSON.stringify({ version, execPath, permission, restrictsNetwork: flags.has("--allow-net") }));
"#;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    version: String,
    exec_path: PathBuf,
    permission: Option<String>,
    restricts_network: bool,
}

impl NodeBinary {
    /// Asks a program what it is: a path, or a name that is looked for as the shell does. Blocks, for as long as Node
    /// takes to start.
    ///
    /// # Errors
    /// See [`NodeError`].
    pub fn find(path: &Path) -> Result<NodeBinary, NodeError> {
        let does_not_run = |source| NodeError::DoesNotRun { path: path.to_owned(), source };
        let text = probe(path).map_err(does_not_run)?;
        let not_node = |found: String| NodeError::NotNode { path: path.to_owned(), found };
        let text = text.map_err(not_node)?;
        let answer: Answer = serde_json::from_str(&text)
            .map_err(|_| not_node(format!("it answered {:?}", text.chars().take(80).collect::<String>())))?;
        let version = answer.version.trim_start_matches('v').to_owned();
        match answer.permission.filter(|_| is_enough(&version)) {
            Some(permission) => Ok(NodeBinary {
                path: answer.exec_path,
                version,
                permission,
                restricts_network: answer.restricts_network,
            }),
            None => Err(NodeError::TooOld { path: path.to_owned(), version }),
        }
    }

    /// Its version: `22.1.0`.
    pub fn version(&self) -> &str {
        &self.version
    }
}

/// What it says; or how it ended without.
#[expect(clippy::disallowed_methods, reason = "before a start, for who waits for it; there is no `Env` yet")]
fn probe(path: &Path) -> io::Result<Result<String, String>> {
    let mut child = Command::new(path)
        .args(["-e", PROBE])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let stdout = child.stdout.take();
    let mut waited = Duration::ZERO;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if waited >= PROBE_TIME_MAX {
            // It is gone, or goes.
            let _ = child.kill();
            child.wait()?;
            return Ok(Err(format!("it said nothing for {} s", PROBE_TIME_MAX.as_secs())));
        }
        std::thread::sleep(PROBE_EVERY);
        waited += PROBE_EVERY;
    };
    let mut text = String::new();
    if let Some(stdout) = stdout {
        let mut bytes = Vec::new();
        stdout.take(PROBE_BYTES_MAX).read_to_end(&mut bytes)?;
        text = String::from_utf8_lossy(&bytes).into_owned();
    }
    match status.success() {
        true => Ok(Ok(text)),
        false => Ok(Err(format!("it ended with {status}"))),
    }
}

fn is_enough(version: &str) -> bool {
    let mut numbers = version.split('.').map_while(|number| number.parse::<u32>().ok());
    numbers.next().zip(numbers.next()).is_some_and(|found| found >= OLDEST)
}
