//! Components over HTTP: which have data, and dropping what one has left that is mounted no longer.
//!
//! GET `/api/weir/components` lists them, `{"components": [{"path", "state", "tables", "documents", "files",
//! "scheduledFunctions"}]}`; DELETE `/api/weir/components/PATH` begins to remove the data of one.

use std::sync::Arc;

use hyper::StatusCode;
use weir_db::{CommitError, VariablesError};
use weir_value::{ComponentPath, ErrorCode};

use super::audit;
use crate::answer::{Answer, ApiError, json};
use crate::app::App;
use crate::audit::Auditor;
use crate::executor::{JobKind, Work};

/// Lists the components that have data.
pub async fn list(app: &Arc<App>) -> Result<Answer, ApiError> {
    let db = Arc::clone(&app.db);
    let read = app.machine.executor.run(Work::of_host(JobKind::Client), move || db.components()).await;
    let components = read.map_err(|_| ApiError::internal())?.map_err(|_| ApiError::internal())?;
    Ok(json(StatusCode::OK, &serde_json::json!({ "components": components })))
}

/// Begins to remove the data of a component that is not mounted. When it answers, nothing takes them up again.
pub async fn drop(app: &Arc<App>, path: &str, auditor: Option<&Auditor>) -> Result<Answer, ApiError> {
    let path = ComponentPath::parse(path)
        .map_err(|error| ApiError::bad_request(ErrorCode::InvalidRequest, format!("{error}.")))?;
    let detail = serde_json::json!({ "path": path.as_str() });
    let work = async {
        let db = Arc::clone(&app.db);
        let dropped =
            app.machine.executor.run(Work::of_host(JobKind::Client), move || db.drop_component(&path)).await;
        let ts = dropped.map_err(|_| ApiError::internal())?.map_err(refuse)?;
        app.durable.wait(ts).await;
        Ok(())
    };
    audit::record(auditor, "dropComponent", detail, work).await?;
    Ok(json(StatusCode::OK, &serde_json::json!({})))
}

fn refuse(error: VariablesError) -> ApiError {
    match error {
        VariablesError::Refused(error) => {
            let status = match error.code {
                ErrorCode::NotFound => StatusCode::NOT_FOUND,
                _ => StatusCode::CONFLICT,
            };
            ApiError::new(status, error.code, error.message)
        }
        VariablesError::Commit(CommitError::Sequence(error)) => {
            ApiError::of_store(&error).unwrap_or_else(ApiError::internal)
        }
        VariablesError::Commit(CommitError::Read(_)) => ApiError::internal(),
    }
}
