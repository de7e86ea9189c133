//! TypeScript guests: Convex's functions on a JavaScript engine.
//!
//! The engine is the same for all ([`engine`]). A project is bundled into
//! one script ([`bundle`]), loaded into the engine, and what is then in the
//! engine's memory is put beside the engine's code ([`snapshot`], [`shell`]). So
//! all projects have one code, which a host compiles once.

mod bundle;
mod codegen;
mod component;
mod definitions;
mod engine;
mod intl;
mod node;
mod node_section;
mod sdk;
mod shell;
mod snapshot;
mod split;

pub(crate) use codegen::{MountType, Types};
pub(crate) use component::{BuiltComponent, Component};
pub(crate) use definitions::{Config, ConfigMount, Found, Request, find, has_config};
pub(crate) use engine::JsEngine;
pub(crate) use node_section::functions as node_functions;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::Module;
use crate::build::{BuildError, Compiled, Progress};
use crate::cache;
use crate::component::EncodeError;
use crate::memory::Memory;
use crate::snapshots::Built;
use crate::snapshots::section::{Recipe, Section};
use crate::snapshots::variables::Given;
use sdk::Sdk;

/// Where builds keep the engine and its machine code; `None` when no folder for a cache is known.
pub fn cache_folder() -> Option<PathBuf> {
    cache::folder().map(|cache| cache.join("typescript"))
}

fn cache_of(module: &Module) -> Result<PathBuf, BuildError> {
    cache_folder().ok_or_else(|| {
        BuildError::source(module, "there is no folder for the cache; set WEIR_CACHE_DIR or HOME")
    })
}

/// The folder of an app's functions, in its module's.
pub(crate) fn functions_folder(module: &Module) -> PathBuf {
    module.path.join("convex")
}

/// Writes `convex/_generated` of a module, and gives the files that have changed.
pub(crate) fn codegen(module: &Module, types: &Types) -> Result<Vec<PathBuf>, BuildError> {
    let convex = functions_folder(module);
    if !convex.is_dir() {
        let message =
            format!("there is no folder {}; its functions go there, as with Convex", convex.display());
        return Err(BuildError::source(module, message));
    }
    codegen::app(&convex, types)
}

/// Builds a module, whose generated files are there.
pub(crate) fn build(
    module: &Module,
    memory: &mut Memory,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Compiled, BuildError> {
    let (sdk, cache) = begin(module, progress)?;
    let bundle = bundle::make(module, None, &sdk, progress)?;
    let engine = engine_of(module, &sdk, &cache, memory, progress)?;
    let (snapshot, given) = load(module, &engine, &bundle, false, progress);
    let memory = snapshot.and_then(|snapshot| snapshot.check());
    finish(module, &engine, &bundle, memory, &given, progress)
}

/// Says that a build begins, and finds its tools: the SDK and the cache.
fn begin(module: &Module, progress: &mut dyn FnMut(Progress<'_>)) -> Result<(Sdk, PathBuf), BuildError> {
    let version = node::check(module)?;
    progress(Progress::Started { module: &module.name, toolchain: &format!("esbuild on Node {version}") });
    let cache = cache_of(module)?;
    Ok((sdk::obtain(module, &cache, progress)?, cache))
}

/// The engine, which is the same for all that is built in this process.
fn engine_of(
    module: &Module,
    sdk: &Sdk,
    cache: &Path,
    memory: &mut Memory,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Arc<JsEngine>, BuildError> {
    if let Some(engine) = &memory.engine {
        return Ok(Arc::clone(engine));
    }
    let engine = Arc::new(engine::obtain(module, sdk, cache, progress)?);
    memory.engine = Some(Arc::clone(&engine));
    Ok(engine)
}

/// Loads a bundle into the engine.
fn load(
    module: &Module,
    engine: &JsEngine,
    bundle: &bundle::Bundle,
    describe: bool,
    progress: &mut dyn FnMut(Progress<'_>),
) -> (anyhow::Result<snapshot::Snapshot>, Given) {
    let given = Given::default();
    let project = snapshot::Project {
        runtime: &engine.runtime,
        script: &bundle.script,
        source_map: &bundle.source_map,
        describe,
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
    (snapshot, given)
}

/// The component of a bundle. `memory` is what it leaves in the engine, or why it cannot be loaded.
fn finish(
    module: &Module,
    engine: &JsEngine,
    bundle: &bundle::Bundle,
    memory: anyhow::Result<Vec<u8>>,
    given: &Given,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Compiled, BuildError> {
    let component = |memory: &[u8]| shell::fill(&engine.shell, &engine.code, memory);
    let core_bytes = engine.code.len() + memory.as_ref().map_or(engine.memory.len(), Vec::len);
    let snapshot = memory.and_then(|memory| component(&memory));
    let texts = [&engine.runtime, &bundle.script, &bundle.source_map].map(|text| text.as_bytes());
    let parts = [texts[0], texts[1], texts[2], &engine.memory];
    let built = Built { module, recipe: Recipe::TypeScript, parts: &parts, given };
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
    let (runtime, script, source_map) = (runtime?, script?, source_map?);
    let project =
        snapshot::Project { runtime: &runtime, script: &script, source_map: &source_map, describe: false };
    let code = shell::code(component)?;
    let engine = engine::Compiled::new(code, &first_memory, cache)?;
    let code = snapshot::Code {
        engine: &engine.engine,
        module: &engine.code_module,
        first_memory: &engine.memory_module,
    };
    let snapshot = snapshot::take(&code, &project, given)?;
    // A build has looked whether there is anything in it.
    shell::refill(component, &snapshot.check_component()?)
}
