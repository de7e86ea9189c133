//! Who watches what.
use weir_db::Principal;
use weir_value::Timestamp;

use super::audience::SharedKey;
use super::socket::Socket;
use super::{LiveKey, LiveQueries, SocketId, Step, WatchChange};
use crate::interval_index::LiveId;
use crate::protocol::QueryId;

impl<S: Clone> LiveQueries<S> {
    /// A socket, which stands at `since` and is this principal's, changes what it watches. What it watches already and
    /// belongs to a former principal it watches anew; the rest stays as it is.
    /// Queries that nobody watched before run, all of
    /// them at one timestamp; one that nobody watches any more is forgotten at once. A socket that watches nothing is
    /// not known here, and costs nothing.
    pub fn watch(
        &mut self,
        socket: SocketId,
        since: Timestamp,
        principal: &Principal,
        changes: &[WatchChange],
    ) -> Step<S> {
        let entry = self.sockets.entry(socket).or_insert_with(|| Socket::new(principal.clone()));
        entry.ts = entry.ts.max(since);
        // What one change leaves the next may take up again: only the sum of them starts and forgets queries.
        let (mut left, mut new) = self.change_principal(socket, principal);
        for change in changes {
            match change {
                WatchChange::Add(query, key) => {
                    left.extend(self.unsubscribe(socket, *query));
                    new.extend(self.subscribe(socket, *query, key));
                }
                WatchChange::Remove(query) => left.extend(self.unsubscribe(socket, *query)),
            }
        }
        left.into_iter().for_each(|live| self.forget_if_unwatched(live));
        let mut step = Step::default();
        new.into_iter().for_each(|live| self.start_run(live, &mut step));
        if self.sockets.get(&socket).is_some_and(|entry| entry.subscriptions.is_empty()) {
            self.forget_socket(socket);
        }
        step
    }

    /// The socket is gone, with all that it watched.
    pub fn close_socket(&mut self, socket: SocketId) -> Step<S> {
        while self.leave_some(socket, usize::MAX) {}
        Step::default()
    }

    /// A socket that is gone stops watching `at_most` of its queries: for callers that let others have a turn meanwhile.
    /// False: it watches nothing any more, and is forgotten.
    pub fn leave_some(&mut self, socket: SocketId, at_most: usize) -> bool {
        let Some(entry) = self.sockets.get(&socket) else {
            self.accounts.remove(&socket);
            return false;
        };
        let queries: Vec<QueryId> =
            entry.subscriptions.iter().take(at_most).map(|(query, _)| query).collect();
        for query in queries {
            let left = self.unsubscribe(socket, query);
            left.into_iter().for_each(|live| self.forget_if_unwatched(live));
        }
        let is_left = self.sockets.get(&socket).is_none_or(|entry| entry.subscriptions.is_empty());
        if is_left {
            self.forget_socket(socket);
            self.accounts.remove(&socket);
        }
        !is_left
    }

    /// The query, if nobody watched it before.
    fn subscribe(&mut self, socket: SocketId, query: QueryId, key: &LiveKey) -> Option<LiveId> {
        let principal = self.sockets.get(&socket)?.principal.clone();
        let (live, is_new) = self.shared_or_new(key, &principal);
        if let (Some(entry), Some(live_query)) = (self.sockets.get_mut(&socket), self.queries.get_mut(live)) {
            entry.subscribe(query, live, live_query);
            live_query.subscribers.insert((socket, query));
            self.stats.subscriptions += 1;
        }
        is_new.then_some(live)
    }

    /// The query that it was, if there was one.
    fn unsubscribe(&mut self, socket: SocketId, query: QueryId) -> Option<LiveId> {
        let live = self.sockets.get_mut(&socket)?.unsubscribe(query)?.live;
        self.stats.subscriptions -= 1;
        self.queries.get_mut(live)?.subscribers.remove(&(socket, query));
        Some(live)
    }

    fn forget_if_unwatched(&mut self, live: LiveId) {
        if self.queries.get(live).is_some_and(|query| query.subscribers.is_empty()) {
            self.forget_query(live);
        }
    }

    /// A run of it that is in flight ends unheard.
    pub(super) fn forget_query(&mut self, live: LiveId) {
        self.close_version(live, None);
        let Some(query) = self.queries.remove(live) else {
            return;
        };
        self.unshare(live, &query.key);
        if let Some(place) = query.without_room {
            self.without_room.remove(&(place, live));
        }
        if let Some(id) = query.running
            && let Some(run) = self.runs.get_mut(&id)
        {
            run.live = None;
            self.unwanted.push(id);
        }
    }

    /// A query that is about to run with a journal is from now on the one whose page ends there: newcomers share it if
    /// they bring that journal along, and else begin anew.
    pub(super) fn share_by_journal(&mut self, live: LiveId) {
        let query = self.queries.get_mut(live);
        let Some(query) = query.filter(|query| query.journal != query.key.query.journal) else {
            return;
        };
        let held = query.key.with_journal(query.journal.clone());
        let before = std::mem::replace(&mut query.key, held.clone());
        self.unshare(live, &before);
        self.by_key.entry(held).or_insert(live);
    }

    pub(super) fn unshare(&mut self, live: LiveId, key: &SharedKey) {
        if self.by_key.get(key) == Some(&live) {
            self.by_key.remove(key);
        }
    }

    fn forget_socket(&mut self, socket: SocketId) {
        let entry = self.sockets.remove(&socket);
        if let Some(pinned) = entry.and_then(|entry| entry.pinned) {
            self.snapshots.unpin(pinned);
        }
    }
}
