//! How far the results of a socket's queries are known, kept so that a timestamp which they have in common is found by
//! looking at those queries alone that have changed since the socket moved.
//!
//! A query whose newest version began before the socket's timestamp covers everything from there up to where it is known.
//! So there are two things to keep: how far the queries that are not known up to now are known, of which the least counts;
//! and the queries with versions that began after the socket's timestamp.
use smallvec::SmallVec;
use weir_value::Timestamp;

use super::query::Known;
use super::small_map::SmallMap;
use crate::protocol::QueryId;

#[derive(Debug, Default)]
pub(super) struct Horizon {
    /// How far the queries are known that are not known up to now, ascending, and how many are known so far. Few differ:
    /// what one group of commits has changed is known up to that group.
    ends: SmallVec<[(Option<Timestamp>, u32); 1]>,
    /// When versions began that the socket has not been past: of each query the first, and the newest.
    begun: SmallMap<(Timestamp, QueryId), (), 2>,
}

/// Where the search for a timestamp that all queries have in common can end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// All queries are known up to now.
    Now,
    /// One is known up to here.
    To(Timestamp),
    /// Of one nothing is known.
    Nowhere,
}

impl Horizon {
    pub(super) fn add(&mut self, query: QueryId, known: Known, begun: (Timestamp, Timestamp)) {
        self.change_known(Known::ToNow, known);
        self.change_begun(query, None, Some(begun));
    }

    pub(super) fn forget(&mut self, query: QueryId, known: Known, begun: Option<(Timestamp, Timestamp)>) {
        self.change_known(known, Known::ToNow);
        self.change_begun(query, begun, None);
    }

    pub(super) fn change_known(&mut self, before: Known, after: Known) {
        if let Known::To(end) = before
            && let Ok(at) = self.place(end)
        {
            self.ends[at].1 -= 1;
            if self.ends[at].1 == 0 {
                self.ends.remove(at);
            }
        }
        if let Known::To(end) = after {
            match self.place(end) {
                Ok(at) => self.ends[at].1 += 1,
                Err(at) => self.ends.insert(at, (end, 1)),
            }
        }
    }

    fn place(&self, end: Option<Timestamp>) -> Result<usize, usize> {
        self.ends.binary_search_by_key(&end, |(end, _)| *end)
    }

    pub(super) fn change_begun(
        &mut self,
        query: QueryId,
        before: Option<(Timestamp, Timestamp)>,
        after: Option<(Timestamp, Timestamp)>,
    ) {
        if let Some((first, newest)) = before {
            self.begun.remove((first, query));
            if newest != first {
                self.begun.remove((newest, query));
            }
        }
        if let Some((first, newest)) = after {
            self.begun.insert((first, query), ());
            if newest != first {
                self.begun.insert((newest, query), ());
            }
        }
    }

    /// How far all queries are known.
    pub(super) fn reach(&self) -> Reach {
        match self.ends.first() {
            None => Reach::Now,
            Some((Some(end), _)) => Reach::To(*end),
            Some((None, _)) => Reach::Nowhere,
        }
    }

    /// The queries with a version that began after `ts`; some of them twice.
    pub(super) fn begun_after(&self, ts: Timestamp) -> impl Iterator<Item = QueryId> + '_ {
        self.begun.after((ts, QueryId::MAX)).map(|((_, query), ())| query)
    }

    /// The queries with a version that began until `ts`, ascending.
    pub(super) fn begun_until(&self, ts: Timestamp) -> SmallVec<[QueryId; 4]> {
        let mut queries: SmallVec<[QueryId; 4]> =
            self.begun.until((ts, QueryId::MAX)).map(|((_, query), ())| query).collect();
        queries.sort_unstable();
        queries.dedup();
        queries
    }
}
