//! What well-behaved functions can do, and what they must not notice of each other.
mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use support::guests::{call, component, manifest, mutation, query};
use support::{NOW_MS, World, text};

use weir_db::Teardown;
use weir_runtime::RuntimeOptions;

const INSERT: &str = "(call $insert (i32.const 256) (i32.const 5) (local.get $args) (local.get $args_len)
    (i32.const 64))
  (call $answer_string)";

/// Reads the document of the arguments' only field, `{"id":"..."}`, in the table `items`.
const GET: &str = "(call $get (i32.const 1) (i32.const 256) (i32.const 5)
    (i32.add (local.get $args) (i32.const 7)) (i32.sub (local.get $args_len) (i32.const 9)) (i32.const 64))
  (if (i32.load8_u (i32.const 64)) (then (return (call $answer_string))))
  (if (i32.eqz (i32.load8_u (i32.const 68)))
    (then (return (call $ok (i32.const 512) (i32.const 4)))))
  (call $ok (i32.load (i32.const 72)) (i32.load (i32.const 76)))";

#[test]
fn arguments_go_in_and_come_out() {
    let world = World::of(query("(call $ok (local.get $args) (local.get $args_len))"));
    let args = r#"{"a":[1,"é\u0000",null]}"#;
    assert_eq!(world.ask("m:f", args).unwrap(), args);
}

#[test]
fn a_function_is_told_its_path() {
    let body = call("(call $ok_string (local.get $path) (local.get $path_len))");
    let functions = manifest(&[("dir/m:f", "query"), ("m:default", "query")]);
    let world = World::of(component(&functions, &body));
    assert_eq!(world.ask("dir/m:f", "{}").unwrap(), r#""dir/m:f""#);
    assert_eq!(world.ask("m", "{}").unwrap(), r#""m:default""#);
}

#[test]
fn what_is_written_is_read_by_the_same_call_and_by_later_ones() {
    let both = format!(
        r#"(data (i32.const 512) "null")
        (func $read (param $args i32) (param $args_len i32) (result i32) {GET})
        {}"#,
        // A path that ends in `d` reads, the others write.
        call(&format!(
            "(if (i32.eq (i32.const 100) (i32.load8_u (i32.sub (i32.add (local.get $path) (local.get $path_len))
                (i32.const 1))))
               (then (return (call $read (local.get $args) (local.get $args_len)))))
             {INSERT}"
        ))
    );
    let functions = manifest(&[("m:read", "query"), ("m:write", "mutation"), ("m:illegal", "query")]);
    let world = World::of(component(&functions, &both));

    let id = text(world.mutation("m:write", r#"{"n":1}"#).result.unwrap());
    let args = format!(r#"{{"id":{id}}}"#);
    let document = world.ask("m:read", &args).unwrap();
    assert!(document.contains(r#""n":1"#) && document.contains(&id), "{document}");

    // The guest passes the host's error on: a query does not write.
    let error = world.ask("m:illegal", "{}").unwrap_err();
    assert_eq!(error.code, "ApplicationError");
    assert!(error.message.contains("ReadOnly"), "{}", error.message);
    let error = world.ask("m:read", r#"{"id":"nonsense"}"#).unwrap_err();
    assert!(error.message.contains("InvalidId"), "{}", error.message);
}

#[test]
fn a_mutation_that_traps_writes_nothing() {
    let world = World::of(component(
        &manifest(&[("m:write", "mutation")]),
        &call(&format!(
            // Without arguments it traps after the write.
            "(if (i32.eq (local.get $args_len) (i32.const 2)) (then
               (drop (call $insert_and_answer (local.get $args) (local.get $args_len)))
               unreachable))
             (call $insert_and_answer (local.get $args) (local.get $args_len)))
             (func $insert_and_answer (param $args i32) (param $args_len i32) (result i32) {INSERT}"
        )),
    ));
    let commits = world.db.stats().commits;
    assert_eq!(world.mutation("m:write", "{}").result.unwrap_err().code, "FunctionTrapped");
    assert_eq!(world.db.stats().commits, commits);
    world.mutation("m:write", r#"{"n":1}"#).result.unwrap();
    assert_eq!(world.db.stats().commits, commits + 1);
}

/// Answers `"1101"` in a fresh instance, and something else in one that is not.
const COUNT: &str = "
      (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
      (i32.store (i32.const 600) (i32.add (i32.load (i32.const 600)) (i32.const 1)))
      (i32.store8 (i32.const 512) (i32.add (i32.const 48) (global.get $calls)))
      (i32.store8 (i32.const 513) (i32.add (i32.const 48) (i32.load (i32.const 600))))
      (drop (memory.grow (i32.const 3)))
      (i32.store8 (i32.const 514) (i32.add (i32.const 48) (i32.load8_u (i32.const 200000))))
      (i32.store8 (i32.const 200000) (i32.const 9))
      (i32.store8 (i32.const 515) (i32.add (i32.const 48) (table.size $table)))
      (drop (table.grow $table (ref.null func) (i32.const 1)))
      (call $ok (i32.const 512) (i32.const 4))";

#[test]
fn no_call_sees_what_another_left_in_memory() {
    let world = World::of(query(COUNT));
    for _ in 0..20 {
        assert_eq!(world.ask("m:f", "{}").unwrap(), "1101");
    }
}

/// A runtime with a place for one call, and no calls within calls.
fn narrow_world() -> World {
    let options = RuntimeOptions { max_concurrent_calls: 1, ..Default::default() };
    let world = World::with(options);
    world.deploy(&[("m", query(COUNT))]);
    world
}

#[test]
fn no_call_sees_or_lacks_what_waits_to_be_torn_down() {
    let world = narrow_world();
    for _ in 0..3 {
        let mut teardown = Teardown::default();
        for _ in 0..20 {
            assert_eq!(world.ask_before_teardown("m:f", &mut teardown).unwrap(), "1101");
        }
        drop(teardown);
        assert_eq!(world.ask("m:f", "{}").unwrap(), "1101");
    }
}

#[test]
fn an_instance_keeps_its_place_until_it_is_torn_down() {
    let world = narrow_world();
    let elsewhere = || std::thread::scope(|scope| scope.spawn(|| world.ask("m:f", "{}")).join().unwrap());
    let mut teardown = Teardown::default();
    world.ask_before_teardown("m:f", &mut teardown).unwrap();
    assert_eq!(elsewhere().unwrap_err().code, "Overloaded");
    assert_eq!(world.ask("m:f", "{}").unwrap_err().code, "Overloaded", "it is another call's, on any thread");
    std::thread::scope(|scope| scope.spawn(move || drop(teardown)).join().unwrap());
    assert_eq!(elsewhere().unwrap(), "1101");

    let panics = std::panic::AssertUnwindSafe(|| {
        let mut teardown = Teardown::default();
        world.ask_before_teardown("m:f", &mut teardown).unwrap();
        panic!("as a job may");
    });
    std::panic::catch_unwind(panics).unwrap_err();
    assert_eq!(elsewhere().unwrap(), "1101");
}

#[test]
fn a_call_knows_its_time_its_seed_and_its_request() {
    let now = "(call $ok_string (i32.const 512) (i32.const 1))";
    let clock = format!(
        "(if (f64.ne (call $now) (f64.const {NOW_MS})) (then unreachable))
         (if (f64.ne (call $now) (call $now)) (then unreachable))
         (i32.store8 (i32.const 512) (i32.const 121)) {now}"
    );
    assert_eq!(World::of(query(&clock)).ask("m:f", "{}").unwrap(), r#""y""#);

    let request = "(call $request_id (i32.const 64))
        (call $ok_string (i32.load (i32.const 64)) (i32.load (i32.const 68)))";
    assert_eq!(World::of(query(request)).ask("m:f", "{}").unwrap(), r#""r1""#);

    let seed = "(call $seed (i32.const 64)) (call $seed (i32.const 72))
        (if (i32.ne (i32.load (i32.const 68)) (i32.const 32)) (then unreachable))
        (if (i64.ne (i64.load (i32.load (i32.const 64))) (i64.load (i32.load (i32.const 72)))) (then unreachable))
        (i32.store8 (i32.const 512) (i32.add (i32.const 97)
          (i32.rem_u (i32.load (i32.load (i32.const 64))) (i32.const 26))))
        (i32.store8 (i32.const 513) (i32.add (i32.const 97)
          (i32.rem_u (i32.load (i32.add (i32.const 4) (i32.load (i32.const 64)))) (i32.const 26))))
        (call $ok_string (i32.const 512) (i32.const 2))";
    let world = World::of(query(seed));
    let seeds: std::collections::HashSet<_> = (0..10).map(|_| world.ask("m:f", "{}").unwrap()).collect();
    assert!(seeds.len() > 1, "each call has its own seed");
}

#[test]
fn an_application_error_carries_its_data() {
    let fails = r#"(call $err (i32.const 512) (i32.const 8) (i32.const 520) (i32.const 11)))
        (data (i32.const 512) "too late{\"by\":1.50}" "#;
    let error = World::of(query(fails)).ask("m:f", "{}").unwrap_err();
    assert_eq!(error.code, "ApplicationError");
    assert!(error.message.ends_with("Uncaught ConvexError: too late"), "{}", error.message);
    assert_eq!(text(error.data.unwrap()).replace("1.50", "1.5"), r#"{"by":1.5}"#);

    let fails = r#"(call $err (i32.const 512) (i32.const 8) (i32.const 0) (i32.const 0)))
        (data (i32.const 512) "too late" "#;
    let error = World::of(mutation(fails)).mutation("m:f", "{}").result.unwrap_err();
    assert!(error.message.ends_with("Uncaught Error: too late"), "{}", error.message);
    assert_eq!(error.data, None);
}

#[test]
fn log_lines_reach_the_caller_with_their_level() {
    let logs = r#"(call $log (i32.const 0) (i32.const 512) (i32.const 2))
        (call $log (i32.const 3) (i32.const 512) (i32.const 2))
        (call $ok_string (i32.const 512) (i32.const 2)))
        (data (i32.const 512) "hi" "#;
    let outcome = World::of(query(logs)).query("m:f", "{}");
    assert_eq!(outcome.log_lines, ["[DEBUG] hi", "[WARN] hi"]);
}

#[test]
fn many_threads_call_at_once() {
    let world = World::of(query("(call $ok (local.get $args) (local.get $args_len))"));
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let world = &world;
            scope.spawn(move || {
                for number in 0..200 {
                    let args = format!(r#"{{"n":"{thread}-{number}"}}"#);
                    assert_eq!(world.ask("m:f", &args).unwrap(), args);
                }
            });
        }
    });
    assert_eq!(world.runtime.stats().calls, 800);
}

#[test]
fn more_calls_than_the_runtime_is_made_for_are_refused_and_the_next_goes_through() {
    use std::sync::mpsc;
    let world = World::with(RuntimeOptions {
        max_concurrent_calls: 1,
        call_guest_time_max: std::time::Duration::from_secs(10),
        ..Default::default()
    });
    // Spins for a while for `{}`, answers at once for anything else.
    let spin = "(local $i i32)
        (if (i32.eq (local.get $args_len) (i32.const 2)) (then
          (loop $more
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $more (i32.lt_u (local.get $i) (i32.const 400000000))))))
        (call $ok (local.get $args) (local.get $args_len))";
    world.deploy(&[("m", query(spin))]);
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        let world = &world;
        scope.spawn(move || {
            // The calls below may be in its way first.
            while world.ask("m:f", "{}").is_err() {}
            sender.send(()).unwrap();
        });
        let refused = loop {
            match world.ask("m:f", r#"{"a":1}"#) {
                Err(error) => break Some(error),
                Ok(_) if receiver.try_recv().is_ok() => break None,
                Ok(_) => std::thread::yield_now(),
            }
        };
        assert_eq!(refused.expect("the second call is refused").code, "Overloaded");
    });
    assert_eq!(world.ask("m:f", r#"{"a":1}"#).unwrap(), r#"{"a":1}"#);
}

#[test]
fn a_busy_machine_takes_no_time_from_a_call() {
    // Some 50 ms of computing, of 100 that it has; with ten threads beside it on each processor that takes half a second.
    let options =
        RuntimeOptions { call_guest_time_max: Duration::from_millis(100), ..RuntimeOptions::default() };
    let body = "(local $n i32)
        (loop $again
          (local.set $n (i32.add (local.get $n) (i32.const 1)))
          (br_if $again (i32.lt_u (local.get $n) (global.get $turns))))
        (call $ok (i32.const 512) (i32.const 4))";
    let source = |turns: u64| {
        let globals = format!(
            r#"(global $turns i32 (i32.const {turns})) (data (i32.const 512) "null") {}"#,
            call(body)
        );
        component(&manifest(&[("m:f", "query")]), &globals)
    };
    let (first, mut turns) = (1_000_000, 0);
    let world = World::of(source(first));
    // How fast this machine is: the best of some.
    let took = (0..5).map(|_| cpu_time_of(|| drop(world.ask("m:f", "{}").unwrap()))).min().unwrap();
    turns += (first as f64 * 0.05 / took.as_secs_f64()) as u64;
    let world = World::with(options);
    world.deploy(&[("m", source(turns))]);
    let stop = AtomicBool::new(false);
    let processors = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|threads| {
        for _ in 0..10 * processors {
            threads.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let results: Vec<_> = (0..5).map(|_| world.ask("m:f", "{}")).collect();
        stop.store(true, Ordering::Relaxed);
        assert_eq!(results, vec![Ok("null".to_owned()); 5]);
    });
}

/// How long the thread computes for this.
fn cpu_time_of(work: impl FnOnce()) -> Duration {
    let now = || rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let began = now();
    work();
    let took = now() - began;
    Duration::new(took.tv_sec as u64, took.tv_nsec as u32)
}
