//! One live query: who watches it, and from when to when which result holds.
use std::collections::BTreeSet;
use std::sync::Arc;

use weir_db::{Principal, ReadSet};
use weir_value::Timestamp;

use super::audience::SharedKey;
use super::{RunId, SocketId};
use crate::protocol::QueryId;
use crate::result::QueryResult;

/// A result, and the timestamps at which the query has it.
#[derive(Debug, Clone)]
pub(super) struct Version {
    pub(super) from: Timestamp,
    /// The last timestamp at which it certainly holds; `None` while nothing has written into its read set.
    pub(super) last: Option<Timestamp>,
    pub(super) result: Arc<QueryResult>,
}

impl Version {
    fn covers(&self, at: Timestamp) -> bool {
        self.from <= at && self.last.is_none_or(|last| at <= last)
    }
}

/// How far the result of a query is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// Nothing has written into what its newest version has read.
    ToNow,
    /// Up to here; `None`: no result of it is known.
    To(Option<Timestamp>),
}

/// **Invariant:** either the newest version is open, and `read_set` is in the index; or a run is in flight.
#[derive(Debug)]
pub(super) struct LiveQuery {
    pub(super) key: SharedKey,
    /// Whom the last run was for.
    pub(super) principal: Principal,
    /// The deployment in which it was found to ask for the identity.
    pub(super) split_in: u64,
    pub(super) subscribers: BTreeSet<(SocketId, QueryId)>,
    /// Ascending, without overlap, perhaps with gaps.
    versions: Vec<Version>,
    /// The last result, for comparison with the next: also after its version was dropped.
    pub(super) latest: Option<Arc<QueryResult>>,
    pub(super) running: Option<RunId>,
    /// Where the query's page ends, if it reads one: as the last run has left it.
    pub(super) journal: Option<Arc<str>>,
    read_set: Option<ReadSet>,
    /// Its place among those whose results had no room, if its last one had none.
    pub(super) without_room: Option<u64>,
    /// How many runs in a row were at a timestamp that was not the newest.
    pub(super) joins: u32,
}

impl LiveQuery {
    pub(super) fn new(key: SharedKey) -> Self {
        LiveQuery {
            journal: key.query.journal.clone(),
            key,
            principal: Principal::Anonymous,
            split_in: 0,
            subscribers: BTreeSet::new(),
            versions: Vec::new(),
            latest: None,
            running: None,
            read_set: None,
            without_room: None,
            joins: 0,
        }
    }

    /// A query of one identity, with the results so far, all of which are over.
    pub(super) fn fork(&self, key: SharedKey) -> Self {
        debug_assert!(self.read_set.is_none(), "a query that has just run is not open");
        LiveQuery {
            versions: self.versions.clone(),
            latest: self.latest.clone(),
            journal: self.journal.clone(),
            ..LiveQuery::new(key)
        }
    }

    /// The results so far are nobody's any more.
    pub(super) fn forget_versions(&mut self) {
        debug_assert!(self.read_set.is_none(), "a query that has just run is not open");
        self.versions.clear();
    }

    /// A run at `from` has ended, and its result holds to `last`.
    pub(super) fn add_version(&mut self, from: Timestamp, last: Option<Timestamp>, result: Arc<QueryResult>) {
        debug_assert!(self.newest_from().is_none_or(|newest| newest < from), "runs go forward");
        self.latest = Some(result.clone());
        self.versions.push(Version { from, last, result });
    }

    /// Nothing has written into `read_set` since the newest version began.
    pub(super) fn open(&mut self, read_set: ReadSet) {
        self.read_set = Some(read_set);
    }

    /// Something did, after `last`: gives the read set back if the query was open. A version that held at no
    /// timestamp is dropped.
    pub(super) fn close(&mut self, last: Option<Timestamp>) -> Option<ReadSet> {
        let read_set = self.read_set.take()?;
        match (self.versions.last_mut(), last) {
            (Some(newest), Some(last)) if newest.from <= last => newest.last = Some(last),
            _ => drop(self.versions.pop()),
        }
        Some(read_set)
    }

    /// How far its result is known.
    pub(super) fn known(&self) -> Known {
        match self.read_set {
            Some(_) => Known::ToNow,
            None => Known::To(self.versions.last().and_then(|newest| newest.last)),
        }
    }

    /// When the first of its versions began that began after `ts`.
    pub(super) fn first_after(&self, ts: Timestamp) -> Option<Timestamp> {
        self.versions.iter().map(|version| version.from).find(|from| *from > ts)
    }

    /// When the newest version began.
    pub(super) fn newest_from(&self) -> Option<Timestamp> {
        self.versions.last().map(|version| version.from)
    }

    pub(super) fn at(&self, at: Timestamp) -> Option<&Version> {
        self.versions.iter().rev().find(|version| version.covers(at))
    }

    /// The newest timestamp not after `at` of which the result is known.
    pub(super) fn newest_known(&self, at: Timestamp) -> Option<Timestamp> {
        let version = self.versions.iter().rev().find(|version| version.from <= at)?;
        Some(version.last.map_or(at, |last| at.min(last)))
    }

    pub(super) fn has_old_versions(&self) -> bool {
        self.versions.len() > 1
    }

    /// Drops the versions, but for the newest, that nobody wants any more.
    pub(super) fn prune(&mut self, wanted: impl Fn(Timestamp, Timestamp) -> bool) {
        let newest = self.versions.len().saturating_sub(1);
        let mut at = 0;
        self.versions.retain(|version| {
            at += 1;
            at > newest || version.last.is_some_and(|last| wanted(version.from, last))
        });
    }
}
