//! `host test`: a project's functions for the tests that its users write, over standard input and output.
//!
//! One request a line in, one answer a line out, in order; see `protocol`. Databases live in memory and end with the
//! process.

mod protocol;
mod session;

use std::io::{BufRead, Write};
use std::sync::Arc;

use anyhow::Context;
use weir_runtime::{Deployment, ModuleSource, Runtime, RuntimeOptions};

use crate::arguments::Test;
use crate::build;
use session::Session;

/// Builds the project, says that it is ready, and answers until standard input ends.
pub fn test(arguments: &Test) -> anyhow::Result<()> {
    let project = build::load(&arguments.project.project)?;
    let sources: Vec<_> = build::compile(&project, None)?
        .into_iter()
        .map(|built| ModuleSource { name: built.name, component: built.component.into() })
        .collect();
    let options = RuntimeOptions {
        // Tests of one project come one after the other; the rest is room for nested calls.
        max_concurrent_calls: 1,
        compiled_dir: build::compiled_folder(),
        ..RuntimeOptions::default()
    };
    let deployment = Runtime::new(options)?.load(&sources)?;
    // Guests nest on this thread's stack, which is not as large as those that are made for it.
    let thread = std::thread::Builder::new().stack_size(weir_value::limits::THREAD_STACK_BYTES);
    #[expect(clippy::disallowed_methods, reason = "the main thread, with more stack; it is joined at once")]
    let answering = thread.spawn(move || answer_all(deployment)).context("cannot start a thread")?;
    answering.join().unwrap_or_else(|_| anyhow::bail!("the thread that answers tests panicked"))
}

fn answer_all(deployment: Arc<Deployment>) -> anyhow::Result<()> {
    let mut output = std::io::stdout().lock();
    let mut say = |answer: &serde_json::Value| -> anyhow::Result<()> {
        writeln!(output, "{answer}").and_then(|()| output.flush()).context("cannot answer the test")
    };
    let mut session = Session::new(deployment);
    say(&session.greeting())?;
    for line in std::io::stdin().lock().lines() {
        let line = line.context("cannot read the test's request")?;
        if !line.trim().is_empty() {
            say(&session.answer(&line))?;
        }
    }
    Ok(())
}
