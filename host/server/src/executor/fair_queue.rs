//! The order in which jobs get a thread: first come, first served among those of one kind, and time shared between kinds.
//!
//! Each kind has a virtual time: what its jobs have taken, divided by its weight. Whoever has the least is next, so over
//! any time in which kinds have jobs waiting each gets its share of the threads, however long its single jobs take. A kind
//! that had nothing waiting begins where the others are: it saves nothing up. (Start-time fair queueing; Linux's
//! completely fair scheduler does the same.)

use std::collections::VecDeque;
use std::time::Duration;

/// What a job is done for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobKind {
    /// A call that a client waits for, or its mutation queue.
    Client,
    /// A run of a live query.
    Live,
    /// A step of an action, or a function that it calls.
    Action,
    /// Scheduled functions and cron jobs.
    Scheduled,
    /// What keeps the database in order.
    Maintenance,
}

const KINDS: usize = JobKind::ALL.len();

impl JobKind {
    /// All of them, in their order.
    pub const ALL: [JobKind; 5] =
        [JobKind::Client, JobKind::Live, JobKind::Action, JobKind::Scheduled, JobKind::Maintenance];

    /// As the metrics call it.
    pub const fn name(self) -> &'static str {
        match self {
            JobKind::Client => "client",
            JobKind::Live => "live",
            JobKind::Action => "action",
            JobKind::Scheduled => "scheduled",
            JobKind::Maintenance => "maintenance",
        }
    }

    /// Its part of the threads' time, beside the weights of the other kinds that have jobs waiting. So a backlog of
    /// scheduled functions takes a fifth of the time beside clients' calls, and everything that is left over.
    const fn weight(self) -> u64 {
        match self {
            JobKind::Client | JobKind::Live | JobKind::Action => 4,
            JobKind::Scheduled | JobKind::Maintenance => 1,
        }
    }
}

/// What a job is taken to need before it is known: several threads that come at once are to take jobs of several kinds.
const EXPECTED: Duration = Duration::from_micros(50);

/// Jobs that wait, by kind.
pub struct FairQueue<J> {
    kinds: [Waiting<J>; KINDS],
    /// The virtual time of the kind that was served last: where those begin that come back.
    now: u64,
    len: usize,
}

struct Waiting<J> {
    jobs: VecDeque<J>,
    /// Its virtual time, in nanoseconds by weight.
    used: u64,
}

impl<J> Default for FairQueue<J> {
    fn default() -> FairQueue<J> {
        let kinds = std::array::from_fn(|_| Waiting { jobs: VecDeque::new(), used: 0 });
        FairQueue { kinds, now: 0, len: 0 }
    }
}

impl<J> FairQueue<J> {
    /// Jobs that wait.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Puts a job behind those of its kind.
    pub fn push(&mut self, kind: JobKind, job: J) {
        let waiting = &mut self.kinds[kind as usize];
        if waiting.jobs.is_empty() {
            waiting.used = waiting.used.max(self.now);
        }
        waiting.jobs.push_back(job);
        self.len += 1;
    }

    /// The next job. [`FairQueue::charge`] is to be told how long it took.
    pub fn pop(&mut self) -> Option<(JobKind, J)> {
        let kinds =
            [JobKind::Client, JobKind::Live, JobKind::Action, JobKind::Scheduled, JobKind::Maintenance];
        let waiting = kinds.into_iter().filter(|kind| !self.kinds[*kind as usize].jobs.is_empty());
        let kind = waiting.min_by_key(|kind| self.kinds[*kind as usize].used)?;
        let next = &mut self.kinds[kind as usize];
        let job = next.jobs.pop_front()?;
        self.now = self.now.max(next.used);
        next.used += virtual_time(kind, EXPECTED);
        self.len -= 1;
        Some((kind, job))
    }

    /// A job of this kind has taken so long.
    pub fn charge(&mut self, kind: JobKind, took: Duration) {
        let waiting = &mut self.kinds[kind as usize];
        let expected = virtual_time(kind, EXPECTED);
        waiting.used = (waiting.used + virtual_time(kind, took)).saturating_sub(expected);
    }
}

fn virtual_time(kind: JobKind, took: Duration) -> u64 {
    u64::try_from(took.as_nanos()).unwrap_or(u64::MAX / 8) / kind.weight()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Serves until a second is used up, every kind always having jobs that take so many milliseconds; gives the
    /// milliseconds that each got.
    fn serve(kinds: &[(JobKind, u32)]) -> Vec<u32> {
        let mut queue = FairQueue::default();
        for (kind, ms) in kinds {
            (0..2000).for_each(|_| queue.push(*kind, *ms));
        }
        let mut got = vec![0; kinds.len()];
        while got.iter().sum::<u32>() < 1000 {
            let (kind, ms) = queue.pop().unwrap();
            queue.charge(kind, MS * ms);
            got[kinds.iter().position(|(other, _)| *other == kind).unwrap()] += ms;
        }
        got
    }

    #[test]
    fn time_is_shared_by_weight_however_long_single_jobs_take() {
        for (client_ms, scheduled_ms) in [(1, 1), (1, 10), (10, 1)] {
            let got = serve(&[(JobKind::Client, client_ms), (JobKind::Scheduled, scheduled_ms)]);
            assert!((780..=820).contains(&got[0]) && (180..=220).contains(&got[1]), "{got:?}");
        }
        let got = serve(&[(JobKind::Client, 1), (JobKind::Live, 5), (JobKind::Action, 2)]);
        assert!(got.iter().all(|ms| (320..=345).contains(ms)), "{got:?}");
    }

    #[test]
    fn who_had_nothing_waiting_has_saved_nothing_up() {
        let mut queue = FairQueue::default();
        (0..1000).for_each(|n| queue.push(JobKind::Client, n));
        for _ in 0..500 {
            let (kind, _) = queue.pop().unwrap();
            queue.charge(kind, MS);
        }
        (0..100).for_each(|n| queue.push(JobKind::Live, n));
        let next = (0..20).map(|_| {
            let (kind, _) = queue.pop().unwrap();
            queue.charge(kind, MS);
            kind
        });
        let live = next.filter(|kind| *kind == JobKind::Live).count();
        assert!((9..=11).contains(&live), "{live} of 20");
    }

    #[test]
    fn threads_that_come_at_once_take_jobs_of_several_kinds_in_their_order() {
        let mut queue = FairQueue::default();
        for n in 0..4 {
            queue.push(JobKind::Client, n);
            queue.push(JobKind::Scheduled, n);
        }
        let taken: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(queue.len(), 0);
        assert!(taken[..2].contains(&(JobKind::Scheduled, 0)) && taken[..2].contains(&(JobKind::Client, 0)));
        for of in [JobKind::Client, JobKind::Scheduled] {
            let order: Vec<i32> = taken.iter().filter(|(kind, _)| *kind == of).map(|(_, n)| *n).collect();
            assert_eq!(order, [0, 1, 2, 3]);
        }
    }
}
