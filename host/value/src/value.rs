//! The value itself, and the ways to look into one. Says nothing of how it is written down.

use crate::{Object, ValueError, json};

/// One value, as functions, documents and clients see it.
///
/// `undefined` is not a value but the absence of one: `Option::None`.
/// Comparison, equality and hashing follow the total order across types
/// (see [`crate::compare`]): `-0.0` is below `0.0`, and a NaN equals itself.
#[derive(Debug, Clone)]
pub enum Value {
    /// `null`.
    Null,
    /// A 64-bit integer (`bigint`); `{"$integer": base64}` in JSON.
    Int64(i64),
    /// The timestamp of the commit to come, which becomes an `Int64` with it; `{"$commitTs": null}` in JSON. Only
    /// what a mutation writes and reads has it: nothing that is stored, or leaves the host. Higher than every `Int64`.
    CommitTimestamp,
    /// A double (`number`); what JSON calls a number.
    Float64(f64),
    /// `true` or `false`.
    Boolean(bool),
    /// Unicode text.
    String(String),
    /// Raw bytes; `{"$bytes": base64}` in JSON.
    Bytes(Vec<u8>),
    /// A list.
    Array(Vec<Value>),
    /// Named fields.
    Object(Object),
}

impl Value {
    /// Parses one value in the value encoding, as strictly as [`json::parse`].
    ///
    /// # Errors
    /// A [`ValueError`] that names the path within the value.
    pub fn from_json(text: &[u8]) -> Result<Value, ValueError> {
        json::parse(text)
    }

    /// Reads a value from JSON that is already parsed; the same rules as [`Value::from_json`],
    /// except that duplicate keys were merged before.
    ///
    /// # Errors
    /// A [`ValueError`] that names the path within the value.
    pub fn from_json_value(tree: &serde_json::Value) -> Result<Value, ValueError> {
        json::from_tree(tree)
    }

    /// Appends the canonical encoding: keys sorted, no spaces, integral floats without a fraction.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        json::write(self, out);
    }

    /// The canonical encoding as text.
    pub fn to_json(&self) -> String {
        String::from_utf8(self.to_json_bytes()).expect("the writer emits UTF-8 only")
    }

    /// The canonical encoding as bytes (valid UTF-8).
    pub fn to_json_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(128);
        self.write_json(&mut out);
        out
    }

    /// The `json` format of the HTTP API: integers as decimal strings, bytes as base64, NaN and
    /// the infinities as strings. Not reversible.
    pub fn to_clean_json(&self) -> serde_json::Value {
        crate::clean::to_clean_json(self)
    }

    /// What the value counts towards size limits, in bytes: 1 for null and booleans, 9 for
    /// numbers, 2 and the length for strings, bytes and containers, 1 more for each field name.
    pub fn size_bytes(&self) -> usize {
        match self {
            Value::Null | Value::Boolean(_) => 1,
            Value::Int64(_) | Value::CommitTimestamp | Value::Float64(_) => 9,
            Value::String(text) => 2 + text.len(),
            Value::Bytes(bytes) => 2 + bytes.len(),
            Value::Array(items) => 2 + items.iter().map(Value::size_bytes).sum::<usize>(),
            Value::Object(object) => object.size_bytes(),
        }
    }

    /// How deep containers stand in each other: 0 for a scalar, 1 for `[1]`, 2 for `[[1]]`.
    pub fn nesting(&self) -> usize {
        match self {
            Value::Array(items) => 1 + items.iter().map(Value::nesting).max().unwrap_or(0),
            Value::Object(object) => object.nesting(),
            _ => 0,
        }
    }

    /// The type's name as validators and error texts have it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Int64(_) => "bigint",
            Value::CommitTimestamp => "commit timestamp",
            Value::Float64(_) => "number",
            Value::Boolean(_) => "boolean",
            Value::String(_) => "string",
            Value::Bytes(_) => "bytes",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        }
    }

    /// Whether it is, or holds at any depth, the placeholder for the commit's timestamp.
    pub fn has_commit_timestamp(&self) -> bool {
        match self {
            Value::CommitTimestamp => true,
            Value::Array(items) => items.iter().any(Value::has_commit_timestamp),
            Value::Object(object) => object.values().any(Value::has_commit_timestamp),
            _ => false,
        }
    }

    /// Whether this is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// The boolean, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        if let Value::Boolean(flag) = self { Some(*flag) } else { None }
    }

    /// The 64-bit integer, if it is one. Floats are not converted.
    pub fn as_int64(&self) -> Option<i64> {
        if let Value::Int64(number) = self { Some(*number) } else { None }
    }

    /// The double, if it is one. Integers are not converted.
    pub fn as_float64(&self) -> Option<f64> {
        if let Value::Float64(number) = self { Some(*number) } else { None }
    }

    /// The text, if it is a string.
    pub fn as_str(&self) -> Option<&str> {
        if let Value::String(text) = self { Some(text) } else { None }
    }

    /// The bytes, if it is bytes.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        if let Value::Bytes(bytes) = self { Some(bytes) } else { None }
    }

    /// The items, if it is an array.
    pub fn as_array(&self) -> Option<&[Value]> {
        if let Value::Array(items) = self { Some(items) } else { None }
    }

    /// The fields, if it is an object.
    pub fn as_object(&self) -> Option<&Object> {
        if let Value::Object(object) = self { Some(object) } else { None }
    }

    /// The fields to change, if it is an object.
    pub fn as_object_mut(&mut self) -> Option<&mut Object> {
        if let Value::Object(object) = self { Some(object) } else { None }
    }

    /// The fields, taken out; the value itself when it is something else.
    ///
    /// # Errors
    /// The value, unchanged, when it is no object.
    pub fn into_object(self) -> Result<Object, Value> {
        if let Value::Object(object) = self { Ok(object) } else { Err(self) }
    }

    /// The value at a dotted path of field names (`author.name`); `None` where a field is missing
    /// or its parent is no object.
    pub fn at_path(&self, dotted: &str) -> Option<&Value> {
        dotted.split('.').try_fold(self, |value, name| value.as_object()?.get(name))
    }
}

macro_rules! value_from {
    ($($source:ty => $variant:ident),* $(,)?) => {$(
        impl From<$source> for Value {
            fn from(source: $source) -> Value {
                Value::$variant(source.into())
            }
        }
    )*};
}

value_from! {
    bool => Boolean, i64 => Int64, f64 => Float64, &str => String, String => String,
    Vec<u8> => Bytes, Vec<Value> => Array, Object => Object,
}
