//! The store against a model: a map for each timestamp.

mod fixture;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use fixture::*;
use proptest::collection::vec;
use proptest::prelude::*;
use weir_store::memory::{CrashImage, MemoryDisk, Stepper, open_stepped};
use weir_store::{Direction, SimEnv, Snapshot, Store, Timestamp, Write};

type Rows = BTreeMap<Bytes, Bytes>;

#[derive(Debug, Clone)]
enum Step {
    Commit(Vec<(u8, Option<u8>)>),
    WriteGroup,
    Flush,
    Checkpoint,
    Open { durable: bool },
    Release(usize),
    Scan { range: Range<u8>, descending: bool, limit: usize },
    SetClock(u64),
    Reopen { crash: bool },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let writes = vec((0..30u8, proptest::option::weighted(0.7, any::<u8>())), 0..6);
    let step = prop_oneof![
        6 => writes.prop_map(Step::Commit),
        4 => Just(Step::WriteGroup),
        2 => Just(Step::Flush),
        1 => Just(Step::Checkpoint),
        2 => any::<bool>().prop_map(|durable| Step::Open { durable }),
        2 => any::<usize>().prop_map(Step::Release),
        6 => (0..31u8, 0..31u8, any::<bool>(), 0..40usize)
            .prop_map(|(low, high, descending, limit)| Step::Scan { range: low..high, descending, limit }),
        1 => (0..5_000u64).prop_map(Step::SetClock),
        1 => any::<bool>().prop_map(|crash| Step::Reopen { crash }),
    ];
    vec(step, 1..80)
}

fn key(number: u8) -> Bytes {
    // Some keys are prefixes of others, and one is empty.
    Bytes::from(vec![number / 3; usize::from(number % 3)])
}

struct World {
    disk: MemoryDisk,
    env: Arc<SimEnv>,
    store: Arc<dyn Store>,
    stepper: Stepper,
    /// The state after each commit.
    states: BTreeMap<Timestamp, Rows>,
    open: Vec<Snapshot>,
}

impl World {
    fn new() -> World {
        let (disk, env) = (MemoryDisk::new(), Arc::new(SimEnv::new(1, ts(1_000))));
        let (store, stepper) = open_stepped(&disk, small_options(), env.clone()).unwrap();
        World { disk, env, store, stepper, states: BTreeMap::from([(ts(0), Rows::new())]), open: Vec::new() }
    }

    fn state_at(&self, at: Timestamp) -> &Rows {
        &self.states[&at]
    }

    fn newest(&self) -> Timestamp {
        *self.states.last_key_value().unwrap().0
    }

    fn apply(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Commit(writes) => self.commit(writes)?,
            Step::WriteGroup => {
                let has_news = self.store.durable() < self.store.sequenced();
                prop_assert_eq!(self.stepper.write_group(), has_news);
            }
            Step::Flush => self.stepper.flush(),
            Step::Checkpoint => self.store.checkpoint().unwrap(),
            Step::Open { durable: true } => self.open.push(self.store.snapshot_durable()),
            Step::Open { durable: false } => self.open.push(self.store.snapshot_sequenced()),
            Step::Release(index) if !self.open.is_empty() => {
                drop(self.open.swap_remove(index % self.open.len()))
            }
            Step::Release(_) => {}
            Step::Scan { range, descending, limit } => self.scan(range, *descending, *limit)?,
            Step::SetClock(nanos) => self.env.set_now(ts(*nanos)),
            Step::Reopen { crash } => self.reopen(*crash)?,
        }
        Ok(())
    }

    fn commit(&mut self, writes: &[(u8, Option<u8>)]) -> Result<(), TestCaseError> {
        let writes: Vec<Write> = writes
            .iter()
            .map(|(number, value)| Write {
                key: key(*number),
                value: value.map(|byte| Bytes::from(vec![byte; 20])),
            })
            .collect();
        let newest = self.newest();
        let at = commit(&*self.store, &writes);
        if writes.is_empty() {
            prop_assert_eq!(at, newest, "nothing was committed");
            return Ok(());
        }
        prop_assert!(at > newest, "timestamps rise, whatever the clock does");
        let mut rows = self.state_at(newest).clone();
        for Write { key, value } in writes {
            match value {
                Some(value) => rows.insert(key, value),
                None => rows.remove(&key),
            };
        }
        self.states.insert(at, rows);
        Ok(())
    }

    fn scan(&self, range: &Range<u8>, descending: bool, limit: usize) -> Result<(), TestCaseError> {
        let (low, high) = (key(range.start), key(range.end));
        let newest = self.store.snapshot_sequenced();
        for snapshot in self.open.iter().chain([&newest]) {
            let rows = self.state_at(snapshot.ts());
            let inside = rows.iter().filter(|(key, _)| **key >= low && **key < high);
            let mut expected: Vec<(Bytes, Bytes)> =
                inside.map(|(key, value)| (key.clone(), value.clone())).collect();
            if descending {
                expected.reverse();
            }
            expected.truncate(limit);
            let direction = if descending { Direction::Descending } else { Direction::Ascending };
            let part = snapshot.scan_part(&low, &high, direction, limit).unwrap();
            let last = expected.last().filter(|_| expected.len() >= limit).map(|(key, _)| key);
            prop_assert_eq!(part.reached.as_ref(), last);
            prop_assert_eq!(&part.rows, &expected);
            prop_assert_eq!(snapshot.scan(&low, &high, direction, limit).unwrap(), expected);
            prop_assert_eq!(snapshot.get(&low).unwrap(), rows.get(&low).cloned());
        }
        Ok(())
    }

    /// Ends the process: in good order, or so that only what was synced is left.
    fn reopen(&mut self, crash: bool) -> Result<(), TestCaseError> {
        self.open.clear();
        let durable = self.store.durable();
        if crash {
            self.disk = self.disk.crash(CrashImage::Synced);
            self.states.retain(|at, _| *at <= durable);
        } else {
            self.store.close();
            self.disk = self.disk.image();
        }
        (self.store, self.stepper) = open_stepped(&self.disk, small_options(), self.env.clone()).unwrap();
        prop_assert_eq!(self.store.durable(), self.newest());
        let rows: Vec<(Bytes, Bytes)> = self.state_at(self.newest()).clone().into_iter().collect();
        prop_assert_eq!(dump(&self.store.snapshot_durable()), rows);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_store_behaves_as_a_map_with_a_history(steps in steps()) {
        let mut world = World::new();
        for step in &steps {
            world.apply(step)?;
        }
        for snapshot in &world.open {
            let expected: Vec<_> = world.state_at(snapshot.ts()).clone().into_iter().collect();
            prop_assert_eq!(dump(snapshot), expected);
        }
    }
}
