//! What the holders of admin keys do, line by line, in a file of the data folder.
//!
//! What changes something is begun with a line that is on the disk before anything happens, and ended with another one, so
//! nothing is done of which nothing is known. When there is no room for a line, what needs one is refused; what needs none,
//! clients' calls above all, goes on. Room for the line that ends it is set aside when something begins.
//!
//! **Invariant:** no line holds a key, the value of a variable, an argument or a result.
//!
//! Not here: what clients do, and attempts with keys that are none (`identity/attempts`): a stranger could fill the disk with
//! those.

mod file;
mod log;

use std::net::IpAddr;
use std::sync::Arc;

use hyper::StatusCode;
use serde::Serialize;
use serde_json::Value as Json;
use weir_value::{ErrorCode, date_time};

use crate::answer::ApiError;
use crate::machine::Machine;

pub use self::file::read_newest;
pub use self::log::AuditLog;

/// What became of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// It is about to be done.
    Begun,
    /// It was done.
    Ok,
    /// It was not done: the request was wrong, or its key is good for less.
    Refused,
    /// It was not done, or not all of it: the host failed.
    Failed,
    /// Whoever asked for it has left before its end: it may have been done.
    Unheard,
}

impl Outcome {
    /// Of what was answered.
    fn of<T>(result: &Result<T, ApiError>) -> Outcome {
        match result {
            Ok(_) => Outcome::Ok,
            Err(error) if error.status.is_client_error() => Outcome::Refused,
            Err(_) => Outcome::Failed,
        }
    }
}

/// One line of the log.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    time: String,
    /// What the lines of one request have in common.
    request: &'a str,
    /// The name of the key.
    key: &'a str,
    address: Option<IpAddr>,
    action: &'a str,
    outcome: Outcome,
    #[serde(skip_serializing_if = "Json::is_null")]
    detail: &'a Json,
}

/// The holder of an admin key, at something.
#[derive(Clone)]
pub struct Auditor {
    /// `None` where none is kept.
    log: Option<Arc<AuditLog>>,
    machine: Arc<Machine>,
    key: Arc<str>,
    address: Option<IpAddr>,
    request: String,
}

impl Auditor {
    /// Of whoever holds the key of this name, there.
    pub fn new(
        (log, machine): (Option<&Arc<AuditLog>>, &Arc<Machine>),
        key: &Arc<str>,
        address: Option<IpAddr>,
        request: String,
    ) -> Auditor {
        Auditor { log: log.cloned(), machine: Arc::clone(machine), key: Arc::clone(key), address, request }
    }

    /// Writes that something begins, has it done, and writes what became of it.
    ///
    /// # Errors
    /// 507 when there is no room for the line; else what `work` gives.
    pub async fn record<T>(
        &self,
        action: &'static str,
        detail: Json,
        work: impl Future<Output = Result<T, ApiError>>,
    ) -> Result<T, ApiError> {
        let Some(log) = &self.log else { return work.await };
        let line = self.line(action, Outcome::Begun, &detail);
        log.begin(line).await.map_err(|error| no_room(&error))?;
        let mut begun = Begun { auditor: self, action, outcome: Outcome::Unheard, detail };
        let result = work.await;
        begun.outcome = Outcome::of(&result);
        if let Err(error) = &result {
            begun.detail["error"] = error.code.as_str().into();
        }
        result
    }

    /// Writes that something was done, or refused, without waiting for the line.
    pub fn note(&self, action: &str, outcome: Outcome, detail: &Json) {
        if let Some(log) = &self.log {
            log.note(self.line(action, outcome, detail));
        }
    }

    fn line(&self, action: &str, outcome: Outcome, detail: &Json) -> String {
        let (request, key, address) = (self.request.as_str(), &*self.key, self.address);
        let now = u64::try_from(self.machine.unix_time().as_millis()).unwrap_or(u64::MAX);
        let time = date_time::to_milliseconds(now);
        let entry = Entry { time, request, key, address, action, outcome, detail };
        // Texts and numbers: they are always written.
        serde_json::to_string(&entry).unwrap_or_default() + "\n"
    }
}

/// Something that has begun: its end is written when this is dropped, whatever has dropped it.
struct Begun<'a> {
    auditor: &'a Auditor,
    action: &'static str,
    outcome: Outcome,
    detail: Json,
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        self.auditor.note(self.action, self.outcome, &self.detail);
    }
}

/// What whoever needs a line is told when there is no room for it.
fn no_room(error: &std::io::Error) -> ApiError {
    tracing::error!(%error, "what the holder of an admin key asks for is refused: the audit log cannot be written");
    let message =
        "This is not done, because the audit log cannot be written: free some space on the server's disk.";
    ApiError::new(StatusCode::INSUFFICIENT_STORAGE, ErrorCode::DiskFull, message)
}
