//! `weir:guest/http`: requests of an action, and the response of an HTTP action.
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use weir_db::{Body, CallError, DbError, HttpRequest, HttpResponse, Redirect, not_in_action};
use weir_value::ErrorCode;

use super::tasks::Answer;
use crate::action::{End, RunningAction};
use crate::bindings::weir::guest::http::Host;
use crate::bindings::weir::guest::types::Error;
use crate::call_state::CallState;

/// Names and values of headers.
type Headers = Vec<(String, String)>;

#[derive(Deserialize)]
struct RequestJson {
    method: String,
    url: String,
    #[serde(default)]
    headers: Headers,
    #[serde(default)]
    redirect: RedirectJson,
    #[serde(default)]
    stream: Option<u32>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "lowercase")]
enum RedirectJson {
    #[default]
    Follow,
    Manual,
    Error,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResponseHeadJson {
    status: u16,
    status_text: &'static str,
    url: String,
    redirected: bool,
    headers: Headers,
    stream: Option<u32>,
}

#[derive(Deserialize)]
struct ResponseJson {
    status: u16,
    #[serde(default)]
    headers: Headers,
    #[serde(default)]
    stream: Option<u32>,
}

impl Host for CallState {
    fn send(&mut self, request: Vec<u8>, body: Option<Vec<u8>>) -> Answer<u32> {
        self.start("`fetch`", |action| {
            let request: RequestJson = read_json("http", &request, ErrorCode::InvalidRequest)?;
            let redirect = match request.redirect {
                RedirectJson::Follow => Redirect::Follow,
                RedirectJson::Manual => Redirect::Manual,
                RedirectJson::Error => Redirect::Error,
            };
            let body = body_of(action, request.stream, body)?;
            let RequestJson { method, url, headers, .. } = request;
            let sent = action.call.host().send(HttpRequest { method, url, headers, body, redirect });
            Ok(Box::pin(async move {
                match sent.await {
                    Ok(response) => End::Settle(Box::new(move |action| head_of(action, response))),
                    Err(error) => End::Outcome(Err(error.into())),
                }
            }))
        })
    }

    fn respond(&mut self, response: Vec<u8>, body: Option<Vec<u8>>) -> Answer<()> {
        let Some(action) = self.action() else { return Ok(Err(not_in_action("a response").into())) };
        Ok(begin_response(action, &response, body).map_err(Error::from))
    }
}

fn begin_response(action: &mut RunningAction, response: &[u8], body: Option<Vec<u8>>) -> Result<(), DbError> {
    let ResponseJson { status, headers, stream } = read_json("http", response, ErrorCode::InvalidResponse)?;
    if !(200..=599).contains(&status) {
        let message = format!("{status} is not the status of a response; one is from 200 to 599.");
        return Err(DbError::new(ErrorCode::InvalidResponse, message));
    }
    let body = body_of(action, stream, body)?;
    action.call.respond(HttpResponse { status, url: String::new(), redirected: false, headers, body })
}

/// Reads JSON of the form that an interface says.
pub(super) fn read_json<'a, T: Deserialize<'a>>(
    interface: &str,
    json: &'a [u8],
    code: ErrorCode,
) -> Result<T, DbError> {
    serde_json::from_slice(json)
        .map_err(|error| DbError::new(code, format!("It is not as weir:guest/{interface} says: {error}")))
}

/// The body that a guest gives: bytes, or a stream that it writes.
pub(super) fn body_of(
    action: &mut RunningAction,
    stream: Option<u32>,
    body: Option<Vec<u8>>,
) -> Result<Body, DbError> {
    match (stream, body) {
        (Some(stream), _) => action.streams.pass_on(stream).map(Body::Stream),
        (None, Some(bytes)) => Ok(Body::Whole(Bytes::from(bytes))),
        (None, None) => Ok(Body::Empty),
    }
}

/// The head of a response, whose body becomes a stream of the action.
fn head_of(action: &mut RunningAction, response: HttpResponse) -> Result<Vec<u8>, CallError> {
    let HttpResponse { status, url, redirected, headers, body } = response;
    let stream = match body {
        Body::Stream(body) => Some(action.streams.add(body)?),
        Body::Empty | Body::Whole(_) => None,
    };
    let status_text = http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let status_text = status_text.unwrap_or_default();
    let head = ResponseHeadJson { status, status_text, url, redirected, headers, stream };
    Ok(serde_json::to_vec(&head).expect("texts and numbers can be written"))
}
