//! The JavaScript engine, which travels inside this program, and the runtime, which is bundled once for a version of the
//! SDK; what takes time to make of them is kept in the cache.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use sha2::{Digest, Sha256};
use wasmtime::{Config, Engine, Module, OptLevel};

use crate::build::{BuildError, Progress};
use crate::hex::hex;
use crate::{claim, component, process};

use super::sdk::Sdk;
use super::split;

/// What is the same for all projects.
pub(crate) struct JsEngine {
    pub(crate) engine: Engine,
    /// The code, which imports its memory.
    pub(crate) code: Vec<u8>,
    pub(crate) code_module: Module,
    /// The memory before a project is loaded, as a module.
    pub(crate) memory: Vec<u8>,
    pub(crate) memory_module: Module,
    /// The component that the code and a memory are put into.
    pub(crate) shell: Vec<u8>,
    /// The runtime's script, which a project is loaded with.
    pub(crate) runtime: String,
}

/// Takes the engine apart, and bundles the runtime if the cache does not have it.
pub(crate) fn obtain(
    module: &crate::Module,
    sdk: &Sdk,
    cache: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<JsEngine, BuildError> {
    let runtime = runtime(module, sdk, cache, progress)?;
    let broken =
        |error: anyhow::Error| BuildError::source(module, format!("the JavaScript engine: {error:#}"));
    let core = weir_js_engine::ENGINE;
    let code = split::code(core).map_err(broken)?;
    let memory = split::initial_memory(core).map_err(broken)?;
    let memory = split::memory_module(&memory);
    let shell = split::without_data(core).map_err(broken)?;
    let shell = component::encode(&shell).map_err(|error| BuildError::encode(module, error))?;
    let Compiled { engine, code_module, memory_module } =
        Compiled::new(&code, &memory, Some(cache)).map_err(broken)?;
    Ok(JsEngine { engine, code, code_module, memory, memory_module, shell, runtime })
}

/// The runtime's script, from the cache, or bundled now.
fn runtime(
    module: &crate::Module,
    sdk: &Sdk,
    cache: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<String, BuildError> {
    let key = hex(&Sha256::digest(sdk.runtime_text())[..8]);
    let folder = cache.join(format!("runtime-{key}"));
    let _lock = claim::lock(&folder).map_err(|source| BuildError::file("lock", &folder, source))?;
    let path = folder.join("runtime.js");
    if !path.exists() {
        let bundled = folder.join("runtime.part.js");
        let mut node = Command::new("node");
        node.arg(sdk.folder.join("build/runtime.mjs")).arg(&bundled);
        process::run(module, &mut node, progress)?;
        fs::rename(&bundled, &path).map_err(|source| BuildError::file("write", &path, source))?;
    }
    fs::read_to_string(&path).map_err(|source| BuildError::file("read", &path, source))
}

/// Writes a file whole or not at all.
fn write_file(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let temporary = path.with_extension("part");
    fs::write(&temporary, bytes)?;
    fs::rename(&temporary, path)
}

/// The engine's modules, compiled.
pub(crate) struct Compiled {
    pub(crate) engine: Engine,
    pub(crate) code_module: Module,
    pub(crate) memory_module: Module,
}

impl Compiled {
    /// Of these modules; the code's machine code is taken from a cache, if there is one.
    pub(crate) fn new(code: &[u8], memory: &[u8], cache: Option<&Path>) -> anyhow::Result<Compiled> {
        let chain = |error: wasmtime::Error| anyhow::anyhow!("{error:#}");
        let engine = Engine::new(&config()).map_err(chain)?;
        let code_module = match cache {
            Some(cache) => compiled(&engine, cache, code)?,
            None => Module::new(&engine, code).map_err(chain)?,
        };
        let memory_module = Module::new(&engine, memory).map_err(chain)?;
        Ok(Compiled { engine, code_module, memory_module })
    }
}

fn config() -> Config {
    let mut config = Config::new();
    // It runs for a moment; compiling it well would take longer than that.
    config.cranelift_opt_level(OptLevel::None).relaxed_simd_deterministic(true).epoch_interruption(true);
    config
}

/// A module's machine code, from the cache, or made now.
fn compiled(engine: &Engine, cache: &Path, module: &[u8]) -> anyhow::Result<Module> {
    let path = compiled_path(engine, cache, module);
    if path.exists() {
        // SAFETY: the file must be what wasmtime wrote. Its name holds wasmtime's version and settings, wasmtime
        // checks them again, and it was renamed into place when it was whole. It lies in the cache of the user who
        // runs the build; whoever can write there can also change the compilers that a build runs.
        #[allow(unsafe_code)]
        let module = unsafe { Module::deserialize_file(engine, &path) };
        if let Ok(module) = module {
            return Ok(module);
        }
    }
    let compiled = engine.precompile_module(module).map_err(|error| anyhow::anyhow!("{error:#}"))?;
    fs::create_dir_all(cache)
        .and_then(|()| write_file(&path, &compiled))
        .with_context(|| format!("cannot write {}", path.display()))?;
    // SAFETY: as above; these are the bytes that wasmtime has just given.
    #[allow(unsafe_code)]
    let module = unsafe { Module::deserialize_file(engine, &path) };
    module.map_err(|error| anyhow::anyhow!("{error:#}"))
}

/// By the module's content: most versions of the SDK differ in the memory alone.
fn compiled_path(engine: &Engine, cache: &Path, module: &[u8]) -> PathBuf {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hash = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hash);
    cache.join(format!("code-{}-{:016x}.cwasm", hex(&Sha256::digest(module)[..8]), hash.finish()))
}
