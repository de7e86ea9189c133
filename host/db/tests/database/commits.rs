//! The committer under load and in the known traps: hot rows, write skew, lost updates, phantoms.
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use weir_value::Value;

use crate::world::{Within, World, basics, call, json as value_of, n_of, number, set_n, text};

#[test]
fn a_hot_row_adds_up_and_nobody_runs_three_times() {
    let runs: Arc<Mutex<HashMap<u64, u32>>> = Arc::default();
    let functions = {
        let runs = runs.clone();
        basics().mutation("hot:add", move |tx, args| {
            *runs.lock().unwrap().entry(number(args, "call") as u64).or_default() += 1;
            let id = text(args, "id");
            let n = n_of(tx, id)? + 1.0;
            set_n(tx, id, n)?;
            Ok(Value::from(n))
        })
    };
    let world = World::new(functions);
    let id = value_of(&world.mutate("t:insert", &json!({"n": 0})).result);
    let calls = AtomicU64::new(0);
    let mut seen: Vec<u64> = std::thread::scope(|scope| {
        let work = || {
            let mut seen = Vec::new();
            for _ in 0..250 {
                let number = calls.fetch_add(1, SeqCst);
                let outcome = world.mutate("hot:add", &json!({"id": id, "call": number}));
                seen.push(value_of(&outcome.result).as_u64().unwrap());
            }
            seen
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    seen.sort_unstable();
    assert_eq!(seen, (1..=1_000).collect::<Vec<u64>>(), "each value was given once");
    assert_eq!(value_of(&world.query("t:get", &json!({"id": id})).result), json!(1_000));
    let runs = runs.lock().unwrap();
    assert_eq!(runs.len(), 1_000);
    assert!(runs.values().all(|runs| *runs <= 2));
    let stats = world.db.stats();
    assert_eq!(stats.mutation_runs, u64::from(runs.values().sum::<u32>()) + 1);
    assert_eq!(stats.commits, 1_001);
}

#[test]
fn timestamps_follow_the_order_of_commits() {
    let world = World::new(basics());
    let id = value_of(&world.mutate("t:insert", &json!({"n": 0})).result);
    let outcomes = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let outcome = world.mutate("t:add", &json!({"id": id, "n": 1}));
                    outcomes.lock().unwrap().push((outcome.ts, value_of(&outcome.result).as_u64().unwrap()));
                }
            });
        }
    });
    let mut outcomes = outcomes.into_inner().unwrap();
    outcomes.sort_unstable();
    let values: Vec<u64> = outcomes.iter().map(|(_, value)| *value).collect();
    assert_eq!(values, (1..=150).collect::<Vec<u64>>());
    world.store.wait_durable(outcomes[149].0).unwrap();
    assert!(world.store.durable() >= outcomes[149].0);
}

#[test]
fn write_skew_is_prevented() {
    // Two doctors on call; each may leave while the other stays. Each run of the outer one lets the other leave
    // in its midst.
    let within = Within::default();
    let nested = Arc::new(AtomicBool::new(false));
    let functions = {
        let (within, nested) = (within.clone(), nested.clone());
        basics().mutation("doctors:leave", move |tx, args| {
            let batch = tx.query(br#"{"table":"t","filter":{"$eq":[{"$field":"n"},{"$literal":1}]}}"#, 0)?;
            if batch.count < 2 {
                return Ok(Value::from("stays"));
            }
            if !nested.swap(true, SeqCst) {
                let other = text(args, "other");
                let outcome =
                    within.db().mutation(&call("doctors:leave", &json!({"id": other, "other": ""})), None);
                assert_eq!(value_of(&outcome.result), json!("leaves"));
            }
            set_n(tx, text(args, "id"), 0.0)?;
            Ok(Value::from("leaves"))
        })
    };
    let world = World::new(functions);
    within.set(&world);
    let one = value_of(&world.mutate("t:insert", &json!({"n": 1})).result);
    let two = value_of(&world.mutate("t:insert", &json!({"n": 1})).result);
    let outcome = world.mutate("doctors:leave", &json!({"id": one, "other": two}));
    assert_eq!(value_of(&outcome.result), json!("stays"));
    assert_eq!(value_of(&world.query("t:get", &json!({"id": one})).result), json!(1));
    let stats = world.db.stats();
    assert_eq!((stats.conflicts, stats.serial_runs), (1, 1));
}

#[test]
fn functions_that_conflict_go_to_the_serial_lane_and_come_back() {
    let within = Within::default();
    let disturbed = Arc::new(AtomicBool::new(true));
    let serial_runs_before = Arc::new(AtomicU64::new(0));
    let functions = {
        let (within, disturbed, before) = (within.clone(), disturbed.clone(), serial_runs_before.clone());
        basics().mutation("hot:add", move |tx, args| {
            let id = text(args, "id");
            let n = n_of(tx, id)?;
            if disturbed.load(SeqCst) && within.is_optimistic(before.load(SeqCst)) {
                let outcome = within.db().mutation(&call("t:add", &json!({"id": id, "n": 0})), None);
                assert!(outcome.result.is_ok());
            }
            set_n(tx, id, n + 1.0)?;
            Ok(Value::Null)
        })
    };
    let world = World::new(functions);
    within.set(&world);
    let id = value_of(&world.mutate("t:insert", &json!({"n": 0})).result);
    let run = |calls: u32, apart: Duration| {
        let before = world.db.stats();
        for _ in 0..calls {
            world.env.advance(apart);
            serial_runs_before.store(world.db.stats().serial_runs, SeqCst);
            assert!(world.mutate("hot:add", &json!({"id": id})).result.is_ok());
        }
        let after = world.db.stats();
        (after.conflicts - before.conflicts, after.serial_runs - before.serial_runs)
    };
    // One directly after another: on two processors they would have run beside each other.
    let (conflicts, serial_runs) = run(300, Duration::ZERO);
    assert_eq!(serial_runs, 300, "each ended there");
    assert!((4..=20).contains(&conflicts), "most began there: {conflicts} conflicts");
    disturbed.store(false, SeqCst);
    run(600, Duration::from_millis(1));
    assert_eq!(run(100, Duration::ZERO), (0, 0), "quiet again");
    assert_eq!(value_of(&world.query("t:get", &json!({"id": id})).result), json!(1_000));
}

#[test]
fn reading_alone_never_conflicts_or_commits() {
    let within = Within::default();
    let functions = {
        let within = within.clone();
        basics().mutation("m:reads", move |tx, args| {
            let id = text(args, "id");
            let n = n_of(tx, id)?;
            let outcome = within.db().mutation(&call("t:add", &json!({"id": id, "n": 1})), None);
            assert!(outcome.result.is_ok());
            Ok(Value::from(n))
        })
    };
    let world = World::new(functions);
    within.set(&world);
    let inserted = world.mutate("t:insert", &json!({"n": 0}));
    let id = value_of(&inserted.result);
    let outcome = world.mutate("m:reads", &json!({"id": id}));
    assert_eq!((value_of(&outcome.result), outcome.ts), (json!(0), inserted.ts));
    assert_eq!(world.db.stats().conflicts, 0);
}

#[test]
fn a_panic_in_either_lane_leaves_the_gate_open() {
    let within = Within::default();
    let runs = Arc::new(AtomicU32::new(0));
    let functions = {
        let (within, runs) = (within.clone(), runs.clone());
        basics().mutation("p:panics", move |tx, args| {
            let id = text(args, "id");
            n_of(tx, id)?;
            set_n(tx, id, -1.0)?;
            if runs.fetch_add(1, SeqCst) == 0 {
                within.db().mutation(&call("t:add", &json!({"id": id, "n": 1})), None);
                return Ok(Value::Null);
            }
            panic!("on purpose");
        })
    };
    let world = World::new(functions);
    within.set(&world);
    let id = value_of(&world.mutate("t:insert", &json!({"n": 0})).result);
    for _ in 0..2 {
        let call = call("p:panics", &json!({"id": id}));
        assert!(catch_unwind(AssertUnwindSafe(|| world.db.mutation(&call, None))).is_err());
    }
    assert_eq!(value_of(&world.mutate("t:add", &json!({"id": id, "n": 1})).result), json!(2));
    assert_eq!(world.db.stats().serial_runs, 1, "one of the panics was there");
}

#[test]
fn tables_are_created_once_by_racing_threads() {
    let functions = basics().mutation("t:into", |tx, args| {
        let table = format!("table{}", number(args, "table"));
        Ok(Value::from(tx.insert(&table, b"{}")?))
    });
    let world = World::new(functions);
    let ids: Vec<(usize, String)> = std::thread::scope(|scope| {
        let work = || {
            let insert = |table: usize| {
                let outcome = world.mutate("t:into", &json!({"table": table}));
                (table, value_of(&outcome.result).as_str().unwrap().to_owned())
            };
            (0..20).map(insert).collect::<Vec<_>>()
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let mut numbers = HashMap::new();
    for (table, id) in &ids {
        let id: weir_value::DocumentId = id.parse().unwrap();
        assert_eq!(*numbers.entry(table).or_insert(id.table), id.table, "one number a table");
    }
    let mut distinct: Vec<u32> = numbers.values().map(|number| number.0).collect();
    distinct.sort_unstable();
    assert_eq!(distinct, (10_001..10_021).collect::<Vec<u32>>());
}
