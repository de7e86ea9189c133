//! From the way a guest ended to the error that says why.
//!
//! Three audiences: the caller gets one or two sentences (the database puts the function's name before them), the
//! operator gets the backtrace in the log, the guest gets nothing, it is gone.
use bytes::Bytes;
use thiserror::Error;
use wasmtime::Trap;
use wasmtime_wasi::I32Exit;
use weir_db::{DbError, FunctionError};
use weir_value::ErrorCode;
use weir_value::limits::{ERROR_MESSAGE_BYTES_MAX, GUEST_STACK_BYTES_MAX};

use crate::RuntimeOptions;
use crate::bindings::weir::guest::types::Failure;
use crate::call_state::CallState;
use crate::memory::NO_MEMORY;
use crate::resource_limits::RefusedResource;

/// The reason for which the host ended a call.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum CallEnd {
    /// The guest's own time is over.
    #[error("the guest's time is over")]
    GuestTime,
    /// An action has computed for as long as it may.
    #[error("the action's time to compute is over")]
    ActionTime,
    /// All of the call's time is over.
    #[error("the call's time is over")]
    TotalTime,
    /// The host stops.
    #[error("the host stops")]
    Interrupted,
    /// A limit of the transaction.
    #[error(transparent)]
    Transaction(DbError),
    /// The guest ended it, with the function's own error.
    #[error(transparent)]
    Failed(FunctionError),
}

/// What wasmtime says when a guest hands over more than it may in one go; its type is private.
const TOO_MUCH_COPIED: &str = "fuel allocated for hostcalls has been exhausted";

/// A panic's text is cut after this many bytes in what the caller gets; the log has all of it.
const PANIC_BYTES_MAX: usize = 2 << 10;

/// The error of a call, or of a description, that ended with `error`.
pub(crate) fn explain(error: &wasmtime::Error, state: &CallState, options: &RuntimeOptions) -> FunctionError {
    if let Some(end) = error.downcast_ref::<CallEnd>() {
        return explain_end(end, options);
    }
    if let Some(exit) = error.downcast_ref::<I32Exit>() {
        return trap(format!("it ended its own process with exit code {}", exit.0));
    }
    match error.downcast_ref::<Trap>() {
        Some(cause) => explain_trap(*cause, state, options),
        None => explain_other(error, state, options),
    }
}

fn explain_end(end: &CallEnd, options: &RuntimeOptions) -> FunctionError {
    match end {
        CallEnd::GuestTime => timeout(format!(
            "it computed for longer than {} s, the time of one call; do less in it, or split it",
            options.call_guest_time_max.as_secs_f64()
        )),
        CallEnd::ActionTime => timeout(format!(
            "it computed for longer than {} s, which an action may; waiting is not counted",
            options.action_guest_time_max.as_secs_f64()
        )),
        CallEnd::TotalTime => timeout(format!(
            "it took longer than {} s, the time in the database included; read less in one call",
            options.call_total_time_max.as_secs_f64()
        )),
        CallEnd::Interrupted => FunctionError::System {
            code: ErrorCode::ShuttingDown,
            message: "it was interrupted, because the server stops; call it again when it has started"
                .to_owned(),
        },
        CallEnd::Transaction(error) => limit(error.code, error.message.clone()),
        CallEnd::Failed(error) => error.clone(),
    }
}

fn explain_trap(cause: Trap, state: &CallState, options: &RuntimeOptions) -> FunctionError {
    if cause == Trap::StackOverflow {
        return trap(format!(
            "its call stack of {} KiB overflowed; a recursion that does not end, or too deep a one",
            GUEST_STACK_BYTES_MAX >> 10
        ));
    }
    if let Some(refused) = state.resources.refused() {
        return refused_resource(refused, options);
    }
    match (&state.last_error_line, cause) {
        (Some(line), Trap::UnreachableCodeReached) => trap(cut(line).to_owned()),
        (None, Trap::UnreachableCodeReached) => {
            trap("unreachable code was reached (a panic or an abort that said nothing)".to_owned())
        }
        (_, Trap::MemoryOutOfBounds) => trap(
            // Rust keeps its larger locals on a stack of its own at the start of the memory, below which there is
            // nothing: that is where most of its endless recursions end.
            "out of bounds memory access: a call stack that grew without end, or a wild pointer".to_owned(),
        ),
        _ => trap(cause.to_string().trim_start_matches("wasm trap: ").to_owned()),
    }
}

/// An error that is not a trap: what the guest handed over is not what its type says, or the instance could not
/// be made.
fn explain_other(error: &wasmtime::Error, state: &CallState, options: &RuntimeOptions) -> FunctionError {
    let reason = error.root_cause().to_string();
    if reason.contains(TOO_MUCH_COPIED) {
        return result_too_large(options);
    }
    if let Some(at) = reason.find(NO_MEMORY) {
        let message = reason[at..].to_owned();
        return FunctionError::System { code: ErrorCode::Overloaded, message };
    }
    match state.resources.refused() {
        Some(refused) => refused_resource(refused, options),
        None => trap(format!("it broke the rules of the component model: {reason}")),
    }
}

fn refused_resource(refused: RefusedResource, options: &RuntimeOptions) -> FunctionError {
    match refused {
        RefusedResource::Memory => limit(
            ErrorCode::OutOfMemory,
            format!(
                "a call may have {} MiB of memory; work on less at a time",
                options.call_memory_bytes_max >> 20
            ),
        ),
        RefusedResource::Table => limit(
            ErrorCode::TooManyTableElements,
            format!("a call may have {} table elements", options.call_table_elements_max),
        ),
    }
}

/// The error of a call for which there is no place.
pub(crate) fn overloaded(options: &RuntimeOptions) -> FunctionError {
    let calls = options.max_concurrent_calls;
    let message = format!("no instance is free: the runtime is made for {calls} calls at the same time");
    FunctionError::System { code: ErrorCode::Overloaded, message }
}

/// The error of a result over the limit.
pub(crate) fn result_too_large(options: &RuntimeOptions) -> FunctionError {
    let mib = options.result_bytes_max >> 20;
    let message =
        format!("a call may give back, or pass to the host at once, {mib} MiB; return less at a time");
    limit(ErrorCode::ResultTooLarge, message)
}

/// The function's own error, its message cut to what a client is sent.
impl From<Failure> for FunctionError {
    fn from(failure: Failure) -> Self {
        let Failure { mut message, data } = failure;
        message.truncate(message.floor_char_boundary(ERROR_MESSAGE_BYTES_MAX));
        FunctionError::Application { message, data: data.map(Bytes::from) }
    }
}

fn timeout(message: String) -> FunctionError {
    FunctionError::Timeout { message }
}

fn limit(code: ErrorCode, message: String) -> FunctionError {
    FunctionError::Limit { code, message }
}

fn trap(message: String) -> FunctionError {
    FunctionError::Trap { message }
}

fn cut(line: &str) -> &str {
    &line[..line.floor_char_boundary(PANIC_BYTES_MAX)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_any_length_and_script_is_cut_between_characters() {
        let line = "é".repeat(PANIC_BYTES_MAX);
        assert_eq!(cut(&line).len(), PANIC_BYTES_MAX);
        let line = format!("x{line}");
        assert_eq!(cut(&line).len(), PANIC_BYTES_MAX - 1);
        assert_eq!(cut("short"), "short");
    }
}
