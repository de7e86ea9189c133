//! The store's twin in memory: the same log, recovery and engine over a [`MemoryDisk`], which can be frozen
//! at the N-th sync and shows what a power failure would have left.
//!
//! Not here: a faster store for production. Everything is gone with the process.

use std::io;
use std::sync::Arc;

use crate::base::{Activity, Base, MemoryTree, REDB_FILE};
use crate::disk::Disk;
pub use crate::disk::{CrashImage, MemoryDisk};
use crate::engine::{Engine, Parts, Site};
use crate::group_commit::Step;
use crate::log::segment;
use crate::{Env, OpenError, Store, StoreOptions};

/// Opens the store on `disk`, or makes one there. Only one at a time may be open on a disk.
///
/// # Errors
/// The disk's log is damaged, or the disk fails.
pub fn open(
    disk: &MemoryDisk,
    options: StoreOptions,
    env: Arc<dyn Env>,
) -> Result<Arc<dyn Store>, OpenError> {
    Ok(Arc::new(Engine::open(site(disk, MemoryBase::Rows, options, env)?, true)?))
}

/// What keeps the twin's base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MemoryBase {
    /// An ordered map beside the disk's files: quick.
    #[default]
    Rows,
    /// redb, as on a real disk, in a file of the memory disk.
    Redb,
}

/// As [`open`], without threads: commits become durable and are flushed only when the [`Stepper`] is told so,
/// in one order of events. [`Store::wait_durable`] must not be called from the thread that steps.
///
/// # Errors
/// The disk's log is damaged, or the disk fails.
pub fn open_stepped(
    disk: &MemoryDisk,
    options: StoreOptions,
    env: Arc<dyn Env>,
) -> Result<(Arc<dyn Store>, Stepper), OpenError> {
    open_stepped_on(MemoryBase::Rows, disk, options, env)
}

/// As [`open_stepped`], with a choice of base, which must be the one that the disk has.
///
/// # Errors
/// The disk's log or base is damaged, or the disk fails.
pub fn open_stepped_on(
    base: MemoryBase,
    disk: &MemoryDisk,
    options: StoreOptions,
    env: Arc<dyn Env>,
) -> Result<(Arc<dyn Store>, Stepper), OpenError> {
    let engine = Engine::open(site(disk, base, options, env)?, false)?;
    let stepper = Stepper { parts: Arc::clone(engine.parts()) };
    Ok((Arc::new(engine), stepper))
}

/// Does by hand what the store's threads would do.
#[derive(Clone)]
pub struct Stepper {
    parts: Arc<Parts>,
}

impl Stepper {
    /// Makes everything durable that was sequenced, as one group (several when there is very much); false
    /// when nothing was queued, the disk is full or the store has failed. Observers are called before it
    /// returns.
    pub fn write_group(&self) -> bool {
        self.parts.step_log() == Step::Written
    }

    /// Moves what open snapshots allow from memory into the base, and makes nothing of it durable
    /// ([`Store::checkpoint`] does).
    pub fn flush(&self) {
        self.parts.step_flush();
    }

    /// As [`Stepper::flush`], by a slice of at most `keys_max` keys: goes on with the pass under way, or begins
    /// one. Whether there is more of it; whatever wants a pass of its own finishes it first.
    pub fn flush_slice(&self, keys_max: usize) -> bool {
        self.parts.step_slice(keys_max, false)
    }

    /// As [`Stepper::flush_slice`], but a pass that begins here ends as a checkpoint.
    pub fn checkpoint_slice(&self, keys_max: usize) -> bool {
        self.parts.step_slice(keys_max, true)
    }

    /// From now on nothing is sequenced that the log may find no room for, as in a store with threads. Without
    /// this, whoever steps by hand may sequence more than has its space for sure.
    pub fn secure_on_demand(&self) {
        self.parts.secure_on_demand();
    }
}

/// What a twin keeps allocated for its log: there are many of them, and each is zeros in memory.
const LOG_ROOM_BYTES_MAX: u64 = 64 * 1024;

fn site(
    disk: &MemoryDisk,
    base: MemoryBase,
    options: StoreOptions,
    env: Arc<dyn Env>,
) -> Result<Site, OpenError> {
    let log_room_bytes = options.log_room_bytes.min(LOG_ROOM_BYTES_MAX);
    let options = StoreOptions { log_room_bytes, ..options };
    let is_new = is_new(disk);
    // As after a process that did not end well: the base's cache is dropped, the log is written anew.
    let forget = |forgotten: io::Result<()>| {
        forgotten.map_err(|source| OpenError::Io { action: "syncing", path: "memory".into(), source })
    };
    let base = match base {
        MemoryBase::Rows => {
            forget(if is_new { Ok(()) } else { disk.forget_cached_rows() })?;
            Base::new(MemoryTree::new(disk.clone()))
        }
        MemoryBase::Redb => {
            if is_new {
                // As in a folder whose making was interrupted: its parts need not fit together.
                disk.file_names().iter().for_each(|name| disk.remove_file(name));
            }
            forget(disk.forget_cached(REDB_FILE))?;
            crate::open::open_redb(disk, options.cache_bytes())?
        }
    };
    let activity = Arc::new(Activity::new(Arc::clone(&env)));
    Ok(Site { disk: Arc::new(disk.clone()), base, env, options, is_new, activity, folder: None })
}

/// Nothing was answered before the first segment of the log had a record.
fn is_new(disk: &MemoryDisk) -> bool {
    let has_records = |name: &str| {
        let bytes = disk.read(name, u64::MAX).unwrap_or_default();
        bytes.iter().skip(segment::HEADER_BYTES).any(|byte| *byte != 0)
    };
    disk.file_names().iter().all(|name| match segment::parse_file_name(name) {
        Some(number) => number == 1 && !has_records(name),
        None => true,
    })
}
