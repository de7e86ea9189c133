//! Checks a history that a failed run has kept: `cargo run -p weir-history -- history-1.json`.
//!
//! Not here: making one. That is `tests/run.rs`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use weir_history::{check, verdict};

fn main() -> Result<ExitCode> {
    let file = std::env::args_os().nth(1).map(PathBuf::from).context("usage: weir-history HISTORY.json")?;
    let history = verdict::read(&file)?;
    let found = check::check(&history);
    println!("{}", verdict::told(&history, &found));
    Ok(if found.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
