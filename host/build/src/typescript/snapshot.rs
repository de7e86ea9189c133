//! Loads a project into the engine, once, while it is built: what is in the
//! engine's memory then is where every call begins.

use anyhow::{Context, anyhow, ensure};
use serde::Deserialize;
use wasmtime::{Caller, Engine, Instance, Linker, Memory, Module, Store, Val};

use super::intl;
use super::split::{GLOBAL_PREFIX, MEMORY_MODULE, MEMORY_NAME, memory_module};
use crate::preinitialize::{Output, bytes_at};
use crate::snapshots::bounds::{self, Bounds, Deadline};
use crate::snapshots::variables::Given;

/// What the engine says of a project.
#[derive(Deserialize)]
pub(crate) struct Loaded {
    /// How many functions it has.
    pub(crate) functions: usize,
    /// Whether it declares tables.
    #[serde(rename = "hasSchema")]
    pub(crate) has_schema: bool,
    /// What is wrong with it, each with its file and line.
    pub(crate) problems: Vec<String>,
    /// What its modules wrote to the console while they were loaded.
    pub(crate) lines: Vec<String>,
}

/// A project in the engine.
pub(crate) struct Snapshot {
    pub(crate) loaded: Loaded,
    /// The engine's memory.
    pub(crate) memory: Vec<u8>,
    /// What the project says of itself, JSON, if it was asked, and can without a deployment's variables.
    pub(crate) manifest: Option<Vec<u8>>,
}

/// The engine, ready to run.
pub(crate) struct Code<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) module: &'a Module,
    /// Its memory before a project is loaded.
    pub(crate) first_memory: &'a Module,
}

/// What is loaded into it.
pub(crate) struct Project<'a> {
    pub(crate) runtime: &'a str,
    pub(crate) script: &'a str,
    pub(crate) source_map: &'a str,
    /// Whether to ask it for its manifest. An app's may depend on variables that only a deployment has.
    pub(crate) describe: bool,
}

impl Snapshot {
    /// The memory's module, if the project is one that can be called.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn check(&self) -> anyhow::Result<Vec<u8>> {
        let memory = self.check_component()?;
        ensure!(
            !self.is_empty(),
            "convex/ exports no function, and has no schema.ts; write one: export const list = query({{ args: {{}}, \
             handler: ... }})"
        );
        Ok(memory)
    }

    /// The same for a component, which may have nothing but others that it mounts.
    pub(crate) fn check_component(&self) -> anyhow::Result<Vec<u8>> {
        ensure!(self.loaded.problems.is_empty(), "{}", self.loaded.problems.join("\n"));
        Ok(memory_module(&self.memory))
    }

    /// Whether it has neither functions nor tables.
    pub(crate) fn is_empty(&self) -> bool {
        self.loaded.functions == 0 && !self.loaded.has_schema
    }
}

/// Runs `init` of the engine's code over its first memory. A project may read the variables that are `given`.
pub(crate) fn take(
    Code { engine, module: code, first_memory }: &Code<'_>,
    project: &Project<'_>,
    given: &Given,
) -> anyhow::Result<Snapshot> {
    let mut store = bounds::store(engine);
    let _deadline = Deadline::begin(engine).map_err(chain)?;
    let memory = Instance::new(&mut store, first_memory, &[])
        .map_err(chain)?
        .get_memory(&mut store, MEMORY_NAME)
        .context("the engine's memory is missing")?;
    let mut linker = Linker::new(engine);
    given.link(&mut linker).map_err(chain)?;
    let log = Output::default();
    link_log(&mut linker, memory, &log).map_err(chain)?;
    intl::link(&mut linker).map_err(chain)?;
    linker.define(&store, MEMORY_MODULE, MEMORY_NAME, memory).map_err(chain)?;
    linker.define_unknown_imports_as_traps(code).map_err(chain)?;
    let instance = linker.instantiate(&mut store, code).map_err(chain)?;
    let globals = globals(&instance, &mut store, code);
    let mut guest = Guest { store, instance, memory };
    let answer = guest.init(project).map_err(|error| anyhow!("{}", log.reason(&error)))?;
    let loaded = serde_json::from_slice(&answer).context("the engine's answer is not valid JSON")?;
    let after = self::globals(&guest.instance, &mut guest.store, code);
    // They are a stack's position; a call that is over has put it back.
    ensure!(globals == after, "the engine's globals have changed: {globals:?} were {after:?}");
    let memory = guest.memory.data(&guest.store).to_vec();
    // What it leaves in the memory is no part of the snapshot.
    let manifest = project.describe.then(|| guest.describe().ok()).flatten();
    Ok(Snapshot { loaded, memory, manifest })
}

/// An instance with a memory of its own, and the canonical ABI of its `init`.
struct Guest {
    store: Store<Bounds>,
    instance: Instance,
    memory: Memory,
}

impl Guest {
    fn init(&mut self, project: &Project<'_>) -> wasmtime::Result<Vec<u8>> {
        let (runtime, script) = (self.text(project.runtime)?, self.text(project.script)?);
        let source_map = self.text(project.source_map)?;
        let init =
            self.instance.get_typed_func::<(u32, u32, u32, u32, u32, u32), u32>(&mut self.store, "init")?;
        let texts = (runtime.0, runtime.1, script.0, script.1, source_map.0, source_map.1);
        let answer = init
            .call(&mut self.store, texts)
            .map_err(|error| error.context("the project cannot be loaded into the JavaScript engine"))?;
        self.list(answer)
    }

    /// The manifest, as a host gets it.
    fn describe(&mut self) -> wasmtime::Result<Vec<u8>> {
        let describe = self.instance.get_typed_func::<(), u32>(&mut self.store, "describe")?;
        let answer = describe.call(&mut self.store, ())?;
        self.list(answer)
    }

    /// A list of bytes that the guest has given.
    fn list(&self, at: u32) -> wasmtime::Result<Vec<u8>> {
        let (start, length) = (self.word(at)?, self.word(at + 4)?);
        Ok(bytes_at(self.memory.data(&self.store), start as usize, length as usize)?.to_vec())
    }

    /// Puts a text into the guest's memory: its address and length.
    fn text(&mut self, text: &str) -> wasmtime::Result<(u32, u32)> {
        let length = u32::try_from(text.len())?;
        let allocate =
            self.instance.get_typed_func::<(u32, u32, u32, u32), u32>(&mut self.store, "cabi_realloc")?;
        let start = allocate.call(&mut self.store, (0, 0, 1, length))?;
        self.memory.write(&mut self.store, start as usize, text.as_bytes())?;
        Ok((start, length))
    }

    fn word(&self, address: u32) -> wasmtime::Result<u32> {
        let mut bytes = [0; 4];
        self.memory.read(&self.store, address as usize, &mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }
}

/// Keeps what the engine says before it gives up.
fn link_log(linker: &mut Linker<Bounds>, memory: Memory, log: &Output) -> wasmtime::Result<()> {
    let log = log.clone();
    let write = move |caller: Caller<'_, Bounds>, _level: u32, start: u32, length: u32| {
        log.push(bytes_at(memory.data(&caller), start as usize, length as usize)?);
        wasmtime::Result::Ok(())
    };
    linker.func_wrap("weir:guest/log@0.1.0", "write", write).map(|_| ())
}

fn globals(instance: &Instance, store: &mut Store<Bounds>, code: &Module) -> Vec<(String, u64)> {
    let names: Vec<String> = code
        .exports()
        .map(|export| export.name().to_owned())
        .filter(|name| name.starts_with(GLOBAL_PREFIX))
        .collect();
    let bits = |value: Val| match value {
        Val::I32(value) => value as u32 as u64,
        Val::I64(value) => value as u64,
        Val::F32(bits) => bits.into(),
        Val::F64(bits) => bits,
        // The engine has none of references.
        _ => 0,
    };
    names
        .into_iter()
        .filter_map(|name| {
            let global = instance.get_global(&mut *store, &name)?;
            Some((name, bits(global.get(&mut *store))))
        })
        .collect()
}

/// wasmtime's error with all its causes: its own kind of error is not anyhow's.
fn chain(error: wasmtime::Error) -> anyhow::Error {
    anyhow!("{error:#}")
}
