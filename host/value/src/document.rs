//! What a value must be to be stored as a document. Which of `_id` and `_creationTime` may be
//! given, and that they are right, is for the database to say.

use crate::json::{self, Bounds, ValueErrorReason};
use crate::limits::{DOCUMENT_NESTING_MAX, DOCUMENT_SIZE_BYTES_MAX, OBJECT_FIELDS_MAX};
use crate::names::check_document_field_name;
use crate::{NameError, Object, Value, ValueError};

/// What documents may be.
const BOUNDS: Bounds = Bounds {
    nesting_max: DOCUMENT_NESTING_MAX,
    size_bytes_max: DOCUMENT_SIZE_BYTES_MAX,
    commit_timestamp: true,
};

/// Why something is no document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// It is no value, or no object, or larger or deeper than a document may be.
    #[error("invalid document: {0}")]
    Value(#[from] ValueError),
    /// The name of one of its own fields is not allowed.
    #[error("invalid document: {0}")]
    Name(#[from] NameError),
}

/// Parses a document: an object within the limits on values, nested at most
/// [`DOCUMENT_NESTING_MAX`] deep, of at most [`DOCUMENT_SIZE_BYTES_MAX`], whose own fields have
/// names of documents. The placeholder for the commit's timestamp may stand in it.
///
/// # Errors
/// A [`DocumentError`] that names the place.
pub fn parse(text: &[u8]) -> Result<Object, DocumentError> {
    let object = require_object(json::parse_within(text, BOUNDS)?)?;
    check_names(&object)?;
    Ok(object)
}

/// Checks that a value is a document, by the same rules; for values that were parsed before.
///
/// # Errors
/// A [`DocumentError`] that names the place.
pub fn check(value: &Value) -> Result<&Object, DocumentError> {
    let object = value.as_object().ok_or_else(|| not_an_object(value))?;
    check_object(object)?;
    Ok(object)
}

/// [`check`] for an object: after a patch, say, made it larger.
///
/// # Errors
/// A [`DocumentError`] that names the place.
pub fn check_object(object: &Object) -> Result<(), DocumentError> {
    if object.nesting() > BOUNDS.nesting_max {
        return Err(ValueErrorReason::TooDeep { nesting_max: BOUNDS.nesting_max }.at_root().into());
    }
    if object.size_bytes() > BOUNDS.size_bytes_max {
        return Err(ValueErrorReason::TooLarge { size_bytes_max: BOUNDS.size_bytes_max }.at_root().into());
    }
    if object.len() > OBJECT_FIELDS_MAX {
        return Err(ValueErrorReason::TooManyFields { fields_max: OBJECT_FIELDS_MAX }.at_root().into());
    }
    check_names(object)
}

fn check_names(object: &Object) -> Result<(), DocumentError> {
    object.keys().try_for_each(|name| check_document_field_name(name)).map_err(DocumentError::from)
}

fn require_object(value: Value) -> Result<Object, DocumentError> {
    value.into_object().map_err(|value| not_an_object(&value))
}

fn not_an_object(value: &Value) -> DocumentError {
    ValueErrorReason::NotAnObject(value.type_name()).at_root().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both ways must agree: parsing as a document, and checking the parsed value.
    fn check_text(text: &str, expected: &str) {
        let parsed = parse(text.as_bytes()).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(
            if expected.is_empty() { parsed.is_empty() } else { parsed.contains(expected) },
            "{text:.80}: {parsed}"
        );
        let value = Value::from_json(text.as_bytes()).unwrap();
        let checked = check(&value).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(
            if expected.is_empty() { checked.is_empty() } else { checked.contains(expected) },
            "{text:.80}: {checked}"
        );
    }

    #[test]
    fn the_rules() {
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
        // The object, its field's name, and the string's own two bytes are counted too.
        let sized = |size: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(size - 6));
        let named = |chars: usize| format!("{{\"{}\":1}}", "n".repeat(chars));
        let nested_name = format!("{{\"a\":{}}}", named(65));
        let cases = [
            ("{}", ""),
            (r#"{"_id":"x","_creationTime":1,"body":"hi"}"#, ""),
            (r#"{"a":{"_inner":1}}"#, ""),
            ("[]", "it must be an object, and is array"),
            ("null", "it must be an object, and is null"),
            (r#"{"$integer":"AAAAAAAAAAA="}"#, "it must be an object, and is bigint"),
            (r#"{"_own":1}"#, "\"_own\" starts with '_', which is reserved"),
            (&nested(16), ""),
            (&nested(17), "nested deeper than the 16 levels"),
            (&sized(DOCUMENT_SIZE_BYTES_MAX), ""),
            (&sized(DOCUMENT_SIZE_BYTES_MAX + 1), "larger than the 1048576 bytes"),
            (&named(64), ""),
            (&named(65), "65 characters, where 64 are allowed"),
            (&nested_name, ""),
        ];
        for (text, expected) in cases {
            check_text(text, expected);
        }
    }

    #[test]
    fn a_patched_document_has_no_more_fields_than_a_parsed_one() {
        let mut object: Object = (0..1024).map(|number| (format!("f{number}"), Value::Null)).collect();
        assert_eq!(check_object(&object), Ok(()));
        object.insert("one_more", Value::Null);
        let error = check_object(&object).unwrap_err().to_string();
        assert!(error.contains("more than the 1024 fields"), "{error}");
    }
}
