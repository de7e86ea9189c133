//! `weir:guest/calls`: calls of other functions inside the transaction of the running call.
use bytes::Bytes;
use weir_db::{CallError, CallOptions, FunctionInfo, FunctionKind, NestedCall, not_in_action};
use weir_value::ErrorCode;

use crate::bindings::weir::guest::calls::{CallError as WitCallError, Host};
use crate::call_state::{CallState, Scope, TransactionScope};
use crate::failure::CallEnd;

/// What a host function gives back: the end of all calls, an error for the guest, or the result.
type Answer = wasmtime::Result<Result<Vec<u8>, WitCallError>>;

impl Host for CallState {
    fn run_query(&mut self, path: String, args: Vec<u8>) -> Answer {
        self.call_function(NestedCall { path: &path, args: &args, called_as: FunctionKind::Query }, None)
    }

    fn run_mutation(&mut self, path: String, args: Vec<u8>) -> Answer {
        self.call_function(NestedCall { path: &path, args: &args, called_as: FunctionKind::Mutation }, None)
    }

    fn run_action(&mut self, _path: String, _args: Vec<u8>) -> Answer {
        Ok(Err(CallError::from(not_in_action("`runAction`")).into()))
    }

    fn run_with(&mut self, path: String, args: Vec<u8>, options: Vec<u8>) -> Answer {
        let options = match CallOptions::parse(&options) {
            Ok(options) => options,
            Err(error) => return Ok(Err(CallError::from(error).into())),
        };
        let call = NestedCall { path: &path, args: &args, called_as: options.kind };
        self.call_function(call, Some(&options))
    }

    fn function_handle(&mut self, path: String) -> wasmtime::Result<Result<String, WitCallError>> {
        let handle = match &mut self.scope {
            Scope::Transaction(TransactionScope { transaction: Some(transaction), .. }) => {
                let handle = transaction.function_handle(&path);
                if let Some(limit) = transaction.poisoned() {
                    return Err(CallEnd::Transaction(limit.clone()).into());
                }
                handle
            }
            Scope::Action(action) => action.call.function_handle(&path),
            Scope::Transaction(_) | Scope::Describe(_) => return Ok(Err(no_transaction())),
        };
        Ok(handle.map_err(WitCallError::from))
    }
}

impl CallState {
    /// Lets the deployment run a function in this call's transaction and time. Its guest's time is this guest's too.
    fn call_function(&mut self, call: NestedCall<'_>, options: Option<&CallOptions>) -> Answer {
        // What the guest printed until now stands before what the called function logs.
        self.pass_on_output(false);
        let time = self.time_left()?;
        if self.action().is_some() {
            return Ok(Err(no_options_in_action()));
        }
        let Scope::Transaction(scope) = &mut self.scope else { return Ok(Err(no_transaction())) };
        let Some(deployment) = scope.deployment.clone() else { return Ok(Err(no_transaction())) };
        let Some(transaction) = scope.transaction.take() else { return Ok(Err(no_transaction())) };
        let mut host_ticks = 0;
        let functions = &*deployment;
        let run = |info: &FunctionInfo, args: &Bytes, transaction| {
            let ended = deployment.run_within(info, args, transaction, time);
            host_ticks = ended.host_ticks;
            (ended.transaction, ended.result)
        };
        let (transaction, result) = match options {
            None => transaction.call_nested(functions, call, run),
            Some(options) => transaction.call_with_options(functions, call, options, run),
        };
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

/// The calls without options are other functions there.
fn no_options_in_action() -> WitCallError {
    WitCallError {
        code: ErrorCode::NoTransaction.to_string(),
        message: "an action calls functions without options: each call is a transaction of its own".into(),
        data: None,
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
