//! What a test asks of `host test`, one JSON object a line:
//!
//! | op | fields | answer |
//! |---|---|---|
//! | `open` | `now` (ms), `seed` | `{"id", "db"}`: a fresh, empty database |
//! | `call` | `db`, `kind`, `path`, `args`, `identity` | `{"id", "value" or "error", "logLines", "reads", "writes"}` |
//! | `set` | `db`, `now` (ms), `advance` (ms), `identity` (object or null), `variables` (`{name: value or null}`) | `{"id"}` |
//! | `verify` | `db`, `token` | `{"id", "claims"}`, or `{"id", "error"}` for a token that no function of a test signed, or that has expired at the database's time |
//! | `close` | `db` | `{"id"}` |
//!
//! What cannot be answered has `{"id", "failure"}` for an answer: a mistake of the test's, not of a function.

use std::collections::BTreeMap;

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::Value as Json;
use weir_db::FunctionKind;

/// A request, with the number that its answer has.
#[derive(Debug, Deserialize)]
pub struct Request {
    /// Given back with the answer, as it is.
    #[serde(default)]
    pub id: Json,
    /// What is asked.
    #[serde(flatten)]
    pub op: Op,
}

/// What is asked.
#[derive(Debug, Deserialize)]
#[serde(tag = "op", rename_all = "camelCase", deny_unknown_fields)]
pub enum Op {
    /// A fresh database.
    Open {
        /// Its clock, in milliseconds since the epoch.
        now: Option<f64>,
        /// What its random numbers and ids are determined by.
        seed: Option<u64>,
    },
    /// A call of a function.
    Call {
        /// Which database.
        db: u64,
        /// As what it is called.
        #[serde(deserialize_with = "function_kind")]
        kind: FunctionKind,
        /// The function's path.
        path: String,
        /// Its arguments, an object in Convex's encoding.
        #[serde(default)]
        args: Option<Json>,
        /// On whose behalf; absent: as `set` said.
        #[serde(default, deserialize_with = "present")]
        identity: Option<Json>,
    },
    /// Another clock or identity, other variables.
    Set {
        /// Which database.
        db: u64,
        /// The clock, in milliseconds since the epoch.
        now: Option<f64>,
        /// How far the clock moves on, in milliseconds; scheduled functions that are due by then are called.
        advance: Option<f64>,
        /// On whose behalf functions are called from now on.
        #[serde(default, deserialize_with = "present")]
        identity: Option<Json>,
        /// Variables that are set, or, where there is no value, removed.
        #[serde(default)]
        variables: BTreeMap<String, Option<String>>,
    },
    /// All scheduled functions, until none waits.
    FinishScheduled {
        /// Which database.
        db: u64,
    },
    /// The claims of a token that a function signed.
    Verify {
        /// The database whose clock counts.
        db: u64,
        /// The token.
        token: String,
    },
    /// The end of a database.
    Close {
        /// Which one.
        db: u64,
    },
}

/// `query` or `mutation`.
fn function_kind<'de, D: Deserializer<'de>>(deserializer: D) -> Result<FunctionKind, D::Error> {
    let text = String::deserialize(deserializer)?;
    FunctionKind::parse(&text)
        .ok_or_else(|| D::Error::custom(format!("unknown kind `{text}`; use `query` or `mutation`")))
}

/// A field that is there, `null` or not: `null` is nobody, absence leaves things as they are.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Json>, D::Error> {
    Json::deserialize(deserializer).map(Some)
}
