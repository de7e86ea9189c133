//! The host around sessions, as the sync room's documentation has it: sockets, a registry, runs that end when a script
//! says so.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use weir_db::{ActionOutcome, CallError, MutationOutcome, Principal};
use weir_sync::budget::Account;
use weir_sync::live::{LiveQueries, Run, SocketId, Step};
use weir_sync::protocol::{AuthToken, ClientInfo, CloseFrame};
use weir_sync::session::{DueAction, DueMutation, Effect, IdentityRefusal, Session, VerifiedIdentity};
use weir_value::{ErrorCode, Identity, Timestamp};

use super::client::Client;
use super::database::{Database, keys_in};
use crate::script::number;

const START: Timestamp = Timestamp::from_nanos(100);
/// Seconds that pass in one step: longer than anybody may be silent.
const SECONDS_MAX: usize = 300;

pub(super) struct World {
    live: LiveQueries<Timestamp>,
    database: Database,
    durable: Timestamp,
    /// Keys that are sequenced, and of which the registry was not told.
    untold: Vec<(Timestamp, Vec<Bytes>)>,
    in_flight: Vec<Run<Timestamp>>,
    sockets: BTreeMap<char, Socket>,
    opened: u64,
    now: Duration,
}

struct Socket {
    id: SocketId,
    session: Session,
    client: Client,
    /// What has come while a token was verified.
    unread: VecDeque<String>,
    due: VecDeque<DueMutation>,
    actions: VecDeque<DueAction>,
    token: Option<AuthToken>,
    is_busy: bool,
    is_gone: bool,
}

impl World {
    pub(super) fn new() -> World {
        let mut world = World {
            live: LiveQueries::new(START, START),
            database: Database::new(START),
            durable: START,
            untold: Vec::new(),
            in_flight: Vec::new(),
            sockets: BTreeMap::new(),
            opened: 0,
            now: Duration::ZERO,
        };
        world.open('A', "npm-1.48.0");
        world.open('B', "rust-0.10.4");
        world
    }

    pub(super) fn step(&mut self, word: &str, rest: &str) {
        match word {
            "write" => self.write(rest),
            "durable" => self.durable = self.database.sequenced(),
            "group" => self.tell_groups(),
            "run" | "fail" => self.end_run(number(rest), word == "fail"),
            "deploy" => {
                self.database.deploy(self.live.now());
                let step = self.live.redeploy();
                self.perform(step);
            }
            "time" => self.pass(number(rest) % SECONDS_MAX),
            _ => self.socket_step(word, rest),
        }
    }

    fn socket_step(&mut self, word: &str, rest: &str) {
        let (names, what) = if word.ends_with('>') { (word, "says") } else { (rest, word) };
        let name = names.chars().next().filter(|name| matches!(name, 'B' | 'C')).unwrap_or('A');
        let argument = rest.split_once(' ').map_or("", |(_, argument)| argument);
        match what {
            "says" => self.say(name, &with_timestamps(rest)),
            "open" => self.open(name, argument),
            "done" | "undone" => self.end_mutation(name, what == "done"),
            _ => {
                let (now, Some(socket)) = (self.now, self.sockets.get_mut(&name)) else { return };
                match what {
                    "binary" => socket.session.receive_binary(now),
                    "pong" => socket.session.heard(now),
                    "leave" => self.leave(name),
                    "slow" => socket.is_busy = true,
                    "fast" => socket.is_busy = false,
                    "act" => socket.end_action(),
                    "verify" => socket.verify(argument, now),
                    "stop" => socket.session.close(CloseFrame::shutting_down()),
                    _ => {}
                }
            }
        }
    }

    fn open(&mut self, name: char, header: &str) {
        let Ok(info) = ClientInfo::from_header(header) else { return };
        self.leave(name);
        self.opened += 1;
        let socket = Socket {
            id: SocketId(self.opened),
            client: Client::new(&info),
            session: Session::new(info, self.now, Account::unlimited()),
            unread: VecDeque::new(),
            due: VecDeque::new(),
            actions: VecDeque::new(),
            token: None,
            is_busy: false,
            is_gone: false,
        };
        self.sockets.insert(name, socket);
    }

    fn leave(&mut self, name: char) {
        if let Some(socket) = self.sockets.remove(&name) {
            let step = self.live.close_socket(socket.id);
            self.perform(step);
        }
    }

    fn say(&mut self, name: char, text: &str) {
        if let Some(socket) = self.sockets.get_mut(&name) {
            socket.unread.push_back(text.to_owned());
            socket.read_on(self.now, self.durable);
        }
    }

    fn write(&mut self, word: &str) {
        let keys = keys_in(word);
        let ts = self.database.write(&keys);
        self.untold.push((ts, keys));
    }

    fn tell_groups(&mut self) {
        let is_durable = |(ts, _): &(Timestamp, Vec<Bytes>)| *ts <= self.durable;
        let told: Vec<_> = self.untold.iter().filter(|group| is_durable(group)).cloned().collect();
        self.untold.retain(|group| !is_durable(group));
        let Some(newest) = told.last().map(|(ts, _)| *ts) else { return };
        let keys = told.into_iter().flat_map(|(_, keys)| keys).collect();
        let step = self.live.group_durable(newest, keys, newest);
        self.perform(step);
    }

    fn end_run(&mut self, number: usize, is_refused: bool) {
        if self.in_flight.is_empty() {
            return;
        }
        let run = self.in_flight.remove(number % self.in_flight.len());
        assert_eq!(run.at, run.snapshot, "a run reads at its timestamp");
        let outcome = self.database.outcome(&run, is_refused);
        let step = self.live.run_finished(run.id, outcome);
        self.perform(step);
    }

    fn end_mutation(&mut self, name: char, succeeds: bool) {
        let Some(due) = self.sockets.get_mut(&name).and_then(|socket| socket.due.pop_front()) else { return };
        let (ts, result) = if succeeds {
            self.write("ab");
            (self.database.sequenced(), Ok(Bytes::from_static(b"null")))
        } else {
            (self.database.sequenced(), Err(CallError::new(ErrorCode::ApplicationError, "no")))
        };
        let outcome = MutationOutcome {
            result,
            ts,
            log_lines: vec!["[LOG] 'x'".to_owned()],
            replayed: false,
            pause: Duration::ZERO,
        };
        if let Some(socket) = self.sockets.get_mut(&name) {
            socket.session.mutation_finished(due.request.request, outcome);
        }
    }

    fn pass(&mut self, seconds: usize) {
        self.now += Duration::from_secs(seconds as u64);
        self.sockets.values_mut().for_each(|socket| socket.session.tick(self.now));
    }

    fn perform(&mut self, step: Step<Timestamp>) {
        self.in_flight.extend(step.runs);
        for woken in step.wake {
            let woken = self.sockets.values_mut().find(|socket| socket.id == woken);
            woken.into_iter().for_each(|socket| socket.session.wake());
        }
    }

    /// The loop of a socket's task, for each that is not busy.
    pub(super) fn pump(&mut self) {
        let names: Vec<char> = self.sockets.keys().copied().collect();
        for name in names {
            let mut steps = Vec::new();
            let socket = self.sockets.get_mut(&name).expect("a socket");
            if socket.is_busy {
                continue;
            }
            socket.session.answer_durable(self.durable);
            while let Some(effect) = socket.session.next_effect() {
                assert!(!socket.is_gone, "something is to be done for a session that has ended: {effect:?}");
                match effect {
                    Effect::Watch(changes) => {
                        let (since, principal) = (socket.session.version().ts, socket.session.principal());
                        steps.push(self.live.watch(socket.id, since, principal, &changes));
                    }
                    Effect::Mutate(mutation) => socket.due.push_back(mutation),
                    Effect::Act(action) => socket.actions.push_back(action),
                    Effect::Verify(token) => socket.token = Some(token),
                }
            }
            if let Some(at_least) = socket.session.wanted_timestamp() {
                socket.session.transition(self.live.advance(socket.id, at_least));
            }
            while let Some(frame) = socket.session.next_frame(self.now) {
                socket.client.hear(&frame, &self.database, self.durable);
            }
            if socket.client.is_closed() && !std::mem::replace(&mut socket.is_gone, true) {
                assert!(socket.session.is_closed());
                steps.push(self.live.close_socket(socket.id));
            }
            steps.into_iter().for_each(|step| self.perform(step));
        }
    }

    /// Everything that is under way ends, and whoever is still connected has everything.
    pub(super) fn come_to_rest(&mut self) {
        // Those who have seen a later timestamp than there was: it comes.
        self.write("abcdefgh");
        for _ in 0..ROUNDS_TO_REST {
            let names: Vec<char> = self.sockets.keys().copied().collect();
            for name in names {
                while self.sockets.get(&name).is_some_and(|socket| !socket.due.is_empty()) {
                    self.end_mutation(name, true);
                }
                let socket = self.sockets.get_mut(&name).expect("a socket");
                socket.is_busy = false;
                socket.verify("ada", self.now);
                while !socket.actions.is_empty() {
                    socket.end_action();
                }
                socket.read_on(self.now, self.durable);
            }
            self.durable = self.database.sequenced();
            self.tell_groups();
            self.pump();
            (0..self.in_flight.len()).for_each(|_| self.end_run(0, false));
            self.pump();
        }
        assert!(self.in_flight.is_empty(), "runs without an end: {:?}", self.in_flight);
        let connected = self.sockets.values().filter(|socket| !socket.client.is_closed());
        connected.for_each(|socket| socket.client.check_at_rest());
        let names: Vec<char> = self.sockets.keys().copied().collect();
        names.into_iter().for_each(|name| self.leave(name));
        let left = self.live.stats();
        assert_eq!((left.live_queries, left.sockets, left.subscriptions, left.runs_in_flight), (0, 0, 0, 0));
    }
}

/// What leads from one thing to the next in a session is shorter: a token that is read behind another one, and so on.
const ROUNDS_TO_REST: usize = 200;

impl Socket {
    /// Hands in what has come, as long as no token is being verified.
    fn read_on(&mut self, now: Duration, durable: Timestamp) {
        while !self.session.is_verifying() {
            let Some(text) = self.unread.pop_front() else { return };
            let was_open = !self.session.is_closed();
            self.session.receive_text(&text, now, durable);
            if was_open && !self.session.is_closed() {
                self.client.said(&text);
            }
        }
    }

    fn end_action(&mut self) {
        if let Some(DueAction { request, args, .. }) = self.actions.pop_front() {
            self.session.action_finished(request, ActionOutcome { result: Ok(args), log_lines: Vec::new() });
        }
    }

    fn verify(&mut self, who: &str, now: Duration) {
        if self.token.take().is_none() {
            return;
        }
        let principal = match who {
            "bad" => return self.session.identity_verified(Err(IdentityRefusal::Invalid("no".to_owned()))),
            "busy" => {
                return self
                    .session
                    .identity_verified(Err(IdentityRefusal::Unavailable("AuthProviderUnavailable")));
            }
            "admin" => Principal::ADMIN,
            name => {
                let name = if name == "bob" { "bob" } else { "ada" };
                let claims = format!(r#"{{"issuer":"i","subject":"{name}"}}"#);
                Principal::User(Identity::from_json(claims.as_bytes()).expect("claims"))
            }
        };
        let expires_at = (who == "bob").then(|| now + Duration::from_secs(60));
        let was_open = !self.session.is_closed();
        self.session.identity_verified(Ok(VerifiedIdentity { principal: principal.clone(), expires_at }));
        if was_open {
            self.client.verified(principal);
        }
    }
}

/// `T5` in quotes as it stands on the wire: so many nanoseconds after the start.
fn with_timestamps(text: &str) -> String {
    (0..10).fold(text.to_owned(), |text, number| {
        let ts = Timestamp::from_nanos(START.as_nanos() + number);
        text.replace(&format!("\"T{number}\""), &format!("\"{}\"", ts.to_base64()))
    })
}
