//! What a component puts into its memory at the start, taken out of it.
//!
//! That is done with components that have one memory and say plainly what is in it, as those of all our languages do.
//! Any other keeps its data, and wasmtime copies it into each instance.
use wasm_encoder::{Component, DataSection, Module, RawSection, SectionId};
use wasmparser::{
    BinaryReader, ComponentAlias, ComponentExternalKind, ComponentImport, ComponentOuterAliasKind,
    ComponentTypeRef, Data as Segment, DataKind, Import, Instance, MemoryType, Operator, TypeRef,
};

use super::image::page_bytes;
use crate::sections::{
    ALIAS_SECTION, COMPONENT_SECTION, CORE_INSTANCE_SECTION, CORE_MODULE_SECTION, IMPORT_SECTION, items,
    sections,
};

/// What is in a component's memory at the start.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Data {
    /// The memory's size, in bytes.
    pub(crate) size: usize,
    /// Where the first page is that is not zeros.
    pub(crate) start: usize,
    /// What is there.
    pub(crate) bytes: Vec<u8>,
}

/// The data of a component's one memory, of at most `size_max` bytes. `None`: it keeps what it has.
pub(crate) fn find(component: &[u8], size_max: usize) -> Option<Data> {
    let module = module_with_memory(component)?;
    let size = usize::try_from(module.memory.initial.checked_mul(WASM_PAGE_BYTES)?).ok()?;
    if size > size_max {
        return None;
    }
    let segments = active_segments(module.wasm, size)?;
    let start = segments.iter().map(|(start, _)| *start).min().unwrap_or(0);
    let end = segments.iter().map(|(start, bytes)| start + bytes.len()).max().unwrap_or(0);
    let start = start - start % page_bytes();
    let mut bytes = vec![0; end - start];
    for (at, segment) in segments {
        bytes[at - start..at - start + segment.len()].copy_from_slice(segment);
    }
    Some(Data { size, start, bytes })
}

/// The component without the data that [`find`] gives.
pub(crate) fn take_out(component: &[u8]) -> Option<Vec<u8>> {
    let module = module_with_memory(component)?;
    let mut rest = Component::new();
    for section in sections(component) {
        match section? {
            (CORE_MODULE_SECTION, wasm) if wasm == module.wasm => {
                rest.section(&RawSection { id: CORE_MODULE_SECTION, data: &without_data(wasm)? });
            }
            (id, data) => {
                rest.section(&RawSection { id, data });
            }
        }
    }
    Some(rest.finish())
}

const WASM_PAGE_BYTES: u64 = 65_536;
/// How deep components are looked at that stand in each other: what somebody sends can nest them a million times.
const NESTING_MAX: usize = 16;

const MODULE_IMPORT_SECTION: u8 = SectionId::Import as u8;
const MEMORY_SECTION: u8 = SectionId::Memory as u8;
const DATA_COUNT_SECTION: u8 = SectionId::DataCount as u8;
const DATA_SECTION: u8 = SectionId::Data as u8;

struct ModuleWithMemory<'a> {
    wasm: &'a [u8],
    memory: MemoryType,
}

/// The only core module that has a memory of its own, if it is instantiated exactly once, and if no other instance
/// can have a memory that is not known here.
fn module_with_memory(component: &[u8]) -> Option<ModuleWithMemory<'_>> {
    let mut found = None;
    let mut modules = 0;
    let mut instantiated = Vec::new();
    for section in sections(component) {
        match section? {
            (CORE_MODULE_SECTION, wasm) => {
                let memory = own_memory(wasm).ok()?;
                if let Some(memory) = memory
                    && found.replace((modules, ModuleWithMemory { wasm, memory })).is_some()
                {
                    return None;
                }
                modules += 1;
            }
            (CORE_INSTANCE_SECTION, data) => {
                for instance in items::<Instance<'_>>(data)? {
                    if let Instance::Instantiate { module_index, .. } = instance {
                        instantiated.push(module_index);
                    }
                }
            }
            (COMPONENT_SECTION, nested) if has_modules(nested, NESTING_MAX) => return None,
            (ALIAS_SECTION, data) if items(data)?.iter().any(names_module) => return None,
            (IMPORT_SECTION, data) if items(data)?.iter().any(is_module) => return None,
            _ => {}
        }
    }
    let (number, module) = found?;
    (instantiated.iter().filter(|&&index| index == number).count() == 1).then_some(module)
}

/// Whether there are modules in the component or in those within it, or may be, deeper than is looked.
fn has_modules(component: &[u8], nesting_max: usize) -> bool {
    sections(component).any(|section| match section {
        Some((COMPONENT_SECTION, nested)) => nesting_max == 0 || has_modules(nested, nesting_max - 1),
        Some((number, _)) => number == CORE_MODULE_SECTION,
        None => true,
    })
}

fn names_module(alias: &ComponentAlias<'_>) -> bool {
    matches!(
        alias,
        ComponentAlias::InstanceExport { kind: ComponentExternalKind::Module, .. }
            | ComponentAlias::Outer { kind: ComponentOuterAliasKind::CoreModule, .. }
    )
}

fn is_module(import: &ComponentImport<'_>) -> bool {
    matches!(import.ty, ComponentTypeRef::Module(_))
}

/// Something that is not done here.
struct Unusual;

/// The memory that a module has for itself, if it has one.
fn own_memory(module: &[u8]) -> Result<Option<MemoryType>, Unusual> {
    let mut own = Vec::new();
    let mut imports_memory = false;
    for section in sections(module) {
        match section.ok_or(Unusual)? {
            (MODULE_IMPORT_SECTION, data) => {
                let imports =
                    wasmparser::ImportSectionReader::new(BinaryReader::new(data, 0)).map_err(|_| Unusual)?;
                for import in imports.into_imports() {
                    let Import { ty, .. } = import.map_err(|_| Unusual)?;
                    imports_memory |= matches!(ty, TypeRef::Memory(_));
                }
            }
            (MEMORY_SECTION, data) => own = items::<MemoryType>(data).ok_or(Unusual)?,
            _ => {}
        }
    }
    match own[..] {
        [] => Ok(None),
        [memory] if !imports_memory && is_usual(&memory) => Ok(Some(memory)),
        _ => Err(Unusual),
    }
}

fn is_usual(memory: &MemoryType) -> bool {
    !memory.memory64 && !memory.shared && memory.page_size_log2.is_none()
}

/// What a module puts into its memory of `size` bytes, in order: addresses and bytes.
fn active_segments(module: &[u8], size: usize) -> Option<Vec<(usize, &[u8])>> {
    let mut active = Vec::new();
    for section in sections(module) {
        let (DATA_SECTION, data) = section? else { continue };
        for segment in items::<Segment<'_>>(data)? {
            let DataKind::Active { memory_index, offset_expr } = segment.kind else { continue };
            let mut operators = offset_expr.get_operators_reader();
            let Operator::I32Const { value } = operators.read().ok()? else { return None };
            let is_constant = matches!(operators.read(), Ok(Operator::End));
            let start = value as u32 as usize;
            // One that does not fit is a trap at the start; let it be one.
            if memory_index != 0 || !is_constant || start + segment.data.len() > size {
                return None;
            }
            active.push((start, segment.data));
        }
    }
    Some(active)
}

/// A module without what it puts into its memory. Code may name a segment by its number: then the number stays, and
/// the segment is an empty one, as an instance finds it after its start.
fn without_data(module: &[u8]) -> Option<Vec<u8>> {
    let mut rest = Module::new();
    let mut is_named = false;
    for section in sections(module) {
        match section? {
            (DATA_SECTION, _) if !is_named => {}
            (DATA_SECTION, data) => {
                let mut segments = DataSection::new();
                for segment in items::<Segment<'_>>(data)? {
                    segments.passive(match segment.kind {
                        DataKind::Passive => segment.data.iter().copied(),
                        DataKind::Active { .. } => [].iter().copied(),
                    });
                }
                rest.section(&segments);
            }
            (id, data) => {
                is_named |= id == DATA_COUNT_SECTION;
                rest.section(&RawSection { id, data });
            }
        }
    }
    Some(rest.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE_MAX: usize = 1 << 20;

    fn component(text: &str) -> Vec<u8> {
        wat::parse_str(format!("(component {text})")).unwrap()
    }

    fn found(text: &str) -> Option<Data> {
        let component = component(text);
        let data = find(&component, SIZE_MAX);
        if let Some(data) = &data {
            let rest = take_out(&component).unwrap();
            wasmparser::validate(&rest).unwrap();
            let again = find(&rest, SIZE_MAX).unwrap();
            assert_eq!((again.size, again.bytes.len()), (data.size, 0));
        }
        data
    }

    #[test]
    fn segments_become_one_piece() {
        let page = page_bytes();
        let text = format!(
            r#"(core module $m (memory (export "memory") 16)
                (data (i32.const {}) "abc") (data (i32.const {}) "x") (data (i32.const {}) "yz"))
            (core instance (instantiate $m))"#,
            page + 10,
            page + 11,
            3 * page
        );
        let data = found(&text).unwrap();
        assert_eq!((data.size, data.start, data.bytes.len()), (16 << 16, page, 2 * page + 2));
        assert_eq!(&data.bytes[9..14], b"\0axc\0");
        assert_eq!(&data.bytes[2 * page..], b"yz");
    }

    #[test]
    fn components_that_nest_without_end_are_not_followed() {
        let mut nested = wat::parse_str("(component)").unwrap();
        for _ in 0..20_000 {
            let mut outer = Component::new();
            outer.section(&RawSection { id: COMPONENT_SECTION, data: &nested });
            nested = outer.finish();
        }
        assert_eq!(find(&nested, SIZE_MAX), None);
        assert!(has_modules(&nested, NESTING_MAX));
    }

    #[test]
    fn segments_that_code_names_keep_their_numbers() {
        let text = r#"(core module $m (memory (export "memory") 1)
                (data (i32.const 5) "active") (data $passive "passive")
                (func (export "f") (memory.init $passive (i32.const 0) (i32.const 0) (i32.const 7)) (data.drop 0)))
            (core instance (instantiate $m))"#;
        assert_eq!(found(text).unwrap().bytes, b"\0\0\0\0\0active");
        let rest = take_out(&component(text)).unwrap();
        assert!(rest.windows(7).any(|bytes| bytes == b"passive"));
        assert!(!rest.windows(6).any(|bytes| bytes == b"active"));
    }

    #[test]
    fn a_memory_without_data_is_zeros() {
        let text = r#"(core module $m (memory (export "memory") 2)) (core instance (instantiate $m))"#;
        assert_eq!(found(text), Some(Data { size: 2 << 16, start: 0, bytes: Vec::new() }));
    }

    #[test]
    fn what_is_unusual_keeps_its_data() {
        let memory = r#"(core module $m (memory (export "memory") 1) (data (i32.const 0) "a"))"#;
        let cases = [
            ("nothing has a memory", "(core module $m) (core instance (instantiate $m))".to_owned()),
            ("no instance", memory.to_owned()),
            ("two instances", format!("{memory} (core instance (instantiate $m)) (core instance (instantiate $m))")),
            (
                "two modules",
                format!("{memory} (core module (memory 1)) (core instance (instantiate $m))"),
            ),
            (
                "a nested component",
                format!("{memory} (core instance (instantiate $m)) (component (core module))"),
            ),
            (
                "an imported module",
                format!(r#"(import "i" (core module)) {memory} (core instance (instantiate $m))"#),
            ),
            (
                "out of bounds",
                r#"(core module $m (memory 1) (data (i32.const 65535) "ab")) (core instance (instantiate $m))"#
                    .to_owned(),
            ),
            (
                "a computed place",
                r#"(core module $m (memory 1) (global i32 (i32.const 1)) (data (global.get 0) "ab"))
                (core instance (instantiate $m))"#
                    .to_owned(),
            ),
            (
                "64 bits",
                r#"(core module $m (memory i64 1) (data (i64.const 0) "a")) (core instance (instantiate $m))"#
                    .to_owned(),
            ),
            ("too large", "(core module $m (memory 17)) (core instance (instantiate $m))".to_owned()),
        ];
        for (what, text) in cases {
            assert_eq!(found(&text), None, "{what}");
        }
        assert_eq!(find(b"no component", SIZE_MAX), None);
    }
}
