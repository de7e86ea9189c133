//! Requests of an action, and the response of an HTTP action, as `weir:guest/http` says.
use serde::{Deserialize, Serialize};
use weir_value::ErrorCode;

use super::super::{Body, HttpRequest, HttpResponse, Redirect};
use super::tasks::End;
use super::{RunningAction, read_json, refused};
use crate::{CallError, DbError};

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

impl RunningAction {
    /// Begins to send a request; the task's outcome is the head of the response.
    ///
    /// # Errors
    /// `InvalidRequest`, `NoSuchStream`, `TooManyTasks`.
    pub fn send(&mut self, request: &[u8], body: Option<Vec<u8>>) -> Result<u32, DbError> {
        self.start(|action| {
            let request: RequestJson = read_json("http", request, ErrorCode::InvalidRequest)?;
            let redirect = match request.redirect {
                RedirectJson::Follow => Redirect::Follow,
                RedirectJson::Manual => Redirect::Manual,
                RedirectJson::Error => Redirect::Error,
            };
            let body = action.body_of(request.stream, body)?;
            let RequestJson { method, url, headers, .. } = request;
            let sent = action.call().host().send(HttpRequest { method, url, headers, body, redirect });
            Ok(Box::pin(async move {
                match sent.await {
                    Ok(response) => End::Settle(Box::new(move |action| head_of(action, response))),
                    Err(error) => refused(error),
                }
            }))
        })
    }

    /// Begins the response of an HTTP action.
    ///
    /// # Errors
    /// `NotInHttpAction`, `ResponseBegun`, `InvalidResponse`, `NoSuchStream`.
    pub fn respond(&mut self, response: &[u8], body: Option<Vec<u8>>) -> Result<(), DbError> {
        let ResponseJson { status, headers, stream } =
            read_json("http", response, ErrorCode::InvalidResponse)?;
        if !(200..=599).contains(&status) {
            let message = format!("{status} is not the status of a response; one is from 200 to 599.");
            return Err(DbError::new(ErrorCode::InvalidResponse, message));
        }
        let body = self.body_of(stream, body)?;
        self.call.respond(HttpResponse { status, url: String::new(), redirected: false, headers, body })
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
