//! Time shared between nodes that have something waiting, and within each of them by the same rule.
//!
//! Each node has a virtual time: what its jobs have taken, in whatever lanes. Whoever has the least is next, so over any
//! time in which nodes have jobs waiting each gets as much as the others, however long its single jobs take, however many
//! they are, and of however many kinds. A node that had nothing waiting, or only what might not run, begins where the others
//! are, or a little before, so that who asks now and then is next among many who always ask: more than that it does not save
//! up, and what it owes it still owes. (Start-time fair queueing; Linux's completely fair scheduler does the same.)
//!
//! Jobs wait in lanes, and it is not decided here which lanes may be served: so each node knows who is first in each lane.
//!
//! Taking the next one costs the logarithm of the number of nodes, for each lane that its node waits in. Nodes that have
//! nothing waiting, nothing running and no debt are not known.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::hash::Hash;

/// How far a node that comes back may be behind the others, in nanoseconds.
const CREDIT: u64 = 5_000_000;

/// What stands below a node: its waiting jobs, or nodes again. Jobs wait in `LANES` lanes, which have numbers.
pub trait Below: Default {
    /// The way from here to where a job waits, its lane apart.
    type Path: Copy;
    /// A job.
    type Job;
    /// What makes a job first: the least.
    type Rank: Ord;

    /// Puts a job at the end of where it belongs.
    fn push(&mut self, path: Self::Path, lane: usize, job: Self::Job);

    /// How the next job of a lane ranks; `None`: nothing waits there.
    fn first(&self, lane: usize) -> Option<Self::Rank>;

    /// Takes the next job of a lane, which is expected to take so many nanoseconds.
    fn pop(&mut self, lane: usize, expected: &impl Fn(&Self::Job) -> u64) -> Option<(Self::Path, Self::Job)>;

    /// A job of a lane that was expected to take so long has taken so long.
    fn charge(&mut self, path: Self::Path, lane: usize, expected: u64, took: u64);

    /// Whether nothing waits in a lane.
    fn is_empty(&self, lane: usize) -> bool;
}

/// In each lane: first come, first served. Time is shared between the lanes.
pub struct Lines<J, const LANES: usize> {
    lines: [VecDeque<J>; LANES],
    /// The virtual time of each, in nanoseconds.
    used: [u64; LANES],
    /// That of the line that was served last.
    now: u64,
}

impl<J, const LANES: usize> Default for Lines<J, LANES> {
    fn default() -> Self {
        Lines { lines: std::array::from_fn(|_| VecDeque::new()), used: [0; LANES], now: 0 }
    }
}

impl<J, const LANES: usize> Below for Lines<J, LANES> {
    type Path = ();
    type Job = J;
    type Rank = u64;

    fn push(&mut self, (): (), lane: usize, job: J) {
        if self.lines[lane].is_empty() {
            self.used[lane] = self.used[lane].max(self.now);
        }
        self.lines[lane].push_back(job);
    }

    fn first(&self, lane: usize) -> Option<u64> {
        (!self.lines[lane].is_empty()).then_some(self.used[lane])
    }

    fn pop(&mut self, lane: usize, expected: &impl Fn(&J) -> u64) -> Option<((), J)> {
        let job = self.lines[lane].pop_front()?;
        self.now = self.now.max(self.used[lane]);
        self.used[lane] = self.used[lane].max(self.now.saturating_sub(CREDIT)) + expected(&job);
        Some(((), job))
    }

    fn charge(&mut self, (): (), lane: usize, expected: u64, took: u64) {
        self.used[lane] = (self.used[lane] + took).saturating_sub(expected);
    }

    fn is_empty(&self, lane: usize) -> bool {
        self.lines[lane].is_empty()
    }
}

/// Nodes that share time equally.
pub struct Shares<K, B, const LANES: usize> {
    nodes: HashMap<K, Node<B>>,
    /// By lane: those that have something waiting there, by virtual time and then by when they came.
    waiting: [BTreeSet<(u64, u64, K)>; LANES],
    /// Those that have nothing waiting and nothing running, and are ahead of the others.
    ahead: BTreeSet<(u64, K)>,
    /// The virtual time of who was served last.
    served: u64,
    /// Where those begin that come back: that, or what was served divided among those who wait, if it is more. With the first
    /// alone it would stand still while ever new ones come, who begin before it, and who has waited for longer would wait for
    /// ever.
    now: u64,
    arrivals: u64,
    /// How many have something waiting.
    waits: usize,
    running: usize,
}

struct Node<B> {
    below: B,
    /// A bit for each lane in which something waits.
    lanes: u32,
    /// Its virtual time, in nanoseconds.
    used: u64,
    arrival: u64,
    running: usize,
}

impl<B> Node<B> {
    /// Gives it another virtual time, in all lanes in which it waits.
    fn move_to<K: Copy + Ord>(&mut self, used: u64, key: K, waiting: &mut [BTreeSet<(u64, u64, K)>]) {
        let before = std::mem::replace(&mut self.used, used);
        let mut lanes = if before == used { 0 } else { self.lanes };
        while lanes != 0 {
            let waiting = &mut waiting[lanes.trailing_zeros() as usize];
            waiting.remove(&(before, self.arrival, key));
            waiting.insert((used, self.arrival, key));
            lanes &= lanes - 1;
        }
    }
}

impl<K, B, const LANES: usize> Default for Shares<K, B, LANES> {
    fn default() -> Self {
        Shares {
            nodes: HashMap::new(),
            waiting: std::array::from_fn(|_| BTreeSet::new()),
            ahead: BTreeSet::new(),
            served: 0,
            now: 0,
            arrivals: 0,
            waits: 0,
            running: 0,
        }
    }
}

impl<K: Copy + Ord + Hash, B: Below, const LANES: usize> Below for Shares<K, B, LANES> {
    type Path = (K, B::Path);
    type Job = B::Job;
    type Rank = (u64, u64, B::Rank);

    fn push(&mut self, (key, path): (K, B::Path), lane: usize, job: B::Job) {
        let since = self.now.saturating_sub(CREDIT);
        let new = || Node { below: B::default(), lanes: 0, used: since, arrival: 0, running: 0 };
        let node = self.nodes.entry(key).or_insert_with(new);
        let was_waiting = node.lanes != 0;
        if !was_waiting {
            self.ahead.remove(&(node.used, key));
            self.arrivals += 1;
            self.waits += 1;
            node.arrival = self.arrivals;
        }
        // What waited where it might not run has saved nothing up either.
        let least = if was_waiting { self.served.saturating_sub(CREDIT) } else { since };
        node.move_to(node.used.max(least), key, &mut self.waiting);
        if node.lanes & (1 << lane) == 0 {
            node.lanes |= 1 << lane;
            self.waiting[lane].insert((node.used, node.arrival, key));
        }
        node.below.push(path, lane, job);
    }

    fn first(&self, lane: usize) -> Option<Self::Rank> {
        let (used, arrival, key) = self.waiting[lane].first()?;
        Some((*used, *arrival, self.nodes.get(key)?.below.first(lane)?))
    }

    fn pop(&mut self, lane: usize, expected: &impl Fn(&B::Job) -> u64) -> Option<((K, B::Path), B::Job)> {
        let (used, arrival, key) = self.waiting[lane].first().copied()?;
        let node = self.nodes.get_mut(&key)?;
        let (path, job) = node.below.pop(lane, expected)?;
        node.running += 1;
        if node.below.is_empty(lane) {
            node.lanes &= !(1 << lane);
            self.waits -= usize::from(node.lanes == 0);
            self.waiting[lane].remove(&(used, arrival, key));
        }
        self.running += 1;
        self.served = self.served.max(used);
        self.now = self.now.max(used);
        let used = used.max(self.served.saturating_sub(CREDIT)) + expected(&job);
        node.move_to(used, key, &mut self.waiting);
        self.forgive();
        Some(((key, path), job))
    }

    fn charge(&mut self, (key, path): (K, B::Path), lane: usize, expected: u64, took: u64) {
        let Some(node) = self.nodes.get_mut(&key) else { return };
        node.below.charge(path, lane, expected, took);
        node.running -= 1;
        node.move_to((node.used + took).saturating_sub(expected), key, &mut self.waiting);
        if node.running == 0 && node.lanes == 0 {
            self.ahead.insert((node.used, key));
        }
        self.running -= 1;
        self.now += took / (self.waits as u64 + 1);
        self.forgive();
    }

    fn is_empty(&self, lane: usize) -> bool {
        self.waiting[lane].is_empty()
    }
}

impl<K: Copy + Ord + Hash, B: Below, const LANES: usize> Shares<K, B, LANES> {
    /// Forgets who has nothing waiting and owes nothing; all of them, when nobody is there to whom it could be owed.
    fn forgive(&mut self) {
        if self.running == 0 && self.waits == 0 {
            self.now = self.ahead.last().map_or(self.now, |(used, _)| self.now.max(*used + CREDIT));
            self.served = self.now;
        }
        while let Some((_, key)) = self.ahead.first().filter(|(used, _)| *used + CREDIT <= self.now).copied()
        {
            self.ahead.pop_first();
            self.nodes.remove(&key);
        }
    }

    /// How many nodes are known.
    #[cfg(test)]
    pub fn known(&self) -> usize {
        self.nodes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;
    const EXPECTED: u64 = 50_000;

    /// The lane of most tests.
    const LANE: usize = 0;

    type Clients = Shares<u32, Shares<u32, Lines<u64, 3>, 3>, 3>;

    /// Serves one job, which takes as many milliseconds as it says; whose it was.
    fn serve(clients: &mut Clients) -> Option<(u32, u32, u64)> {
        let ((address, (connection, ())), ms) = clients.pop(LANE, &|_| EXPECTED)?;
        clients.charge((address, (connection, ())), LANE, EXPECTED, ms * MS);
        Some((address, connection, ms))
    }

    #[test]
    fn a_thousand_connections_are_one_client() {
        let mut clients = Clients::default();
        for n in 0..10 {
            (0..1000).for_each(|connection| clients.push((1, (connection, ())), LANE, 1 + n % 2));
            (0..100).for_each(|_| clients.push((2, (0, ())), LANE, 1));
        }
        let (mut one, mut other) = (0, 0);
        while one + other < 1000 {
            let (address, _, ms) = serve(&mut clients).unwrap();
            *(if address == 1 { &mut one } else { &mut other }) += ms;
        }
        assert!((495..=505).contains(&other), "{one} and {other}");
    }

    #[test]
    fn connections_of_one_client_share_its_time() {
        let mut clients = Clients::default();
        for _ in 0..300 {
            clients.push((1, (1, ())), LANE, 1);
            clients.push((1, (2, ())), LANE, 10);
        }
        let mut used = [0; 2];
        while used[0] + used[1] < 400 {
            let (_, connection, ms) = serve(&mut clients).unwrap();
            used[connection as usize - 1] += ms;
        }
        assert!((190..=210).contains(&used[0]), "{used:?}");
    }

    /// Who asks for less than a share is next whenever it asks, however much others have waiting: also where nobody can
    /// tell it from the others but by its connection.
    #[test]
    fn who_comes_now_and_then_does_not_wait_for_a_round() {
        let mut clients = Clients::default();
        (0..20).for_each(|connection| (0..1000).for_each(|_| clients.push((1, (connection, ())), LANE, 3)));
        for round in 0..100 {
            (0..40).for_each(|_| assert!(serve(&mut clients).is_some()));
            clients.push((1, (5000, ())), LANE, 1);
            assert_eq!(serve(&mut clients), Some((1, 5000, 1)), "round {round}");
        }
    }

    #[test]
    fn who_was_away_has_saved_nothing_up_and_owes_what_it_owed() {
        let mut clients = Clients::default();
        (0..1000).for_each(|_| clients.push((1, (1, ())), LANE, 1));
        (0..500).for_each(|_| assert!(serve(&mut clients).is_some()));
        (0..100).for_each(|_| clients.push((2, (1, ())), LANE, 1));
        let of_two = (0..20).filter_map(|_| serve(&mut clients)).filter(|job| job.0 == 2).count();
        // Half of them, and the five milliseconds that it may be behind.
        assert!((12..=13).contains(&of_two), "{of_two} of 20");
        // A long job is paid for by whoever goes away after it and comes back.
        clients.push((3, (1, ())), LANE, 50);
        while serve(&mut clients).unwrap().0 != 3 {}
        clients.push((3, (2, ())), LANE, 1);
        let others = std::iter::from_fn(|| serve(&mut clients)).take_while(|job| job.0 != 3).count();
        assert!((80..=110).contains(&others), "{others}");
    }

    #[test]
    fn who_has_gone_is_forgotten() {
        let mut clients = Clients::default();
        for n in 0..1000 {
            clients.push((n % 100, (n, ())), LANE, 1);
            serve(&mut clients);
        }
        assert_eq!((clients.known(), clients.running, clients.is_empty(LANE)), (0, 0, true));
        // Beside somebody who always has something waiting, too.
        (0..3000).for_each(|_| clients.push((7, (7, ())), LANE, 1));
        for n in 1000..2000 {
            clients.push((n, (n, ())), LANE, 1);
            serve(&mut clients);
            serve(&mut clients);
        }
        assert!(clients.known() < 10, "{}", clients.known());
    }

    #[test]
    fn nobody_starves_and_the_order_of_a_connection_stays() {
        let mut clients = Clients::default();
        for n in 0..50 {
            for connection in 0..40 {
                clients.push((connection % 7, (connection, ())), LANE, n * 7 % 5);
            }
        }
        let mut last = HashMap::new();
        let mut served = 0;
        while let Some((_, connection, ms)) = serve(&mut clients) {
            let turn = last.entry(connection).or_insert(0);
            assert_eq!(ms, *turn * 7 % 5);
            *turn += 1;
            served += 1;
        }
        assert_eq!(served, 50 * 40);
    }

    /// A connection for each call, however many come, puts nobody off for ever who has waited for longer.
    #[test]
    fn ever_new_ones_do_not_keep_away_who_waits() {
        let mut clients = Clients::default();
        (0..100).for_each(|_| clients.push((1, (0, ())), LANE, 1));
        (0..20).for_each(|_| assert!(serve(&mut clients).is_some()));
        let mut served = 0;
        for newcomer in 1..1000 {
            clients.push((1, (newcomer, ())), LANE, 1);
            let (_, connection, _) = serve(&mut clients).unwrap();
            served += u32::from(connection == 0);
        }
        assert!(served >= 25, "{served} of 80, beside as many who wait by then");
    }

    /// Serves whoever is first in any of these lanes; whose it was, and its lane.
    fn serve_any(clients: &mut Clients, lanes: std::ops::Range<usize>) -> Option<(u32, u32, usize)> {
        let first = |lane: &usize| clients.first(*lane).map(|rank| (rank, *lane));
        let (_, lane) = lanes.filter_map(|lane| first(&lane)).min()?;
        let (path, ms) = clients.pop(lane, &|_| EXPECTED)?;
        clients.charge(path, lane, EXPECTED, ms * MS);
        Some((path.0, path.1.0, lane))
    }

    /// Whoever has something waiting in many lanes is still one client, and one connection.
    #[test]
    fn more_kinds_give_nobody_more_time() {
        for (flood, other) in [((1, (1, ())), (2, (1, ()))), ((1, (1, ())), (1, (2, ())))] {
            let mut clients = Clients::default();
            for _ in 0..1000 {
                (0..3).for_each(|lane| clients.push(flood, lane, 1));
                clients.push(other, 1, 1);
            }
            let served: Vec<_> = (0..600).filter_map(|_| serve_any(&mut clients, 0..3)).collect();
            let of_other = served.iter().filter(|job| (job.0, job.1) == (other.0, other.1.0)).count();
            assert!((299..=301).contains(&of_other), "{of_other}");
            for lane in 0..3 {
                let of_lane = served.iter().filter(|job| (job.0, job.1, job.2) == (1, 1, lane)).count();
                assert!((98..=102).contains(&of_lane), "lane {lane}: {of_lane}");
            }
        }
    }

    #[test]
    fn who_waited_where_nothing_might_run_has_saved_nothing_up() {
        let mut clients = Clients::default();
        (0..100).for_each(|_| clients.push((1, (1, ())), 2, 1));
        (0..1000).for_each(|_| clients.push((2, (1, ())), LANE, 1));
        (0..500).for_each(|_| assert!(serve(&mut clients).is_some()));
        (0..100).for_each(|_| clients.push((1, (1, ())), LANE, 1));
        let of_one = (0..20).filter_map(|_| serve(&mut clients)).filter(|job| job.0 == 1).count();
        assert!((12..=13).contains(&of_one), "{of_one} of 20");
        // What is served at last in the other lane takes no more before others than one job.
        let served: Vec<_> = (0..40).filter_map(|_| serve_any(&mut clients, 0..3)).collect();
        let of_one = served.iter().filter(|job| job.0 == 1).count();
        assert!((19..=26).contains(&of_one), "{of_one} of 40");
    }
}
