//! `weir:guest/calls`: calls of other functions inside the transaction of the running call.
use weir_db::{CallError, FunctionKind, NestedCall, not_in_action};
use weir_value::ErrorCode;

use crate::bindings::weir::guest::calls::{CallError as WitCallError, Host};
use crate::call_state::{CallState, Scope};
use crate::failure::CallEnd;

/// What a host function gives back: the end of all calls, an error for the guest, or the result.
type Answer = wasmtime::Result<Result<Vec<u8>, WitCallError>>;

impl Host for CallState {
    fn run_query(&mut self, path: String, args: Vec<u8>) -> Answer {
        self.call_function(NestedCall { path: &path, args: &args, called_as: FunctionKind::Query })
    }

    fn run_mutation(&mut self, path: String, args: Vec<u8>) -> Answer {
        self.call_function(NestedCall { path: &path, args: &args, called_as: FunctionKind::Mutation })
    }

    fn run_action(&mut self, _path: String, _args: Vec<u8>) -> Answer {
        Ok(Err(CallError::from(not_in_action("`runAction`")).into()))
    }
}

impl CallState {
    /// Lets the deployment run a function in this call's transaction and time. Its guest's time is this guest's too.
    fn call_function(&mut self, call: NestedCall<'_>) -> Answer {
        // What the guest printed until now stands before what the called function logs.
        self.pass_on_output(false);
        let time = self.time_left()?;
        let Scope::Transaction(scope) = &mut self.scope else { return Ok(Err(no_transaction())) };
        let Some(deployment) = scope.deployment.clone() else { return Ok(Err(no_transaction())) };
        let Some(transaction) = scope.transaction.take() else { return Ok(Err(no_transaction())) };
        let mut host_ticks = 0;
        let functions = &*deployment;
        let (transaction, result) = transaction.call_nested(functions, call, |info, args, transaction| {
            let ended = deployment.run_within(info, args, transaction, time);
            host_ticks = ended.host_ticks;
            (ended.transaction, ended.result)
        });
        self.credit_host_ticks(host_ticks);
        let poison = transaction.poisoned().cloned();
        if let Scope::Transaction(scope) = &mut self.scope {
            scope.transaction = Some(transaction);
        }
        match poison {
            Some(limit) => Err(CallEnd::Transaction(limit).into()),
            None => Ok(result.map(Vec::from).map_err(WitCallError::from)),
        }
    }
}

fn no_transaction() -> WitCallError {
    WitCallError {
        code: ErrorCode::NoTransaction.to_string(),
        message: "`describe` runs without a transaction; call other functions in functions only".into(),
        data: None,
    }
}

impl From<CallError> for WitCallError {
    fn from(error: CallError) -> Self {
        WitCallError { code: error.code.to_string(), message: error.message, data: error.data.map(Vec::from) }
    }
}
