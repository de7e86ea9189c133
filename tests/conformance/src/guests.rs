//! Guests of each language: where they are, and how they come into a runtime.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use serde_json::json;
use weir_build::snapshots::make;
use weir_build::{Instances, Language, Progress, Project, build};
use weir_db::{MissingFunctions, VariableReads, Variables};
use weir_runtime::{Deployment, ModuleSource, PartSource, Runtime, RuntimeOptions};
use weir_value::{ComponentPath, ComponentTree};

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
    /// Which of them are mounted, and where.
    tree: ComponentTree,
    /// The functions, made without any variables.
    pub deployment: Arc<Deployment>,
    /// The variables that the modules read before their first call.
    pub reads: VariableReads,
}

impl Guest {
    /// Builds the project in a folder, whose modules must be of the language, and loads it with what it mounts.
    ///
    /// # Errors
    /// When there is no such project, no toolchain for it, or the build or the load fails; with all that the
    /// compiler wrote.
    pub fn build(runtime: Arc<Runtime>, folder: &std::path::Path, language: Language) -> Result<Guest> {
        Guest::build_for(runtime, folder, language, Instances::Fresh)
    }

    /// The same, where `host.toml` has these instances for each module.
    ///
    /// # Errors
    /// As those of [`Guest::build`].
    pub fn build_for(
        runtime: Arc<Runtime>,
        folder: &std::path::Path,
        language: Language,
        instances: Instances,
    ) -> Result<Guest> {
        let name = language.name();
        let mut project = Project::load(folder).with_context(|| format!("the guest in {name}"))?;
        project.modules.iter_mut().for_each(|module| module.instances = instances);
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
        let modules: Vec<_> =
            built.modules.into_iter().map(|module| (module.name, Bytes::from(module.component))).collect();
        Guest::load(runtime, modules, built.components)
            .with_context(|| format!("loading the guest in {name}"))
    }

    fn load(runtime: Arc<Runtime>, modules: Vec<(String, Bytes)>, tree: ComponentTree) -> Result<Guest> {
        let (deployment, reads) = load(&runtime, &modules, &tree, &Variables::default())?;
        Ok(Guest { runtime, modules, tree, deployment, reads })
    }

    /// The same as an app that mounts itself as `own`, with routes under `/own/`, and another guest as `part`; and `own`
    /// mounts that one again, as `inner`. Each has the variables `GIVEN`, a text, and `BOUND`, which is the app's `A`.
    ///
    /// # Errors
    /// When they cannot be loaded together.
    pub fn mounting(&self, part: &Guest) -> Result<Guest> {
        let mut modules = self.modules.clone();
        let mut named = |definition: &str, guest: &Guest| -> Vec<String> {
            let name = |module: &str| format!("{definition}-{module}");
            modules.extend(guest.modules.iter().map(|(module, bytes)| (name(module), bytes.clone())));
            guest.modules.iter().map(|(module, _)| name(module)).collect()
        };
        let (own, part) = (named("own", self), named("part", part));
        let text = json!({ "validator": { "type": "string" }, "optional": true });
        let variables = json!({ "GIVEN": text, "BOUND": text });
        let mount = |name: &str, definition: &str, prefix: Option<&str>, bound: &str| {
            json!({ "name": name, "definition": definition, "httpPrefix": prefix, "place": "conformance",
                "variables": { "GIVEN": { "value": name }, "BOUND": { "variable": bound } } })
        };
        let tree = json!({
            "definitions": {
                "own": { "modules": own, "variables": variables, "mounts": [mount("inner", "part", None, "BOUND")] },
                "part": { "modules": part, "variables": variables },
            },
            "mounts": [mount("own", "own", Some("/own/"), "A"), mount("part", "part", None, "A")],
        });
        Guest::load(self.runtime.clone(), modules, serde_json::from_value(tree)?)
    }

    /// The functions, made with these variables.
    ///
    /// # Errors
    /// When a module does not go with them.
    pub fn with(&self, variables: &Variables) -> Result<Arc<Deployment>> {
        Ok(load(&self.runtime, &self.modules, &self.tree, variables)?.0)
    }
}

fn load(
    runtime: &Runtime,
    modules: &[(String, Bytes)],
    tree: &ComponentTree,
    variables: &Variables,
) -> Result<(Arc<Deployment>, VariableReads)> {
    let names: Vec<&str> = modules.iter().map(|(name, _)| name.as_str()).collect();
    let mounts = tree.mounts(&names)?;
    let mut reads = VariableReads::default();
    let of_app = modules.iter().filter(|(name, _)| tree.is_app_module(name));
    let (sources, of_app) = sources_of(of_app, variables)?;
    reads.extend(&of_app);
    let mut parts = vec![PartSource { component: ComponentPath::APP, modules: sources }];
    for mount in mounts.iter() {
        let of_mount = modules.iter().filter(|(name, _)| mount.modules.contains(name));
        let (modules, of_mount) = sources_of(of_mount, &variables.of_mount(mount))?;
        reads.extend(&of_mount.of_app(mount));
        parts.push(PartSource { component: mount.path.clone(), modules });
    }
    let deployment = runtime.load_parts(&parts, mounts, MissingFunctions::default(), variables)?;
    reads.extend(deployment.variable_reads());
    Ok((deployment, reads))
}

/// Modules as they are made with these variables, and which of them they read.
fn sources_of<'a>(
    modules: impl Iterator<Item = &'a (String, Bytes)>,
    variables: &Variables,
) -> Result<(Vec<ModuleSource>, VariableReads)> {
    let cache = weir_build::typescript_cache_folder();
    let mut reads = VariableReads::default();
    let mut sources = Vec::new();
    for (name, component) in modules {
        let made = make(component, &variables.to_map(), cache.as_deref())?;
        reads.extend(&VariableReads::new(made.reads.names, made.reads.all));
        let component = made.component.map_or_else(|| component.clone(), Bytes::from);
        sources.push(ModuleSource { name: name.clone(), component });
    }
    Ok((sources, reads))
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
