//! Guests of each language: where they are, and how they come into a runtime.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use weir_build::snapshots::make;
use weir_build::{Language, Progress, Project, build};
use weir_db::{MissingFunctions, VariableReads, Variables};
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
        // Actions call several functions at once.
        max_concurrent_calls: 16,
        call_guest_time_max: Duration::from_secs(100),
        call_total_time_max: Duration::from_secs(200),
        result_bytes_max: 4 << 20,
        // The JavaScript engine takes long to compile.
        compiled_dir: weir_build::cache_folder().map(|folder| folder.join("compiled")),
        ..RuntimeOptions::default()
    })?)
}

/// The modules of a project, and their functions.
pub struct Guest {
    runtime: Arc<Runtime>,
    /// Names and components.
    modules: Vec<(String, Bytes)>,
    /// The functions, made without any variables.
    pub deployment: Arc<Deployment>,
    /// The variables that the modules read before their first call.
    pub reads: VariableReads,
}

impl Guest {
    /// Builds the project in a folder, whose modules must be of the language, and loads it.
    ///
    /// # Errors
    /// When there is no such project, no toolchain for it, or the build or the load fails; with all that the
    /// compiler wrote.
    pub fn build(runtime: Arc<Runtime>, folder: &std::path::Path, language: Language) -> Result<Guest> {
        let name = language.name();
        let project = Project::load(folder).with_context(|| format!("the guest in {name}"))?;
        let mut output = Vec::new();
        let built = build(&project, None, &mut |progress| {
            if let Progress::Output { line, .. } = progress {
                output.push(line.to_owned());
            }
        });
        let built = built.with_context(|| format!("building the guest in {name}\n{}", output.join("\n")))?;
        let built = built.modules;
        anyhow::ensure!(
            project.modules.iter().all(|module| module.language == language),
            "{}: not all modules are in {name}",
            folder.display()
        );
        let modules: Vec<_> =
            built.into_iter().map(|module| (module.name, Bytes::from(module.component))).collect();
        let (deployment, reads) = load(&runtime, &modules, &Variables::default())
            .with_context(|| format!("loading the guest in {name}"))?;
        Ok(Guest { runtime, modules, deployment, reads })
    }

    /// The functions, made with these variables.
    ///
    /// # Errors
    /// When a module does not go with them.
    pub fn with(&self, variables: &Variables) -> Result<Arc<Deployment>> {
        Ok(load(&self.runtime, &self.modules, variables)?.0)
    }
}

fn load(
    runtime: &Runtime,
    modules: &[(String, Bytes)],
    variables: &Variables,
) -> Result<(Arc<Deployment>, VariableReads)> {
    let cache = weir_build::typescript_cache_folder();
    let mut reads = VariableReads::default();
    let mut sources = Vec::with_capacity(modules.len());
    for (name, component) in modules {
        let made = make(component, &variables.to_map(), cache.as_deref())?;
        reads.extend(&VariableReads::new(made.reads.names, made.reads.all));
        let component = made.component.map_or_else(|| component.clone(), Bytes::from);
        sources.push(ModuleSource { name: name.clone(), component });
    }
    let deployment = runtime.load_beside(&sources, MissingFunctions::default(), variables)?;
    reads.extend(deployment.variable_reads());
    Ok((deployment, reads))
}

/// As [`Guest::build`], of functions that need no variables.
///
/// # Errors
/// As for [`Guest::build`].
pub fn deploy(
    runtime: &Arc<Runtime>,
    folder: &std::path::Path,
    language: Language,
) -> Result<Arc<Deployment>> {
    Ok(Guest::build(Arc::clone(runtime), folder, language)?.deployment)
}
