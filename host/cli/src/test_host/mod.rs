//! `host test`: a project's functions for the tests that its users write, over standard input and output.
//!
//! One request a line in, one answer a line out, in order; see `protocol`. Databases live in memory and end with the
//! process.

mod describe;
mod fetch;
mod lines;
mod protocol;
mod session;

use std::path::Path;

use anyhow::Context;
use weir_db::Variables;
use weir_runtime::{Runtime, RuntimeOptions};

use crate::arguments::Test;
use crate::build;
use crate::env::file;
use crate::snapshots::Snapshots;
use lines::Lines;
use session::{Project, Session};

/// Builds the project, says that it is ready, and answers until standard input ends.
pub fn test(arguments: &Test) -> anyhow::Result<()> {
    let project = build::load(&arguments.project.project)?;
    let built = build::compile(&project, None)?;
    if !built.components.is_empty() {
        eprintln!("tests have the app's own functions; what it mounts is not there");
    }
    let mut modules = build::modules(built.modules);
    modules.retain(|module| built.components.is_app_module(&module.name));
    let options = RuntimeOptions {
        // Tests of one project come one after the other; the rest is room for nested calls.
        max_concurrent_calls: 1,
        compiled_dir: build::compiled_folder(),
        ..RuntimeOptions::default()
    };
    let variables = arguments.env_file.as_deref().map(read_variables).transpose()?.unwrap_or_default();
    let snapshots = Snapshots::on_developers_machine();
    let project =
        Project::load(modules, variables, Runtime::new(options)?, snapshots).map_err(anyhow::Error::msg)?;
    answer_all(project)
}

fn read_variables(path: &Path) -> anyhow::Result<Variables> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Variables::of(file::parse(&text).with_context(|| format!("{} is not as expected", path.display()))?))
}

fn answer_all(project: Project) -> anyhow::Result<()> {
    let lines = Lines::of_process();
    let mut session = Session::new(project, lines.clone());
    lines.write(&session.greeting())?;
    while let Some(line) = lines.next()? {
        lines.write(&session.answer(&line))?;
    }
    Ok(())
}
