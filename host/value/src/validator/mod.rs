//! Validators: what arguments and results must be like, as functions declare it. Whether a
//! document exists is not checked, only that an id is one of the right table.

mod accept;
mod check;
mod display;
mod error;
mod json;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{TableNumber, Value};

pub use error::{ValidationError, ValidationErrorReason, ValidatorError};

/// What a value must be like. `Display` gives it as it stands in a program: `v.string()`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Validator {
    /// `null`.
    Null,
    /// A double.
    Number,
    /// A 64-bit integer.
    Bigint,
    /// A boolean.
    Boolean,
    /// A string.
    String,
    /// Bytes.
    Bytes,
    /// Anything.
    Any,
    /// Exactly this string, number, integer or boolean.
    Literal(Value),
    /// The id of a document in this table.
    Id(String),
    /// A list whose items are all like this.
    Array(Box<Validator>),
    /// An object with these fields and no others.
    Object(BTreeMap<String, Field>),
    /// An object with any fields, whose names and values are all like these.
    Record {
        /// For the names: strings, ids, or a union of such.
        keys: Box<Validator>,
        /// For the values.
        values: Box<Validator>,
    },
    /// Like at least one of these; none: nothing is.
    Union(Vec<Validator>),
}

/// A field of [`Validator::Object`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// What its value must be like.
    pub validator: Validator,
    /// Whether it may be missing.
    pub optional: bool,
}

impl Field {
    /// A field that must be there.
    pub fn required(validator: Validator) -> Field {
        Field { validator, optional: false }
    }

    /// A field that may be missing.
    pub fn optional(validator: Validator) -> Field {
        Field { validator, optional: true }
    }
}

/// What the check of ids needs to know of the database.
pub trait IdTables {
    /// The name of the table with this number; `None` if there is no such table.
    fn table_name(&self, number: TableNumber) -> Option<Arc<str>>;
}

impl<F: Fn(TableNumber) -> Option<Arc<str>>> IdTables for F {
    fn table_name(&self, number: TableNumber) -> Option<Arc<str>> {
        self(number)
    }
}
