//! An ordinary component, written by hand: no toolchain.

use anyhow::{Context, Result};
use serde_json::json;
use weir_test_support::project;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// Memory: below 64 the result of `call`, 64..128 that of a host call, 192 the table's name, 4096.. the manifest, 65536..
/// what `cabi_realloc` gives.
const TEMPLATE: &str = r#"
(module
  (import "weir:guest/db@0.1.0" "insert" (func $insert (param i32 i32 i32 i32 i32)))
  (memory (export "memory") 2)
  (global $free (mut i32) (i32.const 65536))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.set $free (i32.add (local.get $at) (local.get 3)))
    (local.get $at))
  (data (i32.const 192) "tnull")
  (func (export "call") (param $path i32) (param $path_len i32) (param $args i32) (param $args_len i32) (result i32)
    (call $insert (i32.const 192) (i32.const 1) (local.get $args) (local.get $args_len) (i32.const 64))
    (if (i32.load8_u (i32.const 64)) (then unreachable))
    (i32.store8 (i32.const 0) (i32.const 0))
    (i32.store (i32.const 4) (i32.const 193))
    (i32.store (i32.const 8) (i32.const 4))
    (i32.const 0))
  (func (export "describe") (result i32)
    (i32.store (i32.const 0) (i32.const 4096))
    (i32.store (i32.const 4) (i32.const MANIFEST_LEN))
    (i32.const 0))
  (data (i32.const 4096) "MANIFEST"))"#;

/// A component with a mutation of this path, which inserts its arguments into the table `t`.
pub fn component(path: &str) -> Result<Vec<u8>> {
    let function = json!({ "path": path, "kind": "mutation", "visibility": "public" });
    let manifest = json!({ "functions": [function] }).to_string();
    let text = TEMPLATE
        .replace("MANIFEST_LEN", &manifest.len().to_string())
        .replace("MANIFEST", &manifest.replace('"', "\\\""));
    let mut module = wat::parse_str(&text).context("the text of the module")?;
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(project::repository().join("wit"))?;
    let world = resolve.select_world(&[package], Some("guest"))?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
    ComponentEncoder::default().module(&module)?.validate(true).encode()
}
