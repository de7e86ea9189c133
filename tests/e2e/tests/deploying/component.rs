//! A component that is written by hand, with a schema that the test chooses: no toolchain, and no build for each schema.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use weir_test_support::project;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// How many documents `t:many` inserts.
pub const MANY: u32 = 500;

/// The canonical ABI's view of what is used of `weir:guest`. Memory: below 64 the result of `call`, 64..128 that of a
/// host call, 128..192 the digits of a count, 192 the table's name, 4096.. the manifest, 65536.. what `cabi_realloc`
/// gives. Functions are told by the lengths of their paths.
const TEMPLATE: &str = r#"
(module
  (import "weir:guest/db@0.1.0" "insert" (func $insert (param i32 i32 i32 i32 i32)))
  (import "weir:guest/db@0.1.0" "count" (func $count (param i32 i32 i32)))
  (memory (export "memory") 2)
  (global $free (mut i32) (i32.const 65536))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.set $free (i32.add (local.get $at) (local.get 3)))
    (if (i32.gt_u (global.get $free) (i32.shl (memory.size) (i32.const 16)))
      (then (drop (memory.grow (i32.add (i32.const 1) (i32.shr_u (local.get 3) (i32.const 16)))))))
    (local.get $at))
  (func $ok (param $at i32) (param $len i32) (result i32)
    (i32.store8 (i32.const 0) (i32.const 0))
    (i32.store (i32.const 4) (local.get $at))
    (i32.store (i32.const 8) (local.get $len))
    (i32.const 0))
  ;; A failure with the message of a host's error, whose two strings begin at $at.
  (func $err (param $at i32) (result i32)
    (i32.store8 (i32.const 0) (i32.const 1))
    (i32.store (i32.const 4) (i32.load (i32.add (local.get $at) (i32.const 8))))
    (i32.store (i32.const 8) (i32.load (i32.add (local.get $at) (i32.const 12))))
    (i32.store8 (i32.const 12) (i32.const 0))
    (i32.const 0))
  ;; A number as JSON.
  (func $ok_number (param $number i64) (result i32)
    (local $at i32)
    (local.set $at (i32.const 192))
    (loop $digits
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (i32.store8 (local.get $at)
        (i32.add (i32.const 48) (i32.wrap_i64 (i64.rem_u (local.get $number) (i64.const 10)))))
      (local.set $number (i64.div_u (local.get $number) (i64.const 10)))
      (br_if $digits (i64.ne (local.get $number) (i64.const 0))))
    (call $ok (local.get $at) (i32.sub (i32.const 192) (local.get $at))))
  (func $count_of (param $plan i32) (param $len i32) (result i32)
    (call $count (local.get $plan) (local.get $len) (i32.const 64))
    (if (i32.load8_u (i32.const 64)) (then (return (call $err (i32.const 72)))))
    (call $ok_number (i64.load (i32.const 72))))
  (func $insert_times (param $document i32) (param $len i32) (param $times i32) (result i32)
    (loop $again
      (call $insert (i32.const 192) (i32.const 1) (local.get $document) (local.get $len) (i32.const 64))
      (if (i32.load8_u (i32.const 64)) (then (return (call $err (i32.const 68)))))
      (local.set $times (i32.sub (local.get $times) (i32.const 1)))
      (br_if $again (local.get $times)))
    (call $ok_number (i64.const 0)))
  (data (i32.const 192) "t")
  (func (export "call") (param $path i32) (param $path_len i32) (param $args i32) (param $args_len i32) (result i32)
    (if (i32.eq (local.get $path_len) (i32.const 7))
      (then (return (call $count_of (local.get $args) (local.get $args_len)))))
    (call $insert_times (local.get $args) (local.get $args_len)
      (select (i32.const MANY) (i32.const 1) (i32.eq (local.get $path_len) (i32.const 6)))))
  (func (export "describe") (result i32)
    (i32.store (i32.const 0) (i32.const 4096))
    (i32.store (i32.const 4) (i32.const MANIFEST_LEN))
    (i32.const 0))
  (data (i32.const 4096) "MANIFEST"))"#;

/// A component with the mutations `t:add` and `t:many`, which insert their arguments into the table `t` once and
/// [`MANY`] times, and the query `t:count`, whose arguments are what is to be counted.
pub fn component(schema: &Value) -> Result<Vec<u8>> {
    let function = |path: &str, kind: &str| json!({ "path": path, "kind": kind, "visibility": "public" });
    let functions =
        [function("t:add", "mutation"), function("t:many", "mutation"), function("t:count", "query")];
    let manifest = json!({ "functions": functions, "schema": schema }).to_string();
    let text = TEMPLATE
        .replace("MANY", &MANY.to_string())
        .replace("MANIFEST_LEN", &manifest.len().to_string())
        .replace("MANIFEST", &manifest.replace('"', "\\\""));
    let mut module = wat::parse_str(&text).context("the text of the module")?;
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(project::repository().join("wit"))?;
    let world = resolve.select_world(&[package], Some("guest"))?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
    ComponentEncoder::default().module(&module)?.validate(true).encode()
}
