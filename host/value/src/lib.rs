//! Values: Convex's value encoding, the order across types, sort keys, ids, validators and every limit.
//!
//! Pure: no I/O, no clock, no threads, no randomness. Knows nothing of storage,
//! transactions or the network.
//!
//! **Invariant:** nothing here panics on what comes from outside; every decoder
//! bounds its recursion, and every encoding has exactly one form that decodes.

pub mod commit_timestamp;
pub mod component;
pub mod date_time;
pub mod document;
mod error_code;
pub mod function_path;
pub mod id;
pub mod identity;
pub mod json;
pub mod limits;
pub mod names;
pub mod schema;
pub mod sign_request;
pub mod sort_key;
pub mod strict_json;
pub mod timestamp;
pub mod validator;

mod clean;
mod object;
mod order;
mod path;
mod value;

pub use component::{ComponentPath, ComponentPathError, ComponentTree, Mounts};
pub use document::DocumentError;
pub use error_code::ErrorCode;
pub use function_path::{FunctionAddress, FunctionPath, FunctionPathError};
pub use id::{CreationTime, CreationTimeError, DocumentId, IdError, TableNumber};
pub use identity::{Identity, IdentityError};
pub use json::ValueError;
pub use names::NameError;
pub use object::Object;
pub use order::compare;
pub use schema::{IndexSchema, Schema, SchemaError, TableConflict, TableSchema};
pub use sign_request::{SignRequest, SignRequestError};
pub use sort_key::SortKeyError;
pub use timestamp::{Timestamp, TimestampError};
pub use validator::{Field, IdTables, ValidationError, Validator, ValidatorError};
pub use value::Value;
