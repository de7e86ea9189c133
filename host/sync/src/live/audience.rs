//! For whom a query has its result: everybody, or one identity.
use std::collections::BTreeSet;
use std::sync::Arc;

use weir_db::{Access, Principal};
use weir_value::Identity;

use super::query::LiveQuery;
use super::{LiveKey, LiveQueries, SocketId, Step};
use crate::interval_index::LiveId;
use crate::protocol::QueryId;

/// For whom a query has its result.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Audience {
    /// It has not asked for the identity.
    Everyone,
    /// It has; `None` is nobody in particular.
    Only(Option<Identity>),
}

/// What tells one live query from another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct SharedKey {
    pub(super) query: LiveKey,
    /// Which functions its subscribers may call.
    pub(super) access: Access,
    pub(super) audience: Audience,
}

impl SharedKey {
    /// The query of everybody who may call as much as this principal.
    pub(super) fn for_everyone(query: &LiveKey, principal: &Principal) -> SharedKey {
        SharedKey { query: query.clone(), access: principal.access(), audience: Audience::Everyone }
    }

    /// The query of this principal's identity.
    pub(super) fn for_one(query: &LiveKey, principal: &Principal) -> SharedKey {
        let audience = Audience::Only(principal.identity().cloned());
        SharedKey { query: query.clone(), access: principal.access(), audience }
    }

    /// Whether the result is this principal's.
    pub(super) fn fits(&self, principal: &Principal) -> bool {
        let is_meant = match &self.audience {
            Audience::Everyone => true,
            Audience::Only(identity) => identity.as_ref() == principal.identity(),
        };
        is_meant && self.access == principal.access()
    }

    /// The same query, that ends its page where this journal says.
    pub(super) fn with_journal(&self, journal: Option<Arc<str>>) -> SharedKey {
        let mut key = self.clone();
        key.query.journal = journal;
        key
    }
}

impl<S: Clone> LiveQueries<S> {
    /// The socket is somebody else's: what it watched of its former owner's it watches anew. Gives the queries that it
    /// left, and those that are new.
    pub(super) fn change_principal(
        &mut self,
        socket: SocketId,
        principal: &Principal,
    ) -> (Vec<LiveId>, Vec<LiveId>) {
        let Some(entry) = self.sockets.get_mut(&socket).filter(|entry| entry.principal != *principal) else {
            return (Vec::new(), Vec::new());
        };
        entry.principal = principal.clone();
        let watched = entry.subscriptions.iter().map(|(query, subscription)| (query, subscription.live));
        let watched: Vec<(QueryId, LiveId)> = watched.collect();
        let (mut left, mut new) = (Vec::new(), Vec::new());
        for (query, live) in watched {
            let key = self.queries.get(live).map(|live| live.key.clone());
            let Some(key) = key.filter(|key| !key.fits(principal)) else { continue };
            let (target, is_new) = self.shared_or_new(&key.query, principal);
            new.extend(is_new.then_some(target));
            self.move_subscription((socket, query), live, target);
            left.push(live);
        }
        (left, new)
    }

    /// The query that a newcomer shares, or a new one; and whether it is new.
    pub(super) fn shared_or_new(&mut self, key: &LiveKey, principal: &Principal) -> (LiveId, bool) {
        let everyone = SharedKey::for_everyone(key, principal);
        let own = self.by_key.get(&SharedKey::for_one(key, principal));
        match own.or_else(|| self.by_key.get(&everyone)) {
            Some(known) => (*known, false),
            None => (self.add_query(LiveQuery::new(everyone)), true),
        }
    }

    /// A query has run, and asked for the identity or not: sees to whose query it is. False: nobody watches this one any
    /// more.
    pub(super) fn settle_audience(&mut self, live: LiveId, asked: bool, step: &mut Step<S>) -> bool {
        let Some(query) = self.queries.get(live) else { return false };
        match (&query.key.audience, asked) {
            (Audience::Everyone, true) => {
                let (new, is_watched) = self.split(live, step);
                new.into_iter().for_each(|fork| self.start_run(fork, step));
                is_watched
            }
            // One that asks now and then would be split and joined for ever: only another deployment's function is
            // another function.
            (Audience::Only(_), false) if query.split_in < self.deployment => self.join_everyone(live, step),
            _ => true,
        }
    }

    /// A query of one identity asks no more: it is everybody's, or joins the one that is. False: it has joined another.
    fn join_everyone(&mut self, live: LiveId, step: &mut Step<S>) -> bool {
        let Some(query) = self.queries.get_mut(live) else { return false };
        let own = query.key.clone();
        let everyone = SharedKey { audience: Audience::Everyone, ..own.clone() };
        let Some(other) = self.by_key.get(&everyone).copied() else {
            query.key = everyone.clone();
            // What it asked for before is one identity's.
            query.forget_versions();
            self.unshare(live, &own);
            self.by_key.insert(everyone, live);
            return true;
        };
        for subscriber in std::mem::take(&mut query.subscribers) {
            self.move_subscription(subscriber, live, other);
            // They waited for the end of this run; of the other there may be none.
            self.wake(subscriber.0, step);
        }
        self.forget_query(live);
        false
    }

    /// A query of everybody has asked for the identity that it ran for. It is that identity's from now on. Subscribers of
    /// other identities get queries of their own, with the results so far, for which nobody had asked.
    ///
    /// Gives the queries that are new; and whether this one still is: not if nobody of its identity watches it.
    fn split(&mut self, live: LiveId, step: &mut Step<S>) -> (BTreeSet<LiveId>, bool) {
        let Some(query) = self.queries.get_mut(live) else { return (BTreeSet::new(), false) };
        let (everyone, ran_for) = (query.key.clone(), query.principal.clone());
        let subscribers = std::mem::take(&mut query.subscribers);
        self.unshare(live, &everyone);
        let own = SharedKey::for_one(&everyone.query, &ran_for);
        let is_first = !self.by_key.contains_key(&own);
        if is_first {
            self.by_key.insert(own.clone(), live);
        }
        if let Some(query) = self.queries.get_mut(live) {
            (query.key, query.split_in) = (own, self.deployment);
        }
        let mut new = BTreeSet::new();
        for subscriber in subscribers {
            let Some(entry) = self.sockets.get(&subscriber.0) else { continue };
            let key = SharedKey::for_one(&everyone.query, &entry.principal);
            let target = self.by_key.get(&key).copied().unwrap_or_else(|| {
                let fork = self.fork(live, key);
                new.insert(fork);
                fork
            });
            self.move_subscription(subscriber, live, target);
            if target != live && !new.contains(&target) {
                // They waited for the end of this run; of the one that there was there may be none.
                self.wake(subscriber.0, step);
            }
        }
        let is_watched = self.queries.get(live).is_some_and(|query| !query.subscribers.is_empty());
        if !is_watched {
            self.forget_query(live);
        }
        (new, is_watched)
    }

    fn fork(&mut self, origin: LiveId, key: SharedKey) -> LiveId {
        let mut fork = match self.queries.get(origin) {
            Some(origin) => origin.fork(key),
            None => LiveQuery::new(key),
        };
        fork.split_in = self.deployment;
        self.add_query(fork)
    }

    fn add_query(&mut self, query: LiveQuery) -> LiveId {
        let key = query.key.clone();
        let live = self.queries.insert(query);
        self.by_key.insert(key, live);
        live
    }

    /// Whom a query runs for: any of those who watch it.
    pub(super) fn representative(&self, live: LiveId) -> Option<(SocketId, Principal)> {
        let (socket, _) = self.queries.get(live)?.subscribers.first()?;
        self.sockets.get(socket).map(|entry| (*socket, entry.principal.clone()))
    }

    /// The socket watches another query under this number; what it was given stays.
    fn move_subscription(&mut self, (socket, query): (SocketId, QueryId), from: LiveId, to: LiveId) {
        if let Some(from) = self.queries.get_mut(from) {
            from.subscribers.remove(&(socket, query));
        }
        if let (Some(entry), Some(target)) = (self.sockets.get_mut(&socket), self.queries.get_mut(to)) {
            entry.redirect(query, to, target);
            target.subscribers.insert((socket, query));
        }
    }
}
