//! Go guests: the ordinary Go compiler makes a library for WASI, whose start is
//! run here, and whose WASI an adapter of our own puts on top of the world.

mod environment;
mod start;
mod toolchain;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::build::{BuildError, Compiled, Progress};
use crate::component::EncodeError;
use crate::preinitialize::{Output, preinitialize};
use crate::project::Module;
use crate::snapshots::section::{Recipe, Section};
use crate::snapshots::variables::Given;
use crate::snapshots::{self, Built};
use crate::toolchain::ToolchainError;
use crate::{cache, component, process};
use toolchain::Go;

/// The module by which Go asks for WASI, and what answers it.
const WASI: &str = "wasi_snapshot_preview1";
const ADAPTER: &str = include_str!("adapter.wat");

/// What runs at build: Go's start with all `init` functions, then the SDK's warm-up.
const START: [&str; 2] = ["_initialize", "weir-warm-up"];

/// What Go would take from the environment that is meant for other builds.
const FOREIGN_VARIABLES: [&str; 3] = ["GOFLAGS", "GOWASM", "GOEXPERIMENT"];

/// Builds a module with the compiler that is there.
pub(crate) fn build(module: &Module, progress: &mut dyn FnMut(Progress<'_>)) -> Result<Compiled, BuildError> {
    let go = toolchain::find().map_err(|lack| BuildError::Toolchain {
        module: module.name.clone(),
        error: ToolchainError::NoGo(lack),
    })?;
    progress(Progress::Started {
        module: &module.name,
        toolchain: &format!("Go {}", go.version.trim_start_matches("go")),
    });
    if !module.path.ancestors().any(|folder| folder.join("go.mod").is_file()) {
        return Err(BuildError::source(module, no_go_mod(&module.path)));
    }
    let core_module = compile(module, &go, progress)?;
    for line in environment::warnings(&module.path) {
        progress(Progress::Output { module: &module.name, line: &line });
    }
    let given = Given::default();
    let snapshot = match run_start(&core_module, &given) {
        Ok(started) => Ok(encode(&started).map_err(|error| BuildError::encode(module, error))?),
        Err(reason) => Err(reason),
    };
    let built = Built { module, recipe: Recipe::Go, parts: &[&core_module], given: &given };
    let component = built.finish(snapshot, || Ok(snapshots::empty_component()), progress)?;
    Ok(Compiled { component, core_bytes: core_module.len() })
}

/// Makes the snapshot of a component anew.
pub(crate) fn remake(section: &Section, given: &Given) -> anyhow::Result<Vec<u8>> {
    let [core_module] = section.unpack()?;
    let started = run_start(&core_module, given).map_err(anyhow::Error::msg)?;
    Ok(encode(&started)?)
}

fn encode(started: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let adapter = wat::parse_str(ADAPTER).expect("the adapter is tested");
    component::encode_with_adapters(started, &[(WASI, &adapter)])
}

fn no_go_mod(folder: &Path) -> String {
    format!(
        "there is no {}; make one with `go mod init NAME`, and require the SDK in it:\n\n  \
         require weir.dev/go v0.1.0\n",
        folder.join("go.mod").display()
    )
}

/// Compiles a module and gives the core module's bytes.
fn compile(module: &Module, go: &Go, progress: &mut dyn FnMut(Progress<'_>)) -> Result<Vec<u8>, BuildError> {
    let file = output_file(module)?;
    let result = process::run(module, &mut command(module, go, &file), progress);
    let bytes = match result {
        Ok(_) => std::fs::read(&file).map_err(|source| BuildError::file("read", &file, source)),
        Err(error) => Err(explained(module, error)),
    };
    // It is of no use any more; that it cannot be removed harms nothing.
    let _ = std::fs::remove_file(&file);
    bytes
}

/// A file of this build alone.
fn output_file(module: &Module) -> Result<PathBuf, BuildError> {
    static BUILDS: AtomicU32 = AtomicU32::new(0);
    let cache = cache::folder().ok_or_else(|| {
        BuildError::source(module, "there is no folder for the compiler's files; set WEIR_CACHE_DIR or HOME")
    })?;
    let folder = cache.join("guests/go");
    std::fs::create_dir_all(&folder)
        .map_err(|source| BuildError::file("make the folder", &folder, source))?;
    let build = BUILDS.fetch_add(1, Ordering::Relaxed);
    Ok(folder.join(format!("{}-{build}.wasm", std::process::id())))
}

fn command(module: &Module, go: &Go, file: &Path) -> Command {
    let mut command = Command::new(&go.program);
    for name in FOREIGN_VARIABLES {
        command.env_remove(name);
    }
    command.env("GOOS", "wasip1").env("GOARCH", "wasm").env("CGO_ENABLED", "0");
    // A library of WASI is what Go calls a shared one. Nothing of this machine or of the
    // repository goes in, so that the same source gives the same bytes.
    command.args(["build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-ldflags=-s -w"]);
    command.arg("-o").arg(file).arg(".").current_dir(&module.path);
    command
}

/// What Go says where a folder is not what it should be, in this host's words.
fn explained(module: &Module, error: BuildError) -> BuildError {
    let BuildError::Compiler { output, .. } = &error else {
        return error;
    };
    if output.contains("requires exactly one main package") {
        let text = "its package is not `main`; begin its files with `package main` and give it an empty \
                    `func main() {}`";
        return BuildError::source(module, text);
    }
    error
}

/// Runs the module's start, which registers its functions: what is wrong with
/// them is found here.
fn run_start(core_module: &[u8], given: &Given) -> Result<Vec<u8>, String> {
    let output = Output::default();
    preinitialize(core_module, &START, given, |linker| start::link(linker, &output)).map_err(|error| {
        let reason = output.reason(&error);
        format!("its start fails (`init` functions and package variables):\n{reason}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_adapter_is_a_module_of_wasi() {
        let adapter = wat::parse_str(ADAPTER).unwrap();
        wasmparser::validate(&adapter).unwrap();
    }
}
