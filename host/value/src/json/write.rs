//! Writing values, one form for each: names sorted, no spaces, the shortest numbers that read
//! back as the same double, integral ones without a fraction.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::encoding::needs_encoding;
use crate::{Object, Value};

/// Up to here every integer is a double, and an integral one is written as an integer.
const INTEGRAL_MAX: f64 = 9_007_199_254_740_992.0;

/// The placeholder for the commit's timestamp.
pub(crate) const COMMIT_TIMESTAMP: &[u8] = br#"{"$commitTs":null}"#;

/// The integer that a double is, if it is one that prints as such: not -0, not beyond 2^53.
pub(crate) fn as_integer(number: f64) -> Option<i64> {
    let is_integral = number.fract() == 0.0 && number.abs() <= INTEGRAL_MAX;
    (is_integral && !needs_encoding(number)).then_some(number as i64)
}

/// Appends the canonical encoding of a value. What is nested deeper than values may be is
/// written all the same, and refused when it is read.
pub fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Boolean(true) => out.extend_from_slice(b"true"),
        Value::Boolean(false) => out.extend_from_slice(b"false"),
        Value::Float64(number) => write_float(*number, out),
        Value::Int64(number) => write_encoded("$integer", &number.to_le_bytes(), out),
        Value::CommitTimestamp => out.extend_from_slice(COMMIT_TIMESTAMP),
        Value::Bytes(bytes) => write_encoded("$bytes", bytes, out),
        Value::String(text) => write_string(text, out),
        Value::Array(items) => write_array(items, out),
        Value::Object(object) => write_object(object, out),
    }
}

/// Appends an object as [`write()`] does.
pub fn write_object(object: &Object, out: &mut Vec<u8>) {
    out.push(b'{');
    for (position, (name, value)) in object.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        write_string(name, out);
        out.push(b':');
        write(value, out);
    }
    out.push(b'}');
}

/// Appends a text in quotes, with only those characters escaped that JSON does not allow.
pub fn write_string(text: &str, out: &mut Vec<u8>) {
    write_with_serde(text, out);
}

fn write_array(items: &[Value], out: &mut Vec<u8>) {
    out.push(b'[');
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        write(item, out);
    }
    out.push(b']');
}

/// Appends a double as [`write()`] does.
pub(crate) fn write_float(number: f64, out: &mut Vec<u8>) {
    if needs_encoding(number) {
        write_encoded("$float", &number.to_le_bytes(), out);
    } else if let Some(integer) = as_integer(number) {
        write_with_serde(&integer, out);
    } else {
        write_with_serde(&number, out);
        if out.ends_with(b".0") {
            out.truncate(out.len() - 2);
        }
    }
}

fn write_encoded(name: &str, bytes: &[u8], out: &mut Vec<u8>) {
    for part in ["{\"", name, "\":\""] {
        out.extend_from_slice(part.as_bytes());
    }
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, 0);
    STANDARD.encode_slice(bytes, &mut out[start..]).expect("the room was made for it");
    out.extend_from_slice(b"\"}");
}

fn write_with_serde<T: serde::Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) {
    serde_json::to_writer(out, value).expect("numbers and texts are JSON, and a vector takes them");
}
