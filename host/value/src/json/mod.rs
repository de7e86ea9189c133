//! The value encoding: JSON, with `{"$integer": ...}`, `{"$float": ...}` and `{"$bytes": ...}`
//! for what JSON lacks, and `{"$commitTs": null}` for a timestamp that is not known yet. Reading is strict and bounded; writing gives one form for each value.
//! Not the `json` format of the HTTP API, which loses types and lives in `clean`.

mod encoding;
mod error;
mod parse;
pub(crate) mod plain;
mod reader;
mod write;

pub use error::{ValueError, ValueErrorReason};
pub use parse::{
    Bounds, from_tree, optional_from_tree, parse, parse_object, parse_object_within, parse_operand,
    parse_optional, parse_patch, parse_within,
};
pub use plain::is_canonical;
pub use write::{write, write_object, write_string};

pub(crate) use write::{COMMIT_TIMESTAMP, as_integer};
