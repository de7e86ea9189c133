//! Work in a process of its own: this program, started once more.

use std::process::ExitCode;
use std::time::Duration;

use weir_runtime::Artefact;
use weir_subprocess::{Limits, Subprocess};

use crate::arguments::{Deploying, SUBPROCESS, Work};
use crate::snapshots;

/// Where what is deployed is compiled.
pub fn of_deployments(arguments: &Deploying) -> Subprocess {
    let limits = Limits {
        time_max: Duration::from_secs(arguments.deploy_time),
        memory_bytes_max: arguments.deploy_memory << 20,
        ..Limits::default()
    };
    Subprocess::of_this_program(&[SUBPROCESS], limits)
}

/// Does a piece of work as the process that was started for it.
pub fn work(arguments: &Work) -> ExitCode {
    if let Err(error) = arguments.confinement.enter() {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    weir_subprocess::answer(|input| match (arguments.kind.as_str(), arguments.kind.parse::<Artefact>()) {
        (_, Ok(artefact)) => weir_runtime::compile(artefact, &input),
        (snapshots::SNAPSHOT, _) => snapshots::answer(&input),
        (kind, _) => Err(format!("`{kind}` is no kind of work")),
    })
}
