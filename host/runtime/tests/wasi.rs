//! Guests whose toolchain brings WASI along: they find a world without files, time and chance, and what they print is
//! logged.
#![expect(clippy::disallowed_methods, reason = "tests own no Env")]
mod support;

use support::guests::{WORLD, encode, manifest};
use support::{NOW_MS, World};
use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// As much of WASI 0.2 as these guests import.
const WASI: &str = "
package test:wasi;
world wasi-guest {
  import wasi:clocks/wall-clock@0.2.0;
  import wasi:clocks/monotonic-clock@0.2.0;
  import wasi:random/random@0.2.0;
  import wasi:cli/environment@0.2.0;
  import wasi:cli/exit@0.2.0;
  import wasi:cli/stdout@0.2.0;
  import wasi:cli/stderr@0.2.0;
  import wasi:io/poll@0.2.0;
  import wasi:io/streams@0.2.0;
  import wasi:filesystem/preopens@0.2.0;
  include weir:guest/guest@0.1.0;
}
package wasi:clocks@0.2.0 {
  interface wall-clock {
    record datetime { seconds: u64, nanoseconds: u32 }
    now: func() -> datetime;
  }
  interface monotonic-clock {
    use wasi:io/poll@0.2.0.{pollable};
    now: func() -> u64;
    subscribe-duration: func(when: u64) -> pollable;
  }
}
package wasi:random@0.2.0 { interface random { get-random-u64: func() -> u64; } }
package wasi:cli@0.2.0 {
  interface environment { get-environment: func() -> list<tuple<string, string>>; }
  interface exit { exit: func(status: result); }
  interface stdout { use wasi:io/streams@0.2.0.{output-stream}; get-stdout: func() -> output-stream; }
  interface stderr { use wasi:io/streams@0.2.0.{output-stream}; get-stderr: func() -> output-stream; }
}
package wasi:io@0.2.0 {
  interface error { resource error; }
  interface poll { resource pollable { block: func(); } }
  interface streams {
    use error.{error};
    variant stream-error { last-operation-failed(error), closed }
    resource output-stream {
      blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>;
    }
  }
}
package wasi:filesystem@0.2.0 {
  interface types { resource descriptor; }
  interface preopens { use types.{descriptor}; get-directories: func() -> list<tuple<descriptor, string>>; }
}";

/// A guest with WASI's imports, whose query `m:f` has these instructions. Memory as in `support::guests`.
fn wasi_guest(instructions: &str) -> Vec<u8> {
    let manifest = manifest(&[("m:f", "query")]);
    let text = format!(
        r#"(module
          (import "wasi:clocks/wall-clock@0.2.0" "now" (func $wall_now (param i32)))
          (import "wasi:clocks/monotonic-clock@0.2.0" "now" (func $monotonic_now (result i64)))
          (import "wasi:clocks/monotonic-clock@0.2.0" "subscribe-duration" (func $after (param i64) (result i32)))
          (import "wasi:io/poll@0.2.0" "[method]pollable.block" (func $block (param i32)))
          (import "wasi:random/random@0.2.0" "get-random-u64" (func $random (result i64)))
          (import "wasi:cli/environment@0.2.0" "get-environment" (func $environment (param i32)))
          (import "wasi:cli/exit@0.2.0" "exit" (func $exit (param i32)))
          (import "wasi:cli/stdout@0.2.0" "get-stdout" (func $stdout (result i32)))
          (import "wasi:cli/stderr@0.2.0" "get-stderr" (func $stderr (result i32)))
          (import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-write-and-flush"
            (func $print (param i32 i32 i32 i32)))
          (import "wasi:filesystem/preopens@0.2.0" "get-directories" (func $folders (param i32)))
          (import "weir:guest/context@0.1.0" "now" (func $now (result f64)))
          (import "weir:guest/log@0.1.0" "write" (func $log (param i32 i32 i32)))
          (memory (export "memory") 1)
          (global $free (mut i32) (i32.const 16384))
          (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
            (global.set $free (i32.add (global.get $free) (i32.const 4096))) (global.get $free))
          (func (export "describe") (result i32)
            (i32.store (i32.const 0) (i32.const 4096)) (i32.store (i32.const 4) (i32.const {len})) (i32.const 0))
          (data (i32.const 4096) "{manifest}")
          (data (i32.const 512) "one\ntwo\nrest")
          (data (i32.const 640) "true")
          (func (export "call") (param i32 i32 i32 i32) (result i32)
            {instructions}
            (i32.store8 (i32.const 0) (i32.const 0))
            (i32.store (i32.const 4) (i32.const 640))
            (i32.store (i32.const 8) (i32.const 4))
            (i32.const 0)))"#,
        len = manifest.len(),
        manifest = manifest.replace('"', "\\\""),
    );
    let mut module = wat::parse_str(&text).expect("the test's WebAssembly text");
    let mut resolve = Resolve::default();
    resolve.push_dir(WORLD).expect("the WIT of the world");
    let package = resolve.push_str("wasi.wit", WASI).expect("the test's WIT");
    let world = resolve.select_world(&[package], None).expect("its world");
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("a core module");
    encode(&module)
}

/// What the call logs, and how it ends.
fn run(instructions: &str) -> (Vec<String>, Result<String, String>) {
    let outcome = World::of(wasi_guest(instructions)).query("m:f", "{}");
    let result = outcome.result.map(support::text).map_err(|error| error.message);
    (outcome.log_lines, result)
}

#[test]
fn both_clocks_stand_still_at_the_calls_beginning() {
    let (_, result) = run(&format!(
        "(call $wall_now (i32.const 64))
         (if (i64.ne (i64.load (i32.const 64)) (i64.const {seconds})) (then unreachable))
         (if (i32.ne (i32.load (i32.const 72)) (i32.const {nanos})) (then unreachable))
         (if (i64.ne (call $monotonic_now) (call $monotonic_now)) (then unreachable))",
        seconds = NOW_MS / 1_000,
        nanos = NOW_MS % 1_000 * 1_000_000,
    ));
    assert_eq!(result.unwrap(), "true");
}

#[test]
fn to_wait_for_an_hour_takes_no_time() {
    let began = std::time::Instant::now();
    let (_, result) = run("(call $block (call $after (i64.const 3600000000000)))");
    assert_eq!(result.unwrap(), "true");
    assert!(began.elapsed() < std::time::Duration::from_secs(60));
}

#[test]
fn there_is_no_environment_and_there_are_no_folders() {
    let (_, result) = run("(call $environment (i32.const 64)) (call $folders (i32.const 72))
        (if (i32.load (i32.const 68)) (then unreachable))
        (if (i32.load (i32.const 76)) (then unreachable))");
    assert_eq!(result.unwrap(), "true");
}

#[test]
fn random_numbers_differ_within_a_call() {
    let (_, result) = run("(if (i64.eq (call $random) (call $random)) (then unreachable))");
    assert_eq!(result.unwrap(), "true");
}

#[test]
fn what_is_printed_is_logged_in_order() {
    let (lines, result) = run("
        (call $print (call $stdout) (i32.const 512) (i32.const 12) (i32.const 64))
        (call $print (call $stderr) (i32.const 512) (i32.const 4) (i32.const 64))
        (call $log (i32.const 1) (i32.const 640) (i32.const 4))
        (call $print (call $stdout) (i32.const 512) (i32.const 2) (i32.const 64))");
    assert_eq!(result.unwrap(), "true");
    assert_eq!(lines, ["[LOG] one", "[LOG] two", "[ERROR] one", "[INFO] true", "[LOG] reston"]);
}

#[test]
fn what_is_printed_before_a_trap_is_its_reason() {
    let (lines, result) = run("
        (call $print (call $stderr) (i32.const 512) (i32.const 3) (i32.const 64))
        unreachable");
    assert_eq!(lines, ["[ERROR] one"]);
    assert!(result.unwrap_err().ends_with("trapped: one"));
}

#[test]
fn an_exit_ends_the_call_and_not_the_host() {
    for (status, code) in [(0, 0), (1, 1)] {
        let (_, result) = run(&format!("(call $exit (i32.const {status}))"));
        let message = result.unwrap_err();
        assert!(message.ends_with(&format!("exit code {code}")), "{message}");
    }
}
