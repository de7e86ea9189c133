//! A transition's frame, put together from pieces that all sockets share: values, patches and log lines are encoded
//! once, a socket adds its versions and its query ids.
use std::fmt::Write as _;
use std::sync::Arc;

use crate::live::ResultChange;
use crate::protocol::{FailureBody, QueryId, StateVersion, push_error_data, push_json_string};
use crate::result::QueryResult;

/// What a frame needs beside the values: tags, versions, punctuation.
const FRAME_BYTES: usize = 256;
/// What a modification needs beside its value.
const MODIFICATION_BYTES: usize = 96;

/// One transition of one socket.
#[derive(Debug)]
pub struct Transition<'a> {
    /// Where the client stands.
    pub start: StateVersion,
    /// Where it is brought to.
    pub end: StateVersion,
    /// Queries that it watches no more.
    pub removed: &'a [QueryId],
    /// Results that it has not been given.
    pub changes: &'a [ResultChange],
    /// Whether it takes patches.
    pub takes_patches: bool,
}

/// What a modification carries.
enum Body<'a> {
    Patch(Arc<str>),
    Value(&'a str),
    Failure(&'a FailureBody),
}

/// Of two transitions with one change and the same result, one text serves both if these are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TextKey {
    start: StateVersion,
    end: StateVersion,
    query: QueryId,
    base: Option<u64>,
}

impl Transition<'_> {
    /// The text frame, which is made once for many sockets that stand at the same versions and watch one query alike, for as
    /// long as one of them has it yet to be written.
    pub fn text(&self) -> Arc<String> {
        match self.changes {
            [change] if self.removed.is_empty() => {
                let base = self.base_of(change).map(|base| base.seq());
                let key = TextKey { start: self.start, end: self.end, query: change.query, base };
                change.result.shared_text(key, || self.to_json())
            }
            _ => Arc::new(self.to_json()),
        }
    }

    /// The text frame. The first call for a pair of base and result computes the patch; all others copy it.
    pub fn to_json(&self) -> String {
        let bodies: Vec<Body<'_>> = self.changes.iter().map(|change| self.body(change)).collect();
        let changed_bytes: usize = bodies
            .iter()
            .zip(self.changes)
            .map(|(body, change)| body.bytes() + change.result.log_lines_json().len())
            .sum();
        let fixed_bytes = FRAME_BYTES + MODIFICATION_BYTES * (self.removed.len() + self.changes.len());
        let mut out = String::with_capacity(fixed_bytes + changed_bytes);
        out.push_str(r#"{"type":"Transition","startVersion":"#);
        push_version(&mut out, self.start);
        out.push_str(r#","endVersion":"#);
        push_version(&mut out, self.end);
        out.push_str(r#","modifications":["#);
        let empty = out.len();
        for query in self.removed {
            separate(&mut out, empty);
            let _ = write!(out, r#"{{"type":"QueryRemoved","queryId":{query}}}"#);
        }
        for (body, change) in bodies.iter().zip(self.changes) {
            separate(&mut out, empty);
            body.push(&mut out, change.query, &change.result);
        }
        out.push_str("]}");
        out
    }

    /// What a patch may lead from.
    fn base_of<'c>(&self, change: &'c ResultChange) -> Option<&'c Arc<QueryResult>> {
        change.base.as_ref().filter(|_| self.takes_patches)
    }

    fn body<'c>(&self, change: &'c ResultChange) -> Body<'c> {
        match change.result.outcome() {
            Err(failure) => Body::Failure(failure),
            Ok(value) => {
                let patch = self.base_of(change).and_then(|base| change.result.patch_from(base));
                patch.map_or(Body::Value(value), Body::Patch)
            }
        }
    }
}

impl Body<'_> {
    fn bytes(&self) -> usize {
        match self {
            Body::Patch(patch) => patch.len(),
            Body::Value(value) => value.len(),
            Body::Failure(failure) => {
                failure.message.len() * 2 + failure.data.as_ref().map_or(0, |data| data.len())
            }
        }
    }

    fn push(&self, out: &mut String, query: QueryId, result: &QueryResult) {
        match self {
            Body::Patch(patch) => {
                let _ = write!(out, r#"{{"type":"QueryPatched","queryId":{query},"patch":{patch}"#);
            }
            Body::Value(value) => {
                let _ = write!(out, r#"{{"type":"QueryUpdated","queryId":{query},"value":{value}"#);
            }
            Body::Failure(failure) => {
                let _ = write!(out, r#"{{"type":"QueryFailed","queryId":{query},"errorMessage":"#);
                push_json_string(out, &failure.message);
            }
        }
        let _ = write!(out, r#","logLines":{},"journal":"#, result.log_lines_json());
        match result.journal() {
            None => out.push_str("null"),
            Some(journal) => push_json_string(out, journal),
        }
        if let Body::Failure(failure) = self {
            push_error_data(out, failure.data.as_ref());
        }
        out.push('}');
    }
}

fn push_version(out: &mut String, version: StateVersion) {
    let StateVersion { query_set, identity, ts } = version;
    let _ = write!(out, r#"{{"querySet":{query_set},"identity":{identity},"ts":"{}"}}"#, ts.to_base64());
}

fn separate(out: &mut String, empty: usize) {
    if out.len() > empty {
        out.push(',');
    }
}
