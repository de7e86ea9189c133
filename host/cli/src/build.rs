//! `host build`: a project's modules become components. Also what `dev` and
//! `deploy` build with.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use weir_build::{Built, BuiltModule, Language, Memory, Progress, Project};
use weir_server::deploy::{Module, NewDeployment};

use crate::arguments::{Build, Codegen};
use crate::output::print_line;

/// Where components go when nothing else is said, in the project's folder.
const OUT_DIR: &str = "out";

/// Builds, and prints each component's path.
pub fn build(arguments: &Build) -> anyhow::Result<()> {
    let project = load(&arguments.project.project)?;
    let out = arguments.out.clone().unwrap_or_else(|| project.root.join(OUT_DIR));
    for module in compile(&project, Some(&out))?.modules {
        if let Some(path) = &module.path {
            print_line(&path.display().to_string())?;
        }
    }
    Ok(())
}

/// Writes the generated files of a project's modules and components, and prints those that have changed.
pub fn codegen(arguments: &Codegen) -> anyhow::Result<()> {
    let project = load(&arguments.project.project)?;
    let is_typescript = |module: &weir_build::Module| module.language == Language::TypeScript;
    if project.components.is_empty() && !project.modules.iter().any(is_typescript) {
        bail!(
            "this project has nothing to generate: it has no module in TypeScript, and its host.toml mounts no component"
        );
    }
    for path in weir_build::codegen(&project, &mut show)? {
        print_line(&path.display().to_string())?;
    }
    Ok(())
}

/// Reads a project. Paths in it are absolute.
pub fn load(folder: &Path) -> anyhow::Result<Project> {
    let folder = std::path::absolute(folder)
        .with_context(|| format!("cannot find the folder {}", folder.display()))?;
    Ok(Project::load(&folder)?)
}

/// Where a developer's machine keeps compiled code: one place for all projects, so that what they share, as the
/// JavaScript engine, is compiled once.
pub fn compiled_folder() -> Option<PathBuf> {
    weir_build::cache_folder().map(|cache| cache.join("compiled"))
}

/// Builds a project's modules and components; the compiler's messages go to standard error.
/// Blocks.
pub fn compile(project: &Project, out: Option<&Path>) -> anyhow::Result<Built> {
    Ok(weir_build::build(project, out, &mut show)?)
}

fn show(progress: Progress<'_>) {
    eprintln!("{progress}");
}

/// What there is to deploy, and what else a build has found.
pub struct Deployable {
    /// Its modules and components, and what `host.toml` says of them.
    pub deployment: NewDeployment,
    /// The folders of its components.
    pub folders: Vec<PathBuf>,
}

/// Builds a project, and gives what there is to deploy: its modules and components, and the identity providers of its
/// `host.toml`. `memory` is that of the builds before. Blocks.
///
/// # Errors
/// The build, or a key set of a provider that cannot be read.
pub fn deployment(project: &Project, memory: &mut Memory) -> anyhow::Result<Deployable> {
    // Before the build, which takes longer.
    let auth = weir_build::auth_config(&project.auth)?;
    let Built { modules: built, components, folders } =
        weir_build::build_again(project, None, memory, &mut show)?;
    // A server that is older than providers takes a project without any.
    let auth = (!project.auth.is_empty()).then_some(auth);
    let outbound = project.outbound.clone();
    Ok(Deployable {
        deployment: NewDeployment { modules: modules(built), auth, outbound, components },
        folders,
    })
}

/// What was built, ready to deploy.
pub fn modules(built: Vec<BuiltModule>) -> Vec<Module> {
    let module = |built: BuiltModule| Module { name: built.name, component: built.component.into() };
    built.into_iter().map(module).collect()
}
