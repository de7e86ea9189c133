//! Models of the official clients, signing in and out against sessions and the registry, from a seed: tokens that expire,
//! providers that are gone or give tokens nobody trusts, frames that take their time, connections that break.
//!
//! What must hold, always:
//! - each transition begins where the client stands;
//! - what a client shows of a query that asks is its own identity's: that of the token that the version stands for;
//! - a mutation runs as whom the client was when it sent it, and never under a token that was refused;
//! - a client that the provider does not help gives up, as the official one does, and does not turn in a circle;
//! - when all is well for a while, every client is who it wants to be, and sees what is newest.
mod client;
mod native;
mod npm;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use weir_db::{MutationOutcome, Principal, QueryOutcome, ReadSet};
use weir_value::{Identity, Timestamp};

use crate::budget::Account;
use crate::live::{LiveQueries, Run, SocketId, Step};
use crate::protocol::{AuthToken, ClientInfo};
use crate::session::{DueMutation, Effect, Frame, IdentityRefusal, Session, VerifiedIdentity};

use client::{Client, Token};

/// SplitMix64: the only source of chance.
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    pub(super) fn one_in(&mut self, bound: u64) -> bool {
        self.below(bound) == 0
    }
}

/// The host's end of a connection, and what is on the wire.
struct Connection {
    client: usize,
    session: Session,
    to_host: VecDeque<String>,
    to_client: VecDeque<Frame>,
    unverified: Option<AuthToken>,
    due: VecDeque<DueMutation>,
}

struct World {
    chance: Chance,
    now: Duration,
    live: LiveQueries<()>,
    writes: u64,
    in_flight: Vec<Run<()>>,
    connections: BTreeMap<u64, Connection>,
    clients: Vec<Client>,
    next_connection: u64,
    trace: Vec<String>,
}

impl World {
    fn new(seed: u64) -> World {
        let mut chance = Chance(seed);
        let clients = (0..4).map(|number| Client::new(number, chance.below(3))).collect();
        World {
            chance,
            now: Duration::ZERO,
            live: LiveQueries::new(Timestamp::from_nanos(1), ()),
            writes: 0,
            in_flight: vec![],
            connections: BTreeMap::new(),
            clients,
            next_connection: 0,
            trace: vec![],
        }
    }

    fn step(&mut self) {
        match self.chance.below(24) {
            0..8 => self.deliver(),
            8..11 => self.finish_a_run(),
            11..13 => self.verify_a_token(),
            13..15 => self.run_a_mutation(),
            15 => self.write(),
            16..18 => {
                let time = 200 + self.chance.below(800);
                self.pass(Duration::from_millis(time));
            }
            18 => self.pass(Duration::from_secs(1)),
            19 => self.lose_a_connection(),
            20 => {
                let client = self.chance.below(self.clients.len() as u64) as usize;
                self.clients[client].send_mutation();
            }
            21 => {
                let client = self.chance.below(self.clients.len() as u64) as usize;
                let (now, chance) = (self.now, &mut self.chance);
                self.clients[client].change_mind(now, chance);
            }
            _ => self.connect_somebody(),
        }
        self.settle();
    }

    /// One frame or message of one connection arrives.
    fn deliver(&mut self) {
        let Some(id) = self.some_connection() else { return };
        let durable = self.live.now();
        let now = self.now;
        let connection = self.connections.get_mut(&id).expect("a connection");
        let to_client = self.chance.one_in(2);
        if to_client && let Some(frame) = connection.to_client.pop_front() {
            self.trace.push(format!("{id} < {frame:?}"));
            let client = &mut self.clients[connection.client];
            let is_over = matches!(frame, Frame::Close(_));
            client.hear(frame, now);
            if is_over || !client.is_connected() {
                self.drop_connection(id);
            }
        } else if !connection.session.is_verifying()
            && !connection.session.is_closed()
            && let Some(message) = connection.to_host.pop_front()
        {
            self.trace.push(format!("{id} > {message}"));
            connection.session.receive_text(&message, now, durable);
        }
    }

    fn some_connection(&mut self) -> Option<u64> {
        let count = self.connections.len() as u64;
        let at = self.chance.below(count.max(1)) as usize;
        self.connections.keys().nth(at).copied()
    }

    fn finish_a_run(&mut self) {
        if self.in_flight.is_empty() {
            return;
        }
        let run = self.in_flight.swap_remove(self.chance.below(self.in_flight.len() as u64) as usize);
        let asks = run.key.path.function() == "mine";
        let who = subject(&run.principal).filter(|_| asks).unwrap_or_else(|| "nobody".to_owned());
        let outcome = QueryOutcome {
            result: Ok(Bytes::from(format!(r#"["{who}",{}]"#, run.at.as_nanos() - 1))),
            log_lines: vec![],
            read_set: ReadSet::new([Bytes::from_static(b"k")], []),
            ts: run.at,
            journal: None,
            asked_identity: asks,
        };
        let step = self.live.run_finished(run.id, outcome);
        self.perform(step);
    }

    fn verify_a_token(&mut self) {
        let Some(id) = self.some_connection() else { return };
        let now = self.now;
        let connection = self.connections.get_mut(&id).expect("a connection");
        let Some(AuthToken::User(text)) = connection.unverified.take() else { return };
        let token = Token::read(&text);
        let verdict = match token.is_trusted && token.expires_at > now {
            true => {
                Ok(VerifiedIdentity { principal: user(&token.subject), expires_at: Some(token.expires_at) })
            }
            false => Err(IdentityRefusal::Invalid("not trusted, or expired".to_owned())),
        };
        self.trace.push(format!("{id} verified {}", verdict.is_ok()));
        connection.session.identity_verified(verdict);
    }

    fn run_a_mutation(&mut self) {
        let Some(id) = self.some_connection() else { return };
        let connection = self.connections.get_mut(&id).expect("a connection");
        let Some(due) = connection.due.pop_front() else { return };
        let client = connection.client;
        let sent_as = self.clients[client].sent_as(due.request.request);
        assert_eq!(subject(&due.principal), sent_as, "whom a mutation runs for");
        self.write();
        let outcome = MutationOutcome {
            result: Ok(Bytes::from_static(b"null")),
            ts: self.live.now(),
            log_lines: vec![],
            replayed: false,
            pause: Duration::ZERO,
        };
        let connection = self.connections.get_mut(&id).expect("a connection");
        connection.session.mutation_finished(due.request.request, outcome);
    }

    fn write(&mut self) {
        self.writes += 1;
        let at = Timestamp::from_nanos(self.writes + 1);
        let step = self.live.group_durable(at, vec![Bytes::from_static(b"k")], ());
        self.perform(step);
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        for connection in self.connections.values_mut() {
            connection.session.tick(self.now);
        }
        for client in &mut self.clients {
            client.pass(self.now, &mut self.chance);
        }
    }

    fn lose_a_connection(&mut self) {
        if self.chance.one_in(3)
            && let Some(id) = self.some_connection()
        {
            let client = self.connections[&id].client;
            self.clients[client].disconnected();
            self.drop_connection(id);
        }
    }

    fn drop_connection(&mut self, id: u64) {
        self.trace.push(format!("{id} is gone"));
        self.connections.remove(&id);
        let step = self.live.close_socket(SocketId(id));
        self.perform(step);
    }

    fn connect_somebody(&mut self) {
        let client = self.chance.below(self.clients.len() as u64) as usize;
        self.connect(client);
    }

    fn connect(&mut self, client: usize) {
        if self.clients[client].is_connected() || !self.clients[client].wants_connection() {
            return;
        }
        self.clients[client].connected(self.now, &mut self.chance);
        let info = ClientInfo::from_header(self.clients[client].header()).expect("a client");
        self.next_connection += 1;
        let connection = Connection {
            client,
            session: Session::new(info, self.now, Account::unlimited()),
            to_host: VecDeque::new(),
            to_client: VecDeque::new(),
            unverified: None,
            due: VecDeque::new(),
        };
        self.connections.insert(self.next_connection, connection);
    }

    /// What was said goes onto the wire; the loop of the crate's documentation, for every connection.
    fn settle(&mut self) {
        let ids: Vec<u64> = self.connections.keys().copied().collect();
        for id in ids {
            let connection = self.connections.get_mut(&id).expect("a connection");
            let client = &mut self.clients[connection.client];
            if !client.is_connected() {
                self.drop_connection(id);
                continue;
            }
            connection.to_host.extend(client.take_said());
            let mut steps = Vec::new();
            connection.session.answer_durable(self.live.now());
            while let Some(effect) = connection.session.next_effect() {
                match effect {
                    Effect::Watch(changes) => {
                        let (since, who) = (connection.session.version().ts, connection.session.principal());
                        steps.push(self.live.watch(SocketId(id), since, who, &changes));
                    }
                    Effect::Mutate(mutation) => connection.due.push_back(mutation),
                    Effect::Verify(token) => connection.unverified = Some(token),
                    Effect::Act(_) => unreachable!("model clients call no actions"),
                }
            }
            if let Some(at_least) = connection.session.wanted_timestamp() {
                connection.session.transition(self.live.advance(SocketId(id), at_least));
            }
            while let Some(frame) = connection.session.next_frame(self.now) {
                connection.to_client.push_back(frame);
            }
            steps.into_iter().for_each(|step| self.perform(step));
        }
    }

    fn perform(&mut self, step: Step<()>) {
        self.in_flight.extend(step.runs);
        for woken in step.wake {
            if let Some(connection) = self.connections.get_mut(&woken.0) {
                connection.session.wake();
            }
        }
    }

    /// Every provider gives good tokens from now on, and everything that is under way arrives.
    fn come_to_rest(&mut self) {
        self.clients.iter_mut().for_each(Client::be_well);
        for round in 0..4_000 {
            // Long enough for every token from before to expire, and then no more time that matters.
            if round % 40 == 0 {
                self.pass(Duration::from_millis(if round < 3_000 { 500 } else { 10 }));
            }
            match round % 5 {
                0 | 1 => self.deliver(),
                2 => self.finish_a_run(),
                3 => {
                    self.verify_a_token();
                    self.run_a_mutation();
                }
                _ => self.connect_somebody(),
            }
            self.settle();
        }
        for client in &self.clients {
            client.check_at_rest(self.writes);
        }
    }
}

fn user(subject: &str) -> Principal {
    let claims = format!(r#"{{"issuer":"i","subject":"{subject}"}}"#);
    Principal::User(Identity::from_json(claims.as_bytes()).expect("claims"))
}

fn subject(principal: &Principal) -> Option<String> {
    principal.identity().map(|who| who.token_identifier().trim_start_matches("i|").to_owned())
}

fn simulate(seed: u64) -> Vec<String> {
    let mut world = World::new(seed);
    for _ in 0..3 {
        for _ in 0..300 {
            world.step();
        }
        world.come_to_rest();
    }
    world.trace
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn clients_are_who_they_want_to_be(seed in any::<u64>()) {
        simulate(seed);
    }
}

#[test]
fn the_same_seed_gives_the_same_exchange() {
    let trace = simulate(3);
    assert!(trace.len() > 300, "{}", trace.len());
    assert_eq!(trace, simulate(3));
}
