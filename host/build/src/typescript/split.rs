//! A core module in two: its code, the same for every project, and its memory.
//!
//! The code imports the memory, as if it were another module's, and exports its
//! mutable globals, so that whoever runs it can see whether they have changed.
//! The memory is a module of its own: nothing but one memory and what is in it.

use anyhow::{Context, bail, ensure};
use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{
    ConstExpr, DataSection, EntityType, ExportKind, ExportSection, ImportSection, MemorySection, MemoryType,
    Module, RawSection, SectionId,
};
use wasmparser::{Parser, Payload};

/// The import by which the code gets its memory: of this module, by [`MEMORY_NAME`].
pub(crate) const MEMORY_MODULE: &str = "weir:memory";
/// The memory's name in its own module, and in the code's exports.
pub(crate) const MEMORY_NAME: &str = "memory";
/// The names of the exported globals begin so; a number follows.
pub(crate) const GLOBAL_PREFIX: &str = "weir:global:";

/// Bytes of zeros that are worth a new segment.
const GAP_BYTES_MIN: usize = 64;

/// The code of `module`, which has one memory of its own; the memory is imported.
pub(crate) fn code(module: &[u8]) -> anyhow::Result<Vec<u8>> {
    let memory = memory_type(module)?;
    let mut code = Module::new();
    let mut has_imports = false;
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload?;
        // The memory's import stands behind the others, so that no function's number changes.
        let passed_imports = matches!(
            payload.as_section(),
            Some((id, _)) if id > SectionId::Import as u8 && id != SectionId::Custom as u8
        );
        if passed_imports && !has_imports {
            code.section(&import_memory(ImportSection::new(), memory));
            has_imports = true;
        }
        match payload {
            Payload::ImportSection(section) => {
                let mut imports = ImportSection::new();
                RoundtripReencoder.parse_import_section(&mut imports, section)?;
                code.section(&import_memory(imports, memory));
                has_imports = true;
            }
            Payload::ExportSection(section) => {
                let mut exports = ExportSection::new();
                RoundtripReencoder.parse_export_section(&mut exports, section)?;
                for global in mutable_globals(module)? {
                    exports.export(&format!("{GLOBAL_PREFIX}{global}"), ExportKind::Global, global);
                }
                code.section(&exports);
            }
            Payload::MemorySection(_) | Payload::DataSection(_) | Payload::DataCountSection { .. } => {}
            Payload::CustomSection(_) => {}
            payload => copy(&mut code, &payload, module),
        }
    }
    Ok(code.finish())
}

/// `module` without what is in its memory.
pub(crate) fn without_data(module: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut rest = Module::new();
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::DataSection(_) | Payload::DataCountSection { .. } | Payload::CustomSection(_) => {}
            payload => copy(&mut rest, &payload, module),
        }
    }
    Ok(rest.finish())
}

/// The memory of `module`, with what its segments put there.
pub(crate) fn initial_memory(module: &[u8]) -> anyhow::Result<Vec<u8>> {
    let pages = memory_type(module)?.minimum;
    let mut memory = vec![0; usize::try_from(pages * PAGE_BYTES)?];
    for payload in Parser::new(0).parse_all(module) {
        let Payload::DataSection(section) = payload? else { continue };
        for segment in section {
            let segment = segment?;
            let wasmparser::DataKind::Active { memory_index: 0, offset_expr } = segment.kind else {
                bail!("it has a passive data segment");
            };
            let start = constant(&offset_expr)?;
            let place = memory.get_mut(start..start + segment.data.len());
            place.context("a data segment lies outside of the memory")?.copy_from_slice(segment.data);
        }
    }
    Ok(memory)
}

/// A module that is this memory and nothing else.
pub(crate) fn memory_module(memory: &[u8]) -> Vec<u8> {
    let mut memories = MemorySection::new();
    let minimum = (memory.len() as u64).div_ceil(PAGE_BYTES);
    memories.memory(MemoryType {
        minimum,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    let mut exports = ExportSection::new();
    exports.export(MEMORY_NAME, ExportKind::Memory, 0);
    let mut data = DataSection::new();
    for (start, end) in segments(memory) {
        // A 32-bit memory's addresses are the constant's bits.
        data.active(0, &ConstExpr::i32_const(start as u32 as i32), memory[start..end].iter().copied());
    }
    let mut module = Module::new();
    module.section(&memories).section(&exports).section(&data);
    module.finish()
}

const PAGE_BYTES: u64 = 65_536;

/// The parts of a memory that are not zero.
fn segments(memory: &[u8]) -> Vec<(usize, usize)> {
    let mut segments: Vec<(usize, usize)> = Vec::new();
    for (block, bytes) in memory.chunks(GAP_BYTES_MIN).enumerate() {
        if bytes.iter().all(|&byte| byte == 0) {
            continue;
        }
        let start = block * GAP_BYTES_MIN;
        match segments.last_mut() {
            Some((_, end)) if *end == start => *end = start + bytes.len(),
            _ => segments.push((start, start + bytes.len())),
        }
    }
    segments
}

fn copy(to: &mut Module, payload: &Payload<'_>, module: &[u8]) {
    if let Some((id, range)) = payload.as_section() {
        to.section(&RawSection { id, data: &module[range] });
    }
}

fn import_memory(mut imports: ImportSection, memory: MemoryType) -> ImportSection {
    imports.import(MEMORY_MODULE, MEMORY_NAME, EntityType::Memory(memory));
    imports
}

fn memory_type(module: &[u8]) -> anyhow::Result<MemoryType> {
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::MemorySection(section) = payload? {
            ensure!(section.count() == 1, "it has {} memories", section.count());
            let memory = section.into_iter().next().context("it has no memory")??;
            return Ok(RoundtripReencoder.memory_type(memory)?);
        }
    }
    bail!("it has no memory")
}

/// The numbers of the globals that may change. It has none that are imported.
fn mutable_globals(module: &[u8]) -> anyhow::Result<Vec<u32>> {
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::GlobalSection(section) = payload? {
            let globals = section.into_iter().enumerate();
            return globals
                .filter_map(|(number, global)| match global {
                    Ok(global) if !global.ty.mutable => None,
                    Ok(_) => Some(Ok(number as u32)),
                    Err(error) => Some(Err(error.into())),
                })
                .collect();
        }
    }
    Ok(Vec::new())
}

fn constant(expression: &wasmparser::ConstExpr<'_>) -> anyhow::Result<usize> {
    match expression.get_operators_reader().read()? {
        wasmparser::Operator::I32Const { value } => Ok(value as u32 as usize),
        other => bail!("a data segment begins at {other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"(module
        (import "a" "b" (func))
        (memory (export "memory") 2)
        (global (mut i32) (i32.const 7))
        (global i32 (i32.const 8))
        (func (export "read") (param i32) (result i32) (i32.load (local.get 0)))
        (data (i32.const 16) "one")
        (data (i32.const 70000) "two"))"#;

    fn text(module: &[u8]) -> Vec<u8> {
        wasmparser::Validator::new().validate_all(module).unwrap();
        module.to_vec()
    }

    #[test]
    fn code_and_memory_are_parted() {
        let whole = wat::parse_str(WHOLE).unwrap();
        let memory = initial_memory(&whole).unwrap();
        assert_eq!((&memory[16..19], &memory[70_000..70_003]), (&b"one"[..], &b"two"[..]));
        let code = text(&code(&whole).unwrap());
        assert!(code.windows(11).any(|bytes| bytes == MEMORY_MODULE.as_bytes()));
        assert!(!code.windows(3).any(|bytes| bytes == b"two"));
        assert_eq!(initial_memory(&text(&memory_module(&memory))).unwrap(), memory);
        assert!(!text(&without_data(&whole).unwrap()).windows(3).any(|bytes| bytes == b"two"));
    }

    #[test]
    fn code_is_the_same_whatever_is_in_the_memory() {
        let other = WHOLE.replace("two", "three");
        assert_eq!(
            code(&wat::parse_str(WHOLE).unwrap()).unwrap(),
            code(&wat::parse_str(other).unwrap()).unwrap()
        );
    }

    #[test]
    fn a_module_without_imports_gets_one() {
        let module = wat::parse_str(r#"(module (memory 1) (func (drop (i32.load (i32.const 0)))))"#).unwrap();
        text(&code(&module).unwrap());
    }

    #[test]
    fn zeros_cost_nothing() {
        let mut memory = vec![0; 1 << 20];
        memory[1_000] = 1;
        memory[500_000] = 1;
        assert!(memory_module(&memory).len() < 300);
    }

    #[test]
    fn what_has_no_memory_is_refused() {
        let module = wat::parse_str("(module)").unwrap();
        assert!(code(&module).unwrap_err().to_string().contains("no memory"));
    }
}
