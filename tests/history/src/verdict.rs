//! What a run proves: nothing was found, and enough has happened for that to mean something; or what was found, how to
//! look at it again, and how to run the same choices again.
//!
//! Not here: finding it (`check`).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::check::{Anomaly, check, describe, legend};
use crate::history::{History, Kind, Operation, Outcome};
use crate::workload::{Figures, Run};

/// How many anomalies of one name are told in full.
const TOLD_OF_A_NAME_MAX: usize = 2;

/// Fails when the checker finds anything; the history is then kept in `folder`.
///
/// # Errors
/// The anomalies, in words, with the file and the seed.
pub fn expect_clean(run: &Run, seed: u64, folder: &Path) -> Result<()> {
    let found = check(&run.history);
    if found.is_empty() {
        return Ok(());
    }
    let file = keep(&run.history, seed, folder)?;
    bail!(
        "{}\nThe history is kept: `cargo run -p weir-history -- {}` checks it again.\n\
         The same choices again, though not the same timing: \
         WEIR_HISTORY_SEED={seed} cargo test -p weir-history --test run",
        told(&run.history, &found),
        file.display()
    );
}

/// What was found, in words: how much of what, and some of each.
#[must_use]
pub fn told(history: &History, found: &[Anomaly]) -> String {
    let mut names: BTreeMap<String, Vec<&Anomaly>> = BTreeMap::new();
    for anomaly in found {
        names.entry(anomaly.name()).or_default().push(anomaly);
    }
    let mut text = format!("{} anomalies in {} transactions", found.len(), history.transactions.len());
    for (name, anomalies) in &names {
        let _ = write!(text, ", {name} {} times", anomalies.len());
    }
    let _ = writeln!(text, ". {}", legend());
    for anomaly in names.values().flat_map(|anomalies| anomalies.iter().take(TOLD_OF_A_NAME_MAX)) {
        let _ = write!(text, "\n{}", describe(history, anomaly));
    }
    text
}

/// Writes a history to a file.
///
/// # Errors
/// When it cannot be written.
pub fn keep(history: &History, seed: u64, folder: &Path) -> Result<PathBuf> {
    let file = folder.join(format!("history-{seed}.json"));
    let text = serde_json::to_vec(history)?;
    std::fs::write(&file, text).with_context(|| format!("writing {}", file.display()))?;
    Ok(file)
}

/// Reads a history that was kept.
///
/// # Errors
/// When there is none.
pub fn read(file: &Path) -> Result<History> {
    let text = std::fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is not a valid history", file.display()))
}

/// Fails when too little has happened for "nothing was found" to say much.
///
/// # Errors
/// What has not happened, with the figures.
pub fn expect_busy(run: &Run) -> Result<()> {
    let Figures { kills, cuts, answers, sent_again, repeated_answers, patches, queries, conflicts, .. } =
        run.figures;
    let transactions = &run.history.transactions;
    let count = |kind, outcome| {
        transactions.iter().filter(|tx| tx.kind == kind && tx.outcome == outcome).count() as u64
    };
    let range = |operation: &Operation| matches!(operation, Operation::ReadRange { .. });
    let ranges = transactions.iter().filter(|tx| tx.operations.iter().any(range)).count() as u64;
    for (what, happened, least) in [
        ("kills", kills, 1),
        ("cut connections", cuts, 1),
        ("answered mutations", answers, 500),
        ("mutations that were sent again", sent_again, 5),
        ("answers that were repeated", repeated_answers, 1),
        ("mutations of unknown outcome", count(Kind::Mutation, Outcome::Unknown), 1),
        ("mutations that failed", count(Kind::Mutation, Outcome::Aborted), 10),
        ("transitions", count(Kind::Transition, Outcome::Committed), 50),
        ("patches", patches, 5),
        ("queries over HTTP", queries, 20),
        ("reads of ranges", ranges, 100),
        ("conflicts", conflicts, 5),
    ] {
        ensure!(happened >= least, "too few {what}, {happened} instead of {least}, in: {}", run.figures);
    }
    Ok(())
}
