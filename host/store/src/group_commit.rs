//! Makes sequenced commits durable, a group at a time, and tells who waits for that.
//!
//! A group is everything that was queued while the last sync ran. The log's space is secured before commits
//! are sequenced; when there is no more to be had, new commits are refused until there is. A file system that
//! breaks its promise leaves a group that is kept and tried again. Any other failure of the log is fatal.
//!
//! Not here: timestamps, the format of the log, the flush.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex, RwLock};
use weir_value::Timestamp;

use crate::base::Flusher;
use crate::disk::Disk;
use crate::log::{AppendError, CommitLog};
use crate::planted::{self, Bug};
use crate::sequencer::{Sequencer, Taken, Work};
use crate::stats::Counters;
use crate::view::View;
use crate::{CommitGroup, Env, GroupObserver, StoreClosed, StoreOptions};

/// How often the room on the disk is looked at while commits come, and how long a full disk is left alone.
const ROOM_CHECK_INTERVAL: Duration = Duration::from_millis(250);
/// And after how much log at the latest.
const ROOM_CHECK_BYTES: u64 = 4 * 1024 * 1024;

/// What it works with.
pub(crate) struct GroupParts {
    pub(crate) view: Arc<View>,
    pub(crate) log: Arc<dyn CommitLog>,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) env: Arc<dyn Env>,
    pub(crate) options: StoreOptions,
    pub(crate) counters: Arc<Counters>,
    pub(crate) sequencer: Arc<Sequencer>,
    pub(crate) flusher: Arc<Flusher>,
}

/// The durable side of the store.
pub(crate) struct GroupCommit {
    parts: GroupParts,
    state: Mutex<State>,
    observers: RwLock<Vec<Arc<dyn GroupObserver>>>,
    /// Whether nothing will become durable any more; guards the wait for it.
    ended: Mutex<bool>,
    durable: Condvar,
    has_failed: AtomicBool,
}

struct State {
    /// Taken from the queue and not yet written.
    pending: Option<Taken>,
    room_checked_at: Duration,
    bytes_since_check: u64,
    /// How long the last group took.
    last_sync: Duration,
    /// When securing space failed last; it is not tried again at once.
    full_at: Option<Duration>,
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
    pub(crate) fn new(parts: GroupParts) -> GroupCommit {
        let state = State {
            pending: None,
            room_checked_at: Duration::ZERO,
            bytes_since_check: u64::MAX,
            last_sync: Duration::ZERO,
            full_at: None,
        };
        let groups = GroupCommit {
            parts,
            state: Mutex::new(state),
            observers: RwLock::default(),
            ended: Mutex::new(false),
            durable: Condvar::new(),
            has_failed: AtomicBool::new(false),
        };
        groups.secure(&mut groups.state.lock());
        groups
    }

    /// The log thread's life: until the sequencer is closed and everything queued is durable.
    pub(crate) fn run(&self) {
        loop {
            let last_sync = self.state.lock().last_sync;
            self.parts.sequencer.gather(last_sync);
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
        if self.has_failed() {
            return Step::Failed;
        }
        let mut state = self.state.lock();
        self.check_room(&mut state);
        self.secure(&mut state);
        if self.has_failed() {
            return Step::Failed;
        }
        let taken = state.pending.take().unwrap_or_else(|| self.parts.sequencer.take_group());
        if taken.group.is_empty() {
            return Step::Idle;
        }
        let is_answered = planted::is(Bug::AnswerBeforeSync);
        if is_answered {
            self.publish(&CommitGroup { commits: taken.group.clone() }, taken.framed_bytes);
        }
        let began = self.parts.env.monotonic();
        match self.parts.log.append(&taken.group) {
            Ok(bytes) => {
                state.last_sync = self.tell_times(began, taken.queued_at);
                state.bytes_since_check = state.bytes_since_check.saturating_add(bytes);
                self.parts.sequencer.note_written(taken.framed_bytes, self.parts.log.secured_bytes());
                self.secure(&mut state);
                drop(state);
                if is_answered {
                    return Step::Written;
                }
                self.publish(&CommitGroup { commits: taken.group }, bytes)
            }
            Err(AppendError::Full(error)) => {
                state.pending = Some(taken);
                self.note_full(&error);
                Step::Full
            }
            Err(error @ AppendError::Fatal { .. }) => {
                drop(state);
                self.fail(&format!("{error}; what the disk holds is unknown after that"));
                Step::Failed
            }
        }
    }

    /// Secures space for the commit that waits for it.
    pub(crate) fn secure_now(&self) {
        self.secure(&mut self.state.lock());
    }

    /// Keeps as much space allocated as commits may come, and says whether there is any to be had.
    fn secure(&self, state: &mut State) {
        let GroupParts { log, sequencer, options, env, .. } = &self.parts;
        let needed_bytes = sequencer.needed_bytes();
        let has_enough = log.secured_bytes() >= needed_bytes + options.log_room_bytes / 2;
        if has_enough && state.full_at.is_none() {
            sequencer.set_secured(log.secured_bytes());
            return;
        }
        let now = env.monotonic();
        if state.full_at.is_some_and(|at| now.saturating_sub(at) < ROOM_CHECK_INTERVAL && now >= at) {
            return;
        }
        match log.secure(needed_bytes + options.log_room_bytes) {
            Ok(()) => {
                state.full_at = None;
                sequencer.set_secured(log.secured_bytes());
                if sequencer.set_disk_full(false) {
                    tracing::info!("the disk has room again: commits are accepted");
                }
            }
            Err(AppendError::Full(error)) => {
                state.full_at = Some(now);
                self.note_full(&error);
            }
            Err(error @ AppendError::Fatal { .. }) => self.fail(&error.to_string()),
        }
    }

    fn note_full(&self, error: &std::io::Error) {
        if self.parts.sequencer.set_disk_full(true) {
            tracing::error!(%error, "the disk is full: commits are refused until there is room");
        }
    }

    /// Tells the observers how long a group took, which is written now; gives that.
    fn tell_times(&self, began: Duration, queued_at: Duration) -> Duration {
        let now = self.parts.env.monotonic();
        let (took, waited) = (now.saturating_sub(began), now.saturating_sub(queued_at));
        self.observers.read().iter().for_each(|observer| observer.group_written(took, waited));
        took
    }

    fn publish(&self, group: &CommitGroup, bytes: u64) -> Step {
        let GroupParts { view, counters, flusher, env, .. } = &self.parts;
        counters.note_group(group.commits.len(), bytes, env.monotonic());
        view.publish_durable(group.last_ts());
        drop(self.ended.lock());
        self.durable.notify_all();
        flusher.note_group();
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
    fn check_room(&self, state: &mut State) {
        let now = self.parts.env.monotonic();
        let is_due = state.bytes_since_check >= ROOM_CHECK_BYTES
            || now.saturating_sub(state.room_checked_at) >= ROOM_CHECK_INTERVAL;
        if !is_due {
            return;
        }
        (state.bytes_since_check, state.room_checked_at) = (0, now);
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
            self.parts.flusher.stop();
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

    /// The last act of closing; returns whether it came to a good end.
    pub(crate) fn finish_log(&self) -> bool {
        if let Some(lost) = self.state.lock().pending.take() {
            let commits = lost.group.len();
            tracing::error!(commits, "the disk stayed full: commits that were never acknowledged are lost");
        }
        let is_flushed = self.parts.flusher.checkpointed() >= self.parts.view.durable();
        self.parts.log.finish(is_flushed)
    }
}
