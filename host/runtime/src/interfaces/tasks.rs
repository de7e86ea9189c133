//! `weir:guest/tasks`: what goes on in the host while an action goes on.
use std::time::Duration;

use weir_db::{CallError, FunctionKind, HostFuture, not_in_action};
use weir_value::limits::ACTION_TOTAL_TIME_MS_MAX;

use crate::action::{End, RunningAction};
use crate::bindings::weir::guest::tasks::{CallError as WitCallError, Completion, Host};
use crate::bindings::weir::guest::types::Error;
use crate::call_state::CallState;

/// What a host function gives back: an error of the call's own end, an error for the guest, or the result.
pub(super) type Answer<R> = wasmtime::Result<Result<R, Error>>;

impl Host for CallState {
    fn run_query(&mut self, path: String, args: Vec<u8>) -> Answer<u32> {
        self.start_call(FunctionKind::Query, "`runQuery`", path, args)
    }

    fn run_mutation(&mut self, path: String, args: Vec<u8>) -> Answer<u32> {
        self.start_call(FunctionKind::Mutation, "`runMutation`", path, args)
    }

    fn run_action(&mut self, path: String, args: Vec<u8>) -> Answer<u32> {
        self.start_call(FunctionKind::Action, "`runAction`", path, args)
    }

    fn sleep(&mut self, milliseconds: f64) -> Answer<u32> {
        self.start("waiting", |action| {
            // What is no time is none; nothing waits for longer than an action may take.
            let milliseconds = milliseconds.clamp(0.0, ACTION_TOTAL_TIME_MS_MAX as f64);
            let time = Duration::try_from_secs_f64(milliseconds / 1e3).unwrap_or_default();
            let sleep = action.call.host().sleep(time);
            Ok(Box::pin(async move {
                sleep.await;
                End::Outcome(Ok(Vec::new()))
            }))
        })
    }

    fn wait(&mut self) -> Answer<Completion> {
        Ok(Err(not_in_action("waiting").into()))
    }

    fn cancel(&mut self, task: u32) -> wasmtime::Result<()> {
        if let Some(action) = self.action() {
            action.tasks.cancel(task);
        }
        Ok(())
    }
}

impl CallState {
    /// Starts a task, in an action.
    pub(super) fn start(
        &mut self,
        what: &str,
        work: impl FnOnce(&mut RunningAction) -> Result<HostFuture<End>, weir_db::DbError>,
    ) -> Answer<u32> {
        self.pass_on_output(false);
        let Some(action) = self.action() else { return Ok(Err(not_in_action(what).into())) };
        let started = action.tasks.check_room().and_then(|()| work(action));
        let host = action.call.host().clone();
        Ok(started.map(|work| action.tasks.start(&host, work)).map_err(Error::from))
    }

    fn start_call(&mut self, kind: FunctionKind, what: &str, path: String, args: Vec<u8>) -> Answer<u32> {
        self.start(what, |action| {
            let call = action.call.host().call(kind, path, args.into());
            Ok(Box::pin(async move { End::Outcome(call.await.map(Vec::from)) }))
        })
    }
}

/// The end of a task as the guest is told of it; `None` if it was given up.
pub(super) fn completion(action: &mut RunningAction, task: u32, end: End) -> Option<Completion> {
    let outcome = match end {
        End::Outcome(outcome) => outcome,
        End::Settle(settle) => settle(action),
    };
    let outcome = outcome.map_err(WitCallError::from);
    action.tasks.finish(task).then_some(Completion { task, outcome })
}

impl From<weir_db::DbError> for WitCallError {
    fn from(error: weir_db::DbError) -> Self {
        CallError::from(error).into()
    }
}
