//! One life of the host: a store, stepped by hand, over a disk in memory, and the database on it.
//!
//! The only file that knows how a store is opened.
//!
//! Not here: when what happens, and whether it is right.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use weir_db::{Database, DbOpenError};
use weir_store::memory::{MemoryBase, MemoryDisk, Stepper, open_stepped_on};
use weir_store::{
    CommitGroup, FatalHandler, GroupObserver, OpenError, SimEnv, Store, StoreOptions, Timestamp,
};

use crate::functions::SimFunctions;

/// A group that was announced.
#[derive(Debug, Clone)]
pub(crate) struct Announced {
    pub(crate) group: CommitGroup,
    /// How many syncs the disk had been asked for by then.
    pub(crate) syncs: u64,
    /// What the store called durable at that moment.
    pub(crate) durable: Timestamp,
}

/// Notes every group.
struct Announcements {
    disk: MemoryDisk,
    store: Mutex<Option<Arc<dyn Store>>>,
    seen: Mutex<Vec<Announced>>,
}

impl GroupObserver for Announcements {
    fn group_durable(&self, group: &CommitGroup) {
        let durable = self.store.lock().as_ref().map_or(Timestamp::ZERO, |store| store.durable());
        let announced = Announced { group: group.clone(), syncs: self.disk.sync_count(), durable };
        self.seen.lock().push(announced);
    }
}

/// What a host starts with.
#[derive(Debug, Clone)]
pub(crate) struct HostOptions {
    pub(crate) base: MemoryBase,
    pub(crate) store: StoreOptions,
    /// Whether the file system gives the room that it has promised, so that the log can rely on it.
    pub(crate) has_promised_room: bool,
}

/// Why a host did not start.
#[derive(Debug)]
pub(crate) enum StartError {
    Store(OpenError),
    Database(DbOpenError),
}

/// A host that runs.
pub(crate) struct Host {
    pub(crate) disk: MemoryDisk,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) db: Arc<Database>,
    stepper: Stepper,
    announcements: Arc<Announcements>,
    has_given_up: Arc<AtomicBool>,
}

impl Host {
    pub(crate) fn start(
        disk: MemoryDisk,
        options: HostOptions,
        env: &Arc<SimEnv>,
    ) -> Result<Host, StartError> {
        let HostOptions { base, store: options, has_promised_room } = options;
        let has_given_up = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&has_given_up);
        let on_fatal = FatalHandler::new(move |_| flag.store(true, Ordering::Relaxed));
        let options = StoreOptions { on_fatal, ..options };
        let opened = open_stepped_on(base, &disk, options, env.clone());
        let (store, stepper) = opened.map_err(StartError::Store)?;
        if has_promised_room {
            stepper.secure_on_demand();
        }
        let db = Database::open(store.clone(), env.clone()).map_err(StartError::Database)?;
        db.set_deployment(Arc::new(SimFunctions::new()));
        let announcements = Arc::new(Announcements {
            disk: disk.clone(),
            store: Mutex::new(Some(store.clone())),
            seen: Mutex::default(),
        });
        store.observe(announcements.clone());
        Ok(Host { disk, store, db, stepper, announcements, has_given_up })
    }

    /// Makes durable what is queued; whether there was anything, and room for it.
    pub(crate) fn write_group(&self) -> bool {
        self.stepper.write_group()
    }

    /// Moves what may move from the memory table into the base.
    pub(crate) fn flush(&self) {
        self.stepper.flush();
    }

    /// A slice of a flush, or of a checkpoint; whether there is more of it.
    pub(crate) fn flush_slice(&self, keys_max: usize, is_checkpoint: bool) -> bool {
        match is_checkpoint {
            true => self.stepper.checkpoint_slice(keys_max),
            false => self.stepper.flush_slice(keys_max),
        }
    }

    /// The groups that were announced since the last call.
    pub(crate) fn take_announced(&self) -> Vec<Announced> {
        std::mem::take(&mut *self.announcements.seen.lock())
    }

    /// Whether the store has said that it cannot go on.
    pub(crate) fn has_given_up(&self) -> bool {
        self.has_given_up.load(Ordering::Relaxed)
    }

    /// Lets go of a host whose process has gone: what closing would write goes nowhere.
    pub(crate) fn abandon(self) {
        self.disk.fail_from_sync(0);
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // The store holds the observer, and the observer the store.
        *self.announcements.store.lock() = None;
    }
}
