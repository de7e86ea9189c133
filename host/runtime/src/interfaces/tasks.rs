//! `weir:guest/tasks`: what goes on in the host while an action goes on.
use weir_db::{CallError, DbError, FunctionKind, RunningAction, not_in_action};

use crate::bindings::weir::guest::tasks::{CallError as WitCallError, Completion, Host, Polled};
use crate::bindings::weir::guest::types::Error;
use crate::call_state::CallState;

/// What a host function gives back: an error of the call's own end, an error for the guest, or the result.
pub(super) type Answer<R> = wasmtime::Result<Result<R, Error>>;

impl Host for CallState {
    fn run_query(&mut self, path: String, args: Vec<u8>) -> Answer<u32> {
        self.in_action("`runQuery`", |action| action.run(FunctionKind::Query, path, args.into()))
    }

    fn run_mutation(&mut self, path: String, args: Vec<u8>) -> Answer<u32> {
        self.in_action("`runMutation`", |action| action.run(FunctionKind::Mutation, path, args.into()))
    }

    fn run_action(&mut self, path: String, args: Vec<u8>) -> Answer<u32> {
        self.in_action("`runAction`", |action| action.run(FunctionKind::Action, path, args.into()))
    }

    fn sleep(&mut self, milliseconds: f64) -> Answer<u32> {
        self.in_action("waiting", |action| action.sleep(milliseconds))
    }

    fn wait(&mut self) -> Answer<Completion> {
        Ok(Err(not_in_action("waiting").into()))
    }

    fn poll(&mut self, _: Option<f64>) -> wasmtime::Result<Polled> {
        Ok(Polled::NotInAction)
    }

    fn cancel(&mut self, task: u32) -> wasmtime::Result<()> {
        if let Some(action) = self.action() {
            action.guest.cancel(task);
        }
        Ok(())
    }
}

impl CallState {
    /// Does what only an action may.
    pub(super) fn in_action<R>(
        &mut self,
        what: &str,
        work: impl FnOnce(&mut RunningAction) -> Result<R, DbError>,
    ) -> Answer<R> {
        self.pass_on_output(false);
        let Some(action) = self.action() else { return Ok(Err(not_in_action(what).into())) };
        Ok(work(&mut action.guest).map_err(Error::from))
    }
}

impl From<weir_db::Completion> for Completion {
    fn from(completion: weir_db::Completion) -> Self {
        let weir_db::Completion { task, outcome } = completion;
        Completion { task, outcome: outcome.map_err(WitCallError::from) }
    }
}

impl From<DbError> for WitCallError {
    fn from(error: DbError) -> Self {
        CallError::from(error).into()
    }
}
