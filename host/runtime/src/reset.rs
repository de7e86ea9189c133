//! A component that can set itself back: one more function, after which its instance is as it was when it was made.
//!
//! Making an instance takes longer than a small call, and most of that is wasmtime's bookkeeping for what is always the
//! same. What a call changes in an instance is its memory, which [`crate::memory`] sets back, and its global variables,
//! of which the component's own function knows how they began. Nothing else can change in the components that get the
//! function: those whose code writes to a table, drops a segment, or runs a start are left as they are, and get a new
//! instance for each call.
use std::collections::BTreeMap;

use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{
    CanonicalFunctionSection, CodeSection, Component, ComponentAliasSection, ComponentExportKind,
    ComponentExportSection, ComponentTypeSection, EntityType, ExportKind, ExportSection, Function,
    FunctionSection, GlobalType, ImportSection, InstanceSection, Module, ModuleArg, ModuleSection,
    RawSection, SectionId, TypeSection, ValType,
};
use wasmparser::{
    CanonicalFunction, ComponentAlias, ComponentExport, ComponentExternalKind, ComponentImport,
    ComponentOuterAliasKind, ComponentType, ComponentTypeRef, DataKind, ElementKind, ExternalKind, Instance,
    Operator, Parser, Payload, TypeRef,
};

use crate::sections::{
    ALIAS_SECTION, CANONICAL_SECTION, CORE_INSTANCE_SECTION, CORE_MODULE_SECTION, EXPORT_SECTION,
    IMPORT_SECTION, TYPE_SECTION, items, sections,
};
use crate::shared_code;

/// What the function is called among the component's exports.
pub(crate) const RESET: &str = "reset-instance";

/// How globals are called that a module is made to export.
const GLOBAL_PREFIX: &str = "weir:global:";

/// The component with the function. `imported` are modules that it shares with others, and imports: they are not altered.
/// `None`: it cannot have it. Reads all of its code: what somebody else has sent, in the process that compiles alone.
pub(crate) fn add(component: &[u8], imported: &[&[u8]]) -> Option<Vec<u8>> {
    let mut counts = Counts::default();
    let mut with_reset = Component::new();
    let mut modules: Vec<Option<Globals>> = Vec::new();
    let mut instances = Vec::new();
    for section in sections(component) {
        let (id, data) = section?;
        let mut written = data;
        let exporting;
        if id == CORE_MODULE_SECTION {
            let globals = Globals::of(data)?;
            if globals.are_hidden() {
                exporting = globals.exported(data)?;
                written = &exporting;
            }
            modules.push(Some(globals));
        } else if id == CORE_INSTANCE_SECTION {
            instances.extend(items::<Instance<'_>>(data)?);
        } else if id == IMPORT_SECTION {
            for import in items::<ComponentImport<'_>>(data)? {
                if matches!(import.ty, ComponentTypeRef::Module(_)) {
                    modules.push(of_imported(import.name.name, imported)?);
                }
            }
        } else if id == ALIAS_SECTION {
            let aliases = items::<ComponentAlias<'_>>(data)?;
            modules.extend(aliases.iter().filter(|alias| is_of_module(alias)).map(|_| None));
        }
        counts.add(id, data)?;
        with_reset.section(&RawSection { id, data: written });
    }
    let made = instances.iter().enumerate().filter_map(|(number, instance)| match instance {
        Instance::Instantiate { module_index, .. } => Some((number as u32, *module_index as usize)),
        Instance::FromExports(_) => None,
    });
    let of_instances: Option<Vec<_>> =
        made.map(|(number, module)| Some((number, modules.get(module)?.as_ref()?))).collect();
    append(&mut with_reset, &of_instances?, &counts, instances.len() as u32);
    let with_reset = with_reset.finish();
    // What is wrong with it is the compiler's to say, of the component as it was sent.
    wasmparser::validate(&with_reset).ok()?;
    Some(with_reset)
}

/// The variables of a module that is imported, all of which it must export as it is; `Some(None)`: nobody knows the module.
fn of_imported(name: &str, imported: &[&[u8]]) -> Option<Option<Globals>> {
    let Some(wasm) = imported.iter().find(|wasm| shared_code::import_name(wasm) == name) else {
        return Some(None);
    };
    Globals::of(wasm).filter(|globals| !globals.are_hidden()).map(Some)
}

fn is_of_module(alias: &ComponentAlias<'_>) -> bool {
    matches!(
        alias,
        ComponentAlias::InstanceExport { kind: ComponentExternalKind::Module, .. }
            | ComponentAlias::Outer { kind: ComponentOuterAliasKind::CoreModule, .. }
    )
}

const MODULE_EXPORT_SECTION: u8 = SectionId::Export as u8;

/// How many of each a component has, which is the number of the next one.
#[derive(Default)]
struct Counts {
    modules: u32,
    core_functions: u32,
    types: u32,
    functions: u32,
}

impl Counts {
    fn add(&mut self, section: u8, data: &[u8]) -> Option<()> {
        match section {
            CORE_MODULE_SECTION => self.modules += 1,
            TYPE_SECTION => self.types += items::<ComponentType<'_>>(data)?.len() as u32,
            ALIAS_SECTION => {
                for alias in items::<ComponentAlias<'_>>(data)? {
                    match alias {
                        ComponentAlias::InstanceExport { kind, .. } => self.count(kind),
                        ComponentAlias::CoreInstanceExport { kind, .. } => {
                            self.core_functions += u32::from(kind == ExternalKind::Func);
                        }
                        ComponentAlias::Outer { kind, .. } => match kind {
                            ComponentOuterAliasKind::CoreModule => self.modules += 1,
                            ComponentOuterAliasKind::Type => self.types += 1,
                            ComponentOuterAliasKind::CoreType | ComponentOuterAliasKind::Component => {}
                        },
                    }
                }
            }
            CANONICAL_SECTION => {
                for function in items::<CanonicalFunction>(data)? {
                    match function {
                        CanonicalFunction::Lift { .. } => self.functions += 1,
                        CanonicalFunction::Lower { .. } | CanonicalFunction::ResourceDrop { .. } => {
                            self.core_functions += 1;
                        }
                        // Resources of its own, tasks, threads: they are state as well.
                        _ => return None,
                    }
                }
            }
            IMPORT_SECTION => {
                for import in items::<ComponentImport<'_>>(data)? {
                    match import.ty {
                        ComponentTypeRef::Module(_) => self.modules += 1,
                        ComponentTypeRef::Func(_) => self.functions += 1,
                        ComponentTypeRef::Type(_) => self.types += 1,
                        _ => {}
                    }
                }
            }
            // An export is one more of its kind.
            EXPORT_SECTION => {
                items::<ComponentExport<'_>>(data)?.iter().for_each(|export| self.count(export.kind));
            }
            _ => {}
        }
        Some(())
    }

    fn count(&mut self, kind: ComponentExternalKind) {
        match kind {
            ComponentExternalKind::Module => self.modules += 1,
            ComponentExternalKind::Func => self.functions += 1,
            ComponentExternalKind::Type => self.types += 1,
            _ => {}
        }
    }
}

/// Writes the function behind all that there is: a core module that imports the globals, an instance of it, its function as
/// the component's.
fn append(component: &mut Component, of_instances: &[(u32, &Globals)], counts: &Counts, instances: u32) {
    component.section(&ModuleSection(&reset_module(of_instances)));
    let names: Vec<String> = of_instances.iter().map(|(number, _)| number.to_string()).collect();
    let args =
        names.iter().zip(of_instances).map(|(name, (number, _))| (&**name, ModuleArg::Instance(*number)));
    let mut instance = InstanceSection::new();
    instance.instantiate(counts.modules, args.collect::<Vec<_>>());
    component.section(&instance);
    let mut alias = ComponentAliasSection::new();
    alias.alias(wasm_encoder::Alias::CoreInstanceExport {
        instance: instances,
        kind: ExportKind::Func,
        name: RESET,
    });
    component.section(&alias);
    let mut types = ComponentTypeSection::new();
    types.function().params::<[(&str, wasm_encoder::ComponentValType); 0], _>([]).result(None);
    component.section(&types);
    let mut canonical = CanonicalFunctionSection::new();
    canonical.lift(counts.core_functions, counts.types, []);
    component.section(&canonical);
    let mut exports = ComponentExportSection::new();
    exports.export(RESET, ComponentExportKind::Func, counts.functions, None);
    component.section(&exports);
}

/// A module whose one function sets the globals of these instances to what they begin with.
fn reset_module(of_instances: &[(u32, &Globals)]) -> Module {
    let (mut types, mut functions) = (TypeSection::new(), FunctionSection::new());
    types.ty().function([], []);
    functions.function(0);
    let mut imports = ImportSection::new();
    let mut reset = Function::new([]);
    let mut number = 0;
    for (instance, globals) in of_instances {
        for global in &globals.mutable {
            let ty = GlobalType { val_type: global.initial.ty(), mutable: true, shared: false };
            imports.import(&instance.to_string(), &global.name(), EntityType::Global(ty));
            global.initial.write(&mut reset);
            reset.instructions().global_set(number);
            number += 1;
        }
    }
    reset.instructions().end();
    let mut code = CodeSection::new();
    code.function(&reset);
    let mut exports = ExportSection::new();
    exports.export(RESET, ExportKind::Func, 0);
    let mut module = Module::new();
    module.section(&types).section(&imports).section(&functions).section(&exports).section(&code);
    module
}

/// The variables of a module whose instances have no other state but those and a memory.
#[derive(Default)]
struct Globals {
    mutable: Vec<Global>,
}

struct Global {
    number: u32,
    initial: Constant,
    exported_as: Option<String>,
}

impl Global {
    fn name(&self) -> String {
        self.exported_as.clone().unwrap_or_else(|| format!("{GLOBAL_PREFIX}{}", self.number))
    }
}

/// What a global begins with; of floats, the bits.
#[derive(Clone, Copy)]
enum Constant {
    I32(i32),
    I64(i64),
    F32(u32),
    F64(u64),
}

impl Constant {
    fn of(expression: &wasmparser::ConstExpr<'_>) -> Option<Constant> {
        let mut operators = expression.get_operators_reader();
        let constant = match operators.read().ok()? {
            Operator::I32Const { value } => Constant::I32(value),
            Operator::I64Const { value } => Constant::I64(value),
            Operator::F32Const { value } => Constant::F32(value.bits()),
            Operator::F64Const { value } => Constant::F64(value.bits()),
            _ => return None,
        };
        matches!(operators.read(), Ok(Operator::End)).then_some(constant)
    }

    fn ty(self) -> ValType {
        match self {
            Constant::I32(_) => ValType::I32,
            Constant::I64(_) => ValType::I64,
            Constant::F32(_) => ValType::F32,
            Constant::F64(_) => ValType::F64,
        }
    }

    fn write(self, function: &mut Function) {
        let mut instructions = function.instructions();
        match self {
            Constant::I32(value) => instructions.i32_const(value),
            Constant::I64(value) => instructions.i64_const(value),
            Constant::F32(bits) => instructions.f32_const(wasm_encoder::Ieee32::new(bits)),
            Constant::F64(bits) => instructions.f64_const(wasm_encoder::Ieee64::new(bits)),
        };
    }
}

impl Globals {
    /// `None`: instances of the module have other state, or it is not known how they begin.
    fn of(module: &[u8]) -> Option<Globals> {
        let (mut mutable, mut imported) = (BTreeMap::new(), 0);
        for payload in Parser::new(0).parse_all(module) {
            match payload.ok()? {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        match import.ok()?.ty {
                            TypeRef::Global(ty) if ty.mutable => return None,
                            TypeRef::Global(_) => imported += 1,
                            _ => {}
                        }
                    }
                }
                Payload::GlobalSection(section) => {
                    for (global, number) in section.into_iter().zip(imported..) {
                        let global = global.ok()?;
                        if global.ty.mutable {
                            let initial = Constant::of(&global.init_expr)?;
                            mutable.insert(number, Global { number, initial, exported_as: None });
                        }
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export.ok()?;
                        if export.kind == ExternalKind::Global
                            && let Some(global) = mutable.get_mut(&export.index)
                        {
                            global.exported_as = Some(export.name.to_owned());
                        }
                    }
                }
                // It may do what no call does again.
                Payload::StartSection { .. } => return None,
                Payload::ElementSection(section) => {
                    for element in section {
                        if matches!(element.ok()?.kind, ElementKind::Passive) {
                            return None;
                        }
                    }
                }
                Payload::DataSection(section) => {
                    for segment in section {
                        if matches!(segment.ok()?.kind, DataKind::Passive) {
                            return None;
                        }
                    }
                }
                Payload::CodeSectionEntry(body) => {
                    for operator in body.get_operators_reader().ok()? {
                        if changes_other_state(&operator.ok()?) {
                            return None;
                        }
                    }
                }
                _ => {}
            }
        }
        Some(Globals { mutable: mutable.into_values().collect() })
    }

    /// Whether the module exports some of them not.
    fn are_hidden(&self) -> bool {
        self.mutable.iter().any(|global| global.exported_as.is_none())
    }

    /// The module with all of them exported. `None`: it exports nothing at all.
    fn exported(&self, module: &[u8]) -> Option<Vec<u8>> {
        let mut exporting = Module::new();
        let mut has_exports = false;
        for section in sections(module) {
            let (id, data) = section?;
            if id != MODULE_EXPORT_SECTION {
                exporting.section(&RawSection { id, data });
                continue;
            }
            has_exports = true;
            let mut exports = ExportSection::new();
            let reader = wasmparser::ExportSectionReader::new(wasmparser::BinaryReader::new(data, 0)).ok()?;
            RoundtripReencoder.parse_export_section(&mut exports, reader).ok()?;
            for global in self.mutable.iter().filter(|global| global.exported_as.is_none()) {
                exports.export(&global.name(), ExportKind::Global, global.number);
            }
            exporting.section(&exports);
        }
        has_exports.then(|| exporting.finish())
    }
}

/// Whether an instruction changes what is neither memory nor a global variable.
fn changes_other_state(operator: &Operator<'_>) -> bool {
    matches!(
        operator,
        Operator::TableSet { .. }
            | Operator::TableGrow { .. }
            | Operator::TableFill { .. }
            | Operator::TableCopy { .. }
            | Operator::TableInit { .. }
            | Operator::ElemDrop { .. }
            | Operator::MemoryInit { .. }
            | Operator::DataDrop { .. }
    )
}

#[cfg(test)]
mod tests {
    use wasmtime::component::Linker;
    use wasmtime::{Engine, Store};

    use super::*;

    /// Counts in a global of one instance, and in one of another.
    const COUNTING: &str = r#"
        (core module $inner (global $n (export "n") (mut i64) (i64.const -5))
          (func (export "next") (result i64) (global.set $n (i64.add (global.get $n) (i64.const 1))) (global.get $n)))
        (core module $outer (import "inner" "next" (func $next (result i64)))
          (global i32 (i32.const 9)) (global $n (mut i64) (i64.const 40))
          (func (export "next") (result i64) (global.set $n (i64.add (global.get $n) (i64.const 1)))
            (i64.add (call $next) (global.get $n))))
        (core instance $i (instantiate $inner))
        (core instance $named (export "next" (func $i "next")))
        (core instance $o (instantiate $outer (with "inner" (instance $named))))
        (func (export "next") (result s64) (canon lift (core func $o "next")))"#;

    fn component(text: &str) -> Vec<u8> {
        wat::parse_str(format!("(component {text})")).unwrap()
    }

    #[test]
    fn all_instances_are_set_back() {
        let component = add(&component(COUNTING), &[]).unwrap();
        let engine = Engine::default();
        let component = wasmtime::component::Component::new(&engine, component).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = Linker::new(&engine).instantiate(&mut store, &component).unwrap();
        let next = instance.get_typed_func::<(), (i64,)>(&mut store, "next").unwrap();
        let reset = instance.get_typed_func::<(), ()>(&mut store, RESET).unwrap();
        for _ in 0..3 {
            assert_eq!(next.call(&mut store, ()).unwrap().0, 37);
            assert_eq!(next.call(&mut store, ()).unwrap().0, 39);
            reset.call(&mut store, ()).unwrap();
        }
    }

    /// A module that counts in a global, and a component that imports it, behind a module of its own.
    fn importing(counting: &str) -> (Vec<u8>, Vec<u8>) {
        let module = wat::parse_str(format!("(module {counting})")).unwrap();
        let name = shared_code::import_name(&module);
        let importing = format!(
            r#"(core module $own (global $n (mut i32) (i32.const 1)) (func (export "own")))
            (import "{name}" (core module $m (export "n" (global (mut i64))) (export "next" (func (result i64)))))
            (core instance (instantiate $own)) (core instance $i (instantiate $m))
            (func (export "next") (result s64) (canon lift (core func $i "next")))"#
        );
        (module, component(&importing))
    }

    #[test]
    fn modules_that_are_imported_are_set_back_as_well() {
        let (module, importing) = importing(
            r#"(global $n (export "n") (mut i64) (i64.const 7))
            (func (export "next") (result i64) (global.set $n (i64.add (global.get $n) (i64.const 1))) (global.get $n))"#,
        );
        let engine = Engine::default();
        let with_reset = add(&importing, &[&module]).unwrap();
        let component = wasmtime::component::Component::new(&engine, with_reset).unwrap();
        let mut linker = Linker::new(&engine);
        let module_code = wasmtime::Module::new(&engine, &module).unwrap();
        linker.root().module(&shared_code::import_name(&module), &module_code).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = linker.instantiate(&mut store, &component).unwrap();
        let next = instance.get_typed_func::<(), (i64,)>(&mut store, "next").unwrap();
        let reset = instance.get_typed_func::<(), ()>(&mut store, RESET).unwrap();
        for _ in 0..3 {
            assert_eq!(next.call(&mut store, ()).unwrap().0, 8);
            reset.call(&mut store, ()).unwrap();
        }
        assert!(add(&importing, &[]).is_none(), "a module that nobody knows may have any state");
    }

    #[test]
    fn a_module_that_is_imported_and_hides_its_state_is_in_the_way() {
        let next = r#"(func (export "next") (result i64) (i64.const 1))"#;
        let shown = r#"(global (export "n") (mut i64) (i64.const 7))"#;
        let (module, with_imports) = importing(&format!("{shown} {next}"));
        assert!(add(&with_imports, &[&module]).is_some());
        let (module, with_imports) = importing(&format!("{shown} (global (mut i32) (i32.const 1)) {next}"));
        assert!(add(&with_imports, &[&module]).is_none());
    }

    #[test]
    fn what_comes_before_is_counted() {
        let before = r#"
            (import "a" (func $imported (param "x" string)))
            (import "b" (instance $b (export "t" (type (sub resource))) (export "f" (func))))
            (alias export $b "t" (type $t)) (alias export $b "f" (func $f))
            (core func $drop (canon resource.drop $t)) (core func $lowered (canon lower (func $f)))
            (type $u (func)) (export "g" (func $f))"#;
        assert!(add(&component(&format!("{before} {COUNTING}")), &[]).is_some());
    }

    #[test]
    fn other_state_is_in_the_way() {
        let module =
            |text: &str| component(&format!(r#"(core module {text}) (core instance (instantiate 0))"#));
        assert!(add(&module(r#"(global (export "g") (mut i32) (i32.const 1))"#), &[]).is_some());
        assert!(add(&module(""), &[]).is_some());
        let refused = [
            r#"(global (mut i32) (i32.const 1))"#,
            r#"(global (export "g") (mut funcref) (ref.null func))"#,
            r#"(global $a i32 (i32.const 1)) (global (export "g") (mut i32) (global.get $a))"#,
            r#"(func $f) (start $f)"#,
            r#"(table 1 funcref) (func (table.set 0 (i32.const 0) (ref.null func)))"#,
            r#"(table 1 funcref) (func (drop (table.grow 0 (ref.null func) (i32.const 1))))"#,
            r#"(table 1 funcref) (func (table.copy (i32.const 0) (i32.const 0) (i32.const 0)))"#,
            r#"(table 1 funcref) (elem $e func) (func (table.init $e (i32.const 0) (i32.const 0) (i32.const 0)))"#,
            r#"(elem $e func) (func (elem.drop $e))"#,
            r#"(memory 1) (data $d "x") (func (data.drop $d))"#,
        ];
        for text in refused {
            assert!(add(&module(text), &[]).is_none(), "{text}");
        }
        let resource = r#"(type $r (resource (rep i32))) (core func (canon resource.new $r))"#;
        assert!(add(&component(resource), &[]).is_none());
    }

    #[test]
    fn a_component_that_has_such_an_export_keeps_it() {
        let named = COUNTING
            .replace(r#"(export "next") (result s64)"#, &format!(r#"(export "{RESET}") (result s64)"#));
        assert!(add(&component(&named), &[]).is_none());
    }
}
