//! Power failures at every sync of a recorded workload: every image opens, and holds a prefix of the commits
//! that includes all that were durable.

mod fixture;

use std::sync::Arc;

use fixture::*;
use parking_lot::Mutex;
use weir_store::memory::{CrashImage, MemoryBase, MemoryDisk, Stepper, open_stepped_on};
use weir_store::{Commit, CommitGroup, Env, GroupObserver, SimEnv, Store, Write};

/// Notes how many syncs were asked for when each group was announced.
struct Announcements {
    disk: MemoryDisk,
    seen: Mutex<Vec<(u64, weir_store::Timestamp)>>,
}

impl GroupObserver for Announcements {
    fn group_durable(&self, group: &CommitGroup) {
        self.seen.lock().push((self.disk.sync_count(), group.last_ts()));
    }
}

/// A seeded choice.
struct Dice(SimEnv);

impl Dice {
    fn below(&self, bound: u64) -> u64 {
        let mut word = [0; 8];
        self.0.fill_random(&mut word);
        u64::from_le_bytes(word) % bound
    }
}

fn some_writes(dice: &Dice) -> Vec<Write> {
    let one = |_| {
        let key = format!("k{}", dice.below(20));
        if dice.below(5) == 0 {
            delete(key)
        } else {
            set(key, vec![dice.below(256) as u8; dice.below(60) as usize])
        }
    };
    (0..=dice.below(4)).map(one).collect()
}

/// Runs the same workload on every disk: groups of commits, flushes and checkpoints in between. Returns the
/// commits.
fn run_workload(store: &dyn Store, stepper: &Stepper, seed: u64) -> Vec<Commit> {
    let dice = Dice(SimEnv::new(seed, ts(0)));
    let mut commits = Vec::new();
    for _ in 0..120 {
        match dice.below(10) {
            0 => stepper.flush(),
            1 => store.checkpoint().unwrap(),
            2..6 => assert!(stepper.write_group() || store.durable() == store.sequenced()),
            _ => {
                let writes = some_writes(&dice);
                commits.push(Commit { ts: commit(store, &writes), writes, touched: Vec::new() });
            }
        }
    }
    commits
}

struct Recording {
    base: MemoryBase,
    disk: MemoryDisk,
    commits: Vec<Commit>,
    announced: Vec<(u64, weir_store::Timestamp)>,
}

/// The workload on a disk that freezes after `syncs`.
fn record(base: MemoryBase, seed: u64, syncs: u64) -> Recording {
    let disk = MemoryDisk::new();
    disk.freeze_at_sync(syncs);
    let (store, stepper) = open_stepped_on(base, &disk, small_options(), env()).unwrap();
    let announcements = Arc::new(Announcements { disk: disk.clone(), seen: Mutex::default() });
    store.observe(announcements.clone());
    let commits = run_workload(&*store, &stepper, seed);
    let announced = announcements.seen.lock().clone();
    Recording { base, disk, commits, announced }
}

/// Opens the image and checks what it holds; returns how many commits.
fn check(recording: &Recording, image: &MemoryDisk, syncs: u64, what: &str) -> usize {
    let (store, stepper) = open_stepped_on(recording.base, image, small_options(), env())
        .unwrap_or_else(|error| panic!("{what}: {error}"));
    let held = store.durable();
    let answered = recording.announced.iter().rfind(|(at, _)| *at <= syncs).map_or(ts(0), |(_, last)| *last);
    assert!(held >= answered, "{what}: up to {held:?}, and {answered:?} was answered");
    let count = recording.commits.iter().filter(|commit| commit.ts <= held).count();
    assert_eq!(dump(&store.snapshot_durable()), model(&recording.commits[..count]), "{what}: not a prefix");
    // It goes on, and what it makes durable stays.
    commit(&*store, &[set("after", "the crash")]);
    assert!(stepper.write_group(), "{what}");
    store.checkpoint().unwrap();
    let rows = dump(&store.snapshot_durable());
    let (again, _) = open_stepped_on(recording.base, &image.image(), small_options(), env()).unwrap();
    assert_eq!(dump(&again.snapshot_durable()), rows, "{what}: after one more start");
    count
}

#[test]
fn every_image_opens_and_holds_a_prefix_with_all_that_was_answered() {
    let runs = (0..6).map(|seed| (MemoryBase::Rows, seed)).chain([(MemoryBase::Redb, 0)]);
    for (base, seed) in runs {
        let total = record(base, seed, u64::MAX).disk.sync_count();
        assert!(total > 30, "the workload syncs often");
        let mut counts = Vec::new();
        // redb is slower to open, and syncs more often.
        let (step, torn_images) = if base == MemoryBase::Redb { (4, 3) } else { (1, 8) };
        for syncs in (0..=total).step_by(step) {
            let recording = record(base, seed, syncs);
            for image in [CrashImage::Synced, CrashImage::Written] {
                let what = format!("{base:?}, seed {seed}, frozen after {syncs} of {total} syncs, {image:?}");
                counts.push(check(&recording, &recording.disk.crash(image), syncs, &what));
            }
            for torn in 0..torn_images {
                let what =
                    format!("{base:?}, seed {seed}, frozen after {syncs} of {total} syncs, torn {torn}");
                check(&recording, &recording.disk.crash(CrashImage::Torn { seed: torn }), syncs, &what);
            }
        }
        assert_eq!(counts.iter().min(), Some(&0));
        assert!(counts.iter().max() > Some(&10), "the workload commits something");
    }
}

/// A file's length may stop short of the seal's end: of all that a power failure leaves of the step from one segment to
/// the next, nothing may count as damage.
#[test]
fn a_seal_that_was_interrupted_is_written_again() {
    let record = |syncs: u64| {
        let disk = MemoryDisk::new();
        disk.freeze_at_sync(syncs);
        let mut announced = 0;
        for n in 0..4 {
            let opened = open_stepped_on(MemoryBase::Rows, &disk, small_options(), env());
            let (store, stepper) = opened.unwrap();
            let held = store.snapshot_durable();
            commit(&*store, &[set(format!("k{n}"), vec![n; 700])]);
            assert!(stepper.write_group());
            announced += usize::from(disk.sync_count() <= syncs);
            // Gives back what was allocated behind the last record, and leaves it to the log what is in it.
            store.close();
            drop(held);
        }
        (disk, announced)
    };
    let total = record(u64::MAX / 2).0.sync_count();
    for (syncs, seed) in (0..=total).flat_map(|syncs| (0..60).map(move |seed| (syncs, seed))) {
        let (disk, announced) = record(syncs);
        let what = format!("frozen after {syncs} of {total} syncs, torn {seed}");
        let image = disk.crash(CrashImage::Torn { seed });
        for start in 0..2 {
            let opened = open_stepped_on(MemoryBase::Rows, &image, small_options(), env());
            let (store, _) = opened.unwrap_or_else(|error| panic!("{what}, start {start}: {error}"));
            assert!(dump(&store.snapshot_durable()).len() >= announced, "{what}, start {start}");
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let [one, two] = [(); 2].map(|()| record(MemoryBase::Rows, 3, u64::MAX));
    assert_eq!(
        (one.disk.sync_count(), one.announced, &one.commits),
        (two.disk.sync_count(), two.announced, &two.commits)
    );
    assert_eq!(one.disk.file_names(), two.disk.file_names());
}

#[test]
fn crashes_while_recovering_do_no_harm_either() {
    for base in [MemoryBase::Rows, MemoryBase::Redb] {
        crash_while_recovering(base);
    }
}

fn crash_while_recovering(base: MemoryBase) {
    let recording = record(base, 1, 25);
    let mut syncs_most = 0;
    for torn in 0..8 {
        let image = recording.disk.crash(CrashImage::Torn { seed: torn });
        let total = {
            let disk = image.image();
            open_stepped_on(base, &disk, small_options(), env()).map(drop).unwrap();
            disk.sync_count()
        };
        syncs_most = syncs_most.max(total);
        let seeds = if base == MemoryBase::Redb { 2 } else { 8 };
        for (syncs, seed) in (0..=total).flat_map(|syncs| (0..seeds).map(move |seed| (syncs, seed))) {
            let disk = image.image();
            disk.freeze_at_sync(syncs);
            drop(open_stepped_on(base, &disk, small_options(), env()));
            let what = format!("image {torn}, recovery cut off after {syncs} of {total} syncs");
            check(&recording, &disk.crash(CrashImage::Torn { seed }), 25, &what);
        }
    }
    assert!(syncs_most >= 2, "some image has a torn end to cut");
}
