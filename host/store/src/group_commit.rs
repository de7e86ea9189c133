//! Makes sequenced commits durable, a group at a time, and tells who waits for that.
//!
//! A group is everything that was queued while the last sync ran. When the disk has no room for it the group
//! is kept and tried again, and new commits are refused meanwhile; any other failure of the log is fatal.
//!
//! Not here: timestamps, the format of the log, the fold.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex, RwLock};
use weir_value::Timestamp;

use crate::disk::Disk;
use crate::fold::FoldWorker;
use crate::log::writer::{AppendError, LogWriter};
use crate::sequencer::{Sequencer, Work};
use crate::stats::Counters;
use crate::view::View;
use crate::{CommitGroup, Env, GroupObserver, StoreClosed, StoreOptions};

/// How often the room on the disk is looked at while commits come, and how long a full disk is left alone.
const ROOM_CHECK_INTERVAL: Duration = Duration::from_millis(250);
/// And after how much log at the latest.
const ROOM_CHECK_BYTES: u64 = 4 * 1024 * 1024;
/// A segment larger than this is not read again at the next start when all of it is folded: closing begins a
/// new one.
const CLOSE_ROTATE_BYTES: u64 = 1024 * 1024;

/// What it works with.
pub(crate) struct GroupParts {
    pub(crate) view: Arc<View>,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) env: Arc<dyn Env>,
    pub(crate) options: StoreOptions,
    pub(crate) counters: Arc<Counters>,
    pub(crate) sequencer: Arc<Sequencer>,
    pub(crate) fold: Arc<FoldWorker>,
}

/// The durable side of the store.
pub(crate) struct GroupCommit {
    parts: GroupParts,
    log: Mutex<Log>,
    observers: RwLock<Vec<Arc<dyn GroupObserver>>>,
    /// Whether nothing will become durable any more; guards the wait for it.
    ended: Mutex<bool>,
    durable: Condvar,
    has_failed: AtomicBool,
}

struct Log {
    writer: LogWriter,
    /// Taken from the queue and not yet written.
    pending: Option<CommitGroup>,
    room_checked_at: Duration,
    bytes_since_check: u64,
}

/// What one step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// A group became durable.
    Written,
    /// Nothing was queued.
    Idle,
    /// There was no room for the group.
    Full,
    /// The store has failed.
    Failed,
}

impl GroupCommit {
    pub(crate) fn new(parts: GroupParts, writer: LogWriter) -> GroupCommit {
        let log = Log { writer, pending: None, room_checked_at: Duration::ZERO, bytes_since_check: u64::MAX };
        GroupCommit {
            parts,
            log: Mutex::new(log),
            observers: RwLock::default(),
            ended: Mutex::new(false),
            durable: Condvar::new(),
            has_failed: AtomicBool::new(false),
        }
    }

    /// The log thread's life: until the sequencer is closed and everything queued is durable.
    pub(crate) fn run(&self) {
        loop {
            let goes_on = match self.step() {
                Step::Written => true,
                Step::Idle => {
                    let time = self.parts.sequencer.is_disk_full().then_some(ROOM_CHECK_INTERVAL);
                    self.parts.sequencer.wait_for_work(time) == Work::Queued
                }
                Step::Full => !self.parts.sequencer.pause(ROOM_CHECK_INTERVAL),
                Step::Failed => false,
            };
            if !goes_on {
                return;
            }
        }
    }

    /// Makes one group durable, if anything is queued.
    pub(crate) fn step(&self) -> Step {
        if self.has_failed.load(Ordering::Acquire) {
            return Step::Failed;
        }
        let mut log = self.log.lock();
        self.check_room(&mut log);
        let group = match log.pending.take() {
            Some(group) => group,
            None => CommitGroup { commits: self.parts.sequencer.take_group() },
        };
        if group.commits.is_empty() {
            return Step::Idle;
        }
        match log.writer.append(&group.commits) {
            Ok(bytes) => {
                log.bytes_since_check = log.bytes_since_check.saturating_add(bytes);
                drop(log);
                self.publish(&group, bytes)
            }
            Err(AppendError::Full(error)) => {
                log.pending = Some(group);
                if self.parts.sequencer.set_disk_full(true) {
                    tracing::error!(%error, "the disk is full: commits are refused until there is room");
                }
                Step::Full
            }
            Err(error @ AppendError::Fatal { .. }) => {
                drop(log);
                self.fail(&format!("{error}; what the disk holds is unknown after that"));
                Step::Failed
            }
        }
    }

    fn publish(&self, group: &CommitGroup, bytes: u64) -> Step {
        let GroupParts { view, counters, sequencer, fold, env, .. } = &self.parts;
        counters.note_group(group.commits.len(), bytes, env.monotonic());
        // Before anyone hears of the group: who does may commit at once.
        if sequencer.set_disk_full(false) {
            tracing::info!("the disk has room again: commits are accepted");
        }
        view.publish_durable(group.last_ts());
        drop(self.ended.lock());
        self.durable.notify_all();
        fold.note_group();
        let observers = self.observers.read().clone();
        let told = catch_unwind(AssertUnwindSafe(|| {
            observers.iter().for_each(|observer| observer.group_durable(group))
        }));
        if told.is_err() {
            self.fail("an observer of durable commits panicked and has missed them");
            return Step::Failed;
        }
        Step::Written
    }

    /// Refuses commits while the disk has less room than the reserve.
    fn check_room(&self, log: &mut Log) {
        let now = self.parts.env.monotonic();
        let is_due = log.bytes_since_check >= ROOM_CHECK_BYTES
            || now.saturating_sub(log.room_checked_at) >= ROOM_CHECK_INTERVAL;
        if !is_due {
            return;
        }
        (log.bytes_since_check, log.room_checked_at) = (0, now);
        // A file system that does not tell is taken to have room; writing to it will show.
        let Ok(space) = self.parts.disk.space() else { return };
        let reserve_bytes = space.reserve_bytes(self.parts.options.disk_reserve_bytes);
        let is_low = space.available_bytes < reserve_bytes;
        if self.parts.sequencer.set_disk_low(is_low) {
            let available_bytes = space.available_bytes;
            if is_low {
                tracing::error!(
                    available_bytes,
                    reserve_bytes,
                    "the disk is almost full: commits are refused until there is room"
                );
            } else {
                tracing::info!(available_bytes, "the disk has room again: commits are accepted");
            }
        }
    }

    pub(crate) fn observe(&self, observer: Arc<dyn GroupObserver>) {
        self.observers.write().push(observer);
    }

    /// See [`Store::wait_durable`](crate::Store::wait_durable).
    pub(crate) fn wait_durable(&self, ts: Timestamp) -> Result<(), StoreClosed> {
        if self.parts.view.durable() >= ts {
            return Ok(());
        }
        let mut ended = self.ended.lock();
        while self.parts.view.durable() < ts {
            if *ended {
                return Err(StoreClosed);
            }
            self.durable.wait(&mut ended);
        }
        Ok(())
    }

    /// The store cannot go on.
    pub(crate) fn fail(&self, reason: &str) {
        if !self.has_failed.swap(true, Ordering::AcqRel) {
            self.parts.sequencer.close();
            self.parts.fold.stop();
            self.end();
            self.parts.options.on_fatal.call(reason);
        }
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::Acquire)
    }

    /// Nothing becomes durable any more: lets go of those who wait, and of the observers, which may hold the
    /// store.
    pub(crate) fn end(&self) {
        *self.ended.lock() = true;
        self.durable.notify_all();
        self.observers.write().clear();
    }

    /// The last act of closing, after the last checkpoint.
    pub(crate) fn finish_log(&self) {
        let mut log = self.log.lock();
        if let Some(lost) = log.pending.take() {
            let commits = lost.commits.len();
            tracing::error!(commits, "the disk stayed full: commits that were never acknowledged are lost");
        }
        let is_folded = self.parts.fold.mark() >= self.parts.view.durable();
        if is_folded
            && log.writer.tail_bytes() > CLOSE_ROTATE_BYTES
            && let Err(error) = log.writer.rotate()
        {
            tracing::warn!(%error, "no new log segment at the end; the next start takes a little longer");
        }
    }
}
