//! Bringing a socket forward.
use weir_value::Timestamp;

use super::horizon::Reach;
use super::socket::Socket;
use super::{Advance, LiveQueries, ResultChange, SocketId};
use crate::interval_index::LiveId;
use crate::protocol::QueryId;

/// How many queries a search for a common timestamp looks at. Beyond that none is found for now, and the next end of a
/// run searches again; when all runs have ended, the search looks at none.
const SEARCH_MAX: usize = 2048;

impl<S: Clone> LiveQueries<S> {
    /// The newest timestamp, not before `at_least` nor before the last one, at which every query of the socket has a
    /// result; and the results that are not those it was last given. What is returned counts as given.
    ///
    /// `None`: not yet. A later step then wakes the socket when it is worth asking again.
    pub fn advance(&mut self, socket: SocketId, at_least: Timestamp) -> Option<Advance> {
        let entry = self.sockets.get_mut(&socket)?;
        entry.woken = false;
        entry.waits_for_runs = false;
        let pinned = entry.pinned.take();
        let best = self.sockets.get(&socket).and_then(|entry| self.newest_common(entry));
        if let Some(pinned) = pinned {
            self.snapshots.unpin(pinned);
        }
        let Some(ts) = best.filter(|ts| *ts >= at_least) else {
            self.wait(socket, at_least);
            return None;
        };
        let changes = self.give(socket, ts);
        Some(Advance { ts, changes })
    }

    /// A run at `at` has ended: keeps the versions at the newest timestamp that the socket can be brought to, until it
    /// asks. False: to none so far; what ends next may change that.
    pub(super) fn pin(&mut self, socket: SocketId, at: Timestamp) -> bool {
        let Some(entry) = self.sockets.get(&socket) else { return false };
        // What has become known is known from `at` on. If another query is not known that far, nothing has changed.
        let changes_nothing = match entry.horizon.reach() {
            Reach::Now => false,
            Reach::To(end) => end < at,
            Reach::Nowhere => true,
        };
        let best = if changes_nothing { None } else { self.newest_common(entry) };
        let Some(entry) = self.sockets.get_mut(&socket) else { return false };
        let Some(best) = best else {
            entry.waits_for_runs = true;
            return entry.pinned.is_some();
        };
        let before = entry.pinned.replace(best);
        self.snapshots.pin(best);
        if let Some(before) = before {
            self.snapshots.unpin(before);
        }
        true
    }

    pub(super) fn prune(&mut self, live: LiveId) {
        if let Some(query) = self.queries.get_mut(live).filter(|query| query.has_old_versions()) {
            query.prune(|from, last| self.snapshots.wants(from, last));
        }
    }

    /// From as far as all queries are known downwards: wherever some query has no result, on to the newest timestamp at
    /// which it has one.
    pub(super) fn newest_common(&self, socket: &Socket) -> Option<Timestamp> {
        let mut ts = match socket.horizon.reach() {
            Reach::Now => return Some(self.now()).filter(|now| *now >= socket.ts),
            Reach::To(end) => end.min(self.now()),
            Reach::Nowhere => return None,
        };
        let mut looks = 0;
        while ts >= socket.ts {
            // Whose newest version began before has a result at `ts`, because that is known for long enough.
            let mut lower = None;
            for query in socket.horizon.begun_after(ts) {
                looks += 1;
                if looks > SEARCH_MAX {
                    return None;
                }
                let live = socket.subscriptions.get(query)?.live;
                let known = self.queries.get(live)?.newest_known(ts)?;
                if known < ts {
                    lower = Some(known);
                    break;
                }
            }
            match lower {
                Some(known) => ts = known,
                None => return Some(ts),
            }
        }
        None
    }

    fn give(&mut self, socket: SocketId, ts: Timestamp) -> Vec<ResultChange> {
        let Some(entry) = self.sockets.get_mut(&socket) else {
            return Vec::new();
        };
        let passed = entry.pass(ts);
        entry.waits_for_runs |= entry.horizon.reach() != Reach::Now;
        passed.into_iter().filter_map(|query| self.give_one(socket, query, ts)).collect()
    }

    /// The result of one query, of which a version began on the way to `ts`, if it is news.
    fn give_one(&mut self, socket: SocketId, id: QueryId, ts: Timestamp) -> Option<ResultChange> {
        let entry = self.sockets.get_mut(&socket)?;
        let subscription = entry.subscriptions.get_mut(id)?;
        let query = self.queries.get_mut(subscription.live)?;
        if query.has_old_versions() {
            query.prune(|from, last| (from <= ts && ts <= last) || self.snapshots.wants(from, last));
        }
        let result = query.at(ts).map(|version| version.result.clone());
        let news = result.filter(|result| !subscription.was_given(result)).map(|result| {
            let base = subscription.given.replace(result.clone());
            ResultChange { query: id, base, result }
        });
        if let Some(from) = query.first_after(ts) {
            entry.note_first(id, from);
        }
        // A result that went away and came back while the socket was elsewhere is no news.
        news.filter(|news| news.base.as_ref().is_none_or(|base| !base.is_same(&news.result)))
    }

    /// The socket is woken when the registry reaches `at_least`; and if it is there already, when a run ends.
    fn wait(&mut self, socket: SocketId, at_least: Timestamp) {
        if at_least > self.now() {
            self.waiting.insert((at_least, socket));
        }
        if let Some(entry) = self.sockets.get_mut(&socket) {
            entry.waits_for_runs = true;
        }
    }
}
