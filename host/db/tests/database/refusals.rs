//! A store that takes no writes: what the caller gets, and that nothing of the call is left.
use std::time::{Duration, Instant};

use serde_json::json;
use weir_db::native::NativeFunctions;
use weir_db::{LogLevel, MutationOutcome, SessionRequest};
use weir_store::StoreOptions;
use weir_store::memory::MemoryDisk;
use weir_value::{Timestamp, Value};

use crate::world::{World, basics, call, json as value_of, number};

/// Nothing here takes this long.
const PATIENCE: Duration = Duration::from_secs(20);

const REQUEST: SessionRequest = SessionRequest { session: *b"session of tests", request: 1 };

/// `t:insert` that says what it read, which must not leave with a refusal, and `t:look` that writes nothing.
fn talkative() -> NativeFunctions {
    basics()
        .mutation("t:tell", |tx, args| {
            let id = tx.insert("t", format!(r#"{{"n":{}}}"#, number(args, "n")).as_bytes())?;
            tx.log(LogLevel::Info, "a secret");
            Ok(Value::from(id))
        })
        .mutation("t:look", |_, _| Ok(Value::Null))
}

/// Mutations until one is refused. Those before it were taken while the store did not know yet.
fn mutate_until_refused(world: &World) -> MutationOutcome {
    let begun = Instant::now();
    loop {
        let outcome = world.mutate("t:tell", &json!({"n": 1}));
        if outcome.result.is_err() {
            return outcome;
        }
        assert!(begun.elapsed() < PATIENCE, "the store takes everything");
    }
}

fn check_refusal(world: &World, code: &str, advice: &str) {
    let refused = mutate_until_refused(world);
    let error = refused.result.unwrap_err();
    assert_eq!((error.code.as_str(), error.retryable), (code, true));
    assert!(error.message.contains(advice), "{}", error.message);
    assert_eq!(refused.ts, Timestamp::ZERO, "{code}: it depends on no commit, and waits for none");
    assert!(refused.log_lines.is_empty(), "{code}: {:?}", refused.log_lines);

    let (sequenced, stats) = (world.store.sequenced(), world.db.stats());
    let again = world.db.mutation(&call("t:tell", &json!({"n": 1})), Some(REQUEST));
    assert_eq!(again.result.unwrap_err().code, code);
    assert_eq!(world.store.sequenced(), sequenced, "{code}: nothing was kept");
    let later = world.db.stats();
    assert_eq!((later.refusals, later.failures), (stats.refusals + 1, stats.failures + 1));
    assert_eq!(later.commits, stats.commits);

    let looked = world.mutate("t:look", &json!({}));
    assert_eq!(value_of(&looked.result), json!(null), "{code}: who writes nothing is not refused");
    assert_eq!(looked.ts, sequenced);
}

#[test]
fn a_full_disk_refuses_until_there_is_room() {
    let disk = MemoryDisk::new();
    let world = World::on(&disk, StoreOptions::default(), talkative());
    let id = value_of(&world.mutate("t:insert", &json!({"n": 7})).result);
    world.store.wait_durable(world.store.sequenced()).unwrap();
    disk.set_capacity_bytes(Some(disk.file_bytes()));
    check_refusal(&world, "DiskFull", "free some space");
    assert_eq!(value_of(&world.query("t:get", &json!({"id": id})).result), json!(7));

    disk.set_capacity_bytes(None);
    let begun = Instant::now();
    let insert = call("t:tell", &json!({"n": 2}));
    let first = loop {
        let outcome = world.db.mutation(&insert, Some(REQUEST));
        if outcome.result.is_ok() {
            break outcome;
        }
        // The store looks at the room now and then, by this clock.
        world.env.advance(Duration::from_secs(1));
        assert!(begun.elapsed() < PATIENCE, "there is room again, and no writing");
    };
    assert!(!first.replayed, "what was refused left no record");
    world.store.wait_durable(first.ts).unwrap();
    let second = world.db.mutation(&insert, Some(REQUEST));
    assert_eq!((second.replayed, second.ts, &second.result), (true, first.ts, &first.result));
}

#[test]
fn a_store_without_room_in_memory_refuses() {
    let options = StoreOptions { memory_bytes: 0, ..StoreOptions::default() };
    let world = World::on(&MemoryDisk::new(), options, talkative());
    check_refusal(&world, "Overloaded", "again in a moment");
}

#[test]
fn a_store_that_is_closed_refuses() {
    let world = World::new(talkative());
    world.mutate("t:insert", &json!({"n": 7}));
    world.store.close();
    check_refusal(&world, "ShuttingDown", "when it has started");
}

#[test]
fn a_function_that_is_not_there_waits_for_nothing() {
    let world = World::new(talkative());
    world.mutate("t:insert", &json!({"n": 7}));
    let missing = world.mutate("t:nothing", &json!({}));
    assert_eq!(
        (missing.result.unwrap_err().code.as_str(), missing.ts),
        ("FunctionNotFound", Timestamp::ZERO)
    );
    let wrong_kind = world.mutate("t:get", &json!({}));
    assert_eq!(
        (wrong_kind.result.unwrap_err().code.as_str(), wrong_kind.ts),
        ("WrongFunctionKind", Timestamp::ZERO)
    );
    // Its failure may tell of what it read.
    let failed = world.mutate("t:add", &json!({"id": "no id", "n": 1}));
    assert_eq!((failed.result.is_err(), failed.ts), (true, world.store.sequenced()));
}
