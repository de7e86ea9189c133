//! The runtime: one engine, and the way from components to a deployment.
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Weak};

use bytes::Bytes;
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Linker;
use weir_db::{MissingFunctions, Variables};
use weir_value::limits::{DEPLOY_BYTES_MAX, DEPLOY_MODULES_MAX};

use crate::call_state::CallState;
use crate::compiled_cache::{CompiledCache, Digest, hex};
use crate::inspection::check_bytes;
use crate::invocation::Invoker;
use crate::module::{Codes, Module, ModuleInfo};
use crate::{Deployment, LoadError, RuntimeError, RuntimeOptions, RuntimeStats, engine, interfaces};

/// A component to be loaded, and what to call it in errors.
#[derive(Debug, Clone)]
pub struct ModuleSource {
    /// Names the module in errors; it stands in no function's path.
    pub name: String,
    /// The component.
    pub component: Bytes,
}

/// One engine: compiles components, or maps what was compiled before, and runs their functions. Deployments go on
/// working after it is dropped.
pub struct Runtime {
    invoker: Arc<Invoker>,
    linkers: Linkers,
    cache: CompiledCache,
    codes: Codes,
    /// Modules that some deployment still holds, so that a redeployment maps only what is new.
    loaded: Mutex<HashMap<Digest, Weak<Module>>>,
}

impl Runtime {
    /// Starts an engine and its clock.
    ///
    /// Functions run on the threads of whoever calls [`weir_db::Functions::run`]; with less than
    /// [`weir_value::limits::THREAD_STACK_BYTES`] of stack, each call makes itself a stack.
    ///
    /// # Errors
    /// The system does not give the address space or the thread.
    pub fn new(options: RuntimeOptions) -> Result<Arc<Runtime>, RuntimeError> {
        let engine = engine::build()?;
        let cache = CompiledCache::open(options.compiled_dir.as_deref(), &engine);
        let linkers = Linkers::new(&engine).map_err(|error| RuntimeError::Engine(format!("{error:#}")))?;
        let invoker = Arc::new(Invoker::new(engine, options)?);
        Ok(Arc::new(Runtime { invoker, linkers, cache, codes: Codes::default(), loaded: Mutex::default() }))
    }

    /// Makes a deployment of components: compiles each, or maps its code from disk, asks it for its manifest, and
    /// checks all of it against the rules. Takes as long as the compilation: do not call it where others wait.
    ///
    /// # Errors
    /// The first thing that is wrong, with the module's name. Nothing of the load stays in use.
    pub fn load(&self, modules: &[ModuleSource]) -> Result<Arc<Deployment>, LoadError> {
        self.load_beside(modules, MissingFunctions::default(), &Variables::default())
    }

    /// As [`Runtime::load`], of modules beside which others are missing: whoever calls a function of those is told. The
    /// modules describe themselves with these variables.
    ///
    /// # Errors
    /// As for [`Runtime::load`].
    pub fn load_beside(
        &self,
        modules: &[ModuleSource],
        missing: MissingFunctions,
        variables: &Variables,
    ) -> Result<Arc<Deployment>, LoadError> {
        check_set(modules)?;
        let mut loaded = Vec::with_capacity(modules.len());
        let mut needed = Vec::with_capacity(modules.len());
        for source in modules {
            let digest: Digest = Sha256::digest(&source.component).into();
            let module = self.module(source, &digest, variables)?;
            let info = ModuleInfo {
                name: source.name.clone(),
                sha256: hex(&digest),
                bytes: source.component.len(),
                functions: module.functions.iter().map(|function| function.path.clone()).collect(),
                auth: module.auth.clone(),
            };
            needed.push(digest);
            needed.extend(&module.shared);
            loaded.push((info, module));
        }
        self.codes.retain(&needed);
        self.cache.prune(&needed);
        Deployment::assemble(self.invoker.clone(), loaded, missing)
    }

    /// What was done since the start.
    pub fn stats(&self) -> RuntimeStats {
        self.invoker.counters.stats()
    }

    fn module(
        &self,
        source: &ModuleSource,
        digest: &Digest,
        variables: &Variables,
    ) -> Result<Arc<Module>, LoadError> {
        let loaded = self.loaded.lock().get(digest).and_then(Weak::upgrade);
        if let Some(module) = loaded.filter(|module| module.is_described_with(variables)) {
            self.invoker.counters.shared();
            return Ok(module);
        }
        let module =
            Module::load(source, digest, variables, &self.invoker, &self.linkers, &self.cache, &self.codes)?;
        let module = Arc::new(module);
        let mut loaded = self.loaded.lock();
        loaded.retain(|_, module| module.strong_count() > 0);
        loaded.insert(*digest, Arc::downgrade(&module));
        Ok(module)
    }
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime").field("options", &self.invoker.options).finish_non_exhaustive()
    }
}

/// What components are linked with.
pub(crate) struct Linkers {
    /// Queries and mutations.
    pub(crate) transactions: Linker<CallState>,
    /// Actions.
    pub(crate) actions: Linker<CallState>,
}

impl Linkers {
    fn new(engine: &Engine) -> wasmtime::Result<Linkers> {
        let mut transactions = Linker::new(engine);
        interfaces::link(&mut transactions)?;
        let mut actions = Linker::new(engine);
        interfaces::link_action(&mut actions)?;
        Ok(Linkers { transactions, actions })
    }
}

/// What can be said of a set of modules before any is compiled.
fn check_set(modules: &[ModuleSource]) -> Result<(), LoadError> {
    let bytes = modules.iter().map(|source| source.component.len()).sum();
    let too_much = Err(LoadError::TooMuch { modules: modules.len(), bytes });
    if modules.len() > DEPLOY_MODULES_MAX {
        return too_much;
    }
    let mut names = HashSet::new();
    for source in modules {
        if !names.insert(&source.name) {
            return Err(LoadError::DuplicateModule { module: source.name.clone() });
        }
        check_bytes(&source.name, &source.component)?;
    }
    if bytes > DEPLOY_BYTES_MAX { too_much } else { Ok(()) }
}
