//! Bringing a socket forward.
use weir_value::Timestamp;

use super::socket::Socket;
use super::{Advance, LiveQueries, ResultChange, SocketId};
use crate::interval_index::LiveId;

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

    /// Keeps the versions at the newest timestamp that the socket can be brought to, until it asks.
    pub(super) fn pin(&mut self, socket: SocketId) {
        let best = self.sockets.get(&socket).and_then(|entry| self.newest_common(entry));
        let (Some(best), Some(entry)) = (best, self.sockets.get_mut(&socket)) else {
            return;
        };
        let before = entry.pinned.replace(best);
        self.snapshots.pin(best);
        if let Some(before) = before {
            self.snapshots.unpin(before);
        }
    }

    pub(super) fn prune(&mut self, live: LiveId) {
        if let Some(query) = self.queries.get_mut(live).filter(|query| query.has_old_versions()) {
            query.prune(|from, last| self.snapshots.wants(from, last));
        }
    }

    /// From now downwards: wherever some query has no result, on to the newest timestamp at which it has one.
    fn newest_common(&self, socket: &Socket) -> Option<Timestamp> {
        let mut ts = self.now();
        'lower: loop {
            if ts < socket.ts {
                return None;
            }
            for subscription in &socket.subscriptions {
                let known = self.queries.get(subscription.live)?.newest_known(ts)?;
                if known < ts {
                    ts = known;
                    continue 'lower;
                }
            }
            return Some(ts);
        }
    }

    fn give(&mut self, socket: SocketId, ts: Timestamp) -> Vec<ResultChange> {
        let Some(entry) = self.sockets.get_mut(&socket) else {
            return Vec::new();
        };
        entry.ts = ts;
        let mut changes = Vec::new();
        for subscription in &mut entry.subscriptions {
            let Some(query) = self.queries.get_mut(subscription.live) else {
                continue;
            };
            entry.waits_for_runs |= query.running.is_some();
            if query.has_old_versions() {
                query.prune(|from, last| (from <= ts && ts <= last) || self.snapshots.wants(from, last));
            }
            let Some(version) = query.at(ts).filter(|version| !subscription.was_given(&version.result))
            else {
                continue;
            };
            let result = version.result.clone();
            let base = subscription.given.replace(result.clone());
            // A result that went away and came back while the socket was elsewhere is no news.
            if base.as_ref().is_none_or(|base| !base.is_same(&result)) {
                changes.push(ResultChange { query: subscription.query, base, result });
            }
        }
        changes
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
