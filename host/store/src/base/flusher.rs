//! Moves what is durable, and old enough for every open snapshot, from memory into the base.
//!
//! It goes through the memory table in the order of keys and in slices: reads some entries, writes their newest
//! version to the base, takes them out of memory, rests. A pass uses one bound from beginning to end, and says
//! so to the base before it begins. A checkpoint is a pass, a sync of the base with its new mark, and then the
//! release of the log.
//!
//! Where the base may fall back to an older state than the one synced last (sled, after a power failure), the
//! log goes one checkpoint later than it could: then that older state still finds the log it needs. Only a
//! disk short of room makes it go at once.
//!
//! Whoever has no threads steps a pass by hand, so that anything may happen between two slices.
//!
//! Not here: when (see `policy`), and any reader.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use weir_value::Timestamp;

use super::moving::{Moving, SLICE, has_room, move_to_base};
use super::policy::{self, Decision, Pace, Pressure};
use super::{Activity, BaseError};
use crate::disk::Disk;
use crate::log::CommitLog;
use crate::log::consumers::Consumers;
use crate::memory_table::SliceBounds;
use crate::planted::{self, Bug};
use crate::rate::Rate;
use crate::sequencer::Sequencer;
use crate::stats::Counters;
use crate::view::View;
use crate::{Env, StoreOptions};

/// A gentle pass rests this many times as long as it worked.
const GENTLE_REST: u32 = 3;
/// But no longer than this: what waited for a slow disk has not taken the processor.
const REST_MAX: Duration = Duration::from_millis(100);
/// How often a pass asks how much room the disk has.
const ROOM_CHECK_SLICES: u64 = 8;
/// How long to wait for room on the disk.
const NO_ROOM_WAIT: Duration = Duration::from_secs(2);
/// Closing flushes what is left only when that is done sooner than this, by what was measured.
const CLOSE_FLUSH_MAX: Duration = Duration::from_millis(700);
/// The speed that is assumed before one was measured, bytes of memory a second.
const RATE_FIRST: f64 = 8.0 * 1024.0 * 1024.0;
/// Of so many bytes.
const RATE_BYTES_FIRST: f64 = 1024.0 * 1024.0;

/// What the flusher works with.
pub(crate) struct FlusherParts {
    pub(crate) view: Arc<View>,
    pub(crate) log: Arc<dyn CommitLog>,
    pub(crate) consumers: Arc<Consumers>,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) env: Arc<dyn Env>,
    pub(crate) options: StoreOptions,
    pub(crate) counters: Arc<Counters>,
    pub(crate) sequencer: Arc<Sequencer>,
    pub(crate) activity: Arc<Activity>,
}

/// Flushes, on its own thread or when told to.
pub(crate) struct Flusher {
    parts: FlusherParts,
    /// What a pass knows. Held through it: one at a time.
    pass: Mutex<PassState>,
    checkpoint_ns: AtomicU64,
    flushed_ns: AtomicU64,
    /// How many threads wait for a pass to end: rests are skipped.
    hurried: AtomicU64,
    stopped: Mutex<bool>,
    wake: Condvar,
    /// The thread sleeps until something is committed.
    asleep: AtomicBool,
    /// The thread was woken and has not looked yet.
    nudged: AtomicBool,
}

struct PassState {
    /// The checkpoint before the newest one.
    previous_checkpoint: Timestamp,
    /// Of memory.
    rate: Rate,
    /// The pass under way that is stepped by hand.
    stepped: Option<Stepped>,
}

/// A pass that is stepped by hand.
struct Stepped {
    aim: Aim,
    moving: Moving,
    is_checkpoint: bool,
}

/// Where a pass goes.
#[derive(Clone, Copy)]
struct Aim {
    bound: Timestamp,
    /// The position of the log that belongs to it.
    logged_bytes: u64,
}

impl Flusher {
    /// `checkpoint` is the base's.
    pub(crate) fn new(parts: FlusherParts, checkpoint: Timestamp) -> Flusher {
        Flusher {
            parts,
            pass: Mutex::new(PassState {
                previous_checkpoint: checkpoint,
                rate: Rate::assumed(RATE_FIRST, RATE_BYTES_FIRST),
                stepped: None,
            }),
            checkpoint_ns: AtomicU64::new(checkpoint.as_nanos()),
            flushed_ns: AtomicU64::new(checkpoint.as_nanos()),
            hurried: AtomicU64::new(0),
            stopped: Mutex::new(false),
            wake: Condvar::new(),
            asleep: AtomicBool::new(false),
            nudged: AtomicBool::new(false),
        }
    }

    /// Everything up to here is in the base, durably.
    pub(crate) fn checkpointed(&self) -> Timestamp {
        Timestamp::from_nanos(self.checkpoint_ns.load(Ordering::Acquire))
    }

    /// Everything up to here has left memory.
    fn flushed(&self) -> Timestamp {
        Timestamp::from_nanos(self.flushed_ns.load(Ordering::Acquire))
    }

    /// The thread's life: flushes as the policy says until `stop`.
    pub(crate) fn run(&self) -> Result<(), BaseError> {
        loop {
            self.nudged.store(false, Ordering::Relaxed);
            let went_on = match policy::decide(&self.pressure(), &self.parts.options) {
                Decision::Sleep => self.sleep(),
                Decision::Wait(wait) => self.wait(wait),
                Decision::Checkpoint(_) if !self.has_room() => {
                    tracing::warn!(
                        "the disk has no room to flush to; recent writes stay in memory and in the log"
                    );
                    self.wait_undisturbed(NO_ROOM_WAIT)
                }
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
        self.parts.view.base.stop();
        self.wake.notify_all();
    }

    /// The log tells that a group is durable; wakes the thread if that changes its mind.
    pub(crate) fn note_group(&self) {
        fence(Ordering::SeqCst);
        let is_urgent = self.parts.view.memory.bytes() > self.parts.options.flush_bytes()
            || self.parts.counters.replay_bytes() > self.parts.options.checkpoint_log_bytes;
        if (is_urgent || self.asleep.load(Ordering::Relaxed)) && !self.nudged.swap(true, Ordering::Relaxed) {
            drop(self.stopped.lock());
            self.wake.notify_all();
        }
    }

    /// One pass; false when it was stopped half-way.
    pub(crate) fn flush(&self, pace: Pace) -> Result<bool, BaseError> {
        let mut pass = self.pass.lock();
        self.finish_stepped(&mut pass)?;
        self.run_pass(&mut pass, self.parts.view.floor(), pace)
    }

    /// One pass, made durable; false when it was stopped half-way.
    pub(crate) fn checkpoint(&self, pace: Pace) -> Result<bool, BaseError> {
        let mut pass = self.pass.lock();
        self.finish_stepped(&mut pass)?;
        let aim = self.aim();
        if aim.bound <= self.checkpointed() {
            return Ok(true);
        }
        if !self.run_pass(&mut pass, aim.bound, pace)? {
            return Ok(false);
        }
        self.complete_checkpoint(&mut pass, aim)?;
        Ok(true)
    }

    fn aim(&self) -> Aim {
        let logged_bytes = self.parts.counters.logged_position();
        Aim { bound: self.parts.view.floor(), logged_bytes }
    }

    /// What follows the pass of a checkpoint.
    fn complete_checkpoint(&self, pass: &mut PassState, aim: Aim) -> Result<(), BaseError> {
        let FlusherParts { view, activity, env, sequencer, .. } = &self.parts;
        let base = &view.base;
        let started = env.monotonic();
        activity.watch("syncing", || base.checkpoint(aim.bound))?;
        sequencer.note_flushed(0, env.monotonic().saturating_sub(started));
        let before = self.checkpointed();
        pass.previous_checkpoint = before;
        self.checkpoint_ns.store(aim.bound.as_nanos(), Ordering::Release);
        self.parts.counters.note_checkpoint(aim.logged_bytes);
        let is_kept_longer = base.may_fall_back() && !self.is_short_of_room();
        self.release_log(if is_kept_longer { before } else { aim.bound });
        Ok(())
    }

    /// As `flush`, at full speed, unless the disk has no room for it.
    pub(crate) fn flush_now(&self) -> Result<bool, BaseError> {
        if self.has_room() { self.flush(Pace::Full) } else { Ok(false) }
    }

    /// Goes on with the pass that is stepped by hand, or begins one, by a slice of at most that many keys. Whether
    /// there is more of it; none is left either when the disk has no room.
    pub(crate) fn step(&self, keys_max: usize, is_checkpoint: bool) -> Result<bool, BaseError> {
        let mut pass = self.pass.lock();
        let under_way = match pass.stepped.take() {
            Some(stepped) => Some(stepped),
            None => self.begin_stepped(is_checkpoint)?,
        };
        match under_way.filter(|_| self.has_room()) {
            Some(stepped) => {
                pass.stepped = self.step_slice(&mut pass, stepped, keys_max)?;
                Ok(pass.stepped.is_some())
            }
            None => Ok(false),
        }
    }

    /// `None`: there is nothing to move.
    fn begin_stepped(&self, is_checkpoint: bool) -> Result<Option<Stepped>, BaseError> {
        let aim = self.aim();
        let reached = if is_checkpoint { self.checkpointed() } else { self.flushed() };
        if aim.bound <= reached || !self.has_room() {
            return Ok(None);
        }
        let FlusherParts { view, activity, .. } = &self.parts;
        activity.watch("flushing to", || view.base.begin_flush(aim.bound))?;
        Ok(Some(Stepped { aim, moving: Moving::new(aim.bound), is_checkpoint }))
    }

    /// `None`: that was the end of it.
    fn step_slice(
        &self,
        pass: &mut PassState,
        mut stepped: Stepped,
        keys_max: usize,
    ) -> Result<Option<Stepped>, BaseError> {
        let FlusherParts { view, activity, counters, .. } = &self.parts;
        let bounds = SliceBounds { entries: keys_max.max(1), ..SLICE };
        let moved = stepped.moving.slice(view, activity, bounds)?;
        counters.flushed_keys.fetch_add(moved.keys, Ordering::Relaxed);
        if !stepped.moving.is_done {
            return Ok(Some(stepped));
        }
        self.flushed_ns.fetch_max(stepped.aim.bound.as_nanos(), Ordering::AcqRel);
        if stepped.is_checkpoint {
            self.complete_checkpoint(pass, stepped.aim)?;
        }
        Ok(None)
    }

    /// One pass at a time: who wants another waits for the one under way, which ends early when the store closes.
    fn finish_stepped(&self, pass: &mut PassState) -> Result<(), BaseError> {
        while let Some(stepped) = pass.stepped.take().filter(|_| !self.is_stopped() && self.has_room()) {
            pass.stepped = self.step_slice(pass, stepped, SLICE.entries)?;
        }
        Ok(())
    }

    /// As `checkpoint`, at full speed, and hurrying a pass that is under way.
    pub(crate) fn checkpoint_now(&self) -> Result<bool, BaseError> {
        self.hurried.fetch_add(1, Ordering::Relaxed);
        self.wake.notify_all();
        let done = if self.has_room() { self.checkpoint(Pace::Full) } else { Ok(false) };
        self.hurried.fetch_sub(1, Ordering::Relaxed);
        done
    }

    /// The last checkpoint, when it is soon done. Otherwise the next start replays the log.
    pub(crate) fn checkpoint_at_close(&self) -> Result<bool, BaseError> {
        let rate = self.pass.lock().rate.bytes_per_second();
        let time = self.parts.view.memory.bytes() as f64 / rate;
        if time > CLOSE_FLUSH_MAX.as_secs_f64() { Ok(false) } else { self.checkpoint_now() }
    }

    fn run_pass(&self, pass: &mut PassState, bound: Timestamp, pace: Pace) -> Result<bool, BaseError> {
        if bound <= self.flushed() {
            return Ok(true);
        }
        let FlusherParts { view, activity, env, counters, sequencer, .. } = &self.parts;
        activity.watch("flushing to", || view.base.begin_flush(bound))?;
        let mut slices = 0;
        let mut started = env.monotonic();
        let completed = move_to_base(view, activity, bound, |moved| {
            counters.flushed_keys.fetch_add(moved.keys, Ordering::Relaxed);
            let worked = env.monotonic().saturating_sub(started);
            sequencer.note_flushed(moved.bytes, worked);
            pass.rate.note(moved.bytes, worked);
            slices += 1;
            let goes_on = self.rest(worked, pace) && (slices % ROOM_CHECK_SLICES != 0 || self.has_room());
            started = env.monotonic();
            goes_on
        })?;
        if completed {
            self.flushed_ns.fetch_max(bound.as_nanos(), Ordering::AcqRel);
        }
        Ok(completed)
    }

    /// Gives the processor away for a while; false when it is time to stop. A pass that began gently hurries when
    /// that turns out to be too slow.
    fn rest(&self, worked: Duration, pace: Pace) -> bool {
        match pace {
            Pace::Gentle if self.hurried.load(Ordering::Relaxed) == 0 && !self.is_late() => {
                self.wait_undisturbed((worked * GENTLE_REST).min(REST_MAX))
            }
            _ => {
                std::thread::yield_now();
                !self.is_stopped() || self.hurried.load(Ordering::Relaxed) > 0
            }
        }
    }

    /// Whether the policy would go at full speed now.
    fn is_late(&self) -> bool {
        matches!(policy::decide(&self.pressure(), &self.parts.options), Decision::Checkpoint(Pace::Full))
    }

    /// A file that cannot be removed costs room and nothing else; the next checkpoint tries again.
    fn release_log(&self, upto: Timestamp) {
        let upto = if planted::is(Bug::SegmentReleasedEarly) { self.parts.view.sequenced() } else { upto };
        match self.parts.log.release(self.parts.consumers.unneeded(upto)) {
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
            has_news: self.parts.view.durable() > self.checkpointed(),
            can_checkpoint: floor > self.checkpointed(),
        }
    }

    /// Until a commit; false when stopped.
    fn sleep(&self) -> bool {
        let mut stopped = self.stopped.lock();
        self.asleep.store(true, Ordering::Relaxed);
        // Either this sees the commit or the log sees that this sleeps.
        fence(Ordering::SeqCst);
        if self.parts.view.durable() <= self.checkpointed() && !*stopped {
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

    fn has_room(&self) -> bool {
        has_room(&*self.parts.disk, &self.parts.view.base, &self.parts.options)
    }

    fn is_short_of_room(&self) -> bool {
        self.parts.disk.space().is_ok_and(|space| {
            space.available_bytes < space.reserve_bytes(self.parts.options.disk_reserve_bytes)
        })
    }
}
