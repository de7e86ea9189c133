//! Calls of clients: how they begin and go on.
//!
//! Not here: where a client stands while another one goes on (`client`), what functions do (`program`), and what an
//! outcome is checked against (`outcomes`).

use std::sync::Arc;

use bytes::Bytes;
use weir_db::{Call, FunctionKind, Principal, SessionRequest};
use weir_store::Timestamp;
use weir_value::{FunctionPath, limits};

use crate::chance::Chance;
use crate::client::{Finished, Order, Report, Seat, Stretch, Task, TaskKind};
use crate::functions::{MUTATIONS, QUERY};
use crate::generate::Generator;
use crate::model::Answer;
use crate::program::{Output, Program};
use crate::property::{Broken, Checked, Property, check};
use crate::simulation::Simulation;

/// How many of the newest requests are sent again.
const RESENT_AMONG: usize = 12;

/// A client and what it is doing.
pub(crate) struct Client {
    /// Taken away when the run is over.
    seat: Option<Seat>,
    session: [u8; 16],
    next_request: u32,
    pub(crate) running: Option<Running>,
}

impl Client {
    pub(crate) fn new(chance: &mut Chance) -> Client {
        let mut session = [0; 16];
        session[..8].copy_from_slice(&chance.word().to_le_bytes());
        Client { seat: Some(Seat::take()), session, next_request: 0, running: None }
    }

    fn tell(&self, order: Order) -> Vec<Report> {
        self.seat.as_ref().map(|seat| seat.tell(order)).unwrap_or_default()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if self.running.is_some() {
            self.tell(Order::Stop);
        }
        if let Some(seat) = self.seat.take() {
            seat.give_back();
        }
    }
}

/// What is known of how a mutation of some path will start.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Path {
    /// Once it went to serial execution at once.
    was_serial: bool,
    /// It has been in conflict since it last began without the gate.
    was_in_conflict: bool,
}

impl Path {
    /// Whether it will not ask for the gate before it commits: its rate of conflicts was low and has not risen.
    fn is_optimistic(self) -> bool {
        !self.was_serial && !self.was_in_conflict
    }
}

/// A call that has begun.
pub(crate) struct Running {
    pub(crate) request: Option<usize>,
    pub(crate) path: Option<usize>,
    pub(crate) kind: FunctionKind,
    pub(crate) program: Arc<Program>,
    pub(crate) runs: Vec<Run>,
    /// The program is over, and its commit comes next.
    pub(crate) at_end: bool,
}

/// One run of a call's program.
pub(crate) struct Run {
    pub(crate) at: Timestamp,
    pub(crate) is_serial: bool,
    pub(crate) outputs: Vec<Output>,
}

/// A mutation that a client asked for, perhaps several times.
pub(crate) struct Request {
    pub(crate) path: usize,
    pub(crate) program: Arc<Program>,
    pub(crate) session: Option<SessionRequest>,
    /// What it was answered, while the host must remember.
    pub(crate) answer: Option<Answer>,
}

impl Simulation {
    /// Some client goes on with its call, or begins one.
    pub(crate) fn client_acts(&mut self) -> Checked {
        let able: Vec<usize> = (0..self.clients.len()).filter(|client| self.can_act(*client)).collect();
        if able.is_empty() {
            return Ok(());
        }
        let client = able[self.chance.index(able.len())];
        match self.clients[client].running {
            Some(_) => self.go_on(client),
            None => self.begin(client),
        }
    }

    /// Some client goes on with its call.
    pub(crate) fn client_goes_on(&mut self) -> Checked {
        let able: Vec<usize> = (0..self.clients.len())
            .filter(|client| self.clients[*client].running.is_some() && self.can_act(*client))
            .collect();
        match able.is_empty() {
            true => Ok(()),
            false => {
                let client = able[self.chance.index(able.len())];
                self.go_on(client)
            }
        }
    }

    /// Whoever would wait for the gate must not be told to go on: the thread would stop for good.
    fn can_act(&self, client: usize) -> bool {
        let is_at_end = self.clients[client].running.as_ref().is_some_and(|running| running.at_end);
        !is_at_end || self.gate.is_none_or(|holder| holder == client)
    }

    fn go_on(&mut self, client: usize) -> Checked {
        let stretch = self.stretch(client);
        self.tell(client, Order::Go(stretch))
    }

    /// How far a client goes: a step most of the time, and sometimes all the way.
    fn stretch(&mut self, client: usize) -> Stretch {
        let may_commit = self.gate.is_none_or(|holder| holder == client);
        Stretch { reports: self.chance.pick(&[1, 1, 2, 4, 20]), may_commit }
    }

    fn begin(&mut self, client: usize) -> Checked {
        if self.chance.percent(self.profile.query_percent) {
            return self.begin_query(client);
        }
        let newest = self.requests.len().saturating_sub(RESENT_AMONG);
        let request = match self.requests.len() - newest {
            0 => self.new_request(client),
            _ if !self.chance.percent(self.profile.resend_percent) => self.new_request(client),
            among => newest + self.chance.index(among),
        };
        match self.gate.is_none() || self.paths[self.requests[request].path].is_optimistic() {
            true => self.begin_mutation(client, request),
            false => self.begin_query(client),
        }
    }

    fn new_request(&mut self, client: usize) -> usize {
        let program = self.generator().mutation();
        let has_session = self.chance.percent(self.profile.session_percent);
        let client = &mut self.clients[client];
        client.next_request += 1;
        let session = SessionRequest { session: client.session, request: client.next_request };
        self.requests.push(Request {
            path: self.chance.index(MUTATIONS.len()),
            program: Arc::new(program),
            session: has_session.then_some(session),
            answer: None,
        });
        self.requests.len() - 1
    }

    fn generator(&mut self) -> Generator<'_> {
        Generator {
            chance: &mut self.chance,
            taste: &self.profile.taste,
            known: &self.known,
            schema: self.model.schema(self.model.last()),
            cursors: &self.cursors,
        }
    }

    fn begin_mutation(&mut self, client: usize, number: usize) -> Checked {
        let request = &self.requests[number];
        let (path, program, session) = (request.path, request.program.clone(), request.session);
        self.note(|| format!("client {client} sends request {number}: {program:?}"));
        self.figures.calls += 1;
        let running = Running {
            request: Some(number),
            path: Some(path),
            kind: FunctionKind::Mutation,
            program: program.clone(),
            runs: Vec::new(),
            at_end: false,
        };
        self.start(client, running, MUTATIONS[path], TaskKind::Mutation(session))
    }

    fn begin_query(&mut self, client: usize) -> Checked {
        let program = self.generator().query();
        let snapshot = match self.chance.percent(50) {
            true => self.host.store.snapshot_durable(),
            false => self.host.store.snapshot_sequenced(),
        };
        let at = snapshot.ts();
        self.note(|| format!("client {client} queries at {at:?}: {program:?}"));
        let running = Running {
            request: None,
            path: None,
            kind: FunctionKind::Query,
            program: Arc::new(program),
            runs: Vec::new(),
            at_end: false,
        };
        self.start(client, running, QUERY, TaskKind::Query(Arc::new(snapshot)))
    }

    fn start(&mut self, client: usize, running: Running, path: &str, kind: TaskKind) -> Checked {
        let call = Call {
            path: FunctionPath::parse(path).expect("a function path"),
            args: Bytes::from_static(b"{}"),
            principal: Principal::Anonymous,
            request_id: "simulated".to_owned(),
        };
        let (db, bug) = (self.host.db.clone(), self.settings.bug);
        let task = Task { bug, db, call, program: running.program.clone(), kind };
        self.clients[client].running = Some(running);
        let stretch = self.stretch(client);
        self.tell(client, Order::Start(Box::new(task), stretch))
    }

    /// Lets a client go on, and takes down what it reports.
    fn tell(&mut self, client: usize, order: Order) -> Checked {
        let reports = self.clients[client].tell(order);
        reports.into_iter().try_for_each(|report| self.take_report(client, report))
    }

    fn take_report(&mut self, client: usize, report: Report) -> Checked {
        let Some(running) = &mut self.clients[client].running else { return Ok(()) };
        running.at_end = false;
        match report {
            Report::Began { at, is_serial } => return self.run_began(client, at, is_serial),
            Report::Finished(finished) => return self.finish(client, *finished),
            Report::Did(output) => {
                let text = self.settings.is_traced.then(|| format!("{output:?}"));
                running.runs.last_mut().expect("an operation belongs to a run").outputs.push(output);
                self.note(|| format!("client {client}: {}", text.unwrap_or_default()));
            }
            Report::Within => self.note(|| format!("client {client} is within a query")),
            Report::Ends => {
                running.at_end = running.kind == FunctionKind::Mutation;
                self.note(|| format!("client {client} is about to end"));
            }
        }
        Ok(())
    }

    fn run_began(&mut self, client: usize, at: Timestamp, is_serial: bool) -> Checked {
        let running = self.clients[client].running.as_mut().expect("it runs");
        running.runs.push(Run { at, is_serial, outputs: Vec::new() });
        let (kind, runs, path) = (running.kind, running.runs.len(), running.path);
        if is_serial {
            self.gate = Some(client);
        }
        if runs >= 2 {
            self.note_conflict(path);
        }
        if let (1, Some(path)) = (runs, path.map(|path| &mut self.paths[path])) {
            path.was_serial |= is_serial;
            path.was_in_conflict &= is_serial;
        }
        match kind {
            FunctionKind::Mutation => self.life.mutation_runs += 1,
            FunctionKind::Query => self.life.query_runs += 1,
            FunctionKind::Action | FunctionKind::HttpAction => unreachable!("the simulation has no actions"),
        }
        self.note(|| format!("client {client} begins run {runs} at {at:?}, serial: {is_serial}"));
        let last = self.model.last();
        check(kind == FunctionKind::Query || at == last, Property::OneSnapshot, || {
            format!("a mutation begins at {at:?}, and the newest commit is at {last:?}")
        })?;
        // Time passes while it runs, so any function may be a slow one.
        let runs_max = limits::SLOW_MUTATION_TRIES_MAX as usize + 1;
        check(runs <= runs_max, Property::Results, || "a mutation runs more often than it may".to_owned())
    }

    pub(crate) fn note_conflict(&mut self, path: Option<usize>) {
        if let Some(path) = path {
            self.paths[path].was_in_conflict = true;
        }
        self.life.conflicts += 1;
        self.figures.conflicts += 1;
    }

    fn finish(&mut self, client: usize, finished: Finished) -> Checked {
        let running = self.clients[client].running.take().expect("it ran");
        self.gate.take_if(|holder| *holder == client);
        self.figures.runs += running.runs.len() as u64;
        match finished {
            Finished::Panicked(text) => Err(Broken {
                property: Property::NoPanic,
                detail: format!("in a call of client {client}: {text}"),
            }),
            Finished::Mutation(outcome) => self.finish_mutation(client, &running, outcome),
            Finished::Query(outcome) => self.finish_query(client, running, outcome),
        }
    }

    /// The process has gone in the midst of a call: what it had read until then was right.
    pub(crate) fn finish_stopped(&mut self, client: usize) -> Checked {
        let Some(running) = self.clients[client].running.take() else { return Ok(()) };
        let reports = self.clients[client].tell(Order::Stop);
        self.note(|| format!("client {client}'s call ends with the process"));
        check(matches!(reports[..], [Report::Finished(_)]), Property::NoPanic, || {
            format!("client {client} goes on when its process has gone")
        })?;
        running.runs.iter().try_for_each(|run| self.replay_run(client, &running, run).map(drop))
    }
}
