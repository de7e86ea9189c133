//! The `json` format of the HTTP API: plain JSON for people and programs that do not know the
//! value encoding. It loses types and cannot be read back.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Number, Value as Json};

use crate::Value;
use crate::json::as_integer;

/// Integers become decimal strings, bytes base64, NaN and the infinities strings.
pub(crate) fn to_clean_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Int64(number) => Json::String(number.to_string()),
        // No value for clients has it: it is another value by then.
        Value::CommitTimestamp => Json::Null,
        Value::Float64(number) => clean_float(*number),
        Value::Boolean(flag) => Json::Bool(*flag),
        Value::String(text) => Json::String(text.clone()),
        Value::Bytes(bytes) => Json::String(STANDARD.encode(bytes)),
        Value::Array(items) => Json::Array(items.iter().map(to_clean_json).collect()),
        Value::Object(object) => {
            Json::Object(object.iter().map(|(name, value)| (name.clone(), to_clean_json(value))).collect())
        }
    }
}

fn clean_float(number: f64) -> Json {
    if let Some(integer) = as_integer(number) {
        return Json::Number(integer.into());
    }
    let special = || match number {
        f64::INFINITY => "Infinity",
        f64::NEG_INFINITY => "-Infinity",
        _ => "NaN",
    };
    Number::from_f64(number).map_or_else(|| Json::String(special().to_owned()), Json::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clean_forms() {
        let cases = [
            ("null", "null"),
            ("true", "true"),
            ("1.0", "1"),
            ("-7", "-7"),
            ("1.5", "1.5"),
            ("1e300", "1e+300"),
            ("\"a\"", "\"a\""),
            (r#"{"$integer":"//////////8="}"#, "\"-1\""),
            (r#"{"$integer":"/////////38="}"#, "\"9223372036854775807\""),
            (r#"{"$float":"AAAAAAAA+H8="}"#, "\"NaN\""),
            (r#"{"$float":"AAAAAAAA8H8="}"#, "\"Infinity\""),
            (r#"{"$float":"AAAAAAAA8P8="}"#, "\"-Infinity\""),
            (r#"{"$float":"AAAAAAAAAIA="}"#, "-0.0"),
            (r#"{"$bytes":"AAH/"}"#, "\"AAH/\""),
            (r#"{"b":[{"$integer":"AQAAAAAAAAA="}],"a":{}}"#, r#"{"a":{},"b":["1"]}"#),
        ];
        for (encoded, clean) in cases {
            assert_eq!(
                Value::from_json(encoded.as_bytes()).unwrap().to_clean_json().to_string(),
                clean,
                "{encoded}"
            );
        }
    }
}
