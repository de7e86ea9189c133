//! Time shared between nodes that have something waiting, and within each of them by the same rule.
//!
//! Each node has a virtual time: what its jobs have taken. Whoever has the least is next, so over any time in which nodes
//! have jobs waiting each gets as much as the others, however long its single jobs take and however many they are. A node
//! that had nothing waiting begins where the others are, or a little before, so that who asks now and then is next among
//! many who always ask: more than that it does not save up, and what it owes it still owes.
//! (Start-time fair queueing; Linux's completely fair scheduler does the same.)
//!
//! Taking the next one costs the logarithm of the number of nodes. Nodes that have nothing waiting, nothing running and no
//! debt are not known.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::hash::Hash;

/// How far a node that comes back may be behind the others, in nanoseconds.
const CREDIT: u64 = 5_000_000;

/// What stands below a node: its waiting jobs, or nodes again.
pub trait Below: Default {
    /// The way from here to a job.
    type Path: Copy;
    /// A job.
    type Job;

    /// Puts a job at the end of where it belongs.
    fn push(&mut self, path: Self::Path, job: Self::Job);

    /// Takes the next job, which is expected to take so many nanoseconds.
    fn pop(&mut self, expected: &impl Fn(&Self::Job) -> u64) -> Option<(Self::Path, Self::Job)>;

    /// A job that was expected to take so long has taken so long.
    fn charge(&mut self, path: Self::Path, expected: u64, took: u64);

    /// Whether nothing waits.
    fn is_empty(&self) -> bool;
}

/// First come, first served.
pub struct Line<J>(VecDeque<J>);

impl<J> Default for Line<J> {
    fn default() -> Line<J> {
        Line(VecDeque::new())
    }
}

impl<J> Below for Line<J> {
    type Path = ();
    type Job = J;

    fn push(&mut self, (): (), job: J) {
        self.0.push_back(job);
    }

    fn pop(&mut self, _expected: &impl Fn(&J) -> u64) -> Option<((), J)> {
        self.0.pop_front().map(|job| ((), job))
    }

    fn charge(&mut self, (): (), _expected: u64, _took: u64) {}

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Nodes that share time equally.
pub struct Shares<K, B> {
    nodes: HashMap<K, Node<B>>,
    /// Those that have something waiting, by virtual time and then by when they came.
    waiting: BTreeSet<(u64, u64, K)>,
    /// Those that have nothing waiting and nothing running, and are ahead of the others.
    ahead: BTreeSet<(u64, K)>,
    /// The virtual time of who was served last: where those begin that come back.
    now: u64,
    arrivals: u64,
    running: usize,
}

struct Node<B> {
    below: B,
    /// Its virtual time, in nanoseconds.
    used: u64,
    arrival: u64,
    running: usize,
}

impl<K, B> Default for Shares<K, B> {
    fn default() -> Shares<K, B> {
        Shares {
            nodes: HashMap::new(),
            waiting: BTreeSet::new(),
            ahead: BTreeSet::new(),
            now: 0,
            arrivals: 0,
            running: 0,
        }
    }
}

impl<K: Copy + Ord + Hash, B: Below> Below for Shares<K, B> {
    type Path = (K, B::Path);
    type Job = B::Job;

    fn push(&mut self, (key, path): (K, B::Path), job: B::Job) {
        let since = self.now.saturating_sub(CREDIT);
        let new = || Node { below: B::default(), used: since, arrival: 0, running: 0 };
        let node = self.nodes.entry(key).or_insert_with(new);
        if node.below.is_empty() {
            self.ahead.remove(&(node.used, key));
            node.used = node.used.max(since);
            self.arrivals += 1;
            node.arrival = self.arrivals;
            self.waiting.insert((node.used, node.arrival, key));
        }
        node.below.push(path, job);
    }

    fn pop(&mut self, expected: &impl Fn(&B::Job) -> u64) -> Option<((K, B::Path), B::Job)> {
        let (used, _, key) = self.waiting.pop_first()?;
        let node = self.nodes.get_mut(&key)?;
        let (path, job) = node.below.pop(expected)?;
        node.used += expected(&job);
        node.running += 1;
        if !node.below.is_empty() {
            self.waiting.insert((node.used, node.arrival, key));
        }
        self.running += 1;
        self.now = self.now.max(used);
        self.forgive();
        Some(((key, path), job))
    }

    fn charge(&mut self, (key, path): (K, B::Path), expected: u64, took: u64) {
        let Some(node) = self.nodes.get_mut(&key) else { return };
        let place = (node.used, node.arrival, key);
        node.below.charge(path, expected, took);
        node.used = (node.used + took).saturating_sub(expected);
        node.running -= 1;
        self.running -= 1;
        if self.waiting.remove(&place) {
            self.waiting.insert((node.used, node.arrival, key));
        } else if node.running == 0 {
            self.ahead.insert((node.used, key));
        }
        self.forgive();
    }

    fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

impl<K: Copy + Ord + Hash, B> Shares<K, B> {
    /// Forgets who has nothing waiting and owes nothing; all of them, when nobody is there to whom it could be owed.
    fn forgive(&mut self) {
        if self.waiting.is_empty() && self.running == 0 {
            self.now = self.ahead.last().map_or(self.now, |(used, _)| self.now.max(*used + CREDIT));
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

    type Clients = Shares<u32, Shares<u32, Line<u64>>>;

    /// Serves one job, which takes as many milliseconds as it says; whose it was.
    fn serve(clients: &mut Clients) -> Option<(u32, u32, u64)> {
        let ((address, (connection, ())), ms) = clients.pop(&|_| EXPECTED)?;
        clients.charge((address, (connection, ())), EXPECTED, ms * MS);
        Some((address, connection, ms))
    }

    #[test]
    fn a_thousand_connections_are_one_client() {
        let mut clients = Clients::default();
        for n in 0..10 {
            (0..1000).for_each(|connection| clients.push((1, (connection, ())), 1 + n % 2));
            (0..100).for_each(|_| clients.push((2, (0, ())), 1));
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
            clients.push((1, (1, ())), 1);
            clients.push((1, (2, ())), 10);
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
        (0..20).for_each(|connection| (0..1000).for_each(|_| clients.push((1, (connection, ())), 3)));
        for round in 0..100 {
            (0..40).for_each(|_| assert!(serve(&mut clients).is_some()));
            clients.push((1, (5000, ())), 1);
            assert_eq!(serve(&mut clients), Some((1, 5000, 1)), "round {round}");
        }
    }

    #[test]
    fn who_was_away_has_saved_nothing_up_and_owes_what_it_owed() {
        let mut clients = Clients::default();
        (0..1000).for_each(|_| clients.push((1, (1, ())), 1));
        (0..500).for_each(|_| assert!(serve(&mut clients).is_some()));
        (0..100).for_each(|_| clients.push((2, (1, ())), 1));
        let of_two = (0..20).filter_map(|_| serve(&mut clients)).filter(|job| job.0 == 2).count();
        // Half of them, and the five milliseconds that it may be behind.
        assert!((12..=13).contains(&of_two), "{of_two} of 20");
        // A long job is paid for by whoever goes away after it and comes back.
        clients.push((3, (1, ())), 50);
        while serve(&mut clients).unwrap().0 != 3 {}
        clients.push((3, (2, ())), 1);
        let others = std::iter::from_fn(|| serve(&mut clients)).take_while(|job| job.0 != 3).count();
        assert!((80..=110).contains(&others), "{others}");
    }

    #[test]
    fn who_has_gone_is_forgotten() {
        let mut clients = Clients::default();
        for n in 0..1000 {
            clients.push((n % 100, (n, ())), 1);
            serve(&mut clients);
        }
        assert_eq!((clients.known(), clients.running, clients.is_empty()), (0, 0, true));
        // Beside somebody who always has something waiting, too.
        (0..3000).for_each(|_| clients.push((7, (7, ())), 1));
        for n in 1000..2000 {
            clients.push((n, (n, ())), 1);
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
                clients.push((connection % 7, (connection, ())), n * 7 % 5);
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
}
