//! One module of a deployment: its linked component, and what it says of its functions.
use std::sync::Arc;
use std::time::Instant;

use wasmtime::component::{Component, Linker};
use weir_db::FunctionInfo;

use crate::call_state::{CallSetup, CallState};
use crate::compiled_cache::{CompiledCache, Digest};
use crate::guest::Guest;
use crate::inspection::{check_world, not_a_guest};
use crate::invocation::Invoker;
use crate::{LoadError, ModuleSource, manifest};

/// A module as a deployment shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleInfo {
    /// The name that it was loaded under. It stands in no function's path.
    pub name: String,
    /// The SHA-256 of its component, in hexadecimal digits.
    pub sha256: String,
    /// The size of its component.
    pub bytes: usize,
}

/// A component with its imports resolved and its functions known: all that a call needs but an instance.
pub(crate) struct Module {
    pub(crate) guest: Guest,
    pub(crate) functions: Vec<Arc<FunctionInfo>>,
}

impl Module {
    /// From the bytes of a component, whose code is in the cache or is compiled now.
    pub(crate) fn load(
        source: &ModuleSource,
        digest: &Digest,
        invoker: &Invoker,
        linker: &Linker<CallState>,
        cache: &CompiledCache,
    ) -> Result<Module, LoadError> {
        let component = obtain_code(source, digest, invoker, cache)?;
        check_world(&source.name, &component, &invoker.engine)?;
        let guest = Guest::link(linker, &component)
            .map_err(|error| not_a_guest(&source.name, format!("{error:#}")))?;
        let functions = describe(&source.name, invoker, &guest)?;
        Ok(Module { guest, functions })
    }
}

fn obtain_code(
    source: &ModuleSource,
    digest: &Digest,
    invoker: &Invoker,
    cache: &CompiledCache,
) -> Result<Component, LoadError> {
    let began = Instant::now();
    if let Some(component) = cache.load(&invoker.engine, digest) {
        invoker.counters.loaded_from_cache(began.elapsed());
        return Ok(component);
    }
    let invalid = |error: wasmtime::Error| LoadError::Invalid {
        module: source.name.clone(),
        reason: format!("{error:#}"),
    };
    let component = Component::from_binary(&invoker.engine, &source.component).map_err(invalid)?;
    invoker.counters.compiled(began.elapsed());
    tracing::info!(module = source.name, took = ?began.elapsed(), "compiled");
    Ok(keep_code(digest, component, invoker, cache))
}

/// Keeps the code on disk, and uses it from there, where its memory is the page cache's. A disk that does not take it
/// costs the next start a compilation, no more.
fn keep_code(digest: &Digest, component: Component, invoker: &Invoker, cache: &CompiledCache) -> Component {
    let kept = component
        .serialize()
        .map_err(|error| format!("{error:#}"))
        .and_then(|code| cache.store(digest, &code).map_err(|error| error.to_string()));
    if let Err(error) = kept {
        tracing::warn!(error, "compiled code could not be kept on disk; the next start compiles again");
        return component;
    }
    cache.load(&invoker.engine, digest).unwrap_or(component)
}

fn describe(name: &str, invoker: &Invoker, guest: &Guest) -> Result<Vec<Arc<FunctionInfo>>, LoadError> {
    let subject = || format!("`describe` of `{name}`");
    let setup = CallSetup { transaction: None, deployment: None, time: invoker.full_time() };
    let manifest = invoker.invoke(setup, subject, |store| guest.describe(store)).result;
    let manifest = manifest
        .map_err(|error| LoadError::Describe { module: name.to_owned(), reason: error.to_string() })?
        .map_err(|reason| not_a_guest(name, reason))?;
    manifest::parse(&manifest).map_err(|error| LoadError::Manifest { module: name.to_owned(), error })
}
