//! A workload under callgrind.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::workloads::Workload;

/// `prctl` fails. With it rustix asks a kernel of 6.4 and later for the auxiliary vector, and finds the address of a vDSO
/// there that valgrind (3.19) hides from the program: it would read it, and end. Without it rustix reads
/// `/proc/self/auxv`, where valgrind hides it too.
const HIDE_AUXV: [&str; 8] =
    ["-f", "--seccomp-bpf", "-e", "trace=prctl", "-e", "inject=prctl:error=EINVAL", "-o", "/dev/null"];

/// Compiles the component for the processor that valgrind shows, where no run before has: without counting, which
/// would take ten times as long.
///
/// # Errors
/// As for [`count`].
pub fn compile(component: &Path) -> Result<()> {
    run(Workload::Query, component, &["--tool=none"]).map(drop)
}

/// The instructions of what a workload counts, all of its thread's and no other's.
///
/// # Errors
/// When valgrind is not there, or the workload fails.
pub fn count(workload: Workload, component: &Path, folder: &Path) -> Result<u64> {
    let profile = folder.join(format!("{}.callgrind", workload.name()));
    let out = format!("--callgrind-out-file={}", profile.display());
    let toggle = "--toggle-collect=weir_counts::workloads::counted";
    let errors = run(workload, component, &["--tool=callgrind", "--collect-atstart=no", toggle, &out])?;
    let profile = std::fs::read_to_string(&profile).with_context(|| format!("no profile:\n{errors}"))?;
    let count = totals(&profile).with_context(|| format!("no totals in the profile:\n{errors}"))?;
    ensure!(count > 0, "nothing was counted: is `counted` still called that?\n{errors}");
    Ok(count)
}

/// Does the work under valgrind; gives what was said.
fn run(workload: Workload, component: &Path, options: &[&str]) -> Result<String> {
    let output = Command::new("strace")
        .args(HIDE_AUXV)
        // Guests' code is written while the program runs, outside of any file.
        .args(["valgrind", "--smc-check=all-non-file"])
        .args(options)
        .arg(std::env::current_exe()?)
        .args(["--work", workload.name(), "--component"])
        .arg(component)
        .output()
        .context("starting strace and valgrind: `scripts/setup test` installs them")?;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "it ended with {}:\n{errors}", output.status);
    Ok(errors)
}

/// What a profile says of all that was counted.
fn totals(profile: &str) -> Option<u64> {
    profile.lines().find_map(|line| line.strip_prefix("totals: "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::totals;

    #[test]
    fn totals_are_found_in_a_profile() {
        let profile = "# callgrind format\nevents: Ir\nfn=(1) main\n16 400\n\ntotals: 31415926\n";
        assert_eq!(totals(profile), Some(31_415_926));
        assert_eq!(totals("events: Ir\n"), None);
    }
}
