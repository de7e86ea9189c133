//! Defects that are planted in the real host, each of which the checker must find in what clients saw.
//!
//! The host of a build of the whole workspace has them in it, and one comes to life by an environment variable.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use weir_history::check::check;
use weir_history::workload::{Figures, Least, Settings, Site, episode};
use weir_store::planted::{Bug, ENVIRONMENT_VARIABLE};

/// Those that clients can see, though the machine itself goes on: what SIGKILL does not lose is the simulation's.
const DEFECTS: [Bug; 3] = [Bug::ReadSetMissesGap, Bug::RequestRecordLost, Bug::NestedWritesKept];

/// How long each is searched for.
const BOUND: Duration = Duration::from_secs(120);

#[test]
fn what_is_planted_is_found() -> Result<()> {
    for defect in DEFECTS {
        let (names, figures) = search(defect)?;
        println!("{}: {names:?} in {figures}", defect.name());
    }
    Ok(())
}

/// Runs a host with the defect, each time with another seed, until something is found: its names.
fn search(defect: Bug) -> Result<(Vec<String>, Figures)> {
    let mut site = Site::new()?.with_variable(ENVIRONMENT_VARIABLE, defect.name());
    let deadline = Instant::now() + BOUND;
    let mut runs = 0;
    while Instant::now() < deadline {
        let least = Least { answers: 300, ends: 2 };
        let settings = Settings { seed: 21 + runs, duration: Duration::from_secs(3), least };
        let run = episode(&mut site, &settings)?;
        let mut names: Vec<String> = check(&run.history).iter().map(|found| found.name()).collect();
        names.sort();
        names.dedup();
        if !names.is_empty() {
            return Ok((names, run.figures));
        }
        runs += 1;
    }
    bail!(
        "{runs} runs with `{}` in {BOUND:?}, and nothing was found; is the host that of \
         `cargo build --workspace --all-targets`, which has the defects in it?",
        defect.name()
    )
}
