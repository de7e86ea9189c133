//! The audit log over HTTP, and writing it for the routes.
//!
//! GET `/api/weir/audit?lines=100` answers with the newest entries, the oldest of them first: `{"entries": [{"time",
//! "request", "key", "address", "action", "outcome", "detail"?}]}`.

use std::sync::Arc;

use hyper::StatusCode;
use serde_json::Value as Json;
use weir_value::{ErrorCode, limits};

use super::caller::parameter;
use crate::answer::{Answer, ApiError, json_text};
use crate::app::App;
use crate::audit::{Auditor, read_newest};

/// Has something done, and written down by `auditor`: see [`Auditor::record`].
pub async fn record<T>(
    auditor: Option<&Auditor>,
    action: &'static str,
    detail: Json,
    work: impl Future<Output = Result<T, ApiError>>,
) -> Result<T, ApiError> {
    match auditor {
        Some(auditor) => auditor.record(action, detail, work).await,
        None => work.await,
    }
}

/// Answers with the newest entries.
pub async fn read(app: &Arc<App>, query: &str) -> Result<Answer, ApiError> {
    let lines = parameter(query, "lines").map_or(Ok(limits::AUDIT_LINES_SHOWN), |text| text.parse());
    let lines = lines.ok().filter(|lines| *lines <= limits::AUDIT_LINES_SHOWN_MAX).ok_or_else(|| {
        let message = format!("`lines` must be a number, at most {}.", limits::AUDIT_LINES_SHOWN_MAX);
        ApiError::bad_request(ErrorCode::InvalidRequest, message)
    })?;
    let Some(folder) = app.audit.as_ref().map(|log| log.folder().to_owned()) else { return Ok(entries(&[])) };
    let read = tokio::task::spawn_blocking(move || read_newest(&folder, lines)).await;
    let read = read.map_err(std::io::Error::other).and_then(|read| read).map_err(|error| {
        tracing::error!(%error, "the audit log cannot be read");
        ApiError::internal()
    })?;
    Ok(entries(&read))
}

fn entries(lines: &[String]) -> Answer {
    json_text(StatusCode::OK, format!("{{\"entries\":[{}]}}", lines.join(",")))
}
