//! The errors of functions. What a client sees of one is its message, and its
//! data if it is an application error.

use std::fmt;

use serde::Serialize;

use crate::host;
use crate::json;

/// The result of a function or of a host call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a function does not give a result. Made by `?` from any error, by
/// [`bail!`](crate::bail) from a message, and by [`bail_with!`](crate::bail_with)
/// from data for the client. The transaction of a mutation that returns one is dropped.
pub struct Error(Box<Inner>);

struct Inner {
    message: String,
    /// The host's short name for what was wrong; empty for errors of the guest.
    code: String,
    /// JSON for the client.
    data: Option<Vec<u8>>,
}

impl Error {
    /// An error that says what is wrong in words.
    pub fn new(message: impl fmt::Display) -> Self {
        Self::from_parts(message.to_string(), String::new(), None)
    }

    /// An application error: the client gets `data` itself, as the `data` of a
    /// `ConvexError`. Use it for what a program is to react to.
    pub fn app<T: Serialize>(data: T) -> Self {
        match json::to_vec(&data) {
            Ok(data) => {
                let message = String::from_utf8_lossy(&data).into_owned();
                Self::from_parts(message, String::new(), Some(data))
            }
            Err(error) => Self::new(format_args!("the data of an error cannot be written: {error}")),
        }
    }

    fn from_parts(message: String, code: String, data: Option<Vec<u8>>) -> Self {
        Self(Box::new(Inner { message, code, data }))
    }

    /// The short name of an error that the host gave, such as `NotFound` or
    /// `InvalidId`, or that of a function which was called: `ApplicationError` for
    /// its own errors, `FunctionNotFound`, ...; `None` for all others.
    pub fn code(&self) -> Option<&str> {
        Some(self.0.code.as_str()).filter(|code| !code.is_empty())
    }

    /// What was wrong, in words.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Puts what was being done before what went wrong. Data stays as it is.
    #[must_use]
    pub fn context(mut self, doing: impl fmt::Display) -> Self {
        self.0.message = format!("{doing}: {}", self.0.message);
        self
    }

    /// The data of an application error, as JSON.
    pub fn data(&self) -> Option<&[u8]> {
        self.0.data.as_deref()
    }

    pub(crate) fn from_call(error: host::CallError) -> Self {
        Self::from_parts(error.message, error.code, error.data)
    }

    pub(crate) fn from_host(error: host::HostError) -> Self {
        Self::from_parts(error.message, error.code, None)
    }
}

impl From<Error> for host::Failure {
    fn from(error: Error) -> Self {
        Self { message: error.0.message, data: error.0.data }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code() {
            Some(code) => write!(f, "{code}: {}", self.0.message),
            None => f.write_str(&self.0.message),
        }
    }
}

/// With the causes, one after the other.
impl<E: std::error::Error> From<E> for Error {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            message.push_str(": ");
            message.push_str(&cause.to_string());
            source = cause.source();
        }
        Self::from_parts(message, String::new(), None)
    }
}

/// Says what was being done when an error came up, or what a `None` means.
pub trait Context<T> {
    /// The value, or an error with this text.
    ///
    /// # Errors
    /// If there is no value.
    fn context(self, text: impl fmt::Display) -> Result<T>;
}

impl<T> Context<T> for Option<T> {
    fn context(self, text: impl fmt::Display) -> Result<T> {
        self.ok_or_else(|| Error::new(text))
    }
}

impl<T, E: Into<Error>> Context<T> for std::result::Result<T, E> {
    fn context(self, text: impl fmt::Display) -> Result<T> {
        self.map_err(|error| error.into().context(text))
    }
}

/// Returns an error with a message: `bail!("no account {id}")`.
#[macro_export]
macro_rules! bail {
    ($($message:tt)*) => {
        return ::core::result::Result::Err($crate::Error::new(::core::format_args!($($message)*)))
    };
}

/// Returns an application error, whose data the client gets:
/// `bail_with!(fields! { code: "TooSmall", least: 5 })`.
#[macro_export]
macro_rules! bail_with {
    ($data:expr) => {
        return ::core::result::Result::Err($crate::Error::app($data))
    };
}

/// Returns an error with a message unless a condition holds:
/// `ensure!(amount > 0.0, "an amount must be positive")`.
#[macro_export]
macro_rules! ensure {
    ($condition:expr, $($message:tt)*) => {
        if !$condition {
            $crate::bail!($($message)*);
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields;

    fn parse(text: &str) -> Result<i32> {
        let number = text.parse::<i32>().context("reading the number")?;
        crate::ensure!(number >= 0, "{number} is negative");
        if number == 7 {
            crate::bail_with!(fields! { code: "Seven" });
        }
        Ok(number)
    }

    #[test]
    fn errors_say_what_was_wrong_and_during_what() {
        assert_eq!(parse("5").unwrap(), 5);
        assert_eq!(parse("x").unwrap_err().message(), "reading the number: invalid digit found in string");
        assert_eq!(parse("-1").unwrap_err().message(), "-1 is negative");
        assert_eq!(None::<()>.context("nothing").unwrap_err().message(), "nothing");
    }

    #[test]
    fn application_errors_carry_data() {
        let failure = host::Failure::from(parse("7").unwrap_err().context("reading"));
        assert_eq!(failure.message, r#"reading: {"code":"Seven"}"#);
        assert_eq!(failure.data.as_deref(), Some(br#"{"code":"Seven"}"#.as_slice()));
        assert_eq!(parse("x").unwrap_err().data(), None);
    }

    #[test]
    fn the_hosts_errors_keep_their_code() {
        let error = host::HostError { code: "NotFound".to_owned(), message: "gone".to_owned() };
        let error = Error::from_host(error).context("reading");
        assert_eq!((error.code(), error.message()), (Some("NotFound"), "reading: gone"));
        assert_eq!(Error::new("x").code(), None);
    }
}
