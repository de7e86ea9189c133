//! One call of an action: from the client's JSON through the function to the client's JSON.
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tracing::Instrument;
use weir_value::FunctionPath;
use weir_value::limits::ACTION_TOTAL_TIME_MS_MAX;

use super::{ActionCall, ActionHost, BodyStream, NO_ARGS, Responder};
use crate::call::{self, Resolved};
use crate::error::Failure;
use crate::log_lines::LogLines;
use crate::stats::count;
use crate::{Call, CallError, Database, FunctionError, FunctionKind, Functions, Transaction};

/// How an action ended.
#[derive(Debug, Clone)]
pub struct ActionOutcome {
    /// Its result, canonical JSON.
    pub result: Result<Bytes, CallError>,
    /// What it logged: `[LEVEL] text`.
    pub log_lines: Vec<String>,
}

/// A request that an HTTP action answers.
pub struct HttpExchange {
    /// The request's body, if it has one.
    pub body: Option<BodyStream>,
    /// Tells whether the client is still there: it gives no pieces, breaks off when the client has left without having
    /// the whole response, and ends when it has that. `None`: nobody can know.
    pub connection: Option<BodyStream>,
    /// Takes the response; taken when that has begun.
    pub responder: Option<Responder>,
}

impl Database {
    /// Runs an action. Dropping the future gives the action up, wherever it is.
    pub async fn action(self: Arc<Self>, call: Call, host: Arc<dyn ActionHost>) -> ActionOutcome {
        let resolved = match self.resolve(&call, &self.deployments.newest().deployment, FunctionKind::Action)
        {
            Ok(resolved) => resolved,
            Err(failure) => return self.action_refused(&call, failure),
        };
        let args = self.look(&call, |tx| call::check_args(&resolved.info, &call.args, tx));
        let args = match args {
            Ok(args) => args,
            Err(failure) => return self.action_refused(&call, failure),
        };
        let span = call.span();
        self.run_action(call, resolved, args, host, None).instrument(span).await
    }

    /// Runs an HTTP action, which is told of its request in `args`: one JSON object.
    pub async fn http_action(
        self: Arc<Self>,
        call: Call,
        exchange: HttpExchange,
        host: Arc<dyn ActionHost>,
    ) -> ActionOutcome {
        // Its route is for everybody, whoever else may call it.
        let functions: Arc<dyn Functions> = self.deployments.newest().deployment.clone();
        let Some(info) = functions.find(&call.path).filter(|info| info.kind == FunctionKind::HttpAction)
        else {
            return self.action_refused(&call, Failure::NotFound { to_admin: false });
        };
        let (args, span) = (call.args.clone(), call.span());
        self.run_action(
            Call { args: NO_ARGS, ..call },
            Resolved { info, functions },
            args,
            host,
            Some(exchange),
        )
        .instrument(span)
        .await
    }

    fn action_refused(&self, call: &Call, failure: Failure) -> ActionOutcome {
        count(&self.counters.failures);
        ActionOutcome { result: Err(call::report(call, failure)), log_lines: Vec::new() }
    }

    /// Looks at the database as it is now.
    fn look<R>(&self, call: &Call, look: impl FnOnce(&mut Transaction) -> R) -> R {
        let snapshot = Arc::new(self.store().snapshot_durable());
        look(&mut self.begin(call, FunctionKind::Query, snapshot))
    }

    async fn run_action(
        self: Arc<Self>,
        call: Call,
        resolved: Resolved,
        args: Bytes,
        host: Arc<dyn ActionHost>,
        exchange: Option<HttpExchange>,
    ) -> ActionOutcome {
        count(&self.counters.action_runs);
        let action = Arc::new(ActionCall {
            seed: self.shared.entropy.draw(),
            db: self.clone(),
            call: call.clone(),
            exchange: exchange.map(Mutex::new),
            log: Mutex::new(LogLines::default()),
            host,
        });
        let result = self.measured_action(&call.path, in_time(&resolved, &args, &action)).await;
        let result = result
            .map_err(Failure::Function)
            .and_then(|json| self.look(&call, |tx| call::check_result(&resolved.info, &json, tx)));
        if result.is_err() {
            count(&self.counters.failures);
        }
        let log_lines = call::emit_log(&call, action.take_lines());
        ActionOutcome { result: result.map_err(|failure| call::report(&call, failure)), log_lines }
    }
}

/// Runs the function, for as long as an action may take.
async fn in_time(
    resolved: &Resolved,
    args: &Bytes,
    action: &Arc<ActionCall>,
) -> Result<Bytes, FunctionError> {
    let mut run = resolved.functions.run_action(&resolved.info, args, action.clone());
    let mut time = action.host().sleep(Duration::from_millis(ACTION_TOTAL_TIME_MS_MAX));
    poll_fn(|context| {
        if let Poll::Ready(result) = run.as_mut().poll(context) {
            return Poll::Ready(result);
        }
        time.as_mut().poll(context).map(|()| {
            let minutes = ACTION_TOTAL_TIME_MS_MAX / 60_000;
            let message =
                format!("it took longer than {minutes} minutes, which an action may; do the rest in another");
            Err(FunctionError::Timeout { message })
        })
    })
    .await
}

/// Why a deployment cannot run a function that is none of its own: the host has mixed up two.
pub fn not_of_this_deployment(path: &FunctionPath) -> FunctionError {
    FunctionError::System {
        code: weir_value::ErrorCode::InternalServerError,
        message: format!("`{path}` is not of this deployment"),
    }
}
