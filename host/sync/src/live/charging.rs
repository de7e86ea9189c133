//! What results count as, and what becomes of one that has no room.
//!
//! A result is in memory once, however many watch it, and counts once: in the account of one of those who watch it, or, if
//! none of the few that are asked has room, in one that is everybody's. So whoever watches alone what is large pays for it
//! alone, and nobody's full account takes a result away from others.
//!
//! One that has no room fails, and is dropped. What the query has read is kept if that has room, so that the query runs
//! again when it changes; and it runs again when there may be room.
use std::sync::Arc;

use weir_db::{QueryOutcome, ReadSet};

use super::{LiveQueries, SocketId, Step};
use crate::budget::{Account, Charge, Held, Overdrawn};
use crate::interval_index::LiveId;
use crate::result::QueryResult;

/// How many of those who watch a query are asked for room, from either end of their list.
const ASKED_MAX: usize = 4;

impl<S: Clone> LiveQueries<S> {
    /// The same, whose results that several watch count in this account.
    #[must_use]
    pub fn sharing_in(self, shared: Arc<Account>) -> Self {
        LiveQueries { shared, ..self }
    }

    /// Results that this socket watches count in this account, until it is closed.
    pub fn open_socket(&mut self, socket: SocketId, account: Arc<Account>) {
        self.accounts.insert(socket, account);
    }

    /// Runs again some of the queries whose results had no room: for when there may be some.
    pub fn retry_without_room(&mut self, runs_max: usize) -> Step<S> {
        let mut step = Step::default();
        let before = self.snapshots.previous();
        for _ in 0..runs_max {
            let Some((_, live)) = self.without_room.pop_first() else { break };
            let Some(query) = self.queries.get_mut(live) else { continue };
            query.without_room = None;
            if query.running.is_none() {
                self.close_version(live, before);
                self.start_run(live, &mut step);
            }
        }
        step
    }

    /// Whether the last result of a query had no room. Of those that had none, it is the last one.
    fn set_without_room(&mut self, live: LiveId, is_without: bool) {
        let Some(query) = self.queries.get_mut(live) else { return };
        if let Some(place) = query.without_room.take() {
            self.without_room.remove(&(place, live));
        }
        if is_without {
            self.stats.results_without_room += 1;
            query.without_room = Some(self.stats.results_without_room);
            self.without_room.insert((self.stats.results_without_room, live));
        }
    }

    /// The result of a run, or that it has no room; and what to depend on.
    pub(super) fn charged_result(
        &mut self,
        live: LiveId,
        outcome: QueryOutcome,
        latest: Option<&QueryResult>,
    ) -> (QueryResult, ReadSet) {
        let bytes = QueryResult::size_bytes(&outcome);
        let read_set = outcome.read_set.clone();
        let charged = self.charge(live, bytes, latest.map_or(0, QueryResult::charged_bytes));
        self.set_without_room(live, charged.is_err());
        match charged {
            Ok(charge) => (QueryResult::new(self.next_seq, outcome).charged(charge), read_set),
            Err(error) => {
                let failed = QueryResult::without_room(self.next_seq, error);
                match self.charge(live, read_set.size_bytes(), 0) {
                    Ok(charge) => (failed.charged(charge), read_set),
                    Err(_) => (failed, ReadSet::default()),
                }
            }
        }
    }

    fn charge(&self, live: LiveId, bytes: usize, replaced: usize) -> Result<Charge, Overdrawn> {
        let Some(query) = self.queries.get(live) else { return Ok(self.shared.hold(Held::Results, 0)) };
        let subscribers = &query.subscribers;
        let asked = subscribers.iter().take(ASKED_MAX).chain(subscribers.iter().rev().take(ASKED_MAX));
        let mut refused = None;
        for account in asked.filter_map(|(socket, _)| self.accounts.get(socket)) {
            match account.charge_instead(Held::Results, bytes, replaced) {
                Ok(charge) => return Ok(charge),
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        let is_shared =
            subscribers.first().map(|(socket, _)| socket) != subscribers.last().map(|(socket, _)| socket);
        match refused {
            Some(error) if !is_shared => Err(error),
            _ => self.shared.charge_instead(Held::Results, bytes, replaced),
        }
    }
}
