//! The ways in: text or a parsed tree, with or without `undefined`.

use serde::de::DeserializeSeed;

use super::reader::{PatchSeed, Reader, ValueSeed};
use super::{ValueError, ValueErrorReason};
use crate::limits::{VALUE_NESTING_MAX, VALUE_SIZE_BYTES_MAX};
use crate::{Object, Value};

type TextInput<'t> = serde_json::Deserializer<serde_json::de::StrRead<'t>>;

/// How much a value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// How deep containers may stand in each other, counted as [`Value::nesting`]. Below 127.
    pub nesting_max: usize,
    /// How large it may be in all, counted as [`Value::size_bytes`].
    pub size_bytes_max: usize,
    /// Whether [`Value::CommitTimestamp`] may stand in it.
    pub commit_timestamp: bool,
}

impl Bounds {
    /// What arguments and results may be.
    pub const VALUE: Bounds = Bounds {
        nesting_max: VALUE_NESTING_MAX,
        size_bytes_max: VALUE_SIZE_BYTES_MAX,
        commit_timestamp: false,
    };
    /// The same within a mutation, which does not know the timestamp of its commit yet.
    pub const MUTATION: Bounds = Bounds { commit_timestamp: true, ..Bounds::VALUE };
}

/// Parses one value, and nothing but white space around it.
///
/// Duplicate keys, names that fields do not have, unknown encodings, lone surrogates and numbers
/// beyond a double are errors, and so is what exceeds [`Bounds::VALUE`] and the limits on
/// arrays, objects and names.
///
/// # Errors
/// A [`ValueError`] that names the path within the value.
pub fn parse(text: &[u8]) -> Result<Value, ValueError> {
    parse_within(text, Bounds::VALUE)
}

/// [`parse`] with other bounds.
///
/// # Errors
/// A [`ValueError`] that names the path within the value.
pub fn parse_within(text: &[u8], bounds: Bounds) -> Result<Value, ValueError> {
    require(read_text(text, bounds, |reader, input| ValueSeed(reader).deserialize(input))?)
}

/// Parses an object, as [`parse`] does.
///
/// # Errors
/// A [`ValueError`] that names the path within the value.
pub fn parse_object(text: &[u8]) -> Result<Object, ValueError> {
    parse_object_within(text, Bounds::VALUE)
}

/// [`parse_object`] with other bounds.
///
/// # Errors
/// A [`ValueError`] that names the path within the value.
pub fn parse_object_within(text: &[u8], bounds: Bounds) -> Result<Object, ValueError> {
    let value = parse_within(text, bounds)?;
    value.into_object().map_err(|value| ValueErrorReason::NotAnObject(value.type_name()).at_root())
}

/// Parses a value that may be `{"$undefined": null}`, which is `None`: an operand of a filter.
///
/// # Errors
/// A [`ValueError`] that names the path within the value.
pub fn parse_optional(text: &[u8]) -> Result<Option<Value>, ValueError> {
    read_text(text, Bounds::VALUE, |reader, input| ValueSeed(reader).deserialize(input))
}

/// Parses the fields of a patch, sorted by name: an object whose own fields (and only they) may
/// be `{"$undefined": null}`, which is `None` and removes the field. The placeholder for the
/// commit's timestamp may stand in them.
///
/// # Errors
/// A [`ValueError`] that names the path within the value.
pub fn parse_patch(text: &[u8]) -> Result<Vec<(String, Option<Value>)>, ValueError> {
    if text.trim_ascii_start().first() != Some(&b'{') {
        let value = parse(text)?;
        return Err(ValueErrorReason::NotAnObject(value.type_name()).at_root());
    }
    read_text(text, Bounds::MUTATION, |reader, input| PatchSeed(reader).deserialize(input))
}

/// [`parse`] for JSON that is a tree already. Keys that were repeated are merged before, and
/// are no error here.
///
/// # Errors
/// A [`ValueError`] that names the path within the value.
pub fn from_tree(tree: &serde_json::Value) -> Result<Value, ValueError> {
    require(optional_from_tree(tree)?)
}

/// [`parse_optional`] for JSON that is a tree already.
///
/// # Errors
/// A [`ValueError`] that names the path within the value.
pub fn optional_from_tree(tree: &serde_json::Value) -> Result<Option<Value>, ValueError> {
    read_tree(tree, Bounds::VALUE)
}

/// [`optional_from_tree`] for an operand of a query, which may be the placeholder for the
/// commit's timestamp.
///
/// # Errors
/// A [`ValueError`] that names the path within the value.
pub fn parse_operand(tree: &serde_json::Value) -> Result<Option<Value>, ValueError> {
    read_tree(tree, Bounds::MUTATION)
}

fn read_tree(tree: &serde_json::Value, bounds: Bounds) -> Result<Option<Value>, ValueError> {
    let mut reader = Reader::new(bounds);
    ValueSeed(&mut reader).deserialize(tree).map_err(|error| reader.into_error(&error))
}

/// Runs a reader over a text, to its end.
fn read_text<T>(
    text: &[u8],
    bounds: Bounds,
    read: impl FnOnce(&mut Reader, &mut TextInput<'_>) -> Result<T, serde_json::Error>,
) -> Result<T, ValueError> {
    let text =
        str::from_utf8(text).map_err(|error| ValueErrorReason::NotUtf8(error.valid_up_to()).at_root())?;
    let mut reader = Reader::new(bounds);
    let mut input = TextInput::from_str(text);
    let result = read(&mut reader, &mut input).and_then(|value| input.end().map(|()| value));
    result.map_err(|error| reader.into_error(&error))
}

fn require(value: Option<Value>) -> Result<Value, ValueError> {
    value.ok_or_else(|| ValueErrorReason::Undefined.at_root())
}
