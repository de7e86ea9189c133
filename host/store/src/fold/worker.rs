//! Moves what is durable, and old enough for every open snapshot, from memory into the fold.
//!
//! It goes through the memory table in the order of keys and in small steps: reads some entries, writes their
//! newest version to the fold, takes them out of memory, rests. A pass uses one bound from beginning to end.
//! A checkpoint is a pass, a sync of the fold, the mark, another sync, and then the removal of log segments.
//!
//! Segments go one checkpoint later than they could: sled, opened after a power failure, may fall back to an
//! older state than the one synced last, and then its older mark finds the log it needs. Only a disk short of
//! room makes them go at once.
//!
//! Not here: when (see `policy`), and any reader.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::{Condvar, Mutex};
use weir_value::Timestamp;

use super::FoldError;
use super::policy::{self, Decision, Pace, Pressure};
use crate::disk::Disk;
use crate::log::writer::{ClosedSegments, remove_segments};
use crate::sequencer::Sequencer;
use crate::stats::Counters;
use crate::view::View;
use crate::{Env, StoreOptions};

/// Keys moved in one step; the memory table is locked against writers for this many removals.
const STEP_KEYS: usize = 64;
/// A gentle pass rests this many times as long as it worked.
const GENTLE_REST: u32 = 3;
/// How often a pass asks how much room the disk has.
const ROOM_CHECK_STEPS: u64 = 64;
/// How long to wait for room on the disk.
const NO_ROOM_WAIT: Duration = Duration::from_secs(5);

/// What the worker works with.
pub(crate) struct FoldParts {
    pub(crate) view: Arc<View>,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) env: Arc<dyn Env>,
    pub(crate) options: StoreOptions,
    pub(crate) closed_segments: ClosedSegments,
    pub(crate) counters: Arc<Counters>,
    pub(crate) sequencer: Arc<Sequencer>,
}

/// Folds, on its own thread or when told to.
pub(crate) struct FoldWorker {
    parts: FoldParts,
    /// The mark before the newest one. Held through a pass: one at a time.
    previous_mark: Mutex<Timestamp>,
    mark_ns: AtomicU64,
    folded_ns: AtomicU64,
    /// How many threads wait for a pass to end: rests are skipped.
    hurried: AtomicU64,
    stopped: Mutex<bool>,
    wake: Condvar,
    /// The thread sleeps until something is committed.
    asleep: AtomicBool,
    /// The thread was woken and has not looked yet.
    nudged: AtomicBool,
}

impl FoldWorker {
    /// `mark` is the fold's.
    pub(crate) fn new(parts: FoldParts, mark: Timestamp) -> FoldWorker {
        FoldWorker {
            parts,
            previous_mark: Mutex::new(mark),
            mark_ns: AtomicU64::new(mark.as_nanos()),
            folded_ns: AtomicU64::new(mark.as_nanos()),
            hurried: AtomicU64::new(0),
            stopped: Mutex::new(false),
            wake: Condvar::new(),
            asleep: AtomicBool::new(false),
            nudged: AtomicBool::new(false),
        }
    }

    /// Everything up to here is folded and durable.
    pub(crate) fn mark(&self) -> Timestamp {
        Timestamp::from_nanos(self.mark_ns.load(Ordering::Acquire))
    }

    /// Everything up to here has left memory.
    fn folded(&self) -> Timestamp {
        Timestamp::from_nanos(self.folded_ns.load(Ordering::Acquire))
    }

    /// The thread's life: folds as the policy says until `stop`.
    pub(crate) fn run(&self) -> Result<(), FoldError> {
        loop {
            self.nudged.store(false, Ordering::Relaxed);
            let went_on = match policy::decide(&self.pressure(), &self.parts.options) {
                Decision::Sleep => self.sleep(),
                Decision::Wait(wait) => self.wait(wait),
                Decision::Fold(_) | Decision::Checkpoint(_) if !self.has_room() => {
                    tracing::warn!(
                        "the disk has no room to fold to; recent writes stay in memory and in the log"
                    );
                    self.wait_undisturbed(NO_ROOM_WAIT)
                }
                Decision::Fold(pace) => self.fold(pace)?,
                Decision::Checkpoint(pace) => self.checkpoint(pace)?,
            };
            if !went_on && self.is_stopped() {
                return Ok(());
            }
        }
    }

    /// Ends `run`, also in the middle of a pass.
    pub(crate) fn stop(&self) {
        *self.stopped.lock() = true;
        self.wake.notify_all();
    }

    /// The log tells that a group is durable; wakes the thread if that changes its mind.
    pub(crate) fn note_group(&self) {
        fence(Ordering::SeqCst);
        let is_urgent = self.parts.view.memory.bytes() > self.parts.options.memory_budget_bytes
            || self.parts.counters.replay_bytes() > self.parts.options.checkpoint_log_bytes;
        if (is_urgent || self.asleep.load(Ordering::Relaxed)) && !self.nudged.swap(true, Ordering::Relaxed) {
            drop(self.stopped.lock());
            self.wake.notify_all();
        }
    }

    /// One pass; false when it was stopped half-way.
    pub(crate) fn fold(&self, pace: Pace) -> Result<bool, FoldError> {
        let _one_at_a_time = self.previous_mark.lock();
        self.pass(self.parts.view.floor(), pace)
    }

    /// One pass, made durable; false when it was stopped half-way.
    pub(crate) fn checkpoint(&self, pace: Pace) -> Result<bool, FoldError> {
        let mut previous_mark = self.previous_mark.lock();
        let logged_bytes = self.parts.counters.logged_position();
        let floor = self.parts.view.floor();
        if floor <= self.mark() {
            return Ok(true);
        }
        if !self.pass(floor, pace)? {
            return Ok(false);
        }
        self.parts.view.fold.checkpoint(floor)?;
        let mark = self.mark();
        *previous_mark = mark;
        self.mark_ns.store(floor.as_nanos(), Ordering::Release);
        self.parts.counters.note_checkpoint(logged_bytes);
        self.release_log(if self.is_short_of_room() { floor } else { mark });
        Ok(true)
    }

    /// As `checkpoint`, at full speed, and hurrying a pass that is under way.
    pub(crate) fn checkpoint_now(&self) -> Result<bool, FoldError> {
        self.hurried.fetch_add(1, Ordering::Relaxed);
        self.wake.notify_all();
        let done = if self.has_room() { self.checkpoint(Pace::Full) } else { Ok(false) };
        self.hurried.fetch_sub(1, Ordering::Relaxed);
        done
    }

    fn pass(&self, bound: Timestamp, pace: Pace) -> Result<bool, FoldError> {
        if bound <= self.folded() {
            return Ok(true);
        }
        let mut steps = 0;
        let mut started = self.parts.env.monotonic();
        let completed = move_to_fold(&self.parts.view, bound, |keys| {
            self.parts.counters.folded_keys.fetch_add(keys, Ordering::Relaxed);
            self.parts.sequencer.note_room();
            steps += 1;
            let worked = self.parts.env.monotonic().saturating_sub(started);
            let goes_on = self.rest(worked, pace) && (steps % ROOM_CHECK_STEPS != 0 || self.has_room());
            started = self.parts.env.monotonic();
            goes_on
        })?;
        if completed {
            self.folded_ns.fetch_max(bound.as_nanos(), Ordering::AcqRel);
        }
        Ok(completed)
    }

    /// Gives the processor away for a while; false when it is time to stop.
    fn rest(&self, worked: Duration, pace: Pace) -> bool {
        match pace {
            Pace::Gentle if self.hurried.load(Ordering::Relaxed) == 0 => {
                self.wait_undisturbed(worked * GENTLE_REST)
            }
            _ => {
                std::thread::yield_now();
                true
            }
        }
    }

    /// A file that cannot be removed costs room and nothing else; the next checkpoint tries again.
    fn release_log(&self, mark: Timestamp) {
        match remove_segments(&*self.parts.disk, &self.parts.closed_segments, mark) {
            Ok(removed) => tracing::debug!(removed, "checkpoint"),
            Err(error) => tracing::warn!(%error, "an old log segment could not be removed"),
        }
    }

    fn pressure(&self) -> Pressure {
        let floor = self.parts.view.floor();
        Pressure {
            memory_bytes: self.parts.view.memory.bytes(),
            replay_bytes: self.parts.counters.replay_bytes(),
            idle: self.parts.env.monotonic().saturating_sub(self.parts.counters.last_group_at()),
            has_news: self.parts.view.durable() > self.mark(),
            can_fold: floor > self.folded(),
            can_checkpoint: floor > self.mark(),
        }
    }

    /// Until a commit; false when stopped.
    fn sleep(&self) -> bool {
        let mut stopped = self.stopped.lock();
        self.asleep.store(true, Ordering::Relaxed);
        // Either this sees the commit or the log sees that this sleeps.
        fence(Ordering::SeqCst);
        if self.parts.view.durable() <= self.mark() && !*stopped {
            self.wake.wait(&mut stopped);
        }
        self.asleep.store(false, Ordering::Relaxed);
        !*stopped
    }

    /// Until something happens or the time is over; false when stopped.
    fn wait(&self, time: Duration) -> bool {
        let mut stopped = self.stopped.lock();
        if !*stopped {
            self.wake.wait_for(&mut stopped, time);
        }
        !*stopped
    }

    /// As `wait`, and the log does not disturb.
    fn wait_undisturbed(&self, time: Duration) -> bool {
        self.nudged.store(true, Ordering::Relaxed);
        self.wait(time)
    }

    fn is_stopped(&self) -> bool {
        *self.stopped.lock()
    }

    /// Whether the disk has room for what a pass may write: a part of the reserve, which new commits leave
    /// alone.
    fn has_room(&self) -> bool {
        self.room_in_reserves(4)
    }

    fn is_short_of_room(&self) -> bool {
        !self.room_in_reserves(1)
    }

    /// Whether there is room for one reserve divided by `part`. A disk that does not tell is taken to have
    /// it.
    fn room_in_reserves(&self, part: u64) -> bool {
        let space = self.parts.disk.space();
        space.map_or(true, |space| {
            space.available_bytes >= space.reserve_bytes(self.parts.options.disk_reserve_bytes) / part
        })
    }
}

/// Moves everything up to `bound` from memory into the fold. `after_step` hears how many keys a step moved,
/// and says whether to go on; the result is false when it did not.
pub(crate) fn move_to_fold(
    view: &View,
    bound: Timestamp,
    mut after_step: impl FnMut(u64) -> bool,
) -> Result<bool, FoldError> {
    let mut after: Option<Bytes> = None;
    loop {
        let batch = view.memory.foldable(after.as_deref(), bound, STEP_KEYS);
        for entry in &batch.entries {
            view.fold.put(&entry.key, entry.ts, entry.value.as_ref())?;
        }
        view.memory.remove_folded(&batch, bound);
        let goes_on = after_step(batch.entries.len() as u64);
        match batch.reached {
            None => return Ok(true),
            Some(_) if !goes_on => return Ok(false),
            reached => after = reached,
        }
    }
}
