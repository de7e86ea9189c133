//! The registry against a model store, from a seed: random subscriptions, writes, ends of runs in random order.
//!
//! What must hold, always:
//! - what a socket shows equals each of its queries, run at the timestamp that it was brought to, for whom it is;
//! - a socket never goes back; a result that it has is not sent again;
//! - how far a socket can be brought is found by looking at few of its queries, and is what looking at all would find;
//! - a query has one run in flight, and starts one for a commit group, however many watch it;
//! - when all is quiet, sockets that were woken when they should be show the newest timestamp;
//! - when all sockets are gone nothing is left.
use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use proptest::prelude::*;
use weir_db::{KeyRange, QueryOutcome, ReadSet};
use weir_value::FunctionPath;

use super::*;

/// SplitMix64: the simulation's only source of chance.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }
}

const KEYS: usize = 24;

/// A store of numbers by key, at each timestamp, and the timestamps from which deployments count.
struct Model {
    snapshots: BTreeMap<Timestamp, [u8; KEYS]>,
    deployments: Vec<Timestamp>,
}

/// What queries do: read a stretch of the keys, and say little about it, so that results often stay the same.
#[derive(Debug, Clone, Copy)]
struct Function {
    from: usize,
    to: usize,
    /// Reads up to the first key with a number, instead of all.
    first: bool,
    asks: Asks,
}

/// When a function asks for the identity.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Asks {
    Never,
    Always,
    /// When the first number that it reads is odd.
    Sometimes,
    /// In every other deployment.
    InSomeDeployments,
}

const ASKS: [Asks; 4] = [Asks::Never, Asks::Always, Asks::Sometimes, Asks::InSomeDeployments];

fn principal(number: usize) -> Principal {
    let user = |subject: &str| {
        let claims = format!(r#"{{"issuer":"sim","subject":"{subject}"}}"#);
        Principal::User(weir_value::Identity::from_json(claims.as_bytes()).expect("an identity"))
    };
    match number {
        0 => Principal::Anonymous,
        1 => user("ada"),
        2 => user("bob"),
        _ => Principal::ADMIN,
    }
}

impl Function {
    fn random(chance: &mut Chance) -> Function {
        let (a, b) = (chance.below(KEYS), chance.below(KEYS) + 1);
        Function { from: a.min(b), to: a.max(b), first: chance.below(3) == 0, asks: ASKS[chance.below(4)] }
    }

    fn key(self) -> LiveKey {
        let path = FunctionPath::parse("sim:query").expect("a path");
        let args = format!("{},{},{},{}", self.from, self.to, self.first, self.asks as usize);
        let args = Bytes::from(args);
        LiveKey::new(path, args, None)
    }

    fn of(key: &LiveKey) -> Function {
        let text = std::str::from_utf8(key.args()).expect("text");
        let parts: Vec<&str> = text.split(',').collect();
        let number = |at: usize| parts[at].parse().expect("a number");
        Function { from: number(0), to: number(1), first: parts[2] == "true", asks: ASKS[number(3)] }
    }

    fn asks(self, numbers: &[u8; KEYS], deployment: usize) -> bool {
        match self.asks {
            Asks::Never => false,
            Asks::Always => true,
            Asks::Sometimes => self.from < self.to && numbers[self.from] % 2 == 1,
            Asks::InSomeDeployments => deployment % 2 == 1,
        }
    }

    /// The value, and where the reading ended.
    fn run(self, numbers: &[u8; KEYS], deployment: usize, principal: &Principal) -> (String, usize) {
        let asked = self.asks(numbers, deployment);
        let who = principal.identity().filter(|_| asked).map_or("", |who| who.token_identifier());
        if self.first {
            let found = (self.from..self.to).find(|&key| numbers[key] > 0);
            let value = found.map_or_else(|| "null".to_owned(), |key| key.to_string());
            return (format!("[{deployment},{who:?},{value}]"), found.map_or(self.to, |key| key + 1));
        }
        let sum: usize = numbers[self.from..self.to].iter().map(|&number| usize::from(number)).sum();
        (format!("[{deployment},{who:?},{}]", sum % 5), self.to)
    }
}

fn key(number: usize) -> Bytes {
    Bytes::copy_from_slice(&[number as u8])
}

impl Model {
    fn value(&self, function: Function, at: Timestamp, principal: &Principal) -> String {
        let numbers = self.snapshots.range(..=at).next_back().expect("a snapshot").1;
        let deployment = self.deployments.iter().filter(|from| **from <= at).count();
        function.run(numbers, deployment, principal).0
    }

    /// What the host's executor makes of a run: whatever functions are in place when it is done.
    fn outcome(&self, run: &Run<Timestamp>) -> QueryOutcome {
        let function = Function::of(&run.key);
        let (numbers, deployment) = (&self.snapshots[&run.at], self.deployments.len());
        let (value, read_to) = function.run(numbers, deployment, &run.principal);
        let range = KeyRange { start: key(function.from), end: key(read_to) };
        QueryOutcome {
            result: Ok(Bytes::from(value)),
            log_lines: Vec::new(),
            read_set: ReadSet::new([], [range]),
            ts: run.at,
            journal: None,
            asked_identity: function.asks(numbers, deployment),
        }
    }
}

/// A socket as its client sees it.
struct Client {
    principal: Principal,
    ts: Timestamp,
    shown: BTreeMap<QueryId, (LiveKey, Option<Arc<QueryResult>>)>,
    woken: bool,
    next_query: QueryId,
}

impl Client {
    fn new(principal: Principal) -> Client {
        Client { principal, ts: Timestamp::ZERO, shown: BTreeMap::new(), woken: false, next_query: 0 }
    }
}

struct World {
    chance: Chance,
    live: LiveQueries<Timestamp>,
    model: Model,
    in_flight: Vec<Run<Timestamp>>,
    clients: BTreeMap<SocketId, Client>,
    trace: Vec<String>,
}

impl World {
    fn new(seed: u64) -> World {
        let start = Timestamp::from_nanos(100);
        World {
            chance: Chance(seed),
            live: LiveQueries::new(start, start),
            model: Model { snapshots: BTreeMap::from([(start, [0; KEYS])]), deployments: vec![] },
            in_flight: vec![],
            clients: (0..6)
                .map(|socket| (SocketId(socket), Client::new(principal(socket as usize % 4))))
                .collect(),
            trace: vec![],
        }
    }

    fn step(&mut self) {
        match self.chance.below(20) {
            0..6 => self.write(),
            6..11 => self.finish_some_run(),
            11..14 => self.watch(),
            _ if self.chance.below(10) == 0 => self.sign_in(),
            14..19 => self.advance_somebody(),
            _ if self.chance.below(6) == 0 => self.redeploy(),
            _ => self.leave(),
        }
    }

    fn write(&mut self) {
        let mut ts = self.live.now();
        let mut keys = Vec::new();
        // Now and then several groups arrive as one.
        for _ in 0..=self.chance.below(3) / 2 {
            let mut numbers = *self.model.snapshots.last_key_value().expect("a snapshot").1;
            ts = Timestamp::from_nanos(ts.as_nanos() + 1 + self.chance.below(4) as u64);
            for _ in 0..=self.chance.below(3) {
                let at = self.chance.below(KEYS);
                numbers[at] = self.chance.below(4) as u8;
                keys.push(key(at));
            }
            self.model.snapshots.insert(ts, numbers);
        }
        let step = self.live.group_durable(ts, keys, ts);
        self.perform("group", step);
    }

    fn finish_some_run(&mut self) {
        if !self.in_flight.is_empty() {
            let run = self.in_flight.swap_remove(self.chance.below(self.in_flight.len()));
            let step = self.live.run_finished(run.id, self.model.outcome(&run));
            self.perform("finished", step);
        }
    }

    fn watch(&mut self) {
        let socket = SocketId(self.chance.below(self.clients.len()) as u64);
        let mut changes = Vec::new();
        let client = self.clients.get_mut(&socket).expect("a client");
        for _ in 0..=self.chance.below(3) {
            let oldest = client.shown.first_key_value().map(|(query, _)| *query);
            if let Some(query) = oldest.filter(|_| self.chance.below(2) == 0) {
                client.shown.remove(&query);
                changes.push(WatchChange::Remove(query));
            } else {
                // From few, so that queries are shared.
                let mut few = Chance(self.chance.below(12) as u64);
                let key = Function::random(&mut few).key();
                client.shown.insert(client.next_query, (key.clone(), None));
                changes.push(WatchChange::Add(client.next_query, key));
                client.next_query += 1;
            }
        }
        let step = self.live.watch(socket, client.ts, &client.principal, &changes);
        client.woken = true; // its session has a transition pending
        self.perform("watch", step);
    }

    /// A socket is somebody else's from now on.
    fn sign_in(&mut self) {
        let socket = SocketId(self.chance.below(self.clients.len()) as u64);
        let principal = principal(self.chance.below(4));
        let client = self.clients.get_mut(&socket).expect("a client");
        client.principal = principal;
        client.woken = true; // its session has a transition pending
        let step = self.live.watch(socket, client.ts, &client.principal, &[]);
        self.perform("sign in", step);
    }

    fn redeploy(&mut self) {
        self.model.deployments.push(self.live.now());
        let step = self.live.redeploy();
        self.perform("redeploy", step);
    }

    fn leave(&mut self) {
        let socket = SocketId(self.chance.below(self.clients.len()) as u64);
        let step = self.live.close_socket(socket);
        self.perform("leave", step);
        self.clients.insert(socket, Client::new(principal(0)));
    }

    fn advance_somebody(&mut self) {
        let socket = SocketId(self.chance.below(self.clients.len()) as u64);
        // Sometimes for a timestamp that is still to come.
        let ahead = self.chance.below(8).saturating_sub(5) as u64;
        let at_least = if ahead > 0 {
            Timestamp::from_nanos(self.live.now().as_nanos() + ahead)
        } else {
            Timestamp::ZERO
        };
        if self.clients[&socket].woken || ahead > 0 {
            self.advance(socket, at_least);
        }
    }

    fn advance(&mut self, socket: SocketId, at_least: Timestamp) {
        let client = self.clients.get_mut(&socket).expect("a client");
        client.woken = false;
        let Some(advance) = self.live.advance(socket, at_least) else {
            return;
        };
        assert!(advance.ts >= client.ts && advance.ts >= at_least && advance.ts <= self.live.now());
        assert!(self.model.snapshots.contains_key(&advance.ts), "{} has no snapshot", advance.ts);
        client.ts = advance.ts;
        self.trace.push(format!("{socket:?} to {} with {}", advance.ts, advance.changes.len()));
        for change in advance.changes {
            let shown = &mut client.shown.get_mut(&change.query).expect("a query of the client").1;
            let base = change.base.as_ref().map(|base| base.outcome());
            assert_eq!(base, shown.as_ref().map(|shown| shown.outcome()));
            assert!(shown.as_ref().is_none_or(|shown| !shown.is_same(&change.result)), "sent again");
            *shown = Some(change.result);
        }
        for (key, shown) in client.shown.values() {
            let shown = shown.as_ref().expect("every query has a result").outcome().expect("a value");
            let expected = self.model.value(Function::of(key), advance.ts, &client.principal);
            assert_eq!(shown, expected, "{key:?} at {}", advance.ts);
        }
    }

    fn perform(&mut self, cause: &str, step: Step<Timestamp>) {
        let started: BTreeSet<&Bytes> = step.runs.iter().map(|run| run.key.args()).collect();
        for run in &step.runs {
            assert_eq!(run.at, run.snapshot);
            let of_step = step.runs.iter().filter(|other| Self::is_one_query(run, other)).count() - 1;
            let others = self
                .in_flight
                .iter()
                .filter(|other| Self::is_one_query(run, other) && self.live.is_wanted(other.id));
            // Beside the one of an identity there may be one of everybody, which has not asked.
            let most = usize::from(Function::of(&run.key).asks != Asks::Never);
            assert!(of_step + others.count() <= most, "two runs of a query in flight");
        }
        self.compare_common_timestamps();
        for socket in &step.wake {
            let client = self.clients.get_mut(socket).expect("a client");
            client.woken = true;
        }
        self.trace.push(format!("{cause}: {:?} {:?}", started, step.wake));
        self.in_flight.extend(step.runs);
    }

    /// What the horizon of each socket says, against a look at all its queries.
    fn compare_common_timestamps(&self) {
        // It takes its time.
        if !self.trace.len().is_multiple_of(16) {
            return;
        }
        for (id, socket) in &self.live.sockets {
            let covers = |ts: Timestamp| {
                let of_each = socket.subscriptions.iter().map(|(_, it)| self.live.queries.get(it.live));
                of_each.map(|query| query.and_then(|query| query.at(ts))).all(|version| version.is_some())
            };
            let past = self.model.snapshots.range(socket.ts..=self.live.now()).rev();
            let expected = past.map(|(ts, _)| *ts).find(|ts| covers(*ts));
            assert_eq!(self.live.newest_common(socket), expected, "{id:?} at {}", socket.ts);
        }
    }

    /// Whether a query that has not asked, or both have asked for the same identity, is run twice.
    fn is_one_query(one: &Run<Timestamp>, other: &Run<Timestamp>) -> bool {
        let is_same = one.key == other.key && one.principal.access() == other.principal.access();
        let never_asks = Function::of(&one.key).asks == Asks::Never;
        is_same && (never_asks || one.principal.identity() == other.principal.identity())
    }

    /// Nothing is written any more: everything that runs ends, everybody who was woken asks.
    fn come_to_rest(&mut self) {
        // Those who wait for a timestamp that has not come: it comes.
        let (now, numbers) = self.model.snapshots.last_key_value().expect("a snapshot");
        let (ts, numbers) = (Timestamp::from_nanos(now.as_nanos() + 10), *numbers);
        self.model.snapshots.insert(ts, numbers);
        let step = self.live.group_durable(ts, Vec::new(), ts);
        self.perform("quiet", step);
        while !self.in_flight.is_empty() {
            self.finish_some_run();
        }
        for socket in self.clients.keys().copied().collect::<Vec<_>>() {
            if self.clients[&socket].woken {
                self.advance(socket, Timestamp::ZERO);
            }
        }
        for (socket, client) in &self.clients {
            for (key, shown) in client.shown.values() {
                let shown = shown.as_ref().and_then(|shown| shown.outcome().ok()).expect("a value");
                let newest = self.model.value(Function::of(key), self.live.now(), &client.principal);
                assert_eq!(shown, newest, "{socket:?} was not woken for {key:?}");
            }
        }
        assert_eq!(self.live.snapshots.oldest_in_flight(), None);
    }

    fn empty(&mut self) {
        for socket in self.clients.keys().copied().collect::<Vec<_>>() {
            let step = self.live.close_socket(socket);
            assert!(step.is_empty());
        }
        assert!(self.live.is_empty_of_everything());
    }
}

fn simulate(seed: u64, steps: usize) -> Vec<String> {
    let mut world = World::new(seed);
    for _ in 0..steps {
        for _ in 0..30 {
            world.step();
        }
        world.come_to_rest();
    }
    world.empty();
    world.trace
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]
    #[test]
    fn sockets_show_one_timestamp_and_reach_the_newest(seed in any::<u64>()) {
        simulate(seed, 12);
    }
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    let trace = simulate(7, 40);
    assert!(trace.len() > 500);
    assert_eq!(trace, simulate(7, 40));
}
