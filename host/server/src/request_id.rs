//! What a call is found by in the log, and what a client is told under it when the host itself failed.

use weir_db::CallError;
use weir_value::ErrorCode;

use crate::executor::JobLost;

/// A request's id when the client gives none: this many random bytes, as hex.
const REQUEST_ID_BYTES: usize = 8;

/// A fresh request id.
pub fn new_request_id() -> String {
    let mut bytes = [0_u8; REQUEST_ID_BYTES];
    // Without randomness ids repeat, which confuses a reader of the log and
    // nobody else.
    #[expect(clippy::disallowed_methods, reason = "request ids are for the log; no data depends on them")]
    let _ = getrandom::fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a client reads whose call was not run, or was lost.
pub fn not_run_error(lost: JobLost, request_id: &str) -> CallError {
    let code = match lost {
        JobLost::TooLate => ErrorCode::Overloaded,
        JobLost::Stopped => ErrorCode::ShuttingDown,
        JobLost::Panicked => return internal_error(request_id),
    };
    let message = format!("[Request ID: {request_id}] Server Error\n{}: {lost}", code.as_str());
    CallError { retryable: true, ..CallError::new(code, message).public() }
}

/// What a client reads when the host itself failed.
pub fn internal_error(request_id: &str) -> CallError {
    let message = format!(
        "[Request ID: {request_id}] Server Error\nYour request couldn't be completed. Try again later."
    );
    CallError::new(ErrorCode::InternalServerError, message).public()
}
