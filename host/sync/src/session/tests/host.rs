//! A host of sockets and live queries that does what a transcript says.
//!
//! | line | what it is |
//! |---|---|
//! | `A opens npm-1.48.0` | a new socket |
//! | `A> {..}`, `A> binary` | a frame comes |
//! | `A< {..}`, `A< ping`, `A< close 1011 Reason`, `A< close`, `A< nothing` | the next frame that leaves, to the byte |
//! | `A mutates 0 m:send {..}` | the next mutation that is due |
//! | `A mutated 0 null at 5`, `A failed 0 text at 5`, `A failed 0 text with {..} at 5` | how it ended |
//! | `A reads slowly`, `A reads on` | its task is busy writing |
//! | `A heard at 10`, `A is at 14`, `A is-due at 15` | a pong; time, in seconds, at which the session has nothing to do, or has |
//! | `durable 5` | the store; the registry hears of it later |
//! | `group 5 a b` | a commit group, with the keys that it wrote |
//! | `runs m:a m:b` | the queries in flight |
//! | `ran m:a [1]`, `broke m:a text` | how the oldest run of it ended; it has read the key of its function's name |
//! | `ran m:a(ada) [1]` | the same of the run for `ada` (`nobody`: for nobody), which has asked who that is |
//! | `A verifies T`, `A is verified as ada`, `.. until 20`, `A is not verified: why` | a token, and whose it is |
//! | `A mutates as ada` | on whose behalf the next mutation is |
//! | `deploys` | other functions are in place |
//!
//! `Tn` stands for the timestamp of n nanoseconds.
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use weir_db::{ActionOutcome, CallError, MutationOutcome, Principal, QueryOutcome, ReadSet};
use weir_value::{ErrorCode, Identity, Timestamp};

use crate::budget::Account;
use crate::live::{LiveQueries, Run, SocketId, Step};
use crate::protocol::{AuthToken, ClientInfo};
use crate::session::{DueAction, DueMutation, Effect, Frame, IdentityRefusal, Session, VerifiedIdentity};

pub(super) struct Host {
    live: LiveQueries<()>,
    durable: Timestamp,
    in_flight: Vec<Run<()>>,
    sockets: BTreeMap<char, Socket>,
    opened: u64,
}

struct Socket {
    id: SocketId,
    session: Session,
    now: Duration,
    out: VecDeque<Frame>,
    due: VecDeque<DueMutation>,
    unverified: Option<AuthToken>,
    is_busy: bool,
}

/// Plays a transcript; every frame has to be named in it.
pub(super) fn check(transcript: &str) -> Host {
    let mut host = Host {
        live: LiveQueries::new(ts(1), ()),
        durable: ts(1),
        in_flight: vec![],
        sockets: BTreeMap::new(),
        opened: 0,
    };
    for line in transcript.lines().map(str::trim).filter(|line| !line.is_empty()) {
        host.line(line);
        host.pump();
    }
    for (name, socket) in &host.sockets {
        assert!(socket.out.is_empty(), "{name} was sent more: {:?}", socket.out);
        assert!(socket.due.is_empty(), "{name} has more mutations due: {:?}", socket.due);
    }
    host
}

pub(super) fn ts(nanos: u64) -> Timestamp {
    Timestamp::from_nanos(nanos)
}

/// Who a run is for.
fn subject(principal: &Principal) -> String {
    let name = principal.identity().map(|who| who.token_identifier().trim_start_matches("i|").to_owned());
    name.unwrap_or_else(|| "nobody".to_owned())
}

fn number<T: std::str::FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("{text} is not a number"))
}

/// `T5` in quotes as it stands on the wire.
fn with_timestamps(line: &str) -> String {
    (0..100).fold(line.to_owned(), |line, n| {
        line.replace(&format!("\"T{n}\""), &format!("\"{}\"", ts(n).to_base64()))
    })
}

impl Host {
    fn line(&mut self, line: &str) {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb {
            "durable" => self.durable = ts(number(rest)),
            "group" => self.group(rest),
            "runs" => {
                let running: Vec<String> =
                    self.in_flight.iter().map(|run| run.key.path.to_string()).collect();
                assert_eq!(running.join(" "), rest, "in flight");
            }
            "ran" => {
                let (path, value) = rest.split_once(' ').expect("a value");
                self.end_run(path, Ok(Bytes::copy_from_slice(value.as_bytes())));
            }
            "broke" => {
                let (path, message) = rest.split_once(' ').expect("a message");
                self.end_run(path, Err(CallError::new(ErrorCode::ApplicationError, message)));
            }
            "deploys" => {
                let step = self.live.redeploy();
                self.perform(step);
            }
            _ => self.socket_line(verb, rest),
        }
    }

    fn socket_line(&mut self, verb: &str, rest: &str) {
        let name = verb.chars().next().expect("a socket");
        if let Some(client) = rest.strip_prefix("opens ") {
            let client = ClientInfo::from_header(client).expect("a client");
            let session = Session::new(client, Duration::ZERO, Account::unlimited());
            self.opened += 1;
            let id = SocketId(self.opened);
            let socket = Socket {
                id,
                session,
                now: Duration::ZERO,
                out: VecDeque::new(),
                due: VecDeque::new(),
                unverified: None,
                is_busy: false,
            };
            self.sockets.insert(name, socket);
            return;
        }
        let socket = self.sockets.get_mut(&name).unwrap_or_else(|| panic!("no socket {name}"));
        match &verb[1..] {
            ">" if rest == "binary" => socket.session.receive_binary(socket.now),
            ">" => socket.session.receive_text(&with_timestamps(rest), socket.now, self.durable),
            "<" => socket.expect(name, rest),
            _ if rest == "is gone" => {
                let socket = self.sockets.remove(&name).expect("a socket");
                let step = self.live.close_socket(socket.id);
                self.perform(step);
            }
            _ => socket.happens(rest),
        }
    }

    fn group(&mut self, rest: &str) {
        let mut words = rest.split(' ');
        let at = ts(number(words.next().expect("a timestamp")));
        self.durable = self.durable.max(at);
        let step = self.live.group_durable(
            at,
            words.map(|key| Bytes::copy_from_slice(key.as_bytes())).collect(),
            (),
        );
        self.perform(step);
    }

    /// `m:a`, or `m:a(ada)` of one that has asked who it runs for.
    fn end_run(&mut self, described: &str, result: Result<Bytes, CallError>) {
        let (path, asked) = match described.split_once('(') {
            Some((path, who)) => (path, Some(who.trim_end_matches(')'))),
            None => (described, None),
        };
        let is_meant = |run: &Run<()>| {
            run.key.path.to_string() == path && asked.is_none_or(|who| who == subject(&run.principal))
        };
        let at = self.in_flight.iter().position(is_meant);
        let run = self.in_flight.remove(at.unwrap_or_else(|| panic!("{path} is not in flight")));
        let key = Bytes::copy_from_slice(run.key.path.function().as_bytes());
        let outcome = QueryOutcome {
            result,
            log_lines: vec![],
            read_set: ReadSet::new([key], []),
            ts: run.at,
            journal: None,
            asked_identity: asked.is_some(),
        };
        let step = self.live.run_finished(run.id, outcome);
        self.perform(step);
    }

    fn perform(&mut self, step: Step<()>) {
        self.in_flight.extend(step.runs);
        for woken in step.wake {
            for socket in self.sockets.values_mut().filter(|socket| socket.id == woken) {
                socket.session.wake();
            }
        }
    }

    /// The loop of the crate's documentation, for every socket.
    fn pump(&mut self) {
        let names: Vec<char> = self.sockets.keys().copied().collect();
        for name in names {
            let socket = self.sockets.get_mut(&name).expect("a socket");
            if socket.is_busy {
                continue;
            }
            socket.session.answer_durable(self.durable);
            let mut steps = Vec::new();
            while let Some(effect) = socket.session.next_effect() {
                match effect {
                    Effect::Watch(changes) => {
                        let (since, principal) = (socket.session.version().ts, socket.session.principal());
                        steps.push(self.live.watch(socket.id, since, principal, &changes));
                    }
                    Effect::Mutate(mutation) => socket.due.push_back(mutation),
                    Effect::Verify(token) => socket.unverified = Some(token),
                    // It gives back what it is given, and logs its name.
                    Effect::Act(DueAction { request, path, args, .. }) => {
                        let log_lines = vec![format!("[LOG] '{path}'")];
                        let outcome = ActionOutcome { result: Ok(args), log_lines };
                        socket.session.action_finished(request, outcome);
                    }
                }
            }
            if let Some(at_least) = socket.session.wanted_timestamp() {
                socket.session.transition(self.live.advance(socket.id, at_least));
            }
            while let Some(frame) = socket.session.next_frame(socket.now) {
                socket.out.push_back(frame);
            }
            steps.into_iter().for_each(|step| self.perform(step));
        }
    }
}

fn describe(token: &AuthToken) -> String {
    match token {
        AuthToken::None => "nobody".to_owned(),
        AuthToken::User(token) => token.clone(),
        AuthToken::Admin { key, acting_as: None } => format!("key:{key}"),
        AuthToken::Admin { key, acting_as: Some(claims) } => {
            format!("key:{key}:{}", std::str::from_utf8(claims).expect("text"))
        }
    }
}

/// `ada` is a user, `admin` the admin.
pub(super) fn verified(who: &str, expires_at: Option<Duration>) -> VerifiedIdentity {
    let claims = format!(r#"{{"issuer":"i","subject":"{who}"}}"#);
    let user = || Principal::User(Identity::from_json(claims.as_bytes()).expect("claims"));
    let principal = if who == "admin" { Principal::ADMIN } else { user() };
    VerifiedIdentity { principal, expires_at }
}

impl Socket {
    fn expect(&mut self, name: char, expected: &str) {
        let frame = match self.out.pop_front() {
            Some(Frame::Text(text)) => text.to_string(),
            Some(Frame::Ping) => "ping".to_owned(),
            Some(Frame::Close(close)) => {
                let code = close.code.map(|code| format!(" {code} {}", close.reason));
                format!("close{}", code.unwrap_or_default())
            }
            None => "nothing".to_owned(),
        };
        assert_eq!(frame, with_timestamps(expected), "what {name} was sent");
    }

    fn happens(&mut self, rest: &str) {
        let words: Vec<&str> = rest.split(' ').collect();
        match words[..] {
            ["mutates", request, path, args] => {
                let due = self.due.pop_front().expect("a mutation is due");
                let args_sent = std::str::from_utf8(&due.args).expect("text");
                assert_eq!(
                    (due.request.request, due.path.to_string().as_str(), args_sent),
                    (number(request), path, args)
                );
                assert_eq!(Some(due.request.session), self.session.session_id());
            }
            ["mutated", request, value, "at", at] => {
                let result = Ok(Bytes::copy_from_slice(value.as_bytes()));
                self.mutation_ended(request, result, at, vec!["[LOG] 'done'".to_owned()]);
            }
            ["failed", request, message, "at", at] => {
                let error = CallError::new(ErrorCode::ApplicationError, message);
                self.mutation_ended(request, Err(error), at, vec![]);
            }
            ["failed", request, message, "with", data, "at", at] => {
                let data = Some(Bytes::copy_from_slice(data.as_bytes()));
                let error = CallError { data, ..CallError::new(ErrorCode::ApplicationError, message) };
                self.mutation_ended(request, Err(error), at, vec![]);
            }
            ["verifies", expected] => {
                let token = self.unverified.take().expect("a token to verify");
                assert_eq!(describe(&token), expected);
                assert!(self.session.is_verifying());
            }
            ["is", "verified", "as", who] => {
                self.session.identity_verified(Ok(verified(who, None)));
            }
            ["is", "verified", "as", who, "until", at] => {
                self.session.identity_verified(Ok(verified(who, Some(Duration::from_secs(number(at))))));
            }
            ["is", "not", "verified:", ..] => {
                let why = rest.split_once(": ").expect("a reason").1;
                self.session.identity_verified(Err(IdentityRefusal::Invalid(why.to_owned())));
            }
            ["cannot", "be", "verified"] => {
                self.session.identity_verified(Err(IdentityRefusal::Unavailable("AuthProviderUnavailable")));
            }
            ["mutates", "as", who] => {
                let due = self.due.front().expect("a mutation is due");
                assert_eq!(due.principal, verified(who, None).principal);
            }
            ["reads", "slowly"] => self.is_busy = true,
            ["reads", "on"] => self.is_busy = false,
            ["heard", "at", at] => self.session.heard(Duration::from_secs(number(at))),
            [due @ ("is" | "is-due"), "at", at] => {
                self.now = Duration::from_secs(number(at));
                assert_eq!(self.session.deadline() <= self.now, *due == *"is-due", "the deadline");
                self.session.tick(self.now);
            }
            _ => panic!("{rest} is not a line of a transcript"),
        }
    }

    fn mutation_ended(
        &mut self,
        request: &str,
        result: Result<Bytes, CallError>,
        at: &str,
        log_lines: Vec<String>,
    ) {
        let outcome =
            MutationOutcome { result, ts: ts(number(at)), log_lines, replayed: false, pause: Duration::ZERO };
        self.session.mutation_finished(number(request), outcome);
    }
}
