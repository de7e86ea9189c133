//! The figures that are kept, and how far from them is too far.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::json;
use weir_test_support::project::repository;

use crate::workloads::Workload;

/// Where they are, in the repository.
pub const FILE: &str = "tests/counts/kept.json";
/// The part of a count by which it may differ. Runs of the same program differ by less than a hundredth.
const TOLERANCE: f64 = 0.05;

/// What was counted once.
pub struct Kept {
    /// The compiler, as it calls itself.
    compiler: String,
    /// By the workloads' names.
    counts: BTreeMap<String, u64>,
}

impl Kept {
    /// What is counted now.
    pub fn of(counts: Vec<(Workload, u64)>) -> Result<Kept> {
        let counts =
            counts.into_iter().map(|(workload, count)| (workload.name().to_owned(), count)).collect();
        Ok(Kept { compiler: compiler()?, counts })
    }

    /// From the repository.
    pub fn read() -> Result<Kept> {
        let text = std::fs::read_to_string(path()).context(FILE)?;
        let file: serde_json::Value = serde_json::from_str(&text).context(FILE)?;
        let compiler = file["compiler"].as_str().with_context(|| format!("no `compiler` in {FILE}"))?;
        let counts = serde_json::from_value(file["instructions"].clone()).context(FILE)?;
        Ok(Kept { compiler: compiler.to_owned(), counts })
    }

    /// Into the repository.
    pub fn write(&self) -> Result<()> {
        let file = json!({ "compiler": self.compiler, "instructions": self.counts });
        std::fs::write(path(), format!("{file:#}\n")).context(FILE)
    }

    /// The figure of one workload.
    pub fn count(&self, workload: Workload) -> Result<u64> {
        let count = self.counts.get(workload.name()).copied();
        count.with_context(|| format!("{FILE} has no figure for {}: run `make counts-keep`", workload.name()))
    }

    /// What to do when a figure is not as it was.
    pub fn what_to_do(&self) -> Result<String> {
        let mut text = format!(
            "Instructions differ by more than {:.0} % from {FILE}.\n\
             If that is meant, or less than before: run `make counts-keep`, commit the file, and say in the commit why.\n\
             If not: `valgrind --tool=callgrind` and `callgrind_annotate` tell where they go.",
            100.0 * TOLERANCE
        );
        let now = compiler()?;
        if now != self.compiler {
            text += &format!(
                "\nThe compiler is another one, which alone may be the cause: {now}; the figures are of {}.",
                self.compiler
            );
        }
        Ok(text)
    }
}

/// How a count stands to the one that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Within the tolerance.
    AsItWas,
    /// Above it.
    More,
    /// Below it: good, but then the figure is to be kept, or what is gained could be lost unseen.
    Less,
}

impl Verdict {
    /// Of a count, and what it was.
    pub fn of(count: u64, was: u64) -> Verdict {
        let ratio = count as f64 / was as f64;
        match ratio {
            _ if ratio > 1.0 + TOLERANCE => Verdict::More,
            _ if ratio < 1.0 - TOLERANCE => Verdict::Less,
            _ => Verdict::AsItWas,
        }
    }

    /// As it stands behind the change.
    pub fn text(self) -> &'static str {
        match self {
            Verdict::AsItWas => "",
            Verdict::More => "  MORE",
            Verdict::Less => "  LESS: keep it",
        }
    }
}

fn path() -> PathBuf {
    repository().join(FILE)
}

fn compiler() -> Result<String> {
    let output = Command::new("rustc").arg("--version").output().context("asking rustc for its version")?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::Verdict;

    #[test]
    fn what_differs_by_a_twentieth_is_told() {
        assert_eq!(Verdict::of(1_000, 1_000), Verdict::AsItWas);
        assert_eq!(Verdict::of(1_049, 1_000), Verdict::AsItWas);
        assert_eq!(Verdict::of(1_051, 1_000), Verdict::More);
        assert_eq!(Verdict::of(951, 1_000), Verdict::AsItWas);
        assert_eq!(Verdict::of(949, 1_000), Verdict::Less);
    }
}
