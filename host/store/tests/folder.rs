//! The store in a real folder, with its threads, on both bases.

mod fixture;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use fixture::*;
use weir_store::{
    BaseKind, Direction, Env, OpenError, RealEnv, SimEnv, Store, StoreOptions, check, convert, open,
};

fn real_env() -> Arc<dyn Env> {
    Arc::new(RealEnv::new())
}

/// Flushes only when it is told to.
fn lazy_options() -> StoreOptions {
    StoreOptions { idle_before_flush: Duration::from_secs(3600), ..StoreOptions::default() }
}

fn open_in(folder: &Path) -> Arc<dyn Store> {
    open(folder, lazy_options(), real_env()).unwrap()
}

/// Makes a store with that base, or opens one.
fn open_on(folder: &Path, kind: BaseKind) -> Arc<dyn Store> {
    open(folder, StoreOptions { base: Some(kind), ..lazy_options() }, real_env()).unwrap()
}

/// Every row and checksum of a folder that nothing has open.
fn assert_sound(folder: &Path) {
    let report = check(folder).unwrap();
    assert_eq!(report.problems, Vec::<String>::new());
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
    BaseKind::ALL.into_iter().for_each(what_was_durable_is_there_after_a_kill_and_after_a_good_end_on);
}

fn what_was_durable_is_there_after_a_kill_and_after_a_good_end_on(kind: BaseKind) {
    let folder = tempfile::tempdir().unwrap();
    let store = open_on(folder.path(), kind);
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
    assert_eq!((store.stats().memory_keys, store.stats().checkpoint), (0, last));
    drop(store);
    assert_sound(folder.path());
    let store = open_on(folder.path(), kind);
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
    BaseKind::ALL.into_iter().for_each(checkpoints_free_the_log_on);
}

fn checkpoints_free_the_log_on(kind: BaseKind) {
    let folder = tempfile::tempdir().unwrap();
    let options = StoreOptions { base: Some(kind), segment_bytes: 4096, ..lazy_options() };
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
    let kept = log_files(folder.path());
    match kind {
        BaseKind::Sled => assert_eq!(kept, first, "one checkpoint's worth of log is kept"),
        BaseKind::Redb => assert_eq!(kept, first[first.len() - 1..], "the base is durable as it is"),
    }
    fill(2);
    store.checkpoint().unwrap();
    let second = log_files(folder.path());
    assert!(!second.contains(&first[0]) && second.len() < first.len() + 3, "{second:?}");
    fill(3);
    store.checkpoint().unwrap();
    let stats = store.stats();
    assert_eq!((stats.checkpoints, stats.memory_keys, stats.replay_bytes), (3, 0, 0));
    assert_eq!(stats.checkpoint, store.durable());
    assert_eq!(dump(&store.snapshot_durable()).len(), 90);
}

#[test]
fn the_flush_starts_by_itself_when_idle_and_when_memory_is_short() {
    BaseKind::ALL.into_iter().for_each(the_flush_starts_by_itself_when_idle_and_when_memory_is_short_on);
}

fn the_flush_starts_by_itself_when_idle_and_when_memory_is_short_on(kind: BaseKind) {
    for options in [
        StoreOptions { idle_before_flush: Duration::from_millis(1), ..lazy_options() },
        StoreOptions { memory_bytes: 80_000, ..lazy_options() },
        StoreOptions { checkpoint_log_bytes: 10_000, ..lazy_options() },
    ] {
        let folder = tempfile::tempdir().unwrap();
        let options = StoreOptions { base: Some(kind), ..options };
        let store = open(folder.path(), options, real_env()).unwrap();
        for i in 0..100u8 {
            commit(&*store, &[set(vec![i], vec![i; 200])]);
        }
        while store.stats().flushed_keys < 50 {
            std::thread::yield_now();
        }
        // Half of them are flushed, and so durable; the rest may not be yet.
        store.wait_durable(store.sequenced()).unwrap();
        assert_eq!(dump(&store.snapshot_durable()).len(), 100);
    }
}

#[test]
fn a_log_larger_than_memory_is_replayed_through_the_base() {
    BaseKind::ALL.into_iter().for_each(a_log_larger_than_memory_is_replayed_through_the_base_on);
}

fn a_log_larger_than_memory_is_replayed_through_the_base_on(kind: BaseKind) {
    let folder = tempfile::tempdir().unwrap();
    let store = open_on(folder.path(), kind);
    for i in 0..500u16 {
        commit(&*store, &[set(i.to_be_bytes().to_vec(), vec![7; 300])]);
    }
    store.wait_durable(store.sequenced()).unwrap();
    let copy = killed(folder.path());
    let options = StoreOptions { memory_bytes: 160_000, ..lazy_options() };
    let again = open(copy.path(), options, real_env()).unwrap();
    assert!(again.stats().memory_bytes < 60_000);
    assert_eq!(dump(&again.snapshot_durable()), dump(&store.snapshot_durable()));
}

#[test]
fn large_values_and_odd_keys_survive_the_flush() {
    BaseKind::ALL.into_iter().for_each(large_values_and_odd_keys_survive_the_flush_on);
}

fn large_values_and_odd_keys_survive_the_flush_on(kind: BaseKind) {
    let folder = tempfile::tempdir().unwrap();
    let store = open_on(folder.path(), kind);
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
    assert!(dump(&open_on(folder.path(), kind).snapshot_durable()) == rows);
}

/// One thread moves money between accounts, one flushes without pause, two scan: every snapshot must show every
/// account once and the same sum, whatever moves from memory to the base meanwhile.
#[test]
fn scans_are_right_while_the_flush_moves_entries() {
    BaseKind::ALL.into_iter().for_each(scans_are_right_while_the_flush_moves_entries_on);
}

fn scans_are_right_while_the_flush_moves_entries_on(kind: BaseKind) {
    const ACCOUNTS: u64 = 400;
    let folder = tempfile::tempdir().unwrap();
    let store = open_on(folder.path(), kind);
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
            // Until enough was seen, and enough of it while the flush was at work.
            let enough = || scans.load(Ordering::Relaxed) >= 300 && store.stats().flushed_keys > ACCOUNTS;
            while !enough() && !done.load(Ordering::Relaxed) {
                step += 1;
                let (from, to) = (step * 7919 % ACCOUNTS, step * 104_729 % ACCOUNTS);
                if from != to && balances[&from] > 0 {
                    *balances.get_mut(&from).unwrap() -= 1;
                    *balances.get_mut(&to).unwrap() += 1;
                    // A neighbour comes and goes, so that deletions are flushed too.
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
    assert!(store.stats().flushed_keys > ACCOUNTS, "the flush was at work");
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
    let new_format = "weir store 99\nbase redb\n";
    let cases: [(&str, &[u8]); 6] = [
        ("format", new_format.as_bytes()),
        ("format", b"weir store 1\n"),
        ("format", b"weir store 2\nbase tape\n"),
        ("format", b"\xff\xfe"),
        ("log/x", b""),
        ("fold/db", b""),
    ];
    for (name, contents) in cases {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, contents).unwrap();
        let error = open(folder.path(), lazy_options(), real_env()).map(drop).unwrap_err();
        assert!(matches!(error, OpenError::Format { .. }), "{error}");
        assert_eq!(fs::read(&path).unwrap(), contents, "nothing was changed");
        assert!(!folder.path().join("base-redb").exists());
    }
}

#[test]
fn a_folder_that_was_being_made_is_made_anew() {
    for kind in BaseKind::ALL {
        let folder = tempfile::tempdir().unwrap();
        drop(open_on(folder.path(), kind));
        fs::remove_file(folder.path().join("format")).unwrap();
        if kind == BaseKind::Redb {
            fs::write(folder.path().join("base-redb/base.redb"), b"half a file").unwrap();
        }
        let store = open_on(folder.path(), kind);
        let at = commit(&*store, &[set("a", "1")]);
        store.wait_durable(at).unwrap();
        drop(store);
        // With an answered commit in it, the same folder is not to be made anew.
        fs::remove_file(folder.path().join("format")).unwrap();
        let error = open(folder.path(), lazy_options(), real_env()).map(drop).unwrap_err();
        assert!(matches!(error, OpenError::Format { .. }), "{error}");
    }
}

#[test]
fn a_base_is_converted_to_the_other_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_on(folder.path(), BaseKind::Sled);
    for i in 0..300u32 {
        commit(&*store, &[set(format!("k{:03}", i % 200), vec![7; (i as usize * 37) % 9000])]);
    }
    store.wait_durable(store.sequenced()).unwrap();
    store.checkpoint().unwrap();
    // What is not in the base yet stays in the log.
    let last = commit(&*store, &[set("late", "x"), delete("k001")]);
    store.wait_durable(last).unwrap();
    let rows = dump(&store.snapshot_durable());
    let copy = killed(folder.path());
    for (from, to) in [(BaseKind::Sled, BaseKind::Redb), (BaseKind::Redb, BaseKind::Sled)] {
        let converted = convert(copy.path(), to).unwrap();
        assert_eq!((converted.from, converted.rows > 100), (from, true));
        assert_eq!(convert(copy.path(), to).unwrap().rows, 0, "it is what it should be");
        assert!(!copy.path().join(format!("base-{from}")).exists());
        assert_sound(copy.path());
        let error = open(copy.path(), StoreOptions { base: Some(from), ..lazy_options() }, real_env());
        let error = error.map(drop).unwrap_err();
        assert!(matches!(error, OpenError::WrongBase { .. }), "{error}");
        assert!(error.to_string().contains("host convert"), "{error}");
        let store = open_in(copy.path());
        assert!(dump(&store.snapshot_durable()) == rows);
        assert_eq!(store.durable(), last);
    }
    // A copy that an earlier try left half made is in nobody's way.
    fs::create_dir(copy.path().join("base-redb")).unwrap();
    fs::write(copy.path().join("base-redb/base.redb"), b"half").unwrap();
    assert!(convert(copy.path(), BaseKind::Redb).is_ok());
    let empty = tempfile::tempdir().unwrap();
    assert!(matches!(convert(empty.path(), BaseKind::Redb), Err(OpenError::Format { .. })));
}

#[test]
fn consumers_read_the_log_from_their_mark_over_checkpoints_and_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let options = || StoreOptions { segment_bytes: 4096, ..lazy_options() };
    let store = open(folder.path(), options(), real_env()).unwrap();
    let write = |store: &dyn Store, i: u8| {
        let at = commit(store, &[set(vec![i], vec![i; 900])]);
        store.wait_durable(at).unwrap();
        at
    };
    write(&*store, 0);
    let mut consumer = store.consumer("backup").unwrap();
    assert!(consumer.next_group().unwrap().is_none(), "it begins at what is durable now");
    let times: Vec<_> = (1..20).map(|i| write(&*store, i)).collect();
    let read = |consumer: &mut weir_store::LogConsumer| {
        let groups = std::iter::from_fn(|| consumer.next_group().unwrap());
        groups.flat_map(|group| group.commits).map(|commit| commit.ts).collect::<Vec<_>>()
    };
    assert_eq!(read(&mut consumer), times);
    consumer.advance(times[9]).unwrap();
    store.checkpoint().unwrap();
    store.checkpoint().unwrap();
    drop((consumer, store));
    let store = open(folder.path(), options(), real_env()).unwrap();
    write(&*store, 20);
    store.checkpoint().unwrap();
    let mut consumer = store.consumer("backup").unwrap();
    assert_eq!(consumer.mark(), times[9]);
    let again = read(&mut consumer);
    assert_eq!((again.len(), again[0]), (10, times[10]), "what it had not taken in is still there");
    assert!(store.stats().segments > 3);
    assert!(store.remove_consumer("backup").unwrap());
    write(&*store, 21);
    store.checkpoint().unwrap();
    assert!(store.stats().segments <= 2, "nobody needs it any more");
    assert!(store.consumer("Not a name").is_err());
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
    let log = copy
        .path()
        .join("log")
        .join(log_files(copy.path()).iter().find(|name| name.ends_with(".log")).unwrap());
    let mut bytes = fs::read(&log).unwrap();
    bytes[560] ^= 1;
    fs::write(&log, &bytes).unwrap();
    let message = open(copy.path(), lazy_options(), real_env()).map(drop).unwrap_err().to_string();
    assert!(message.contains(log.to_str().unwrap()) && message.contains("byte 512"), "{message}");
    assert_eq!(fs::read(&log).unwrap(), bytes, "nothing was changed");
}

#[test]
fn a_damaged_base_is_an_error_and_no_panic() {
    for (kind, file) in [(BaseKind::Sled, "base-sled/conf"), (BaseKind::Redb, "base-redb/base.redb")] {
        let folder = tempfile::tempdir().unwrap();
        let store = open_on(folder.path(), kind);
        commit(&*store, &[set("a", "1")]);
        store.close();
        drop(store);
        fs::write(folder.path().join(file), [b'x'; 8192]).unwrap();
        let error = open(folder.path(), lazy_options(), real_env()).map(drop).unwrap_err();
        assert!(matches!(error, OpenError::Base { .. }), "{error}");
        assert_eq!(check(folder.path()).unwrap().problems.len(), 1);
    }
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
