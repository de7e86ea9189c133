//! Lines for the developer: they reach the caller and the host's log.

pub use crate::host::Level;

/// Writes one line; the macros [`log!`](crate::log), [`debug!`](crate::debug),
/// [`info!`](crate::info), [`warn!`](crate::warn) and [`error!`](crate::error) call it.
#[doc(hidden)]
pub fn write(level: Level, message: std::fmt::Arguments<'_>) {
    match message.as_str() {
        Some(text) => crate::host::log::write(level, text),
        None => crate::host::log::write(level, &message.to_string()),
    }
}

/// Writes a line that is of use while looking for a bug, in the form of `format!`.
#[macro_export]
macro_rules! debug {
    ($($message:tt)*) => {
        $crate::log::write($crate::log::Level::Debug, ::core::format_args!($($message)*))
    };
}

/// Writes a line that tells what is going on, in the form of `format!`.
#[macro_export]
macro_rules! info {
    ($($message:tt)*) => {
        $crate::log::write($crate::log::Level::Info, ::core::format_args!($($message)*))
    };
}

/// Writes a line, as JavaScript's `console.log` does, in the form of `format!`.
#[macro_export]
macro_rules! log {
    ($($message:tt)*) => {
        $crate::log::write($crate::log::Level::Log, ::core::format_args!($($message)*))
    };
}

/// Writes a line about something that may be wrong, in the form of `format!`.
#[macro_export]
macro_rules! warn {
    ($($message:tt)*) => {
        $crate::log::write($crate::log::Level::Warn, ::core::format_args!($($message)*))
    };
}

/// Writes a line about something that is wrong, in the form of `format!`.
#[macro_export]
macro_rules! error {
    ($($message:tt)*) => {
        $crate::log::write($crate::log::Level::Error, ::core::format_args!($($message)*))
    };
}
