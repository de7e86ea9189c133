//! The live queries of all sockets, between the store that commits, the
//! executor that runs queries, and the sockets that wait for results.
//!
//! What must run when is `weir_sync::live`'s matter; here stand the lock around
//! it, the snapshot it is at, and the one thread that brings it commit groups.
//! The log's thread only leaves the group and goes on.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::{Condvar, Mutex, MutexGuard};
use rustc_hash::FxHashMap;
use weir_db::{Call, Database, FunctionInfo, Principal, QueryOutcome, ReadSet, Teardown};
use weir_store::{CommitGroup, Env, Snapshot};
use weir_sync::budget::Account;
use weir_sync::live::{Advance, LiveQueries, LiveStats, Run, RunId, SocketId, Step, WatchChange};
use weir_sync::prefetch::prefetch_counts;
use weir_value::Timestamp;

use crate::disclosure::Disclosure;
use crate::executor::{Executor, Flow, JobKind, Place, Refusal, Turn, Work};
use crate::fan_out::FanOut;
use crate::inbox::Inbox;
use crate::request_id::{internal_error, new_request_id};

/// Groups of which it is known when they became durable, so that a push can be measured.
const RECENT_GROUPS: usize = 64;

/// How many changes of what a socket watches are made before others get at the registry.
const CHANGES_AT_ONCE: usize = 256;

/// The registry of live queries and what it needs around it.
pub struct LiveHub {
    env: Arc<dyn Env>,
    db: Arc<Database>,
    executor: Arc<Executor>,
    fan_out: FanOut,
    disclosure: Disclosure,
    registry: Mutex<Registry>,
    sockets: Mutex<FxHashMap<SocketId, OpenSocket>>,
    /// Runs that wait for a thread, and where.
    queued: Mutex<HashMap<RunId, Place>>,
    next_socket: AtomicU64,
    /// Whether anybody watches anything: if not, groups need not be brought.
    is_watched: AtomicBool,
    arrivals: Arrivals,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What the hub knows of a socket.
struct OpenSocket {
    inbox: Arc<Inbox>,
    /// Whose its queries are.
    flow: Flow,
}

struct Registry {
    live: LiveQueries<SnapshotHandle>,
    /// Where `live` is.
    snapshot: SnapshotHandle,
    /// Everything is to run again at the first group from here on.
    redeploy_at: Option<Timestamp>,
}

/// A handle of a snapshot, which can be taken away while nobody watches:
/// the store cannot flush what a snapshot still shows.
#[derive(Clone, Default)]
struct SnapshotHandle(Arc<Mutex<Option<Arc<Snapshot>>>>);

/// The groups that the log's thread has left.
#[derive(Default)]
struct Arrivals {
    state: Mutex<ArrivalState>,
    filled: Condvar,
    /// When the last of them became durable.
    recent: Mutex<VecDeque<(Timestamp, Duration)>>,
}

#[derive(Default)]
struct ArrivalState {
    groups: Vec<CommitGroup>,
    /// At exactly the last of the groups.
    snapshot: Option<Arc<Snapshot>>,
    is_stopped: bool,
}

impl Registry {
    fn move_to(&mut self, snapshot: Arc<Snapshot>, keys: Vec<Bytes>) -> Step<SnapshotHandle> {
        let ts = snapshot.ts();
        self.snapshot = SnapshotHandle(Arc::new(Mutex::new(Some(snapshot))));
        let mut step = self.live.group_durable(ts, keys, self.snapshot.clone());
        if self.redeploy_at.is_some_and(|at| at <= ts) {
            self.redeploy_at = None;
            step.append(self.live.redeploy());
        }
        step
    }

    fn is_unwatched(&self) -> bool {
        let stats = self.live.stats();
        stats.subscriptions == 0 && stats.runs_in_flight == 0
    }
}

impl LiveHub {
    /// A hub without sockets, and its thread.
    /// Results that several sockets watch count in `shared_results`.
    pub fn start(
        env: &Arc<dyn Env>,
        db: Arc<Database>,
        executor: Arc<Executor>,
        disclosure: Disclosure,
        shared_results: Arc<Account>,
        fan_out: FanOut,
    ) -> Arc<LiveHub> {
        let snapshot = SnapshotHandle::default();
        let live = LiveQueries::new(db.store().durable(), snapshot.clone()).sharing_in(shared_results);
        let hub = Arc::new(LiveHub {
            env: Arc::clone(env),
            db,
            executor,
            fan_out,
            disclosure,
            registry: Mutex::new(Registry { live, snapshot, redeploy_at: None }),
            sockets: Mutex::default(),
            queued: Mutex::default(),
            next_socket: AtomicU64::new(0),
            is_watched: AtomicBool::new(false),
            arrivals: Arrivals::default(),
            thread: Mutex::new(None),
        });
        let bringer = Arc::clone(&hub);
        let thread = env.spawn("live-groups", Box::new(move || while bringer.bring_groups() {}));
        *hub.thread.lock() = Some(thread);
        hub
    }

    /// Adds a socket; it watches nothing yet. What it will watch alone counts in `results`.
    pub fn open_socket(&self, inbox: Arc<Inbox>, flow: Flow, results: Arc<Account>) -> SocketId {
        let id = SocketId(self.next_socket.fetch_add(1, Ordering::Relaxed));
        self.sockets.lock().insert(id, OpenSocket { inbox, flow });
        self.registry.lock().live.open_socket(id, results);
        id
    }

    /// Forgets a socket and what it watched.
    pub fn close_socket(self: &Arc<Self>, id: SocketId) {
        self.sockets.lock().remove(&id);
        let mut registry = self.registry.lock();
        while registry.live.leave_some(id, CHANGES_AT_ONCE) {
            MutexGuard::bump(&mut registry);
        }
        let unwanted = registry.live.take_unwanted();
        self.rest_if_unwatched(&registry);
        drop(registry);
        self.withdraw(&unwanted);
    }

    /// Runs that nobody waits for any more do not wait for a thread. A stranger who watches much, leaves and comes again would
    /// leave them behind, hundreds of thousands of them, and each keeps the store from flushing what its snapshot shows.
    fn withdraw(self: &Arc<Self>, runs: &[RunId]) {
        for some in runs.chunks(CHANGES_AT_ONCE) {
            let places: Vec<_> = {
                let mut queued = self.queued.lock();
                some.iter().filter_map(|run| Some((*run, queued.remove(run)?))).collect()
            };
            // One that is no more in the queue has begun, and ends as it does.
            let withdrawn = places.into_iter().filter(|(_, place)| self.executor.withdraw(*place));
            let withdrawn: Vec<RunId> = withdrawn.map(|(run, _)| run).collect();
            let (mut registry, mut step) = (self.registry.lock(), Step::default());
            for run in withdrawn {
                let at = registry.live.now();
                step.append(registry.live.run_finished(run, not_run(at, "")));
            }
            self.rest_if_unwatched(&registry);
            drop(registry);
            self.perform(step);
        }
    }

    /// Changes what a socket, which stands at `since` and is this principal's, watches.
    pub fn watch(
        self: &Arc<Self>,
        socket: SocketId,
        since: Timestamp,
        principal: &Principal,
        changes: &[WatchChange],
    ) {
        let mut registry = self.registry.lock();
        let mut step = self.catch_up(&mut registry).unwrap_or_default();
        // Without changes, too: the socket may be somebody else's.
        let (first, rest) = changes.split_at(changes.len().min(CHANGES_AT_ONCE));
        step.append(registry.live.watch(socket, since, principal, first));
        for some in rest.chunks(CHANGES_AT_ONCE) {
            MutexGuard::bump(&mut registry);
            step.append(registry.live.watch(socket, since, principal, some));
        }
        let unwanted = registry.live.take_unwanted();
        self.rest_if_unwatched(&registry);
        drop(registry);
        self.perform(step);
        self.withdraw(&unwanted);
    }

    /// What the socket moves on to, if it can.
    pub fn advance(&self, socket: SocketId, at_least: Timestamp) -> Option<Advance> {
        self.registry.lock().live.advance(socket, at_least)
    }

    /// Has fetched what [`LiveHub::advance`] will look at, unless somebody else is at it.
    pub fn prefetch(&self, socket: SocketId) {
        if let Some(registry) = self.registry.try_lock() {
            registry.live.prefetch(socket);
        }
    }

    /// Other functions are in force from this timestamp on, which is durable: everything runs again, as soon as the
    /// registry is there.
    pub fn redeploy(self: &Arc<Self>, at: Timestamp) {
        let mut registry = self.registry.lock();
        if registry.live.now() < at && self.is_watched.load(Ordering::SeqCst) {
            // The group is on its way.
            registry.redeploy_at = Some(at);
            return;
        }
        let step = registry.live.redeploy();
        drop(registry);
        self.perform(step);
    }

    /// The functions that are in force.
    pub fn functions(&self) -> Vec<Arc<FunctionInfo>> {
        self.db.deployment().1.list()
    }

    /// When the group of this timestamp became durable, by the monotonic clock; `None` for one that is long past.
    pub fn durable_at(&self, ts: Timestamp) -> Option<Duration> {
        let recent = self.arrivals.recent.lock();
        recent.iter().rev().find(|(group, _)| *group == ts).map(|(_, at)| *at)
    }

    /// Runs again some of the queries whose results had no room.
    pub fn retry_without_room(self: &Arc<Self>, runs_max: usize) {
        let step = self.registry.lock().live.retry_without_room(runs_max);
        self.perform(step);
    }

    /// The registry's figures.
    pub fn stats(&self) -> LiveStats {
        self.registry.lock().live.stats()
    }

    /// Tells every socket that the server stops.
    pub fn shut_down_sockets(&self) {
        self.sockets.lock().values().for_each(|socket| socket.inbox.shut_down());
    }

    /// Tells every socket that admin keys were revoked, or that the providers of users are others: whose identity rests
    /// on what is gone, ends.
    pub fn grounds_changed(&self) {
        self.sockets.lock().values().for_each(|socket| socket.inbox.grounds_changed());
    }

    /// Sockets that are open.
    pub fn sockets_open(&self) -> usize {
        self.sockets.lock().len()
    }

    /// Ends the thread, and lets go of the snapshot that the registry is at: the
    /// store is about to be closed. Blocks.
    pub fn stop(&self) {
        self.arrivals.state.lock().is_stopped = true;
        self.arrivals.filled.notify_all();
        if let Some(thread) = self.thread.lock().take() {
            let _ = thread.join();
        }
        self.registry.lock().snapshot.0.lock().take();
        self.arrivals.state.lock().snapshot.take();
    }

    /// A group is durable: leaves it for the hub's thread, if anybody watches. Called on the log's thread.
    pub fn group_durable(&self, group: &CommitGroup) {
        // Either `catch_up` sees this group in its snapshot, or the flag is seen.
        fence(Ordering::SeqCst);
        if !self.is_watched.load(Ordering::SeqCst) {
            return;
        }
        let mut recent = self.arrivals.recent.lock();
        if recent.len() == RECENT_GROUPS {
            recent.pop_front();
        }
        recent.push_back((group.last_ts(), self.env.monotonic()));
        drop(recent);
        let snapshot = Arc::new(self.db.store().snapshot_durable());
        let mut arrived = self.arrivals.state.lock();
        arrived.groups.push(group.clone());
        let replaced = arrived.snapshot.replace(snapshot);
        drop(arrived);
        self.arrivals.filled.notify_one();
        drop(replaced);
    }

    /// When nobody watched, groups were not brought: the registry is taken to
    /// the newest snapshot before somebody does. Groups after it are brought,
    /// because the flag is set before the snapshot is taken.
    fn catch_up(&self, registry: &mut Registry) -> Option<Step<SnapshotHandle>> {
        if self.is_watched.swap(true, Ordering::SeqCst) {
            return None;
        }
        fence(Ordering::SeqCst);
        let snapshot = Arc::new(self.db.store().snapshot_durable());
        if snapshot.ts() > registry.live.now() {
            return Some(registry.move_to(snapshot, Vec::new()));
        }
        // Nothing was committed meanwhile: the timestamp is the same.
        *registry.snapshot.0.lock() = Some(snapshot);
        None
    }

    fn rest_if_unwatched(&self, registry: &Registry) {
        if registry.is_unwatched() {
            self.is_watched.store(false, Ordering::SeqCst);
            registry.snapshot.0.lock().take();
        }
    }

    /// Takes all groups that have arrived, as one; false when it is over.
    fn bring_groups(self: &Arc<Self>) -> bool {
        let mut arrived = self.arrivals.state.lock();
        while arrived.groups.is_empty() && !arrived.is_stopped {
            self.arrivals.filled.wait(&mut arrived);
        }
        let groups = std::mem::take(&mut arrived.groups);
        let snapshot = arrived.snapshot.take();
        drop(arrived);
        let Some(snapshot) = snapshot else { return false };
        let keys: Vec<Bytes> = changed_keys(&groups).collect();
        let mut registry = self.registry.lock();
        // Left over from when nobody watched, or brought by `catch_up` already.
        if !self.is_watched.load(Ordering::SeqCst) || snapshot.ts() <= registry.live.now() {
            return true;
        }
        let step = registry.move_to(snapshot, keys);
        drop(registry);
        self.perform(step);
        true
    }

    fn perform(self: &Arc<Self>, step: Step<SnapshotHandle>) {
        if step.is_empty() {
            return;
        }
        let sockets = self.sockets.lock();
        let woken = step.wake.iter().filter_map(|socket| sockets.get(socket));
        let woken: Vec<&Arc<Inbox>> = woken.map(|socket| &socket.inbox).collect();
        woken.iter().for_each(|inbox| prefetch_counts(Arc::as_ptr(inbox)));
        let inboxes: Vec<Arc<Inbox>> = woken.into_iter().map(Arc::clone).collect();
        let flow_of = |run: &Run<_>| sockets.get(&run.on_behalf_of).map_or(Flow::HOST, |socket| socket.flow);
        let runs: Vec<_> = step.runs.into_iter().map(|run| (flow_of(&run), run)).collect();
        drop(sockets);
        match inboxes.as_slice() {
            [one] => one.wake_live(),
            _ => self.fan_out.all(inboxes, Inbox::serve_live),
        }
        for (flow, run) in runs {
            let work = Work::of(JobKind::Live, flow).however_long();
            let (work, hub) = (self.executor.calling(&run.key.path, work), Arc::clone(self));
            let id = run.id;
            // Held until it is known where the run waits: it begins by taking that away.
            let mut queued = self.queued.lock();
            let place = self.executor.spawn(work, move |turn| match turn {
                Turn::Run(teardown) => hub.run(run, teardown),
                // Every socket has been told that it is over.
                Turn::Refused(Refusal::Stopping | Refusal::TooLate) => {}
            });
            queued.extend(place.map(|place| (id, place)));
        }
    }

    /// Runs a live query, on a thread of the executor. However it ends, the
    /// registry is told: whoever watches would wait for ever.
    fn run(self: &Arc<Self>, run: Run<SnapshotHandle>, teardown: &mut Teardown) {
        let id = run.id;
        self.queued.lock().remove(&id);
        let is_wanted = self.registry.lock().live.is_wanted(id);
        let outcome = if is_wanted { self.query(run, teardown) } else { not_run(run.at, "") };
        let mut registry = self.registry.lock();
        let step = registry.live.run_finished(id, outcome);
        self.rest_if_unwatched(&registry);
        drop(registry);
        self.perform(step);
    }

    fn query(&self, run: Run<SnapshotHandle>, teardown: &mut Teardown) -> QueryOutcome {
        let call = Call {
            args: run.key.args().clone(),
            path: run.key.path,
            principal: run.principal,
            request_id: new_request_id(),
        };
        // The snapshot is there while a run is in flight.
        let Some(snapshot) = run.snapshot.0.lock().clone() else {
            return not_run(run.at, &call.request_id);
        };
        let journal = run.journal.as_deref();
        let query = AssertUnwindSafe(|| self.db.query_again(&call, snapshot, journal, teardown));
        let outcome = self.executor.learn(&call.path, || catch_unwind(query)).unwrap_or_else(|_| {
            tracing::error!(call.request_id, "a live query panicked in the host");
            not_run(run.at, &call.request_id)
        });
        // Holders of keys and others never share a query, so what one run is told fits all who watch it.
        self.disclosure.of_query(&call, outcome)
    }
}

/// The outcome of a run that did not take place, or panicked.
fn not_run(at: Timestamp, request_id: &str) -> QueryOutcome {
    QueryOutcome {
        result: Err(internal_error(request_id)),
        log_lines: Vec::new(),
        read_set: ReadSet::default(),
        ts: at,
        journal: None,
        asked_identity: false,
    }
}

fn changed_keys(groups: &[CommitGroup]) -> impl Iterator<Item = Bytes> {
    groups.iter().flat_map(|group| &group.commits).flat_map(|commit| commit.keys()).cloned()
}
