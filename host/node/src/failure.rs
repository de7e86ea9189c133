//! From the way a call in a child ended to the error that says why.
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use weir_db::FunctionError;
use weir_value::ErrorCode;
use weir_value::limits::ERROR_MESSAGE_BYTES_MAX;

use crate::NodeOptions;
use crate::pipe::PipeError;

/// What V8 prints before it ends its process.
const HEAP_IS_FULL: &str = "heap out of memory";

/// The function's own error, its message cut to what a client is sent.
pub(crate) fn thrown(mut message: String, data: Option<String>) -> FunctionError {
    message.truncate(message.floor_char_boundary(ERROR_MESSAGE_BYTES_MAX));
    FunctionError::Application { message, data: data.map(Into::into) }
}

pub(crate) fn result_too_large(options: &NodeOptions) -> FunctionError {
    let mib = options.result_bytes_max >> 20;
    let message = format!("an action may give back {mib} MiB; return less at a time");
    FunctionError::Limit { code: ErrorCode::ResultTooLarge, message }
}

pub(crate) fn out_of_memory(options: &NodeOptions) -> FunctionError {
    let mib = options.memory_bytes_max >> 20;
    let message = format!(
        "its Node process may have {mib} MiB of memory (`--node-memory`), three quarters of it for JavaScript's heap; work \
         on less at a time"
    );
    FunctionError::Limit { code: ErrorCode::OutOfMemory, message }
}

pub(crate) fn computed_too_long(options: &NodeOptions) -> FunctionError {
    let seconds = options.computing_time_max.as_secs_f64();
    let message =
        format!("it computed for longer than {seconds} s, which an action may; waiting is not counted");
    FunctionError::Timeout { message }
}

/// More children wait for other actions than there may be.
pub(crate) fn too_many(children: usize) -> FunctionError {
    let message = format!(
        "there are {children} Node processes, and all of them wait for other actions; let fewer actions call actions of \
         Node (limit: four times `--node-processes`)"
    );
    FunctionError::Limit { code: ErrorCode::TooManyActions, message }
}

/// The host could not have a child: for the operator.
pub(crate) fn no_child(message: String) -> FunctionError {
    FunctionError::System { code: ErrorCode::InternalServerError, message }
}

/// A child that ended, or closed its pipe, before it had answered. `last_lines` is the end of what it printed.
pub(crate) fn ended(
    error: &PipeError,
    status: Option<ExitStatus>,
    last_lines: &str,
    options: &NodeOptions,
) -> FunctionError {
    if last_lines.contains(HEAP_IS_FULL) {
        return out_of_memory(options);
    }
    let message = match (error, status) {
        (PipeError::Garbage(_), _) => {
            format!(
                "its Node process wrote to the host's pipe itself, which only the host's own script may: {error}"
            )
        }
        (PipeError::Closed, None) => "its Node process closed the pipe to the host".to_owned(),
        (PipeError::Closed, Some(status)) => match (status.code(), status.signal()) {
            (Some(code), _) => format!(
                "its Node process ended with exit code {code} before the action had ended; an action does not call \
                 `process.exit`"
            ),
            (None, Some(signal)) => format!("its Node process was ended by the signal {signal}"),
            (None, None) => "its Node process ended".to_owned(),
        },
    };
    FunctionError::Trap { message }
}
