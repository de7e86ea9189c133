//! When queries run: at their first subscriber, after a write into their read set, after a deployment.
use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use rustc_hash::FxHashMap;
use weir_db::{QueryOutcome, ReadSet};
use weir_value::Timestamp;

use super::socket::Socket;
use super::{JOINS_IN_A_ROW_MAX, LiveQueries, Run, RunId, RunInFlight, SocketId, Step};
use crate::interval_index::LiveId;
use crate::prefetch::prefetch;
use crate::protocol::QueryId;
use crate::result::QueryResult;

/// How many runs, and how many of their sockets, a search for a timestamp to join looks at. Beyond that the run starts now.
const JOIN_SEARCH_MAX: usize = 64;

/// A socket's memory is asked for when so many sockets come before it.
const SOCKETS_AHEAD: usize = 8;

impl<S: Clone> LiveQueries<S> {
    /// A commit group is durable: or several, as one. `keys` are all those that were written since the last call;
    /// `snapshot` is the snapshot at exactly `ts`. Each query that has read one of the keys, or its absence, runs
    /// again: once, however many keys and subscribers.
    pub fn group_durable(&mut self, ts: Timestamp, keys: Vec<Bytes>, snapshot: S) -> Step<S> {
        debug_assert!(ts > self.now(), "groups come in order");
        let mut step = Step::default();
        let before = self.now();
        let runs_before = self.snapshots.oldest_in_flight().is_some();
        self.snapshots.move_to(ts, snapshot);
        for live in self.hits(&keys) {
            self.close_version(live, Some(before));
            self.start_run(live, &mut step);
        }
        if runs_before {
            self.recent.push(before, ts, keys);
        }
        while let Some(&(at, socket)) = self.waiting.first().filter(|(at, _)| *at <= ts) {
            self.waiting.remove(&(at, socket));
            self.wake(socket, &mut step);
        }
        step
    }

    /// A run has ended, in whatever way: each must. An id that is not known is left alone.
    pub fn run_finished(&mut self, run: RunId, outcome: QueryOutcome) -> Step<S> {
        let mut step = Step::default();
        let Some(RunInFlight { live, at, deployment }) = self.runs.remove(&run) else {
            return step;
        };
        if let Some(live) = live {
            if let Some(query) = self.queries.get_mut(live) {
                query.running = None;
            }
            if deployment == self.deployment {
                self.take_result(live, at, outcome, &mut step);
            } else {
                self.start_run(live, &mut step);
            }
        }
        self.snapshots.end(at, run);
        self.recent.forget_until(self.snapshots.oldest_in_flight());
        step
    }

    /// Other functions are in place: every query runs again, now. What is known of timestamps before now stays known.
    pub fn redeploy(&mut self) -> Step<S> {
        let mut step = Step::default();
        self.deployment += 1;
        let before = self.snapshots.previous();
        for live in self.queries.ids() {
            self.close_version(live, before);
            let idle = self.queries.get(live).is_some_and(|query| query.running.is_none());
            if idle {
                self.start_run(live, &mut step);
            }
        }
        step
    }

    fn hits(&self, keys: &[Bytes]) -> BTreeSet<LiveId> {
        let mut hits = BTreeSet::new();
        if !self.index.is_empty() {
            keys.iter().for_each(|key| self.index.stab(key, &mut hits));
        }
        hits
    }

    /// Ends the open version of a query, if it has one: it holds to `last`.
    pub(super) fn close_version(&mut self, live: LiveId, last: Option<Timestamp>) {
        let Some(query) = self.queries.get_mut(live) else { return };
        let Some(read_set) = query.close(last) else { return };
        self.index.remove(live, &read_set);
        let mut ahead = query.subscribers.iter().skip(SOCKETS_AHEAD);
        for (socket, id) in &query.subscribers {
            prefetch_next(&self.sockets, &mut ahead);
            if let Some(socket) = self.sockets.get_mut(socket) {
                socket.note_known(*id, query.known());
            }
        }
    }

    /// Does nothing for a query that is not there any more.
    pub(super) fn start_run(&mut self, live: LiveId, step: &mut Step<S>) {
        self.share_by_journal(live);
        let joined = self.timestamp_to_join(live);
        let at = joined.unwrap_or(self.now());
        let id = RunId(self.next_run);
        let Some((on_behalf_of, principal)) = self.representative(live) else {
            return;
        };
        let Some(query) = self.queries.get_mut(live) else {
            return;
        };
        debug_assert!(query.running.is_none(), "one run of a query at a time");
        query.running = Some(id);
        query.joins = if joined.is_some() { query.joins + 1 } else { 0 };
        query.principal = principal.clone();
        let (key, journal) = (query.key.query.clone(), query.journal.clone());
        self.next_run += 1;
        self.stats.runs_started += 1;
        self.runs.insert(id, RunInFlight { live: Some(live), at, deployment: self.deployment });
        let snapshot = self.snapshots.begin(at, id);
        step.runs.push(Run { id, key, on_behalf_of, principal, journal, at, snapshot });
    }

    /// The oldest timestamp, newer than what is known of this query, at which another query of one of its sockets is
    /// being run, and which it does not cover.
    fn timestamp_to_join(&self, live: LiveId) -> Option<Timestamp> {
        let query = self.queries.get(live).filter(|query| query.joins < JOINS_IN_A_ROW_MAX)?;
        let mut looks_left = JOIN_SEARCH_MAX;
        let flights = self.snapshots.in_flight_after(query.newest_from());
        let uncovered = flights.filter(|(at, _)| query.at(*at).is_none());
        let candidates = uncovered.flat_map(|(at, flight)| flight.runs.iter().map(move |run| (at, run)));
        let joined = candidates.take(JOIN_SEARCH_MAX).find(|(_, run)| {
            let run = self.runs.get(run).filter(|run| run.deployment == self.deployment);
            run.and_then(|run| run.live)
                .is_some_and(|other| self.share_a_socket(live, other, &mut looks_left))
        });
        joined.map(|(at, _)| at)
    }

    fn share_a_socket(&self, one: LiveId, other: LiveId, looks_left: &mut usize) -> bool {
        let (Some(query), Some(other_query)) = (self.queries.get(one), self.queries.get(other)) else {
            return false;
        };
        let (mut fewer, mut looked_through) = (&query.subscribers, &other_query.subscribers);
        if fewer.len() > looked_through.len() {
            std::mem::swap(&mut fewer, &mut looked_through);
        }
        fewer.iter().take(*looks_left).any(|(socket, _)| {
            *looks_left -= 1;
            looked_through.range((*socket, QueryId::MIN)..=(*socket, QueryId::MAX)).next().is_some()
        })
    }

    fn take_result(&mut self, live: LiveId, at: Timestamp, outcome: QueryOutcome, step: &mut Step<S>) {
        if !self.settle_audience(live, outcome.asked_identity, step) {
            return;
        }
        let last = self.recent.last_before_hit(at, &outcome.read_set);
        let journal = outcome.journal.as_deref().map(Arc::from);
        let (result, read_set) = self.shared_result(live, outcome);
        let Some(query) = self.queries.get_mut(live) else {
            return;
        };
        query.add_version(at, last, result.clone());
        query.journal = journal.or_else(|| query.journal.take());
        match last {
            Some(_) => self.start_run(live, step),
            None => {
                self.index.insert(live, &read_set);
                query.open(read_set);
            }
        }
        self.prune(live);
        self.tell_subscribers(live, at, &result, step);
    }

    /// The result as it is shared: the one before if it is the same. And what to depend on.
    fn shared_result(&mut self, live: LiveId, outcome: QueryOutcome) -> (Arc<QueryResult>, ReadSet) {
        let latest = self.queries.get(live).and_then(|query| query.latest.clone());
        let (result, read_set) = self.charged_result(live, outcome, latest.as_deref());
        match latest.filter(|latest| latest.is_same(&result)) {
            Some(same) => {
                self.stats.runs_unchanged += 1;
                (same, read_set)
            }
            None => {
                self.next_seq += 1;
                (Arc::new(result), read_set)
            }
        }
    }

    /// Pins a timestamp for each socket that this result, of a run at `at`, concerns, and wakes it: those that were not
    /// given it, and those that wait for the end of a run.
    fn tell_subscribers(&mut self, live: LiveId, at: Timestamp, result: &QueryResult, step: &mut Step<S>) {
        let Some(query) = self.queries.get_mut(live) else {
            return;
        };
        let (known, subscribers) = (query.known(), std::mem::take(&mut query.subscribers));
        let mut ahead = subscribers.iter().skip(SOCKETS_AHEAD);
        for (id, query) in &subscribers {
            prefetch_next(&self.sockets, &mut ahead);
            let Some(socket) = self.sockets.get_mut(id) else {
                continue;
            };
            socket.note_known(*query, known);
            socket.note_begun(*query, at);
            let is_news = socket.subscriptions.get(*query).is_some_and(|it| !it.was_given(result));
            let is_concerned = is_news || socket.woken || socket.waits_for_runs;
            if is_concerned && self.pin(*id, at) {
                self.wake(*id, step);
            }
        }
        if let Some(query) = self.queries.get_mut(live) {
            query.subscribers = subscribers;
        }
    }
}

/// Has the next of these sockets fetched.
fn prefetch_next<'a>(
    sockets: &FxHashMap<SocketId, Socket>,
    subscribers: &mut impl Iterator<Item = &'a (SocketId, QueryId)>,
) {
    if let Some(socket) = subscribers.next().and_then(|(socket, _)| sockets.get(socket)) {
        prefetch(socket);
    }
}
