//! The component around the engine: made once, and filled with each project's
//! memory.

use anyhow::{Context, ensure};
use wasm_encoder::reencode::{Error, Reencode, ReencodeComponent, component_utils};
use wasm_encoder::{Component, ComponentSectionId, InstanceSection, ModuleArg, RawSection};
use wasmparser::{CustomSectionReader, Parser};

use super::split::MEMORY_MODULE;
use crate::snapshots::section::sections;

/// `shell`, a component whose first core module has a memory of its own, with
/// `code` in that module's place, and with the memory of `memory`.
pub(crate) fn fill(shell: &[u8], code: &[u8], memory: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut filling = Filling { code, memory, modules: 0, depth: 0 };
    let mut component = Component::new();
    filling
        .parse_component(&mut component, Parser::new(0), shell)
        .map_err(|error| anyhow::anyhow!("{error}"))
        .context("the engine's component cannot be filled")?;
    ensure!(filling.modules > 0, "the engine's component has no core module");
    Ok(component.finish())
}

/// The engine's code in a component that was filled.
///
/// # Errors
/// It is none.
pub(crate) fn code(component: &[u8]) -> anyhow::Result<&[u8]> {
    let modules = sections(component)?.into_iter().filter(|section| section.id == CORE_MODULE);
    modules.map(|section| section.data).nth(CODE as usize).context("it has no engine of JavaScript")
}

/// A component that was filled, with another memory.
///
/// # Errors
/// It was not filled.
pub(crate) fn refill(component: &[u8], memory: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut refilled = Component::new();
    let mut modules = 0;
    for section in sections(component)? {
        let is_memory = section.id == CORE_MODULE && modules == 0;
        modules += u32::from(section.id == CORE_MODULE);
        let data = if is_memory { memory } else { section.data };
        refilled.section(&RawSection { id: section.id, data });
    }
    ensure!(modules > CODE, "it has no engine of JavaScript");
    Ok(refilled.finish())
}

const CORE_MODULE: u8 = ComponentSectionId::CoreModule as u8;

/// Writes a component again, with one core module and one core instance more,
/// which come before all others.
struct Filling<'a> {
    code: &'a [u8],
    memory: &'a [u8],
    /// How many of the old core modules were written.
    modules: u32,
    depth: u32,
}

/// The number of the engine's code among the new core modules.
const CODE: u32 = 1;
/// The number of the memory's instance among the new core instances.
const MEMORY_INSTANCE: u32 = 0;

impl Reencode for Filling<'_> {
    type Error = std::convert::Infallible;
}

impl ReencodeComponent for Filling<'_> {
    fn module_index(&mut self, module: u32) -> u32 {
        if self.depth == 0 { module + 1 } else { module }
    }

    fn instance_index(&mut self, instance: u32) -> u32 {
        if self.depth == 0 { instance + 1 } else { instance }
    }

    fn push_depth(&mut self) {
        self.depth += 1;
    }

    fn pop_depth(&mut self) {
        self.depth -= 1;
    }

    fn parse_component_submodule(
        &mut self,
        component: &mut Component,
        _parser: Parser,
        module: &[u8],
    ) -> Result<(), Error<Self::Error>> {
        let mut write = |module| {
            component.section(&RawSection { id: ComponentSectionId::CoreModule as u8, data: module });
        };
        if self.modules == 0 && self.depth == 0 {
            write(self.memory);
            write(self.code);
            let mut instances = InstanceSection::new();
            instances.instantiate(0, std::iter::empty::<(&str, ModuleArg)>());
            component.section(&instances);
        } else {
            write(module);
        }
        self.modules += 1;
        Ok(())
    }

    fn parse_component_custom_section(
        &mut self,
        component: &mut Component,
        section: CustomSectionReader<'_>,
    ) -> Result<(), Error<Self::Error>> {
        match section.name() {
            // For who takes a component apart; every project would carry them.
            "component-name" => Ok(()),
            _ => component_utils::parse_component_custom_section(self, component, section),
        }
    }

    fn parse_instance(
        &mut self,
        instances: &mut InstanceSection,
        instance: wasmparser::Instance<'_>,
    ) -> Result<(), Error<Self::Error>> {
        match instance {
            wasmparser::Instance::Instantiate { module_index, args }
                if self.module_index(module_index) == CODE =>
            {
                let mut all: Vec<_> = args
                    .iter()
                    .map(|arg| (arg.name, ModuleArg::Instance(self.instance_index(arg.index))))
                    .collect();
                all.push((MEMORY_MODULE, ModuleArg::Instance(MEMORY_INSTANCE)));
                instances.instantiate(CODE, all);
                Ok(())
            }
            instance => component_utils::parse_instance(self, instances, instance),
        }
    }
}
