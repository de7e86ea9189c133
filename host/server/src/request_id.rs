//! What a call is found by in the log, and what a client is told under it when the host itself failed.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use weir_db::CallError;
use weir_value::ErrorCode;

use crate::executor::JobLost;

/// How many ids this process has given, and the key that nobody knows.
static GIVEN: AtomicU64 = AtomicU64::new(0);
static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// A fresh request id: the keyed hash of a number, so that ids of two starts of a host are not alike, and no id costs a
/// call to the system. They are for the log; no data depends on them.
pub fn new_request_id() -> String {
    format!("{:016x}", KEY.hash_one(GIVEN.fetch_add(1, Ordering::Relaxed)))
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
