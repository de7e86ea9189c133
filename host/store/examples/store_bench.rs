//! Measures the store alone, on the disk of the folder that is given: `cargo run --release --example
//! store_bench [DIR]`.
//!
//! Not a test: it asserts nothing about time.
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use weir_store::{Direction, RealEnv, SimEnv, Store, StoreOptions, Timestamp, Write, open};

const ACCOUNTS: u64 = 100_000;

fn main() {
    let root = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = root.join(format!("weir-store-bench-{}", std::process::id()));
    open_small(&folder);
    let store =
        open(&folder, StoreOptions::default(), Arc::new(RealEnv::new())).expect("the folder can be used");
    let random = Random(SimEnv::new(1, Timestamp::ZERO));
    load_accounts(&*store);
    sequence_alone(&*store, &random);
    read_alone(&*store, &random, "memory");
    checkpoint(&*store);
    read_alone(&*store, &random, "sled");
    for clients in [1, 8, 64, 512] {
        commit_and_wait(&*store, clients, Duration::from_secs(2));
    }
    paced_load(&*store, 20_000, Duration::from_secs(8));
    let started = Instant::now();
    store.close();
    println!("close: {:?}", started.elapsed());
    drop(store);
    let started = Instant::now();
    let store = open(&folder, StoreOptions::default(), Arc::new(RealEnv::new())).expect("it opens again");
    println!("open after a good end: {:?}", started.elapsed());
    drop(store);
    std::fs::remove_dir_all(&folder).expect("the folder can be removed");
}

/// What a small server's start costs.
fn open_small(folder: &Path) {
    for what in ["a new folder", "a small one", "a small one again"] {
        let started = Instant::now();
        let store = open(folder, StoreOptions::default(), Arc::new(RealEnv::new())).expect("it opens");
        println!("open {what}: {:?}", started.elapsed());
        for account in 0..100 {
            store.sequence(&mut |_| vec![set(key(account))].into()).expect("sequenced");
        }
    }
}

struct Random(SimEnv);

impl Random {
    fn below(&self, bound: u64) -> u64 {
        let mut word = [0; 8];
        weir_store::Env::fill_random(&self.0, &mut word);
        u64::from_le_bytes(word) % bound
    }
}

fn key(account: u64) -> Bytes {
    Bytes::from(format!("table-10001/account-{account:012}"))
}

fn set(key: Bytes) -> Write {
    Write { key, value: Some(Bytes::from_static(&[b'v'; 120])) }
}

fn load_accounts(store: &dyn Store) {
    let started = Instant::now();
    for first in (0..ACCOUNTS).step_by(100) {
        store
            .sequence(&mut |_| (first..first + 100).map(key).map(set).collect::<Vec<_>>().into())
            .expect("sequenced");
    }
    store.wait_durable(store.sequenced()).expect("durable");
    println!("load {ACCOUNTS} accounts: {:?}", started.elapsed());
}

/// Three small writes, made beforehand, so that their allocation is not counted.
fn sequence_alone(store: &dyn Store, random: &Random) {
    const COUNT: u32 = 100_000;
    let mut ready: Vec<Vec<Write>> =
        (0..COUNT).map(|_| (0..3).map(|_| set(key(random.below(ACCOUNTS)))).collect::<Vec<_>>()).collect();
    let (started, cpu) = (Instant::now(), thread_cpu());
    while let Some(writes) = ready.pop() {
        let mut writes = Some(writes);
        store.sequence(&mut |_| writes.take().unwrap_or_default().into()).expect("sequenced");
    }
    let sequenced = thread_cpu() - cpu;
    store.wait_durable(store.sequenced()).expect("durable");
    let durable = started.elapsed();
    println!(
        "sequence 3 writes: {:?} each; through the log: {:.0} commits/s",
        sequenced / COUNT,
        f64::from(COUNT) / durable.as_secs_f64()
    );
}

fn read_alone(store: &dyn Store, random: &Random, from: &str) {
    const COUNT: u32 = 200_000;
    let keys: Vec<Bytes> = (0..COUNT).map(|_| key(random.below(ACCOUNTS))).collect();
    let snapshot = store.snapshot_durable();
    let cpu = thread_cpu();
    let found = keys.iter().filter(|key| snapshot.get(key).expect("read").is_some()).count();
    println!("get from {from}: {:?} each ({found} found)", (thread_cpu() - cpu) / COUNT);
    for direction in [Direction::Ascending, Direction::Descending] {
        let cpu = thread_cpu();
        let rows = snapshot.scan(b"", b"\xff", direction, usize::MAX).expect("read").len();
        println!("scan from {from}, {direction:?}: {:?} a row", (thread_cpu() - cpu) / rows as u32);
    }
    let cpu = thread_cpu();
    for _ in 0..COUNT {
        drop(store.snapshot_sequenced());
    }
    println!("snapshot: {:?} each", (thread_cpu() - cpu) / COUNT);
}

fn checkpoint(store: &dyn Store) {
    let (before, started) = (store.stats().flushed_keys, Instant::now());
    store.checkpoint().expect("checkpoint");
    let keys = store.stats().flushed_keys - before;
    println!(
        "checkpoint of {keys} keys: {:?}, {:?} a key",
        started.elapsed(),
        started.elapsed() / keys.max(1) as u32
    );
}

/// `clients` commits in flight, each counted when durable.
fn commit_and_wait(store: &dyn Store, clients: usize, time: Duration) {
    let (before, started, random) = (store.stats(), Instant::now(), Random(SimEnv::new(2, Timestamp::ZERO)));
    let mut count = 0;
    while started.elapsed() < time {
        for _ in 0..clients {
            store
                .sequence(&mut |_| {
                    (0..3).map(|_| set(key(random.below(ACCOUNTS)))).collect::<Vec<_>>().into()
                })
                .expect("sequenced");
        }
        store.wait_durable(store.sequenced()).expect("durable");
        count += clients;
    }
    let syncs = store.stats().syncs - before.syncs;
    println!(
        "{clients} in flight: {:.0} durable commits/s, {syncs} syncs",
        count as f64 / started.elapsed().as_secs_f64()
    );
}

/// A steady load, with a new key in every commit, to see what folding costs it.
fn paced_load(store: &dyn Store, commits_per_second: u64, time: Duration) {
    let (before, started, cpu_before) = (store.stats(), Instant::now(), cpu_seconds());
    let random = Random(SimEnv::new(3, Timestamp::ZERO));
    let (mut count, mut slowest) = (0, Duration::ZERO);
    while started.elapsed() < time {
        let due = (started.elapsed().as_secs_f64() * commits_per_second as f64) as u64;
        while count < due {
            count += 1;
            let session = set(Bytes::from(format!("session/{:016x}/{count}", random.below(u64::MAX))));
            let begun = Instant::now();
            store
                .sequence(&mut |_| {
                    vec![set(key(random.below(ACCOUNTS))), set(key(random.below(ACCOUNTS))), session.clone()]
                        .into()
                })
                .expect("sequenced");
            slowest = slowest.max(begun.elapsed());
        }
        store.wait_durable(store.sequenced()).expect("durable");
    }
    let stats = store.stats();
    println!(
        "paced {commits_per_second}/s: {:.0} commits/s, {:.2} CPU seconds a second, slowest sequence {slowest:?}, {} keys \
         folded, {} checkpoints, memory {} MiB, {} segments",
        count as f64 / started.elapsed().as_secs_f64(),
        (cpu_seconds() - cpu_before) / started.elapsed().as_secs_f64(),
        stats.flushed_keys - before.flushed_keys,
        stats.checkpoints - before.checkpoints,
        stats.memory_bytes >> 20,
        stats.segments,
    );
}

/// Processor time of this thread: what it would take on a machine that does nothing else.
fn thread_cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(stat.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0))
}

/// Processor time of this process, from the kernel's own account.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}
