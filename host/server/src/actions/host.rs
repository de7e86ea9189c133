//! What an action needs of the server, on behalf of its caller.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::AbortHandle;
use futures_util::stream;
use serde_json::Value as Json;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use weir_db::{
    ActionHost, Body, BodyStream, Call, CallError, DbError, FileToStore, FunctionKind, GivesUp, HostFuture,
    HttpRequest, HttpResponse, MutationStep, PasswordResult, PasswordResults, PasswordWork, Principal,
    StoredFile, Teardown,
};
use weir_value::limits::NESTED_CALLS_DEPTH_MAX;
use weir_value::{DocumentId, ErrorCode, FunctionPath, Timestamp};

use super::Actions;
use crate::answer::held_with;
use crate::descriptors::TooManyOpen;
use crate::executor::{Flow, JobKind, Work};
use crate::request_id::{internal_error, not_run_error};
use crate::tasks::pause;

/// The host of one action. Its futures run on the network's threads; functions that they call, on the executor's.
pub struct Host {
    actions: Arc<Actions>,
    principal: Principal,
    request_id: String,
    /// Whose it is.
    flow: Flow,
    /// So many actions stand around it.
    depth: usize,
    /// Where its futures run, wherever they are polled.
    runtime: Handle,
}

impl Host {
    /// The host of this call, of this client and so many actions deep.
    pub fn new(actions: Arc<Actions>, call: &Call, (flow, depth): (Flow, usize), runtime: Handle) -> Host {
        let (principal, request_id) = (call.principal.clone(), call.request_id.clone());
        Host { actions, principal, request_id, flow, depth, runtime }
    }

    /// Starts work on a thread of the network; dropping what this gives ends it.
    fn start<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = Option<T>> + Send + 'static {
        let (sender, receiver) = oneshot::channel();
        let spawned = self.spawn(Box::pin(async move {
            let _ = sender.send(work.await);
        }));
        async move {
            let result = receiver.await.ok();
            drop(spawned);
            result
        }
    }

    /// Functions see internal ones too: an action is the app's own.
    fn nested_call(&self, path: FunctionPath, args: Bytes) -> Call {
        let principal = Principal::Function { acting_for: self.principal.identity().cloned() };
        Call { path, args, principal, request_id: self.request_id.clone() }
    }
}

/// A task that ends when this is dropped.
struct Spawned(AbortHandle);

impl GivesUp for Spawned {}

impl Drop for Spawned {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl ActionHost for Host {
    fn call(
        &self,
        kind: FunctionKind,
        path: FunctionPath,
        args: Bytes,
    ) -> HostFuture<Result<Bytes, CallError>> {
        let (actions, call, depth) =
            (Arc::clone(&self.actions), self.nested_call(path, args), self.depth + 1);
        let (request_id, flow) = (self.request_id.clone(), self.flow);
        let called = self.start(async move {
            let result = match kind {
                FunctionKind::Query => query(&actions, flow, call).await,
                FunctionKind::Mutation => mutation(&actions, flow, call).await,
                FunctionKind::Action | FunctionKind::HttpAction if depth > NESTED_CALLS_DEPTH_MAX => {
                    let message = format!(
                        "`{}` was called by too many actions, one inside the other (limit: {NESTED_CALLS_DEPTH_MAX}); a \
                         recursion that does not end?",
                        call.path
                    );
                    Err(CallError::new(ErrorCode::NestedTooDeep, message))
                }
                FunctionKind::Action | FunctionKind::HttpAction => {
                    Box::pin(actions.run_below(call, flow, depth)).await.result
                }
            };
            result.map_err(CallError::into_nested)
        });
        Box::pin(
            async move { called.await.unwrap_or_else(|| Err(internal_error(&request_id).into_nested())) },
        )
    }

    fn durable(&self, ts: Timestamp) -> HostFuture<()> {
        let durable = Arc::clone(&self.actions.durable);
        Box::pin(async move { durable.wait(ts).await })
    }

    fn sleep(&self, time: Duration) -> HostFuture<()> {
        let _context = self.runtime.enter();
        Box::pin(tokio::time::sleep(time))
    }

    fn send(&self, request: HttpRequest) -> HostFuture<Result<HttpResponse, DbError>> {
        let actions = Arc::clone(&self.actions);
        let sent = self.start(async move {
            let place = actions.machine.open_for_request().map_err(too_many_open)?;
            let response = actions.client.send(request).await?;
            let body = match response.body {
                Body::Stream(stream) => Body::Stream(held_with(stream, place)),
                body => body,
            };
            Ok(HttpResponse { body, ..response })
        });
        let stopped = || DbError::new(ErrorCode::FetchFailed, "the server stops");
        Box::pin(async move { sent.await.unwrap_or_else(|| Err(stopped())) })
    }

    fn outbound_rules(&self) -> Json {
        self.actions.client.rules().to_json()
    }

    fn compute_password(&self, work: PasswordWork) -> HostFuture<Result<PasswordResult, DbError>> {
        let actions = Arc::clone(&self.actions);
        Box::pin(async move {
            let threads = &actions.machine.passwords;
            let place = threads
                .take_place()
                .map_err(|error| DbError::new(ErrorCode::Overloaded, error.to_string()))?;
            let lost = || DbError::new(ErrorCode::InternalServerError, "The password was not computed.");
            threads.run(place, work).await.ok_or_else(lost)
        })
    }

    fn store_file(&self, file: FileToStore) -> HostFuture<Result<DocumentId, DbError>> {
        let storage = Arc::clone(&self.actions.storage);
        let stored = self.start(async move { storage.store(file).await });
        Box::pin(async move { stored.await.unwrap_or_else(|| Err(stopping())) })
    }

    fn read_file(&self, file: StoredFile) -> HostFuture<Result<BodyStream, DbError>> {
        let storage = Arc::clone(&self.actions.storage);
        let opened = self.start(async move { storage.read_all(&file).await });
        let runtime = self.runtime.clone();
        Box::pin(async move {
            let mut body = opened.await.unwrap_or_else(|| Err(stopping()))?;
            // Files are read by threads of the runtime, wherever the action is polled.
            let entered = stream::poll_fn(move |context| {
                let _context = runtime.enter();
                body.as_mut().poll_next(context)
            });
            Ok(Box::pin(entered) as BodyStream)
        })
    }

    fn spawn(&self, work: HostFuture<()>) -> Box<dyn GivesUp> {
        let _context = self.runtime.enter();
        Box::new(Spawned(self.actions.machine.tasks.spawn_abortable(work)))
    }
}

async fn query(actions: &Actions, flow: Flow, call: Call) -> Result<Bytes, CallError> {
    let (db, id) = (Arc::clone(&actions.db), call.request_id.clone());
    let at = db.store().snapshot_durable();
    let executor = &actions.machine.executor;
    let work = executor.calling(&call.path, Work::of(JobKind::Action, flow));
    let learner = Arc::clone(executor);
    let query = move |teardown: &mut Teardown| {
        learner.learn(&call.path, || db.query_again(&call, at, None, teardown))
    };
    executor.run_calls(work, query).await.map_err(|lost| not_run_error(lost, &id))?.result
}

/// Runs a mutation until it is durable.
async fn mutation(actions: &Actions, flow: Flow, call: Call) -> Result<Bytes, CallError> {
    let call = Arc::new(call);
    let mut passwords = PasswordResults::default();
    loop {
        let (db, stepped) = (Arc::clone(&actions.db), Arc::clone(&call));
        let executor = &actions.machine.executor;
        let work = Work::of(JobKind::Mutation, flow).serially(db.is_serial(&call.path));
        let work = executor.calling(&call.path, work);
        let learner = Arc::clone(executor);
        let step = move |teardown: &mut Teardown| {
            let step = || db.step_mutation(&stepped, None, &mut passwords, teardown);
            (learner.learn(&stepped.path, step), passwords)
        };
        let step = executor.run_calls(work, step).await;
        let (step, known) = step.map_err(|lost| not_run_error(lost, &call.request_id))?;
        passwords = known;
        match step {
            MutationStep::Ended(outcome) => {
                actions.durable.wait(outcome.ts).await;
                pause(outcome.pause).await;
                return outcome.result;
            }
            MutationStep::Waits(work) => {
                let threads = &actions.machine.passwords;
                let place = threads.take_place().map_err(|error| error.into_call_error(&call.request_id))?;
                passwords
                    .add(threads.run(place, work).await.ok_or_else(|| internal_error(&call.request_id))?);
            }
        }
    }
}

fn too_many_open(error: TooManyOpen) -> DbError {
    DbError::new(ErrorCode::FetchFailed, error.to_string())
}

fn stopping() -> DbError {
    DbError::new(ErrorCode::ShuttingDown, "The server stops.")
}
