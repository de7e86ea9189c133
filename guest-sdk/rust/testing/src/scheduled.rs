//! What came of scheduled functions and cron jobs that a test had called.

use bytes::Bytes;
use serde::de::DeserializeOwned;
use weir::{Id, ScheduledFunction};
use weir_db::CallError;

use crate::{CalledFunction, Error, SentRequest};

/// A scheduled function that was called, or a cron job, because the test let its time come.
#[derive(Debug, Clone)]
pub struct ScheduledRun {
    /// Its document, as the function that scheduled it was given it.
    pub id: Id<ScheduledFunction>,
    /// The name of the cron job; `None`: it was scheduled.
    pub cron: Option<String>,
    /// The function: `notes:remind`.
    pub path: String,
    /// What it logged: `[LOG] text`.
    pub log_lines: Vec<String>,
    /// The functions that an action called; see [`Last::calls`](crate::Last::calls).
    pub calls: Vec<CalledFunction>,
    /// The requests that an action sent.
    pub requests: Vec<SentRequest>,
    args: Bytes,
    result: Result<Bytes, CallError>,
}

impl ScheduledRun {
    pub(crate) fn new(run: weir_testing::ScheduledRun) -> Self {
        Self {
            id: Id::from_text(run.id.to_string()),
            cron: run.cron.map(|name| name.to_string()),
            path: run.path.to_string(),
            log_lines: run.log_lines,
            calls: run.made.calls.into_iter().map(CalledFunction::new).collect(),
            requests: run.made.requests.into_iter().map(SentRequest::new).collect(),
            args: run.args,
            result: run.result,
        }
    }

    /// Its arguments.
    ///
    /// # Panics
    /// If they are no `A`.
    pub fn args<A: DeserializeOwned>(&self) -> A {
        weir::json::from_slice(&self.args)
            .unwrap_or_else(|error| panic!("the arguments of {}: {error}", self.path))
    }

    /// Its result.
    ///
    /// # Errors
    /// Why it failed.
    ///
    /// # Panics
    /// If the result is no `R`.
    pub fn result<R: DeserializeOwned>(&self) -> Result<R, Error> {
        let result = self.result.as_ref().map_err(|error| Error::new(error.clone()))?;
        Ok(weir::json::from_slice(result)
            .unwrap_or_else(|error| panic!("the result of {}: {error}", self.path)))
    }

    /// Why it failed; `None`: it did not.
    pub fn error(&self) -> Option<Error> {
        self.result.as_ref().err().cloned().map(Error::new)
    }
}
