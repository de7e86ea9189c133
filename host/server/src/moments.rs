//! Moments of the database that a client may come back to.
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

/// The moments that are kept.
#[derive(Default)]
pub struct Moments {
    kept: Mutex<BTreeMap<Timestamp, Kept>>,
}

struct Kept {
    snapshot: Arc<Snapshot>,
    until: Duration,
}

impl Moments {
    /// Keeps a moment for `KEPT_MOMENT_MS` from `now` on, a monotonic time. When
    /// there are too many, the oldest goes first.
    pub fn keep(&self, snapshot: Arc<Snapshot>, now: Duration) -> Timestamp {
        let ts = snapshot.ts();
        let until = now + Duration::from_millis(limits::KEPT_MOMENT_MS);
        let mut kept = self.kept.lock();
        kept.entry(ts).or_insert(Kept { snapshot, until }).until = until;
        if kept.len() > limits::KEPT_MOMENTS_MAX {
            kept.pop_first();
        }
        ts
    }

    /// The moment `ts`, if it is kept.
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
            store.sequence(&mut |_| vec![write.clone()]).unwrap();
            Arc::new(store.snapshot_sequenced())
        };
        let moments = Moments::default();
        let at = |ms: u64| Duration::from_millis(ms);
        let first = moments.keep(commit(), at(0));
        let second = moments.keep(commit(), at(10));
        assert_eq!(moments.find(first).unwrap().ts(), first);
        moments.release(at(limits::KEPT_MOMENT_MS));
        assert!(moments.find(first).is_none());
        assert!(moments.find(second).is_some());
        for _ in 0..limits::KEPT_MOMENTS_MAX {
            moments.keep(commit(), at(20));
        }
        assert!(moments.find(second).is_none());
        assert_eq!(moments.kept.lock().len(), limits::KEPT_MOMENTS_MAX);
    }
}
