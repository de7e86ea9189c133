//! What others need to verify the tokens that functions sign: the host's public keys, and where they are.

use std::sync::Arc;

use hyper::StatusCode;
use hyper::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, HeaderValue};
use serde_json::Value as Json;

use crate::answer::{Answer, ApiError, json_text};
use crate::app::App;

/// GET `/.well-known/jwks.json`: the public half of the key that functions sign tokens with.
pub async fn key_set(app: &App) -> Result<Answer, ApiError> {
    let signer = Arc::clone(&app.signer);
    let jwks = tokio::task::spawn_blocking(move || signer.jwks()).await.map_err(|_| ApiError::internal())?;
    let jwks = jwks.map_err(|error| {
        tracing::error!(%error, "the host's signing key cannot be had");
        ApiError::internal()
    })?;
    Ok(public(&jwks))
}

/// GET `/.well-known/openid-configuration`: where the keys are, as OpenID Connect has it.
pub fn discovery(app: &App) -> Answer {
    public(&app.signer.discovery())
}

/// For everybody, browsers on other sites too, to keep for a while.
fn public(document: &Json) -> Answer {
    let mut answer = json_text(StatusCode::OK, document.to_string());
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    answer.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    answer
}
