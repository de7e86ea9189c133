//! Gives commits their timestamps and keeps them in order until the log takes them.
//!
//! Not here: the log, durability, conflicts.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex, MutexGuard};
use weir_value::Timestamp;

use crate::log::record::{COMMIT_BYTES_MAX, commit_bytes};
use crate::view::View;
use crate::{Commit, Env, SequenceError, Write};

/// A group takes no further commit beyond this: a record is read back in one piece.
const GROUP_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// More than this is not queued for the log; whoever commits waits.
const QUEUE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// How long a commit waits for room in memory before it is refused.
const ROOM_WAIT: Duration = Duration::from_secs(1);

/// The order of commits.
pub(crate) struct Sequencer {
    state: Mutex<State>,
    /// Something was queued, or the store closes.
    work: Condvar,
    /// Something was taken, or folded, or the store closes.
    room: Condvar,
    memory_max_bytes: u64,
    /// Whether other threads make room, so that waiting for it makes sense.
    has_threads: bool,
}

struct State {
    /// The newest commit's.
    last: Timestamp,
    queue: VecDeque<(u64, Arc<Commit>)>,
    queued_bytes: u64,
    log_waits: bool,
    /// The last write to the log found no room.
    disk_full: bool,
    /// The disk has less room than the reserve.
    disk_low: bool,
    closing: bool,
}

/// Why the log woke up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// Something may be queued.
    Queued,
    /// Nothing is queued, and nothing will be.
    Closed,
}

impl Sequencer {
    pub(crate) fn new(last: Timestamp, memory_max_bytes: u64, has_threads: bool) -> Sequencer {
        let state = State {
            last,
            queue: VecDeque::new(),
            queued_bytes: 0,
            log_waits: false,
            disk_full: false,
            disk_low: false,
            closing: false,
        };
        Sequencer {
            state: Mutex::new(state),
            work: Condvar::new(),
            room: Condvar::new(),
            memory_max_bytes,
            has_threads,
        }
    }

    /// See [`Store::sequence`](crate::Store::sequence).
    pub(crate) fn sequence(
        &self,
        env: &dyn Env,
        view: &View,
        make: &mut dyn FnMut(Timestamp) -> Vec<Write>,
    ) -> Result<Timestamp, SequenceError> {
        let mut state = self.admit(view)?;
        // The clock may stand still, or have been set back.
        let ts = env.now().max(state.last.next());
        if ts == state.last {
            return Err(SequenceError::Closed);
        }
        let writes = make(ts);
        if writes.is_empty() {
            return Ok(state.last);
        }
        let size_bytes = commit_bytes(&writes);
        if size_bytes > COMMIT_BYTES_MAX {
            return Err(SequenceError::TooLarge { size_bytes, max_bytes: COMMIT_BYTES_MAX });
        }
        view.memory.insert(ts, &writes, || view.floor());
        view.publish_sequenced(ts);
        state.last = ts;
        state.queue.push_back((size_bytes, Arc::new(Commit { ts, writes })));
        state.queued_bytes += size_bytes;
        if std::mem::take(&mut state.log_waits) {
            self.work.notify_one();
        }
        Ok(ts)
    }

    /// Waits until one more commit may be sequenced.
    fn admit(&self, view: &View) -> Result<MutexGuard<'_, State>, SequenceError> {
        let mut state = self.state.lock();
        loop {
            if state.closing {
                return Err(SequenceError::Closed);
            }
            if state.disk_full || state.disk_low {
                return Err(SequenceError::DiskFull);
            }
            if state.queued_bytes < QUEUE_BYTES_MAX && view.memory.bytes() < self.memory_max_bytes {
                return Ok(state);
            }
            if !self.has_threads || self.room.wait_for(&mut state, ROOM_WAIT).timed_out() {
                return Err(SequenceError::Overloaded);
            }
        }
    }

    /// The next group of the log; empty when nothing is queued.
    pub(crate) fn take_group(&self) -> Vec<Arc<Commit>> {
        let mut state = self.state.lock();
        let mut group_bytes = 0;
        let mut group = Vec::with_capacity(state.queue.len());
        while let Some((size_bytes, commit)) = state.queue.pop_front() {
            group_bytes += size_bytes;
            group.push(commit);
            if group_bytes >= GROUP_BYTES_MAX {
                break;
            }
        }
        state.queued_bytes -= group_bytes;
        drop(state);
        self.room.notify_all();
        group
    }

    /// Blocks the log until something is queued, or the time is over.
    pub(crate) fn wait_for_work(&self, time: Option<Duration>) -> Work {
        let mut state = self.state.lock();
        if state.queue.is_empty() && !state.closing {
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

    /// Those who wait for memory look again.
    pub(crate) fn note_room(&self) {
        self.room.notify_all();
    }

    /// Whether the last write to the log found no room; returns whether that is news.
    pub(crate) fn set_disk_full(&self, is_full: bool) -> bool {
        std::mem::replace(&mut self.state.lock().disk_full, is_full) != is_full
    }

    /// Whether the disk has less room than the reserve; returns whether that is news.
    pub(crate) fn set_disk_low(&self, is_low: bool) -> bool {
        std::mem::replace(&mut self.state.lock().disk_low, is_low) != is_low
    }

    /// Whether commits are refused for lack of room.
    pub(crate) fn is_disk_full(&self) -> bool {
        let state = self.state.lock();
        state.disk_full || state.disk_low
    }

    /// Refuses what comes from now on. What is queued stays.
    pub(crate) fn close(&self) {
        self.state.lock().closing = true;
        self.work.notify_all();
        self.room.notify_all();
    }
}
