//! The build of a whole project, module by module.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use weir_value::ComponentTree;
use weir_value::component::ComponentError;

use crate::component::EncodeError;
use crate::components::{self, BuiltComponents};
use crate::memory::Memory;
use crate::project::{Instances, Language, Module, Project};
use crate::references::{self, Mount};
use crate::toolchain::ToolchainError;
use crate::typescript::Types;
use crate::{assemblyscript, go, instances, rust, sdk, typescript};

/// The file of what mounts what, beside the components that are written.
const TREE_FILE: &str = "components.json";

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

/// What a project's build gives.
#[derive(Debug, Clone)]
pub struct Built {
    /// The app's modules, and after them those of its components.
    pub modules: Vec<BuiltModule>,
    /// What mounts what, and which modules are of which component.
    pub components: ComponentTree,
    /// The folders of components whose source is the developer's, wherever they are.
    pub folders: Vec<PathBuf>,
}

/// A component, and what it took.
#[derive(Debug, Clone)]
pub struct BuiltModule {
    /// The module's name in `host.toml`; one that is made of the definition's, for one of a component.
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

/// What a module is told of what the app mounts, for its generated files.
#[derive(Default)]
pub(crate) struct Told {
    /// For one in TypeScript.
    pub(crate) types: Types,
    /// For one in another language.
    pub(crate) mounts: Vec<Mount>,
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
    /// What mounts what makes no sense. The text begins with the file that says so.
    #[error(transparent)]
    Components(#[from] ComponentError),
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

/// Builds all modules of a project and of its components, one after another, and stops at the first
/// that fails. With `out`, each component is also written to `<out>/<name>.wasm`, and what mounts what to
/// `<out>/components.json`, each whole or not at all. Blocks; `progress` is called on this thread.
///
/// # Errors
/// See [`BuildError`].
pub fn build(
    project: &Project,
    out: Option<&Path>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Built, BuildError> {
    build_again(project, out, &mut Memory::default(), progress)
}

/// Does what [`build`] does, and keeps in `memory` what the next build need not make again.
///
/// # Errors
/// See [`BuildError`].
pub fn build_again(
    project: &Project,
    out: Option<&Path>,
    memory: &mut Memory,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Built, BuildError> {
    if let Some(out) = out {
        std::fs::create_dir_all(out).map_err(|source| BuildError::file("make the folder", out, source))?;
    }
    let mut components = components::find(project, memory, progress)?;
    // What the app mounts is built first, because it says what the app's generated files hold.
    let BuiltComponents { modules: of_components, told } = components.build(out, memory, progress)?;
    let app = project.modules.iter();
    let app = app.map(|module| build_module(module, out, &told, memory, progress));
    let mut modules = app.collect::<Result<Vec<_>, _>>()?;
    modules.extend(of_components);
    if let Some(out) = out {
        write_tree(out, &components.tree)?;
    }
    let folders = components.source_folders();
    Ok(Built { modules, components: components.tree, folders })
}

/// Writes the generated files of a project's modules and components, and gives those that have changed. A component is
/// built, because the types of its functions are what they say of themselves.
///
/// # Errors
/// See [`BuildError`].
pub fn codegen(
    project: &Project,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Vec<PathBuf>, BuildError> {
    let mut memory = Memory::default();
    let components = components::find(project, &mut memory, progress)?;
    let has_references = project.modules.iter().any(|module| module.language != Language::TypeScript);
    let (of_components, told) = components.codegen(has_references, &mut memory, progress)?;
    let mut changed = Vec::new();
    for module in &project.modules {
        changed.extend(generate(module, &told)?);
    }
    changed.extend(of_components);
    Ok(changed)
}

/// Writes the generated files of a module, and gives those that have changed.
fn generate(module: &Module, told: &Told) -> Result<Vec<PathBuf>, BuildError> {
    match module.language {
        Language::TypeScript => typescript::codegen(module, &told.types),
        Language::Rust | Language::Go | Language::AssemblyScript => references::write(module, &told.mounts),
    }
}

/// How long something takes, for who waits for it.
pub(crate) struct Timer(Instant);

impl Timer {
    #[expect(clippy::disallowed_methods, reason = "a build has no `Env`")]
    pub(crate) fn start() -> Timer {
        Timer(Instant::now())
    }

    pub(crate) fn time(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Builds one module; `told` is for its generated files.
pub(crate) fn build_module(
    module: &Module,
    out: Option<&Path>,
    told: &Told,
    memory: &mut Memory,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<BuiltModule, BuildError> {
    let timer = Timer::start();
    if !module.path.is_dir() {
        return Err(BuildError::source(module, format!("there is no folder {}", module.path.display())));
    }
    sdk::ensure(module)?;
    generate(module, told)?;
    let Compiled { mut component, core_bytes } = match module.language {
        Language::Rust => rust::build(module, progress)?,
        Language::Go => go::build(module, progress)?,
        Language::AssemblyScript => assemblyscript::build(module, progress)?,
        Language::TypeScript => typescript::build(module, memory, progress)?,
    };
    if module.instances == Instances::Reused {
        instances::mark_as_reused(&mut component);
    }
    let path = out.map(|out| write_component(out, &module.name, &component)).transpose()?;
    let name = module.name.clone();
    let built = BuiltModule { name, component, path, core_bytes, duration: timer.time() };
    progress(Progress::Finished(&built));
    Ok(built)
}

/// Writes a component to `<out>/<name>.wasm`.
pub(crate) fn write_component(out: &Path, name: &str, component: &[u8]) -> Result<PathBuf, BuildError> {
    let path = out.join(format!("{name}.wasm"));
    write_file(&path, component)?;
    Ok(path)
}

/// Writes what mounts what; where nothing does, one of a build before is not left there.
fn write_tree(out: &Path, tree: &ComponentTree) -> Result<(), BuildError> {
    let path = out.join(TREE_FILE);
    if tree.is_empty() {
        return match std::fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(BuildError::file("remove", &path, source))
            }
            _ => Ok(()),
        };
    }
    let text = serde_json::to_vec_pretty(tree)
        .map_err(|error| BuildError::file("write", &path, io::Error::other(error)))?;
    write_file(&path, &text)
}

/// Writes a file so that a reader finds the old one or the new one, and never a part.
fn write_file(path: &Path, bytes: &[u8]) -> Result<(), BuildError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}", std::process::id()));
    std::fs::write(&temporary, bytes).and_then(|()| std::fs::rename(&temporary, path)).map_err(|source| {
        // What failed is told; that the remains stay too adds nothing to it.
        let _ = std::fs::remove_file(&temporary);
        BuildError::file("write", path, source)
    })
}
