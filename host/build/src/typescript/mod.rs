//! TypeScript guests: Convex's functions on a JavaScript engine.
//!
//! The engine is made once for a machine ([`engine`]). A project is bundled into
//! one script ([`bundle`]), loaded into the engine, and what is then in the
//! engine's memory is put beside the engine's code ([`snapshot`], [`shell`]). So
//! all projects have one code, which a host compiles once.

mod bundle;
mod codegen;
mod engine;
mod node;
mod sdk;
mod shell;
mod snapshot;
mod split;

pub use codegen::codegen;

use anyhow::anyhow;

use crate::Module;
use crate::build::{BuildError, Compiled, Progress};
use crate::cache;

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
    let cache = cache::folder().ok_or_else(|| {
        BuildError::source(module, "there is no folder for the cache; set WEIR_CACHE_DIR or HOME")
    })?;
    let cache = cache.join("typescript");
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
    let failed = |error: anyhow::Error| BuildError::source(module, format!("{error:#}"));
    let snapshot = snapshot::take(
        &engine.engine,
        &engine.code_module,
        &engine.memory_module,
        &bundle.script,
        &bundle.source_map,
    )
    .map_err(failed)?;
    for line in &snapshot.loaded.lines {
        progress(Progress::Output { module: &module.name, line });
    }
    if !snapshot.loaded.problems.is_empty() {
        return Err(failed(anyhow!("{}", snapshot.loaded.problems.join("\n"))));
    }
    if snapshot.loaded.functions == 0 && !snapshot.loaded.has_schema {
        return Err(failed(anyhow!(
            "convex/ exports no function, and has no schema.ts; write one: export const list = query({{ args: {{}}, \
             handler: ... }})"
        )));
    }
    let memory = split::memory_module(&snapshot.memory);
    let component = shell::fill(&engine.shell, &engine.code, &memory).map_err(failed)?;
    Ok(Compiled { component, core_bytes: engine.code.len() + memory.len() })
}
