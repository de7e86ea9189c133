//! What a test asks of `host test`, one JSON object a line:
//!
//! | op | fields | answer |
//! |---|---|---|
//! | `open` | `now` (ms), `seed` | `{"id", "db"}`: a fresh, empty database |
//! | `call` | `db`, `kind`, `path`, `args`, `identity` | `{"id", "value" or "error", "logLines", "reads", "writes", "calls", "requests"}` |
//! | `request` | `db`, `method`, `path`, `headers`, `body`, `identity` | the same with `response` in the place of `value`: `{"status", "headers", "body", "broken"}`, the body as a list of its pieces |
//! | `set` | `db`, `now` (ms), `advance` (ms), `identity` (object or null), `variables` (`{name: value or null}`) | `{"id"}`, with `scheduled` if the clock moved on |
//! | `finishScheduled` | `db` | `{"id", "scheduled"}` |
//! | `storeFile` | `db`, `body`, `contentType` | `{"id", "storageId"}` |
//! | `upload` | `db`, `url`, `body`, `contentType`, `sha256` | `{"id", "storageId"}`, or `{"id", "error"}` |
//! | `file` | `db`, `file`: its id or its URL | `{"id", "file"}`: `null`, or `{"body", "contentType", "sha256", "size"}` |
//! | `verify` | `db`, `token` | `{"id", "claims"}`, or `{"id", "error"}` for a token that no function of a test signed, or that has expired at the database's time |
//! | `close` | `db` | `{"id"}` |
//!
//! `calls` and `requests` are what an action did, where it did any; runs in `scheduled` have them too. What
//! cannot be answered has `{"id", "failure"}` for an answer: a mistake of the test's, not of a function.
//! Bytes are base64.
//!
//! **Requests that actions send** the test answers. Before the answer to a line there may come any number of
//! lines `{"fetch": [{"method", "url", "headers", "body"}, …], "db"}`: requests that were sent at the same
//! time. The test writes `{"op": "fetched", "answers": […]}`, with one answer for each, in their order:
//!
//! - a response: `{"status", "headers", "body", "broken", "delay" (ms)}`, of which the status alone must be
//!   there;
//! - none, for this reason: `{"failure", "code", "delay"}`, where the code is `FetchFailed` unless it is
//!   said;
//! - `null`: nothing in the test answers this request, which is a mistake of the test's.
//!
//! Or `{"op": "fetched", "error": "…"}`: what answers has failed. Other lines that come meanwhile wait.

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
    /// A request to an HTTP action.
    Request {
        /// Which database.
        db: u64,
        /// In capitals.
        method: String,
        /// Path and query.
        path: String,
        /// Names and values.
        #[serde(default)]
        headers: Vec<(String, String)>,
        /// In base64; absent: it has none.
        #[serde(default)]
        body: Option<String>,
        /// On whose behalf; absent: as `set` said.
        #[serde(default, deserialize_with = "present")]
        identity: Option<Json>,
    },
    /// A file that is stored, as an upload would.
    StoreFile {
        /// Which database.
        db: u64,
        /// In base64.
        body: String,
        /// Its media type.
        #[serde(default, rename = "contentType")]
        content_type: Option<String>,
    },
    /// An upload to a URL that a function has made.
    Upload {
        /// Which database.
        db: u64,
        /// The URL.
        url: String,
        /// In base64.
        body: String,
        /// Its media type.
        #[serde(default, rename = "contentType")]
        content_type: Option<String>,
        /// What the bytes' SHA-256 must be, in hex or base64.
        #[serde(default)]
        sha256: Option<String>,
    },
    /// A stored file.
    File {
        /// Which database.
        db: u64,
        /// Its id or its URL.
        file: String,
    },
    /// Answers to requests; read while an action waits for them, and in no other place.
    Fetched(Fetched),
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

/// What the test answers to requests.
#[derive(Debug, Deserialize)]
pub struct Fetched {
    /// One for each request.
    #[serde(default)]
    pub answers: Vec<Option<Answered>>,
    /// Why there are none.
    #[serde(default)]
    pub error: Option<String>,
}

/// What the test answers to one request.
#[derive(Debug, Deserialize)]
pub struct Answered {
    /// The response.
    #[serde(default)]
    pub status: Option<u16>,
    /// Names and values.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// Its body, piece by piece, in base64.
    #[serde(default)]
    pub body: Vec<String>,
    /// Why it breaks off after that.
    #[serde(default)]
    pub broken: Option<String>,
    /// Why there is no response.
    #[serde(default)]
    pub failure: Option<String>,
    /// The error's code.
    #[serde(default)]
    pub code: Option<String>,
    /// How long it takes, in milliseconds.
    #[serde(default)]
    pub delay: f64,
}

/// `query`, `mutation` or `action`.
fn function_kind<'de, D: Deserializer<'de>>(deserializer: D) -> Result<FunctionKind, D::Error> {
    let text = String::deserialize(deserializer)?;
    FunctionKind::parse(&text).ok_or_else(|| {
        D::Error::custom(format!("unknown kind `{text}`; use `query`, `mutation` or `action`"))
    })
}

/// A field that is there, `null` or not: `null` is nobody, absence leaves things as they are.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Json>, D::Error> {
    Json::deserialize(deserializer).map(Some)
}
