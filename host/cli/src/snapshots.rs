//! The build room's snapshots, for the server and for tests: a module's component with the memory that its top-level code
//! leaves with a deployment's variables.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use weir_build::snapshots::{self, Reads, Values};
use weir_db::{VariableReads, Variables};
use weir_server::deploy::{LoadFailure, Module, Snapshot, SnapshotMaker};
use weir_subprocess::{Cancellation, Failure, Subprocess};

/// The kind of work of a process that makes a snapshot.
pub const SNAPSHOT: &str = "snapshot";

/// Makes snapshots.
#[derive(Debug)]
pub struct Snapshots {
    /// Where machine code is kept that is made on the way, if anywhere.
    pub cache: Option<PathBuf>,
    /// Where they are made, if not in this process: their code is compiled and run.
    pub subprocess: Option<Arc<Subprocess>>,
}

/// What a process is given that makes a snapshot, before the component.
#[derive(Serialize, Deserialize)]
struct Asked {
    values: Values,
    /// Absolute: the process has another working directory.
    cache: Option<PathBuf>,
}

impl Snapshots {
    /// Where projects are built: a build has put the machine code into its cache already.
    pub fn on_developers_machine() -> Snapshots {
        Snapshots { cache: weir_build::typescript_cache_folder(), subprocess: None }
    }

    /// Those of a server, which keeps machine code in this folder and nobody else does: what a process has left there that
    /// was ended while it wrote is removed.
    pub fn of_server(folder: PathBuf) -> Snapshots {
        let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        for entry in entries.filter(|entry| entry.file_name().to_string_lossy().contains(".part-")) {
            if let Err(error) = std::fs::remove_file(entry.path()) {
                tracing::warn!(path = %entry.path().display(), %error, "an unfinished file could not be removed");
            }
        }
        Snapshots { cache: Some(folder), subprocess: None }
    }

    fn make_in(
        &self,
        subprocess: &Subprocess,
        component: &[u8],
        values: Values,
        cancellation: &Cancellation,
    ) -> Result<(Reads, Vec<u8>), Failure> {
        let cache = self.cache.as_deref().map(std::path::absolute).transpose()?;
        let head = serde_json::to_vec(&Asked { values, cache }).map_err(std::io::Error::from)?;
        let parts = [&length_of(&head)[..], &head, component];
        let mut answer = Vec::new();
        subprocess.run(SNAPSHOT, &parts, cancellation)?.read_to_end(&mut answer)?;
        let (reads, made) = unpack(&answer).map_err(Failure::Died)?;
        Ok((reads, made.to_vec()))
    }
}

impl SnapshotMaker for Snapshots {
    fn make(
        &self,
        module: &Module,
        variables: &Variables,
        cancellation: &Cancellation,
    ) -> Result<Snapshot, LoadFailure> {
        let failed =
            |error: &dyn std::fmt::Display| LoadFailure(format!("module `{}`: {error}", module.name));
        let values = variables.to_map();
        let made = snapshots::reads_if_made(&module.component, &values).map_err(|error| failed(&error))?;
        let (reads, component) = match (made, &self.subprocess) {
            (Some(reads), _) => (reads, None),
            (None, Some(subprocess)) => {
                let made = self.make_in(subprocess, &module.component, values, cancellation);
                let (reads, component) = made.map_err(|failure| failed(&failure))?;
                (reads, Some(component))
            }
            (None, None) => {
                let made = snapshots::make(&module.component, &values, self.cache.as_deref());
                let made = made.map_err(|error| failed(&error))?;
                (made.reads, made.component)
            }
        };
        let component = component.map_or_else(|| module.component.clone(), Into::into);
        Ok(Snapshot { component, reads: VariableReads::new(reads.names, reads.all) })
    }
}

/// Makes a snapshot, as a process of its own: from what [`Snapshots`] gives to what it takes.
///
/// # Errors
/// It cannot be made.
pub fn answer(input: &[u8]) -> Result<Vec<u8>, String> {
    let (asked, component): (Asked, _) = unpack(input)?;
    let made = snapshots::make(component, &asked.values, asked.cache.as_deref());
    let made = made.map_err(|error| error.to_string())?;
    let head = serde_json::to_vec(&made.reads).map_err(|error| error.to_string())?;
    let mut output = length_of(&head).to_vec();
    output.extend_from_slice(&head);
    output.extend_from_slice(made.component.as_deref().unwrap_or(component));
    Ok(output)
}

/// What comes before a head, which comes before a component.
fn length_of(head: &[u8]) -> [u8; 8] {
    (head.len() as u64).to_le_bytes()
}

fn unpack<'a, H: Deserialize<'a>>(message: &'a [u8]) -> Result<(H, &'a [u8]), String> {
    let cut = || "its message is cut off".to_owned();
    let (length, rest) = message.split_first_chunk::<8>().ok_or_else(cut)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|error| error.to_string())?;
    let (head, component) = rest.split_at_checked(length).ok_or_else(cut)?;
    Ok((serde_json::from_slice(head).map_err(|error| error.to_string())?, component))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_finished_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["code-1.cwasm", "code-1.part-7-0"] {
            std::fs::write(dir.path().join(name), "code").unwrap();
        }
        Snapshots::of_server(dir.path().to_owned());
        let left: Vec<_> =
            std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["code-1.cwasm"]);
        Snapshots::of_server(dir.path().join("nowhere"));
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let head = br#"{"names":["A"],"all":false}"#;
        let message = [&length_of(head)[..], head, b"component"].concat();
        let (reads, component): (Reads, _) = unpack(&message).unwrap();
        assert_eq!((reads.names.len(), component), (1, &b"component"[..]));
        for length in 0..8 + head.len() {
            assert!(unpack::<Reads>(&message[..length]).is_err(), "{length}");
        }
        assert!(unpack::<Asked>(&message).is_err());
    }
}
