//! Requests that a child has the host send, where it may connect to nothing itself: see `byHost` in its rules.
use std::future::poll_fn;

use bytes::{Bytes, BytesMut};
use serde::Deserialize;
use serde_json::json;
use weir_db::{ActionHost, Body, CallError, HttpRequest, HttpResponse, Redirect};
use weir_value::ErrorCode;

use crate::action::Answer;

/// The bytes of a response, which a child is given whole.
const RESPONSE_BYTES_MAX: usize = 64 << 20;

/// A request, as the runner's `fetch.js` asks for it.
#[derive(Deserialize)]
pub(crate) struct Fetch {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    redirect: Redirects,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Redirects {
    Follow,
    Manual,
    Error,
}

impl Fetch {
    /// Sends it with this body, of which an empty one is none, and reads what comes.
    pub(crate) async fn send(self, host: &dyn ActionHost, body: Bytes) -> Answer {
        let Fetch { method, url, headers, redirect } = self;
        let redirect = match redirect {
            Redirects::Follow => Redirect::Follow,
            Redirects::Manual => Redirect::Manual,
            Redirects::Error => Redirect::Error,
        };
        let body = if body.is_empty() { Body::Empty } else { Body::Whole(body) };
        let response = host.send(HttpRequest { method, url, headers, body, redirect }).await?;
        let HttpResponse { status, url, redirected, headers, body } = response;
        let head = json!({ "status": status, "url": url, "redirected": redirected, "headers": headers });
        Ok((head, whole(body).await?))
    }
}

async fn whole(body: Body) -> Result<Bytes, CallError> {
    let mut body = match body {
        Body::Empty => return Ok(Bytes::new()),
        Body::Whole(bytes) => return Ok(bytes),
        Body::Stream(body) => body,
    };
    let mut all = BytesMut::new();
    while let Some(piece) = poll_fn(|context| body.as_mut().poll_next(context)).await {
        let piece = piece
            .map_err(|error| CallError::new(ErrorCode::BodyBroken, format!("The body broke off: {error}")))?;
        if all.len() + piece.len() > RESPONSE_BYTES_MAX {
            let message = format!("The response has more than {} MiB.", RESPONSE_BYTES_MAX >> 20);
            return Err(CallError::new(ErrorCode::FetchFailed, message));
        }
        all.extend_from_slice(&piece);
    }
    Ok(all.freeze())
}
