//! Guests that do what they should not: each ends its own call with an error that says why, and the next call works.
#![expect(clippy::disallowed_methods, reason = "tests own no Env")]
mod support;

use std::time::{Duration, Instant};

use support::World;
use support::guests::{Case, case, component, hostile, manifest};
use weir_runtime::RuntimeOptions;

/// `$i` and `$at` are locals; helpers of the template are in `support::guests`.
const CASES: &[Case] = &[
    case("unreachable", "unreachable", "FunctionTrapped", "unreachable code was reached"),
    case(
        "a panic with a message",
        r#"(call $log (i32.const 4) (i32.const 512) (i32.const 12)) unreachable)
           (data (i32.const 512) "panic: seven""#,
        "FunctionTrapped",
        "trapped: panic: seven",
    ),
    case(
        "an endless loop",
        "(loop $more (br $more)) unreachable",
        "FunctionTimedOut",
        "computed for longer than 0.1 s",
    ),
    case(
        "an endless loop of host calls",
        "(loop $more (call $log (i32.const 0) (i32.const 0) (i32.const 0)) (br $more)) unreachable",
        "TooManyHostCalls",
        "host",
    ),
    case(
        "an endless recursion",
        "(call $deep (i32.const 0)))
         (func $deep (param i32) (result i32) (i32.add (i32.const 1) (call $deep (local.get 0)))",
        "FunctionTrapped",
        "call stack of 12288 KiB overflowed",
    ),
    case(
        "memory without end",
        "(loop $more (br_if $more (i32.ne (i32.const -1) (memory.grow (i32.const 16))))) unreachable",
        "OutOfMemory",
        "64 MiB of memory",
    ),
    case(
        "memory without end, written to, in an allocator",
        "(loop $more
           (local.set $at (call $realloc (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 1000000)))
           (memory.fill (local.get $at) (i32.const 7) (i32.const 1000000))
           (br $more))
         unreachable",
        "OutOfMemory",
        "64 MiB of memory",
    ),
    case(
        "a table without end",
        "(loop $more (br_if $more
           (i32.ne (i32.const -1) (table.grow $table (ref.null func) (i32.const 9999))))) unreachable",
        "TooManyTableElements",
        "100000 table elements",
    ),
    case("a wild pointer", "(i32.load (i32.const -8))", "FunctionTrapped", "out of bounds memory access"),
    case(
        "a division by zero",
        "(i32.div_u (i32.const 1) (i32.const 0))",
        "FunctionTrapped",
        "divide by zero",
    ),
    case(
        "a call through an empty table",
        "(call_indirect $table (result i32) (i32.const 0))",
        "FunctionTrapped",
        "uninitialized element",
    ),
    case(
        "a result one byte too large",
        "(drop (memory.grow (i32.const 320))) (call $ok (i32.const 0) (i32.const 16777217))",
        "ResultTooLarge",
        "16 MiB",
    ),
    case(
        "a result far too large",
        "(drop (memory.grow (i32.const 800))) (call $ok (i32.const 0) (i32.const 50000000))",
        "ResultTooLarge",
        "16 MiB",
    ),
    case(
        "a result outside of memory",
        "(call $ok (i32.const -64) (i32.const 128))",
        "FunctionTrapped",
        "out of bounds of memory",
    ),
    case(
        "a result of no JSON",
        "(call $ok (i32.const 256) (i32.const 5))",
        "InvalidResult",
        "`m:f` did not return",
    ),
    case("an empty result", "(call $ok (i32.const 256) (i32.const 0))", "InvalidResult", "did not return"),
    case(
        "a result of broken UTF-8",
        r#"(call $ok (i32.const 512) (i32.const 4))) (data (i32.const 512) "\22\ff\fe\22""#,
        "InvalidResult",
        "did not return",
    ),
    case(
        "a result that is neither ok nor err",
        "(i32.store8 (i32.const 0) (i32.const 9)) (i32.const 0)",
        "FunctionTrapped",
        "component model",
    ),
    case("a result at an odd address", "(i32.const 3)", "FunctionTrapped", "component model"),
    case(
        "an error message of broken UTF-8",
        r#"(call $err (i32.const 512) (i32.const 2) (i32.const 0) (i32.const 0))) (data (i32.const 512) "\ff\fe""#,
        "FunctionTrapped",
        "component model",
    ),
    case(
        "a log line of broken UTF-8",
        r#"(call $log (i32.const 2) (i32.const 512) (i32.const 2)) unreachable) (data (i32.const 512) "\ff\fe""#,
        "FunctionTrapped",
        "component model",
    ),
    case(
        "a log level that there is not",
        "(call $log (i32.const 99) (i32.const 256) (i32.const 5)) unreachable",
        "FunctionTrapped",
        "component model",
    ),
    case(
        "a document of half the memory",
        "(drop (memory.grow (i32.const 800)))
         (call $insert (i32.const 256) (i32.const 5) (i32.const 0) (i32.const 50000000) (i32.const 64))
         unreachable",
        "ResultTooLarge",
        "pass to the host at once",
    ),
    case(
        "an allocator that gives what is not there",
        "(global.set $free (i32.const -4096)) (call $seed (i32.const 64)) unreachable",
        "FunctionTrapped",
        "component model",
    ),
];

fn options() -> RuntimeOptions {
    RuntimeOptions {
        max_concurrent_calls: 2,
        call_guest_time_max: Duration::from_millis(100),
        ..RuntimeOptions::default()
    }
}

#[test]
fn each_ends_its_own_call_with_a_reason() {
    ends_its_own_call(World::with);
}

#[test]
fn each_ends_its_own_call_where_instances_are_reused() {
    ends_its_own_call(World::reusing);
}

fn ends_its_own_call(world: fn(RuntimeOptions) -> World) {
    for Case { name, instructions, code, text } in CASES {
        // Counting a hundred thousand calls takes longer than an endless loop needs to be found.
        let call_guest_time_max =
            if *code == "FunctionTimedOut" { options().call_guest_time_max } else { Duration::from_secs(20) };
        let world = world(RuntimeOptions { call_guest_time_max, ..options() });
        world.deploy(&[("m", hostile(instructions))]);
        for _ in 0..2 {
            let error = world.ask("m:f", "{}").expect_err(name);
            assert_eq!(error.code, *code, "{name}: {}", error.message);
            assert!(error.message.contains(text), "{name}: {}", error.message);
            assert!(error.message.contains("`m:f`"), "{name}: {}", error.message);
            assert_eq!(world.ask("m:f", r#"{"a":1}"#).unwrap(), r#"{"a":1}"#, "after {name}");
        }
        assert_eq!(world.runtime.stats().calls, 4, "{name}");
    }
}

#[test]
fn what_ended_calls_is_counted() {
    let world = World::with(options());
    world.deploy(&[("m", hostile("unreachable"))]);
    world.ask("m:f", "{}").unwrap_err();
    world.deploy(&[("m", hostile("(loop $more (br $more)) unreachable"))]);
    world.ask("m:f", "{}").unwrap_err();
    world.deploy(&[("m", hostile("(drop (memory.grow (i32.const 4096))) unreachable"))]);
    world.ask("m:f", "{}").unwrap_err();
    world.ask("m:f", r#"{"a":1}"#).unwrap();
    let stats = world.runtime.stats();
    assert_eq!((stats.calls, stats.traps, stats.timeouts, stats.limits), (4, 1, 1, 1));
}

#[test]
fn an_endless_loop_ends_soon_after_its_time_and_holds_up_nobody() {
    let world = World::with(options());
    world.deploy(&[("m", hostile("(loop $more (br $more)) unreachable"))]);
    let began = Instant::now();
    std::thread::scope(|scope| {
        let looping = scope.spawn(|| world.ask("m:f", "{}").unwrap_err());
        let mut calls = 0;
        while !looping.is_finished() {
            world.ask("m:f", r#"{"a":1}"#).unwrap();
            calls += 1;
        }
        assert!(calls > 0, "no call went through beside the loop");
    });
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(100) && took < Duration::from_secs(10), "{took:?}");
}

#[test]
fn a_guest_that_lives_with_a_refused_growth_goes_on() {
    let world = World::with(options());
    world.deploy(&[(
        "m",
        hostile(
            r#"(if (i32.ne (i32.const -1) (memory.grow (i32.const 60000))) (then unreachable))
               (call $ok (i32.const 512) (i32.const 4))) (data (i32.const 512) "true""#,
        ),
    )]);
    assert_eq!(world.ask("m:f", "{}").unwrap(), "true");
}

#[test]
fn a_flood_of_log_lines_is_cut() {
    let world = World::with(RuntimeOptions { call_guest_time_max: Duration::from_secs(10), ..options() });
    world.deploy(&[(
        "m",
        hostile(
            "(loop $more
               (call $log (i32.const 2) (i32.const 0) (i32.const 65536))
               (local.set $i (i32.add (local.get $i) (i32.const 1)))
               (br_if $more (i32.lt_u (local.get $i) (i32.const 1000))))
             (call $ok_string (i32.const 256) (i32.const 5))",
        ),
    )]);
    let outcome = world.query("m:f", "{}");
    assert!(outcome.result.is_ok());
    assert_eq!(outcome.log_lines.len(), 257);
    assert!(outcome.log_lines.iter().all(|line| line.len() <= 4096));
}

#[test]
fn hostile_calls_beside_good_ones_harm_none() {
    let bodies: Vec<_> = CASES.iter().filter(|case| case.code != "TooManyHostCalls").collect();
    let world = World::with(RuntimeOptions { max_concurrent_calls: 4, ..options() });
    std::thread::scope(|scope| {
        let world = &world;
        let good = world.load(&[("good", hostile("unreachable"))]).expect("a module that loads");
        world.db.set_deployment(good);
        for half in bodies.chunks(bodies.len().div_ceil(2)) {
            scope.spawn(move || {
                for case in half {
                    // Loaded and described, then left: the calls go to the module above.
                    drop(world.load(&[("m", hostile(case.instructions))]).expect(case.name));
                    assert_eq!(world.ask("m:f", "{}").unwrap_err().code, "FunctionTrapped");
                    assert_eq!(world.ask("m:f", r#"{"a":1}"#).unwrap(), r#"{"a":1}"#);
                }
            });
        }
    });
}

#[test]
fn describe_has_the_limits_of_a_call_and_no_database() {
    let body = r#"(func (export "call") (param i32 i32 i32 i32) (result i32) unreachable)"#;
    let with_start = |start: &str| {
        component(&manifest(&[("m:f", "query")]), &format!("{body} (func $start {start}) (start $start)"))
    };
    let cases = [
        ("(loop $more (br $more))", "computed for longer than"),
        ("unreachable", "unreachable code"),
        ("(drop (memory.grow (i32.const 60000))) unreachable", "64 MiB"),
    ];
    let world = World::with(options());
    for (start, expected) in cases {
        let error = world.load(&[("bad", with_start(start))]).unwrap_err().to_string();
        assert!(error.contains("`bad`") && error.contains(expected), "{start}: {error}");
    }
}
