//! Fields that are null, where a `None` is a field that is left out: for serde's `with`.
//!
//! ```
//! #[weir::value]
//! struct Move {
//!     /// Always there, and null at the top.
//!     #[serde(with = "weir::nullable")]
//!     parent: Option<String>,
//!     /// Left out, null, or a text.
//!     #[serde(default, skip_serializing_if = "Option::is_none", with = "weir::nullable::optional")]
//!     note: Option<Option<String>>,
//! }
//! ```

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Writes a `None` as null.
///
/// # Errors
/// Those of the value.
pub fn serialize<T: Serialize, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => value.serialize(serializer),
        None => serializer.serialize_unit(),
    }
}

/// Reads null as a `None`. A field that is missing is an error.
///
/// # Errors
/// Those of the value.
pub fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer)
}

/// A field that may be missing, and may be null.
pub mod optional {
    use super::{Deserialize, Deserializer, Serialize, Serializer};

    /// Writes what there is; see the [module](super) for what is missing.
    ///
    /// # Errors
    /// Those of the value.
    pub fn serialize<T: Serialize, S: Serializer>(
        value: &Option<Option<T>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        super::serialize(&value.as_ref().and_then(Option::as_ref), serializer)
    }

    /// Reads what is there, null included.
    ///
    /// # Errors
    /// Those of the value.
    pub fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<T>, D::Error> {
        T::deserialize(deserializer).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use crate::Value;
    use crate::json;

    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    struct Move {
        #[serde(with = "crate::nullable")]
        parent: Option<f64>,
        #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::nullable::optional")]
        note: Option<Option<f64>>,
        #[serde(
            default,
            skip_serializing_if = "Option::is_none",
            deserialize_with = "crate::nullable::optional::deserialize"
        )]
        data: Option<Value>,
    }

    #[test]
    fn null_and_what_is_missing_are_told_apart() {
        let cases = [
            (r#"{"parent":null}"#, Move { parent: None, note: None, data: None }),
            (
                r#"{"data":null,"note":null,"parent":0.5}"#,
                Move { parent: Some(0.5), note: Some(None), data: Some(Value::Null) },
            ),
            (
                r#"{"data":2.5,"note":1.5,"parent":0.5}"#,
                Move { parent: Some(0.5), note: Some(Some(1.5)), data: Some(Value::Float64(2.5)) },
            ),
        ];
        for (text, value) in cases {
            assert_eq!(json::from_slice::<Move>(text.as_bytes()).unwrap(), value);
            assert_eq!(String::from_utf8(json::to_vec(&value).unwrap()).unwrap(), text);
        }
        assert!(json::from_slice::<Move>(b"{}").unwrap_err().to_string().contains("parent"));
    }
}
