//! What went wrong, as clients are told.

use weir::prelude::*;

/// `code` for programs, `message` for people.
#[value]
pub struct Problem {
    pub code: String,
    pub message: String,
}

impl Problem {
    pub fn new(code: &str, message: impl Into<String>) -> Problem {
        Problem { code: code.to_owned(), message: message.into() }
    }
}

/// The error that tells a client of it.
pub fn problem(code: &str, message: impl Into<String>) -> Error {
    Error::app(Problem::new(code, message))
}
