//! `host test`: a project's functions for the tests that its users write, over standard input and output.
//!
//! One request a line in, one answer a line out, in order; see `protocol`. Databases live in memory and end with the
//! process.

mod describe;
mod fetch;
mod lines;
mod node;
mod protocol;
mod session;

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use weir_db::Variables;
use weir_runtime::{Runtime, RuntimeOptions};

use crate::arguments::Test;
use crate::build;
use crate::env::file;
use crate::snapshots::Snapshots;
use lines::Lines;
use node::TestNode;
use session::{Project, Session};

/// Builds the project, says that it is ready, and answers until standard input ends.
pub fn test(arguments: &Test) -> anyhow::Result<()> {
    let project = build::load(&arguments.project.project)?;
    let built = build::compile(&project, None)?;
    // What Node's processes say comes in on a thread of its own; what is made of it is done on this one.
    let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let _entered = threads.enter();
    let node = Arc::new(TestNode::new(arguments.node.clone()));
    let options = RuntimeOptions {
        // Tests of one project come one after the other; the rest is room for nested calls.
        max_concurrent_calls: 1,
        compiled_dir: build::compiled_folder(),
        node: Some(node.clone()),
        ..RuntimeOptions::default()
    };
    let variables = arguments.env_file.as_deref().map(read_variables).transpose()?.unwrap_or_default();
    let snapshots = Snapshots::on_developers_machine();
    let project = Project::load(
        (build::modules(built.modules), built.components),
        variables,
        Runtime::new(options)?,
        snapshots,
    )
    .map_err(anyhow::Error::msg)?;
    answer_all(project, node)
}

fn read_variables(path: &Path) -> anyhow::Result<Variables> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Variables::of(file::parse(&text).with_context(|| format!("{} is not as expected", path.display()))?))
}

fn answer_all(project: Project, node: Arc<TestNode>) -> anyhow::Result<()> {
    let lines = Lines::of_process();
    let mut session = Session::new(project, lines.clone(), Arc::new(move || node.is_busy()));
    lines.write(&session.greeting())?;
    while let Some(line) = lines.next()? {
        lines.write(&session.answer(&line))?;
    }
    Ok(())
}
