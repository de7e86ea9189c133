//! The objects that encode what JSON lacks: their names, and what stands in them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::ValueErrorReason;
use crate::Value;
use crate::names::check_field_name;

/// Which encoding an object is, by its one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// `$integer`: base64 of 8 little-endian bytes.
    Integer,
    /// `$float`: the same, for NaN, the infinities and -0.
    Float,
    /// `$bytes`: base64.
    Bytes,
    /// `$undefined`: null.
    Undefined,
    /// `$commitTs`: null.
    CommitTimestamp,
}

impl Encoding {
    /// The encoding with this name, which starts with `$`.
    pub(super) fn named(name: &str) -> Result<Encoding, ValueErrorReason> {
        let unsupported =
            |encoding, instead| Err(ValueErrorReason::EncodingUnsupported { encoding, instead });
        match name {
            "$integer" => Ok(Encoding::Integer),
            "$float" => Ok(Encoding::Float),
            "$bytes" => Ok(Encoding::Bytes),
            "$undefined" => Ok(Encoding::Undefined),
            "$commitTs" => Ok(Encoding::CommitTimestamp),
            "$set" => unsupported("$set", "use an array"),
            "$map" => unsupported("$map", "use an object, or an array of pairs"),
            _ => match check_field_name(name) {
                Err(error) => Err(ValueErrorReason::Name(error)),
                Ok(()) => unreachable!("field names do not start with `$`"),
            },
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Encoding::Integer => "$integer",
            Encoding::Float => "$float",
            Encoding::Bytes => "$bytes",
            Encoding::Undefined => "$undefined",
            Encoding::CommitTimestamp => "$commitTs",
        }
    }

    /// The error for content of any other kind.
    pub(super) fn wrong_content(self) -> ValueErrorReason {
        let expected = match self {
            Encoding::Integer => "the base64 of 8 bytes, little-endian",
            Encoding::Float => {
                "the base64 of 8 bytes, little-endian, that are NaN, an infinity or -0; other numbers are written as they are"
            }
            Encoding::Bytes => "padded base64 in the standard alphabet",
            Encoding::Undefined | Encoding::CommitTimestamp => "null",
        };
        ValueErrorReason::EncodingContent { encoding: self.name(), expected }
    }

    /// The value that the content means; `None` is `undefined`.
    pub(super) fn decode(self, content: Option<Value>) -> Result<Option<Value>, ValueErrorReason> {
        let decoded = match (self, content) {
            (Encoding::Undefined, Some(Value::Null)) => return Ok(None),
            (Encoding::CommitTimestamp, Some(Value::Null)) => Some(Value::CommitTimestamp),
            (Encoding::Integer, Some(Value::String(text))) => {
                decode_8(&text).map(i64::from_le_bytes).map(Value::Int64)
            }
            (Encoding::Float, Some(Value::String(text))) => decode_8(&text)
                .map(f64::from_le_bytes)
                .filter(|&number| needs_encoding(number))
                .map(Value::Float64),
            (Encoding::Bytes, Some(Value::String(text))) => STANDARD.decode(text).ok().map(Value::Bytes),
            _ => None,
        };
        decoded.map(Some).ok_or_else(|| self.wrong_content())
    }
}

/// Whether JSON has no number for it: NaN, the infinities and -0.
pub(super) fn needs_encoding(number: f64) -> bool {
    !number.is_finite() || (number == 0.0 && number.is_sign_negative())
}

fn decode_8(text: &str) -> Option<[u8; 8]> {
    // The length first: the text may be of any size.
    if text.len() == 12 { STANDARD.decode(text).ok()?.try_into().ok() } else { None }
}
