//! Opens a folder that may be damaged and reads everything in every way.
//!
//! ```text
//! weir-fault-reader <folder> <base> <seed> <size of values> <commits>
//! ```
//!
//! Ends with 0 when every read gave the state after that many commits, with 1 when the folder did not open or
//! a read failed, with 2 when a read gave anything else. Not here: the damage.

use std::path::Path;
use std::process::ExitCode;

use weir_faults::History;
use weir_faults::reading::{Outcome, read};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (code, what) = match run(&arguments) {
        Ok(Outcome::Right) => (0, "right".to_owned()),
        Ok(Outcome::Failed(what)) => (1, what),
        Ok(Outcome::Wrong(what)) | Err(what) => (2, what),
    };
    println!("{what}");
    ExitCode::from(code)
}

fn run(arguments: &[String]) -> Result<Outcome, String> {
    let [folder, base, seed, sizes, commits] = arguments else {
        return Err("expected a folder, a base, a seed, the size of values and commits".to_owned());
    };
    let history = History::from_arguments(seed, sizes)?;
    let commits = commits.parse().map_err(|_| format!("{commits:?} is not a number of commits"))?;
    Ok(read(Path::new(folder), base.parse()?, history.sizes, &history.state_after(commits)))
}
