//! The store in a real folder, with its threads and sled.

mod fixture;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use fixture::*;
use weir_store::{Direction, Env, OpenError, RealEnv, SimEnv, Store, StoreOptions, open};

fn real_env() -> Arc<dyn Env> {
    Arc::new(RealEnv::new())
}

/// Folds only when it is told to.
fn lazy_options() -> StoreOptions {
    StoreOptions {
        idle_before_fold: Duration::from_secs(3600),
        fold_cache_bytes: 1 << 20,
        ..StoreOptions::default()
    }
}

fn open_in(folder: &Path) -> Arc<dyn Store> {
    open(folder, lazy_options(), real_env()).unwrap()
}

fn log_files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder.join("log"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A copy of the folder as another process would find it after this one is killed.
fn killed(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    copy_files(folder, copy.path());
    copy
}

fn copy_files(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&target).unwrap();
            copy_files(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn what_was_durable_is_there_after_a_kill_and_after_a_good_end() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_in(folder.path());
    let mut last = ts(0);
    for i in 0..500u32 {
        last = commit(
            &*store,
            &[set(format!("k{:03}", i % 100), i.to_string()), delete(format!("k{:03}", i % 7))],
        );
        if i == 250 {
            store.wait_durable(last).unwrap();
            store.checkpoint().unwrap();
        }
    }
    store.wait_durable(last).unwrap();
    let rows = dump(&store.snapshot_durable());
    assert!(rows.len() > 90);
    {
        let copy = killed(folder.path());
        let again = open_in(copy.path());
        assert_eq!((again.durable(), dump(&again.snapshot_durable())), (last, rows.clone()));
        assert!(again.stats().replayed_commits >= 249);
    }
    store.close();
    assert_eq!((store.stats().memory_keys, store.stats().fold_mark), (0, last));
    drop(store);
    let store = open_in(folder.path());
    assert_eq!((store.durable(), dump(&store.snapshot_durable())), (last, rows));
    assert_eq!(store.stats().replayed_commits, 0);
}

#[test]
fn a_second_store_on_the_same_folder_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_in(folder.path());
    let error = open(folder.path(), lazy_options(), real_env()).map(drop).unwrap_err();
    assert!(matches!(error, OpenError::Locked { .. }), "{error}");
    let message = error.to_string();
    assert!(
        message.contains(folder.path().to_str().unwrap()) && message.contains("another process"),
        "{message}"
    );
    // A snapshot keeps the folder: it still reads from it.
    let snapshot = store.snapshot_durable();
    drop(store);
    assert!(matches!(
        open(folder.path(), lazy_options(), real_env()).map(drop),
        Err(OpenError::Locked { .. })
    ));
    drop(snapshot);
    drop(open_in(folder.path()));
}

#[test]
fn timestamps_rise_over_restarts_with_a_clock_set_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut before = ts(0);
    for now in [5_000_000, 1_000, 1_000, 5_000_100, 0] {
        let env = Arc::new(SimEnv::new(1, ts(now)));
        let store = open(folder.path(), lazy_options(), env.clone()).unwrap();
        assert_eq!(store.durable(), before);
        for _ in 0..3 {
            let at = commit(&*store, &[set("k", "v")]);
            assert!(at > before && at >= ts(now), "{at:?} after {before:?}, the clock at {now}");
            before = at;
            env.set_now(ts(now / 2));
        }
        store.close();
    }
}

#[test]
fn checkpoints_free_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let options = StoreOptions { segment_bytes: 4096, ..lazy_options() };
    let store = open(folder.path(), options, real_env()).unwrap();
    let fill = |round: u8| {
        for i in 0..30u8 {
            let at = commit(&*store, &[set(vec![round, i], vec![round; 1000])]);
            store.wait_durable(at).unwrap();
        }
    };
    fill(1);
    let first = log_files(folder.path());
    assert!(first.len() > 5, "{first:?}");
    assert_eq!(first.len() as u64, store.stats().segments);
    store.checkpoint().unwrap();
    assert_eq!(log_files(folder.path()), first, "one checkpoint's worth of log is kept");
    fill(2);
    store.checkpoint().unwrap();
    let second = log_files(folder.path());
    assert!(!second.contains(&first[0]) && second.len() < first.len() + 3, "{second:?}");
    fill(3);
    store.checkpoint().unwrap();
    let stats = store.stats();
    assert_eq!((stats.checkpoints, stats.memory_keys, stats.replay_bytes), (3, 0, 0));
    assert_eq!(stats.fold_mark, store.durable());
    assert_eq!(dump(&store.snapshot_durable()).len(), 90);
}

#[test]
fn the_fold_starts_by_itself_when_idle_and_when_memory_is_short() {
    for options in [
        StoreOptions { idle_before_fold: Duration::from_millis(1), ..lazy_options() },
        StoreOptions { memory_budget_bytes: 10_000, ..lazy_options() },
        StoreOptions { checkpoint_log_bytes: 10_000, ..lazy_options() },
    ] {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path(), options, real_env()).unwrap();
        for i in 0..100u8 {
            commit(&*store, &[set(vec![i], vec![i; 200])]);
        }
        while store.stats().folded_keys < 50 {
            std::thread::yield_now();
        }
        // Half of them are folded, and so durable; the rest may not be yet.
        store.wait_durable(store.sequenced()).unwrap();
        assert_eq!(dump(&store.snapshot_durable()).len(), 100);
    }
}

#[test]
fn a_log_larger_than_memory_is_replayed_through_the_fold() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_in(folder.path());
    for i in 0..500u16 {
        commit(&*store, &[set(i.to_be_bytes().to_vec(), vec![7; 300])]);
    }
    store.wait_durable(store.sequenced()).unwrap();
    let copy = killed(folder.path());
    let options = StoreOptions { memory_budget_bytes: 20_000, ..lazy_options() };
    let again = open(copy.path(), options, real_env()).unwrap();
    assert!(again.stats().memory_bytes < 60_000);
    assert_eq!(dump(&again.snapshot_durable()), dump(&store.snapshot_durable()));
}

#[test]
fn large_values_and_odd_keys_survive_the_fold() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_in(folder.path());
    let keys: [&[u8]; 6] = [b"", b"\0", b"a\xff\xff\xff\xff\xff", b"a\xff", b"b", b"\xff\xfe"];
    for (i, size) in [0usize, 1, 4096, 5000, 300_000, 2_000_000].into_iter().enumerate() {
        for (j, key) in keys.iter().enumerate() {
            commit(&*store, &[set(*key, vec![(i * 7 + j) as u8; size]), set([key, &b"x"[..]].concat(), "y")]);
        }
        store.wait_durable(store.sequenced()).unwrap();
        let before = dump(&store.snapshot_durable());
        store.checkpoint().unwrap();
        assert_eq!(store.stats().memory_keys, 0);
        assert!(dump(&store.snapshot_durable()) == before, "{size} bytes");
    }
    let rows = dump(&store.snapshot_durable());
    store.close();
    drop(store);
    assert!(dump(&open_in(folder.path()).snapshot_durable()) == rows);
}

/// One thread moves money between accounts, one folds without pause, two scan: every snapshot must show every
/// account once and the same sum, whatever moves from memory to sled meanwhile.
#[test]
fn scans_are_right_while_the_fold_moves_entries() {
    const ACCOUNTS: u64 = 400;
    let folder = tempfile::tempdir().unwrap();
    let store = open_in(folder.path());
    let key = |account: u64| Bytes::from(format!("account-{account:04}"));
    let amount = |value: u64| Bytes::copy_from_slice(&value.to_be_bytes());
    let accounts: Vec<_> = (0..ACCOUNTS).map(|account| set(key(account), amount(100))).collect();
    commit(&*store, &accounts);
    let (done, scans) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let _end = EndsAll(&done);
            let mut balances: BTreeMap<u64, u64> = (0..ACCOUNTS).map(|account| (account, 100)).collect();
            let mut step = 0u64;
            // Until enough was seen, and enough of it while the fold was at work.
            let enough = || scans.load(Ordering::Relaxed) >= 300 && store.stats().folded_keys > ACCOUNTS;
            while !enough() && !done.load(Ordering::Relaxed) {
                step += 1;
                let (from, to) = (step * 7919 % ACCOUNTS, step * 104_729 % ACCOUNTS);
                if from != to && balances[&from] > 0 {
                    *balances.get_mut(&from).unwrap() -= 1;
                    *balances.get_mut(&to).unwrap() += 1;
                    // A neighbour comes and goes, so that deletions are folded too.
                    let neighbour = [key(from).as_ref(), b"+"].concat();
                    let neighbour =
                        if step.is_multiple_of(2) { set(neighbour, amount(0)) } else { delete(neighbour) };
                    let writes = [
                        set(key(from), amount(balances[&from])),
                        set(key(to), amount(balances[&to])),
                        neighbour,
                    ];
                    commit(&*store, &writes);
                }
            }
        });
        scope.spawn(|| {
            let _end = EndsAll(&done);
            while !done.load(Ordering::Relaxed) {
                store.checkpoint().unwrap();
            }
        });
        for direction in [Direction::Ascending, Direction::Descending] {
            let (store, done, scans) = (&store, &done, &scans);
            scope.spawn(move || {
                let _end = EndsAll(done);
                while !done.load(Ordering::Relaxed) {
                    let snapshot = store.snapshot_sequenced();
                    let rows = scan_in_batches(&snapshot, direction);
                    let sum: u64 =
                        rows.iter().map(|(_, value)| u64::from_be_bytes(value[..].try_into().unwrap())).sum();
                    let accounts = rows.iter().filter(|(key, _)| key.len() == 12).count();
                    assert_eq!((accounts as u64, sum), (ACCOUNTS, ACCOUNTS * 100));
                    assert!(rows.is_sorted_by(|a, b| if direction == Direction::Ascending {
                        a.0 < b.0
                    } else {
                        a.0 > b.0
                    }));
                    scans.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert!(store.stats().folded_keys > ACCOUNTS, "the fold was at work");
}

/// When one thread ends, by a failed assertion too, all do.
struct EndsAll<'a>(&'a AtomicBool);

impl Drop for EndsAll<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn scan_in_batches(snapshot: &weir_store::Snapshot, direction: Direction) -> Vec<(Bytes, Bytes)> {
    let (mut start, mut end) = (Vec::new(), END.to_vec());
    let mut rows = Vec::new();
    loop {
        let batch = snapshot.scan(&start, &end, direction, 37).unwrap();
        let is_last = batch.len() < 37;
        rows.extend(batch);
        if is_last {
            return rows;
        }
        let last = &rows.last().unwrap().0;
        match direction {
            Direction::Ascending => start = [last, &b"\0"[..]].concat(),
            Direction::Descending => end = last.to_vec(),
        }
    }
}

#[test]
fn a_folder_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "x").unwrap();
    // The kernel's own file system takes no files, whoever asks.
    for path in
        [file.as_path(), &file.join("below"), Path::new("/proc/self/no-store-here"), Path::new("/proc/self")]
    {
        let error = open(path, lazy_options(), real_env()).map(drop).unwrap_err();
        assert!(matches!(error, OpenError::Io { .. }), "{error}");
        let message = error.to_string();
        assert!(
            message.contains(path.to_str().unwrap()) && message.contains("must be readable and writable"),
            "{message}"
        );
    }
}

#[test]
fn folders_of_other_formats_are_left_alone() {
    let new_format = "weir store 99\n";
    let cases: [(&str, &[u8]); 3] =
        [("format", new_format.as_bytes()), ("format", b"\xff\xfe"), ("log/x", b"")];
    for (name, contents) in cases {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, contents).unwrap();
        let error = open(folder.path(), lazy_options(), real_env()).map(drop).unwrap_err();
        assert!(matches!(error, OpenError::Format { .. }), "{error}");
        assert!(!folder.path().join("fold").exists());
    }
}

#[test]
fn damage_in_a_real_log_names_file_and_offset() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_in(folder.path());
    for i in 0..3u8 {
        let at = commit(&*store, &[set(vec![i], "value")]);
        store.wait_durable(at).unwrap();
    }
    let copy = killed(folder.path());
    let log = copy.path().join("log").join(&log_files(copy.path())[0]);
    let mut bytes = fs::read(&log).unwrap();
    bytes[60] ^= 1;
    fs::write(&log, &bytes).unwrap();
    let message = open(copy.path(), lazy_options(), real_env()).map(drop).unwrap_err().to_string();
    assert!(message.contains(log.to_str().unwrap()) && message.contains("byte 44"), "{message}");
    assert_eq!(fs::read(&log).unwrap(), bytes, "nothing was changed");
}

#[test]
fn a_damaged_fold_is_an_error_and_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_in(folder.path());
    commit(&*store, &[set("a", "1")]);
    store.close();
    drop(store);
    fs::write(folder.path().join("fold/conf"), [b'x'; 64]).unwrap();
    let error = open(folder.path(), lazy_options(), real_env()).map(drop).unwrap_err();
    assert!(matches!(error, OpenError::Fold { .. }), "{error}");
}

#[test]
fn commits_from_many_threads_share_syncs_and_keep_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_in(folder.path());
    let groups = Arc::new(Groups::default());
    store.observe(groups.clone());
    std::thread::scope(|scope| {
        for thread in 0..8u8 {
            let store = &store;
            scope.spawn(move || {
                for i in 0..200u8 {
                    let at = commit(&**store, &[set(vec![thread, i], "v")]);
                    if i % 50 == 0 {
                        store.wait_durable(at).unwrap();
                        assert!(store.snapshot_durable().ts() >= at);
                    }
                }
            });
        }
    });
    store.close();
    let groups = groups.0.lock();
    let order: Vec<_> = groups.iter().flat_map(|group| &group.commits).map(|commit| commit.ts).collect();
    assert_eq!(order.len(), 1600);
    assert!(order.is_sorted_by(|a, b| a < b));
    let stats = store.stats();
    assert_eq!((stats.groups, stats.syncs, stats.commits), (groups.len() as u64, groups.len() as u64, 1600));
    assert!(stats.syncs < 1600, "groups hold more than one commit");
}
