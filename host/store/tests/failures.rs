//! A full disk, a disk that fails, observers that misbehave, stores that are closed.

mod fixture;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use fixture::*;
use parking_lot::Mutex;
use weir_store::memory::{CrashImage, MemoryDisk, open, open_stepped};
use weir_store::{
    CommitGroup, FatalHandler, GroupObserver, SequenceError, SimEnv, Store, StoreClosed, StoreOptions,
    Timestamp,
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
fn a_failed_sync_of_the_fold_is_fatal_too() {
    let disk = MemoryDisk::new();
    let (options, reasons) = watched_options();
    let (store, stepper) = open_stepped(&disk, options, env()).unwrap();
    commit(&*store, &[set("a", "1")]);
    stepper.write_group();
    disk.fail_from_sync(disk.sync_count() + 1);
    assert_eq!(store.checkpoint(), Err(StoreClosed));
    assert!(reasons.lock()[0].contains("syncing the folded data failed"), "{reasons:?}");
    let (store, _) = open_stepped(&disk.image(), small_options(), env()).unwrap();
    assert_eq!(dump(&store.snapshot_durable()).len(), 1);
}

#[test]
fn a_full_disk_refuses_new_commits_and_writes_the_old_ones_when_there_is_room() {
    let disk = MemoryDisk::new();
    let (store, stepper) = open_stepped(&disk, small_options(), env()).unwrap();
    let first = commit(&*store, &[set("a", vec![1; 50])]);
    assert!(stepper.write_group());
    disk.set_capacity_bytes(Some(250));
    let (second, third) =
        (commit(&*store, &[set("b", vec![2; 50])]), commit(&*store, &[set("c", vec![3; 50])]));
    let used = disk.file_bytes();
    assert!(!stepper.write_group());
    assert_eq!(disk.file_bytes(), used, "the part that was written is cut away again");
    assert_eq!((store.durable(), store.sequenced()), (first, third));
    assert!(store.stats().disk_full);
    let refused = try_commit(&*store, &[set("d", "4")]).unwrap_err();
    assert_eq!(refused, SequenceError::DiskFull);
    assert!(refused.to_string().contains("free some space"));
    assert!(!stepper.write_group(), "it is tried again, and is still full");
    // A crash now: the part of a record that was written is cut, and nothing answered is lost.
    for image in [CrashImage::Synced, CrashImage::Written, CrashImage::Torn { seed: 1 }] {
        let (store, _) = open_stepped(&disk.crash(image), small_options(), env()).unwrap();
        assert_eq!(store.durable(), first, "{image:?}");
    }
    disk.set_capacity_bytes(None);
    assert!(stepper.write_group());
    assert_eq!(store.durable(), third);
    assert!(second < third && !store.stats().disk_full);
    let fourth = commit(&*store, &[set("d", "4")]);
    assert!(stepper.write_group());
    let (store, _) = open_stepped(&disk.image(), small_options(), env()).unwrap();
    assert_eq!((store.durable(), dump(&store.snapshot_durable()).len()), (fourth, 4));
}

#[test]
fn a_full_disk_at_a_new_segment_is_survived() {
    let disk = MemoryDisk::new();
    let (store, stepper) = open_stepped(&disk, small_options(), env()).unwrap();
    commit(&*store, &[set("a", vec![1; 500])]);
    assert!(stepper.write_group());
    let used = disk.file_bytes();
    for spare in [0, 1, 43, 44, 45, 100] {
        disk.set_capacity_bytes(Some(used + spare));
        if !store.stats().disk_full {
            commit(&*store, &[set("b", vec![2; 100])]);
        }
        assert!(!stepper.write_group(), "{spare} bytes are too few");
        for seed in 0..5 {
            let image = disk.crash(CrashImage::Torn { seed });
            image.set_capacity_bytes(None);
            let (store, _) = open_stepped(&image, small_options(), env()).unwrap();
            assert_eq!(dump(&store.snapshot_durable()).len(), 1);
        }
    }
    disk.set_capacity_bytes(None);
    assert!(stepper.write_group());
    let (store, _) = open_stepped(&disk.image(), small_options(), env()).unwrap();
    assert_eq!(dump(&store.snapshot_durable()).len(), 2);
}

#[test]
fn the_reserve_is_kept_free() {
    let disk = MemoryDisk::new();
    let env = Arc::new(SimEnv::new(1, ts(1)));
    let options =
        StoreOptions { disk_reserve_bytes: 10_000, segment_bytes: 1 << 20, ..StoreOptions::default() };
    let (store, stepper) = open_stepped(&disk, options, env.clone()).unwrap();
    // A sixteenth of 32,000 is 2,000, less than what the options ask for.
    disk.set_capacity_bytes(Some(32_000));
    let mut accepted = 0;
    while try_commit(&*store, &[set(format!("k{accepted}"), vec![0; 1000])]).is_ok() {
        accepted += 1;
        stepper.write_group();
        env.advance(Duration::from_secs(1));
        stepper.write_group();
    }
    assert!((28..31).contains(&accepted), "{accepted} commits before the reserve was reached");
    assert_eq!(store.durable(), store.sequenced(), "everything accepted was written");
    assert!(store.stats().disk_full);
    disk.set_capacity_bytes(Some(64_000));
    env.advance(Duration::from_secs(1));
    assert!(!stepper.write_group(), "nothing to write, and the room is noticed");
    assert!(try_commit(&*store, &[set("more", "x")]).is_ok());
}

#[test]
fn a_full_disk_with_threads_goes_on_by_itself() {
    let disk = MemoryDisk::new();
    let store = open(&disk, small_options(), env()).unwrap();
    let first = commit(&*store, &[set("a", "1")]);
    store.wait_durable(first).unwrap();
    disk.set_capacity_bytes(Some(disk.file_bytes() + 20));
    let second = commit(&*store, &[set("b", vec![2; 50])]);
    while !store.stats().disk_full {
        std::thread::yield_now();
    }
    assert_eq!(try_commit(&*store, &[set("c", "3")]), Err(SequenceError::DiskFull));
    disk.set_capacity_bytes(None);
    store.wait_durable(second).unwrap();
    commit(&*store, &[set("c", "3")]);
}

#[test]
fn closing_with_a_full_disk_ends() {
    let disk = MemoryDisk::new();
    let store = open(&disk, small_options(), env()).unwrap();
    disk.set_capacity_bytes(Some(disk.file_bytes()));
    let lost = commit(&*store, &[set("a", vec![2; 50])]);
    store.close();
    assert_eq!(store.wait_durable(lost), Err(StoreClosed));
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
fn an_open_snapshot_that_holds_back_the_fold_leads_to_a_clear_refusal() {
    let disk = MemoryDisk::new();
    let options = StoreOptions { memory_max_bytes: 5_000, ..small_options() };
    let (store, stepper) = open_stepped(&disk, options, env()).unwrap();
    let snapshot = store.snapshot_sequenced();
    let mut count = 0;
    let error = loop {
        match try_commit(&*store, &[set(format!("k{count}"), vec![0; 100])]) {
            Ok(_) => count += 1,
            Err(error) => break error,
        }
        if count == 1000 {
            panic!("the fold moved what the snapshot does not see");
        }
        stepper.write_group();
        stepper.fold();
    };
    assert_eq!(error, SequenceError::Overloaded);
    assert!(count > 10);
    assert!(dump(&snapshot).is_empty());
    drop(snapshot);
    stepper.fold();
    assert!(try_commit(&*store, &[set("more", "x")]).is_ok());
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
    assert_eq!(store.stats().fold_mark, first, "closing took a checkpoint");
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
