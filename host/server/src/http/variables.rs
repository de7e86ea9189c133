//! The deployment's variables over HTTP.
//!
//! POST `/api/update_environment_variables` with `{"changes": [{"name", "value"}]}`, as the official command line does it: a
//! change without a value, or with `null`, removes the variable. GET `/api/weir/variables` lists them.
//!
//! **Invariant:** no error shows a value, or any part of a body.

use std::sync::Arc;

use hyper::{Request, StatusCode};
use serde::{Deserialize, Serialize};
use weir_db::{DbError, VariableChanges};
use weir_value::{ErrorCode, limits};

use super::{audit, body, deployment};
use crate::answer::{Answer, ApiError, json};
use crate::app::App;
use crate::audit::Auditor;
use crate::executor::{JobKind, Work};
use crate::request_body::RequestBody;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Update {
    changes: Vec<Change>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    name: String,
    #[serde(default)]
    value: Option<String>,
}

#[derive(Serialize)]
struct Listed<'a> {
    variables: Vec<Variable<'a>>,
}

#[derive(Serialize)]
struct Variable<'a> {
    name: &'a str,
    value: &'a str,
}

/// Sets and removes variables.
pub async fn update(
    app: &Arc<App>,
    request: Request<RequestBody>,
    auditor: Option<&Auditor>,
) -> Result<Answer, ApiError> {
    let text = body::read_trusted(request, limits::HTTP_BODY_BYTES_MAX).await?;
    let changes = decode(&text)?;
    let names: Vec<String> = changes.names().map(ToString::to_string).collect();
    let work = async { app.deployer.set_variables(changes).await.map_err(deployment::refuse) };
    audit::record(auditor, "setVariables", serde_json::json!({ "names": names }), work).await?;
    Ok(json(StatusCode::OK, &serde_json::json!({})))
}

/// Lists what was set, without the built-in variables.
pub async fn list(app: &Arc<App>, auditor: Option<&Auditor>) -> Result<Answer, ApiError> {
    audit::record(auditor, "listVariables", serde_json::Value::Null, read_all(app)).await
}

async fn read_all(app: &Arc<App>) -> Result<Answer, ApiError> {
    let deployer = Arc::clone(&app.deployer);
    let read = app
        .machine
        .executor
        .run(Work::of_host(JobKind::Client), move || deployer.variables())
        .await
        .map_err(|_| ApiError::internal())?;
    let read = read.map_err(deployment::refuse)?;
    let variables = read.set().iter().map(|(name, value)| Variable { name, value }).collect();
    Ok(json(StatusCode::OK, &Listed { variables }))
}

fn decode(text: &[u8]) -> Result<VariableChanges, ApiError> {
    let update: Update = serde_json::from_slice(text).map_err(|error| {
        // The parser's own words may hold what it has read.
        let (line, column) = (error.line(), error.column());
        let message = format!(
            "The body is not `{{\"changes\": [{{\"name\": text, \"value\": text or null}}]}}`: line {line}, column \
             {column}."
        );
        ApiError::bad_request(ErrorCode::InvalidRequest, message)
    })?;
    let changes = update.changes.into_iter().map(|change| (change.name, change.value));
    VariableChanges::new(changes).map_err(refuse)
}

fn refuse(error: DbError) -> ApiError {
    ApiError::bad_request(error.code, error.message)
}
