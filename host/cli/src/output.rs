//! Standard output: results, one line each, at once.

use std::io::{self, Write};

use anyhow::Context;

/// Writes one line, so that whoever waits for it has it now.
///
/// # Errors
/// When standard output is gone.
pub fn print_line(line: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).context("cannot write to standard output")
}
