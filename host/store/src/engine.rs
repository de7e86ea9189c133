//! The store itself: puts the parts together and runs the threads.
//!
//! The same engine works over real files and sled, over a memory disk, and, stepped by hand, without threads.
//!
//! Not here: how the parts work.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, ThreadId};

use parking_lot::Mutex;
use weir_value::Timestamp;

use crate::disk::Disk;
use crate::fold::{Fold, FoldParts, FoldWorker, Pace, move_to_fold};
use crate::group_commit::{GroupCommit, GroupParts, Step};
use crate::log::recovery::{Recovered, RecoveryError, recover};
use crate::log::writer::{ClosedSegments, LogWriter};
use crate::sequencer::Sequencer;
use crate::stats::Counters;
use crate::view::View;
use crate::{
    Env, GroupObserver, OpenError, SequenceError, Snapshot, Store, StoreClosed, StoreOptions, StoreStats,
    Write,
};

/// Where a store lives, and what it runs with.
pub(crate) struct Site {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) fold: Arc<dyn Fold>,
    pub(crate) env: Arc<dyn Env>,
    pub(crate) options: StoreOptions,
    /// Released with the last snapshot.
    pub(crate) lock: Option<File>,
}

/// A store. Dropping it closes it.
pub(crate) struct Engine {
    parts: Arc<Parts>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    log_thread: Option<ThreadId>,
    is_closed: AtomicBool,
}

/// What the threads share.
pub(crate) struct Parts {
    env: Arc<dyn Env>,
    view: Arc<View>,
    closed_segments: ClosedSegments,
    counters: Arc<Counters>,
    sequencer: Arc<Sequencer>,
    groups: GroupCommit,
    fold: Arc<FoldWorker>,
}

impl Engine {
    /// Recovers what `site` holds. Without `has_threads` the owner steps it by hand.
    pub(crate) fn open(site: Site, has_threads: bool) -> Result<Engine, OpenError> {
        let parts = Arc::new(Parts::open(site, has_threads)?);
        let threads = if has_threads { start_threads(&parts) } else { Vec::new() };
        let log_thread = threads.first().map(|log| log.thread().id());
        Ok(Engine { parts, threads: Mutex::new(threads), log_thread, is_closed: AtomicBool::new(false) })
    }

    /// For those who step by hand.
    pub(crate) fn parts(&self) -> &Arc<Parts> {
        &self.parts
    }
}

impl Parts {
    fn open(site: Site, has_threads: bool) -> Result<Parts, OpenError> {
        let Site { disk, fold, env, options, lock } = site;
        let mark = fold.mark().map_err(RecoveryError::from)?;
        let view = View::new(fold, mark, lock);
        let recovered = replay(&*disk, &view, mark, &options)?;
        let end = recovered.end;
        view.publish_sequenced(end.last);
        view.publish_durable(end.last);
        let view = Arc::new(view);
        let replay_bytes = if recovered.commits > 0 { recovered.replay_bytes } else { 0 };
        let counters = Arc::new(Counters::new(replay_bytes, recovered.commits, recovered.cut_bytes));
        let closed_segments: ClosedSegments = Arc::new(Mutex::new(recovered.closed));
        let closed = Arc::clone(&closed_segments);
        let writer =
            LogWriter::open(Arc::clone(&disk), Arc::clone(&env), options.segment_bytes, closed, end)?;
        let sequencer = Arc::new(Sequencer::new(end.last, options.memory_max_bytes, has_threads));
        let fold_parts = FoldParts {
            view: Arc::clone(&view),
            disk: Arc::clone(&disk),
            env: Arc::clone(&env),
            options: options.clone(),
            closed_segments: Arc::clone(&closed_segments),
            counters: Arc::clone(&counters),
            sequencer: Arc::clone(&sequencer),
        };
        let fold = Arc::new(FoldWorker::new(fold_parts, mark));
        let group_parts = GroupParts {
            view: Arc::clone(&view),
            disk,
            env: Arc::clone(&env),
            options,
            counters: Arc::clone(&counters),
            sequencer: Arc::clone(&sequencer),
            fold: Arc::clone(&fold),
        };
        let groups = GroupCommit::new(group_parts, writer);
        Ok(Parts { env, view, closed_segments, counters, sequencer, groups, fold })
    }

    /// Makes one group durable, on the caller's thread.
    pub(crate) fn step_log(&self) -> Step {
        self.groups.step()
    }

    /// Folds what can be folded, on the caller's thread, and makes nothing of it durable.
    pub(crate) fn step_fold(&self) {
        self.guard_fold(|| self.fold.fold(Pace::Full));
    }

    fn checkpoint(&self) -> bool {
        self.guard_fold(|| self.fold.checkpoint_now())
    }

    /// Runs a piece of the fold's work; its failure is the store's.
    fn guard_fold(&self, work: impl FnOnce() -> Result<bool, crate::fold::FoldError>) -> bool {
        match catch_unwind(AssertUnwindSafe(work)) {
            Ok(Ok(done)) => done,
            Ok(Err(error)) => {
                self.groups.fail(&error.to_string());
                false
            }
            Err(_) => {
                self.groups.fail("the fold panicked");
                false
            }
        }
    }
}

/// Brings the memory table to the end of the log. More than fits there goes on into the fold; it counts as
/// durable, because recovery has synced what it reads.
fn replay(
    disk: &dyn Disk,
    view: &View,
    mark: Timestamp,
    options: &StoreOptions,
) -> Result<Recovered, OpenError> {
    let memory_max_bytes = options.memory_budget_bytes.saturating_mul(2);
    let mut apply = |commit: crate::Commit| {
        view.memory.insert(commit.ts, &commit.writes, || commit.ts);
        if view.memory.bytes() > memory_max_bytes {
            move_to_fold(view, commit.ts, |_| true)?;
        }
        Ok(())
    };
    Ok(recover(disk, mark, &mut apply)?)
}

/// The log's thread and the fold's, in this order.
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
    let fold_parts = Arc::clone(parts);
    let fold = parts.env.spawn(
        "weir-fold",
        Box::new(move || {
            fold_parts.guard_fold(|| fold_parts.fold.run().map(|()| true));
        }),
    );
    vec![log, fold]
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

    fn sequence(&self, make: &mut dyn FnMut(Timestamp) -> Vec<Write>) -> Result<Timestamp, SequenceError> {
        self.parts.sequencer.sequence(&*self.parts.env, &self.parts.view, make)
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

    fn stats(&self) -> StoreStats {
        let parts = &self.parts;
        StoreStats {
            memory_bytes: parts.view.memory.bytes(),
            memory_keys: parts.view.memory.keys(),
            segments: parts.closed_segments.lock().len() as u64 + 1,
            fold_mark: parts.fold.mark(),
            snapshots: parts.view.open_snapshots(),
            disk_full: parts.sequencer.is_disk_full(),
            ..parts.counters.snapshot()
        }
    }

    fn close(&self) {
        self.parts.sequencer.close();
        self.parts.fold.stop();
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
        if !self.parts.groups.has_failed() {
            self.parts.checkpoint();
            self.parts.groups.finish_log();
        }
        self.is_closed.store(true, Ordering::Release);
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.close();
    }
}
