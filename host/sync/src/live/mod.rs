//! The registry of live queries: what all sockets watch, each distinct query once.
//!
//! Runs nothing and reads nothing: each method returns a [`Step`] that says which runs to start, at which snapshot,
//! and which sockets have something to fetch.
//!
//! # Versions
//!
//! Each query has *versions* of its result: a result, and the timestamps from which and until which it holds. A
//! run at a timestamp makes a version; a commit group that writes into the read set ends it, and starts a run. A
//! socket is brought to a timestamp that a version of *each* of its queries covers, the newest there is: all that
//! it shows is always of one timestamp.
//!
//! A query has one run in flight at most. What is written meanwhile into what it reads is known when it ends, from
//! the keys of the groups after its timestamp; then the version is over already, and the next run starts.
//!
//! # Common timestamps
//!
//! Under steady writes the versions of two queries that one socket watches could miss each other for ever: each is
//! over before the other begins. Three rules prevent that:
//!
//! - A version is kept while a run reads at a timestamp that it covers: when the run ends, the two have that
//!   timestamp in common.
//! - A run that starts while another query of the same socket is being run at a timestamp that it does not cover,
//!   starts at *that* timestamp instead of the newest (the oldest such timestamp; at most `JOINS_IN_A_ROW_MAX`
//!   times in a row, so that a query which many watch does not fall behind because of what few watch beside it).
//! - When a run ends, each socket that it concerns gets a timestamp pinned: the versions are kept until it asks.
//!
//! # Whose results
//!
//! A query that did not ask for the identity has the same result for everybody who may call it, and is one query for
//! all of them. One that did is a query for each identity. Which it is shows when it has run; until then newcomers wait
//! for the run of whoever came first. When it asks, it is *split*: each other identity gets a query of its own.
//!
//! So a slow query stalls nobody who does not watch it, and who does is brought forward once a run.
mod advance;
mod audience;
mod charging;
mod horizon;
mod key;
mod query;
mod recent;
mod runs;
mod slab;
mod small_map;
mod snapshots;
mod socket;
mod watch;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use rustc_hash::FxHashMap;
use weir_db::Principal;
use weir_value::Timestamp;

use crate::budget::Account;
use crate::interval_index::{IntervalIndex, LiveId};
use crate::prefetch::prefetch;
use crate::protocol::QueryId;
use crate::result::QueryResult;

use audience::SharedKey;
pub use key::LiveKey;
use query::LiveQuery;
use recent::RecentGroups;
use slab::Slab;
use snapshots::Snapshots;
use socket::Socket;

/// How many runs of a query in a row may be at a timestamp that is not the newest.
const JOINS_IN_A_ROW_MAX: u32 = 4;

/// The host's number of a socket. Never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SocketId(pub u64);

/// The number of a run. Never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunId(pub u64);

/// A change of what a socket watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WatchChange {
    /// Watch this.
    Add(QueryId, LiveKey),
    /// Watch it no more.
    Remove(QueryId),
}

impl WatchChange {
    /// What is to be watched from now on, if that is it.
    pub fn added(&self) -> Option<&LiveKey> {
        match self {
            WatchChange::Add(_, key) => Some(key),
            WatchChange::Remove(_) => None,
        }
    }
}

/// A query to run, at a timestamp that is not always the newest one.
#[derive(Debug, Clone)]
pub struct Run<S> {
    /// Give it back in [`LiveQueries::run_finished`].
    pub id: RunId,
    /// What to run.
    pub key: LiveKey,
    /// For which socket, of those that watch it.
    pub on_behalf_of: SocketId,
    /// Whose that is.
    pub principal: Principal,
    /// What the run before has left, for `Database::query_again`.
    pub journal: Option<Arc<str>>,
    /// The timestamp that it reads at.
    pub at: Timestamp,
    /// The host's handle of the snapshot at `at`.
    pub snapshot: S,
}

/// What the host has to do.
#[must_use = "runs that are not started stall every socket that waits for them"]
#[derive(Debug)]
pub struct Step<S> {
    /// Runs to start. Each must be finished, come what may.
    pub runs: Vec<Run<S>>,
    /// Sockets to wake, each once: [`Session::wake`](crate::session::Session::wake).
    pub wake: Vec<SocketId>,
}

impl<S> Default for Step<S> {
    fn default() -> Self {
        Step { runs: Vec::new(), wake: Vec::new() }
    }
}

impl<S> Step<S> {
    /// Adds what another step has to do.
    pub fn append(&mut self, other: Step<S>) {
        self.runs.extend(other.runs);
        let new = other.wake.into_iter().filter(|socket| !self.wake.contains(socket));
        let new: Vec<SocketId> = new.collect();
        self.wake.extend(new);
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.wake.is_empty()
    }
}

/// What a socket moves on to.
#[derive(Debug, Clone)]
pub struct Advance {
    /// The timestamp that all its queries stand at.
    pub ts: Timestamp,
    /// The queries whose result is another one than the socket was last given, by ascending id.
    pub changes: Vec<ResultChange>,
}

/// One query's new result.
#[derive(Debug, Clone)]
pub struct ResultChange {
    /// Which query.
    pub query: QueryId,
    /// What the socket was given before: the base of a patch.
    pub base: Option<Arc<QueryResult>>,
    /// What it gets now.
    pub result: Arc<QueryResult>,
}

/// The figures of the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LiveStats {
    /// Distinct queries that somebody watches.
    pub live_queries: u64,
    /// Sockets that watch something.
    pub sockets: u64,
    /// Pairs of socket and query.
    pub subscriptions: u64,
    /// Runs that were started, ever.
    pub runs_started: u64,
    /// Runs whose result was the one before.
    pub runs_unchanged: u64,
    /// Runs in flight.
    pub runs_in_flight: u64,
    /// Results that were dropped because there was no room for them, ever.
    pub results_without_room: u64,
}

/// The live queries of all sockets. `S` is the host's handle of a snapshot.
#[derive(Debug)]
pub struct LiveQueries<S> {
    snapshots: Snapshots<S>,
    recent: RecentGroups,
    index: IntervalIndex,
    queries: Slab<LiveQuery>,
    /// Those that a newcomer shares.
    by_key: HashMap<SharedKey, LiveId>,
    sockets: FxHashMap<SocketId, Socket>,
    /// What the results count in that a socket watches alone.
    accounts: HashMap<SocketId, Arc<Account>>,
    /// What those count in that several watch.
    shared: Arc<Account>,
    /// Queries whose results had no room, in the order in which they failed.
    without_room: BTreeSet<(u64, LiveId)>,
    runs: HashMap<RunId, RunInFlight>,
    /// Runs that nobody has waited for any more since the host asked last.
    unwanted: Vec<RunId>,
    /// Sockets that wait for the registry to reach a timestamp.
    waiting: BTreeSet<(Timestamp, SocketId)>,
    /// One more at each deployment.
    deployment: u64,
    next_run: u64,
    next_seq: u64,
    stats: LiveStats,
}

/// A run that has not ended.
#[derive(Debug)]
struct RunInFlight {
    /// `None` when nobody watches the query any more.
    live: Option<LiveId>,
    at: Timestamp,
    deployment: u64,
}

impl<S: Clone> LiveQueries<S> {
    /// An empty registry at the newest durable timestamp.
    pub fn new(now: Timestamp, snapshot: S) -> Self {
        LiveQueries {
            snapshots: Snapshots::new(now, snapshot),
            recent: RecentGroups::default(),
            index: IntervalIndex::new(),
            queries: Slab::default(),
            by_key: HashMap::new(),
            sockets: FxHashMap::default(),
            accounts: HashMap::new(),
            shared: Account::unlimited(),
            without_room: BTreeSet::new(),
            runs: HashMap::new(),
            unwanted: Vec::new(),
            waiting: BTreeSet::new(),
            deployment: 0,
            next_run: 0,
            next_seq: 0,
            stats: LiveStats::default(),
        }
    }

    /// The timestamp that the registry is at: the last group that it was told of.
    pub fn now(&self) -> Timestamp {
        self.snapshots.now()
    }

    /// Whether somebody still wants the result of this run. If not, it may be finished without having run.
    pub fn is_wanted(&self, run: RunId) -> bool {
        self.runs.get(&run).is_some_and(|run| run.live.is_some())
    }

    /// The runs that nobody has waited for any more since this was called last. Those that have not begun are best finished
    /// at once: each keeps its snapshot, and the keys of all commits since, for as long as it is in flight.
    pub fn take_unwanted(&mut self) -> Vec<RunId> {
        std::mem::take(&mut self.unwanted)
    }

    /// The figures.
    pub fn stats(&self) -> LiveStats {
        LiveStats {
            live_queries: self.queries.len() as u64,
            sockets: self.sockets.len() as u64,
            runs_in_flight: self.runs.len() as u64,
            ..self.stats
        }
    }

    /// Whether nothing is left of those who once watched.
    #[cfg(test)]
    fn is_empty_of_everything(&self) -> bool {
        let nobody = self.sockets.is_empty() && self.by_key.is_empty() && self.queries.ids().is_empty();
        nobody
            && self.without_room.is_empty()
            && self.runs.is_empty()
            && self.index.is_empty()
            && self.snapshots.is_without_wants()
    }

    /// Has fetched what [`LiveQueries::advance`] will look at.
    pub fn prefetch(&self, socket: SocketId) {
        self.sockets.get(&socket).into_iter().for_each(prefetch);
    }

    /// Names the socket in the step, unless an earlier step did and it has not asked since.
    fn wake(&mut self, socket: SocketId, step: &mut Step<S>) {
        if let Some(entry) = self.sockets.get_mut(&socket).filter(|entry| !entry.woken) {
            entry.woken = true;
            step.wake.push(socket);
        }
    }
}

#[cfg(test)]
mod charging_tests;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
