//! Gives commits their timestamps and keeps them in order until the log takes them.
//!
//! Nothing is sequenced that the log may find no room for: the log secures space beforehand, and a commit is
//! admitted against it. So on a full disk new commits are refused at once, and those that were sequenced
//! become durable.
//!
//! When the memory table grows faster than it is flushed, commits are slowed to the speed of the flush before
//! any is refused (see [`Pace`]). Who writes much pays for that, and not who writes little beside: a large commit
//! is not held up here, where everybody would wait behind it, but its caller is told how long to pause; and the
//! last of the room is kept for small ones (see [`ROOM_TIMES`]).
//!
//! Not here: the log, durability, conflicts.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::{Condvar, Mutex, MutexGuard};
use weir_value::Timestamp;

use crate::joining::{Joiners, Joining};
use crate::log::record::{COMMIT_BYTES_MAX, commit_bytes, framed_bytes};
use crate::memory_table::MemoryTable;
use crate::planted::{self, Bug};
use crate::rate::Rate;
use crate::view::View;
use crate::{Changes, Commit, Env, SequenceError, Sequenced, StoreOptions, Write};

/// A group takes no further commit beyond this: a record is read back in one piece.
const GROUP_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// More than this is not queued for the log; whoever commits waits.
const QUEUE_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// A group that has this much does not wait for more.
const GATHERED_BYTES: u64 = 256 * 1024;
/// A group waits for those who are about to commit for so many times as long as its sync is to take, and no longer than
/// this: on a disk that is quick there is little to gain, and on one that is slow much. A longer wait for twice as
/// many in a group gained less for whoever has many requests under way than it cost whoever has one.
const GATHER_SYNCS: u32 = 2;
const GATHER_MAX: Duration = Duration::from_millis(4);
/// In so many steps: it does not go on when nobody has joined in one of them.
const GATHER_STEPS: u32 = 4;
/// The system wakes nobody sooner.
const GATHER_STEP_MIN: Duration = Duration::from_micros(60);
/// How long a commit waits for room in memory, or in the log, before it is refused.
const ROOM_WAIT: Duration = Duration::from_secs(1);
/// The speed of the flush that is assumed before one was measured, bytes of memory a second.
const FLUSH_RATE_FIRST: f64 = 16.0 * 1024.0 * 1024.0;
/// Of so many bytes.
const FLUSH_BYTES_FIRST: f64 = 1024.0 * 1024.0;
/// No small commit is slowed by more than this.
const SLOWED_MAX: Duration = Duration::from_millis(200);
/// A commit that takes no more memory than this is small: it waits its time here, a few milliseconds.
const SMALL_BYTES_MAX: u64 = 64 * 1024;
/// Nobody is asked to pause for longer. Several who write at once each pause for what all of them have written.
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// A commit is refused where the memory table has not so many times its size left, or what is kept of all its room
/// ([`KEPT_EIGHTHS`]) if that is less. So the larger commits are the earlier they are refused, and whoever fills the table with large
/// ones leaves room for many small ones.
const ROOM_TIMES: u64 = 16;
/// So many eighths are kept from large commits.
const KEPT_EIGHTHS: u64 = 3;
/// With less left everybody waits, and is refused after that: with so much, what takes up to 4 KiB is never refused at once.
const ROOM_BYTES_MIN: u64 = ROOM_TIMES * 4096;

/// The order of commits.
pub(crate) struct Sequencer {
    env: Arc<dyn Env>,
    state: Mutex<State>,
    joiners: Arc<Joiners>,
    /// Something was queued or is wanted, or the store closes.
    work: Condvar,
    /// Something was taken, flushed or secured, or the store closes.
    room: Condvar,
    slow_bytes: u64,
    table_bytes_max: u64,
    /// Kept from large commits.
    kept_bytes: u64,
    /// Whether other threads make room, so that waiting for it makes sense.
    has_threads: bool,
    /// Without threads: what lets the log secure space.
    secure_log: OnceLock<Box<SecureLog>>,
}

type SecureLog = dyn Fn() + Send + Sync;

struct State {
    /// The newest commit's.
    last: Timestamp,
    queue: VecDeque<Queued>,
    queued_bytes: u64,
    /// Space on disk for what is queued, being written, and to come.
    secured_bytes: u64,
    /// What of it is spoken for.
    spoken_bytes: u64,
    /// What a commit needs that has its timestamp and waits for space. Nothing else is sequenced meanwhile.
    wanted_bytes: u64,
    log_waits: bool,
    /// The log waits for those who are about to commit.
    log_gathers: bool,
    /// The log found no room, or no more than it has.
    disk_full: bool,
    /// The disk has less room than the reserve.
    disk_low: bool,
    /// A commit has waited for room in memory in vain: until there is some, the next ones need not.
    overloaded: bool,
    closing: bool,
    pace: Pace,
}

struct Queued {
    size_bytes: u64,
    framed_bytes: u64,
    queued_at: Duration,
    commit: Arc<Commit>,
}

/// Slows commits when the memory table is large: each adds what the flush needs to take its bytes away again.
struct Pace {
    /// How much memory the flush frees.
    flush_rate: Rate,
    /// No small commit before this.
    until: Duration,
    /// When the flush has caught up with the large ones as well.
    large_until: Duration,
}

/// Why the log woke up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// Something may be queued, or wanted.
    Queued,
    /// Nothing is queued, and nothing will be.
    Closed,
}

/// What the log has to do.
pub(crate) struct Taken {
    /// The next group; empty when nothing is queued.
    pub(crate) group: Vec<Arc<Commit>>,
    /// Space that the group takes at most.
    pub(crate) framed_bytes: u64,
    /// When its first commit was queued.
    pub(crate) queued_at: Duration,
}

impl Sequencer {
    pub(crate) fn new(
        env: Arc<dyn Env>,
        last: Timestamp,
        options: &StoreOptions,
        has_threads: bool,
    ) -> Sequencer {
        let state = State {
            last,
            queue: VecDeque::new(),
            queued_bytes: 0,
            secured_bytes: 0,
            spoken_bytes: 0,
            wanted_bytes: 0,
            log_waits: false,
            log_gathers: false,
            disk_full: false,
            disk_low: false,
            overloaded: false,
            closing: false,
            pace: Pace {
                flush_rate: Rate::assumed(FLUSH_RATE_FIRST, FLUSH_BYTES_FIRST),
                until: Duration::ZERO,
                large_until: Duration::ZERO,
            },
        };
        Sequencer {
            env,
            state: Mutex::new(state),
            joiners: Arc::default(),
            work: Condvar::new(),
            room: Condvar::new(),
            slow_bytes: options.slow_bytes(),
            table_bytes_max: options.table_bytes_max(),
            // A table that may hold nothing is full from the beginning.
            kept_bytes: (options.table_bytes_max() / 8 * KEPT_EIGHTHS).max(1),
            has_threads,
            secure_log: OnceLock::new(),
        }
    }

    /// Without threads a commit that there is no space for calls this, and is refused if that does not help.
    pub(crate) fn secure_with(&self, secure_log: impl Fn() + Send + Sync + 'static) {
        let _ = self.secure_log.set(Box::new(secure_log));
    }

    /// See [`Store::sequence`](crate::Store::sequence).
    pub(crate) fn sequence(
        &self,
        view: &View,
        make: &mut dyn FnMut(Timestamp) -> Changes,
    ) -> Result<Sequenced, SequenceError> {
        let state = self.admit(view)?;
        // The clock may stand still, or have been set back.
        let mut ts = self.env.now().max(state.last.next());
        if ts == state.last {
            return Err(SequenceError::Closed);
        }
        if planted::is(Bug::TimestampGoesBack) {
            ts = self.env.now();
        }
        let Changes { writes, touched } = make(ts);
        if writes.is_empty() {
            return Ok(Sequenced { ts: state.last, pause: Duration::ZERO });
        }
        let size_bytes = commit_bytes(&writes);
        if size_bytes > COMMIT_BYTES_MAX {
            return Err(SequenceError::TooLarge { size_bytes, max_bytes: COMMIT_BYTES_MAX });
        }
        let before = view.memory.bytes();
        if !self.has_room(before, &writes) {
            return Err(SequenceError::Overloaded);
        }
        let framed_bytes = framed_bytes(size_bytes);
        let mut state = self.secure(state, framed_bytes)?;
        view.memory.insert(ts, &writes, || view.floor());
        view.publish_sequenced(ts);
        state.last = ts;
        let commit = Arc::new(Commit { ts, writes, touched });
        let queued_at = self.env.monotonic();
        state.queue.push_back(Queued { size_bytes, framed_bytes, queued_at, commit });
        state.queued_bytes += size_bytes;
        state.spoken_bytes += framed_bytes;
        let pause = self.slow_down(&mut state.pace, before, view.memory.bytes());
        let is_last = state.log_gathers && !self.joiners.any();
        if std::mem::take(&mut state.log_waits) || is_last {
            self.work.notify_one();
        }
        Ok(Sequenced { ts, pause })
    }

    /// Whether the memory table, which has grown to `table_bytes`, takes these writes as well.
    fn has_room(&self, table_bytes: u64, writes: &[Write]) -> bool {
        let left = self.left_bytes(table_bytes);
        left >= self.kept_bytes || MemoryTable::bytes_of(writes).saturating_mul(ROOM_TIMES) <= left
    }

    fn left_bytes(&self, table_bytes: u64) -> u64 {
        self.table_bytes_max.saturating_sub(table_bytes)
    }

    /// Waits until one more commit may be sequenced.
    fn admit(&self, view: &View) -> Result<MutexGuard<'_, State>, SequenceError> {
        let mut state = self.state.lock();
        let mut timed_out = false;
        loop {
            if state.closing {
                return Err(SequenceError::Closed);
            }
            if state.disk_full || state.disk_low {
                return Err(SequenceError::DiskFull);
            }
            let has_memory = self.left_bytes(view.memory.bytes()) >= self.kept_bytes.min(ROOM_BYTES_MIN);
            let is_free = state.wanted_bytes == 0;
            if state.queued_bytes < QUEUE_BYTES_MAX && has_memory && is_free {
                match self.slowed(&state.pace) {
                    Some(wait) => drop(self.room.wait_for(&mut state, wait)),
                    None => return Ok(state),
                }
                continue;
            }
            if has_memory {
                state.overloaded = false;
            }
            if timed_out || state.overloaded || !self.has_threads {
                state.overloaded = !has_memory;
                return Err(SequenceError::Overloaded);
            }
            timed_out = self.room.wait_for(&mut state, ROOM_WAIT).timed_out();
        }
    }

    /// Waits until the log has space for a commit that has its timestamp. Until then nothing else is
    /// sequenced: what was checked stays true.
    fn secure<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        framed_bytes: u64,
    ) -> Result<MutexGuard<'a, State>, SequenceError> {
        if state.spoken_bytes + framed_bytes <= state.secured_bytes {
            return Ok(state);
        }
        if !self.has_threads {
            return self.secure_by_hand(state, framed_bytes);
        }
        state.wanted_bytes = framed_bytes;
        let mut timed_out = false;
        let result = loop {
            if state.spoken_bytes + framed_bytes <= state.secured_bytes {
                break Ok(());
            }
            if state.closing {
                break Err(SequenceError::Closed);
            }
            if state.disk_full || state.disk_low {
                break Err(SequenceError::DiskFull);
            }
            if timed_out {
                break Err(SequenceError::Overloaded);
            }
            state.log_waits = false;
            self.work.notify_one();
            timed_out = self.room.wait_for(&mut state, ROOM_WAIT).timed_out();
        };
        state.wanted_bytes = 0;
        self.room.notify_all();
        result.map(|()| state)
    }

    /// As [`Sequencer::secure`], on this thread.
    fn secure_by_hand<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        framed_bytes: u64,
    ) -> Result<MutexGuard<'a, State>, SequenceError> {
        // Whoever steps the log secures space by that, later.
        let Some(secure_log) = self.secure_log.get() else { return Ok(state) };
        state.wanted_bytes = framed_bytes;
        MutexGuard::unlocked(&mut state, secure_log);
        state.wanted_bytes = 0;
        match state.spoken_bytes + framed_bytes <= state.secured_bytes {
            true => Ok(state),
            false if state.closing => Err(SequenceError::Closed),
            false => Err(SequenceError::DiskFull),
        }
    }

    /// A commit has made the table grow: the next ones are slowed. How long its caller is to pause.
    fn slow_down(&self, pace: &mut Pace, before: u64, after: u64) -> Duration {
        if !self.has_threads || after <= self.slow_bytes {
            return Duration::ZERO;
        }
        let added_bytes = after.saturating_sub(before);
        let is_small = added_bytes <= SMALL_BYTES_MAX;
        let full_bytes = if is_small { self.table_bytes_max } else { self.table_bytes_max - self.kept_bytes };
        let span = full_bytes.saturating_sub(self.slow_bytes).max(1) as f64;
        let fullness = (after - self.slow_bytes) as f64 / span;
        // A half faster than the flush at the beginning, a half slower when the table is full.
        let rate = pace.flush_rate.bytes_per_second() * (1.5 - fullness.min(1.0));
        let time = Duration::from_secs_f64((added_bytes as f64 / rate.max(1.0)).min(PAUSE_MAX.as_secs_f64()));
        let now = self.env.monotonic();
        pace.large_until = pace.large_until.max(now) + time;
        if is_small {
            pace.until = pace.until.max(now) + time.min(SLOWED_MAX);
            return Duration::ZERO;
        }
        (pace.large_until - now).min(PAUSE_MAX)
    }

    /// How long a commit has to wait.
    fn slowed(&self, pace: &Pace) -> Option<Duration> {
        if pace.until.is_zero() {
            return None;
        }
        let wait = pace.until.saturating_sub(self.env.monotonic());
        (!wait.is_zero()).then_some(wait)
    }

    /// See [`Store::joining`](crate::Store::joining).
    pub(crate) fn joining(&self) -> Joining {
        Joining::new(&self.joiners)
    }

    /// Blocks the log for a moment, if there is something to write and somebody is about to add to it: for as long as
    /// that goes on, and no longer than some times the last sync took. Whoever is alone does not wait for anybody.
    pub(crate) fn gather(&self, last_sync: Duration) {
        let wait = (last_sync * GATHER_SYNCS).min(GATHER_MAX) / GATHER_STEPS;
        let wait = wait.max(GATHER_STEP_MIN);
        let mut state = self.state.lock();
        for _ in 0..GATHER_STEPS {
            let queued = state.queue.len();
            let is_enough = state.queued_bytes >= GATHERED_BYTES || state.wanted_bytes > 0 || state.closing;
            if queued == 0 || is_enough || !self.joiners.any() {
                return;
            }
            state.log_gathers = true;
            self.work.wait_for(&mut state, wait);
            state.log_gathers = false;
            if state.queue.len() == queued {
                return;
            }
        }
    }

    /// The next group of the log.
    pub(crate) fn take_group(&self) -> Taken {
        let mut state = self.state.lock();
        let mut group_bytes = 0;
        let queued_at = state.queue.front().map_or(Duration::ZERO, |first| first.queued_at);
        let mut taken = Taken { group: Vec::with_capacity(state.queue.len()), framed_bytes: 0, queued_at };
        while let Some(Queued { size_bytes, framed_bytes, commit, .. }) = state.queue.pop_front() {
            group_bytes += size_bytes;
            taken.framed_bytes += framed_bytes;
            taken.group.push(commit);
            if group_bytes >= GROUP_BYTES_MAX {
                break;
            }
        }
        state.queued_bytes -= group_bytes;
        drop(state);
        self.room.notify_all();
        taken
    }

    /// A group of at most `framed_bytes` is written, and the log has `secured_bytes` for what comes.
    pub(crate) fn note_written(&self, framed_bytes: u64, secured_bytes: u64) {
        let mut state = self.state.lock();
        state.spoken_bytes -= framed_bytes;
        state.secured_bytes = secured_bytes;
    }

    /// The log has `secured_bytes` for what is queued and what comes.
    pub(crate) fn set_secured(&self, secured_bytes: u64) {
        self.state.lock().secured_bytes = secured_bytes;
        self.room.notify_all();
    }

    /// How much space must be secured for what is queued, being written or waiting.
    pub(crate) fn needed_bytes(&self) -> u64 {
        let state = self.state.lock();
        state.spoken_bytes + state.wanted_bytes
    }

    /// Blocks the log until something is queued or wanted, or the time is over.
    pub(crate) fn wait_for_work(&self, time: Option<Duration>) -> Work {
        let mut state = self.state.lock();
        if state.queue.is_empty() && state.wanted_bytes == 0 && !state.closing {
            state.log_waits = true;
            match time {
                Some(time) => drop(self.work.wait_for(&mut state, time)),
                None => self.work.wait(&mut state),
            }
            state.log_waits = false;
        }
        if state.queue.is_empty() && state.closing { Work::Closed } else { Work::Queued }
    }

    /// Blocks the log for a while, or until the store closes; returns whether it does.
    pub(crate) fn pause(&self, time: Duration) -> bool {
        let mut state = self.state.lock();
        if !state.closing {
            self.work.wait_for(&mut state, time);
        }
        state.closing
    }

    /// The flush has freed memory, or synced and freed nothing, in that time: those who wait look again.
    pub(crate) fn note_flushed(&self, freed_bytes: u64, time: Duration) {
        self.state.lock().pace.flush_rate.note(freed_bytes, time);
        self.room.notify_all();
    }

    /// Whether the log found no room; returns whether that is news.
    pub(crate) fn set_disk_full(&self, is_full: bool) -> bool {
        let news = std::mem::replace(&mut self.state.lock().disk_full, is_full) != is_full;
        self.room.notify_all();
        news
    }

    /// Whether the disk has less room than the reserve; returns whether that is news.
    pub(crate) fn set_disk_low(&self, is_low: bool) -> bool {
        let news = std::mem::replace(&mut self.state.lock().disk_low, is_low) != is_low;
        self.room.notify_all();
        news
    }

    /// Whether commits are refused for lack of room.
    pub(crate) fn is_disk_full(&self) -> bool {
        let state = self.state.lock();
        state.disk_full || state.disk_low
    }

    /// Whether all commits are refused from now on.
    pub(crate) fn is_closed(&self) -> bool {
        self.state.lock().closing
    }

    /// Refuses what comes from now on. What is queued stays.
    pub(crate) fn close(&self) {
        self.state.lock().closing = true;
        self.work.notify_all();
        self.room.notify_all();
    }
}
