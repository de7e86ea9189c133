//! A full disk, a disk that fails, observers that misbehave, stores that are closed.
#![expect(clippy::disallowed_methods, reason = "tests own no Env")]

mod fixture;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use fixture::*;
use parking_lot::Mutex;
use weir_store::memory::{CrashImage, MemoryBase, MemoryDisk, open, open_stepped, open_stepped_on};
use weir_store::{
    CommitGroup, Env, FatalHandler, GroupObserver, RealEnv, SequenceError, SimEnv, Store, StoreClosed,
    StoreOptions, Timestamp,
};

/// Options whose fatal handler writes down what it was told.
fn watched_options() -> (StoreOptions, Arc<Mutex<Vec<String>>>) {
    let reasons: Arc<Mutex<Vec<String>>> = Arc::default();
    let sink = Arc::clone(&reasons);
    let on_fatal = FatalHandler::new(move |reason| sink.lock().push(reason.to_owned()));
    (StoreOptions { on_fatal, ..small_options() }, reasons)
}

#[test]
fn a_failed_sync_is_fatal_and_nothing_is_answered_after_it() {
    let disk = MemoryDisk::new();
    let (options, reasons) = watched_options();
    let store = open(&disk, options, env()).unwrap();
    let first = commit(&*store, &[set("a", "1")]);
    store.wait_durable(first).unwrap();
    disk.fail_from_sync(disk.sync_count() + 1);
    let second = commit(&*store, &[set("b", "2")]);
    assert_eq!(store.wait_durable(second), Err(StoreClosed));
    assert_eq!(store.durable(), first);
    assert_eq!(try_commit(&*store, &[set("c", "3")]), Err(SequenceError::Closed));
    assert_eq!(store.checkpoint(), Err(StoreClosed));
    store.close();
    let reasons = reasons.lock();
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    assert!(
        reasons[0].contains("syncing of the log file") && reasons[0].contains("00000000000000000001.log"),
        "{reasons:?}"
    );
    let (store, _) = open_stepped(&disk.image(), small_options(), env()).unwrap();
    assert_eq!(store.durable(), first);
}

#[test]
fn a_failed_sync_of_the_base_is_fatal_too() {
    let disk = MemoryDisk::new();
    let (options, reasons) = watched_options();
    let (store, stepper) = open_stepped(&disk, options, env()).unwrap();
    commit(&*store, &[set("a", "1")]);
    stepper.write_group();
    disk.fail_from_sync(disk.sync_count() + 1);
    assert_eq!(store.checkpoint(), Err(StoreClosed));
    assert!(reasons.lock()[0].contains("syncing the base failed"), "{reasons:?}");
    let (store, _) = open_stepped(&disk.image(), small_options(), env()).unwrap();
    assert_eq!(dump(&store.snapshot_durable()).len(), 1);
}

/// What a full disk is looked at again after.
const ROOM_CHECK: Duration = Duration::from_millis(300);

#[test]
fn a_full_disk_refuses_new_commits_and_writes_the_old_ones_when_there_is_room() {
    let disk = MemoryDisk::new();
    let env = Arc::new(SimEnv::new(7, ts(1_000)));
    let (store, stepper) = open_stepped(&disk, small_options(), env.clone()).unwrap();
    let first = commit(&*store, &[set("a", vec![1; 50])]);
    assert!(stepper.write_group());
    let used = disk.file_bytes();
    disk.set_capacity_bytes(Some(used + 100));
    // Whoever steps by hand may sequence more than has its space for sure.
    let (second, third) =
        (commit(&*store, &[set("b", vec![2; 900])]), commit(&*store, &[set("c", vec![3; 900])]));
    assert!(!stepper.write_group());
    assert!(disk.file_bytes() <= used, "the part that was written is cut away again");
    assert_eq!((store.durable(), store.sequenced()), (first, third));
    assert!(store.stats().disk_full);
    let refused = try_commit(&*store, &[set("d", "4")]).unwrap_err();
    assert_eq!(refused, SequenceError::DiskFull);
    assert!(refused.to_string().contains("free some space"));
    assert!(!stepper.write_group(), "it is tried again, and is still full");
    // A crash now: the part of a record that was written is cut, and nothing answered is lost.
    for image in [CrashImage::Synced, CrashImage::Written, CrashImage::Torn { seed: 1 }] {
        let (store, _) = open_stepped(&disk.crash(image), small_options(), env.clone()).unwrap();
        assert_eq!(store.durable(), first, "{image:?}");
    }
    disk.set_capacity_bytes(None);
    env.advance(ROOM_CHECK);
    assert!(stepper.write_group());
    assert_eq!(store.durable(), third);
    assert!(second < third && !store.stats().disk_full);
    let fourth = commit(&*store, &[set("d", "4")]);
    assert!(stepper.write_group());
    let (store, _) = open_stepped(&disk.image(), small_options(), env).unwrap();
    assert_eq!((store.durable(), dump(&store.snapshot_durable()).len()), (fourth, 4));
}

#[test]
fn a_full_disk_at_a_new_segment_is_survived() {
    let disk = MemoryDisk::new();
    let env = Arc::new(SimEnv::new(7, ts(1_000)));
    let (store, stepper) = open_stepped(&disk, small_options(), env.clone()).unwrap();
    commit(&*store, &[set("a", vec![1; 1500])]);
    assert!(stepper.write_group());
    let used = disk.file_bytes();
    for spare in [0, 1, 43, 44, 511, 512, 1000] {
        disk.set_capacity_bytes(Some(used + spare));
        env.advance(ROOM_CHECK);
        if !store.stats().disk_full {
            commit(&*store, &[set("b", vec![2; 3000])]);
        }
        assert!(!stepper.write_group(), "{spare} bytes are too few");
        for seed in 0..5 {
            let image = disk.crash(CrashImage::Torn { seed });
            image.set_capacity_bytes(None);
            let (store, _) = open_stepped(&image, small_options(), env.clone()).unwrap();
            assert_eq!(dump(&store.snapshot_durable()).len(), 1);
        }
    }
    disk.set_capacity_bytes(None);
    env.advance(ROOM_CHECK);
    assert!(stepper.write_group());
    let (store, _) = open_stepped(&disk.image(), small_options(), env).unwrap();
    assert_eq!(dump(&store.snapshot_durable()).len(), 2);
}

#[test]
fn the_reserve_is_kept_free() {
    let disk = MemoryDisk::new();
    let env = Arc::new(SimEnv::new(1, ts(1)));
    let options = StoreOptions { disk_reserve_bytes: 10_000, segment_bytes: 1 << 20, ..small_options() };
    let (store, stepper) = open_stepped(&disk, options, env.clone()).unwrap();
    // A sixteenth of 64,000 is 4,000, less than what the options ask for.
    disk.set_capacity_bytes(Some(64_000));
    let mut accepted = 0;
    while try_commit(&*store, &[set(format!("k{accepted}"), vec![0; 1000])]).is_ok() {
        accepted += 1;
        stepper.write_group();
        env.advance(Duration::from_secs(1));
        stepper.write_group();
    }
    // A record of a thousand bytes takes three sectors.
    assert!((37..40).contains(&accepted), "{accepted} commits before the reserve was reached");
    assert_eq!(store.durable(), store.sequenced(), "everything accepted was written");
    assert!(store.stats().disk_full);
    disk.set_capacity_bytes(Some(128_000));
    env.advance(Duration::from_secs(1));
    assert!(!stepper.write_group(), "nothing to write, and the room is noticed");
    assert!(try_commit(&*store, &[set("more", "x")]).is_ok());
}

fn real_env() -> Arc<dyn Env> {
    Arc::new(RealEnv::new())
}

#[test]
fn what_was_sequenced_becomes_durable_on_a_full_disk_and_what_comes_is_refused_at_once() {
    let disk = MemoryDisk::new();
    let options = StoreOptions { log_room_bytes: 64 * 1024, ..small_options() };
    let store = open(&disk, options, real_env()).unwrap();
    let first = commit(&*store, &[set("a", "1")]);
    store.wait_durable(first).unwrap();
    let mut accepted = Vec::new();
    disk.set_capacity_bytes(Some(disk.file_bytes()));
    let refused = loop {
        let started = std::time::Instant::now();
        match try_commit(&*store, &[set(format!("k{}", accepted.len()), vec![2; 700])]) {
            Ok(at) => accepted.push(at),
            Err(error) => {
                assert!(started.elapsed() < Duration::from_millis(900), "refused without waiting");
                break error;
            }
        }
    };
    assert_eq!(refused, SequenceError::DiskFull);
    assert!(accepted.len() > 10, "the space that was secured is used: {}", accepted.len());
    store.wait_durable(*accepted.last().unwrap()).unwrap();
    assert_eq!(dump(&store.snapshot_durable()).len(), accepted.len() + 1, "reads go on");
    disk.set_capacity_bytes(None);
    while try_commit(&*store, &[set("c", "3")]).is_err() {
        std::thread::yield_now();
    }
    store.close();
    let (store, _) = open_stepped(&disk.image(), small_options(), env()).unwrap();
    assert_eq!(dump(&store.snapshot_durable()).len(), accepted.len() + 2);
}

#[test]
fn a_commit_larger_than_what_is_secured_waits_for_its_space_and_nothing_comes_between() {
    let disk = MemoryDisk::new();
    let options = StoreOptions { log_room_bytes: 2048, ..small_options() };
    let store = open(&disk, options, real_env()).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4u8 {
            let store = &store;
            scope.spawn(move || {
                for i in 0..20u8 {
                    commit(&**store, &[set(vec![thread, i], vec![i; 3000])]);
                }
            });
        }
    });
    store.wait_durable(store.sequenced()).unwrap();
    disk.set_capacity_bytes(Some(disk.file_bytes()));
    assert_eq!(try_commit(&*store, &[set("x", vec![0; 9000])]), Err(SequenceError::DiskFull));
    store.close();
    let (store, _) = open_stepped(&disk.image(), small_options(), env()).unwrap();
    assert_eq!(dump(&store.snapshot_durable()).len(), 80);
}

#[test]
fn a_start_on_a_full_disk_serves_reads() {
    for base in [MemoryBase::Rows, MemoryBase::Redb] {
        let disk = MemoryDisk::new();
        let (store, stepper) = open_stepped_on(base, &disk, small_options(), env()).unwrap();
        let first = commit(&*store, &[set("a", "1")]);
        assert!(stepper.write_group());
        store.checkpoint().unwrap();
        let second = commit(&*store, &[set("b", "2")]);
        assert!(stepper.write_group());
        let image = disk.crash(CrashImage::Written);
        image.set_capacity_bytes(Some(0));
        let env = Arc::new(SimEnv::new(7, ts(1_000)));
        let (store, stepper) = open_stepped_on(base, &image, small_options(), env.clone()).unwrap();
        assert_eq!((store.durable(), dump(&store.snapshot_durable()).len()), (second, 2));
        assert!(first < second);
        image.set_capacity_bytes(None);
        env.advance(ROOM_CHECK);
        commit(&*store, &[set("c", "3")]);
        assert!(stepper.write_group());
    }
}

#[test]
fn closing_with_a_full_disk_ends_and_keeps_what_was_sequenced() {
    let disk = MemoryDisk::new();
    let store = open(&disk, small_options(), real_env()).unwrap();
    disk.set_capacity_bytes(Some(disk.file_bytes() + 4096));
    let kept = commit(&*store, &[set("a", vec![2; 50])]);
    disk.set_capacity_bytes(Some(disk.file_bytes()));
    store.close();
    assert_eq!(store.wait_durable(kept), Ok(()));
}

#[test]
fn a_sync_that_failed_loses_nothing_that_is_answered_later() {
    for base in [MemoryBase::Rows, MemoryBase::Redb] {
        // Every sync of a run in turn: of the log, of the folder, of the base.
        let mut failed = 0;
        for number in 1..60 {
            let disk = MemoryDisk::new();
            let (options, reasons) = watched_options();
            let Ok((store, stepper)) = open_stepped_on(base, &disk, options, env()) else { continue };
            if disk.sync_count() >= number {
                continue;
            }
            disk.fail_sync(number);
            for i in 0..10u8 {
                if try_commit(&*store, &[set(vec![i], vec![i; 900])]).is_err() {
                    break;
                }
                stepper.write_group();
                if i % 4 == 3 {
                    let _ = store.checkpoint();
                }
            }
            let answered = store.durable();
            drop(store);
            if reasons.lock().is_empty() {
                continue;
            }
            failed += 1;
            // The process ended; the next one finds what the kernel kept.
            let (store, stepper) = open_stepped_on(base, &disk, small_options(), env())
                .unwrap_or_else(|error| panic!("{base:?}, sync {number}: {error}"));
            assert!(store.durable() >= answered);
            commit(&*store, &[set("later", vec![9; 900])]);
            assert!(stepper.write_group(), "it is well again");
            let rows = dump(&store.snapshot_durable());
            // And then the power goes.
            for left in [disk.image(), {
                store.checkpoint().unwrap();
                disk.image()
            }] {
                let (store, _) = open_stepped_on(base, &left, small_options(), env())
                    .unwrap_or_else(|error| panic!("{base:?}, sync {number}: {error}"));
                assert_eq!(dump(&store.snapshot_durable()), rows, "{base:?}, sync {number}");
            }
        }
        assert!(failed > 10, "{base:?}: {failed} runs met a failed sync");
    }
}

#[test]
fn too_much_at_once_is_refused_before_anything_is_kept() {
    let disk = MemoryDisk::new();
    let (store, _stepper) = open_stepped(&disk, small_options(), env()).unwrap();
    let huge = Bytes::from(vec![0; 200 << 20]);
    let error = try_commit(&*store, &[set("a", huge.clone()), set("b", huge)]).unwrap_err();
    assert!(matches!(error, SequenceError::TooLarge { .. }), "{error}");
    assert_eq!((store.sequenced(), store.stats().memory_keys), (Timestamp::ZERO, 0));
}

#[test]
fn an_open_snapshot_that_holds_back_the_flush_leads_to_a_clear_refusal() {
    let disk = MemoryDisk::new();
    let options = StoreOptions { memory_bytes: 10_000, ..small_options() };
    let (store, stepper) = open_stepped(&disk, options, env()).unwrap();
    let snapshot = store.snapshot_sequenced();
    let mut count = 0;
    let error = loop {
        match try_commit(&*store, &[set(format!("k{count}"), vec![0; 100])]) {
            Ok(_) => count += 1,
            Err(error) => break error,
        }
        if count == 1000 {
            panic!("the flush moved what the snapshot does not see");
        }
        stepper.write_group();
        stepper.flush();
    };
    assert_eq!(error, SequenceError::Overloaded);
    assert!(count > 10);
    assert!(dump(&snapshot).is_empty());
    drop(snapshot);
    stepper.flush();
    assert!(try_commit(&*store, &[set("more", "x")]).is_ok());
}

#[test]
fn whoever_fills_memory_with_large_commits_leaves_room_for_small_ones() {
    let disk = MemoryDisk::new();
    let options = StoreOptions { memory_bytes: 16 << 20, ..small_options() };
    let (store, stepper) = open_stepped(&disk, options, env()).unwrap();
    let _held_back = store.snapshot_sequenced();
    let fill = |name: &str, bytes: usize| {
        let fits = |n: &usize| try_commit(&*store, &[set(format!("{name}{n}"), vec![0; bytes])]).is_ok();
        let count = (0..1_000_000).take_while(fits).inspect(|_| assert!(stepper.write_group())).count();
        let error = try_commit(&*store, &[set(format!("{name} more"), vec![0; bytes])]).unwrap_err();
        assert_eq!(error, SequenceError::Overloaded);
        count
    };
    // Of 8 MiB: five with the large ones, most of the rest with those of 16 KiB, and there is room for small ones.
    assert_eq!(fill("large", 256 << 10), 20);
    assert!((165..=180).contains(&fill("middle", 16 << 10)));
    assert!(fill("small", 10) > 500);
}

/// Memory that nothing can be flushed from, filled by large commits to where commits are slowed.
#[test]
fn large_commits_are_to_pause_and_hold_up_no_small_ones() {
    let disk = MemoryDisk::new();
    let options = StoreOptions { memory_bytes: 64 << 20, ..small_options() };
    let store = open(&disk, options, Arc::new(RealEnv::new())).unwrap();
    let _held_back = store.snapshot_sequenced();
    let large = Bytes::from(vec![0; 1 << 20]);
    let mut pauses = Vec::new();
    for n in 0..20 {
        let sequenced =
            store.sequence(&mut |_| vec![set(format!("large{n}"), large.clone())].into()).unwrap();
        pauses.push(sequenced.pause);
    }
    let (free, slowed) = pauses.split_at(15);
    assert!(free.iter().all(Duration::is_zero), "{pauses:?}");
    assert!(slowed[1..].is_sorted() && slowed[4] > Duration::from_millis(150), "{pauses:?}");
    // The flush owes the large ones a fifth of a second.
    let began = RealEnv::new();
    for n in 0..20 {
        let small = store.sequence(&mut |_| vec![set(format!("small{n}"), "x")].into()).unwrap();
        assert_eq!(small.pause, Duration::ZERO);
    }
    let took = began.monotonic();
    assert!(took < Duration::from_millis(100), "small ones waited for {took:?}");
    store.close();
}

struct Panics;

impl GroupObserver for Panics {
    fn group_durable(&self, _group: &CommitGroup) {
        panic!("an observer's defect");
    }
}

#[test]
fn an_observer_that_panics_ends_the_store() {
    let (options, reasons) = watched_options();
    let disk = MemoryDisk::new();
    let (store, stepper) = open_stepped(&disk, options, env()).unwrap();
    store.observe(Arc::new(Panics));
    commit(&*store, &[set("a", "1")]);
    assert!(!stepper.write_group());
    assert!(reasons.lock()[0].contains("observer"), "{reasons:?}");
    assert_eq!(try_commit(&*store, &[set("b", "2")]), Err(SequenceError::Closed));
}

#[test]
fn a_panic_while_sequencing_leaves_no_trace() {
    let disk = MemoryDisk::new();
    let (store, stepper) = open_stepped(&disk, small_options(), env()).unwrap();
    let first = commit(&*store, &[set("a", "1")]);
    let panics = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        store.sequence(&mut |_| panic!("a defect of the committer"))
    }));
    assert!(panics.is_err());
    assert_eq!(store.sequenced(), first);
    let second = commit(&*store, &[set("b", "2")]);
    assert!(second > first && stepper.write_group());
}

/// Closes the store from within.
struct Closes(Mutex<Option<Arc<dyn Store>>>);

impl GroupObserver for Closes {
    fn group_durable(&self, _group: &CommitGroup) {
        if let Some(store) = self.0.lock().take() {
            store.close();
        }
    }
}

#[test]
fn an_observer_may_close_the_store() {
    let disk = MemoryDisk::new();
    let store = open(&disk, small_options(), env()).unwrap();
    store.observe(Arc::new(Closes(Mutex::new(Some(Arc::clone(&store))))));
    let first = commit(&*store, &[set("a", "1")]);
    store.wait_durable(first).unwrap();
    store.close();
    assert_eq!(try_commit(&*store, &[set("b", "2")]), Err(SequenceError::Closed));
    let (store, _) = open_stepped(&disk.image(), small_options(), env()).unwrap();
    assert_eq!(store.stats().checkpoint, first, "closing took a checkpoint");
}

#[test]
fn closing_syncs_what_is_queued_and_snapshots_stay_readable() {
    let disk = MemoryDisk::new();
    let store = open(&disk, small_options(), env()).unwrap();
    let groups = Arc::new(Groups::default());
    store.observe(groups.clone());
    let before = store.snapshot_sequenced();
    let commits: Vec<Timestamp> = (0..100).map(|i| commit(&*store, &[set(format!("k{i}"), "v")])).collect();
    let after = store.snapshot_sequenced();
    store.close();
    store.close();
    let told: Vec<Timestamp> =
        groups.0.lock().iter().flat_map(|group| &group.commits).map(|commit| commit.ts).collect();
    assert_eq!(told, commits, "every commit was announced once, in order");
    assert_eq!((dump(&before).len(), dump(&after).len()), (0, 100));
    assert_eq!(Arc::strong_count(&groups), 1, "observers are let go, so that they may hold the store");
    assert_eq!(store.wait_durable(*commits.last().unwrap()), Ok(()));
    assert_eq!(store.wait_durable(commits.last().unwrap().next()), Err(StoreClosed));
    let (store, _) = open_stepped(&disk.image(), small_options(), env()).unwrap();
    assert_eq!(dump(&store.snapshot_durable()).len(), 100);
}
