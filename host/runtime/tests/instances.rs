//! Instances that serve one call after another: each call finds them as they were made, or gets a new one.
mod support;

use support::World;
use support::guests::{call, component, manifest, query};
use weir_runtime::RuntimeOptions;

/// Answers `"fresh"` if the globals, the memory and what is far behind the data are as at the beginning, and changes all
/// of it; `"stale"` if not.
const CHANGE_ALL: &str = r#"
  (if (i32.or (i32.or
        (i32.ne (global.get $i32) (i32.const -7))
        (i64.ne (global.get $i64) (i64.const 0x7766554433221100)))
      (i32.or
        (f32.ne (global.get $f32) (f32.const 1.5))
        (i64.ne (i64.reinterpret_f64 (global.get $f64)) (i64.const 0x7ff8000000000123))))
    (then (return (call $ok (i32.const 519) (i32.const 7)))))
  (if (i32.or (i32.load (i32.const 600)) (i32.load (i32.const 131068)))
    (then (return (call $ok (i32.const 519) (i32.const 7)))))
  (global.set $i32 (i32.const 1))
  (global.set $i64 (i64.const 2))
  (global.set $f32 (f32.const 3))
  (global.set $f64 (f64.const 4))
  (i32.store (i32.const 600) (i32.const 5))
  (i32.store (i32.const 131068) (i32.const 6))"#;

const GLOBALS: &str = r#"
  (global $i32 (export "i32") (mut i32) (i32.const -7))
  (global $i64 (mut i64) (i64.const 0x7766554433221100))
  (global $f32 (mut f32) (f32.const 1.5))
  (global $f64 (mut f64) (f64.const nan:0x8000000000123))
  (data (i32.const 512) "\"fresh\"\"stale\"")"#;

/// A query that changes all that it can, does this, and tells what it has found.
fn changes_all(and: &str) -> Vec<u8> {
    let body = call(&format!("{CHANGE_ALL} {and} (call $ok (i32.const 512) (i32.const 7))"));
    component(&manifest(&[("m:f", "query")]), &format!("{GLOBALS} {body}"))
}

/// How many of some calls began in an instance that had served one before, after each has found a fresh one.
fn reused(world: &World, calls: u64) -> u64 {
    let before = world.runtime.stats();
    for _ in 0..calls {
        assert_eq!(world.ask("m:f", "{}").unwrap(), r#""fresh""#);
    }
    let after = world.runtime.stats();
    let (made, reused) =
        (after.instances_made - before.instances_made, after.instances_reused - before.instances_reused);
    assert_eq!(made + reused, calls);
    reused
}

#[test]
fn an_instance_is_set_back_for_the_next_call() {
    let world = World::of(changes_all(""));
    assert_eq!(reused(&world, 1_000), 999);
}

#[test]
fn threads_have_instances_of_their_own() {
    let world = World::with(RuntimeOptions { max_concurrent_calls: 8, ..RuntimeOptions::default() });
    world.deploy(&[("m", changes_all(""))]);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..500 {
                    assert_eq!(world.ask("m:f", "{}").unwrap(), r#""fresh""#);
                }
            });
        }
    });
    let stats = world.runtime.stats();
    // One for `describe` is not counted: it serves no call.
    assert!(stats.instances_made <= 8, "{stats:?}");
}

#[test]
fn what_cannot_be_set_back_serves_one_call() {
    let other_state = [
        "(table.set $table (i32.const 0) (ref.null func))",
        "(drop (table.grow $table (ref.null func) (i32.const 1)))",
        "(table.fill $table (i32.const 0) (ref.null func) (i32.const 1))",
        "(drop (memory.grow (i32.const 1)))",
    ];
    for change in other_state {
        assert_eq!(reused(&World::of(changes_all(change)), 20), 0, "{change}");
    }
}

#[test]
fn segments_that_code_drops_are_there_for_each_call() {
    let body = call(
        "(memory.init $passive (i32.const 700) (i32.const 0) (i32.const 7)) (data.drop $passive)
        (call $ok (i32.const 700) (i32.const 7))",
    );
    let passive = r#"(data $passive "\"fresh\"")"#;
    let world = World::of(component(&manifest(&[("m:f", "query")]), &format!("{passive} {body}")));
    assert_eq!(reused(&world, 20), 0);
}

#[test]
fn a_function_that_fails_leaves_nothing_and_one_that_traps_no_instance() {
    let fails = changes_all("(if (i32.gt_u (local.get $args_len) (i32.const 2)) (then
        (if (i32.eq (i32.load8_u (i32.add (local.get $args) (i32.const 2))) (i32.const 116)) (then unreachable))
        (return (call $err (i32.const 256) (i32.const 5) (i32.const 0) (i32.const 0)))))");
    let world = World::of(fails);
    assert_eq!(reused(&world, 10), 9);
    let error = world.ask("m:f", r#"{"f":1}"#).unwrap_err();
    assert!(error.message.ends_with("Uncaught Error: items"), "{}", error.message);
    assert_eq!(reused(&world, 10), 10);
    assert_eq!(world.ask("m:f", r#"{"t":1}"#).unwrap_err().code, "FunctionTrapped");
    assert_eq!(reused(&world, 10), 9, "the one that trapped is gone");
}

#[test]
fn an_instance_is_not_kept_from_one_version_for_the_next() {
    let world = World::of(changes_all(""));
    assert_eq!(reused(&world, 10), 9);
    let other = query(
        r#"(i32.store (i32.const 512) (i32.const 0x20202031)) (call $ok (i32.const 512) (i32.const 1))"#,
    );
    world.deploy(&[("m", other)]);
    assert_eq!(world.ask("m:f", "{}").unwrap(), "1");
}

/// Each call may have as much memory as the first one, and no more.
#[test]
fn the_limit_of_memory_is_the_same_for_all_calls() {
    let options = RuntimeOptions { call_memory_bytes_max: 4 << 16, ..RuntimeOptions::default() };
    let world = World::with(options);
    let grow = |pages: u32| {
        format!(
            r#"(if (i32.lt_u (i32.const 2) (local.get $args_len)) (then
                 (i32.store8 (i32.const 512) (i32.add (i32.const 48)
                   (i32.ne (i32.const -1) (memory.grow (i32.const {pages})))))
                 (return (call $ok (i32.const 512) (i32.const 1)))))
               (i32.store8 (i32.const 512) (i32.const 57)) (call $ok (i32.const 512) (i32.const 1))"#
        )
    };
    for (pages, grows) in [(2, "1"), (3, "0")] {
        world.deploy(&[("m", query(&grow(pages)))]);
        for _ in 0..5 {
            assert_eq!(world.ask("m:f", "{}").unwrap(), "9");
            assert_eq!(world.ask("m:f", r#"{"grow":1}"#).unwrap(), grows);
        }
    }
}

/// Counts the calls that its instance has served, in a global and in memory; or ends in the way that its arguments say.
fn counts() -> Vec<u8> {
    let body = call(
        r#"(local $at i32)
        (if (i32.gt_u (local.get $args_len) (i32.const 2)) (then
          (local.set $at (i32.load8_u (i32.add (local.get $args) (i32.const 2))))
          (if (i32.eq (local.get $at) (i32.const 116)) (then unreachable))
          (if (i32.eq (local.get $at) (i32.const 103)) (then
            (drop (memory.grow (i32.const 3)))
            (return (call $ok (i32.const 512) (i32.const 1)))))
          (return (call $err (i32.const 256) (i32.const 5) (i32.const 0) (i32.const 0)))))
        (global.set $served (i32.add (global.get $served) (i32.const 1)))
        (i32.store8 (i32.const 512) (i32.add (i32.const 1) (i32.load8_u (i32.const 512))))
        (if (i32.ne (i32.add (i32.const 48) (global.get $served)) (i32.load8_u (i32.const 512))) (then unreachable))
        (call $ok (i32.const 512) (i32.const 1))"#,
    );
    let state = r#"(global $served (mut i32) (i32.const 0)) (data (i32.const 512) "0")"#;
    component(&manifest(&[("m:f", "query")]), &format!("{state} {body}"))
}

#[test]
fn a_module_may_have_its_instances_used_again_as_they_are() {
    let world = World::reusing(RuntimeOptions::default());
    world.deploy(&[("m", counts())]);
    let next = || world.ask("m:f", "{}").unwrap();
    assert_eq!([next(), next(), next()], ["1", "2", "3"]);
    // A failure of any kind ends it.
    assert!(world.ask("m:f", r#"{"f":1}"#).unwrap_err().message.ends_with("Uncaught Error: items"));
    assert_eq!([next(), next()], ["1", "2"]);
    assert_eq!(world.ask("m:f", r#"{"t":1}"#).unwrap_err().code, "FunctionTrapped");
    assert_eq!([next(), next()], ["1", "2"]);
    // Without its asking, each call is the first.
    let world = World::of(counts());
    assert_eq!(world.ask("m:f", "{}").unwrap(), "1");
    assert_eq!(world.ask("m:f", "{}").unwrap(), "1");
}

#[test]
fn an_instance_that_has_taken_half_of_what_a_call_may_have_is_not_used_again() {
    for (pages_max, again) in [(16, "3"), (6, "1")] {
        let world = World::reusing(RuntimeOptions {
            call_memory_bytes_max: pages_max << 16,
            ..RuntimeOptions::default()
        });
        world.deploy(&[("m", counts())]);
        assert_eq!(world.ask("m:f", "{}").unwrap(), "1");
        assert_eq!(world.ask("m:f", "{}").unwrap(), "2");
        assert_eq!(world.ask("m:f", r#"{"g":1}"#).unwrap(), "2");
        assert_eq!(world.ask("m:f", "{}").unwrap(), again, "{pages_max} pages");
    }
}
