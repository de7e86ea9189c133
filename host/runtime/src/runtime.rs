//! The runtime: one engine, and the way from components to a deployment.
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Weak};

use bytes::Bytes;
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Linker;
use weir_db::{FunctionInfo, MissingFunctions, Variables};
use weir_subprocess::Cancellation;
use weir_value::limits::{DEPLOY_BYTES_MAX, DEPLOY_MODULES_MAX};
use weir_value::{ComponentPath, Mounts};

use crate::call_state::CallState;
use crate::compiled_cache::{CompiledCache, Digest, hex};
use crate::deployment::Part;
use crate::inspection::check_bytes;
use crate::invocation::Invoker;
use crate::module::{Codes, Loading, Module, ModuleInfo};
use crate::{Deployment, LoadError, RuntimeError, RuntimeOptions, RuntimeStats, engine, interfaces};

/// A component to be loaded, and what to call it in errors.
#[derive(Debug, Clone)]
pub struct ModuleSource {
    /// Names the module in errors; it stands in no function's path.
    pub name: String,
    /// The component.
    pub component: Bytes,
}

/// A part of a deployment to be loaded.
#[derive(Debug, Clone)]
pub struct PartSource {
    /// Where it is mounted; empty for the app.
    pub component: ComponentPath,
    /// Its modules.
    pub modules: Vec<ModuleSource>,
}

/// One engine: compiles components, or maps what was compiled before, and runs their functions. Deployments go on
/// working after it is dropped.
pub struct Runtime {
    invoker: Arc<Invoker>,
    linkers: Linkers,
    cache: CompiledCache,
    codes: Codes,
    /// Modules that some deployment still holds, so that a redeployment, and a component that is mounted twice, map only
    /// what is new. One that reads variables is there once for all values that it has.
    loaded: Mutex<HashMap<Digest, Vec<Weak<Module>>>>,
}

impl Runtime {
    /// Ends queries and mutations that run, within some ticks, and those that come: the host stops.
    pub fn interrupt(&self) {
        self.invoker.interrupt();
    }

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
        let app = PartSource { component: ComponentPath::APP, modules: modules.to_vec() };
        self.load_parts(&[app], Mounts::default(), missing, variables)
    }

    /// As [`Runtime::load_beside`], of an app and the components that it mounts: a part for the app, and one for each mount.
    /// The modules of a component describe themselves with the variables that the mount has.
    ///
    /// # Errors
    /// As for [`Runtime::load`].
    pub fn load_parts(
        &self,
        sources: &[PartSource],
        mounts: Mounts,
        missing: MissingFunctions,
        variables: &Variables,
    ) -> Result<Arc<Deployment>, LoadError> {
        self.load_unless_cancelled(sources, mounts, missing, variables, &Cancellation::default())
    }

    /// As [`Runtime::load_parts`], for somebody who may cease to wait for it: what is compiled in a process of its own ends
    /// then, and the load fails. One that has nothing left to compile goes on.
    ///
    /// # Errors
    /// As for [`Runtime::load`].
    pub fn load_unless_cancelled(
        &self,
        sources: &[PartSource],
        mounts: Mounts,
        missing: MissingFunctions,
        variables: &Variables,
        cancellation: &Cancellation,
    ) -> Result<Arc<Deployment>, LoadError> {
        check_parts(sources)?;
        let mut needed = Vec::new();
        let mut parts = Vec::with_capacity(sources.len());
        for PartSource { component, modules } in sources {
            let own = mounts.find(component).map(|mount| variables.of_mount(mount));
            let variables = own.as_ref().unwrap_or(variables);
            let modules = modules.iter().map(|source| {
                let module = self.module(source, variables, cancellation)?;
                Ok(take_down(source, component, module, &mut needed))
            });
            parts.push(Part { component: component.clone(), modules: modules.collect::<Result<_, _>>()? });
        }
        self.codes.retain(&needed);
        self.cache.prune(&needed);
        Deployment::assemble(self.invoker.clone(), parts, mounts, missing)
    }

    /// What was done since the start.
    pub fn stats(&self) -> RuntimeStats {
        self.invoker.counters.stats()
    }

    fn module(
        &self,
        source: &ModuleSource,
        variables: &Variables,
        cancellation: &Cancellation,
    ) -> Result<(Digest, Arc<Module>), LoadError> {
        let digest: Digest = Sha256::digest(&source.component).into();
        let fitting = |modules: &Vec<Weak<Module>>| {
            modules.iter().filter_map(Weak::upgrade).find(|module| module.is_described_with(variables))
        };
        if let Some(module) = self.loaded.lock().get(&digest).and_then(fitting) {
            self.invoker.counters.shared();
            return Ok((digest, module));
        }
        let Runtime { invoker, linkers, cache, codes, .. } = self;
        let loading = Loading { invoker, linkers, cache, codes, cancellation };
        let module = Module::load(source, &digest, variables, loading)?;
        let module = Arc::new(module);
        let mut loaded = self.loaded.lock();
        loaded.retain(|_, modules| {
            modules.retain(|module| module.strong_count() > 0);
            !modules.is_empty()
        });
        loaded.entry(digest).or_default().push(Arc::downgrade(&module));
        Ok((digest, module))
    }
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime").field("options", &self.invoker.options).finish_non_exhaustive()
    }
}

/// What is known of a module that is loaded. `needed` is whose code the deployment needs.
fn take_down(
    source: &ModuleSource,
    component: &ComponentPath,
    (digest, module): (Digest, Arc<Module>),
    needed: &mut Vec<Digest>,
) -> (ModuleInfo, Arc<Module>) {
    let path_of = |function: &Arc<FunctionInfo>| function.path.clone().of(component.clone());
    let info = ModuleInfo {
        name: source.name.clone(),
        component: component.clone(),
        sha256: hex(&digest),
        bytes: source.component.len(),
        functions: module.functions.iter().map(path_of).collect(),
        auth: module.auth.clone(),
    };
    needed.push(digest);
    needed.extend(&module.shared);
    (info, module)
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

/// What can be said of all modules before any is compiled. One that is mounted twice counts once.
fn check_parts(parts: &[PartSource]) -> Result<(), LoadError> {
    let mut seen = HashSet::new();
    let all = parts.iter().flat_map(|part| &part.modules);
    let distinct: Vec<_> =
        all.filter(|source| seen.insert((&source.name, source.component.as_ptr()))).collect();
    for part in parts {
        let mut names = HashSet::new();
        if let Some(source) = part.modules.iter().find(|source| !names.insert(&source.name)) {
            return Err(LoadError::DuplicateModule { module: source.name.clone() });
        }
    }
    check_set(&distinct)
}

fn check_set(modules: &[&ModuleSource]) -> Result<(), LoadError> {
    let bytes = modules.iter().map(|source| source.component.len()).sum();
    let too_much = Err(LoadError::TooMuch { modules: modules.len(), bytes });
    if modules.len() > DEPLOY_MODULES_MAX {
        return too_much;
    }
    for source in modules {
        check_bytes(&source.name, &source.component)?;
    }
    if bytes > DEPLOY_BYTES_MAX { too_much } else { Ok(()) }
}
