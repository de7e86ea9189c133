//! Requests of actions, and what the test answers.

use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use weir::http::Headers;
use weir_db::DbError;
use weir_testing::{AnswersFetch, FetchAnswer};
use weir_value::ErrorCode;

/// A request that an action sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchRequest {
    /// `GET`, `POST`, ...
    pub method: String,
    /// Where to, in full, and normalised: `https://api.example.com/v1?a=b`.
    pub url: String,
    /// Its headers, with names in small letters.
    pub headers: Headers,
    /// What is sent, all of it; empty for a request without a body.
    pub body: Vec<u8>,
}

impl FetchRequest {
    pub(crate) fn new(request: weir_testing::FetchRequest) -> FetchRequest {
        let weir_testing::FetchRequest { method, url, headers, body } = request;
        FetchRequest { method, url, headers: headers_of(headers), body: body.to_vec() }
    }

    /// The body as text.
    ///
    /// # Panics
    /// If it is no UTF-8.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body)
            .unwrap_or_else(|error| panic!("the body of {} {}: {error}", self.method, self.url))
    }

    /// The body, read as JSON.
    ///
    /// # Panics
    /// If it is none, or no `T`.
    pub fn json<T: DeserializeOwned>(&self) -> T {
        weir::json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("the body of {} {}: {error}", self.method, self.url))
    }
}

/// What the test answers.
#[derive(Debug, Clone)]
pub struct FetchResponse(FetchAnswer);

impl FetchResponse {
    /// A response with this status and no body.
    pub fn new(status: u16) -> FetchResponse {
        let response =
            weir_testing::FetchResponse { status, headers: Vec::new(), body: Vec::new(), broken: None };
        FetchResponse(FetchAnswer { outcome: Some(Ok(response)), delay: Duration::ZERO })
    }

    /// A text, with status 200.
    pub fn text(text: impl Into<String>) -> FetchResponse {
        FetchResponse::new(200).header("content-type", "text/plain; charset=utf-8").body(text.into())
    }

    /// A value as plain JSON, with status 200.
    ///
    /// # Panics
    /// If the value has bytes, or numbers that JSON does not have.
    pub fn json(value: impl Serialize) -> FetchResponse {
        FetchResponse::new(200).header("content-type", "application/json").body(plain_json(&value))
    }

    /// None: the connection fails, for this reason. The action sees `FetchFailed`.
    pub fn failure(reason: impl Into<String>) -> FetchResponse {
        FetchResponse::failed(ErrorCode::FetchFailed, reason.into())
    }

    /// None: nothing comes within the time that a host waits. The action sees `FetchTimedOut`.
    pub fn timeout() -> FetchResponse {
        FetchResponse::failed(ErrorCode::FetchTimedOut, "no answer in time".to_owned())
    }

    fn failed(code: ErrorCode, message: String) -> FetchResponse {
        FetchResponse(FetchAnswer { outcome: Some(Err(DbError::new(code, message))), delay: Duration::ZERO })
    }

    /// None, because the test expects no such request: it ends the test.
    pub fn unanswered() -> FetchResponse {
        FetchResponse(FetchAnswer { outcome: None, delay: Duration::ZERO })
    }

    /// With another status.
    pub fn status(self, status: u16) -> FetchResponse {
        self.change(|response| response.status = status)
    }

    /// With a header more.
    pub fn header(self, name: impl Into<String>, value: impl Into<String>) -> FetchResponse {
        self.change(|response| response.headers.push((name.into(), value.into())))
    }

    /// With this body, in the place of what it had.
    pub fn body(self, body: impl Into<Vec<u8>>) -> FetchResponse {
        self.pieces([body.into()])
    }

    /// With a body that comes piece by piece.
    pub fn pieces<P: Into<Vec<u8>>>(self, pieces: impl IntoIterator<Item = P>) -> FetchResponse {
        self.change(|response| {
            response.body = pieces.into_iter().map(|piece| Bytes::from(piece.into())).collect();
        })
    }

    /// With a body that breaks off after what it has, for this reason. The action sees `BodyBroken`.
    pub fn broken(self, reason: impl Into<String>) -> FetchResponse {
        self.change(|response| response.broken = Some(reason.into()))
    }

    /// After so long, on the test's clock.
    pub fn delay(mut self, delay: Duration) -> FetchResponse {
        self.0.delay = delay;
        self
    }

    /// Changes what is a response; of a failure there is nothing to change.
    fn change(mut self, change: impl FnOnce(&mut weir_testing::FetchResponse)) -> FetchResponse {
        if let Some(Ok(response)) = &mut self.0.outcome {
            change(response);
        }
        self
    }
}

/// A function of the test that answers requests.
pub(crate) struct Handler<F>(pub(crate) F);

impl<F: Fn(&FetchRequest) -> FetchResponse> AnswersFetch for Handler<F> {
    fn answer(&self, requests: &[weir_testing::FetchRequest]) -> Result<Vec<FetchAnswer>, String> {
        Ok(requests.iter().map(|request| (self.0)(&FetchRequest::new(request.clone())).0).collect())
    }
}

pub(crate) fn headers_of(list: Vec<(String, String)>) -> Headers {
    let mut headers = Headers::default();
    for (name, value) in list {
        headers.append(name, value);
    }
    headers
}

/// A value as the web has it.
pub(crate) fn plain_json(value: &impl Serialize) -> Vec<u8> {
    weir::json::to_plain_vec(value).unwrap_or_else(|error| panic!("a body as JSON: {error}"))
}
