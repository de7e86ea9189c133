//! An action that runs natively: on a thread of its own, of which each time only one goes on.
//!
//! The SDK's executor waits for the host in a call that blocks. So an action has a stack of its own, as in a
//! host, and whoever polls it stands still until it ends or waits: what runs when is decided by the test
//! database alone.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::thread::{self, JoinHandle};

use std::panic::resume_unwind;

use bytes::Bytes;
use weir::__native::{CallError, Completion, Host, HostAction, HostDatabase, HostError, Level};
use weir_db::{ActionCall, DbError, FunctionError, FunctionKind, HostFuture, RunningAction, Transaction};

use crate::functions::call;
use crate::host::{call_error, host_error, log_level, metadata};

/// The stack of an action, in bytes.
const STACK_BYTES: usize = 8 << 20;

/// An action, from its arguments to its result.
pub(crate) enum ActionRun {
    New { path: String, args: Bytes, call: Arc<ActionCall> },
    Running(Guest),
    Over,
}

/// The thread of an action.
pub(crate) struct Guest {
    /// `None` when it is given up.
    ends: Option<(Sender<()>, Receiver<Event>)>,
    thread: Option<JoinHandle<()>>,
    /// What it waits for.
    waits: Option<HostFuture<()>>,
}

/// Why the thread of an action stands still.
enum Event {
    /// It waits until this is over.
    Waits(HostFuture<()>),
    /// It has come to its end.
    Ended(Result<Bytes, FunctionError>),
}

/// What an action unwinds with that is given up.
struct GivenUp;

impl ActionRun {
    pub(crate) fn new(path: String, args: Bytes, call: Arc<ActionCall>) -> ActionRun {
        ActionRun::New { path, args, call }
    }
}

impl Future for ActionRun {
    type Output = Result<Bytes, FunctionError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let ActionRun::New { path, args, call } = &mut *self {
            let guest = Guest::start(std::mem::take(path), std::mem::take(args), call.clone());
            *self = ActionRun::Running(guest);
        }
        let ActionRun::Running(guest) = &mut *self else { panic!("an action ends once") };
        let result = ready!(guest.poll(context));
        *self = ActionRun::Over;
        Poll::Ready(result)
    }
}

impl Guest {
    fn start(path: String, args: Bytes, call: Arc<ActionCall>) -> Guest {
        let (resume, resumed) = mpsc::channel();
        let (tell, events) = mpsc::channel();
        let name = path.clone();
        let body = move || {
            let result = run(&path, &args, call, tell.clone(), resumed);
            // Nobody waits for the end of what is given up.
            let _ = tell.send(Event::Ended(result));
        };
        let thread = thread::Builder::new().name(name).stack_size(STACK_BYTES).spawn(body);
        let thread = thread.unwrap_or_else(|error| panic!("the thread of an action: {error}"));
        Guest { ends: Some((resume, events)), thread: Some(thread), waits: None }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Bytes, FunctionError>> {
        let (resume, events) = self.ends.as_ref().expect("it is not given up");
        loop {
            if let Some(work) = &mut self.waits {
                ready!(work.as_mut().poll(context));
                self.waits = None;
                // One that has ended besides says so next.
                let _ = resume.send(());
            }
            match events.recv() {
                Ok(Event::Waits(work)) => self.waits = Some(work),
                Ok(Event::Ended(result)) => return Poll::Ready(result),
                Err(_) => {
                    let message = "its thread has ended".to_owned();
                    return Poll::Ready(Err(FunctionError::Trap { message }));
                }
            }
        }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.ends = None;
        if let Some(thread) = self.thread.take() {
            // What it unwinds with is no news.
            let _ = thread.join();
        }
    }
}

/// Runs the function, on its thread.
fn run(
    path: &str,
    args: &[u8],
    action: Arc<ActionCall>,
    tell: Sender<Event>,
    resumed: Receiver<()>,
) -> Result<Bytes, FunctionError> {
    let running = RefCell::new(RunningAction::new(action.clone()));
    let host = Rc::new(ActionHost { action, running, tell, resumed });
    let result = call(host.clone(), path, args);
    if result.is_err() {
        host.running.borrow_mut().break_off();
    }
    result
}

/// The host of one action.
struct ActionHost {
    action: Arc<ActionCall>,
    running: RefCell<RunningAction>,
    tell: Sender<Event>,
    resumed: Receiver<()>,
}

impl ActionHost {
    /// Stands still until this is over.
    fn wait_for<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        let place = Arc::new(Mutex::new(None));
        let filled = place.clone();
        let work = Box::pin(async move {
            let value = work.await;
            *filled.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
        });
        let is_told = self.tell.send(Event::Waits(work)).is_ok();
        if !is_told || self.resumed.recv().is_err() {
            // Without the panic hook: this is no bug.
            resume_unwind(Box::new(GivenUp));
        }
        let value = place.lock().unwrap_or_else(PoisonError::into_inner).take();
        value.expect("it is over when the action goes on")
    }

    /// Writes at once, and waits until that is durable.
    fn write<R>(&self, change: impl FnOnce(&mut Transaction) -> Result<R, DbError>) -> Result<R, HostError> {
        let (result, ts) = self.action.write(change).map_err(host_error)?;
        self.wait_for(self.action.host().durable(ts));
        Ok(result)
    }

    fn look<R>(&self, look: impl FnOnce(&mut Transaction) -> Result<R, DbError>) -> Result<R, HostError> {
        self.action.look(look).map_err(host_error)
    }

    fn call(&self, kind: FunctionKind, path: &str, args: &[u8]) -> Result<Vec<u8>, CallError> {
        let args = Bytes::copy_from_slice(args);
        let called = self.wait_for(self.action.call(kind, path, args));
        called.map(Vec::from).map_err(call_error)
    }

    fn begin(&self, work: impl FnOnce(&mut RunningAction) -> Result<u32, DbError>) -> Result<u32, HostError> {
        work(&mut self.running.borrow_mut()).map_err(host_error)
    }

    fn begin_call(&self, kind: FunctionKind, path: &str, args: &[u8]) -> Result<u32, HostError> {
        self.begin(|action| action.run(kind, path.to_owned(), Bytes::copy_from_slice(args)))
    }
}

impl Host for ActionHost {
    fn log(&self, level: Level, message: &str) {
        self.action.log(log_level(level), message);
    }

    fn now(&self) -> f64 {
        self.action.context().now_ms
    }

    fn random_seed(&self) -> Vec<u8> {
        self.action.context().seed.to_vec()
    }

    fn request_id(&self) -> String {
        self.action.context().request_id
    }

    fn identity(&self) -> Option<Vec<u8>> {
        self.action.identity().map(|who| who.json().to_vec())
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.look(|tx| tx.variable(name)).ok().flatten()
    }

    fn sign_jwt(&self, claims: &[u8], options: &[u8]) -> Result<String, HostError> {
        self.look(|tx| tx.sign_jwt(claims, options))
    }

    fn hash_password(&self, password: &str) -> Result<String, HostError> {
        let password = password.to_owned();
        self.wait_for(self.action.with_password(move |tx| tx.hash_password(&password))).map_err(host_error)
    }

    fn verify_password(&self, password: &str, hash: &str) -> Result<bool, HostError> {
        let (password, hash) = (password.to_owned(), hash.to_owned());
        let verified = self.action.with_password(move |tx| tx.verify_password(&password, &hash));
        self.wait_for(verified).map_err(host_error)
    }

    fn random_bytes(&self, length: u32) -> Result<Vec<u8>, HostError> {
        self.look(|tx| tx.random_bytes(length as usize))
    }

    fn digest(&self, algorithm: &str, data: &[u8]) -> Result<Vec<u8>, HostError> {
        weir_db::digest(algorithm, data).map_err(host_error)
    }

    fn run_at(&self, path: &str, args: &[u8], at_ms: f64) -> Result<String, HostError> {
        self.write(|tx| tx.schedule(path, args, at_ms))
    }

    fn cancel(&self, id: &str) -> Result<(), HostError> {
        self.write(|tx| tx.cancel_scheduled(id))
    }

    fn run_query(&self, path: &str, args: &[u8]) -> Result<Vec<u8>, CallError> {
        self.call(FunctionKind::Query, path, args)
    }

    fn run_mutation(&self, path: &str, args: &[u8]) -> Result<Vec<u8>, CallError> {
        self.call(FunctionKind::Mutation, path, args)
    }

    fn function_handle(&self, path: &str) -> Result<String, CallError> {
        self.action.function_handle(path).map_err(call_error)
    }

    fn generate_upload_url(&self) -> Result<String, HostError> {
        self.write(Transaction::generate_upload_url)
    }

    fn file_url(&self, id: &str) -> Result<Option<String>, HostError> {
        self.look(|tx| tx.file_url(id))
    }

    fn file_metadata(&self, id: &str) -> Result<Option<Vec<u8>>, HostError> {
        Ok(self.look(|tx| tx.stored_file(id))?.map(metadata))
    }

    fn delete_file(&self, id: &str) -> Result<(), HostError> {
        self.write(|tx| tx.delete_file(id))
    }

    fn database(&self) -> Result<&dyn HostDatabase, HostError> {
        let message = "an action has no database: it runs queries and mutations".to_owned();
        Err(HostError { code: "NoTransaction".to_owned(), message })
    }

    fn action(&self, _what: &str) -> Result<&dyn HostAction, HostError> {
        Ok(self)
    }
}

impl HostAction for ActionHost {
    fn begin_query(&self, path: &str, args: &[u8]) -> Result<u32, HostError> {
        self.begin_call(FunctionKind::Query, path, args)
    }

    fn begin_mutation(&self, path: &str, args: &[u8]) -> Result<u32, HostError> {
        self.begin_call(FunctionKind::Mutation, path, args)
    }

    fn begin_action(&self, path: &str, args: &[u8]) -> Result<u32, HostError> {
        self.begin_call(FunctionKind::Action, path, args)
    }

    fn sleep(&self, milliseconds: f64) -> Result<u32, HostError> {
        self.begin(|action| action.sleep(milliseconds))
    }

    fn wait(&self) -> Result<Completion, HostError> {
        loop {
            let mut ends = self.running.borrow_mut().begin_wait().map_err(host_error)?;
            let (ends, ended) = self.wait_for(async move {
                let ended = ends.next().await;
                (ends, ended)
            });
            let ended = ended.expect("an action holds its tasks");
            // One that was given up has ended before that.
            let completion = self.running.borrow_mut().end_wait(ends, ended);
            if let Some(weir_db::Completion { task, outcome }) = completion {
                return Ok(Completion { task, outcome: outcome.map_err(call_error) });
            }
        }
    }

    fn cancel_task(&self, task: u32) {
        self.running.borrow_mut().cancel(task);
    }

    fn read_stream(&self, stream: u32) -> Result<u32, HostError> {
        self.begin(|action| action.read_stream(stream))
    }

    fn create_stream(&self) -> Result<u32, HostError> {
        self.begin(RunningAction::create_stream)
    }

    fn write_stream(&self, stream: u32, piece: &[u8]) -> Result<u32, HostError> {
        self.begin(|action| action.write_stream(stream, piece.to_vec()))
    }

    fn close_stream(&self, stream: u32, broken: Option<&str>) {
        self.running.borrow_mut().close_stream(stream, broken.map(str::to_owned));
    }

    fn send(&self, request: &[u8], body: Option<&[u8]>) -> Result<u32, HostError> {
        self.begin(|action| action.send(request, body.map(<[u8]>::to_vec)))
    }

    fn respond(&self, response: &[u8], body: Option<&[u8]>) -> Result<(), HostError> {
        let respond = |action: &mut RunningAction| action.respond(response, body.map(<[u8]>::to_vec));
        respond(&mut self.running.borrow_mut()).map_err(host_error)
    }

    fn store_file(&self, options: &[u8], body: Option<&[u8]>) -> Result<u32, HostError> {
        self.begin(|action| action.store_file(options, body.map(<[u8]>::to_vec)))
    }

    fn read_file(&self, id: &str) -> Result<u32, HostError> {
        self.begin(|action| action.read_file(id))
    }
}
