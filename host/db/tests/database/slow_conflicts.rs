//! A slow function that conflicts has the gate for a part of the time, and commits all the same.
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use serde_json::{Value as Json, json};
use weir_store::SimEnv;
use weir_value::Value;

use crate::world::{Within, World, basics, call, json as value_of, n_of, set_n, text};

const RUN: Duration = Duration::from_millis(100);

struct Slow {
    world: World,
    id: Json,
    /// In so many of its next runs that are optimistic, somebody writes what it has read.
    disturbed: Arc<AtomicU64>,
}

impl Slow {
    fn new() -> Slow {
        let (within, disturbed) = (Within::default(), Arc::new(AtomicU64::new(0)));
        let clock: Arc<std::sync::OnceLock<Arc<SimEnv>>> = Arc::default();
        let serial_runs = Arc::new(AtomicU64::new(0));
        let functions = {
            let (within, clock) = (within.clone(), Arc::clone(&clock));
            let (disturbed, serial_runs) = (Arc::clone(&disturbed), Arc::clone(&serial_runs));
            basics().mutation("slow:add", move |tx, args| {
                let id = text(args, "id");
                let n = n_of(tx, id)?;
                clock.get().expect("set below").advance(RUN);
                let before = serial_runs.swap(within.db().stats().serial_runs, SeqCst);
                let is_disturbed = disturbed.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok();
                if is_disturbed && within.is_optimistic(before) {
                    let args = json!({"id": id, "n": 1000});
                    value_of(&within.db().mutation(&call("t:add", &args), None).result);
                }
                set_n(tx, id, n + 1.0)?;
                Ok(Value::from(n + 1.0))
            })
        };
        let world = World::new(functions);
        within.set(&world);
        assert!(clock.set(world.env.clone()).is_ok());
        let id = value_of(&world.mutate("t:insert", &json!({"n": 0})).result);
        Slow { world, id, disturbed }
    }

    /// Calls it, disturbed so often; gives its runs without the gate and behind it.
    fn add(&self, disturbed: u64) -> (u64, u64) {
        self.disturbed.store(disturbed, SeqCst);
        let before = self.world.db.stats();
        value_of(&self.world.mutate("slow:add", &json!({"id": self.id})).result);
        let after = self.world.db.stats();
        let own_runs = after.mutation_runs - before.mutation_runs - (after.conflicts - before.conflicts);
        let serial = after.serial_runs - before.serial_runs;
        (own_runs - serial, serial)
    }
}

#[test]
fn after_a_long_turn_its_calls_try_without_the_gate_until_others_have_had_their_time() {
    let slow = Slow::new();
    assert_eq!(slow.add(1), (1, 1), "nobody has had a long turn");
    // Others are to have 300 ms; three runs without the gate take as long.
    assert_eq!(slow.add(u64::MAX), (3, 1));
    assert_eq!(slow.add(2), (3, 0), "the third run meets nobody");
    slow.world.env.advance(3 * RUN);
    assert_eq!(slow.add(u64::MAX), (1, 1));
    let n = value_of(&slow.world.query("t:get", &json!({"id": slow.id})).result).as_f64().unwrap() as u64;
    assert_eq!(
        (n % 1000, n / 1000),
        (4, 1 + 3 + 2 + 1),
        "each call counts once, and so does who disturbed it"
    );
}

#[test]
fn it_comes_to_an_end_though_others_never_have_had_their_time() {
    let slow = Slow::new();
    slow.add(1);
    // A long turn of somebody else's has just ended, whatever that was.
    for _ in 0..3 {
        let (without, behind) = slow.add(u64::MAX);
        assert!(without <= 8 && behind == 1, "{without} and {behind}");
    }
}

#[test]
fn a_slow_function_that_often_conflicts_is_not_behind_the_gate_at_once() {
    let slow = Slow::new();
    for _ in 0..40 {
        slow.add(u64::MAX);
    }
    slow.world.env.advance(3 * RUN);
    assert_eq!(slow.add(0), (1, 0));
}
