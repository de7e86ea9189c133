//! Code that many components have in common, compiled once for all of them.
//!
//! A component in a language with a large engine (JavaScript) holds the engine as a core module of its own, without
//! any data: what differs between projects is in another module, with the memory. Such a module is taken out of its
//! component before that is compiled, and given to it again, compiled, as if it had imported it. So the engine is
//! compiled for the first project that has it, and lies in memory once, whatever the number of projects and versions.
use sha2::{Digest as _, Sha256};
use wasm_encoder::{
    Component, ComponentImportSection, ComponentTypeRef, CoreTypeSection, EntityType, GlobalType, MemoryType,
    ModuleType, RawSection, RefType, TableType, ValType,
};
use wasmtime::{ExternType, HeapType, Module};

use crate::compiled_cache::{Digest, hex};
use crate::sections::{CORE_MODULE_SECTION, CORE_TYPE_SECTION, sections};

/// Smaller modules compile faster than they are worth a file of their own.
const CODE_BYTES_MIN: usize = 1 << 19;

/// A core module of a component that holds code and no data.
pub(crate) struct SharedCode<'a> {
    /// The name by which the component will import it.
    pub(crate) name: String,
    pub(crate) digest: Digest,
    pub(crate) wasm: &'a [u8],
}

/// The name by which components import a module.
pub(crate) fn import_name(wasm: &[u8]) -> String {
    name_of(&Sha256::digest(wasm).into())
}

fn name_of(digest: &Digest) -> String {
    format!("code-x{}", hex(&digest[..16]))
}

/// What of a component can be shared. Nothing, if it is not as expected: it is then compiled as it is, and whatever
/// is wrong with it is found by the compiler.
pub(crate) fn find(component: &[u8]) -> Vec<SharedCode<'_>> {
    top_level_modules(component).unwrap_or_default()
}

fn top_level_modules(component: &[u8]) -> Option<Vec<SharedCode<'_>>> {
    let mut found: Vec<SharedCode<'_>> = Vec::new();
    for section in sections(component) {
        match section? {
            (CORE_MODULE_SECTION, wasm) if wasm.len() >= CODE_BYTES_MIN && is_without_data(wasm) => {
                let digest: Digest = Sha256::digest(wasm).into();
                if found.iter().all(|code| code.digest != digest) {
                    found.push(SharedCode { name: name_of(&digest), digest, wasm });
                }
            }
            // A type of its own would be counted differently once there is one more.
            (CORE_TYPE_SECTION, _) => return None,
            _ => {}
        }
    }
    Some(found)
}

/// The component with these modules imported in place of its own.
///
/// # Errors
/// A module has what cannot be said in a module's type here.
pub(crate) fn take_out(component: &[u8], codes: &[(SharedCode<'_>, Module)]) -> Option<Vec<u8>> {
    let mut rest = Component::new();
    let mut types = 0;
    for section in sections(component) {
        match section? {
            (CORE_MODULE_SECTION, wasm) => match codes.iter().find(|(code, _)| code.wasm == wasm) {
                Some((code, module)) => {
                    let mut core_types = CoreTypeSection::new();
                    core_types.ty().module(&module_type(module)?);
                    let mut imports = ComponentImportSection::new();
                    imports.import(&code.name, ComponentTypeRef::Module(types));
                    types += 1;
                    rest.section(&core_types).section(&imports);
                }
                None => {
                    rest.section(&RawSection { id: CORE_MODULE_SECTION, data: wasm });
                }
            },
            (id, data) => {
                rest.section(&RawSection { id, data });
            }
        }
    }
    Some(rest.finish())
}

const DATA_SECTION: u8 = wasm_encoder::SectionId::Data as u8;

fn is_without_data(module: &[u8]) -> bool {
    sections(module).all(|section| match section {
        Some((DATA_SECTION, data)) => data.first() == Some(&0),
        section => section.is_some(),
    })
}

/// What a module imports and exports.
fn module_type(module: &Module) -> Option<ModuleType> {
    let mut declared = ModuleType::new();
    for import in module.imports() {
        let ty = entity_type(&mut declared, import.ty())?;
        declared.import(import.module(), import.name(), ty);
    }
    for export in module.exports() {
        let ty = entity_type(&mut declared, export.ty())?;
        declared.export(export.name(), ty);
    }
    Some(declared)
}

fn entity_type(declared: &mut ModuleType, ty: ExternType) -> Option<EntityType> {
    Some(match ty {
        ExternType::Func(ty) => {
            let params: Option<Vec<_>> = ty.params().map(|ty| val_type(&ty)).collect();
            let results: Option<Vec<_>> = ty.results().map(|ty| val_type(&ty)).collect();
            let number = declared.type_count();
            declared.ty().function(params?, results?);
            EntityType::Function(number)
        }
        ExternType::Global(ty) => EntityType::Global(GlobalType {
            val_type: val_type(ty.content())?,
            mutable: ty.mutability() == wasmtime::Mutability::Var,
            shared: false,
        }),
        ExternType::Table(ty) => EntityType::Table(TableType {
            element_type: ref_type(ty.element())?,
            table64: ty.is_64(),
            minimum: ty.minimum(),
            maximum: ty.maximum(),
            shared: false,
        }),
        ExternType::Memory(ty) => EntityType::Memory(MemoryType {
            minimum: ty.minimum(),
            maximum: ty.maximum(),
            memory64: ty.is_64(),
            shared: ty.is_shared(),
            page_size_log2: None,
        }),
        _ => return None,
    })
}

fn val_type(ty: &wasmtime::ValType) -> Option<ValType> {
    Some(match ty {
        wasmtime::ValType::I32 => ValType::I32,
        wasmtime::ValType::I64 => ValType::I64,
        wasmtime::ValType::F32 => ValType::F32,
        wasmtime::ValType::F64 => ValType::F64,
        wasmtime::ValType::V128 => ValType::V128,
        wasmtime::ValType::Ref(ty) => ValType::Ref(ref_type(ty)?),
    })
}

fn ref_type(ty: &wasmtime::RefType) -> Option<RefType> {
    match ty.heap_type() {
        HeapType::Func if ty.is_nullable() => Some(RefType::FUNCREF),
        HeapType::Extern if ty.is_nullable() => Some(RefType::EXTERNREF),
        _ => None,
    }
}
