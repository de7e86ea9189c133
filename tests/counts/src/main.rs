//! `make test-counts`: how many instructions fixed workloads take, counted by callgrind, beside figures that are kept in the
//! repository.
//!
//! Instructions are not time. But a rate moves by a third from minute to minute on a machine that others use too, and a
//! count by less than a hundredth: so a change that costs something is seen in the commit that makes it.
//!
//! Not here: how fast anything is (`make bench`), and what only threads, sockets and a real disk cost.

mod callgrind;
mod kept;
mod workloads;

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use weir_test_support::host::host_binary;
use weir_test_support::project;

use crate::kept::{Kept, Verdict};
use crate::workloads::Workload;

/// As the host has it: what it does is counted.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[derive(Parser)]
struct Options {
    /// Write what is counted now into the repository, as the figures to be kept.
    #[arg(long)]
    keep: bool,
    /// Do this work, uncounted: what runs under callgrind.
    #[arg(long, hide = true, requires = "component")]
    work: Option<Workload>,
    #[arg(long, hide = true)]
    component: Option<PathBuf>,
}

fn main() -> Result<ExitCode> {
    let options = Options::parse();
    if let (Some(workload), Some(component)) = (options.work, options.component) {
        workload.run(&component)?;
        return Ok(ExitCode::SUCCESS);
    }
    let counts = count_all()?;
    if options.keep {
        Kept::of(counts)?.write()?;
        println!("kept in {}", kept::FILE);
        return Ok(ExitCode::SUCCESS);
    }
    judge(&Kept::read()?, &counts)
}

/// The instructions of each workload, for one of what it does.
fn count_all() -> Result<Vec<(Workload, u64)>> {
    let scratch = tempfile::tempdir()?;
    // What is compiled under valgrind, for the processor that it shows, takes most of a minute.
    let folder = std::env::var_os("WEIR_CACHE_DIR").map(|cache| PathBuf::from(cache).join("counts"));
    let folder = folder.as_deref().unwrap_or(scratch.path());
    let built = Command::new(host_binary())
        .arg("build")
        .arg(project::guest("bench"))
        .arg("--out")
        .arg(folder)
        .env_remove("CARGO_TARGET_DIR")
        .output()
        .context("building the bank")?;
    ensure!(built.status.success(), "the bank does not build:\n{}", String::from_utf8_lossy(&built.stderr));
    let component = PathBuf::from(String::from_utf8(built.stdout)?.trim());
    callgrind::compile(&component)?;
    let count = |workload: Workload| {
        let counted = callgrind::count(workload, &component, folder);
        let instructions = counted.with_context(|| format!("counting {}", workload.name()))?;
        Ok((workload, instructions / u64::from(workload.times())))
    };
    Workload::ALL.into_iter().map(count).collect()
}

/// Prints each count beside what it was, and whether all are as they were.
fn judge(kept: &Kept, counts: &[(Workload, u64)]) -> Result<ExitCode> {
    println!("{:<10} {:>12} {:>12} {:>9}", "workload", "instructions", "kept", "change");
    let mut is_well = true;
    for (workload, count) in counts {
        let was = kept.count(*workload)?;
        let percent = 100.0 * (*count as f64 / was as f64 - 1.0);
        let verdict = Verdict::of(*count, was);
        println!("{:<10} {count:>12} {was:>12} {percent:>+8.2} %{}", workload.name(), verdict.text());
        is_well &= verdict == Verdict::AsItWas;
    }
    if is_well {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("\n{}", kept.what_to_do()?);
    Ok(ExitCode::FAILURE)
}
