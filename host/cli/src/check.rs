//! `host check`: reads everything in a data folder and says what is wrong.

use std::sync::Arc;

use anyhow::{Context, bail};
use weir_store::{CheckReport, RealEnv, StoreOptions};

use crate::arguments::Check;
use crate::output::print_line;

/// Prints what is there, and what is wrong with it.
pub fn check(arguments: &Check) -> anyhow::Result<()> {
    let folder = weir_server::store_folder(&arguments.data.data);
    if !folder.is_dir() {
        bail!("{} has no store in it: is it the folder that --data names?", arguments.data.data.display());
    }
    let store = weir_store::check(&folder)?;
    print_store(&store)?;
    let mut problems = store.problems;
    let mut count = problems.len() as u64;
    // A store that is damaged is not opened: what would be read of it is not to be trusted.
    if store.base.is_some() && count == 0 {
        let opened = weir_store::open(&folder, StoreOptions::default(), Arc::new(RealEnv::new()))?;
        let found = weir_db::check(&opened.snapshot_durable()).context("reading the documents")?;
        for (table, documents) in &found.tables {
            print_line(&format!("table {table}: {documents} documents"))?;
        }
        print_line(&format!("{} index entries", found.index_entries))?;
        print_line(&format!("{} answered requests", found.requests))?;
        count += found.problem_count;
        problems.extend(found.problems);
    }
    for problem in &problems {
        print_line(&format!("problem: {problem}"))?;
    }
    match count {
        0 => print_line("all is well"),
        1 => bail!("1 problem; restore the data folder from a backup"),
        count => bail!("{count} problems; restore the data folder from a backup"),
    }
}

fn print_store(store: &CheckReport) -> anyhow::Result<()> {
    let Some(base) = store.base else { return print_line("nothing was written here yet") };
    print_line(&format!("base {base}: {} rows", store.rows))?;
    print_line(&format!("log: {} commits that are not in the base yet", store.log_commits))?;
    if store.torn_bytes > 0 {
        print_line(&format!(
            "log: {} bytes of a write that was interrupted, and never acknowledged; the next start cuts them",
            store.torn_bytes
        ))?;
    }
    Ok(())
}
