//! What actions of a test run on: the functions that they call, time, requests that the test answers, files
//! in memory.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value as Json, json};
use weir_db::{
    ActionHost, BodyStream, Call, CallError, Database, DbError, FileToStore, FunctionKind, GivesUp,
    HostFuture, HttpRequest, HttpResponse, PasswordResult, PasswordWork, Principal, StoredFile, Trace,
};
use weir_store::SimEnv;
use weir_value::limits::NESTED_CALLS_DEPTH_MAX;
use weir_value::{DocumentId, ErrorCode, FunctionPath, Identity, Timestamp};

use crate::event_loop::EventLoop;
use crate::fetch::{FetchRequest, SentRequest, Waiting, send};
use crate::files::Files;
use crate::{ScheduledRun, TestError};

/// What the actions of one test database share.
pub(crate) struct Shared {
    pub(crate) db: Arc<Database>,
    pub(crate) env: Arc<SimEnv>,
    pub(crate) event_loop: Arc<EventLoop>,
    pub(crate) files: Files,
    /// How many scheduled actions are under way.
    pub(crate) jobs_under_way: AtomicUsize,
    tick: Mutex<Duration>,
    waiting: Mutex<Vec<Waiting>>,
    ended: Mutex<Vec<ScheduledRun>>,
    failure: Mutex<Option<TestError>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(crate) fn new(db: Arc<Database>, env: Arc<SimEnv>, tick: Duration) -> Arc<Shared> {
        Arc::new(Shared {
            db,
            event_loop: EventLoop::new(env.clone()),
            env,
            files: Files::default(),
            jobs_under_way: AtomicUsize::new(0),
            tick: Mutex::new(tick),
            waiting: Mutex::default(),
            ended: Mutex::default(),
            failure: Mutex::default(),
        })
    }

    pub(crate) fn set_tick(&self, tick: Duration) {
        *lock(&self.tick) = tick;
    }

    /// Lets the clock go on a little, so that later documents are later ones.
    pub(crate) fn tick(&self) {
        self.env.advance(*lock(&self.tick));
    }

    /// Waits until everything is durable; in memory that takes no time.
    pub(crate) fn settle(&self) {
        let store = self.db.store();
        if let Err(error) = store.wait_durable(store.sequenced()) {
            self.fail(TestError::Store(error.to_string()));
        }
    }

    /// A request waits for an answer.
    pub(crate) fn asked(&self, waiting: Waiting) {
        lock(&self.waiting).push(waiting);
    }

    /// The requests that wait for an answer, in the order in which they were sent.
    pub(crate) fn take_waiting(&self) -> Vec<Waiting> {
        std::mem::take(&mut lock(&self.waiting))
    }

    /// The test is at fault. Of several reasons the first is told.
    pub(crate) fn fail(&self, error: TestError) {
        lock(&self.failure).get_or_insert(error);
    }

    pub(crate) fn take_failure(&self) -> Result<(), TestError> {
        lock(&self.failure).take().map_or(Ok(()), Err)
    }

    pub(crate) fn job_ended(&self, run: ScheduledRun) {
        lock(&self.ended).push(run);
    }

    /// The jobs that have ended since somebody asked.
    pub(crate) fn take_ended(&self) -> Vec<ScheduledRun> {
        std::mem::take(&mut lock(&self.ended))
    }

    pub(crate) fn has_jobs_under_way(&self) -> bool {
        self.jobs_under_way.load(Ordering::Relaxed) > 0
    }
}

/// A function that an action has called.
#[derive(Debug, Clone)]
pub struct CalledFunction {
    /// As what it was called.
    pub kind: FunctionKind,
    /// The function.
    pub path: String,
    /// Its arguments, JSON.
    pub args: Bytes,
    /// Its result, canonical JSON, or its error; `None`: the action did not wait for it.
    pub result: Option<Result<Bytes, CallError>>,
    /// What it logged: `[LEVEL] text`.
    pub log_lines: Vec<String>,
}

/// What an action did beside what it logged, in the order in which it was begun: also what actions did that
/// it called.
#[derive(Debug, Clone, Default)]
pub struct Made {
    /// The functions that it called.
    pub calls: Vec<CalledFunction>,
    /// The requests that it sent.
    pub requests: Vec<SentRequest>,
    /// What its queries and mutations read and wrote.
    pub trace: Trace,
}

/// What an action has done so far.
#[derive(Default)]
pub(crate) struct Record(Mutex<Made>);

impl Record {
    fn call_begun(&self, kind: FunctionKind, path: &str, args: &Bytes) -> usize {
        let mut made = lock(&self.0);
        let (path, args) = (path.to_owned(), args.clone());
        made.calls.push(CalledFunction { kind, path, args, result: None, log_lines: Vec::new() });
        made.calls.len() - 1
    }

    fn call_ended(
        &self,
        number: usize,
        result: Result<Bytes, CallError>,
        log_lines: Vec<String>,
        trace: Trace,
    ) {
        let mut made = lock(&self.0);
        made.trace.reads.extend(trace.reads);
        made.trace.writes.extend(trace.writes);
        let call = &mut made.calls[number];
        (call.result, call.log_lines) = (Some(result), log_lines);
    }

    pub(crate) fn request_sent(&self, request: &FetchRequest) -> usize {
        let mut made = lock(&self.0);
        made.requests.push(SentRequest { request: request.clone(), outcome: None });
        made.requests.len() - 1
    }

    pub(crate) fn request_ended(&self, number: usize, outcome: Result<u16, DbError>) {
        lock(&self.0).requests[number].outcome = Some(outcome);
    }

    /// What was done.
    pub(crate) fn made(&self) -> Made {
        lock(&self.0).clone()
    }
}

/// The host of one action.
pub(crate) struct Host {
    shared: Arc<Shared>,
    identity: Option<Identity>,
    record: Arc<Record>,
    /// So many actions stand around it.
    depth: usize,
}

impl Host {
    /// The host of a call that is no part of another; with what it will have done.
    pub(crate) fn new(shared: &Arc<Shared>, call: &Call) -> (Arc<Host>, Arc<Record>) {
        let record = Arc::new(Record::default());
        let identity = call.principal.identity().cloned();
        let host = Host { shared: shared.clone(), identity, record: record.clone(), depth: 0 };
        (Arc::new(host), record)
    }
}

impl ActionHost for Host {
    fn call(
        &self,
        kind: FunctionKind,
        path: FunctionPath,
        args: Bytes,
    ) -> HostFuture<Result<Bytes, CallError>> {
        let number = self.record.call_begun(kind, &path.to_string(), &args);
        let (shared, record) = (self.shared.clone(), self.record.clone());
        let host = Host {
            shared: shared.clone(),
            identity: self.identity.clone(),
            record: record.clone(),
            depth: self.depth + 1,
        };
        let principal = Principal::Function { acting_for: self.identity.clone() };
        Box::pin(async move {
            let call = Call { path, args, principal, request_id: "nested".to_owned() };
            let called = call_nested(&shared, kind, call, host).await;
            let result = called.result.map_err(CallError::into_nested);
            record.call_ended(number, result.clone(), called.log_lines, called.trace);
            result
        })
    }

    fn durable(&self, _: Timestamp) -> HostFuture<()> {
        let shared = self.shared.clone();
        Box::pin(async move { shared.settle() })
    }

    fn sleep(&self, time: Duration) -> HostFuture<()> {
        Box::pin(self.shared.event_loop.sleep(time))
    }

    fn send(&self, request: HttpRequest) -> HostFuture<Result<HttpResponse, DbError>> {
        Box::pin(send(self.shared.clone(), self.record.clone(), request))
    }

    fn outbound_rules(&self) -> Json {
        json!({
            "byHost": true,
            "refusal": ", and a test reaches no network: it answers what `fetch` is asked for, and nothing else",
        })
    }

    fn compute_password(&self, work: PasswordWork) -> HostFuture<Result<PasswordResult, DbError>> {
        Box::pin(async move { Ok(work.run()) })
    }

    fn store_file(&self, file: FileToStore) -> HostFuture<Result<DocumentId, DbError>> {
        Box::pin(self.shared.clone().store_file(file))
    }

    fn read_file(&self, file: StoredFile) -> HostFuture<Result<BodyStream, DbError>> {
        let read = self.shared.read_file(&file);
        Box::pin(async move { read })
    }

    fn spawn(&self, work: HostFuture<()>) -> Box<dyn GivesUp> {
        Box::new(self.shared.event_loop.spawn(work))
    }
}

/// How a call ended that an action made.
struct Called {
    result: Result<Bytes, CallError>,
    log_lines: Vec<String>,
    trace: Trace,
}

fn refused(error: CallError) -> Called {
    Called { result: Err(error), log_lines: Vec::new(), trace: Trace::default() }
}

async fn call_nested(shared: &Arc<Shared>, kind: FunctionKind, call: Call, host: Host) -> Called {
    shared.settle();
    match kind {
        FunctionKind::Query => {
            let (outcome, trace) = shared.db.query_traced(&call, shared.db.store().snapshot_durable());
            Called { result: outcome.result, log_lines: outcome.log_lines, trace }
        }
        FunctionKind::Mutation => {
            let (outcome, trace) = shared.db.mutation_traced(&call);
            if !trace.writes.is_empty() {
                shared.tick();
            }
            shared.settle();
            Called { result: outcome.result, log_lines: outcome.log_lines, trace }
        }
        FunctionKind::Action | FunctionKind::HttpAction if host.depth > NESTED_CALLS_DEPTH_MAX => {
            let message = format!(
                "`{}` was called by too many actions, one inside the other (limit: {NESTED_CALLS_DEPTH_MAX}); a \
                 recursion that does not end?",
                call.path
            );
            refused(CallError::new(ErrorCode::NestedTooDeep, message))
        }
        FunctionKind::Action | FunctionKind::HttpAction => {
            let outcome = shared.db.clone().action(call, Arc::new(host)).await;
            Called { result: outcome.result, log_lines: outcome.log_lines, trace: Trace::default() }
        }
    }
}
