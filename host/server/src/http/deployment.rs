//! Deploying over HTTP, with the admin key.
//!
//! POST `/api/weir/deploy` with `{"modules": [{"name", "component": base64}]}`
//! answers with what is deployed now; GET `/api/weir/deployment` says it again.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper::body::Incoming;
use hyper::{Request, StatusCode};
use serde::Deserialize;
use weir_store::SequenceError;
use weir_value::limits;

use super::answer::{Answer, ApiError, json};
use super::{body, caller};
use crate::backend::Backend;
use crate::deploy::{DeployError, Module};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Deployment {
    modules: Vec<SentModule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SentModule {
    name: String,
    component: String,
}

/// Puts a new deployment in place.
pub async fn deploy(backend: &Arc<Backend>, request: Request<Incoming>) -> Result<Answer, ApiError> {
    let query = request.uri().query().unwrap_or("").to_owned();
    caller::require_admin(&backend.admin_key, request.headers(), &query)?;
    let text = body::read(request.into_body(), limits::DEPLOY_REQUEST_BYTES_MAX).await?;
    let modules = decode(&text)?;
    drop(text);
    let summary = backend.deployer.deploy(modules).await.map_err(refuse)?;
    Ok(json(StatusCode::OK, &summary))
}

/// Says what is deployed.
pub fn describe(backend: &Backend, request: &Request<Incoming>) -> Result<Answer, ApiError> {
    let query = request.uri().query().unwrap_or("");
    caller::require_admin(&backend.admin_key, request.headers(), query)?;
    Ok(json(StatusCode::OK, &backend.deployer.summary()))
}

fn decode(text: &[u8]) -> Result<Vec<Module>, ApiError> {
    let sent: Deployment =
        serde_json::from_slice(text).map_err(|error| super::arguments::invalid_json(&error))?;
    sent.modules
        .into_iter()
        .map(|module| {
            let component = STANDARD.decode(&module.component).map_err(|_| {
                let message = format!("The component of module `{}` is no base64.", module.name);
                ApiError::bad_request("InvalidRequest", message)
            })?;
            Ok(Module { name: module.name, component: Bytes::from(component) })
        })
        .collect()
}

fn refuse(error: DeployError) -> ApiError {
    let unavailable = |code, message| ApiError::new(StatusCode::SERVICE_UNAVAILABLE, code, message);
    if error.is_disk_full() {
        let message = "The server's disk is full, and what was deployed before stays in place. Free some space on \
                       the disk that holds the data folder, then deploy again.";
        return unavailable("DiskFull", message);
    }
    match &error {
        DeployError::Invalid(_) | DeployError::Load(_) => {
            ApiError::bad_request("InvalidDeployment", error.to_string())
        }
        DeployError::Busy => ApiError::new(StatusCode::CONFLICT, "DeploymentInProgress", error.to_string()),
        DeployError::Refused(SequenceError::Closed) => {
            unavailable("ShuttingDown", "The server is stopping: deploy again when it has started.")
        }
        DeployError::Refused(_) => unavailable(
            "Overloaded",
            "More writes are waiting than the server can take, and what was deployed before stays in place: deploy \
             again in a moment.",
        ),
        DeployError::Io(_) | DeployError::Record(_) | DeployError::Lost => {
            tracing::error!(%error, "a deployment failed");
            ApiError::internal()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn who_deploys_is_told_what_to_do() {
        let io = |kind: io::ErrorKind| DeployError::Io(kind.into());
        for (error, status, code) in [
            (io(io::ErrorKind::StorageFull), 503, "DiskFull"),
            (io(io::ErrorKind::QuotaExceeded), 503, "DiskFull"),
            (DeployError::Refused(SequenceError::DiskFull), 503, "DiskFull"),
            (DeployError::Refused(SequenceError::Overloaded), 503, "Overloaded"),
            (DeployError::Refused(SequenceError::Closed), 503, "ShuttingDown"),
            (DeployError::Busy, 409, "DeploymentInProgress"),
            (DeployError::Invalid("no name".into()), 400, "InvalidDeployment"),
            (io(io::ErrorKind::PermissionDenied), 500, "InternalServerError"),
            (DeployError::Lost, 500, "InternalServerError"),
        ] {
            let told = refuse(error);
            assert_eq!((told.status.as_u16(), told.code), (status, code), "{told:?}");
        }
    }
}
