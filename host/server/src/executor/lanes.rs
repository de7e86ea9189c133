//! Kinds of work, each with how many threads it may have, and whose turn it is.
//!
//! What clients want has its part of the time, by weight, beside what the host does by itself. Then time is shared between
//! clients, and last between the kinds of one client's jobs: who floods the host with jobs of every kind gets no more than
//! who asks for one thing. No job is next that its kind has no thread for.
//!
//! What is slow is apart from what it is done for. It has few threads, fewer than there are processors, so that a quick
//! call finds both, a thread and a processor, however many slow ones wait.

use std::time::Duration;

use super::flow::{Address, Flow};
use super::shares::{Below, Lines, Shares};

/// What a job is done for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobKind {
    /// A call that a client waits for and that commits nothing.
    Client,
    /// A mutation, or a socket's queue of them.
    Mutation,
    /// A run of a live query.
    Live,
    /// A step of an action, or a query that it calls.
    Action,
    /// Scheduled functions and cron jobs.
    Scheduled,
    /// What keeps the database in order.
    Maintenance,
}

impl JobKind {
    /// All of them, in their order.
    pub const ALL: [JobKind; 6] = [
        JobKind::Client,
        JobKind::Mutation,
        JobKind::Live,
        JobKind::Action,
        JobKind::Scheduled,
        JobKind::Maintenance,
    ];

    /// As the metrics call it.
    pub const fn name(self) -> &'static str {
        match self {
            JobKind::Client => "client",
            JobKind::Mutation => "mutation",
            JobKind::Live => "live",
            JobKind::Action => "action",
            JobKind::Scheduled => "scheduled",
            JobKind::Maintenance => "maintenance",
        }
    }
}

/// Where a job waits: by what it is for, or by what it is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// What is quick, or not known yet.
    Quick(JobKind),
    /// What is known to be slow.
    Slow,
    /// Mutations that are known to be slow: two of one function would conflict, and one of them have run in vain.
    SlowMutation,
    /// Quick mutations that are executed serially, one at a time: a second thread would wait for the first, and threads that
    /// hand the gate over to each other take longer than one of them alone.
    SerialMutation,
}

const LANES: usize = 9;

impl Lane {
    const ALL: [Lane; LANES] = [
        Lane::Quick(JobKind::Client),
        Lane::Quick(JobKind::Mutation),
        Lane::Quick(JobKind::Live),
        Lane::Quick(JobKind::Action),
        Lane::Quick(JobKind::Scheduled),
        Lane::Quick(JobKind::Maintenance),
        Lane::Slow,
        Lane::SlowMutation,
        Lane::SerialMutation,
    ];

    const fn place(self) -> usize {
        match self {
            Lane::Quick(kind) => kind as usize,
            Lane::Slow => 6,
            Lane::SlowMutation => 7,
            Lane::SerialMutation => 8,
        }
    }

    /// Whose work it is.
    const fn class(self) -> Class {
        match self {
            Lane::Quick(JobKind::Scheduled) => Class::Scheduled,
            Lane::Quick(JobKind::Maintenance) => Class::Maintenance,
            Lane::Quick(_) | Lane::Slow | Lane::SlowMutation | Lane::SerialMutation => Class::Clients,
        }
    }

    /// Where jobs belong that are slow.
    pub const fn when_slow(self) -> Lane {
        match self {
            Lane::Quick(JobKind::Mutation) | Lane::SerialMutation => Lane::SlowMutation,
            Lane::Quick(_) => Lane::Slow,
            slow => slow,
        }
    }

    pub const fn is_slow(self) -> bool {
        matches!(self, Lane::Slow | Lane::SlowMutation)
    }

    /// Whether its jobs commit, and may wait for who commits.
    const fn commits(self) -> bool {
        matches!(self, Lane::Quick(JobKind::Mutation | JobKind::Scheduled) | Lane::SerialMutation)
    }
}

/// Who shares the threads' time first, by weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Who asks, whatever for.
    Clients,
    /// What the host does by itself.
    Scheduled,
    Maintenance,
}

const CLASSES: usize = 3;

impl Class {
    const ALL: [Class; CLASSES] = [Class::Clients, Class::Scheduled, Class::Maintenance];

    /// Its part of the threads' time, beside the weights of the others that have jobs waiting. So a backlog of scheduled
    /// functions takes a small part of the time beside clients' calls, and everything that is left over.
    const fn weight(self) -> u64 {
        match self {
            Class::Clients => 4,
            Class::Scheduled | Class::Maintenance => 1,
        }
    }
}

/// How many threads may do what at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// All jobs, but for those that have turned out to be slow.
    pub all: usize,
    /// Slow functions.
    pub slow: usize,
    /// Live queries, but for slow ones; and steps of actions, which compute for as long as a tick each.
    pub background: usize,
    /// What commits, but for slow mutations: it may have to wait for one of those.
    pub commits: usize,
}

impl Limits {
    /// For so many threads, twice as many as there are processors: one processor is without slow functions, and one thread
    /// is without both, slow functions and what may wait for them.
    pub fn of(threads: usize) -> Limits {
        let slow = (threads / 2).saturating_sub(1).max(1);
        let commits = threads.saturating_sub(slow + 1).max(1);
        Limits { all: threads, slow, background: (threads / 2).max(1), commits }
    }
}

/// What a job is expected to take that is not known: several threads that come at once are to take jobs of several lanes.
const EXPECTED: Duration = Duration::from_micros(50);

/// The way to a job.
pub type Path = (Address, (u64, ()));

type Clients<J> = Shares<Address, Shares<u64, Lines<J, LANES>, LANES>, LANES>;

/// A job that was taken, to be given back when it is done.
#[derive(Debug, Clone, Copy)]
pub struct Taken {
    lane: Lane,
    path: Path,
    expected: u64,
    /// It has turned out to be slow.
    is_promoted: bool,
}

impl Taken {
    /// Where it waited.
    pub fn lane(&self) -> Lane {
        self.lane
    }

    /// Whether it counts among those that are not slow.
    pub fn is_quick(&self) -> bool {
        !self.is_promoted && !self.lane.is_slow()
    }

    /// Whose it is.
    pub fn flow(&self) -> Flow {
        let (address, (connection, ())) = self.path;
        Flow { address, connection }
    }
}

/// Jobs that wait, by whose they are and by lane.
pub struct Lanes<J> {
    clients: Clients<Expecting<J>>,
    /// How many jobs of each lane run.
    running: [usize; LANES],
    limits: Limits,
    /// Jobs that run and have turned out to be slow.
    promoted: usize,
    /// The virtual time of each class, in nanoseconds by weight.
    used: [u64; CLASSES],
    /// That of the class that was served last: where those begin that come back.
    now: u64,
}

struct Expecting<J> {
    job: J,
    /// In nanoseconds.
    expected: u64,
}

impl<J> Lanes<J> {
    /// Without jobs.
    pub fn new(limits: Limits) -> Lanes<J> {
        let (clients, running, used) = (Clients::default(), [0; LANES], [0; CLASSES]);
        Lanes { clients, running, limits, promoted: 0, used, now: 0 }
    }

    /// Puts a job behind those of its flow and lane; what it is expected to take, if that is known.
    pub fn push(&mut self, lane: Lane, flow: Flow, expected: Option<Duration>, job: J) {
        let class = lane.class();
        if !self.waiting().any(|other| other.class() == class) {
            let used = &mut self.used[class as usize];
            *used = self.now.max(*used);
        }
        let expected = nanos(expected.unwrap_or(EXPECTED));
        self.clients.push((flow.address, (flow.connection, ())), lane.place(), Expecting { job, expected });
    }

    /// The next job. [`Lanes::done`] is to be told when it is done.
    pub fn pop(&mut self) -> Option<(Taken, J)> {
        let ready = |class: Class| {
            self.waiting().filter(move |lane| lane.class() == class).filter(|lane| self.may_run(*lane))
        };
        let classes = Class::ALL.into_iter().filter(|class| ready(*class).next().is_some());
        let class = classes.min_by_key(|class| self.used[*class as usize])?;
        // Whose turn it is, and only then of what kind.
        let first = match ready(class).nth(1) {
            None => ready(class).next(),
            Some(_) => ready(class).min_by_key(|lane| self.clients.first(lane.place())),
        };
        self.pop_of(first?)
    }

    /// The next job of any lane, whether it may run or not.
    pub fn pop_any(&mut self) -> Option<(Taken, J)> {
        let lane = self.waiting().next()?;
        self.pop_of(lane)
    }

    /// Whether there is a next job.
    pub fn has_next(&self) -> bool {
        self.waiting().any(|lane| self.may_run(lane))
    }

    fn waiting(&self) -> impl Iterator<Item = Lane> + '_ {
        Lane::ALL.into_iter().filter(|lane| !self.clients.is_empty(lane.place()))
    }

    fn pop_of(&mut self, lane: Lane) -> Option<(Taken, J)> {
        let (path, Expecting { job, expected }) = self.clients.pop(lane.place(), &|job| job.expected)?;
        let class = lane.class();
        let used = &mut self.used[class as usize];
        self.now = self.now.max(*used);
        *used += expected / class.weight();
        self.running[lane.place()] += 1;
        Some((Taken { lane, path, expected, is_promoted: false }, job))
    }

    /// A job has taken so long.
    pub fn done(&mut self, taken: Taken, took: Duration) {
        let Taken { lane, path, expected, is_promoted } = taken;
        self.promoted -= usize::from(is_promoted);
        let counted = if is_promoted { lane.when_slow() } else { lane };
        self.running[counted.place()] -= 1;
        let class = lane.class();
        let used = &mut self.used[class as usize];
        *used = (*used + nanos(took) / class.weight()).saturating_sub(expected / class.weight());
        self.clients.charge(path, lane.place(), expected, nanos(took));
    }

    /// A job that runs has turned out to be slow: it counts with those from now on, and another one may take its place.
    /// Its time is still its own lane's.
    pub fn promote(&mut self, taken: &mut Taken) {
        if taken.is_quick() {
            taken.is_promoted = true;
            self.promoted += 1;
            self.running[taken.lane.place()] -= 1;
            self.running[taken.lane.when_slow().place()] += 1;
        }
    }

    fn may_run(&self, lane: Lane) -> bool {
        if self.running(|_| true) - self.promoted >= self.limits.all {
            return false;
        }
        match lane {
            Lane::SlowMutation | Lane::SerialMutation if self.running[lane.place()] > 0 => false,
            lane if lane.is_slow() => self.running(Lane::is_slow) < self.limits.slow,
            Lane::Quick(JobKind::Live | JobKind::Action) => {
                self.running(|other| other == lane) < self.limits.background
            }
            lane if lane.commits() => self.running(Lane::commits) < self.limits.commits,
            _ => true,
        }
    }

    fn running(&self, of: impl Fn(Lane) -> bool) -> usize {
        Lane::ALL.into_iter().filter(|lane| of(*lane)).map(|lane| self.running[lane.place()]).sum()
    }
}

/// In nanoseconds; what is longer than that can hold is as good as endless, and can still be added to.
pub fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX / 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);
    const CLIENT: Lane = Lane::Quick(JobKind::Client);
    const MUTATION: Lane = Lane::Quick(JobKind::Mutation);
    const LIVE: Lane = Lane::Quick(JobKind::Live);
    const ACTION: Lane = Lane::Quick(JobKind::Action);
    const SCHEDULED: Lane = Lane::Quick(JobKind::Scheduled);

    fn lanes<J>() -> Lanes<J> {
        Lanes::new(Limits::of(4))
    }

    /// Serves until a second is used up, every lane always having jobs that take so many milliseconds; gives the
    /// milliseconds that each got.
    fn serve(of: &[(Lane, u32)]) -> Vec<u32> {
        let mut queue = lanes();
        for (at, (lane, ms)) in of.iter().enumerate() {
            (0..2000).for_each(|_| queue.push(*lane, Flow::HOST, None, (at, *ms)));
        }
        let mut got = vec![0; of.len()];
        while got.iter().sum::<u32>() < 1000 {
            let (taken, (at, ms)) = queue.pop().unwrap();
            queue.done(taken, MS * ms);
            got[at] += ms;
        }
        got
    }

    #[test]
    fn time_is_shared_by_weight_however_long_single_jobs_take() {
        for (client_ms, scheduled_ms) in [(1, 1), (1, 10), (10, 1)] {
            let got = serve(&[(CLIENT, client_ms), (SCHEDULED, scheduled_ms)]);
            assert!((780..=820).contains(&got[0]) && (180..=220).contains(&got[1]), "{got:?}");
        }
        let got = serve(&[(CLIENT, 1), (LIVE, 5), (ACTION, 2)]);
        assert!(got.iter().all(|ms| (320..=345).contains(ms)), "{got:?}");
    }

    #[test]
    fn threads_that_come_at_once_take_jobs_of_several_lanes_in_their_order() {
        let mut queue = lanes();
        for n in 0..4 {
            queue.push(CLIENT, Flow::HOST, None, (CLIENT, n));
            queue.push(SCHEDULED, Flow::HOST, None, (SCHEDULED, n));
        }
        let mut taken = Vec::new();
        let mut first = Vec::new();
        while let Some((place, job)) = queue.pop() {
            taken.push(job);
            match taken.len() <= 2 {
                true => first.push(place),
                false => queue.done(place, MS),
            }
        }
        assert!(taken[..2].contains(&(SCHEDULED, 0)) && taken[..2].contains(&(CLIENT, 0)), "{taken:?}");
        for of in [CLIENT, SCHEDULED] {
            let order: Vec<i32> = taken.iter().filter(|(lane, _)| *lane == of).map(|(_, n)| *n).collect();
            assert_eq!(order, [0, 1, 2, 3]);
        }
    }

    /// How many jobs of the lanes run at once, if they have many each.
    fn at_once(limits: Limits, of: &[Lane]) -> Vec<usize> {
        let mut queue = Lanes::new(limits);
        for lane in of {
            (0..100).for_each(|_| queue.push(*lane, Flow::HOST, None, *lane));
        }
        let running: Vec<Lane> = std::iter::from_fn(|| queue.pop()).take(100).map(|(_, lane)| lane).collect();
        of.iter().map(|lane| running.iter().filter(|other| *other == lane).count()).collect()
    }

    #[test]
    fn slow_functions_and_what_waits_for_them_leave_threads() {
        for threads in [1, 2, 4, 8, 64] {
            let limits = Limits::of(threads);
            let slow: usize = at_once(limits, &[Lane::Slow, Lane::SlowMutation]).iter().sum();
            assert_eq!(slow, limits.slow);
            assert_eq!(at_once(limits, &[Lane::SlowMutation]), [1]);
            let serial = at_once(limits, &[Lane::SerialMutation, MUTATION]);
            assert!(serial[0] <= 1 && serial.iter().sum::<usize>() == limits.commits, "{serial:?}");
            assert_eq!(at_once(limits, &[MUTATION, SCHEDULED]).iter().sum::<usize>(), limits.commits);
            assert_eq!(at_once(limits, &[LIVE]), [limits.background]);
            assert!(threads < 4 || slow + limits.commits < threads, "{limits:?}");
            assert!(threads < 4 || slow < threads / 2, "{limits:?}");
        }
    }

    #[test]
    fn a_lane_that_may_not_run_holds_up_no_other() {
        let mut queue = lanes();
        (0..3).for_each(|n| queue.push(Lane::Slow, Flow::HOST, Some(900 * MS), n));
        queue.push(CLIENT, Flow::HOST, None, 10);
        let (quick, slow) = (queue.pop().unwrap(), queue.pop().unwrap());
        assert_eq!((quick.1, slow.1), (10, 0));
        assert!(!queue.has_next() && queue.pop().is_none());
        queue.done(slow.0, 900 * MS);
        assert!(queue.has_next());
        assert_eq!(queue.pop().unwrap().1, 1);
    }

    #[test]
    fn what_turns_out_to_be_slow_makes_room_for_another() {
        let mut queue = lanes();
        (0..8).for_each(|n| queue.push(CLIENT, Flow::HOST, None, n));
        let mut running: Vec<Taken> = std::iter::from_fn(|| queue.pop()).map(|(taken, _)| taken).collect();
        assert_eq!(running.len(), 4);
        (0..2).for_each(|n| queue.push(Lane::Slow, Flow::HOST, Some(900 * MS), n));
        running.iter_mut().for_each(|taken| queue.promote(taken));
        running.iter_mut().for_each(|taken| queue.promote(taken));
        let more: Vec<Taken> = std::iter::from_fn(|| queue.pop()).map(|(taken, _)| taken).collect();
        assert_eq!(more.len(), 4, "no other slow one begins meanwhile");
        running.into_iter().chain(more).for_each(|taken| queue.done(taken, MS));
        let all: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!((all.len(), queue.promoted), (1, 0), "one slow one at once, again");
    }

    /// However many kinds of jobs a client floods the host with, it is one client.
    #[test]
    fn who_floods_with_every_kind_gets_no_more_than_who_asks_for_one() {
        let flow = |n: u64| Flow { address: Address(u128::from(n)), connection: n };
        let mut queue = lanes();
        let flood = [CLIENT, MUTATION, LIVE, ACTION];
        for lane in flood {
            (0..1000).for_each(|_| queue.push(lane, flow(1), None, 1));
        }
        (0..1000).for_each(|_| queue.push(CLIENT, flow(2), None, 2));
        let serve = |queue: &mut Lanes<u32>| {
            let (taken, of) = queue.pop().unwrap();
            queue.done(taken, MS);
            of
        };
        let of_two = (0..200).filter(|_| serve(&mut queue) == 2).count();
        assert!((99..=101).contains(&of_two), "{of_two} of 200");
        // Who asks now and then is next, and does not wait until it is the turn of its kind.
        for kind in flood.into_iter().cycle().take(20) {
            (0..10).for_each(|_| assert_ne!(serve(&mut queue), 3));
            queue.push(kind, flow(3), None, 3);
            assert_eq!(serve(&mut queue), 3, "{kind:?}");
        }
    }

    /// However many flows there are, each has had one turn before any has a second one.
    #[test]
    fn many_flows_take_turns() {
        const FLOWS: u64 = 100_000;
        let mut queue = lanes();
        let flow = |n: u64| Flow { address: Address(u128::from(n % 1000)), connection: n };
        for round in 0..2 {
            (0..FLOWS).for_each(|n| queue.push(CLIENT, flow(n), None, round * FLOWS + n));
        }
        let mut take = || {
            let (taken, n) = queue.pop().unwrap();
            queue.done(taken, MS);
            n % FLOWS
        };
        let served: std::collections::HashSet<u64> = (0..FLOWS).map(|_| take()).collect();
        assert_eq!(served.len() as u64, FLOWS);
    }
}
