//! What the registry knows of one socket: what it watches, and what it was last given.
use std::sync::Arc;

use weir_db::Principal;
use weir_value::Timestamp;

use crate::interval_index::LiveId;
use crate::protocol::QueryId;
use crate::result::QueryResult;

#[derive(Debug)]
pub(super) struct Subscription {
    pub(super) query: QueryId,
    pub(super) live: LiveId,
    /// The last result that the socket was given.
    pub(super) given: Option<Arc<QueryResult>>,
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
    /// By ascending query id.
    pub(super) subscriptions: Vec<Subscription>,
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
            subscriptions: Vec::new(),
            ts: Timestamp::ZERO,
            pinned: None,
            woken: false,
            waits_for_runs: false,
        }
    }

    pub(super) fn subscription(&self, query: QueryId) -> Option<&Subscription> {
        self.place(query).ok().map(|at| &self.subscriptions[at])
    }

    pub(super) fn subscribe(&mut self, query: QueryId, live: LiveId) {
        if let Err(at) = self.place(query) {
            self.subscriptions.insert(at, Subscription { query, live, given: None });
        }
    }

    pub(super) fn unsubscribe(&mut self, query: QueryId) -> Option<Subscription> {
        self.place(query).ok().map(|at| self.subscriptions.remove(at))
    }

    /// The query of this number is another one from now on.
    pub(super) fn redirect(&mut self, query: QueryId, live: LiveId) {
        if let Ok(at) = self.place(query) {
            self.subscriptions[at].live = live;
        }
    }

    pub(super) fn watches(&self, live: LiveId) -> bool {
        self.subscriptions.iter().any(|subscription| subscription.live == live)
    }

    fn place(&self, query: QueryId) -> Result<usize, usize> {
        self.subscriptions.binary_search_by_key(&query, |subscription| subscription.query)
    }
}
