//! Rust guests: Cargo makes the core module.

use std::env;
use std::io::{self, BufRead, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::build::{BuildError, Compiled, Progress};
use crate::cache;
use crate::claim;
use crate::component;
use crate::process;
use crate::project::Module;
use crate::toolchain::{RUST_TARGET, RustToolchain};

/// What Cargo would take from the environment that is meant for another build:
/// that of the host itself, when the host is run by Cargo.
const FOREIGN_VARIABLES: [&str; 10] = [
    "CARGO",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_MAKEFLAGS",
    "CARGO_MANIFEST_DIR",
    "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS",
    "MAKEFLAGS",
    "RUSTC",
];

/// How all guests are compiled, whatever their `Cargo.toml` says of releases:
/// as one unit, without unwinding, which WebAssembly lacks here, and with names
/// for the traces of traps. A level of 3 gained nothing over 2 when measured;
/// `s` made modules a quarter smaller, and calls that read much JSON slower.
const PROFILE: [(&str, &str); 5] = [
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1"),
    ("CARGO_PROFILE_RELEASE_LTO", "fat"),
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "2"),
    ("CARGO_PROFILE_RELEASE_PANIC", "abort"),
    ("CARGO_PROFILE_RELEASE_STRIP", "debuginfo"),
];

/// The lines of Cargo's `--message-format=json` that matter.
#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    manifest_path: PathBuf,
    #[serde(default)]
    filenames: Vec<PathBuf>,
    /// Whether Cargo found nothing to do.
    #[serde(default)]
    fresh: bool,
}

/// Builds a module with the toolchain that is there.
pub(crate) fn build(module: &Module, progress: &mut dyn FnMut(Progress<'_>)) -> Result<Compiled, BuildError> {
    let toolchain = RustToolchain::find(&module.path)
        .map_err(|error| BuildError::Toolchain { module: module.name.clone(), error })?;
    progress(Progress::Started { module: &module.name, toolchain: &toolchain.to_string() });
    let core_module = compile(module, &toolchain, progress)?;
    let component = component::encode(&core_module).map_err(|error| BuildError::encode(module, error))?;
    Ok(Compiled { component, core_bytes: core_module.len() })
}

/// Compiles a module and gives the core module's bytes.
fn compile(
    module: &Module,
    toolchain: &RustToolchain,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Vec<u8>, BuildError> {
    let manifest = module.path.join("Cargo.toml");
    if !manifest.exists() {
        return Err(BuildError::source(module, format!("there is no {}", manifest.display())));
    }
    let manifest = manifest.canonicalize().map_err(|source| BuildError::file("find", &manifest, source))?;
    let target = target_folder(module, toolchain)?;
    let _lock = claim::lock(&target).map_err(|source| BuildError::file("lock", &target, source))?;
    let mut build = || run(module, toolchain, &manifest, &target, &mut *progress);
    let mut built = build()?;
    if built.fresh && !claim::is_held(&built.file, &manifest) {
        claim::discard(&built.file);
        built = build()?;
    }
    claim::take(&built.file, &manifest).map_err(|source| BuildError::file("write", &built.file, source))?;
    std::fs::read(&built.file).map_err(|source| BuildError::file("read", &built.file, source))
}

/// Runs Cargo once.
fn run(
    module: &Module,
    toolchain: &RustToolchain,
    manifest: &Path,
    target: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Artifact, BuildError> {
    let mut command = cargo(module, toolchain, manifest, target);
    let messages = process::run(module, &mut command, progress)?;
    find_artifact(&messages, manifest).ok_or_else(|| {
        let text =
            "it is not a library for a host; add this to its Cargo.toml:\n\n[lib]\ncrate-type = [\"cdylib\"]\n";
        BuildError::source(module, text.to_owned())
    })
}

/// The folder that all guests of a toolchain are compiled in, because what they depend on is the same.
fn target_folder(module: &Module, toolchain: &RustToolchain) -> Result<PathBuf, BuildError> {
    let cache = cache::folder().ok_or_else(|| {
        BuildError::source(
            module,
            "there is no folder for the compiler's files; set WEIR_CACHE_DIR or HOME".to_owned(),
        )
    })?;
    Ok(cache.join("guests").join(toolchain.folder_name()))
}

fn cargo(module: &Module, toolchain: &RustToolchain, manifest: &Path, target: &Path) -> Command {
    let mut rustflags = remapped_paths();
    let mut command = match toolchain {
        RustToolchain::Rustup => Command::new("cargo"),
        RustToolchain::Debian { .. } => Command::new("/usr/bin/cargo"),
    };
    for name in FOREIGN_VARIABLES {
        command.env_remove(name);
    }
    command.args(["build", "--release", "--lib", "--target", RUST_TARGET]);
    command.arg("--message-format=json-render-diagnostics");
    command.args(["--color", if io::stderr().is_terminal() { "always" } else { "never" }]);
    command.arg("--manifest-path").arg(manifest);
    if let RustToolchain::Debian { linker } = toolchain {
        command.arg("-Zbuild-std=std,panic_abort");
        command.env("RUSTC_BOOTSTRAP", "1").env("RUSTC", "/usr/bin/rustc");
        command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
        rustflags.push("-Clinker-flavor=wasm-ld".to_owned());
    }
    // Separated by a character that no path holds, unlike `RUSTFLAGS`.
    command.env("CARGO_ENCODED_RUSTFLAGS", rustflags.join("\x1f")).env_remove("RUSTFLAGS");
    command.env("CARGO_TARGET_DIR", target);
    command.envs(PROFILE).current_dir(&module.path);
    command
}

/// Keeps the folder of downloaded packages out of panics' messages, where it
/// says who built the guest and where.
fn remapped_paths() -> Vec<String> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo")));
    home.map(|home| format!("--remap-path-prefix={}=", home.join("registry/src").display()))
        .into_iter()
        .collect()
}

/// The WebAssembly file of a package.
#[derive(Debug, PartialEq)]
struct Artifact {
    file: PathBuf,
    fresh: bool,
}

/// The WebAssembly file that belongs to this package.
fn find_artifact(messages: &[u8], manifest: &Path) -> Option<Artifact> {
    messages
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| serde_json::from_str::<Message>(&line).ok())
        .filter(|message| message.reason == "compiler-artifact" && message.manifest_path == manifest)
        .flat_map(|Message { filenames, fresh, .. }| {
            filenames.into_iter().map(move |file| Artifact { file, fresh })
        })
        .find(|artifact| artifact.file.extension().is_some_and(|extension| extension == "wasm"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_artifact_is_that_of_the_package() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","manifest_path":"/dep/Cargo.toml","filenames":["/t/dep.wasm"]}"#,
            "\n",
            r#"{"reason":"compiler-artifact","manifest_path":"/a/Cargo.toml","fresh":true,"filenames":["/t/a.rlib","/t/a.wasm"]}"#,
            "\nnot json\n",
            r#"{"reason":"build-finished","success":true}"#,
            "\n",
        );
        let find = |manifest: &str| find_artifact(messages.as_bytes(), Path::new(manifest));
        assert_eq!(find("/a/Cargo.toml"), Some(Artifact { file: PathBuf::from("/t/a.wasm"), fresh: true }));
        assert_eq!(find("/b/Cargo.toml"), None);
    }

    #[test]
    fn the_outer_build_does_not_reach_the_guests() {
        let module = Module::new("a", crate::Language::Rust, "/a");
        let toolchain = RustToolchain::Debian { linker: PathBuf::from("/usr/bin/wasm-ld-19") };
        let target = target_folder(&module, &toolchain).unwrap();
        let command = cargo(&module, &toolchain, Path::new("/a/Cargo.toml"), &target);
        let variable = |name: &str| command.get_envs().find(|(key, _)| *key == name).map(|(_, value)| value);
        for name in ["RUSTFLAGS", "CARGO_BUILD_TARGET_DIR", "CARGO_MAKEFLAGS"] {
            assert_eq!(variable(name), Some(None), "{name} is inherited");
        }
        let target = variable("CARGO_TARGET_DIR").flatten().unwrap();
        assert!(Path::new(target).ends_with("guests/debian"), "{target:?}");
        assert!(variable("CARGO_ENCODED_RUSTFLAGS").flatten().unwrap().to_str().unwrap().contains("wasm-ld"));
    }
}
