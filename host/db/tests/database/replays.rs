//! Session requests: a repetition is answered, not run.
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use serde_json::json;
use weir_db::native::NativeFunctions;
use weir_db::{LogLevel, SessionRequest};
use weir_value::Value;

use crate::world::{Within, World, basics, call, json as value_of, number};

fn request(request: u32) -> SessionRequest {
    SessionRequest { session: *b"session of tests", request }
}

/// `c:once {n}` inserts, logs, and counts its runs; it fails for n = 13 and writes nothing for n = 0.
fn counted(runs: &Arc<AtomicU32>) -> NativeFunctions {
    let runs = runs.clone();
    basics().mutation("c:once", move |tx, args| {
        let run = runs.fetch_add(1, SeqCst) + 1;
        tx.log(LogLevel::Info, &format!("run {run}"));
        match number(args, "n") {
            0.0 => Ok(Value::Null),
            13.0 => Err(weir_db::FunctionError::Application { message: "unlucky".to_owned(), data: None }),
            n => {
                tx.insert("t", format!(r#"{{"n":{n}}}"#).as_bytes())?;
                Ok(Value::from(f64::from(run)))
            }
        }
    })
}

#[test]
fn a_repetition_gets_the_first_answer() {
    let runs = Arc::default();
    let world = World::new(counted(&runs));
    let once = call("c:once", &json!({"n": 1}));
    let first = world.db.mutation(&once, Some(request(1)));
    assert!(!first.replayed);
    world.mutate("t:insert", &json!({"n": 2}));
    let second = world.db.mutation(&once, Some(request(1)));
    assert!(second.replayed);
    assert_eq!((second.ts, &second.result, &second.log_lines), (first.ts, &first.result, &first.log_lines));
    assert_eq!(first.log_lines, ["[INFO] run 1"]);
    assert_eq!((runs.load(SeqCst), world.db.stats().replays), (1, 1));
    assert_eq!(
        value_of(&world.db.mutation(&once, Some(request(2))).result),
        json!(2),
        "another request runs"
    );
    let other = SessionRequest { session: [1; 16], request: 1 };
    assert_eq!(value_of(&world.db.mutation(&once, Some(other)).result), json!(3), "another session runs");
    assert_eq!(value_of(&world.db.mutation(&once, None).result), json!(4), "no session runs");
}

#[test]
fn what_changed_nothing_runs_again() {
    for n in [13, 0] {
        let runs = Arc::default();
        let world = World::new(counted(&runs));
        let once = call("c:once", &json!({"n": n}));
        let before = world.store.sequenced();
        for _ in 0..2 {
            let outcome = world.db.mutation(&once, Some(request(1)));
            assert_eq!((outcome.result.is_ok(), outcome.replayed, outcome.ts), (n == 0, false, before));
        }
        assert_eq!(runs.load(SeqCst), 2);
    }
}

#[test]
fn records_outlive_functions_and_restarts() {
    let runs = Arc::default();
    let world = World::new(counted(&runs));
    let once = call("c:once", &json!({"n": 1}));
    let first = world.db.mutation(&once, Some(request(1)));
    let later = world.reopen(NativeFunctions::new());
    let second = later.db.mutation(&once, Some(request(1)));
    assert_eq!((second.replayed, second.ts, second.result), (true, first.ts, first.result));
    let unknown = later.db.mutation(&once, Some(request(2)));
    assert_eq!(unknown.result.unwrap_err().code, "FunctionNotFound");
}

#[test]
fn of_two_racing_repetitions_one_runs_to_its_commit() {
    let within = Within::default();
    let runs: Arc<AtomicU32> = Arc::default();
    let functions = {
        let (within, runs) = (within.clone(), runs.clone());
        basics().mutation("c:race", move |tx, _| {
            let run = runs.fetch_add(1, SeqCst) + 1;
            tx.insert("t", b"{}")?;
            if run == 1 {
                // The repetition begins and ends while the first one is in its midst.
                let inner = within.db().mutation(&call("c:race", &json!({})), Some(request(5)));
                assert_eq!((value_of(&inner.result), inner.replayed), (json!(2), false));
            }
            Ok(Value::from(f64::from(run)))
        })
    };
    let world = World::new(functions);
    within.set(&world);
    let outer = world.db.mutation(&call("c:race", &json!({})), Some(request(5)));
    assert_eq!((value_of(&outer.result), outer.replayed), (json!(2), true), "it found the record");
    let stats = world.db.stats();
    assert_eq!((runs.load(SeqCst), stats.commits, stats.conflicts, stats.replays), (2, 1, 1, 1));
}

#[test]
fn threads_that_repeat_each_other_commit_once() {
    let world = World::new(basics());
    let id = value_of(&world.mutate("t:insert", &json!({"n": 0})).result);
    let add = call("t:add", &json!({"id": id, "n": 1}));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for number in 0..100 {
                    let outcome = world.db.mutation(&add, Some(request(number)));
                    assert!(outcome.result.is_ok());
                }
            });
        }
    });
    assert_eq!(value_of(&world.query("t:get", &json!({"id": id})).result), json!(100));
    let stats = world.db.stats();
    assert_eq!((stats.commits, stats.replays), (101, 300));
}
