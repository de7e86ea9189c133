//! Why a call failed, as its client would read it.

use std::fmt;

use serde::de::DeserializeOwned;
use weir_db::CallError;
use weir_testing::TestError;

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(CallError);

impl Error {
    pub(crate) fn new(error: CallError) -> Self {
        Self(error)
    }

    /// The kind of error: `ApplicationError` for the function's own, `ArgumentValidationError`,
    /// `FunctionNotFound`, `TooManyReads`, ...
    pub fn code(&self) -> &str {
        self.0.code.as_str()
    }

    /// What a client reads: `Uncaught Error: ...`.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The data of an application error. `None` if it has none, or if that is no `T`.
    pub fn data<T: DeserializeOwned>(&self) -> Option<T> {
        weir::json::from_slice(self.0.data.as_deref()?).ok()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for Error {}

/// Why a file was not uploaded, as whoever uploads it would read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadError {
    code: String,
    message: String,
}

impl UploadError {
    pub(crate) fn new(error: TestError) -> Self {
        let code = match &error {
            TestError::File(error) => error.code.as_str(),
            _ => "InternalServerError",
        };
        Self { code: code.to_owned(), message: error.to_string() }
    }

    /// The kind of error: `InvalidUploadToken`, `UploadTokenUsed`, `UploadTokenExpired`,
    /// `InvalidContentType`, ...
    pub fn code(&self) -> &str {
        &self.code
    }
}

impl fmt::Display for UploadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for UploadError {}
