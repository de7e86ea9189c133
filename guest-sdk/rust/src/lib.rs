//! Write Weir functions in Rust: queries and mutations are plain functions with
//! typed arguments and results, actions are `async` ones.
//!
//! ```
//! use weir::prelude::*;
//!
//! #[document("messages")]
//! struct Message {
//!     user: String,
//!     body: String,
//! }
//!
//! #[mutation]
//! fn send_message(ctx: &MutationCtx, user: String, body: String) -> Result<()> {
//!     ctx.db.insert("messages", &Message { user, body })?;
//!     Ok(())
//! }
//!
//! #[query]
//! fn get_messages(ctx: &QueryCtx) -> Result<Vec<Doc<Message>>> {
//!     let mut newest = ctx.db.query("messages").order(Desc).take(50)?;
//!     newest.reverse();
//!     Ok(newest)
//! }
//! ```
//!
//! # Names
//! Functions and their parameters go out in camelCase. A function in the crate's
//! root belongs to the module that has the package's name: `send_message` of
//! the package `chat` is `chat:sendMessage`. One in `mod users` is `users:list`,
//! one in `mod admin { mod users }` is `admin/users:list`. The fields of structs
//! keep the names that serde gives them.
//!
//! # Values
//! Numbers of up to 32 bits and floats are `number`s to a JavaScript client;
//! `i64`, `u64`, `isize` and `usize` are `bigint`s. An `Option` among the
//! parameters or a struct's fields may be missing. [`json`] has the whole table.
//!
//! # Tables
//! A type with [`#[document("messages")]`](document) declares its table in the schema, with the indexes that it names:
//! see [`Query::with_index`](db::Query::with_index). The host checks every document of the table against the type.
//!
//! # A call
//! Each call runs in a fresh instance: statics start anew, and nothing is left
//! behind. The clock stands still and random numbers come from a seed, so that
//! a function's result depends on its arguments and what it read alone.
//!
//! # Components
//! A component that is mounted has tables and functions of its own. [`component`] names one of its functions, and a
//! typed reference ([`QueryReference`] and the like) is written of each by `host codegen`; a
//! handle ([`CallCtx::function_handle`]) is a text by which any function can call another one, wherever it is.
//!
//! # Actions
//! An [`action`](macro@action) waits for the world: it calls queries and mutations, each a transaction of its own, fetches
//! from the web, and sleeps; several of it at the same time with `join!` and the like. Its clock goes on. An
//! [`http_action`](macro@http_action) answers HTTP requests.
//!
//! **Invariant:** nothing here reaches the host except through the world's
//! imports, and a query has no way to write.

mod action;
#[cfg(any(test, all(target_family = "wasm", feature = "allocator")))]
mod allocator;
mod commit_timestamp;
mod component;
mod crons;
mod ctx;
pub mod db;
mod digest;
mod doc;
mod env;
mod failure;
mod fields;
mod flat;
mod function;
mod host;
mod id;
mod identity;
pub mod json;
pub mod log;
pub mod nullable;
#[cfg(target_family = "wasm")]
mod panic;
pub mod prelude;
mod random;
mod reference;
mod scheduler;
mod schema;
mod storage;
mod validator;
mod value;

pub use action::{ActionCtx, http};
pub use commit_timestamp::CommitTimestamp;
pub use component::{Component, component};
pub use crons::{Crons, Daily, Hourly, Monthly, Weekday, Weekly};
pub use ctx::{CallCtx, MutationCtx, QueryCtx};
pub use digest::sha256;
pub use doc::Doc;
pub use env::env;
pub use failure::{Context, Error, Result};
pub use fields::Fields;
pub use id::{Id, Table};
pub use identity::Identity;
pub use random::Random;
pub use reference::{
    ActionReference, MutationCaller, MutationReference, NoArgs, Pending, QueryCaller, QueryReference,
};
pub use scheduler::{ScheduledFunction, ScheduledState, Scheduler};
pub use storage::{
    FileContent, FileMetadata, NewFile, StorageActionWriter, StorageReader, StorageWriter, StoredFile,
};
pub use validator::{Field, Record, Shape, Validator};
pub use value::{Bytes, Value};
pub use weir_macros::{Shape, action, document, http_action, mutation, query, value};

/// What the macros' code names.
#[doc(hidden)]
pub mod __private {
    pub use inventory;
    pub use serde;

    pub use crate::crons::DeclaredCrons;
    pub use crate::function::{
        Function, Outcome, Route, call, manifest, read_args, run_action, run_http_action, write_result,
    };
    pub use crate::schema::{DeclaredIndex, DeclaredTable};
}

/// What the crate weir-test names.
#[cfg(not(target_family = "wasm"))]
#[doc(hidden)]
pub use host::native as __native;
