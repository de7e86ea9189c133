//! A core module becomes a component of Weir's world.

use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::Resolve;

use crate::world;

/// Why a core module could not become a component: each cause, outermost first.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct EncodeError(String);

impl From<anyhow::Error> for EncodeError {
    fn from(error: anyhow::Error) -> Self {
        EncodeError(format!("{error:#}"))
    }
}

/// Turns a core module that imports and exports the world by its canonical
/// names into a component, and checks it against the world. The same module
/// gives the same bytes.
///
/// A module that says itself which world it was compiled against, in custom
/// sections as wit-bindgen writes them, is taken at its word; to all others
/// this host's world is applied. So a guest that was built with an older SDK is
/// never given types that it was not compiled with.
///
/// # Errors
/// Names the import or export that does not fit the world.
pub fn encode(core_module: &[u8]) -> Result<Vec<u8>, EncodeError> {
    encode_with_adapters(core_module, &[])
}

/// As [`encode`], for a core module that imports modules which are not of the
/// world: each is (the module's name, a core module that stands in for it).
pub(crate) fn encode_with_adapters(
    core_module: &[u8],
    adapters: &[(&str, &[u8])],
) -> Result<Vec<u8>, EncodeError> {
    try_encode(core_module, adapters).map_err(|error| EncodeError(format!("{error:#}")))
}

fn try_encode(core_module: &[u8], adapters: &[(&str, &[u8])]) -> anyhow::Result<Vec<u8>> {
    let (resolve, world) = world::resolve()?;
    let mut module = core_module.to_vec();
    let (without_world, _) = wit_component::metadata::decode(core_module)?;
    if without_world.is_none() {
        wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
    }
    let mut encoder = ComponentEncoder::default().validate(true).module(&module)?;
    for (name, adapter) in adapters {
        encoder = encoder.adapter(name, &with_imports(adapter, &resolve)?)?;
    }
    let component = encoder.encode()?;
    wit_component::targets(&resolve, world, &component)?;
    Ok(component)
}

/// What an adapter may import: a part of the world. It exports nothing of it, so
/// that its world is another one.
const ADAPTER_WORLD: &str = "package weir:adapter; world adapter {
    import weir:guest/context@0.1.0;
    import weir:guest/crypto@0.1.0;
    import weir:guest/log@0.1.0;
}";

/// An adapter that says which interfaces its imports are of.
fn with_imports(adapter: &[u8], resolve: &Resolve) -> anyhow::Result<Vec<u8>> {
    let mut resolve = resolve.clone();
    let package = resolve.push_str("adapter.wit", ADAPTER_WORLD)?;
    let world = resolve.select_world(&[package], None)?;
    let mut adapter = adapter.to_vec();
    wit_component::embed_component_metadata(&mut adapter, &resolve, world, StringEncoding::UTF8)?;
    Ok(adapter)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A guest whose two exports give nothing, with more in it.
    fn module(more: &str) -> Vec<u8> {
        let text = format!(
            r#"(module
                {more}
                (memory (export "memory") 1)
                (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 1024)
                (func (export "describe") (result i32) i32.const 0)
                (func (export "call") (param i32 i32 i32 i32) (result i32) i32.const 0))"#
        );
        wat::parse_str(text).unwrap()
    }

    #[test]
    fn a_module_of_the_world_becomes_a_component() {
        let imports = r#"(import "weir:guest/context@0.1.0" "now" (func (result f64)))"#;
        let component = encode(&module(imports)).unwrap();
        assert_eq!(component, encode(&module(imports)).unwrap(), "the same module gives the same bytes");
        let decoded = wit_component::decode(&component).unwrap();
        let (resolve, world) = match decoded {
            wit_component::DecodedWasm::Component(resolve, world) => (resolve, world),
            wit_component::DecodedWasm::WitPackage(..) => panic!("not a component"),
        };
        let names = |items: &wit_parser::IndexMap<wit_parser::WorldKey, wit_parser::WorldItem>| {
            items.keys().map(|key| resolve.name_world_key(key)).collect::<Vec<_>>()
        };
        assert_eq!(names(&resolve.worlds[world].exports), ["describe", "call"]);
        let imports = names(&resolve.worlds[world].imports);
        assert!(imports.iter().any(|name| name.contains("context")), "{imports:?}");
        assert!(
            !imports.iter().any(|name| name.contains("/db")),
            "what is not used is not imported: {imports:?}"
        );
    }

    #[test]
    fn what_does_not_fit_the_world_is_named() {
        let cases = [
            (module(r#"(import "env" "random" (func))"#), "env"),
            (module(r#"(import "weir:guest/db@0.1.0" "drop-all" (func))"#), "drop-all"),
            (module(r#"(import "weir:guest/context@0.1.0" "now" (func (result i32)))"#), "now"),
            (wat::parse_str(r#"(module (memory (export "memory") 1))"#).unwrap(), "describe"),
            (b"\0asm".to_vec(), ""),
            (b"no module".to_vec(), ""),
            (Vec::new(), ""),
        ];
        for (module, expected) in cases {
            let error = encode(&module).unwrap_err().to_string();
            assert!(error.contains(expected), "{expected}: {error}");
        }
    }

    #[test]
    fn a_component_is_no_core_module() {
        let component = encode(&module("")).unwrap();
        assert!(encode(&component).is_err());
    }
}
