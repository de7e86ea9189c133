//! Admin keys over HTTP.
//!
//! POST `/api/weir/keys` with `{"name", "scope"?, "expiresInSeconds"?}` makes one and answers with what GET lists of it,
//! and with its text, `key`, this once; GET `/api/weir/keys` lists them, `{"keys": [{"name", "scope", "createdAt",
//! "expiresAt", "isExpired"}]}`, times in milliseconds since the epoch or null; DELETE `/api/weir/keys/NAME` revokes one.

use std::sync::Arc;
use std::time::Duration;

use hyper::{Request, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use weir_db::{AdminKeyError, AdminKeyRecord, CommitError, Scope};
use weir_value::{ErrorCode, limits};

use super::arguments::invalid_json;
use super::{audit, body};
use crate::answer::{self, Answer, ApiError, sentence};
use crate::app::App;
use crate::audit::Auditor;
use crate::executor::{JobKind, Work};
use crate::identity::FIRST_KEY_NAME;
use crate::key_changes::{self, KeyChangeError};
use crate::request_body::RequestBody;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NewKey {
    name: String,
    #[serde(default)]
    scope: Option<String>,
    #[serde(default)]
    expires_in_seconds: Option<u64>,
}

/// What anybody may know of a key.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DescribedKey {
    name: String,
    scope: &'static str,
    created_at: Option<u64>,
    expires_at: Option<u64>,
    is_expired: bool,
}

#[derive(Serialize)]
struct Created<'a> {
    #[serde(flatten)]
    described: DescribedKey,
    key: &'a str,
}

#[derive(Serialize)]
struct Listed {
    keys: Vec<DescribedKey>,
}

impl DescribedKey {
    fn of(record: AdminKeyRecord, now: Duration) -> DescribedKey {
        DescribedKey {
            name: record.name,
            scope: record.scope.as_str(),
            created_at: Some(record.created_at_ms),
            expires_at: record.expires_at_ms,
            is_expired: record.expires_at_ms.is_some_and(|at| Duration::from_millis(at) <= now),
        }
    }

    /// The key of the data folder: no table knows when it was made.
    fn first() -> DescribedKey {
        DescribedKey {
            name: FIRST_KEY_NAME.to_owned(),
            scope: Scope::Everything.as_str(),
            created_at: None,
            expires_at: None,
            is_expired: false,
        }
    }
}

/// Makes a key.
pub async fn create(
    app: &Arc<App>,
    request: Request<RequestBody>,
    auditor: Option<&Auditor>,
) -> Result<Answer, ApiError> {
    let text = body::read_trusted(request, limits::HTTP_HEAD_BYTES_MAX).await?;
    let NewKey { name, scope, expires_in_seconds } =
        serde_json::from_slice(&text).map_err(|error| invalid_json(&error))?;
    let scope = parse_scope(scope.as_deref())?;
    let lifetime = expires_in_seconds.map(Duration::from_secs);
    let detail = json!({"name": name, "scope": scope.as_str(), "expiresInSeconds": expires_in_seconds});
    let work = async { key_changes::create(app, name, scope, lifetime).await.map_err(refuse) };
    let (key, record) = audit::record(auditor, "createKey", detail, work).await?;
    let described = DescribedKey::of(record, app.machine.unix_time());
    Ok(answer::json(StatusCode::OK, &Created { described, key: key.as_str() }))
}

/// Lists the keys, the one of the data folder first.
pub async fn list(app: &Arc<App>) -> Result<Answer, ApiError> {
    let identities = Arc::clone(&app.identities);
    let listed =
        app.machine.executor.run(Work::of_host(JobKind::Client), move || identities.keys().list()).await;
    let (records, now) = listed.map_err(|_| ApiError::internal())?.map_err(|error| refuse(error.into()))?;
    let others = records.into_iter().map(|record| DescribedKey::of(record, now));
    let keys = std::iter::once(DescribedKey::first()).chain(others).collect();
    Ok(answer::json(StatusCode::OK, &Listed { keys }))
}

/// Revokes a key.
pub async fn revoke(app: &Arc<App>, name: &str, auditor: Option<&Auditor>) -> Result<Answer, ApiError> {
    let work = async { key_changes::revoke(app, name.to_owned()).await.map_err(refuse) };
    let known: String = name.chars().take(limits::ADMIN_KEY_NAME_CHARS_MAX).collect();
    audit::record(auditor, "revokeKey", json!({ "name": known }), work).await?;
    Ok(answer::json(StatusCode::OK, &json!({})))
}

fn parse_scope(name: Option<&str>) -> Result<Scope, ApiError> {
    let Some(name) = name else { return Ok(Scope::Everything) };
    Scope::parse(name).ok_or_else(|| {
        let names = Scope::ALL.map(|scope| format!("`{scope}`")).join(", ");
        let name: String = name.chars().take(100).collect();
        let message = format!("`{name}` is not a scope of an admin key: use one of {names}.");
        ApiError::bad_request(ErrorCode::InvalidAdminKey, message)
    })
}

fn refuse(error: KeyChangeError) -> ApiError {
    let (status, code) = match &error {
        KeyChangeError::First => (StatusCode::BAD_REQUEST, ErrorCode::InvalidAdminKey),
        KeyChangeError::Refused(refused) => match refused {
            AdminKeyError::InvalidName(_) | AdminKeyError::InvalidLifetime(_) => {
                (StatusCode::BAD_REQUEST, ErrorCode::InvalidAdminKey)
            }
            AdminKeyError::Exists(_) => (StatusCode::CONFLICT, ErrorCode::AdminKeyExists),
            AdminKeyError::NotFound(_) => (StatusCode::NOT_FOUND, ErrorCode::AdminKeyNotFound),
            AdminKeyError::TooMany => (StatusCode::CONFLICT, ErrorCode::TooManyAdminKeys),
            AdminKeyError::Commit(CommitError::Sequence(refusal)) => {
                return ApiError::of_store(refusal).unwrap_or_else(|| failed(&error));
            }
            AdminKeyError::Table(_) | AdminKeyError::Commit(_) => return failed(&error),
        },
        KeyChangeError::Lost => (StatusCode::SERVICE_UNAVAILABLE, ErrorCode::ShuttingDown),
        KeyChangeError::Read(_) | KeyChangeError::Random(_) => return failed(&error),
    };
    ApiError::new(status, code, format!("{}.", sentence(&error.to_string())))
}

fn failed(error: &KeyChangeError) -> ApiError {
    tracing::error!(%error, "the admin keys cannot be changed or listed");
    ApiError::internal()
}
