//! Guests written by hand in WebAssembly text, made into components here: these tests need no toolchain.
//!
//! [`component`] puts a `call` body and a manifest into a module with an allocator and the world's imports.
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The world that the host speaks.
pub const WORLD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit");

/// The canonical ABI's view of `weir:guest` 0.1.0. Memory: below 64 the result of `call`, 64..128 the result of a host
/// call, 256 the word "items", 512.. constants of the test, 4096.. the manifest, 16384.. what `cabi_realloc` gives.
const TEMPLATE: &str = r#"
(module
  (import "weir:guest/db@0.1.0" "get" (func $get (param i32 i32 i32 i32 i32 i32)))
  (import "weir:guest/db@0.1.0" "insert" (func $insert (param i32 i32 i32 i32 i32)))
  (import "weir:guest/context@0.1.0" "now" (func $now (result f64)))
  (import "weir:guest/context@0.1.0" "random-seed" (func $seed (param i32)))
  (import "weir:guest/context@0.1.0" "request-id" (func $request_id (param i32)))
  (import "weir:guest/context@0.1.0" "identity" (func $identity (param i32)))
  (import "weir:guest/calls@0.1.0" "run-query" (func $run_query (param i32 i32 i32 i32 i32)))
  (import "weir:guest/calls@0.1.0" "run-mutation" (func $run_mutation (param i32 i32 i32 i32 i32)))
  (import "weir:guest/exit@0.1.0" "fail" (func $fail (param i32 i32 i32 i32 i32)))
  (import "weir:guest/log@0.1.0" "write" (func $log (param i32 i32 i32)))
  (memory (export "memory") 2)
  (table $table 1 funcref)
  (global $free (mut i32) (i32.const 16384))
  (global $calls (mut i32) (i32.const 0))
  (func $realloc (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.set $free (i32.add (local.get $at) (local.get 3)))
    (block $fits
      (br_if $fits (i32.le_u (global.get $free) (i32.shl (memory.size) (i32.const 16))))
      (br_if $fits (i32.ne (i32.const -1)
        (memory.grow (i32.add (i32.const 1) (i32.shr_u (local.get 3) (i32.const 16))))))
      unreachable)
    (if (local.get 1) (then (memory.copy (local.get $at) (local.get 0) (local.get 1))))
    (local.get $at))
  ;; The result `ok` with the bytes at $at.
  (func $ok (param $at i32) (param $len i32) (result i32)
    (i32.store8 (i32.const 0) (i32.const 0))
    (i32.store (i32.const 4) (local.get $at))
    (i32.store (i32.const 8) (local.get $len))
    (i32.const 0))
  ;; The result `err` with a message and, if $data is not 0, data.
  (func $err (param $at i32) (param $len i32) (param $data i32) (param $data_len i32) (result i32)
    (i32.store8 (i32.const 0) (i32.const 1))
    (i32.store (i32.const 4) (local.get $at))
    (i32.store (i32.const 8) (local.get $len))
    (i32.store8 (i32.const 12) (i32.ne (local.get $data) (i32.const 0)))
    (i32.store (i32.const 16) (local.get $data))
    (i32.store (i32.const 20) (local.get $data_len))
    (i32.const 0))
  ;; The result `ok` with the bytes at $at as a JSON string. They need no escapes.
  (func $ok_string (param $at i32) (param $len i32) (result i32)
    (local $text i32)
    (local.set $text
      (call $realloc (i32.const 0) (i32.const 0) (i32.const 1) (i32.add (local.get $len) (i32.const 2))))
    (i32.store8 (local.get $text) (i32.const 34))
    (memory.copy (i32.add (local.get $text) (i32.const 1)) (local.get $at) (local.get $len))
    (i32.store8 (i32.add (local.get $text) (i32.add (local.get $len) (i32.const 1))) (i32.const 34))
    (call $ok (local.get $text) (i32.add (local.get $len) (i32.const 2))))
  ;; What a host call left at 64: its string as JSON, or a failure with the code of its error.
  (func $answer_string (result i32)
    (if (i32.load8_u (i32.const 64))
      (then (return (call $err (i32.load (i32.const 68)) (i32.load (i32.const 72)) (i32.const 0) (i32.const 0)))))
    (call $ok_string (i32.load (i32.const 68)) (i32.load (i32.const 72))))
  (data (i32.const 256) "items")
  (func (export "describe") (result i32)
    (i32.store (i32.const 0) (i32.const 4096))
    (i32.store (i32.const 4) (i32.const MANIFEST_LEN))
    (i32.const 0))
  (data (i32.const 4096) "MANIFEST")
  BODY
)"#;

/// A manifest with public functions of these paths and kinds, `("m:f", "query")`.
pub fn manifest(functions: &[(&str, &str)]) -> String {
    let functions: Vec<_> = functions
        .iter()
        .map(|(path, kind)| format!(r#"{{"path":"{path}","kind":"{kind}","visibility":"public"}}"#))
        .collect();
    format!(r#"{{"functions":[{}]}}"#, functions.join(","))
}

/// The core module of a guest. `body` holds the function exported as `call`, `(param i32 i32 i32 i32) (result i32)`:
/// path and arguments, each a pointer and a length.
pub fn core_module(manifest: &str, body: &str) -> Vec<u8> {
    core_module_of(TEMPLATE, manifest, body)
}

fn core_module_of(template: &str, manifest: &str, body: &str) -> Vec<u8> {
    let text = template
        .replace("MANIFEST_LEN", &manifest.len().to_string())
        .replace("MANIFEST", &manifest.replace('"', "\\\""))
        .replace("BODY", body);
    wat::parse_str(&text).expect("the test's WebAssembly text")
}

/// A component of a manifest and a body, see [`core_module`].
pub fn component(manifest: &str, body: &str) -> Vec<u8> {
    component_of(core_module(manifest, body))
}

/// The same, of a guest that can read variables with `$get_variable` and `$variable_names`, and that does this when it
/// is asked for its manifest.
pub fn component_with_variables(manifest: &str, in_describe: &str, body: &str) -> Vec<u8> {
    let imports = r#"(module
  (import "weir:guest/variables@0.1.0" "get" (func $get_variable (param i32 i32 i32)))
  (import "weir:guest/variables@0.1.0" "names" (func $variable_names (param i32)))"#;
    let describe = r#"(func (export "describe") (result i32)"#;
    let template =
        TEMPLATE.replacen("(module", imports, 1).replace(describe, &format!("{describe} {in_describe}"));
    component_of(core_module_of(&template, manifest, body))
}

/// A component of these functions, whose guest can ask for `$hash_password`, `$verify_password`, `$random_bytes` and
/// `$digest`, and does `in_describe` when it is asked for its manifest.
pub fn component_with_crypto(functions: &[(&str, &str)], in_describe: &str, body: &str) -> Vec<u8> {
    let imports = r#"
  (import "weir:guest/crypto@0.1.0" "hash-password" (func $hash_password (param i32 i32 i32)))
  (import "weir:guest/crypto@0.1.0" "verify-password" (func $verify_password (param i32 i32 i32 i32 i32)))
  (import "weir:guest/crypto@0.1.0" "random-bytes" (func $random_bytes (param i32 i32)))
  (import "weir:guest/crypto@0.1.0" "digest" (func $digest (param i32 i32 i32 i32 i32)))"#;
    component_with(imports, functions, in_describe, body)
}

/// As [`component_with_crypto`], of a guest that can `$sign`, `$derive_bits` and `$generate_key`.
pub fn component_with_keys(functions: &[(&str, &str)], in_describe: &str, body: &str) -> Vec<u8> {
    let imports = r#"
  (import "weir:guest/web-crypto@0.1.0" "sign" (func $sign (param i32 i32 i32 i32 i32 i32 i32)))
  (import "weir:guest/web-crypto@0.1.0" "derive-bits"
    (func $derive_bits (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "weir:guest/web-crypto@0.1.0" "generate-key" (func $generate_key (param i32 i32 i32)))"#;
    component_with(imports, functions, in_describe, body)
}

/// A component of one action, `m:f`, or HTTP action if `kind` says so, whose guest can use `$sleep`, `$wait`, `$poll`,
/// `$cancel`, `$create`, `$read`, `$write` and `$respond`, and what there is to do with stored files. It does this for the arguments `{}`, and gives all others back.
pub fn action(kind: &str, instructions: &str) -> Vec<u8> {
    let imports = r#"
  (import "weir:guest/tasks@0.1.0" "sleep" (func $sleep (param f64 i32)))
  (import "weir:guest/tasks@0.1.0" "wait" (func $wait (param i32)))
  (import "weir:guest/tasks@0.1.0" "poll" (func $poll (param i32 f64) (result i32)))
  (import "weir:guest/tasks@0.1.0" "cancel" (func $cancel (param i32)))
  (import "weir:guest/streams@0.1.0" "create" (func $create (param i32)))
  (import "weir:guest/streams@0.1.0" "read" (func $read (param i32 i32)))
  (import "weir:guest/streams@0.1.0" "write" (func $write (param i32 i32 i32 i32)))
  (import "weir:guest/http@0.1.0" "respond" (func $respond (param i32 i32 i32 i32 i32 i32)))
  (import "weir:guest/storage@0.1.0" "get-url" (func $file_url (param i32 i32 i32)))
  (import "weir:guest/storage@0.1.0" "get-metadata" (func $file_metadata (param i32 i32 i32)))
  (import "weir:guest/storage@0.1.0" "delete" (func $delete_file (param i32 i32 i32)))
  (import "weir:guest/storage@0.1.0" "store" (func $store (param i32 i32 i32 i32 i32 i32)))
  (import "weir:guest/storage@0.1.0" "get" (func $get_file (param i32 i32 i32)))"#;
    component_with(imports, &[("m:f", kind)], "", &in_hostile_call(instructions))
}

fn component_with(imports: &str, functions: &[(&str, &str)], in_describe: &str, body: &str) -> Vec<u8> {
    let describe = r#"(func (export "describe") (result i32)"#;
    let template = TEMPLATE
        .replacen("(module", &format!("(module{imports}"), 1)
        .replace(describe, &format!("{describe} {in_describe}"));
    component_of(core_module_of(&template, &manifest(functions), body))
}

/// The same, of a guest that can ask for `$intl_run` and `$intl_compare`.
pub fn component_with_intl(functions: &[(&str, &str)], in_describe: &str, body: &str) -> Vec<u8> {
    let imports = r#"(module
  (import "weir:guest/intl@0.1.0" "run" (func $intl_run (param i32 i32 i32 i32 i32 i32 i32)))
  (import "weir:guest/intl@0.1.0" "compare" (func $intl_compare (param i32 i32 i32 i32 i32 i32 i32)))"#;
    let describe = r#"(func (export "describe") (result i32)"#;
    let template =
        TEMPLATE.replacen("(module", imports, 1).replace(describe, &format!("{describe} {in_describe}"));
    component_of(core_module_of(&template, &manifest(functions), body))
}

fn component_of(mut module: Vec<u8>) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(WORLD).expect("the WIT of the world");
    let world = resolve.select_world(&[package], Some("guest")).expect("the world");
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("a core module");
    encode(&module)
}

/// A component of a core module that carries its world.
pub fn encode(module: &[u8]) -> Vec<u8> {
    ComponentEncoder::default().module(module).expect("a module").validate(true).encode().expect("a guest")
}

/// A component whose only function, the query `m:f`, has this as its instructions.
pub fn query(instructions: &str) -> Vec<u8> {
    component(&manifest(&[("m:f", "query")]), &call(instructions))
}

/// A query that does this for the arguments `{}`, and gives all others back.
pub fn hostile(instructions: &str) -> Vec<u8> {
    component(&manifest(&[("m:f", "query")]), &in_hostile_call(instructions))
}

fn in_hostile_call(instructions: &str) -> String {
    call(&format!(
        "(local $i i32) (local $at i32)
         (if (i32.ne (local.get $args_len) (i32.const 2))
           (then (return (call $ok (local.get $args) (local.get $args_len)))))
         {instructions}"
    ))
}

/// The same as [`query`], as a mutation.
pub fn mutation(instructions: &str) -> Vec<u8> {
    component(&manifest(&[("m:f", "mutation")]), &call(instructions))
}

/// A `call` of these instructions.
pub fn call(instructions: &str) -> String {
    format!(
        r#"(func (export "call") (param $path i32) (param $path_len i32) (param $args i32) (param $args_len i32)
             (result i32) {instructions})"#
    )
}

/// What a hostile guest does, and how its call ends: with this code, and a message that has this text.
pub struct Case {
    pub name: &'static str,
    pub instructions: &'static str,
    pub code: &'static str,
    pub text: &'static str,
}

pub const fn case(
    name: &'static str,
    instructions: &'static str,
    code: &'static str,
    text: &'static str,
) -> Case {
    Case { name, instructions, code, text }
}
