//! The build of one definition.

use std::path::{Path, PathBuf};

use wasmparser::Parser;

use crate::Module;
use crate::build::{BuildError, BuiltModule, Compiled, Progress, Timer, Told, build_module, write_component};
use crate::manifest::Function;
use crate::memory::Memory;
use crate::typescript;

/// A definition that is to be built.
pub(crate) struct Planned {
    /// Its name among the definitions.
    pub(crate) key: String,
    pub(crate) source: Source,
}

/// What it is built from.
pub(crate) enum Source {
    /// A folder with a config.
    TypeScript(typescript::Component),
    /// A module in another language.
    Folder(Module),
    /// A file that is built already, at the module's path.
    File(Module),
}

/// What the build of a definition gives.
pub(super) struct BuiltDefinition {
    /// `None`: it has neither functions nor tables.
    pub(super) module: Option<BuiltModule>,
    /// Its functions; `None`: it cannot say them before a deployment.
    pub(super) functions: Option<Vec<Function>>,
    /// The generated files that have changed.
    pub(super) generated: Vec<PathBuf>,
}

impl Planned {
    pub(crate) fn module(&self) -> &Module {
        match &self.source {
            Source::TypeScript(component) => &component.module,
            Source::Folder(module) | Source::File(module) => module,
        }
    }

    pub(crate) fn typescript(&self) -> Option<&typescript::Component> {
        match &self.source {
            Source::TypeScript(component) => Some(component),
            Source::Folder(_) | Source::File(_) => None,
        }
    }

    /// Builds it, and asks it for its functions.
    pub(super) fn build(
        &self,
        out: Option<&Path>,
        memory: &mut Memory,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<BuiltDefinition, BuildError> {
        let module = match &self.source {
            Source::TypeScript(component) => return build_typescript(component, out, memory, progress),
            // It mounts nothing.
            Source::Folder(module) => build_module(module, out, &Told::default(), memory, progress)?,
            Source::File(module) => read_module(module, out)?,
        };
        let functions = match memory.asked.functions(&module.component) {
            Ok(functions) => Some(functions),
            Err(error) => {
                let line =
                    format!("its functions are not known before a deployment, and have no types: {error:#}");
                line.lines().for_each(|line| progress(Progress::Output { module: &module.name, line }));
                None
            }
        };
        Ok(BuiltDefinition { module: Some(module), functions, generated: Vec::new() })
    }
}

fn build_typescript(
    component: &typescript::Component,
    out: Option<&Path>,
    memory: &mut Memory,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<BuiltDefinition, BuildError> {
    let (timer, before) = (Timer::start(), memory.made);
    let mut generated = component.codegen()?;
    let built = component.build(memory, progress)?;
    generated.extend(component.codegen_api(&built)?);
    let functions = built.functions.clone();
    let Some(Compiled { component: bytes, core_bytes }) = &built.compiled else {
        return Ok(BuiltDefinition { module: None, functions: Some(Vec::new()), generated });
    };
    let name = component.module.name.clone();
    let module = finished(name, bytes.clone(), *core_bytes, out, &timer)?;
    if before != memory.made {
        progress(Progress::Finished(&module));
    }
    Ok(BuiltDefinition { module: Some(module), functions, generated })
}

/// The component of a file.
fn read_module(module: &Module, out: Option<&Path>) -> Result<BuiltModule, BuildError> {
    let timer = Timer::start();
    let component = read(module)?;
    let bytes = component.len();
    finished(module.name.clone(), component, bytes, out, &timer)
}

fn finished(
    name: String,
    component: Vec<u8>,
    core_bytes: usize,
    out: Option<&Path>,
    timer: &Timer,
) -> Result<BuiltModule, BuildError> {
    let path = out.map(|out| write_component(out, &name, &component)).transpose()?;
    Ok(BuiltModule { name, component, path, core_bytes, duration: timer.time() })
}

fn read(module: &Module) -> Result<Vec<u8>, BuildError> {
    let component =
        std::fs::read(&module.path).map_err(|source| BuildError::file("read", &module.path, source))?;
    if Parser::is_component(&component) {
        return Ok(component);
    }
    let message = format!(
        "{} is no WebAssembly component; `host build` of its project makes one, or name its folder: path = \"...\"",
        module.path.display()
    );
    Err(BuildError::source(module, message))
}
