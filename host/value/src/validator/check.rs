//! Holding a value against a validator. Texts are made only once the check has failed for good:
//! a union tries its members without.

use std::collections::BTreeMap;

use super::{Field, IdTables, ValidationError, ValidationErrorReason as Reason, Validator};
use crate::path::{Path, Step, shorten};
use crate::{DocumentId, IdError, Object, Value};

/// A value larger than this is described in an error, not shown.
const SHOWN_SIZE_BYTES_MAX: usize = 4096;

impl Validator {
    /// Checks that the value is what this wants.
    ///
    /// # Errors
    /// A [`ValidationError`] that names the first place where it is not, what was expected there
    /// and what was found. In a union that place is the union itself, unless just one of its
    /// members is meant for values of this type.
    pub fn check(&self, value: &Value, ids: &dyn IdTables) -> Result<(), ValidationError> {
        self.compare(value, ids).map_err(Mismatch::into_error)
    }

    fn compare<'v>(&'v self, value: &'v Value, ids: &dyn IdTables) -> Result<(), Mismatch<'v>> {
        let mismatch = |kind| Mismatch { expected: self, found: value, kind, path: Path::default() };
        match (self, value) {
            (Validator::Any, _)
            | (Validator::Null, Value::Null)
            | (Validator::Number, Value::Float64(_))
            // What the commit puts in its place is one.
            | (Validator::Bigint, Value::Int64(_) | Value::CommitTimestamp)
            | (Validator::Boolean, Value::Boolean(_))
            | (Validator::String, Value::String(_))
            | (Validator::Bytes, Value::Bytes(_)) => Ok(()),
            (Validator::Literal(literal), value) if equals_literal(literal, value) => Ok(()),
            (Validator::Id(table), Value::String(text)) => check_id(table, text, ids).map_err(mismatch),
            (Validator::Array(item), Value::Array(items)) => compare_items(item, items, ids),
            (Validator::Object(fields), Value::Object(object)) => {
                check_names(fields, object).map_err(mismatch)?;
                compare_fields(fields, object, ids)
            }
            (Validator::Record { keys, values }, Value::Object(object)) => {
                object.keys().try_for_each(|name| check_key(keys, name, ids)).map_err(mismatch)?;
                object.iter().try_for_each(|(name, value)| compare_at(values, name, value, ids))
            }
            (Validator::Union(members), value) => compare_members(members, value, ids)
                .map_err(|only| only.unwrap_or_else(|| mismatch(Kind::Type))),
            _ => Err(mismatch(Kind::Type)),
        }
    }

    /// Whether this is meant for values of this value's type, whatever is inside them.
    fn is_for_type_of(&self, value: &Value) -> bool {
        match (self, value) {
            (Validator::Any, _)
            | (Validator::Null, Value::Null)
            | (Validator::Number, Value::Float64(_))
            | (Validator::Bigint, Value::Int64(_) | Value::CommitTimestamp)
            | (Validator::Boolean, Value::Boolean(_))
            | (Validator::String | Validator::Id(_), Value::String(_))
            | (Validator::Bytes, Value::Bytes(_))
            | (Validator::Array(_), Value::Array(_))
            | (Validator::Object(_) | Validator::Record { .. }, Value::Object(_)) => true,
            (Validator::Literal(literal), value) => literal.type_name() == value.type_name(),
            (Validator::Union(members), value) => members.iter().any(|member| member.is_for_type_of(value)),
            _ => false,
        }
    }
}

/// Where a check failed, and how, without any text yet.
struct Mismatch<'v> {
    expected: &'v Validator,
    found: &'v Value,
    kind: Kind<'v>,
    path: Path,
}

/// How a check failed.
pub(super) enum Kind<'v> {
    Type,
    Missing(&'v str),
    Extra(&'v str),
    Id(IdError),
    Table { id: &'v str, found: Option<String> },
    Key(&'v str),
}

impl Mismatch<'_> {
    fn at(mut self, step: Step) -> Self {
        self.path.enclose(step);
        self
    }

    fn into_error(self) -> ValidationError {
        let (expected, found) = (shorten(self.expected.to_string()), show(self.found));
        let reason = match self.kind {
            Kind::Type => Reason::Mismatch { expected, found, found_type: self.found.type_name() },
            Kind::Missing(name) => Reason::MissingField { name: name.to_owned(), expected, found },
            Kind::Extra(name) => Reason::ExtraField { name: shorten(name.to_owned()), expected, found },
            Kind::Id(error) => Reason::InvalidId { expected, error },
            Kind::Table { id, found } => {
                Reason::WrongTable { expected, id: id.to_owned(), found_table: found }
            }
            Kind::Key(name) => Reason::InvalidKey { name: shorten(name.to_owned()), expected },
        };
        ValidationError { path: self.path.text(), reason }
    }
}

fn compare_items<'v>(
    item: &'v Validator,
    items: &'v [Value],
    ids: &dyn IdTables,
) -> Result<(), Mismatch<'v>> {
    let mut places = items.iter().enumerate();
    places
        .try_for_each(|(index, found)| item.compare(found, ids).map_err(|error| error.at(Step::Index(index))))
}

/// Every field must be known, and every required one be there. An extra field is named first:
/// with a misspelt name, that is the one that helps.
fn check_names<'v>(fields: &'v BTreeMap<String, Field>, object: &'v Object) -> Result<(), Kind<'v>> {
    if let Some(name) = object.keys().find(|&name| !fields.contains_key(name)) {
        return Err(Kind::Extra(name));
    }
    let missing = fields.iter().find(|(name, field)| !field.optional && !object.contains_key(name));
    missing.map_or(Ok(()), |(name, _)| Err(Kind::Missing(name)))
}

fn compare_fields<'v>(
    fields: &'v BTreeMap<String, Field>,
    object: &'v Object,
    ids: &dyn IdTables,
) -> Result<(), Mismatch<'v>> {
    let mut pairs = object.iter().filter_map(|(name, value)| Some((name, value, fields.get(name)?)));
    pairs.try_for_each(|(name, value, field)| compare_at(&field.validator, name, value, ids))
}

fn compare_at<'v>(
    expected: &'v Validator,
    name: &str,
    found: &'v Value,
    ids: &dyn IdTables,
) -> Result<(), Mismatch<'v>> {
    expected.compare(found, ids).map_err(|error| error.at(Step::Field(name.to_owned())))
}

/// The mismatch is that of the one member meant for the value's type, if it is just one.
fn compare_members<'v>(
    members: &'v [Validator],
    value: &'v Value,
    ids: &dyn IdTables,
) -> Result<(), Option<Mismatch<'v>>> {
    let mut candidates = members.iter().filter(|member| member.is_for_type_of(value));
    let Some(first) = candidates.next() else { return Err(None) };
    let Err(mismatch) = first.compare(value, ids) else { return Ok(()) };
    let mut only = Some(mismatch);
    for member in candidates {
        only = None;
        if member.compare(value, ids).is_ok() {
            return Ok(());
        }
    }
    Err(only)
}

pub(super) fn check_id<'v>(table: &str, text: &'v str, ids: &dyn IdTables) -> Result<(), Kind<'v>> {
    let id = DocumentId::parse(text).map_err(Kind::Id)?;
    match ids.table_name(id.table) {
        Some(name) if *name == *table => Ok(()),
        name => Err(Kind::Table { id: text, found: name.map(|name| name.to_string()) }),
    }
}

/// The names of a record's fields are texts; the validator of keys is a string, an id or a union.
fn check_key<'v>(keys: &Validator, name: &'v str, ids: &dyn IdTables) -> Result<(), Kind<'v>> {
    match keys {
        Validator::String => Ok(()),
        Validator::Id(table) => check_id(table, name, ids),
        Validator::Union(members) if members.iter().any(|member| check_key(member, name, ids).is_ok()) => {
            Ok(())
        }
        _ => Err(Kind::Key(name)),
    }
}

/// Literals compare as JavaScript does: -0 equals 0.
fn equals_literal(literal: &Value, value: &Value) -> bool {
    match (literal, value) {
        (Value::Float64(a), Value::Float64(b)) => a == b,
        (a, b) => a == b,
    }
}

fn show(value: &Value) -> String {
    match value.size_bytes() {
        size_bytes if size_bytes > SHOWN_SIZE_BYTES_MAX => {
            format!("({} of {size_bytes} bytes)", value.type_name())
        }
        _ => shorten(value.to_json()),
    }
}
