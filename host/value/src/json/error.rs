//! What can be wrong with the JSON of a value.

use crate::NameError;

/// Why a text is no value: where, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueError {
    /// Where in the value, as `.a[3].b`; empty for the value as a whole.
    pub path: String,
    /// What is wrong there.
    pub reason: ValueErrorReason,
}

/// What is wrong with a value, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueErrorReason {
    /// The text is not JSON.
    #[error("it is not valid JSON: {0}")]
    Syntax(String),
    /// The text is not UTF-8.
    #[error("it is not valid UTF-8 after byte {0}")]
    NotUtf8(usize),
    /// Containers in containers, too deep.
    #[error(
        "it is nested deeper than the {nesting_max} levels that are allowed; flatten it, or store parts in documents of their own"
    )]
    TooDeep {
        /// The levels that are allowed.
        nesting_max: usize,
    },
    /// Too large in all.
    #[error("the value is larger than the {size_bytes_max} bytes that are allowed; split it")]
    TooLarge {
        /// The size that is allowed, counted as `Value::size_bytes`.
        size_bytes_max: usize,
    },
    /// Too many values in all.
    #[error(
        "it holds more than the {values_max} values that are allowed, in all its arrays and objects together; split it"
    )]
    TooManyValues {
        /// The values that are allowed, containers included.
        values_max: usize,
    },
    /// Too many items in an array.
    #[error(
        "the array has more than the {items_max} items that are allowed; split it, or make each item a document"
    )]
    TooManyItems {
        /// The items that are allowed.
        items_max: usize,
    },
    /// Too many fields in an object.
    #[error(
        "the object has more than the {fields_max} fields that are allowed; split it, or make each field a document"
    )]
    TooManyFields {
        /// The fields that are allowed.
        fields_max: usize,
    },
    /// A name that fields do not have.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A name stands twice in one object.
    #[error("the field stands twice in its object; remove one")]
    DuplicateField,
    /// An encoding such as `{"$integer": ...}` with more than its one field.
    #[error("an object with `{0}` encodes one value and has no other fields")]
    EncodingWithOthers(&'static str),
    /// An encoding with something else in it than it needs.
    #[error("`{encoding}` needs {expected}")]
    EncodingContent {
        /// `$integer`, `$float`, `$bytes`, `$undefined` or `$commitTs`.
        encoding: &'static str,
        /// What has to stand in it.
        expected: &'static str,
    },
    /// `$set` and `$map`.
    #[error("`{encoding}` is not supported: {instead}")]
    EncodingUnsupported {
        /// The encoding's key.
        encoding: &'static str,
        /// What to use in its place.
        instead: &'static str,
    },
    /// `{"$commitTs": null}` where no commit puts its timestamp in the place.
    #[error(
        "the placeholder for the commit's timestamp may stand only in documents and results of the mutation that commits; \
         when it has, read the timestamp from a document"
    )]
    CommitTimestamp,
    /// `{"$undefined": null}` where a value is needed.
    #[error(
        "`undefined` may stand only as a field of a patch and in a filter; leave the field out, or use null"
    )]
    Undefined,
    /// A value of another type where an object is needed.
    #[error("it must be an object, and is {0}")]
    NotAnObject(&'static str),
}

impl ValueErrorReason {
    /// The error about the value as a whole.
    pub(crate) fn at_root(self) -> ValueError {
        ValueError { path: String::new(), reason: self }
    }
}

impl std::fmt::Display for ValueError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.path.as_str() {
            "" => write!(f, "invalid value: {}", self.reason),
            path => write!(f, "invalid value at `{path}`: {}", self.reason),
        }
    }
}

impl std::error::Error for ValueError {}
