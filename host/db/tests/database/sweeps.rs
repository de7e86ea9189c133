//! Session requests are forgotten after two weeks of running time, and never before, whatever the clock does.
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use weir_db::native::NativeFunctions;
use weir_db::{CommitError, SessionRequest};
use weir_store::memory::MemoryDisk;
use weir_store::{Env, SequenceError, StoreOptions};
use weir_value::limits::SESSION_SWEEP_STEP_ROWS;
use weir_value::{Timestamp, Value};

use crate::world::{World, basics, call, number};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Between two marks, and two sweeps of these tests, so much may pass.
const SLACK: Duration = Duration::from_secs(36 * 3600);

fn request(request: u32) -> SessionRequest {
    SessionRequest { session: *b"session of tests", request }
}

/// `r:long {n}` returns a text of that many bytes.
fn functions() -> NativeFunctions {
    basics().mutation("r:long", |tx, args| {
        tx.insert("t", b"{}")?;
        Ok(Value::String("x".repeat(number(args, "n") as usize)))
    })
}

/// Asks for something; whether that was answered from a record.
fn is_known(world: &World, number: u32) -> bool {
    let outcome = world.db.mutation(&call("t:insert", &json!({"n": 1})), Some(request(number)));
    assert!(outcome.result.is_ok());
    outcome.replayed
}

/// A whole sweep; how many records it removed.
fn sweep(world: &World) -> u64 {
    let before = world.db.stats().session_requests_swept;
    let mut pass = world.db.begin_sweep().expect("the store takes writes");
    while let Some(begun) = pass {
        pass = world.db.sweep_step(begun).expect("the store takes writes");
    }
    world.db.stats().session_requests_swept - before
}

/// The host runs for so long, and sweeps as it does so.
fn run_for(world: &World, time: Duration) {
    for _ in 0..time.as_secs() / (6 * HOUR).as_secs() {
        world.env.advance(6 * HOUR);
        sweep(world);
    }
}

fn moved(at: Timestamp, days: i64) -> Timestamp {
    let nanos = i64::try_from(at.as_nanos()).unwrap() + days * 86_400_000_000_000;
    Timestamp::from_nanos(u64::try_from(nanos).unwrap())
}

#[test]
fn a_clock_that_jumps_forward_forgets_nothing() {
    let world = World::new(functions());
    assert!(!is_known(&world, 1));
    sweep(&world);
    world.env.set_now(moved(world.env.now(), 400));
    assert!(!is_known(&world, 2));
    sweep(&world);
    run_for(&world, 14 * DAY - 6 * HOUR);
    assert!(is_known(&world, 1) && is_known(&world, 2), "almost two weeks of running");
    run_for(&world, SLACK);
    assert!(!is_known(&world, 1) && !is_known(&world, 2), "two weeks of running");
}

#[test]
fn a_clock_that_is_set_back_forgets_nothing_and_keeps_nothing_for_ever() {
    let world = World::new(functions());
    assert!(!is_known(&world, 1));
    sweep(&world);
    run_for(&world, 10 * DAY);
    world.env.set_now(moved(world.env.now(), -300));
    assert!(!is_known(&world, 2), "its timestamp is but a nanosecond after the newest");
    sweep(&world);
    run_for(&world, 4 * DAY + SLACK);
    assert!(is_known(&world, 2), "five days old");
    assert!(!is_known(&world, 1), "fifteen days old");
    run_for(&world, 10 * DAY);
    assert!(!is_known(&world, 2));
}

#[test]
fn running_time_goes_on_over_restarts_and_the_time_between_does_not_count() {
    // The clock is wrong at each start, as in a machine without a battery, and put right later.
    let wrong = Timestamp::from_nanos(1_000_000_000);
    let right = Timestamp::from_nanos(1_790_000_000_000_000_000);
    let first = World::new(functions());
    assert!(!is_known(&first, 1));
    let mut worlds = vec![first.reopen_at(wrong, functions())];
    for start in 0..7 {
        let world = &worlds[0];
        sweep(world);
        run_for(world, DAY);
        world.env.set_now(moved(right, 40 * start));
        sweep(world);
        run_for(world, 18 * HOUR);
        // The last hours are noted without a sweep, as when a host stops.
        world.env.advance(5 * HOUR);
        world.db.note_running_time().unwrap();
        let next = world.reopen_at(wrong, functions());
        worlds.insert(0, next);
    }
    assert!(is_known(&worlds[0], 1), "seven times 47 hours, in 240 days");
    run_for(&worlds[0], SLACK);
    assert!(!is_known(&worlds[0], 1));
}

#[test]
fn what_an_earlier_version_left_is_as_young_as_the_first_mark() {
    let world = World::new(functions());
    assert!(!is_known(&world, 1));
    // Nothing is noted meanwhile: by the clock the record is old when the first sweep comes.
    world.env.advance(30 * DAY);
    assert_eq!(sweep(&world), 0);
    run_for(&world, 13 * DAY);
    assert!(is_known(&world, 1));
    run_for(&world, DAY + SLACK);
    assert!(!is_known(&world, 1));
}

#[test]
fn a_damaged_record_of_the_time_begins_anew() {
    let world = World::new(functions());
    assert!(!is_known(&world, 1));
    run_for(&world, 13 * DAY);
    world.db.write_system("running-time", Bytes::from_static(b"not eight bytes, nor twenty-four")).unwrap();
    let world = world.reopen(functions());
    run_for(&world, 13 * DAY);
    assert!(is_known(&world, 1));
    run_for(&world, DAY + SLACK);
    assert!(!is_known(&world, 1));
}

#[test]
fn a_sweep_goes_by_steps_between_which_others_commit() {
    let world = World::new(functions());
    let rows = u32::try_from(SESSION_SWEEP_STEP_ROWS).unwrap();
    (0..2 * rows + 10).for_each(|number| assert!(!is_known(&world, number)));
    sweep(&world);
    world.env.advance(15 * DAY);
    assert!(!is_known(&world, 5_000));
    let mut pass = world.db.begin_sweep().unwrap();
    let mut steps = 0;
    while let Some(begun) = pass {
        let before = world.db.stats().session_requests_swept;
        pass = world.db.sweep_step(begun).unwrap();
        let removed = world.db.stats().session_requests_swept - before;
        assert!((1..=u64::from(rows)).contains(&removed), "{removed}");
        assert!(!is_known(&world, 6_000 + steps));
        steps += 1;
    }
    assert_eq!((steps, world.db.stats().session_requests_swept), (3, u64::from(2 * rows + 10)));
    assert!(is_known(&world, 5_000) && is_known(&world, 6_000) && is_known(&world, 6_002));
    assert!(!is_known(&world, 3), "a swept one runs again");
    assert_eq!(sweep(&world), 0);
}

#[test]
fn a_step_does_not_load_large_results_without_bound() {
    let world = World::new(functions());
    let long = call("r:long", &json!({"n": 550_000}));
    for number in 0..12 {
        assert!(world.db.mutation(&long, Some(request(number))).result.is_ok());
    }
    sweep(&world);
    world.env.advance(15 * DAY);
    let pass = world.db.begin_sweep().unwrap().expect("there is something to do");
    assert!(world.db.sweep_step(pass).unwrap().is_some());
    assert_eq!(world.db.stats().session_requests_swept, 8);
}

#[test]
fn of_two_sweeps_none_removes_what_came_after_the_other() {
    let world = World::new(functions());
    assert!(!is_known(&world, 1));
    sweep(&world);
    world.env.advance(15 * DAY);
    let [one, two] = [(); 2].map(|()| world.db.begin_sweep().unwrap().expect("there is something to do"));
    assert!(world.db.sweep_step(one).unwrap().is_none());
    assert!(!is_known(&world, 1), "it runs again");
    assert!(world.db.sweep_step(two).unwrap().is_none());
    assert!(is_known(&world, 1), "and its new record stays");
}

#[test]
fn a_full_disk_puts_a_sweep_off() {
    let disk = MemoryDisk::new();
    let world = World::on(&disk, StoreOptions::default(), functions());
    assert!(!is_known(&world, 1));
    sweep(&world);
    world.env.advance(15 * DAY);
    world.store.wait_durable(world.store.sequenced()).unwrap();
    disk.set_capacity_bytes(Some(disk.file_bytes()));
    let begun = std::time::Instant::now();
    let refused = loop {
        match world.db.begin_sweep() {
            Ok(_) => assert!(begun.elapsed() < Duration::from_secs(20), "the disk does not fill"),
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, CommitError::Sequence(SequenceError::DiskFull)), "{refused}");
    disk.set_capacity_bytes(None);
    while world.db.begin_sweep().is_err() {
        // The store looks at the room now and then, by this clock.
        world.env.advance(Duration::from_secs(1));
        assert!(begun.elapsed() < Duration::from_secs(20), "there is room again");
    }
    assert_eq!(sweep(&world), 1, "no running time is lost meanwhile");
    assert!(!is_known(&world, 1));
}
