//! Guests that call functions of other guests, in one transaction and one time.
#![expect(clippy::disallowed_methods, reason = "tests own no Env")]
mod support;

use std::time::{Duration, Instant};

use support::guests::{call, component, manifest, query};
use support::{World, source, text};
use weir_db::{MissingFunctions, Principal, Variables, Visibility};
use weir_runtime::RuntimeOptions;
use weir_value::limits::NESTED_CALLS_DEPTH_MAX;
use weir_value::{FunctionPath, Identity};

/// Calls the function whose path lies at 512 with the call's own arguments, and gives what it gives: its result, or
/// its error's message and data.
fn calls(import: &str, path: &str) -> String {
    format!(
        r#"(data (i32.const 512) "{path}")
        {}"#,
        call(&format!(
            "(call {import} (i32.const 512) (i32.const {}) (local.get $args) (local.get $args_len) (i32.const 64))
             (if (i32.load8_u (i32.const 64))
               (then (return (call $err (i32.load (i32.const 76)) (i32.load (i32.const 80))
                 (select (i32.load (i32.const 88)) (i32.const 0) (i32.load8_u (i32.const 84)))
                 (i32.load (i32.const 92))))))
             (call $ok (i32.load (i32.const 68)) (i32.load (i32.const 72)))",
            path.len()
        ))
    )
}

fn caller(kind: &str, import: &str, path: &str) -> Vec<u8> {
    component(&manifest(&[("outer:f", kind)]), &calls(import, path))
}

#[test]
fn one_module_calls_another() {
    let world = World::new();
    let inner = query("(call $ok (local.get $args) (local.get $args_len))");
    world.deploy(&[("outer", caller("query", "$run_query", "m:f")), ("inner", inner)]);
    assert_eq!(world.ask("outer:f", r#"{"a":[1,"é"]}"#).unwrap(), r#"{"a":[1,"é"]}"#);
}

#[test]
fn a_call_into_a_module_that_is_missing_says_so() {
    let world = World::new();
    let mut missing = MissingFunctions::default();
    let path = FunctionPath::parse("m:f").unwrap();
    missing.insert(path, Visibility::Public, "module `inner` is missing".into());
    let outer = source("outer", &caller("query", "$run_query", "m:f"));
    let deployment = world.runtime.load_beside(&[outer], missing, &Variables::default()).unwrap();
    assert_eq!(deployment.modules()[0].functions, [FunctionPath::parse("outer:f").unwrap()]);
    world.db.set_deployment(deployment);
    for (path, code) in [("m:f", "FunctionMissing"), ("outer:f", "ApplicationError")] {
        let error = world.ask(path, "{}").unwrap_err();
        assert_eq!(error.code, code, "{error}");
        assert!(
            error.message.contains("'m:f' is deployed but cannot run: module `inner` is missing."),
            "{error}"
        );
    }
}

#[test]
fn a_trap_below_is_an_error_above() {
    let world = World::new();
    world.deploy(&[("outer", caller("query", "$run_query", "m:f")), ("inner", query("unreachable"))]);
    let error = world.ask("outer:f", "{}").unwrap_err();
    assert_eq!(error.code, "ApplicationError");
    assert!(error.message.contains("`m:f` trapped: unreachable code"), "{}", error.message);
}

#[test]
fn a_query_below_cannot_write_through_a_mutation_above() {
    let world = World::new();
    let inner = query(
        "(call $insert (i32.const 256) (i32.const 5) (local.get $args) (local.get $args_len) (i32.const 64))
         (call $answer_string)",
    );
    world.deploy(&[("outer", caller("mutation", "$run_query", "m:f")), ("inner", inner)]);
    let error = world.mutation("outer:f", "{}").result.unwrap_err();
    assert!(error.message.contains("ReadOnly"), "{}", error.message);
}

#[test]
fn a_function_that_calls_itself_ends_at_the_limit_and_all_instances_come_back() {
    let world = World::with(RuntimeOptions { max_concurrent_calls: 1, ..RuntimeOptions::default() });
    world.deploy(&[("outer", caller("query", "$run_query", "outer:f"))]);
    for _ in 0..3 {
        let error = world.ask("outer:f", "{}").unwrap_err();
        assert!(error.message.contains(&format!("limit: {NESTED_CALLS_DEPTH_MAX}")), "{}", error.message);
    }
}

#[test]
fn the_time_of_a_call_is_that_of_all_calls_in_it() {
    let time = Duration::from_millis(200);
    let options = RuntimeOptions { call_guest_time_max: time, ..RuntimeOptions::default() };
    let world = World::with(options);
    // The outer function would call the endless one again and again.
    let again = format!(
        r#"(data (i32.const 512) "m:f") {}"#,
        call(
            "(loop $again
               (call $run_query (i32.const 512) (i32.const 3) (local.get $args) (local.get $args_len) (i32.const 64))
               (br $again))
             (i32.const 0)"
        )
    );
    let outer = component(&manifest(&[("outer:f", "query")]), &again);
    world.deploy(&[("outer", outer), ("inner", query("(loop $l (br $l)) (i32.const 0)"))]);
    let began = Instant::now();
    let error = world.ask("outer:f", "{}").unwrap_err();
    assert_eq!(error.code, "FunctionTimedOut");
    assert!(error.message.contains("`outer:f` ran out of time"), "{}", error.message);
    assert!(began.elapsed() < 10 * time, "the time was given anew: {:?}", began.elapsed());
}

#[test]
fn a_call_can_be_ended_from_within() {
    let body = r#"(data (i32.const 512) "not today{\"n\":1}")"#;
    let fail = |data: u32| {
        let instructions = format!(
            "(call $fail (i32.const 512) (i32.const 9) (i32.const {data}) (i32.const 521) (i32.const 7)) unreachable"
        );
        component(&manifest(&[("m:f", "query")]), &format!("{body} {}", call(&instructions)))
    };
    for (data, expected) in [(0, None), (1, Some(r#"{"n":1}"#))] {
        let error = World::of(fail(data)).ask("m:f", "{}").unwrap_err();
        assert_eq!(error.code, "ApplicationError");
        assert!(error.message.ends_with("not today"), "{}", error.message);
        assert_eq!(error.data.map(text).as_deref(), expected);
    }
}

#[test]
fn who_calls_is_told_and_nobody_is_nobody() {
    let component = query(
        "(call $identity (i32.const 64))
         (if (i32.load8_u (i32.const 64))
           (then (return (call $ok (i32.load (i32.const 68)) (i32.load (i32.const 72))))))
         (call $ok (local.get $args) (local.get $args_len))",
    );
    let world = World::of(component);
    assert_eq!(world.ask("m:f", "{}").unwrap(), "{}");
    let ada = r#"{"issuer":"i","subject":"ada","tokenIdentifier":"i|ada"}"#;
    let mut call = support::call("m:f", "{}");
    call.principal = Principal::User(Identity::from_json(ada.as_bytes()).unwrap());
    let outcome = world.db.query(&call, world.db.store().snapshot_sequenced());
    assert!(outcome.asked_identity);
    assert_eq!(outcome.result.map(text).unwrap(), ada);
}
