//! The build of one definition.

use std::path::Path;

use wasmparser::Parser;

use crate::Module;
use crate::build::{BuildError, BuiltModule, Compiled, Progress, Timer, build_module, write_component};
use crate::memory::Memory;
use crate::typescript::{self, Types};

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

    /// Builds it; `None` if it has neither functions nor tables.
    pub(super) fn build(
        &self,
        out: Option<&Path>,
        memory: &mut Memory,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Option<BuiltModule>, BuildError> {
        let (timer, before) = (Timer::start(), memory.made);
        let name = self.module().name.clone();
        let (component, core_bytes) = match &self.source {
            Source::Folder(module) => {
                return build_module(module, out, &Types::default(), memory, progress).map(Some);
            }
            Source::TypeScript(component) => {
                component.codegen()?;
                let built = component.build(memory, progress)?;
                component.codegen_api(&built)?;
                let Some(Compiled { component, core_bytes }) = &built.compiled else { return Ok(None) };
                (component.clone(), *core_bytes)
            }
            Source::File(module) => {
                let component = read(module)?;
                let bytes = component.len();
                (component, bytes)
            }
        };
        let path = out.map(|out| write_component(out, &name, &component)).transpose()?;
        let built = BuiltModule { name, component, path, core_bytes, duration: timer.time() };
        if before != memory.made {
            progress(Progress::Finished(&built));
        }
        Ok(Some(built))
    }
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
