//! A client of the sync protocol: mutations with a few in flight, live queries, and reconnects.
//!
//! Does what the official client does. It keeps its session over connections, asks for its queries again, sends every
//! mutation again that was not answered, or whose answer no transition has confirmed, under the same number, and says
//! how far it has seen. Besides, it cuts its connection now and then, in the middle of a message too, and begins a new
//! session now and then, like a page that is reloaded: what was under way then stays unknown.
//!
//! Not here: what is asked (`plan`), and how results are read (`live`, `step`).

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use weir_test_support::SyncClient;
use weir_test_support::sync_client::Received;

use crate::history::Complaint;

use super::live::{LiveQueries, parse_ts, write_ts};
use super::plan::{Planned, newest_table};
use super::random::Random;
use super::recorder::Begun;
use super::shared::{Phase, Shared, count};
use super::step::seen;

/// How long a client waits before it looks whether the run goes on.
const WAIT: Duration = Duration::from_millis(100);
/// How long a client waits before it tries again to connect.
const RECONNECT: Duration = Duration::from_millis(5);

/// What kind of client this is.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// How many mutations it has in flight; 0: it only watches.
    pub in_flight: usize,
    /// How many queries it watches.
    pub watches: usize,
    /// Whether it asks for patches.
    pub takes_patches: bool,
}

/// A mutation that the client must send again if the connection ends.
#[derive(Debug)]
struct Pending {
    request: u32,
    begun: Begun,
    planned: Planned,
    message: Value,
    /// Its answer, until a transition as new as it has come.
    answer: Option<Answer>,
}

#[derive(Debug, PartialEq)]
struct Answer {
    ts: u64,
    result: Value,
}

/// One client.
pub struct Session<'run> {
    run: &'run Shared,
    manner: Manner,
    random: Random,
    number: u32,
    connections: u32,
    next_request: u32,
    transitions: u32,
    observed: u64,
    live: LiveQueries,
    table_watched: u32,
    pending: VecDeque<Pending>,
    /// The requests that were sent on this connection and not answered on it.
    awaited: VecDeque<u32>,
}

impl<'run> Session<'run> {
    /// A client that has not connected yet.
    pub fn new(run: &'run Shared, client: u64, manner: Manner) -> Session<'run> {
        Session {
            run,
            manner,
            random: Random::of(&[run.seed, 3, client]),
            number: run.recorder.session(),
            connections: 0,
            next_request: 0,
            transitions: 0,
            observed: 0,
            live: LiveQueries::default(),
            table_watched: 0,
            pending: VecDeque::new(),
            awaited: VecDeque::new(),
        }
    }

    /// Runs until the run is over and everything is answered.
    ///
    /// # Errors
    /// When the host sends what it may never send.
    pub fn run(mut self) -> Result<()> {
        while !self.is_done() {
            // A host that is not there is what this is about.
            if self.run.is_host_up()
                && let Ok(socket) = SyncClient::open(self.run.address)
            {
                self.use_connection(socket).with_context(|| format!("session {}", self.number))?;
            }
            std::thread::sleep(RECONNECT);
        }
        Ok(())
    }

    fn is_done(&self) -> bool {
        match self.run.phase() {
            Phase::Running => false,
            Phase::Finishing => self.pending.is_empty(),
            Phase::Over => true,
        }
    }

    /// Until the connection ends, from one side or the other.
    fn use_connection(&mut self, mut socket: SyncClient) -> Result<()> {
        if self.greet(&mut socket).is_err() {
            return Ok(());
        }
        while !self.is_done() {
            if self.run.phase() == Phase::Running && self.random.below(500) == 0 {
                self.cut(socket);
                return Ok(());
            }
            if self.say_more(&mut socket).is_err() {
                break;
            }
            match socket.receive_within(WAIT) {
                Ok(None) => {}
                Ok(Some(Received::Message(message))) => self.take(message)?,
                Ok(Some(Received::Closed(..))) => break,
                Err(error) if error.is::<serde_json::Error>() => return Err(error),
                Err(_) => break,
            }
        }
        count(&self.run.counters.lost_connections);
        Ok(())
    }

    fn greet(&mut self, socket: &mut SyncClient) -> Result<()> {
        let mut connect = json!({"type": "Connect", "sessionId": self.uuid(), "connectionCount": self.connections,
            "lastCloseReason": "InitialConnect", "clientTs": 0});
        if self.observed > 0 {
            connect["maxObservedTimestamp"] = write_ts(self.observed).into();
        }
        if self.manner.takes_patches {
            connect["queryPatches"] = "rfc6902".into();
        }
        self.connections += 1;
        self.awaited.clear();
        socket.send(&connect)?;
        socket.send(&self.live.reconnect())?;
        for pending in &self.pending {
            count(&self.run.counters.sent_again);
            if pending.answer.is_none() && !pending.planned.writes() {
                self.run.recorder.detach(pending.begun);
            }
            self.awaited.push_back(pending.request);
            socket.send(&pending.message)?;
        }
        Ok(())
    }

    /// The text is a UUID, and differs from those of other sessions on the same data.
    fn uuid(&self) -> String {
        format!("{:08x}-{:04x}-4000-8000-{:012x}", self.run.seed as u32, self.run.episode as u16, self.number)
    }

    /// Sends what there is to do. Fails when the connection is gone.
    fn say_more(&mut self, socket: &mut SyncClient) -> Result<()> {
        if self.run.phase() != Phase::Running {
            return Ok(());
        }
        let table = newest_table(self.run.number());
        let is_behind = table != self.table_watched || self.live.count() < self.manner.watches;
        if self.manner.watches > 0 && (is_behind || self.random.below(150) == 0) {
            self.table_watched = table;
            // Few different ones, so that some are watched by several sockets.
            let steps = self.run.look(u64::from(self.random.below(4)));
            let message = self.live.change(steps, self.manner.watches);
            socket.send(&message)?;
        }
        while self.pending.len() < self.manner.in_flight {
            let message = self.begin_mutation();
            socket.send(&message)?;
        }
        Ok(())
    }

    fn begin_mutation(&mut self) -> Value {
        let planned = self.run.next_mutation();
        let request = self.next_request;
        self.next_request += 1;
        let args = json!({"steps": planned.steps, "fail": planned.fails});
        let message =
            json!({"type": "Mutation", "requestId": request, "udfPath": planned.path(), "args": [args]});
        let begun = self.run.recorder.begin(self.number, request, planned.clone());
        self.awaited.push_back(request);
        self.pending.push_back(Pending { request, begun, planned, message: message.clone(), answer: None });
        message
    }

    /// Ends the connection without a word, perhaps in the middle of one, and perhaps the session with it.
    fn cut(&mut self, mut socket: SyncClient) {
        count(&self.run.counters.cuts);
        match self.random.below(4) {
            0 if self.manner.in_flight > 0 => {
                let mut bytes = Vec::new();
                let text = self.begin_mutation().to_string();
                weir_test_support::frame::write_text(&mut bytes, text.as_bytes());
                bytes.truncate(1 + self.random.below(bytes.len() as u32 - 1) as usize);
                // The connection may be gone already.
                let _ = socket.send_bytes(&bytes);
            }
            1 => {
                self.pending.clear();
                (self.number, self.live) = (self.run.recorder.session(), LiveQueries::default());
                (self.connections, self.next_request, self.transitions, self.observed) = (0, 0, 0, 0);
            }
            _ => {}
        }
    }

    fn take(&mut self, message: Value) -> Result<()> {
        match message["type"].as_str() {
            Some("MutationResponse") => self.take_answer(message),
            Some("Transition") => self.take_transition(message),
            _ => bail!("the host does not answer what was asked: {message}"),
        }
    }

    fn take_answer(&mut self, mut message: Value) -> Result<()> {
        let first = self.awaited.pop_front().context("an answer to nothing")?;
        ensure!(message["requestId"] == first, "answers out of order: {message}, expected {first}");
        let at = self.pending.iter().position(|pending| pending.request == first);
        let at = at.context("an answer to what is not pending")?;
        if message["success"] != true {
            let is_planned = self.pending[at].planned.fails && message["errorData"]["code"] == "AsPlanned";
            ensure!(is_planned, "a mutation failed that was not planned to: {message}");
            self.pending.remove(at);
            return Ok(());
        }
        let ts = parse_ts(&message["ts"]).with_context(|| format!("no ts in {message}"))?;
        let answer = Answer { ts, result: message["result"].take() };
        self.note_answer(at, answer)
    }

    fn note_answer(&mut self, at: usize, answer: Answer) -> Result<()> {
        let pending = &mut self.pending[at];
        let Some(first) = &pending.answer else {
            let seen = seen(&pending.planned.steps, &answer.result)?;
            self.run.known.learn(&seen);
            self.run.recorder.commit(pending.begun, Some(answer.ts), seen);
            self.run.note_answer();
            pending.answer = Some(answer);
            return Ok(());
        };
        count(&self.run.counters.repeated_answers);
        // What wrote nothing left no record, and runs again.
        if pending.planned.writes() && *first != answer {
            self.run.recorder.complain(Complaint::ChangedAnswer {
                session: self.number,
                request: pending.request,
                first: format!("{first:?}"),
                second: format!("{answer:?}"),
            });
        }
        Ok(())
    }

    fn take_transition(&mut self, message: Value) -> Result<()> {
        count(&self.run.counters.transitions);
        let applied = self.live.apply(message)?;
        self.run.counters.patches.fetch_add(applied.patches, std::sync::atomic::Ordering::Relaxed);
        if !applied.chains() || applied.end.ts < self.observed {
            self.run.recorder.complain(Complaint::WentBack {
                session: self.number,
                stood: format!("{:?}, having seen {}", applied.stood, self.observed),
                transition: format!("from {:?} to {:?}", applied.start, applied.end),
            });
        }
        applied.news.iter().for_each(|seen| self.run.known.learn(seen));
        self.run.recorder.transition(self.number, self.transitions, applied.end.ts, applied.values);
        self.transitions += 1;
        self.observed = self.observed.max(applied.end.ts);
        // What was sent again is kept until it is answered again, to compare the answers.
        let (observed, awaited) = (self.observed, &self.awaited);
        let is_confirmed = |pending: &Pending| {
            let answer = pending.answer.as_ref();
            answer.is_some_and(|answer| answer.ts <= observed) && !awaited.contains(&pending.request)
        };
        while self.pending.front().is_some_and(is_confirmed) {
            self.pending.pop_front();
        }
        Ok(())
    }
}
