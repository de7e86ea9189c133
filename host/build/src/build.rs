//! The build of a whole project, module by module.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::component::EncodeError;
use crate::project::{Language, Module, Project};
use crate::toolchain::ToolchainError;
use crate::{assemblyscript, go, rust, sdk, typescript};

/// What a build is doing, for people to read; its `Display` is one line without
/// the line's end.
#[derive(Debug)]
pub enum Progress<'a> {
    /// A module's build begins, with this toolchain.
    Started {
        /// The module's name.
        module: &'a str,
        /// The toolchain, as people call it.
        toolchain: &'a str,
    },
    /// A line that the module's compiler wrote, as it wrote it.
    Output {
        /// The module's name.
        module: &'a str,
        /// The line; with terminal colours if standard error is a terminal.
        line: &'a str,
    },
    /// A module's component is ready.
    Finished(&'a BuiltModule),
}

impl fmt::Display for Progress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Progress::Started { module, toolchain } => write!(f, "building {module} with {toolchain}"),
            Progress::Output { line, .. } => f.write_str(line),
            Progress::Finished(built) => {
                let kib = built.component.len().div_ceil(1024);
                write!(f, "built {}: {kib} KiB in {:.1} s", built.name, built.duration.as_secs_f64())
            }
        }
    }
}

/// A component, and what it took.
#[derive(Debug, Clone)]
pub struct BuiltModule {
    /// The module's name in `host.toml`.
    pub name: String,
    /// The component's bytes.
    pub component: Vec<u8>,
    /// Where it was written: `<out>/<name>.wasm`, when a folder was given.
    pub path: Option<PathBuf>,
    /// The size of the core module that the compiler gave, in bytes.
    pub core_bytes: usize,
    /// How long it took, all in all.
    pub duration: Duration,
}

/// What a language's part of this room makes of a module.
pub(crate) struct Compiled {
    /// The component, of Weir's world.
    pub(crate) component: Vec<u8>,
    /// The size of the core module that the compiler gave, in bytes.
    pub(crate) core_bytes: usize,
}

/// Why a project could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// No compiler for a module's language; the text says what to install.
    #[error("cannot build module `{module}`: {error}")]
    Toolchain {
        /// The module's name.
        module: String,
        /// What was looked for, and how to install it.
        error: ToolchainError,
    },
    /// The module's folder is not what its language wants.
    #[error("cannot build module `{module}`: {message}")]
    Source {
        /// The module's name.
        module: String,
        /// What is wrong and what to do.
        message: String,
    },
    /// The compiler refused the source. What it wrote went out as progress.
    #[error("module `{module}` does not compile: {command} ended with {status}")]
    Compiler {
        /// The module's name.
        module: String,
        /// The compiler's name.
        command: String,
        /// How it ended.
        status: String,
        /// What it wrote, all lines.
        output: String,
    },
    /// What the compiler gave is not a guest of Weir.
    #[error("module `{module}` compiles, but is not a Weir guest: {error}")]
    Encode {
        /// The module's name.
        module: String,
        /// What the module lacks or has too much of.
        error: EncodeError,
    },
    /// A file or folder could not be read or written, or a program not run.
    #[error("cannot {what} {path}: {source}", path = path.display())]
    File {
        /// What was to be done.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl BuildError {
    /// What is wrong with a module's folder.
    pub(crate) fn source(module: &Module, message: impl Into<String>) -> Self {
        Self::Source { module: module.name.clone(), message: message.into() }
    }

    pub(crate) fn encode(module: &Module, error: EncodeError) -> Self {
        Self::Encode { module: module.name.clone(), error }
    }

    pub(crate) fn file(what: &'static str, path: &Path, source: io::Error) -> Self {
        Self::File { what, path: path.to_path_buf(), source }
    }
}

/// Builds all modules of a project, one after another, and stops at the first
/// that fails. With `out`, each component is also written to `<out>/<name>.wasm`,
/// whole or not at all. Blocks; `progress` is called on this thread.
///
/// # Errors
/// See [`BuildError`].
pub fn build(
    project: &Project,
    out: Option<&Path>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Vec<BuiltModule>, BuildError> {
    if let Some(out) = out {
        std::fs::create_dir_all(out).map_err(|source| BuildError::file("make the folder", out, source))?;
    }
    project.modules.iter().map(|module| build_module(module, out, progress)).collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a build took, for who waits for it; a build has no `Env`"
)]
fn build_module(
    module: &Module,
    out: Option<&Path>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<BuiltModule, BuildError> {
    let start = Instant::now();
    if !module.path.is_dir() {
        return Err(BuildError::source(module, format!("there is no folder {}", module.path.display())));
    }
    sdk::ensure(module)?;
    let Compiled { component, core_bytes } = match module.language {
        Language::Rust => rust::build(module, progress)?,
        Language::Go => go::build(module, progress)?,
        Language::AssemblyScript => assemblyscript::build(module, progress)?,
        Language::TypeScript => typescript::build(module, progress)?,
    };
    let path = out.map(|out| write_component(out, &module.name, &component)).transpose()?;
    let built =
        BuiltModule { name: module.name.clone(), component, path, core_bytes, duration: start.elapsed() };
    progress(Progress::Finished(&built));
    Ok(built)
}

/// Writes a component so that a reader finds the old one or the new one, and
/// never a part.
fn write_component(out: &Path, name: &str, component: &[u8]) -> Result<PathBuf, BuildError> {
    let path = out.join(format!("{name}.wasm"));
    let temporary = out.join(format!(".{name}.wasm.{}", std::process::id()));
    std::fs::write(&temporary, component).and_then(|()| std::fs::rename(&temporary, &path)).map_err(
        |source| {
            // What failed is told; that the remains stay too adds nothing to it.
            let _ = std::fs::remove_file(&temporary);
            BuildError::file("write", &path, source)
        },
    )?;
    Ok(path)
}
