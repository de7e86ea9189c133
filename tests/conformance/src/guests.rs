//! Guests of each language: where they are, and how they come into a runtime.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use weir_build::{Language, Progress, Project, build};
use weir_runtime::{Deployment, ModuleSource, Runtime, RuntimeOptions};

/// A folder of the repository's `tests`.
pub fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

/// A runtime whose limits no case meets by being slow, and which takes results of 4 MiB: any language
/// can make one that is larger within its memory.
///
/// # Errors
/// When the engine does not start.
pub fn runtime() -> Result<Arc<Runtime>> {
    Ok(Runtime::new(RuntimeOptions {
        max_concurrent_calls: 2,
        call_guest_time_max: Duration::from_secs(100),
        call_total_time_max: Duration::from_secs(200),
        result_bytes_max: 4 << 20,
        // The JavaScript engine takes long to compile.
        compiled_dir: weir_build::cache_folder().map(|folder| folder.join("compiled")),
        ..RuntimeOptions::default()
    })?)
}

/// Builds the project in a folder, whose modules must be of the language, and loads it.
///
/// # Errors
/// When there is no such project, no toolchain for it, or the build or the load fails; with all that the
/// compiler wrote.
pub fn deploy(runtime: &Runtime, folder: &std::path::Path, language: Language) -> Result<Arc<Deployment>> {
    let name = language.name();
    let project = Project::load(folder).with_context(|| format!("the guest in {name}"))?;
    let mut output = Vec::new();
    let built = build(&project, None, &mut |progress| {
        if let Progress::Output { line, .. } = progress {
            output.push(line.to_owned());
        }
    });
    let built = built.with_context(|| format!("building the guest in {name}\n{}", output.join("\n")))?;
    anyhow::ensure!(
        project.modules.iter().all(|module| module.language == language),
        "{}: not all modules are in {name}",
        folder.display()
    );
    let sources: Vec<_> = built
        .into_iter()
        .map(|module| ModuleSource { name: module.name, component: module.component.into() })
        .collect();
    runtime.load(&sources).with_context(|| format!("loading the guest in {name}"))
}
