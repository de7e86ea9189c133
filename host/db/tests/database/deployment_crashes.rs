//! The process ends, or the power, at every sync of some deployments: what is found at the next start is sound, one of
//! the deployments is in force, whole, and a new one succeeds.
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use serde_json::{Value as Json, json};
use weir_db::Database;
use weir_store::memory::{CrashImage, MemoryDisk, Stepper, open_stepped};
use weir_store::{SimEnv, StoreOptions};
use weir_value::Timestamp;

use crate::schemas::{Declared, finish, functions, indexes, n_is, whole};
use crate::world::World;

const DOCUMENTS: u32 = 90;

/// What is in force in the beginning.
fn first() -> Declared {
    indexes(&[("by", &["n"])]).documents(n_is("number"))
}

/// Replaces an index, adds two, one of them staged, and has all documents checked.
fn second() -> Declared {
    let stricter = json!({ "type": "object", "value": {
        "n": { "fieldType": { "type": "number" }, "optional": false },
        "k": { "fieldType": { "type": "number" }, "optional": false },
    } });
    indexes(&[("by", &["k", "n"]), ("by_n", &["n"])]).staged(&[("later", &["k"])]).documents(stricter)
}

/// A world whose store is stepped by hand.
struct Stepped {
    world: World,
    stepper: Stepper,
}

/// Each life of the host has a time and random numbers of its own.
fn open(disk: &MemoryDisk, life: u64) -> Stepped {
    let now = Timestamp::from_nanos(1_790_000_000_000_000_000 + life * 1_000_000_000);
    let env = Arc::new(SimEnv::new(life, now));
    let options = StoreOptions {
        segment_bytes: 8 * 1024,
        log_room_bytes: 0,
        disk_reserve_bytes: 0,
        ..StoreOptions::default()
    };
    let (store, stepper) = open_stepped(disk, options, env.clone()).expect("a store");
    let db = Database::open(store.clone(), env.clone()).expect("a database");
    Stepped { world: World { db, env, store }, stepper }
}

impl Stepped {
    fn write(&self) {
        while self.stepper.write_group() {}
    }

    /// All of a deployment, each commit a group of its own.
    fn deploy(&self, declared: &Declared, number: u32, between: impl Fn(u32)) {
        let mut prepared = self.world.prepare(declared);
        self.write();
        let mut steps = 0;
        while prepared.step(&self.world.db).expect("all documents fit") {
            self.write();
            between(steps);
            self.write();
            steps += 1;
        }
        self.world.put_in_force(&prepared, number).expect("nothing hinders it");
        self.write();
    }

    fn maintain(&self) {
        while self.world.db.maintain_indexes().expect("the store takes writes") {
            self.write();
        }
    }
}

/// A disk with documents and the first deployment.
fn begun() -> MemoryDisk {
    let disk = MemoryDisk::new();
    let begun = open(&disk, 1);
    begun.world.db.set_deployment(Arc::new(functions(0)));
    (0..DOCUMENTS).for_each(|n| drop(begun.world.insert(&json!({ "n": n, "k": n % 7 }))));
    begun.deploy(&first(), 1, |_| {});
    begun.world.store.checkpoint().expect("a checkpoint");
    disk.image()
}

/// What a disk is after some deployments, and what was durable after how many syncs.
struct Recording {
    disk: MemoryDisk,
    /// Numbers of deployments, by syncs.
    in_force: Vec<(u64, u64)>,
    /// All syncs.
    syncs: u64,
}

/// The same deployments each time, on a disk that freezes after so many syncs.
fn record(begun: &MemoryDisk, syncs: u64) -> Recording {
    let disk = begun.image();
    let stepped = open(&disk, 2);
    let world = &stepped.world;
    world.db.set_deployment(Arc::new(functions(1)));
    let ids: Vec<String> =
        world.rows(&whole(None)).unwrap().iter().map(|row| row["_id"].as_str().unwrap().to_owned()).collect();
    disk.freeze_at_sync(disk.sync_count() + syncs);
    let mut recording = Recording { disk: disk.clone(), in_force: vec![(0, 1)], syncs: 0 };
    let from = disk.sync_count();
    let in_force = |recording: &mut Recording, number: u64| {
        recording.in_force.push((disk.sync_count() - from, number));
    };
    stepped.deploy(&second(), 2, |step| {
        let at = step as usize;
        world.insert(&json!({ "n": 1_000 + step, "k": step }));
        world.patch(&ids[at], &json!({ "n": 2_000 + step }));
        world.delete(&ids[ids.len() - 1 - at]);
        match step {
            1 => stepped.stepper.flush(),
            2 => world.store.checkpoint().expect("a checkpoint"),
            _ => {}
        }
    });
    in_force(&mut recording, 2);
    stepped.maintain();
    let mut abandoned = world.prepare(&first());
    stepped.write();
    finish(world, &mut abandoned);
    stepped.write();
    world.db.abandon(abandoned).expect("the store takes writes");
    stepped.write();
    stepped.maintain();
    stepped.deploy(&indexes(&[]), 4, |_| {});
    in_force(&mut recording, 4);
    stepped.maintain();
    recording.syncs = disk.sync_count() - from;
    recording
}

fn numbers(rows: &[Json], field: &str) -> Vec<i64> {
    rows.iter().map(|row| row[field].as_f64().expect("a number") as i64).collect()
}

/// Of the deployment that is in force everything is in force, and of the others nothing.
fn assert_whole(world: &World, number: u64) {
    let rows = |index: &str| world.rows(&whole(Some(index)));
    match number {
        1 => {
            world.assert_holds_all("by");
            assert!(numbers(&rows("by").unwrap(), "n").is_sorted());
            assert!(world.try_insert(&json!({ "n": "text" })).is_err());
            world.insert(&json!({ "n": 1, "k": 1 }));
        }
        2 => {
            world.assert_holds_all("by");
            world.assert_holds_all("by_n");
            assert!(numbers(&rows("by").unwrap(), "k").is_sorted());
            assert!(numbers(&rows("by_n").unwrap(), "n").is_sorted());
            assert!(rows("later").is_err());
            assert!(world.try_insert(&json!({ "n": 1 })).is_err());
            world.insert(&json!({ "n": 1, "k": 1 }));
        }
        4 => ["by", "by_n", "later"].iter().for_each(|index| assert!(rows(index).is_err())),
        other => panic!("no deployment has the number {other}"),
    }
    if number == 1 {
        assert!(rows("by_n").is_err());
    }
}

/// Opens what a crash has left, and checks it; gives the number of the deployment that is in force.
fn check(image: &MemoryDisk, at_least: u64, deploys_again: bool) -> u64 {
    let Stepped { world, .. } = open(image, 3);
    world.assert_sound();
    let record = world.db.read_system("deployment").unwrap().expect("a deployment is recorded");
    let number: u64 = std::str::from_utf8(&record).unwrap().parse().unwrap();
    assert!(number >= at_least, "{number} is in force, and {at_least} was answered");
    world.db.set_deployment(Arc::new(functions(number as u32)));
    assert_whole(&world, number);
    world.assert_sound();
    let documents = world.rows(&whole(None)).unwrap().len() as u64;
    if deploys_again {
        world.deploy(&second(), 5).unwrap();
        assert_whole(&world, 2);
        world.maintain();
        world.assert_indexes(3, 3 * (documents + 1));
    } else {
        world.deploy(&indexes(&[]), 5).unwrap();
        assert_whole(&world, 4);
        world.maintain();
        world.assert_indexes(0, 0);
    }
    assert_eq!(world.number(), json!(5));
    number
}

#[test]
fn whatever_a_crash_leaves_is_one_deployment_and_another_succeeds() {
    let begun = begun();
    let total = record(&begun, u64::MAX / 2).syncs;
    assert!(total > 20, "{total} syncs");
    let mut seen = Vec::new();
    for syncs in 0..=total {
        let Recording { disk, in_force, .. } = record(&begun, syncs);
        let (_, at_least) =
            *in_force.iter().rfind(|(at, _)| *at <= syncs).expect("the first was there before");
        let images = [CrashImage::Synced, CrashImage::Written, CrashImage::Torn { seed: syncs }];
        for (at, image) in (0..).zip(images) {
            let checked =
                catch_unwind(AssertUnwindSafe(|| check(&disk.crash(image), at_least, (syncs + at) % 2 == 0)));
            seen.push(checked.unwrap_or_else(|_| panic!("frozen after {syncs} of {total} syncs, {image:?}")));
        }
    }
    for number in [1, 2, 4] {
        assert!(seen.iter().filter(|seen| **seen == number).count() > 5, "{number} is seen often: {seen:?}");
    }
}
