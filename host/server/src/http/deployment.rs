//! Deploying over HTTP, and what is told of a deployment.
//!
//! POST `/api/weir/deploy` with `{"modules": [{"name", "component": base64}], "auth": {"providers": [...]}}` answers
//! with what is deployed now; GET `/api/weir/deployment` says it again. `auth`, which may be missing, says who may vouch
//! for users; so may `outbound`, `{"allow": ["printer.lan", "192.168.1.0/24"]}`: where actions may connect to; and
//! `components`, a [`ComponentTree`].

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper::{Request, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use weir_db::Progress;
use weir_value::{ComponentTree, ErrorCode, limits};

use super::{audit, body};
use crate::answer::{Answer, ApiError, json};
use crate::app::App;
use crate::audit::Auditor;
use crate::canonical_urls::CanonicalUrls;
use crate::component_files::ComponentHash;
use crate::deploy::{DeployError, Module, NewDeployment, Summary};
use crate::request_body::RequestBody;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Deployment {
    modules: Vec<SentModule>,
    #[serde(default)]
    auth: Option<Json>,
    #[serde(default)]
    outbound: Outbound,
    #[serde(default)]
    components: ComponentTree,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Outbound {
    allow: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SentModule {
    name: String,
    component: String,
}

/// What is deployed, and how far the next deployment is while it is being prepared.
#[derive(Serialize)]
struct Described {
    #[serde(flatten)]
    deployed: Summary,
    #[serde(skip_serializing_if = "Option::is_none")]
    preparing: Option<Progress>,
}

/// Puts a new deployment in place.
pub async fn deploy(
    app: &Arc<App>,
    request: Request<RequestBody>,
    auditor: Option<&Auditor>,
) -> Result<Answer, ApiError> {
    let text = body::read_trusted(request, limits::DEPLOY_REQUEST_BYTES_MAX).await?;
    let deployment = decode(&text)?;
    drop(text);
    // Megabytes to be hashed are no work for the network's threads.
    let described = tokio::task::spawn_blocking(move || (audited(&deployment), deployment)).await;
    let (detail, deployment) = described.map_err(|_| ApiError::internal())?;
    let work = async { app.deployer.deploy(deployment).await.map_err(refuse) };
    let summary = audit::record(auditor, "deploy", detail, work).await?;
    Ok(json(StatusCode::OK, &summary))
}

/// What the audit log says of a deployment: its modules, each with its digest.
fn audited(deployment: &NewDeployment) -> Json {
    let module = |module: &Module| {
        let digest = ComponentHash::of(&module.component).to_string();
        serde_json::json!({ "name": module.name, "sha256": digest, "sizeBytes": module.component.len() })
    };
    let modules: Vec<Json> = deployment.modules.iter().map(module).collect();
    serde_json::json!({ "modules": modules, "outbound": deployment.outbound })
}

/// Says what is deployed.
pub fn describe(app: &App) -> Answer {
    let described = Described { deployed: app.deployer.summary(), preparing: app.deployer.progress() };
    json(StatusCode::OK, &described)
}

/// GET `/api/v1/get_canonical_urls`: where clients reach the deployment, as the official tools ask for it.
pub fn canonical_urls(app: &App) -> Answer {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Urls<'a> {
        convex_cloud_url: &'a str,
        convex_site_url: &'a str,
    }
    let CanonicalUrls { cloud, site } = &app.urls;
    json(StatusCode::OK, &Urls { convex_cloud_url: cloud, convex_site_url: site })
}

fn decode(text: &[u8]) -> Result<NewDeployment, ApiError> {
    let sent: Deployment =
        serde_json::from_slice(text).map_err(|error| super::arguments::invalid_json(&error))?;
    let modules = sent.modules.into_iter().map(decode_module).collect::<Result<_, _>>()?;
    let (auth, outbound, components) = (sent.auth, sent.outbound.allow, sent.components);
    Ok(NewDeployment { modules, auth, outbound, components })
}

fn decode_module(module: SentModule) -> Result<Module, ApiError> {
    let component = STANDARD.decode(&module.component).map_err(|_| {
        let message = format!("The component of module `{}` is not valid base64.", module.name);
        ApiError::bad_request(ErrorCode::InvalidRequest, message)
    })?;
    Ok(Module { name: module.name, component: Bytes::from(component) })
}

/// Whoever holds the admin key may know what failed; the log knows already.
pub fn refuse(error: DeployError) -> ApiError {
    let (status, code) = match &error {
        DeployError::Invalid(_)
        | DeployError::Load(_)
        | DeployError::Providers(_)
        | DeployError::Outbound(_) => (StatusCode::BAD_REQUEST, ErrorCode::InvalidDeployment),
        DeployError::Variables(error) => (StatusCode::BAD_REQUEST, error.code),
        DeployError::Schema(_) => (StatusCode::BAD_REQUEST, ErrorCode::SchemaMismatch),
        DeployError::Busy => (StatusCode::CONFLICT, ErrorCode::DeploymentInProgress),
        DeployError::DiskFull(_) | DeployError::WaitsForRoom => {
            (StatusCode::INSUFFICIENT_STORAGE, ErrorCode::DiskFull)
        }
        DeployError::Lost => (StatusCode::SERVICE_UNAVAILABLE, ErrorCode::ShuttingDown),
        DeployError::Files(_) | DeployError::Record(_) | DeployError::Panicked => {
            (StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::DeploymentFailed)
        }
    };
    ApiError::new(status, code, error.to_string())
}
