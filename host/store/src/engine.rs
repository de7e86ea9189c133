//! The store itself: puts the parts together and runs the threads.
//!
//! The same engine works over real files and any base, over a memory disk, and, stepped by hand, without
//! threads.
//!
//! Not here: how the parts work.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::thread::{JoinHandle, ThreadId};

use parking_lot::Mutex;
use weir_value::Timestamp;

use crate::base::{Activity, Base, BaseError, Flusher, FlusherParts, Watchdog, has_room, move_to_base};
use crate::disk::Disk;
use crate::folder::Folder;
use crate::group_commit::{GroupCommit, GroupParts, Step};
use crate::log::consumers::Consumers;
use crate::log::recovery::{Expected, Recovered, recover};
use crate::log::writer::WriterParts;
use crate::log::{CommitLog, SegmentLog};
use crate::memory_table::MemoryTable;
use crate::sequencer::Sequencer;
use crate::stats::Counters;
use crate::view::View;
use crate::{
    BaseKind, Changes, ConsumerError, Env, GroupObserver, Joining, LogConsumer, OpenError, SequenceError,
    Sequenced, Snapshot, Store, StoreClosed, StoreId, StoreOptions, StoreStats,
};

/// Where a store lives, and what it runs with.
pub(crate) struct Site {
    /// Of the log.
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) base: Base,
    pub(crate) env: Arc<dyn Env>,
    pub(crate) options: StoreOptions,
    /// Whether the store is being made, so that there may be no log.
    pub(crate) is_new: bool,
    /// Says which call into the base is under way.
    pub(crate) activity: Arc<Activity>,
    /// Released with the last snapshot.
    pub(crate) folder: Option<Folder>,
}

/// A store. Dropping it closes it.
pub(crate) struct Engine {
    parts: Arc<Parts>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    log_thread: Option<ThreadId>,
    is_closed: AtomicBool,
    watchdog: Mutex<Option<Watchdog>>,
}

/// What the threads share.
pub(crate) struct Parts {
    view: Arc<View>,
    log: Arc<dyn CommitLog>,
    consumers: Arc<Consumers>,
    counters: Arc<Counters>,
    sequencer: Arc<Sequencer>,
    groups: GroupCommit,
    flusher: Arc<Flusher>,
    env: Arc<dyn Env>,
}

impl Engine {
    /// Recovers what `site` holds. Without `has_threads` the owner steps it by hand.
    pub(crate) fn open(site: Site, has_threads: bool) -> Result<Engine, OpenError> {
        let (activity, options) = (Arc::clone(&site.activity), site.options.clone());
        // Before anything is open, only the process can be ended.
        let parts: Arc<Mutex<Weak<Parts>>> = Arc::default();
        let watchdog = has_threads.then(|| watch(activity, options, Arc::clone(&parts)));
        let opened = Arc::new(Parts::open(site, has_threads)?);
        *parts.lock() = Arc::downgrade(&opened);
        let threads = if has_threads { start_threads(&opened) } else { Vec::new() };
        let log_thread = threads.first().map(|log| log.thread().id());
        Ok(Engine {
            parts: opened,
            threads: Mutex::new(threads),
            log_thread,
            is_closed: AtomicBool::new(false),
            watchdog: Mutex::new(watchdog),
        })
    }

    /// Says in the folder that the store is made.
    pub(crate) fn set_format(&self, kind: BaseKind) -> Result<(), OpenError> {
        self.parts.view.set_format(kind)
    }

    /// For those who step by hand.
    pub(crate) fn parts(&self) -> &Arc<Parts> {
        &self.parts
    }
}

/// Ends the process, by way of the store where there is one, when a call into the base does not return.
fn watch(activity: Arc<Activity>, options: StoreOptions, parts: Arc<Mutex<Weak<Parts>>>) -> Watchdog {
    let waiting = Arc::clone(&parts);
    let may_wait = move || {
        let parts = waiting.lock().upgrade();
        parts.is_some_and(|parts| parts.view.base.is_waiting_for_room())
    };
    let on_fatal = options.on_fatal.clone();
    Watchdog::start(activity, options.base_stall_max, may_wait, move |what| {
        let parts = parts.lock().upgrade();
        match parts {
            Some(parts) => parts.groups.fail(&what),
            None => on_fatal.call(&what),
        }
    })
}

impl Parts {
    fn open(site: Site, has_threads: bool) -> Result<Parts, OpenError> {
        let Site { disk, base, env, options, is_new, activity, folder } = site;
        let marks = base.marks()?;
        let store = match marks.store {
            Some(store) => store,
            None => make_id(&base, &*env)?,
        };
        // Nobody outside knows it, and nothing that is drawn later is another one by it.
        let memory = MemoryTable::new(store.0, options.rows_bytes());
        let view = Arc::new(View::new(base, memory, marks.checkpoint, folder));
        let expected = Expected {
            store,
            checkpoint: marks.checkpoint,
            reaches: marks.flushing,
            may_be_empty: is_new,
            read_only: false,
        };
        let recovered = replay(&*disk, &view, expected, &options, &activity)?;
        let end = recovered.end;
        view.publish_sequenced(end.last);
        view.publish_durable(end.last);
        let replay_bytes = if recovered.commits > 0 { recovered.replay_bytes } else { 0 };
        let counters = Arc::new(Counters::new(replay_bytes, recovered.commits, recovered.cut_bytes));
        let writer_parts = WriterParts {
            disk: Arc::clone(&disk),
            env: Arc::clone(&env),
            store,
            segment_bytes: options.segment_bytes,
            closed: Arc::new(Mutex::new(recovered.closed)),
        };
        let log: Arc<dyn CommitLog> = Arc::new(SegmentLog::open(writer_parts, end)?);
        let consumers = Consumers::open(Arc::clone(&disk)).map_err(|error| OpenError::consumers(&error))?;
        let consumers = Arc::new(consumers);
        let sequencer = Arc::new(Sequencer::new(Arc::clone(&env), end.last, &options, has_threads));
        let flusher_parts = FlusherParts {
            view: Arc::clone(&view),
            log: Arc::clone(&log),
            consumers: Arc::clone(&consumers),
            disk: Arc::clone(&disk),
            env: Arc::clone(&env),
            options: options.clone(),
            counters: Arc::clone(&counters),
            sequencer: Arc::clone(&sequencer),
            activity,
        };
        let flusher = Arc::new(Flusher::new(flusher_parts, marks.checkpoint));
        let group_parts = GroupParts {
            view: Arc::clone(&view),
            log: Arc::clone(&log),
            disk,
            env: Arc::clone(&env),
            options,
            counters: Arc::clone(&counters),
            sequencer: Arc::clone(&sequencer),
            flusher: Arc::clone(&flusher),
        };
        let groups = GroupCommit::new(group_parts);
        view.set_in_use();
        Ok(Parts { view, log, consumers, counters, sequencer, groups, flusher, env })
    }

    /// Makes one group durable, on the caller's thread.
    pub(crate) fn step_log(&self) -> Step {
        self.groups.step()
    }

    /// Flushes what can be flushed, on the caller's thread, and makes nothing of it durable.
    pub(crate) fn step_flush(&self) {
        self.guard_base(|| self.flusher.flush_now());
    }

    /// One slice of a flush, or of a checkpoint; whether there is more of it.
    pub(crate) fn step_slice(&self, keys_max: usize, is_checkpoint: bool) -> bool {
        self.guard_base(|| self.flusher.step(keys_max, is_checkpoint))
    }

    /// From now on a commit that the log has no space for makes the log secure some, on its own thread.
    pub(crate) fn secure_on_demand(self: &Arc<Parts>) {
        let parts = Arc::downgrade(self);
        self.sequencer.secure_with(move || {
            if let Some(parts) = parts.upgrade() {
                parts.groups.secure_now();
            }
        });
    }

    fn checkpoint(&self) -> bool {
        self.guard_base(|| self.flusher.checkpoint_now())
    }

    /// Runs a piece of work on the base; its failure is the store's.
    fn guard_base(&self, work: impl FnOnce() -> Result<bool, BaseError>) -> bool {
        match catch_unwind(AssertUnwindSafe(work)) {
            Ok(Ok(done)) => done,
            Ok(Err(error)) if self.view.base.gave_up() => {
                tracing::warn!(%error, "the disk is full: the next start replays what could not be flushed");
                false
            }
            Ok(Err(error)) => {
                self.groups.fail(&error.to_string());
                false
            }
            Err(_) => {
                self.groups.fail("the flush panicked");
                false
            }
        }
    }

    /// The end of a good end.
    fn finish(&self) {
        if self.groups.has_failed() {
            return;
        }
        if !self.view.base.gave_up() {
            self.guard_base(|| self.flusher.checkpoint_at_close());
        }
        let is_sound = self.groups.finish_log();
        if is_sound && !self.groups.has_failed() && !self.view.base.gave_up() {
            self.view.set_out_of_use();
        }
    }
}

/// A new base is told whose it is before there is a log.
fn make_id(base: &Base, env: &dyn Env) -> Result<StoreId, BaseError> {
    let mut bytes = [0; 8];
    env.fill_random(&mut bytes);
    base.set_store(StoreId(bytes))?;
    Ok(StoreId(bytes))
}

/// Brings the memory table to the end of the log. More than fits there goes on into the base at once, which
/// takes longer: there is only as much when an open snapshot kept the flush from its work. It counts as
/// durable, because recovery writes what it reads to the disk anew, or knows it to be there. On a full disk it
/// stays in memory: the base would wait for room, and nobody could read meanwhile.
fn replay(
    disk: &dyn Disk,
    view: &View,
    expected: Expected,
    options: &StoreOptions,
    activity: &Activity,
) -> Result<Recovered, OpenError> {
    let mut flushing = expected.reaches;
    let mut apply = |commit: crate::Commit| {
        view.memory.insert(commit.ts, &commit.writes, || commit.ts);
        if view.memory.bytes() > options.table_bytes_max() && has_room(disk, &view.base, options) {
            if commit.ts > flushing {
                view.base.begin_flush(commit.ts)?;
                flushing = commit.ts;
            }
            move_to_base(view, activity, commit.ts, |_| true)?;
        }
        Ok(())
    };
    Ok(recover(disk, expected, &mut apply)?)
}

/// The log's thread and the flusher's, in this order.
fn start_threads(parts: &Arc<Parts>) -> Vec<JoinHandle<()>> {
    let log_parts = Arc::clone(parts);
    let log = parts.env.spawn(
        "weir-log",
        Box::new(move || {
            if catch_unwind(AssertUnwindSafe(|| log_parts.groups.run())).is_err() {
                log_parts.groups.fail("the log thread panicked");
            }
            log_parts.groups.end();
        }),
    );
    let flush_parts = Arc::clone(parts);
    let flush = parts.env.spawn(
        "weir-flush",
        Box::new(move || {
            flush_parts.guard_base(|| flush_parts.flusher.run().map(|()| true));
        }),
    );
    vec![log, flush]
}

impl Store for Engine {
    fn snapshot_sequenced(&self) -> Snapshot {
        self.parts.view.snapshot_sequenced()
    }

    fn snapshot_durable(&self) -> Snapshot {
        self.parts.view.snapshot_durable()
    }

    fn sequenced(&self) -> Timestamp {
        self.parts.view.sequenced()
    }

    fn durable(&self) -> Timestamp {
        self.parts.view.durable()
    }

    fn sequence(&self, make: &mut dyn FnMut(Timestamp) -> Changes) -> Result<Sequenced, SequenceError> {
        self.parts.sequencer.sequence(&self.parts.view, make)
    }

    fn joining(&self) -> Joining {
        self.parts.sequencer.joining()
    }

    fn observe(&self, observer: Arc<dyn GroupObserver>) {
        self.parts.groups.observe(observer);
    }

    fn wait_durable(&self, ts: Timestamp) -> Result<(), StoreClosed> {
        self.parts.groups.wait_durable(ts)
    }

    fn checkpoint(&self) -> Result<(), StoreClosed> {
        if self.parts.groups.has_failed() || self.is_closed.load(Ordering::Acquire) {
            return Err(StoreClosed);
        }
        self.parts.checkpoint();
        if self.parts.groups.has_failed() { Err(StoreClosed) } else { Ok(()) }
    }

    fn consumer(&self, name: &str) -> Result<LogConsumer, ConsumerError> {
        let Parts { view, log, consumers, .. } = &*self.parts;
        LogConsumer::open(name, Arc::clone(view), Arc::clone(log), Arc::clone(consumers))
    }

    fn remove_consumer(&self, name: &str) -> Result<bool, ConsumerError> {
        Ok(self.parts.consumers.remove(name)?)
    }

    fn stats(&self) -> StoreStats {
        let parts = &self.parts;
        StoreStats {
            memory_bytes: parts.view.memory.bytes(),
            memory_keys: parts.view.memory.keys(),
            segments: parts.log.segments(),
            checkpoint: parts.flusher.checkpointed(),
            snapshots: parts.view.open_snapshots(),
            floor: parts.view.floor(),
            disk_full: parts.sequencer.is_disk_full(),
            is_closed: parts.sequencer.is_closed(),
            ..parts.counters.snapshot()
        }
    }

    fn close(&self) {
        self.parts.sequencer.close();
        self.parts.flusher.stop();
        if self.log_thread == Some(std::thread::current().id()) {
            // An observer closes: the log thread cannot wait for itself. It ends when the queue is empty, and
            // whoever closes or drops the store elsewhere does the rest.
            return;
        }
        // Also makes a second caller wait until the first one is done.
        let mut threads = self.threads.lock();
        if self.is_closed.load(Ordering::Acquire) {
            return;
        }
        for thread in threads.drain(..) {
            // A panic on a thread was handled there.
            let _ = thread.join();
        }
        while self.parts.step_log() == Step::Written {}
        self.parts.groups.end();
        self.parts.finish();
        self.is_closed.store(true, Ordering::Release);
        *self.watchdog.lock() = None;
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.close();
    }
}
