//! What the registry knows of one socket: what it watches, and what it was last given.
use std::sync::Arc;

use smallvec::SmallVec;
use weir_db::Principal;
use weir_value::Timestamp;

use super::horizon::Horizon;
use super::query::{Known, LiveQuery};
use super::small_map::SmallMap;
use crate::interval_index::LiveId;
use crate::protocol::QueryId;
use crate::result::QueryResult;

#[derive(Debug)]
pub(super) struct Subscription {
    pub(super) live: LiveId,
    /// The last result that the socket was given.
    pub(super) given: Option<Arc<QueryResult>>,
    /// How far the query's result is known.
    known: Known,
    /// When the first of the versions began that the socket has not been past, and the newest of them.
    begun: Option<(Timestamp, Timestamp)>,
}

impl Subscription {
    pub(super) fn was_given(&self, result: &QueryResult) -> bool {
        self.given.as_ref().is_some_and(|given| given.seq() == result.seq())
    }
}

#[derive(Debug)]
pub(super) struct Socket {
    /// Whose it is.
    pub(super) principal: Principal,
    pub(super) subscriptions: SmallMap<QueryId, Subscription, 1>,
    /// Of all the subscriptions.
    pub(super) horizon: Horizon,
    /// The timestamp that it was brought to.
    pub(super) ts: Timestamp,
    /// A timestamp that it can be brought to, and whose versions are therefore kept until it asks.
    pub(super) pinned: Option<Timestamp>,
    /// A step named it, and it has not asked since.
    pub(super) woken: bool,
    /// It asked while a run was in flight: the end of the run is news, even with an unchanged result.
    pub(super) waits_for_runs: bool,
}

impl Socket {
    /// A socket that watches nothing yet.
    pub(super) fn new(principal: Principal) -> Socket {
        Socket {
            principal,
            subscriptions: SmallMap::default(),
            horizon: Horizon::default(),
            ts: Timestamp::ZERO,
            pinned: None,
            woken: false,
            waits_for_runs: false,
        }
    }

    pub(super) fn subscribe(&mut self, query: QueryId, live: LiveId, state: &LiveQuery) {
        if self.subscriptions.get(query).is_none() {
            self.insert(query, live, None, state);
        }
    }

    pub(super) fn unsubscribe(&mut self, query: QueryId) -> Option<Subscription> {
        let subscription = self.subscriptions.remove(query)?;
        self.horizon.forget(query, subscription.known, subscription.begun);
        Some(subscription)
    }

    /// The query of this number is another one from now on; what was given of it stays.
    pub(super) fn redirect(&mut self, query: QueryId, live: LiveId, state: &LiveQuery) {
        if let Some(before) = self.unsubscribe(query) {
            self.insert(query, live, before.given, state);
        }
    }

    fn insert(&mut self, query: QueryId, live: LiveId, given: Option<Arc<QueryResult>>, state: &LiveQuery) {
        let known = state.known();
        // Looked at when the socket moves, whenever its result began.
        let begun = (Timestamp::ZERO, state.newest_from().unwrap_or(Timestamp::ZERO));
        self.horizon.add(query, known, begun);
        self.subscriptions.insert(query, Subscription { live, given, known, begun: Some(begun) });
    }

    /// The result of a query is known from now on for as long as this.
    pub(super) fn note_known(&mut self, query: QueryId, known: Known) {
        if let Some(subscription) = self.subscriptions.get_mut(query) {
            self.horizon.change_known(subscription.known, known);
            subscription.known = known;
        }
    }

    /// A version of a query has begun, newer than those before.
    pub(super) fn note_begun(&mut self, query: QueryId, from: Timestamp) {
        if let Some(subscription) = self.subscriptions.get_mut(query) {
            let first = subscription.begun.map_or(from, |(first, _)| first);
            let begun = Some((first, from));
            self.horizon.change_begun(query, subscription.begun, begun);
            subscription.begun = begun;
        }
    }

    /// Moves on to `ts`: gives the queries that have versions which began on the way, ascending.
    pub(super) fn pass(&mut self, ts: Timestamp) -> SmallVec<[QueryId; 4]> {
        self.ts = ts;
        let passed = self.horizon.begun_until(ts);
        for query in &passed {
            if let Some(subscription) = self.subscriptions.get_mut(*query) {
                let newest = subscription.begun.map(|(_, newest)| newest).filter(|newest| *newest > ts);
                let left = newest.map(|newest| (newest, newest));
                self.horizon.change_begun(*query, subscription.begun, left);
                subscription.begun = left;
            }
        }
        passed
    }

    /// Of a query that was passed and has versions after that: the first of them began then.
    pub(super) fn note_first(&mut self, query: QueryId, from: Timestamp) {
        if let Some(subscription) = self.subscriptions.get_mut(query)
            && let Some((_, newest)) = subscription.begun
        {
            let begun = Some((from.min(newest), newest));
            self.horizon.change_begun(query, subscription.begun, begun);
            subscription.begun = begun;
        }
    }
}
