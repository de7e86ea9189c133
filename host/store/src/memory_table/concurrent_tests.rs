//! Threads write, read, scan and flush as the store does; what a snapshot sees does not depend on who else is at work.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use parking_lot::Mutex;

use super::*;

const KEYS: u64 = 300;
const COMMITS: u64 = 10_000;
const READERS: usize = 2;

/// A table, and what the store has around it. A key's value is the timestamp of the last commit to it.
struct World {
    table: MemoryTable,
    base: Mutex<BTreeMap<Vec<u8>, Bytes>>,
    /// How far commits may be read.
    sequenced: AtomicU64,
    /// The snapshots that readers have open; locked while one is taken.
    open: Mutex<[Option<u64>; READERS]>,
    is_over: AtomicBool,
}

fn ts(nanos: u64) -> Timestamp {
    Timestamp::from_nanos(nanos)
}

fn key(number: u64) -> Bytes {
    Bytes::from(format!("key {number}"))
}

/// What a commit writes.
fn numbers(at: u64) -> [u64; 2] {
    [at % KEYS, at * 2 % KEYS]
}

fn value_at(number: u64, at: u64) -> Option<Bytes> {
    let writes = |at: &u64| *at > 0 && numbers(*at).contains(&number);
    let last = (at.saturating_sub(2 * KEYS)..=at).rev().find(writes);
    last.map(|at| Bytes::from(at.to_string()))
}

impl World {
    fn commit(&self) {
        for at in 1..=COMMITS {
            let value = Some(Bytes::from(at.to_string()));
            let writes = numbers(at).map(|number| Write { key: key(number), value: value.clone() });
            self.table.insert(ts(at), &writes, || ts(0));
            self.sequenced.store(at, Ordering::Release);
            std::thread::yield_now();
        }
        self.is_over.store(true, Ordering::Release);
    }

    fn flush(&self) {
        let bound = {
            let open = self.open.lock();
            let sequenced = self.sequenced.load(Ordering::Acquire);
            open.iter().flatten().copied().min().map_or(sequenced, |oldest| oldest.min(sequenced))
        };
        let mut after: Option<TableKey> = None;
        loop {
            let bounds = SliceBounds { entries: 32, bytes: 1 << 20 };
            let slice = self.table.flushable(after.as_deref(), ts(bound), bounds);
            for FlushEntry { key, value, .. } in &slice.entries {
                self.base.lock().insert(key.to_vec(), value.clone().expect("nothing is deleted"));
            }
            self.table.remove_flushed(&slice, ts(bound));
            after = slice.reached;
            if after.is_none() {
                return;
            }
        }
    }

    fn get(&self, key: &[u8], at: u64) -> Option<Bytes> {
        let of_base = || self.base.lock().get(key).cloned();
        match self.table.find(key, ts(at)) {
            Found::Version(value) => value,
            Found::Newer => of_base(),
            Found::Nothing => {
                let value = of_base();
                // Others get the chance to commit.
                std::thread::yield_now();
                value.iter().for_each(|value| self.table.remember(key, value));
                value
            }
        }
    }

    fn scan(&self, at: u64) -> BTreeMap<Vec<u8>, Bytes> {
        let chunk = self.table.chunk(Interval::ALL, ts(at), Direction::Ascending, usize::MAX);
        let mut rows = self.base.lock().clone();
        let recent = chunk.entries.into_iter();
        rows.extend(recent.map(|(key, value)| (key.to_vec(), value.expect("nothing is deleted"))));
        rows
    }

    fn read(&self, reader: usize, round: u64) {
        let at = {
            let mut open = self.open.lock();
            *open[reader].insert(self.sequenced.load(Ordering::Acquire))
        };
        for number in (0..20).map(|step| (round * 20 + step) * 7 % KEYS) {
            assert_eq!(self.get(&key(number), at), value_at(number, at), "{number} at {at}");
        }
        let rows = self.scan(at);
        for number in 0..KEYS {
            assert_eq!(rows.get(&key(number)[..]).cloned(), value_at(number, at), "{number} at {at}");
        }
        self.open.lock()[reader] = None;
    }

    /// Does it until everything is committed, and says to it how often it was done.
    fn again_and_again(&self, what: impl Fn(u64)) {
        (0..).take_while(|_| !self.is_over.load(Ordering::Acquire)).for_each(what);
    }
}

#[test]
fn many_at_once_see_what_they_are_to_see() {
    let world = World {
        table: MemoryTable::new([7; 8], 64 * 1024),
        base: Mutex::default(),
        sequenced: AtomicU64::new(0),
        open: Mutex::default(),
        is_over: AtomicBool::new(false),
    };
    std::thread::scope(|scope| {
        let world = &world;
        scope.spawn(|| world.commit());
        scope.spawn(|| world.again_and_again(|_| world.flush()));
        for reader in 0..READERS {
            scope.spawn(move || world.again_and_again(|round| world.read(reader, round)));
        }
    });
    world.flush();
    assert_eq!((world.table.bytes(), world.table.keys()), (0, 0));
    world.read(0, 0);
}
