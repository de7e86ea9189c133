//! Tests of functions, run by `cargo test` without a server: on Weir's own database, in memory.
//!
//! ```no_run
//! mod guestbook {
//!     use weir::prelude::*;
//!
//!     #[document("visits")]
//!     struct Visit {
//!         by: String,
//!     }
//!
//!     #[mutation]
//!     fn visit(ctx: &MutationCtx, by: String) -> Result<Id<Visit>> {
//!         ctx.db.insert("visits", &Visit { by })
//!     }
//! }
//!
//! # fn main() {
//! // In a function with `#[test]`:
//! use weir::fields;
//! use weir_test::Database;
//!
//! let db = Database::new();
//! db.mutation::<weir::Id>("guestbook:visit", fields! { by: "ada" }).unwrap();
//! assert_eq!(db.last().writes.len(), 1);
//! let error = db.mutation::<weir::Id>("guestbook:visit", fields! { by: 5 }).unwrap_err();
//! assert_eq!(error.code(), "ArgumentValidationError");
//! # }
//! ```
//!
//! All functions of the crate under test are found, internal ones too; arguments and results are held
//! against their validators, and a function may call others. The clock stands where a test sets
//! it, but for a millisecond after each mutation that wrote and for what an action waits, and random numbers
//! come from a seed, so that a test gives the same each time. Scheduled functions are called when the test
//! lets the clock come to their time ([`Database::advance`]), or all of them at once
//! ([`Database::finish_scheduled`]).
//!
//! Actions run too: what they [`fetch`](Database::on_fetch) the test answers, files lie in memory
//! ([`Database::store_file`]), and routes are asked with [`Database::http`].
//!
//! A test that stands outside of the crate under test, in `tests/`, names it once, as in
//! `use chat as _;`; the crate is an `rlib` too then: `crate-type = ["cdylib", "rlib"]`.
//!
//! **Invariant:** a function sees here what it sees in a host, except that it runs in the test's own process:
//! statics live on, and an endless loop does not end. Queries and mutations run on the test's own thread, an
//! action on one of its own, of which each time only one goes on.

mod action;
mod database;
mod error;
mod fetch;
mod files;
mod functions;
mod host;
mod http;
mod made;
mod scheduled;

pub use database::{Database, Last, User};
pub use error::{Error, UploadError};
pub use fetch::{FetchRequest, FetchResponse};
pub use files::File;
pub use http::{HttpRequest, HttpResponse};
pub use made::{CalledFunction, SentRequest};
pub use scheduled::ScheduledRun;
pub use weir_db::{Read, Written};
pub use weir_testing::TokenError;
