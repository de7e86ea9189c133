//! What can be wrong with a value under a validator, and with a validator itself.

use std::fmt;

/// Why a value is not what a validator wants: where, and what. The text is that of Convex's
/// argument errors, without the `ArgumentValidationError: ` before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidationError {
    /// Where in the value, as `.author.name`; empty for the value as a whole.
    pub path: String,
    /// What is wrong there.
    pub reason: ValidationErrorReason,
}

/// What is wrong with a value. The excerpts are cut to what an error can carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValidationErrorReason {
    /// Another type or value than the validator's.
    Mismatch {
        /// The validator, as `v.string()`.
        expected: String,
        /// The value, as JSON.
        found: String,
        /// The value's type, as `number`.
        found_type: &'static str,
    },
    /// A field that must be there is not.
    MissingField {
        /// Its name.
        name: String,
        /// The validator of the object.
        expected: String,
        /// The object, as JSON.
        found: String,
    },
    /// A field that the validator does not know.
    ExtraField {
        /// Its name.
        name: String,
        /// The validator of the object.
        expected: String,
        /// The object, as JSON.
        found: String,
    },
    /// A text that is no id.
    InvalidId {
        /// The validator, as `v.id("messages")`.
        expected: String,
        /// The reason, which names the text.
        error: crate::IdError,
    },
    /// A record's field whose name is not what the validator of keys wants.
    InvalidKey {
        /// The name.
        name: String,
        /// The validator of the record.
        expected: String,
    },
    /// An id of another table.
    WrongTable {
        /// The validator, as `v.id("messages")`.
        expected: String,
        /// The id.
        id: String,
        /// Its table; `None` if there is none with its number.
        found_table: Option<String>,
    },
}

impl fmt::Display for ValidationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use ValidationErrorReason as Reason;
        let path = if self.path.is_empty() { String::new() } else { format!("\nPath: {}", self.path) };
        match &self.reason {
            Reason::Mismatch { expected, found, found_type } => write!(
                f,
                "Value does not match validator: expected {expected}, found {found_type}.{path}\nValue: {found}\nValidator: {expected}"
            ),
            Reason::MissingField { name, expected, found } => write!(
                f,
                "Object is missing the required field `{name}`. Consider wrapping the field validator in `v.optional(...)` if this is expected.{path}\nObject: {found}\nValidator: {expected}"
            ),
            Reason::ExtraField { name, expected, found } => write!(
                f,
                "Object contains extra field `{name}` that is not in the validator.{path}\nObject: {found}\nValidator: {expected}"
            ),
            Reason::InvalidId { expected, error } => {
                write!(f, "Value does not match validator: {error}.{path}\nValidator: {expected}")
            }
            Reason::InvalidKey { name, expected } => {
                write!(
                    f,
                    "Object contains the field `{name}`, whose name does not match the validator of keys.{path}\nValidator: {expected}"
                )
            }
            Reason::WrongTable { expected, id, found_table } => {
                let table = match found_table {
                    Some(table) => format!("from table `{table}`"),
                    None => "from a table that does not exist".to_owned(),
                };
                write!(
                    f,
                    "Found ID \"{id}\" {table}, which does not match the table name in validator `{expected}`.{path}"
                )
            }
        }
    }
}

impl std::error::Error for ValidationError {}

/// Why JSON is no validator: where, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidatorError {
    /// Where in the JSON, as `.value.body.fieldType`; empty for the whole.
    pub path: String,
    /// What is wrong there, and what is needed.
    pub reason: String,
}

impl fmt::Display for ValidatorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => write!(f, "invalid validator: {}", self.reason),
            path => write!(f, "invalid validator at `{path}`: {}", self.reason),
        }
    }
}

impl std::error::Error for ValidatorError {}
