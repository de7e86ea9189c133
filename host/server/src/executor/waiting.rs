//! Jobs that wait for a thread, in the order of their lanes, and how long they have waited.

use std::collections::VecDeque;
use std::time::Duration;

use super::flow::Flow;
use super::lanes::{Lane, Lanes, Limits, Taken};

/// Entries of the list of ages that are of nobody any more, beside as many as there are jobs, before they are removed.
const SPARE_AGES: usize = 64;

/// What is to be done next.
pub enum Next<J> {
    /// A job is to be done; [`WaitingJobs::done`] is to be told when it is.
    Run(Taken, J),
    /// A job has waited for too long.
    TooLate(J),
}

impl<J> Next<J> {
    /// The place that the job takes, if it is run.
    pub fn taken(&self) -> Option<Taken> {
        match self {
            Next::Run(taken, _) => Some(*taken),
            Next::TooLate(_) => None,
        }
    }
}

/// Where a job is among those that wait; not used again for another one.
#[derive(Clone, Copy)]
pub struct Place {
    slot: u32,
    generation: u32,
}

struct Slot<J> {
    generation: u32,
    job: Option<J>,
}

/// Jobs that wait.
pub struct WaitingJobs<J> {
    lanes: Lanes<Place>,
    slots: Vec<Slot<J>>,
    free: Vec<u32>,
    /// Until when jobs wait that do not wait for ever: the first come first.
    ages: VecDeque<(Duration, Place)>,
}

impl<J> WaitingJobs<J> {
    /// None.
    pub fn new(limits: Limits) -> WaitingJobs<J> {
        WaitingJobs { lanes: Lanes::new(limits), slots: Vec::new(), free: Vec::new(), ages: VecDeque::new() }
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Puts a job behind those of its flow, and tells where it is. With a time until which it waits, which is not before those of jobs that came
    /// earlier, it is too late after that.
    pub fn push(
        &mut self,
        (lane, flow): (Lane, Flow),
        expected: Option<Duration>,
        waits_until: Option<Duration>,
        job: J,
    ) -> Place {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot { generation: 0, job: None });
            self.slots.len() as u32 - 1
        });
        let entry = &mut self.slots[slot as usize];
        entry.job = Some(job);
        let place = Place { slot, generation: entry.generation };
        self.lanes.push(lane, flow, expected, place);
        if let Some(until) = waits_until {
            self.ages.push_back((until, place));
            if self.ages.len() > 2 * self.len() + SPARE_AGES {
                let slots = &self.slots;
                self.ages.retain(|(_, place)| slots[place.slot as usize].generation == place.generation);
            }
        }
        place
    }

    /// Takes a job away that waits still. What its lane knows of it is a number, which is passed over.
    pub fn remove(&mut self, place: Place) -> Option<J> {
        self.take(place)
    }

    /// What is to be done next. `None`: nothing waits that may run now. A job that has been found to be slow while it
    /// waited goes on to wait among those; `slow` tells what it is expected to take then.
    pub fn next(&mut self, now: Duration, slow: impl Fn(&J) -> Option<Duration>) -> Option<Next<J>> {
        if let Some(job) = self.take_late(now) {
            return Some(Next::TooLate(job));
        }
        while let Some((taken, place)) = self.lanes.pop() {
            let lane = taken.lane();
            match self.get(place).filter(|_| !lane.is_slow()).and_then(&slow) {
                Some(expected) => {
                    self.lanes.done(taken, Duration::ZERO);
                    self.lanes.push(lane.when_slow(), taken.flow(), Some(expected), place);
                }
                None => match self.take(place) {
                    Some(job) => return Some(Next::Run(taken, job)),
                    None => self.lanes.done(taken, Duration::ZERO),
                },
            }
        }
        None
    }

    /// A job that runs has turned out to be slow.
    pub fn promote(&mut self, taken: &mut Taken) {
        self.lanes.promote(taken);
    }

    /// Whether [`WaitingJobs::next`] would give something to run.
    pub fn has_next(&self) -> bool {
        self.lanes.has_next()
    }

    /// A job has taken so long.
    pub fn done(&mut self, taken: Taken, took: Duration) {
        self.lanes.done(taken, took);
    }

    /// When the first of those that wait will have waited for too long.
    pub fn next_late(&self) -> Option<Duration> {
        self.ages.front().map(|(until, _)| *until)
    }

    /// Takes all that wait, in no particular order but for those of one flow.
    pub fn take_all(&mut self) -> Vec<J> {
        self.ages.clear();
        let mut jobs = Vec::new();
        while let Some((taken, place)) = self.lanes.pop_any() {
            jobs.extend(self.take(place));
            self.lanes.done(taken, Duration::ZERO);
        }
        jobs
    }

    fn take_late(&mut self, now: Duration) -> Option<J> {
        while let Some((until, place)) = self.ages.front().copied() {
            let waits = self.slots[place.slot as usize].generation == place.generation;
            if waits && until > now {
                return None;
            }
            self.ages.pop_front();
            if waits {
                return self.take(place);
            }
        }
        None
    }

    fn get(&self, place: Place) -> Option<&J> {
        let slot = self.slots.get(place.slot as usize)?;
        slot.job.as_ref().filter(|_| slot.generation == place.generation)
    }

    fn take(&mut self, place: Place) -> Option<J> {
        let slot = self.slots.get_mut(place.slot as usize)?;
        if slot.generation != place.generation {
            return None;
        }
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(place.slot);
        slot.job.take()
    }
}

#[cfg(test)]
mod tests {
    use super::super::lanes::JobKind;
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const LANE: (Lane, Flow) = (Lane::Quick(JobKind::Client), Flow::HOST);

    fn run(jobs: &mut WaitingJobs<u32>, now: Duration) -> Option<(bool, u32)> {
        Some(match jobs.next(now, |_| None)? {
            Next::TooLate(job) => (false, job),
            Next::Run(taken, job) => {
                jobs.done(taken, Duration::from_millis(1));
                (true, job)
            }
        })
    }

    #[test]
    fn who_has_waited_for_too_long_is_told_and_not_run() {
        let mut jobs = WaitingJobs::new(Limits::of(4));
        for n in 0..6 {
            jobs.push(LANE, None, (n % 2 == 0).then_some((n + 1) * SECOND), n);
        }
        assert_eq!(jobs.next_late(), Some(SECOND));
        assert_eq!(run(&mut jobs, SECOND / 2), Some((true, 0)));
        assert_eq!(run(&mut jobs, 3 * SECOND), Some((false, 2)));
        assert_eq!(jobs.len(), 4);
        for expected in [(true, 1), (true, 3), (true, 4), (true, 5)] {
            assert_eq!(run(&mut jobs, 4 * SECOND), Some(expected));
        }
        assert_eq!((run(&mut jobs, 100 * SECOND), jobs.len()), (None, 0));
    }

    #[test]
    fn who_is_found_to_be_slow_while_it_waits_waits_among_those() {
        let mut jobs = WaitingJobs::new(Limits::of(4));
        for n in 0..4 {
            jobs.push(LANE, None, Some(SECOND), n);
        }
        let slow = |n: &u32| n.is_multiple_of(2).then_some(SECOND);
        let Some(Next::Run(quick, 1)) = jobs.next(Duration::ZERO, slow) else {
            panic!("the first quick one")
        };
        let Some(Next::Run(_, 0)) = jobs.next(Duration::ZERO, slow) else { panic!("a slow one") };
        let Some(Next::Run(_, 3)) = jobs.next(Duration::ZERO, slow) else { panic!("the other quick one") };
        assert!(jobs.next(Duration::ZERO, slow).is_none() && jobs.len() == 1, "one of them at once");
        jobs.done(quick, SECOND);
        let Some(Next::TooLate(2)) = jobs.next(SECOND, slow) else { panic!("its age is that of its coming") };
    }

    #[test]
    fn who_has_left_holds_no_place() {
        let mut jobs = WaitingJobs::new(Limits::of(4));
        let places: Vec<Place> = (0..4).map(|n| jobs.push(LANE, None, None, n)).collect();
        assert_eq!((jobs.remove(places[0]), jobs.remove(places[2]), jobs.len()), (Some(0), Some(2), 2));
        assert_eq!(jobs.remove(places[0]), None);
        assert_eq!(run(&mut jobs, SECOND), Some((true, 1)));
        assert_eq!((jobs.remove(places[1]), run(&mut jobs, SECOND)), (None, Some((true, 3))));
        assert_eq!((run(&mut jobs, SECOND), jobs.len()), (None, 0));
    }

    #[test]
    fn ages_of_those_who_are_gone_are_not_kept() {
        let mut jobs = WaitingJobs::new(Limits::of(4));
        jobs.push((Lane::Slow, Flow::HOST), None, Some(SECOND), 0);
        jobs.push((Lane::Slow, Flow::HOST), None, Some(SECOND), 1);
        let Some(Next::Run(_slow, 0)) = jobs.next(Duration::ZERO, |_| None) else { panic!("the first runs") };
        for n in 2..10_000 {
            jobs.push(LANE, None, Some(SECOND), n);
            assert_eq!(run(&mut jobs, Duration::ZERO), Some((true, n)));
            assert!(jobs.ages.len() < 100 && jobs.slots.len() < 4);
        }
        assert_eq!(run(&mut jobs, SECOND), Some((false, 1)));
    }

    #[test]
    fn all_can_be_taken_whatever_may_run() {
        let mut jobs = WaitingJobs::new(Limits::of(4));
        for n in 0..10 {
            jobs.push((Lane::SlowMutation, Flow::HOST), None, None, n);
            jobs.push(LANE, None, Some(SECOND), n);
        }
        let Some(Next::Run(..)) = jobs.next(Duration::ZERO, |_| None) else { panic!("the first runs") };
        assert_eq!((jobs.take_all().len(), jobs.len(), jobs.has_next()), (19, 0, false));
    }
}
