//! Weir's JSON, straight between bytes and typed values: a serde format for
//! Convex's value encoding.
//!
//! | Rust | JSON |
//! |---|---|
//! | `i8`..`i32`, `u8`..`u32`, `f32`, `f64` | a number; `NaN`, infinities and `-0.0` as `{"$float": base64}` |
//! | `i64`, `u64`, `isize`, `usize` | `{"$integer": base64}`, 64 bits |
//! | [`CommitTimestamp`](crate::CommitTimestamp) | `{"$integer": base64}`, or `{"$commitTs": null}` where it is not known yet |
//! | [`Bytes`](crate::Bytes) | `{"$bytes": base64}` |
//! | `None` in a struct's field | the field is left out; `null` with [`nullable`](crate::nullable) |
//! | `None` elsewhere, `()` | `null` |
//! | an enum's variant | as serde says: `"Name"`, `{"Name": ...}`, or by its attributes |
//!
//! It is *not* a general JSON library: it trusts the host to have checked sizes
//! and depths, and to have refused duplicate keys.

mod de;
mod float;
mod input;
mod plain;
mod ser;

use std::fmt;

use serde::{Deserialize, Serialize};

pub(crate) use ser::Writer;

/// A newtype with this name holds a JSON text that is written as it is.
pub(crate) const RAW: &str = "$weir::raw";

/// The name in the object that stands for the timestamp of the commit to come.
pub(crate) const COMMIT_TIMESTAMP: &str = "$commitTs";
/// A newtype with this name reads numbers exactly: `$integer` as `i64`, all others as `f64`.
pub(crate) const EXACT: &str = "$weir::exact";

/// Why a value could not be written or read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonError(Box<str>);

impl JsonError {
    pub(crate) fn new(message: impl Into<Box<str>>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for JsonError {}

impl serde::ser::Error for JsonError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }
}

impl serde::de::Error for JsonError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }
}

/// Writes a value as JSON.
///
/// # Errors
/// A `u64` above `i64::MAX`, a 128-bit integer, or a map whose keys are no strings.
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, JsonError> {
    let mut writer = Writer::default();
    value.serialize(&mut writer)?;
    Ok(writer.into_bytes())
}

/// Writes a value as plain JSON, as the web has it: a 64-bit integer is a number.
///
/// # Errors
/// As for [`to_vec`]; bytes; a number that is not finite.
#[doc(hidden)]
pub fn to_plain_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, JsonError> {
    let mut writer = Writer::plain();
    value.serialize(&mut writer)?;
    Ok(writer.into_bytes())
}

/// Writes a value as JSON, a `None` as `undefined`: the value of a field that is missing.
pub(crate) fn to_vec_or_undefined<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, JsonError> {
    let mut writer = Writer::default();
    value.serialize(&mut writer)?;
    Ok(if writer.is_none() { br#"{"$undefined":null}"#.to_vec() } else { writer.into_bytes() })
}

/// Reads a value from JSON.
///
/// # Errors
/// Names what was expected and what was found, or the byte where the text is no JSON.
pub fn from_slice<'de, T: Deserialize<'de>>(json: &'de [u8]) -> Result<T, JsonError> {
    let text = std::str::from_utf8(json).map_err(|_| JsonError::new("the JSON is not UTF-8"))?;
    let mut reader = de::Reader::new(text);
    let value = T::deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

#[cfg(test)]
mod tests;
