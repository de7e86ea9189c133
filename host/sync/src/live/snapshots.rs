//! The timestamps that matter, and their snapshots where runs read them: the newest one, those that runs in
//! flight read at, those that sockets are about to be brought to. A version of a result that covers none of them
//! is of no use to anybody.
use std::collections::{BTreeMap, BTreeSet};

use weir_value::Timestamp;

use super::RunId;

/// A snapshot that runs read.
#[derive(Debug)]
pub(super) struct Flight<S> {
    pub(super) snapshot: S,
    pub(super) runs: BTreeSet<RunId>,
}

#[derive(Debug)]
pub(super) struct Snapshots<S> {
    now: Timestamp,
    /// The one before now.
    previous: Option<Timestamp>,
    snapshot: S,
    flights: BTreeMap<Timestamp, Flight<S>>,
    /// How many sockets each timestamp is kept for.
    pins: BTreeMap<Timestamp, u32>,
}

impl<S: Clone> Snapshots<S> {
    pub(super) fn new(now: Timestamp, snapshot: S) -> Self {
        Snapshots { now, previous: None, snapshot, flights: BTreeMap::new(), pins: BTreeMap::new() }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    /// The timestamp before now, if there was one.
    pub(super) fn previous(&self) -> Option<Timestamp> {
        self.previous
    }

    pub(super) fn move_to(&mut self, now: Timestamp, snapshot: S) {
        self.previous = Some(self.now);
        (self.now, self.snapshot) = (now, snapshot);
    }

    /// A run begins at `at`: now, or a timestamp at which another run reads.
    pub(super) fn begin(&mut self, at: Timestamp, run: RunId) -> S {
        let now = &self.snapshot;
        let flight =
            self.flights.entry(at).or_insert_with(|| Flight { snapshot: now.clone(), runs: BTreeSet::new() });
        flight.runs.insert(run);
        flight.snapshot.clone()
    }

    /// A run at `at` has ended.
    pub(super) fn end(&mut self, at: Timestamp, run: RunId) {
        if let Some(flight) = self.flights.get_mut(&at) {
            flight.runs.remove(&run);
            if flight.runs.is_empty() {
                self.flights.remove(&at);
            }
        }
    }

    /// The oldest timestamp at which a run reads.
    pub(super) fn oldest_in_flight(&self) -> Option<Timestamp> {
        self.flights.first_key_value().map(|(&at, _)| at)
    }

    /// The timestamps after `from` and before now at which runs read, the oldest first.
    pub(super) fn in_flight_after(
        &self,
        from: Option<Timestamp>,
    ) -> impl Iterator<Item = (Timestamp, &Flight<S>)> + '_ {
        let past = self.flights.range(..self.now).map(|(&at, flight)| (at, flight));
        past.filter(move |(at, _)| from.is_none_or(|from| *at > from))
    }

    pub(super) fn pin(&mut self, at: Timestamp) {
        *self.pins.entry(at).or_default() += 1;
    }

    pub(super) fn unpin(&mut self, at: Timestamp) {
        if let Some(count) = self.pins.get_mut(&at) {
            *count -= 1;
            if *count == 0 {
                self.pins.remove(&at);
            }
        }
    }

    /// Whether some timestamp from `from` to `last` is still wanted.
    pub(super) fn wants(&self, from: Timestamp, last: Timestamp) -> bool {
        from <= last
            && (self.flights.range(from..=last).next().is_some()
                || self.pins.range(from..=last).next().is_some())
    }

    /// Whether nothing is kept but now.
    #[cfg(test)]
    pub(super) fn is_without_wants(&self) -> bool {
        self.flights.is_empty() && self.pins.is_empty()
    }
}
