//! The store's twin in memory: the same log, recovery and engine over a [`MemoryDisk`], which can be frozen
//! at the N-th sync and shows what a power failure would have left.
//!
//! Not here: a faster store for production. Everything is gone with the process.

use std::sync::Arc;

pub use crate::disk::{CrashImage, MemoryDisk};
use crate::engine::{Engine, Parts, Site};
use crate::fold::MemoryFold;
use crate::group_commit::Step;
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
    Ok(Arc::new(Engine::open(site(disk, options, env), true)?))
}

/// As [`open`], without threads: commits become durable and are folded only when the [`Stepper`] is told so,
/// in one order of events. [`Store::wait_durable`] must not be called from the thread that steps.
///
/// # Errors
/// The disk's log is damaged, or the disk fails.
pub fn open_stepped(
    disk: &MemoryDisk,
    options: StoreOptions,
    env: Arc<dyn Env>,
) -> Result<(Arc<dyn Store>, Stepper), OpenError> {
    let engine = Engine::open(site(disk, options, env), false)?;
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

    /// Moves what open snapshots allow from memory into the fold, and makes nothing of it durable
    /// ([`Store::checkpoint`] does).
    pub fn fold(&self) {
        self.parts.step_fold();
    }
}

fn site(disk: &MemoryDisk, options: StoreOptions, env: Arc<dyn Env>) -> Site {
    Site {
        disk: Arc::new(disk.clone()),
        fold: Arc::new(MemoryFold::new(disk.clone())),
        env,
        options,
        lock: None,
    }
}
