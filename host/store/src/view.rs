//! What can be read: the memory table, the base, how far they go, and who is looking.
//!
//! Not here: how anything gets there.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;
use weir_value::Timestamp;

use crate::base::Base;
use crate::folder::Folder;
use crate::memory_table::MemoryTable;
use crate::{BaseKind, OpenError, Snapshot};

/// Shared by the engine, its threads and every open snapshot.
pub(crate) struct View {
    pub(crate) memory: MemoryTable,
    pub(crate) base: Base,
    sequenced_ns: AtomicU64,
    durable_ns: AtomicU64,
    /// How many snapshots are open at each timestamp.
    open: Mutex<BTreeMap<Timestamp, u64>>,
    /// The lock on the data folder: as long as the base is open, so is the folder.
    folder: Option<Folder>,
    /// Everything but the base has come to a good end.
    ended_well: AtomicBool,
}

impl View {
    /// A view of what `base` holds, up to `ts`. `folder` is kept until the last snapshot is gone.
    pub(crate) fn new(base: Base, memory: MemoryTable, ts: Timestamp, folder: Option<Folder>) -> View {
        View {
            memory,
            base,
            sequenced_ns: AtomicU64::new(ts.as_nanos()),
            durable_ns: AtomicU64::new(ts.as_nanos()),
            open: Mutex::default(),
            folder,
            ended_well: AtomicBool::new(false),
        }
    }

    pub(crate) fn sequenced(&self) -> Timestamp {
        Timestamp::from_nanos(self.sequenced_ns.load(Ordering::Acquire))
    }

    pub(crate) fn durable(&self) -> Timestamp {
        Timestamp::from_nanos(self.durable_ns.load(Ordering::Acquire))
    }

    /// Call it after the commit's writes stand in the memory table.
    pub(crate) fn publish_sequenced(&self, ts: Timestamp) {
        self.sequenced_ns.store(ts.as_nanos(), Ordering::Release);
    }

    /// Call it after the commit's record was synced.
    pub(crate) fn publish_durable(&self, ts: Timestamp) {
        self.durable_ns.store(ts.as_nanos(), Ordering::Release);
    }

    pub(crate) fn snapshot_sequenced(self: &Arc<View>) -> Snapshot {
        self.register(View::sequenced)
    }

    pub(crate) fn snapshot_durable(self: &Arc<View>) -> Snapshot {
        self.register(View::durable)
    }

    /// The timestamp is read under the registry's lock: `floor` then never returns one that is newer than a
    /// snapshot about to be registered.
    fn register(self: &Arc<View>, newest: fn(&View) -> Timestamp) -> Snapshot {
        let mut open = self.open.lock();
        let ts = newest(self);
        *open.entry(ts).or_insert(0) += 1;
        Snapshot::new(Arc::clone(self), ts)
    }

    pub(crate) fn unregister(&self, ts: Timestamp) {
        let mut open = self.open.lock();
        if let Some(count) = open.get_mut(&ts) {
            *count -= 1;
            if *count == 0 {
                open.remove(&ts);
            }
        }
    }

    /// The newest timestamp that is durable and that every open snapshot, and every one opened from now on,
    /// sees. Of the versions up to here only the newest of each key is still of use.
    pub(crate) fn floor(&self) -> Timestamp {
        let open = self.open.lock();
        let durable = self.durable();
        if crate::planted::is(crate::planted::Bug::CheckpointPastOpenSnapshot) {
            return durable;
        }
        open.keys().next().map_or(durable, |oldest| durable.min(*oldest))
    }

    /// Says in the folder that the store is made, with that base.
    pub(crate) fn set_format(&self, kind: BaseKind) -> Result<(), OpenError> {
        self.folder.as_ref().map_or(Ok(()), |folder| folder.set_format(kind))
    }

    /// From here on the base is written to: an end without [`View::set_out_of_use`] was not a good one.
    pub(crate) fn set_in_use(&self) {
        self.folder.iter().for_each(Folder::set_in_use);
    }

    /// Everything is on the disk; what the base writes when it is closed is not yet.
    pub(crate) fn set_out_of_use(&self) {
        self.ended_well.store(true, Ordering::Release);
    }

    pub(crate) fn open_snapshots(&self) -> u64 {
        self.open.lock().values().sum()
    }
}

/// The end was a good one only when the base's was: a sync that fails there leaves pages in the cache that are
/// not on the disk, as any other does.
impl Drop for View {
    fn drop(&mut self) {
        match self.base.close() {
            Ok(()) if self.ended_well.load(Ordering::Acquire) => {
                self.folder.iter().for_each(Folder::set_out_of_use);
            }
            Ok(()) => {}
            Err(error) => tracing::warn!(%error, "the next start recovers"),
        }
    }
}
