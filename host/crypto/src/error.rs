//! Why something was not done.
use std::fmt;

use weir_value::ErrorCode;

/// Why something was not done. The message shows no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CryptoError {
    /// `UnsupportedAlgorithm`, `InvalidKey` or `CryptoFailed`.
    pub code: ErrorCode,
    /// One or two sentences: what was wrong and what to do.
    pub message: String,
}

impl CryptoError {
    pub(crate) fn unsupported(message: impl Into<String>) -> CryptoError {
        CryptoError { code: ErrorCode::UnsupportedAlgorithm, message: message.into() }
    }

    pub(crate) fn key(message: impl Into<String>) -> CryptoError {
        CryptoError { code: ErrorCode::InvalidKey, message: message.into() }
    }

    pub(crate) fn failed(message: impl Into<String>) -> CryptoError {
        CryptoError { code: ErrorCode::CryptoFailed, message: message.into() }
    }
}

impl fmt::Display for CryptoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for CryptoError {}
