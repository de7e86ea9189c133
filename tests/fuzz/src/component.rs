//! A component that is written by hand: it gives its arguments back. No toolchain, and small enough that a changed byte
//! of it matters.

use anyhow::{Context, Result};
use weir_test_support::project;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// A manifest with a public query and a public mutation.
pub(crate) const MANIFEST: &str = r#"{"functions":[{"path":"m:f","kind":"query","visibility":"public"},{"path":"m:g","kind":"mutation","visibility":"public"}]}"#;

/// Memory: below 64 the result, 4096.. the manifest, behind it what `cabi_realloc` gives.
const TEMPLATE: &str = r#"
(module
  (memory (export "memory") 4)
  (global $free (mut i32) (i32.const 65536))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.set $free (i32.add (local.get $at) (local.get 3)))
    (if (i32.gt_u (global.get $free) (i32.shl (memory.size) (i32.const 16)))
      (then (drop (memory.grow (i32.add (i32.const 1) (i32.shr_u (local.get 3) (i32.const 16)))))))
    (local.get $at))
  (func (export "call") (param $path i32) (param $path_len i32) (param $args i32) (param $args_len i32) (result i32)
    (i32.store8 (i32.const 0) (i32.const 0))
    (i32.store (i32.const 4) (local.get $args))
    (i32.store (i32.const 8) (local.get $args_len))
    (i32.const 0))
  (func (export "describe") (result i32)
    (i32.store (i32.const 0) (i32.const 4096))
    (i32.store (i32.const 4) (i32.const MANIFEST_LEN))
    (i32.const 0))
  (data (i32.const 4096) "MANIFEST"))"#;

/// What a manifest may have here: it lies below what is allocated.
const MANIFEST_BYTES_MAX: usize = 60_000;

/// A component with this manifest, whatever that is.
///
/// # Errors
/// The manifest is too long.
pub(crate) fn echo(manifest: &str) -> Result<Vec<u8>> {
    anyhow::ensure!(manifest.len() <= MANIFEST_BYTES_MAX, "{} bytes of manifest", manifest.len());
    let bytes: String = manifest.bytes().map(|byte| format!("\\{byte:02x}")).collect();
    let text = TEMPLATE.replace("MANIFEST_LEN", &manifest.len().to_string()).replace("MANIFEST", &bytes);
    let mut module = wat::parse_str(&text).context("the text of the module")?;
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(project::repository().join("wit"))?;
    let world = resolve.select_world(&[package], Some("guest"))?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
    ComponentEncoder::default().module(&module)?.validate(true).encode()
}
