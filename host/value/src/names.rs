//! The rules for names of tables and fields. Which tables exist is not known here.

use crate::limits::{
    DOCUMENT_FIELD_NAME_CHARS_MAX, FIELD_NAME_CHARS_MAX, TABLE_NAME_CHARS_MAX, VARIABLE_NAME_CHARS_MAX,
};
use crate::path::quote;

/// What a name is the name of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameOf {
    /// A table.
    Table,
    /// A field of an object.
    Field,
    /// A variable of a deployment.
    Variable,
}

impl std::fmt::Display for NameOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            NameOf::Table => "table",
            NameOf::Field => "field",
            NameOf::Variable => "variable",
        })
    }
}

/// Why a name is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// It has no characters.
    #[error("a {0} name must not be empty")]
    Empty(NameOf),
    /// It has too many characters.
    #[error("the {of} name {name} is too long: {chars} characters, where {chars_max} are allowed")]
    TooLong {
        /// What it names.
        of: NameOf,
        /// The name, quoted and cut.
        name: String,
        /// Its length in bytes.
        chars: usize,
        /// The length that is allowed.
        chars_max: usize,
    },
    /// It starts with a character that names of this kind do not start with.
    #[error("the {of} name {name} starts with {first:?}, which is reserved; begin it with a letter")]
    Reserved {
        /// What it names.
        of: NameOf,
        /// The name, quoted and cut.
        name: String,
        /// Its first character.
        first: char,
    },
    /// It contains a character that names of this kind do not contain.
    #[error("the {of} name {name} contains {character:?}; use {allowed}")]
    Character {
        /// What it names.
        of: NameOf,
        /// The name, quoted and cut.
        name: String,
        /// The first one that is not allowed.
        character: char,
        /// What is.
        allowed: &'static str,
    },
}

/// Checks the name of a user's table: letters, digits and underscores (ASCII), starting with a
/// letter, at most [`TABLE_NAME_CHARS_MAX`].
///
/// # Errors
/// A [`NameError`] that says what to change.
pub fn check_table_name(name: &str) -> Result<(), NameError> {
    let of = NameOf::Table;
    check_length(of, name, TABLE_NAME_CHARS_MAX)?;
    let first = name.chars().next().unwrap_or('_');
    if first == '_' || first.is_ascii_digit() {
        return Err(NameError::Reserved { of, name: quote(name), first });
    }
    match name.chars().find(|&character| !is_identifier_char(character)) {
        Some(character) => {
            let allowed = "the letters a-z and A-Z, digits and underscores";
            Err(NameError::Character { of, name: quote(name), character, allowed })
        }
        None => Ok(()),
    }
}

/// Checks the name of a field anywhere in a value: printable ASCII, not starting with `$`, at
/// most [`FIELD_NAME_CHARS_MAX`].
///
/// # Errors
/// A [`NameError`] that says what to change.
pub fn check_field_name(name: &str) -> Result<(), NameError> {
    let of = NameOf::Field;
    check_length(of, name, FIELD_NAME_CHARS_MAX)?;
    if name.starts_with('$') {
        return Err(NameError::Reserved { of, name: quote(name), first: '$' });
    }
    if name.bytes().all(|byte| (32..127).contains(&byte)) {
        return Ok(());
    }
    let character = name.chars().find(|character| !(' '..='~').contains(character)).unwrap_or('\u{fffd}');
    let allowed = "printable ASCII characters only";
    Err(NameError::Character { of, name: quote(name), character, allowed })
}

/// Checks the name of a document's own field: a field name of at most
/// [`DOCUMENT_FIELD_NAME_CHARS_MAX`] characters that does not start with `_`, except `_id` and
/// `_creationTime`.
///
/// # Errors
/// A [`NameError`] that says what to change.
pub fn check_document_field_name(name: &str) -> Result<(), NameError> {
    let of = NameOf::Field;
    check_field_name(name)?;
    check_length(of, name, DOCUMENT_FIELD_NAME_CHARS_MAX)?;
    if name.starts_with('_') && !matches!(name, "_id" | "_creationTime") {
        return Err(NameError::Reserved { of, name: quote(name), first: '_' });
    }
    Ok(())
}

/// Whether identifiers may contain it: ASCII letters, digits, underscore.
pub(crate) fn is_identifier_char(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

fn check_length(of: NameOf, name: &str, chars_max: usize) -> Result<(), NameError> {
    match name.len() {
        0 => Err(NameError::Empty(of)),
        chars if chars > chars_max => Err(NameError::TooLong { of, name: quote(name), chars, chars_max }),
        _ => Ok(()),
    }
}

/// Checks the name of a variable: letters, digits and underscores (ASCII), not starting with a digit, at most
/// [`VARIABLE_NAME_CHARS_MAX`]. The error quotes a wrong name only up to what is wrong in it: behind that may stand a
/// value, as in `KEY=secret`.
///
/// # Errors
/// A [`NameError`] that says what to change.
pub fn check_variable_name(name: &str) -> Result<(), NameError> {
    let of = NameOf::Variable;
    let is_allowed = |character: char| character.is_ascii_alphanumeric() || character == '_';
    if let Some((at, character)) = name.char_indices().find(|(_, character)| !is_allowed(*character)) {
        let allowed = "the letters a-z and A-Z, digits and underscores";
        let name = format!("that begins with {}", quote(&name[..at]));
        return Err(NameError::Character { of, name, character, allowed });
    }
    check_length(of, name, VARIABLE_NAME_CHARS_MAX)?;
    match name.chars().next() {
        Some(first) if first.is_ascii_digit() => Err(NameError::Character {
            of,
            name: quote(name),
            character: first,
            allowed: "a letter or an underscore to begin with",
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(function: fn(&str) -> Result<(), NameError>, name: &str, expected: &str) {
        let text = function(name).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(
            if expected.is_empty() { text.is_empty() } else { text.contains(expected) },
            "{name:?}: {text}"
        );
    }

    #[test]
    fn table_names() {
        let (longest, too_long) = ("a".repeat(64), "a".repeat(65));
        let cases = [
            ("messages", ""),
            ("Users2", ""),
            ("a_b_", ""),
            (&longest, ""),
            (&too_long, "65 characters, where 64 are allowed"),
            ("", "must not be empty"),
            ("_tables", "starts with '_', which is reserved"),
            ("2fast", "starts with '2'"),
            ("my-table", "contains '-'; use the letters"),
            ("my table", "contains ' '"),
            ("straße", "contains 'ß'"),
            ("a\0", "contains '\\0'"),
        ];
        for (name, expected) in cases {
            check(check_table_name, name, expected);
        }
    }

    #[test]
    fn variable_names() {
        let (longest, too_long) = ("A".repeat(256), "A".repeat(257));
        let cases = [
            ("API_KEY", ""),
            ("_private2", ""),
            ("a", ""),
            (&longest, ""),
            (&too_long, "257 characters, where 256 are allowed"),
            ("", "a variable name must not be empty"),
            ("2FAST", "contains '2'; use a letter or an underscore to begin with"),
            ("API-KEY", "the variable name that begins with \"API\" contains '-'; use the letters"),
            ("straße", "contains 'ß'"),
            ("=", "contains '='"),
        ];
        for (name, expected) in cases {
            check(check_variable_name, name, expected);
        }
        let told = check_variable_name("KEY=hidden").unwrap_err().to_string();
        assert!(told.contains("KEY") && !told.contains("hidden"), "{told}");
    }

    #[test]
    fn field_names() {
        let (longest, too_long) = ("a".repeat(1024), "a".repeat(1025));
        let cases = [
            ("body", ""),
            ("with space, and ~!", ""),
            ("_private", ""),
            ("9", ""),
            ("a$", ""),
            (&longest, ""),
            (&too_long, "1025 characters, where 1024 are allowed"),
            ("", "must not be empty"),
            ("$set", "starts with '$', which is reserved"),
            ("tab\t", "contains '\\t'; use printable ASCII"),
            ("del\x7f", "contains '\\u{7f}'"),
            ("größe", "contains 'ö'"),
        ];
        for (name, expected) in cases {
            check(check_field_name, name, expected);
        }
    }

    #[test]
    fn document_field_names() {
        let (longest, too_long) = ("a".repeat(64), "a".repeat(65));
        let cases = [
            ("body", ""),
            ("_id", ""),
            ("_creationTime", ""),
            (&longest, ""),
            (&too_long, "65 characters, where 64 are allowed"),
            ("_other", "starts with '_', which is reserved"),
            ("$a", "starts with '$'"),
            ("", "must not be empty"),
        ];
        for (name, expected) in cases {
            check(check_document_field_name, name, expected);
        }
    }
}
