//! TypeScript guests: Convex's functions on a JavaScript engine.
//!
//! The engine is the same for all ([`engine`]). A project is bundled into
//! one script ([`bundle`]), loaded into the engine, and what is then in the
//! engine's memory is put beside the engine's code ([`snapshot`], [`shell`]). So
//! all projects have one code, which a host compiles once.

mod bundle;
mod codegen;
mod engine;
mod intl;
mod node;
mod node_section;
mod sdk;
mod shell;
mod snapshot;
mod split;

pub use codegen::codegen;

use std::path::{Path, PathBuf};

use crate::Module;
use crate::build::{BuildError, Compiled, Progress};
use crate::cache;
use crate::component::EncodeError;
use crate::snapshots::Built;
use crate::snapshots::section::{Recipe, Section};
use crate::snapshots::variables::Given;

/// Where builds keep the engine and its machine code; `None` when no folder for a cache is known.
pub fn cache_folder() -> Option<PathBuf> {
    cache::folder().map(|cache| cache.join("typescript"))
}

/// Builds a module.
pub(crate) fn build(module: &Module, progress: &mut dyn FnMut(Progress<'_>)) -> Result<Compiled, BuildError> {
    let convex = module.path.join("convex");
    if !convex.is_dir() {
        let message =
            format!("there is no folder {}; its functions go there, as with Convex", convex.display());
        return Err(BuildError::source(module, message));
    }
    let version = node::check(module)?;
    progress(Progress::Started { module: &module.name, toolchain: &format!("esbuild on Node {version}") });
    let cache = cache_folder().ok_or_else(|| {
        BuildError::source(module, "there is no folder for the cache; set WEIR_CACHE_DIR or HOME")
    })?;
    codegen(&module.path)?;
    let sdk = sdk::obtain(module, &cache, progress)?;
    let bundle = bundle::make(module, &sdk, progress)?;
    let engine = engine::obtain(module, &sdk, &cache, progress)?;
    compile(module, &engine, &bundle, progress)
}

fn compile(
    module: &Module,
    engine: &engine::JsEngine,
    bundle: &bundle::Bundle,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Compiled, BuildError> {
    let given = Given::default();
    let project = snapshot::Project {
        runtime: &engine.runtime,
        script: &bundle.script,
        source_map: &bundle.source_map,
    };
    let code = snapshot::Code {
        engine: &engine.engine,
        module: &engine.code_module,
        first_memory: &engine.memory_module,
    };
    let snapshot = snapshot::take(&code, &project, &given);
    for line in snapshot.iter().flat_map(|snapshot| &snapshot.loaded.lines) {
        progress(Progress::Output { module: &module.name, line });
    }
    let component = |memory: &[u8]| shell::fill(&engine.shell, &engine.code, memory);
    let memory = snapshot.and_then(|snapshot| snapshot.check());
    let core_bytes = engine.code.len() + memory.as_ref().map_or(engine.memory.len(), Vec::len);
    let snapshot = memory.and_then(|memory| component(&memory));
    let texts = [&engine.runtime, &bundle.script, &bundle.source_map].map(|text| text.as_bytes());
    let parts = [texts[0], texts[1], texts[2], &engine.memory];
    let built = Built { module, recipe: Recipe::TypeScript, parts: &parts, given: &given };
    let component = built.finish(
        snapshot.map_err(|error| format!("{error:#}")),
        || component(&engine.memory).map_err(EncodeError::from),
        progress,
    )?;
    let component = match &bundle.node {
        Some(node) => {
            node.add_to(&component).map_err(|error| BuildError::source(module, format!("{error:#}")))?
        }
        None => component,
    };
    Ok(Compiled { component, core_bytes })
}

/// Makes the snapshot of a component anew. `cache` is where the engine's machine code is kept.
pub(crate) fn remake(
    section: &Section,
    component: &[u8],
    given: &Given,
    cache: Option<&Path>,
) -> anyhow::Result<Vec<u8>> {
    let [runtime, script, source_map, first_memory] = section.unpack()?;
    let [runtime, script, source_map] = [runtime, script, source_map].map(String::from_utf8);
    let project = snapshot::Project { runtime: &runtime?, script: &script?, source_map: &source_map? };
    let code = shell::code(component)?;
    let engine = engine::Compiled::new(code, &first_memory, cache)?;
    let code = snapshot::Code {
        engine: &engine.engine,
        module: &engine.code_module,
        first_memory: &engine.memory_module,
    };
    let snapshot = snapshot::take(&code, &project, given)?;
    shell::refill(component, &snapshot.check()?)
}
