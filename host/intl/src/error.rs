//! What is wrong with an option, a locale or an input.

use weir_value::ErrorCode;

/// Why there is no answer, with the words that ECMA-402's error of this kind is to have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IntlError {
    /// A value that is out of range: `RangeError`.
    #[error("{0}")]
    Range(String),
    /// A value of the wrong kind, or what this host does not have: `TypeError`.
    #[error("{0}")]
    Type(String),
}

impl IntlError {
    /// The error's code, which guests tell it by.
    pub fn code(&self) -> ErrorCode {
        match self {
            IntlError::Range(_) => ErrorCode::IntlRangeError,
            IntlError::Type(_) => ErrorCode::IntlTypeError,
        }
    }
}

/// A result of this room.
pub type Result<T, E = IntlError> = std::result::Result<T, E>;

pub(crate) fn range<T>(message: impl Into<String>) -> Result<T> {
    Err(IntlError::Range(message.into()))
}

/// An input or an option that the runtime in the guest never gives, but another guest may.
pub(crate) fn invalid(what: &str, error: impl std::fmt::Display) -> IntlError {
    IntlError::Type(format!("{what} cannot be read: {error}"))
}
