//! One module of a deployment: its linked component, and what it says of its functions.
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
use wasmtime::component::{Component, Linker};
use weir_db::{Cron, FunctionInfo, NodeBundle, Route, VariableReads, Variables};
use weir_subprocess::{Cancellation, Failure};
use weir_value::{ComponentPath, FunctionPath, Schema};

use crate::call_state::{CallSetup, CallState, DescribedWith, Scope};
use crate::compiled_cache::{Compiled, CompiledCache, Digest};
use crate::compiler::Artefact;
use crate::guest::Guest;
use crate::inspection::{check_world, not_a_guest};
use crate::instances_section;
use crate::invocation::Invoker;
use crate::manifest::{self, FunctionJson, Manifest, ModuleAuth};
use crate::memory::{self, Image};
use crate::node_section::{self, NodePart};
use crate::runtime::Linkers;
use crate::shared_code::{self, SharedCode};
use crate::{LoadError, ModuleSource};

/// A module as a deployment shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleInfo {
    /// The name that it was loaded under. It stands in no function's path.
    pub name: String,
    /// Where the component is mounted that it is a module of; empty for the app.
    pub component: ComponentPath,
    /// The SHA-256 of its component, in hexadecimal digits.
    pub sha256: String,
    /// The size of its component.
    pub bytes: usize,
    /// The paths of its functions, in the order of its manifest.
    pub functions: Vec<FunctionPath>,
    /// Who may vouch for users, if it says so.
    pub auth: Option<ModuleAuth>,
}

/// A component with its imports resolved and its functions known: all that a call needs but an instance.
pub(crate) struct Module {
    pub(crate) guest: Guest,
    /// What of it runs in Node, if anything does.
    pub(crate) node: Option<NodeModule>,
    pub(crate) functions: Vec<Arc<FunctionInfo>>,
    /// The tables that it declares, if it declares any.
    pub(crate) schema: Option<Schema>,
    /// Who may vouch for users, if it says so.
    pub(crate) auth: Option<ModuleAuth>,
    /// Which HTTP requests which of its functions answers.
    pub(crate) routes: Vec<Route>,
    /// The cron jobs that it declares.
    pub(crate) crons: Vec<Cron>,
    /// The variables that it had when it described itself, and which of them it read.
    pub(crate) described_with: DescribedWith,
    /// What of its code it shares with other modules.
    pub(crate) shared: Vec<Digest>,
}

/// What of a module runs in Node.
pub(crate) struct NodeModule {
    /// Where its source first says so.
    pub(crate) place: String,
    pub(crate) bundle: Arc<NodeBundle>,
    pub(crate) functions: HashSet<FunctionPath>,
}

impl Module {
    /// From the bytes of a component, whose code is in the cache or is compiled now.
    pub(crate) fn load(
        source: &ModuleSource,
        digest: &Digest,
        variables: &Variables,
        loading: Loading<'_>,
    ) -> Result<Module, LoadError> {
        #[expect(clippy::disallowed_methods, reason = "how long it took, for the log alone")]
        let began = Instant::now();
        let Loading { invoker, linkers, codes, .. } = loading;
        let shared = codes.obtain(source, loading)?;
        let image = image(source, invoker.options.call_memory_bytes_max)?;
        let component = obtain_code(source, digest, loading, &shared, image.is_some(), began)?;
        let given: Vec<&str> = shared.iter().map(|(code, _)| code.name.as_str()).collect();
        check_world(&source.name, &component, &invoker.engine, &given)?;
        let not_linked = |error: wasmtime::Error| not_a_guest(&source.name, format!("{error:#}"));
        let transactions = with_shared(&linkers.transactions, &shared).map_err(not_linked)?;
        let are_reused = instances_section::are_reused(&source.component);
        let mut guest = Guest::link(&transactions, &component, image, are_reused).map_err(not_linked)?;
        let node = node_section::find(&source.component)
            .map_err(|reason| LoadError::Node { module: source.name.clone(), reason })?;
        let node_functions = node.as_ref().map_or(&[][..], |node| &node.functions);
        let (manifest, described_with) = describe(&source.name, invoker, &guest, variables, node_functions)?;
        let Manifest { functions, schema, auth, routes, crons } = manifest;
        // Those of Node come last.
        let own = functions.len() - node_functions.len();
        if functions[..own].iter().any(|function| function.kind.is_action()) {
            let actions = with_shared(&linkers.actions, &shared).map_err(not_linked)?;
            guest.link_for_actions(&actions, &component).map_err(not_linked)?;
        }
        let shared = shared.iter().map(|(code, _)| code.digest).collect();
        let node = node.map(|NodePart { place, bundle, .. }| {
            let functions = functions[own..].iter().map(|function| function.path.clone()).collect();
            NodeModule { place, bundle, functions }
        });
        Ok(Module { guest, node, functions, schema, auth, routes, crons, described_with, shared })
    }

    /// Whether it would describe itself in the same way with these variables.
    pub(crate) fn is_described_with(&self, variables: &Variables) -> bool {
        self.described_with.reads.agree(&self.described_with.variables, variables)
    }
}

/// What is in the component's memory at the start, where it is not left to wasmtime.
fn image(source: &ModuleSource, memory_bytes_max: usize) -> Result<Option<Arc<Image>>, LoadError> {
    let Some(data) = memory::find(&source.component, memory_bytes_max) else { return Ok(None) };
    let image = Image::new(data.size, data.start, &data.bytes)
        .map_err(|error| LoadError::Memory { module: source.name.clone(), error })?;
    Ok(Some(Arc::new(image)))
}

/// A linker that knows the code which the component shares with others.
fn with_shared<'a>(
    linker: &'a Linker<CallState>,
    shared: &[(SharedCode<'_>, wasmtime::Module)],
) -> wasmtime::Result<Cow<'a, Linker<CallState>>> {
    let mut linker = Cow::Borrowed(linker);
    for (code, module) in shared {
        linker.to_mut().root().module(&code.name, module)?;
    }
    Ok(linker)
}

fn obtain_code(
    source: &ModuleSource,
    digest: &Digest,
    loading: Loading<'_>,
    shared: &[(SharedCode<'_>, wasmtime::Module)],
    has_image: bool,
    began: Instant,
) -> Result<Component, LoadError> {
    let Loading { invoker, cache, .. } = loading;
    if let Some(component) = cache.load(&invoker.engine, digest) {
        invoker.counters.loaded_from_cache(began.elapsed());
        return Ok(component);
    }
    let mut rest = Cow::Borrowed(&source.component[..]);
    if has_image {
        rest = memory::take_out(&rest).map_or(rest, Cow::Owned);
    }
    if !shared.is_empty() {
        rest = shared_code::take_out(&rest, shared).map_or(rest, Cow::Owned);
    }
    let component = if has_image {
        // To know what its calls change, all of its code has to be read: that is the compiler's as well.
        let imported = shared.iter().map(|(code, _)| code.wasm);
        let parts: Vec<&[u8]> = std::iter::once(&*rest).chain(imported).collect();
        loading.compile(source, Artefact::ResettableComponent, &parts, digest)?
    } else {
        loading.compile(source, Artefact::Component, &[&rest], digest)?
    };
    invoker.counters.compiled(began.elapsed());
    tracing::info!(module = source.name, took = ?began.elapsed(), "compiled");
    Ok(component)
}

/// What modules are loaded with, and for whom.
#[derive(Clone, Copy)]
pub(crate) struct Loading<'a> {
    pub(crate) invoker: &'a Invoker,
    pub(crate) linkers: &'a Linkers,
    pub(crate) cache: &'a CompiledCache,
    pub(crate) codes: &'a Codes,
    pub(crate) cancellation: &'a Cancellation,
}

impl Loading<'_> {
    /// Makes the code of what is not in the cache, which keeps it from now on.
    fn compile<C: Compiled>(
        &self,
        source: &ModuleSource,
        artefact: Artefact,
        parts: &[&[u8]],
        digest: &Digest,
    ) -> Result<C, LoadError> {
        let Invoker { engine, options, .. } = self.invoker;
        let code = options.compiler.compile(engine, artefact, (&source.name, parts), self.cancellation)?;
        self.cache.keep(engine, digest, code).map_err(|error| LoadError::Compile {
            module: source.name.clone(),
            failure: Failure::Died(format!("what it gave cannot be used: {error}")),
        })
    }
}

/// The code that components share, as long as some deployment may use it.
#[derive(Default)]
pub(crate) struct Codes {
    loaded: Mutex<HashMap<Digest, wasmtime::Module>>,
}

impl Codes {
    /// The shareable code of a component, compiled now if it is not in memory and not in the cache.
    fn obtain<'a>(
        &self,
        source: &'a ModuleSource,
        loading: Loading<'_>,
    ) -> Result<Vec<(SharedCode<'a>, wasmtime::Module)>, LoadError> {
        // Held while it compiles: who wants the same code had better wait for it.
        let mut loaded = self.loaded.lock();
        let mut codes = Vec::new();
        for code in shared_code::find(&source.component) {
            let module = match loaded.get(&code.digest) {
                Some(module) => module.clone(),
                None => load_or_compile(source, &code, loading)?,
            };
            loaded.insert(code.digest, module.clone());
            codes.push((code, module));
        }
        Ok(codes)
    }

    /// Forgets all but this code.
    pub(crate) fn retain(&self, needed: &[Digest]) {
        self.loaded.lock().retain(|digest, _| needed.contains(digest));
    }
}

fn load_or_compile(
    source: &ModuleSource,
    code: &SharedCode<'_>,
    loading: Loading<'_>,
) -> Result<wasmtime::Module, LoadError> {
    if let Some(module) = loading.cache.load(&loading.invoker.engine, &code.digest) {
        return Ok(module);
    }
    #[expect(clippy::disallowed_methods, reason = "how long it took, for the log alone")]
    let began = Instant::now();
    let module = loading.compile(source, Artefact::Module, &[code.wasm], &code.digest)?;
    tracing::info!(module = source.name, took = ?began.elapsed(), "compiled code that modules share");
    Ok(module)
}

fn describe(
    name: &str,
    invoker: &Invoker,
    guest: &Guest,
    variables: &Variables,
    node: &[FunctionJson],
) -> Result<(Manifest, DescribedWith), LoadError> {
    let subject = || format!("`describe` of `{name}`");
    let given = DescribedWith { variables: variables.clone(), reads: VariableReads::default() };
    let time = invoker.full_time();
    let setup = CallSetup { scope: Scope::Describe(given), time };
    let mut ended = invoker.invoke(setup, subject, |store| guest.describe(store));
    let described_with = match &mut ended.store.data_mut().scope {
        Scope::Describe(with) => std::mem::take(with),
        Scope::Transaction(_) | Scope::Action(_) => DescribedWith::default(),
    };
    let manifest = ended
        .result
        .map_err(|error| LoadError::Describe { module: name.to_owned(), reason: error.to_string() })?
        .map_err(|reason| not_a_guest(name, reason))?;
    let manifest = manifest::parse(&manifest, node);
    let manifest = manifest.map_err(|error| LoadError::Manifest { module: name.to_owned(), error })?;
    Ok((manifest, described_with))
}
