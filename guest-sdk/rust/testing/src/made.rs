//! What an action did besides what it gave back.

use bytes::Bytes;
use serde::de::DeserializeOwned;
use weir_db::{CallError, FunctionKind};

use crate::{Error, FetchRequest};

/// A function that an action called.
#[derive(Debug, Clone)]
pub struct CalledFunction {
    /// As what: `query`, `mutation` or `action`.
    pub kind: &'static str,
    /// The function: `chat:sendMessage`.
    pub path: String,
    /// What it logged: `[LOG] text`.
    pub log_lines: Vec<String>,
    args: Bytes,
    result: Option<Result<Bytes, CallError>>,
}

impl CalledFunction {
    pub(crate) fn new(call: weir_testing::CalledFunction) -> CalledFunction {
        let weir_testing::CalledFunction { kind, path, args, result, log_lines } = call;
        CalledFunction { kind: FunctionKind::as_str(kind), path, log_lines, args, result }
    }

    /// Its arguments.
    ///
    /// # Panics
    /// If they are no `A`.
    pub fn args<A: DeserializeOwned>(&self) -> A {
        weir::json::from_slice(&self.args)
            .unwrap_or_else(|error| panic!("the arguments of {}: {error}", self.path))
    }

    /// Its result; `None`: the action did not wait for it.
    ///
    /// # Errors
    /// Why it failed.
    ///
    /// # Panics
    /// If the result is no `R`.
    pub fn result<R: DeserializeOwned>(&self) -> Option<Result<R, Error>> {
        Some(match self.result.as_ref()? {
            Ok(result) => Ok(weir::json::from_slice(result)
                .unwrap_or_else(|error| panic!("the result of {}: {error}", self.path))),
            Err(error) => Err(Error::new(error.clone())),
        })
    }
}

/// A request that an action sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentRequest {
    /// The request.
    pub request: FetchRequest,
    /// The status of the response, or why there was none; `None`: the action did not wait for it.
    pub outcome: Option<Result<u16, String>>,
}

impl SentRequest {
    pub(crate) fn new(sent: weir_testing::SentRequest) -> SentRequest {
        let outcome = sent.outcome.map(|outcome| outcome.map_err(|error| error.message));
        SentRequest { request: FetchRequest::new(sent.request), outcome }
    }
}
