//! What can be said of a file before its code is linked: is it a component, of this world, for this host.
//!
//! Compiles nothing and runs nothing.
use wasmtime::Engine;
use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;
use weir_value::limits::MODULE_BYTES_MAX;

use crate::LoadError;
use crate::bindings::WORLD;
use crate::interfaces::{Offer, offers};

const WASM_MAGIC: &[u8] = b"\0asm";
const CORE_VERSION: &[u8] = &[1, 0, 0, 0];
/// The second half of the preamble says "component" (as opposed to core module).
const COMPONENT_LAYER: &[u8] = &[1, 0];

/// Whether the bytes begin as a component does, and are not too many.
pub(crate) fn check_bytes(module: &str, bytes: &[u8]) -> Result<(), LoadError> {
    let module = || module.to_owned();
    if bytes.len() > MODULE_BYTES_MAX {
        return Err(LoadError::TooLarge {
            module: module(),
            bytes: bytes.len(),
            bytes_max: MODULE_BYTES_MAX,
        });
    }
    let not_wasm = |found| Err(LoadError::NotWasm { module: module(), found });
    match bytes {
        [] => not_wasm("it is empty"),
        [0x7f, b'E', b'L', b'F', ..] => not_wasm("it is native code, which is never accepted"),
        _ if !bytes.starts_with(WASM_MAGIC) => not_wasm("it does not begin with `\\0asm`"),
        _ if bytes.get(4..8) == Some(CORE_VERSION) => Err(LoadError::CoreModule { module: module() }),
        _ if bytes.get(6..8) == Some(COMPONENT_LAYER) => Ok(()),
        _ => not_wasm("it is WebAssembly of an unknown kind, or its first bytes are missing"),
    }
}

/// Whether the host has all that the component imports, and the component all that the host calls. `given` are imports
/// that it has, because the host itself put them in.
pub(crate) fn check_world(
    module: &str,
    component: &Component,
    engine: &Engine,
    given: &[&str],
) -> Result<(), LoadError> {
    let component_type = component.component_type();
    for (import, _) in component_type.imports(engine).filter(|(name, _)| !given.contains(name)) {
        check_import(module, import)?;
    }
    for export in ["describe", "call"] {
        match component_type.exports(engine).find(|(name, _)| *name == export) {
            Some((_, item)) if matches!(item.ty, ComponentItem::ComponentFunc(_)) => {}
            Some(_) => return Err(not_a_guest(module, format!("its export `{export}` is not a function"))),
            None => return Err(not_a_guest(module, format!("it does not export the function `{export}`"))),
        }
    }
    Ok(())
}

fn check_import(module: &str, import: &str) -> Result<(), LoadError> {
    let module = module.to_owned();
    match offers(import) {
        Offer::Yes => Ok(()),
        Offer::No => Err(LoadError::UnknownImport { module, import: import.to_owned() }),
        Offer::OtherVersion => {
            Err(LoadError::WrongVersion { module, found: import.to_owned(), expected: WORLD })
        }
    }
}

/// The error of a component whose exports or imports are not those of the world.
pub(crate) fn not_a_guest(module: &str, reason: impl Into<String>) -> LoadError {
    LoadError::NotAGuest { module: module.to_owned(), reason: reason.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_as_a_component_does() {
        let cases: [(&[u8], &str); 7] = [
            (b"", "it is empty"),
            (b"<!DOCTYPE html>", "does not begin with"),
            (b"\x7fELF\x02\x01", "native code"),
            (b"\0asm", "unknown kind"),
            (b"\0asm\x01\0\0\0", "core WebAssembly module"),
            (b"\0asm\x0d\0\x01\0", ""),
            (b"\0asm\x0d\0\x07\0", "unknown kind"),
        ];
        for (bytes, expected) in cases {
            match check_bytes("chat", bytes) {
                Ok(()) => assert_eq!(expected, "", "{bytes:?}"),
                Err(error) => {
                    let text = error.to_string();
                    assert!(text.contains(expected) && !expected.is_empty(), "{bytes:?}: {text}");
                    assert!(text.contains("`chat`"), "{text}");
                }
            }
        }
        let huge = vec![0; MODULE_BYTES_MAX + 1];
        assert!(matches!(check_bytes("chat", &huge), Err(LoadError::TooLarge { .. })));
    }
}
