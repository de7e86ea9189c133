//! Snapshots of the database that a client may come back to.
//!
//! Server-side rendering asks for a timestamp and then runs several queries at
//! it, one request each. The snapshot is kept meanwhile: for a short time, and
//! only so many, because the store cannot flush what a snapshot still shows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use weir_store::Snapshot;
use weir_value::{Timestamp, limits};

/// The snapshots that are kept.
#[derive(Default)]
pub struct KeptSnapshots {
    kept: Mutex<BTreeMap<Timestamp, Kept>>,
}

struct Kept {
    snapshot: Arc<Snapshot>,
    until: Duration,
}

impl KeptSnapshots {
    /// Keeps a snapshot for `KEPT_SNAPSHOT_MS` from `now` on, a monotonic time. When
    /// there are too many, the oldest goes first.
    pub fn keep(&self, snapshot: Arc<Snapshot>, now: Duration) -> Timestamp {
        let ts = snapshot.ts();
        let until = now + Duration::from_millis(limits::KEPT_SNAPSHOT_MS);
        let mut kept = self.kept.lock();
        kept.entry(ts).or_insert(Kept { snapshot, until }).until = until;
        if kept.len() > limits::KEPT_SNAPSHOTS_MAX {
            kept.pop_first();
        }
        ts
    }

    /// The snapshot at `ts`, if it is kept.
    pub fn find(&self, ts: Timestamp) -> Option<Arc<Snapshot>> {
        self.kept.lock().get(&ts).map(|kept| Arc::clone(&kept.snapshot))
    }

    /// Lets go of those whose time is over.
    pub fn release(&self, now: Duration) {
        self.kept.lock().retain(|_, kept| kept.until > now);
    }

    /// Lets go of all.
    pub fn clear(&self) {
        self.kept.lock().clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use weir_store::memory::{self, MemoryDisk};
    use weir_store::{RealEnv, StoreOptions, Write};

    #[test]
    fn keeps_for_a_while_and_not_too_many() {
        let env = Arc::new(RealEnv::new());
        let store = memory::open(&MemoryDisk::new(), StoreOptions::default(), env).unwrap();
        let commit = || {
            let write = Write { key: Bytes::from_static(b"k"), value: Some(Bytes::new()) };
            store.sequence(&mut |_| vec![write.clone()].into()).unwrap();
            Arc::new(store.snapshot_sequenced())
        };
        let snapshots = KeptSnapshots::default();
        let at = |ms: u64| Duration::from_millis(ms);
        let first = snapshots.keep(commit(), at(0));
        let second = snapshots.keep(commit(), at(10));
        assert_eq!(snapshots.find(first).unwrap().ts(), first);
        snapshots.release(at(limits::KEPT_SNAPSHOT_MS));
        assert!(snapshots.find(first).is_none());
        assert!(snapshots.find(second).is_some());
        for _ in 0..limits::KEPT_SNAPSHOTS_MAX {
            snapshots.keep(commit(), at(20));
        }
        assert!(snapshots.find(second).is_none());
        assert_eq!(snapshots.kept.lock().len(), limits::KEPT_SNAPSHOTS_MAX);
    }
}
