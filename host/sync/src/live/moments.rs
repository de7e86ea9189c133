//! The moments that matter: the newest one, those that runs in flight read, those that sockets are about to be
//! brought to. A version of a result that covers none of them is of no use to anybody.
use std::collections::{BTreeMap, BTreeSet};

use weir_value::Timestamp;

use super::RunId;

/// One moment that runs read.
#[derive(Debug)]
pub(super) struct Flight<M> {
    pub(super) moment: M,
    pub(super) runs: BTreeSet<RunId>,
}

#[derive(Debug)]
pub(super) struct Moments<M> {
    now: Timestamp,
    /// The one before now.
    previous: Option<Timestamp>,
    moment: M,
    flights: BTreeMap<Timestamp, Flight<M>>,
    /// How many sockets each moment is kept for.
    pins: BTreeMap<Timestamp, u32>,
}

impl<M: Clone> Moments<M> {
    pub(super) fn new(now: Timestamp, moment: M) -> Self {
        Moments { now, previous: None, moment, flights: BTreeMap::new(), pins: BTreeMap::new() }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    /// The moment before now, if there was one.
    pub(super) fn previous(&self) -> Option<Timestamp> {
        self.previous
    }

    pub(super) fn move_to(&mut self, now: Timestamp, moment: M) {
        self.previous = Some(self.now);
        (self.now, self.moment) = (now, moment);
    }

    /// A run begins at `at`: now, or a moment that another run is reading.
    pub(super) fn take_off(&mut self, at: Timestamp, run: RunId) -> M {
        let now = &self.moment;
        let flight =
            self.flights.entry(at).or_insert_with(|| Flight { moment: now.clone(), runs: BTreeSet::new() });
        flight.runs.insert(run);
        flight.moment.clone()
    }

    pub(super) fn land(&mut self, at: Timestamp, run: RunId) {
        if let Some(flight) = self.flights.get_mut(&at) {
            flight.runs.remove(&run);
            if flight.runs.is_empty() {
                self.flights.remove(&at);
            }
        }
    }

    /// The oldest moment that a run is reading.
    pub(super) fn oldest_in_flight(&self) -> Option<Timestamp> {
        self.flights.first_key_value().map(|(&at, _)| at)
    }

    /// The moments after `from` and before now that runs are reading, the oldest first.
    pub(super) fn in_flight_after(
        &self,
        from: Option<Timestamp>,
    ) -> impl Iterator<Item = (Timestamp, &Flight<M>)> + '_ {
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

    /// Whether some moment from `from` to `last` is still wanted.
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
