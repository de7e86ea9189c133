//! One request of an action, from its body to the response.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use url::Url;
use weir_db::{Body, BodyError, BodyStream, DbError, HttpRequest, HttpResponse};
use weir_value::ErrorCode;
use weir_value::limits::OUTBOUND_REDIRECTS_MAX;

use super::redirect::{follow, location};
use super::{FetchAnswer, FetchRequest, FetchResponse, collect, failed};
use crate::TestError;
use crate::event_loop::Slot;
use crate::host::{Record, Shared};

/// Headers that the connection is told of by the host.
const OF_THE_HOST: [&str; 3] = ["host", "content-length", "transfer-encoding"];

/// A request that waits for the test's answer.
pub(crate) struct Waiting {
    pub(crate) request: FetchRequest,
    pub(crate) answer: Slot<FetchAnswer>,
}

/// Sends a request, and gives the response when its head is there.
pub(crate) async fn send(
    shared: Arc<Shared>,
    record: Arc<Record>,
    request: HttpRequest,
) -> Result<HttpResponse, DbError> {
    let HttpRequest { method, url, headers, body, redirect } = request;
    let mut url = read_url(&url)?;
    let method = read_method(method)?;
    let headers = read_headers(headers)?;
    let is_streamed = matches!(body, Body::Stream(_));
    let body = whole(body).await.map_err(|error| failed(format!("the body broke off: {error}")))?;
    let mut request = FetchRequest { method, url: without_fragment(&url), headers, body };
    let mut is_redirected = false;
    for _ in 0..=OUTBOUND_REDIRECTS_MAX {
        let number = record.request_sent(&request);
        let outcome = ask(&shared, &request).await;
        record.request_ended(number, outcome.as_ref().map(|response| response.status).map_err(Clone::clone));
        let response = outcome?;
        let Some(to) = location(&url, &response, redirect)? else {
            return Ok(into_response(&url, is_redirected, response));
        };
        follow(&mut request, response.status, (&url, &to), is_streamed)?;
        request.url = without_fragment(&to);
        (url, is_redirected) = (to, true);
    }
    Err(failed(format!("the request was sent on more than {OUTBOUND_REDIRECTS_MAX} times")))
}

/// Asks the test.
async fn ask(shared: &Shared, request: &FetchRequest) -> Result<FetchResponse, DbError> {
    let answer = Slot::new();
    shared.asked(Waiting { request: request.clone(), answer: answer.clone() });
    let FetchAnswer { outcome, delay } = answer.await;
    if !delay.is_zero() {
        shared.event_loop.sleep(delay).await;
    }
    let Some(outcome) = outcome else {
        let error = TestError::Unanswered { method: request.method.clone(), url: request.url.clone() };
        let message = error.to_string();
        shared.fail(error);
        return Err(failed(message));
    };
    let response = outcome?;
    if !(200..=599).contains(&response.status) {
        let error = TestError::Response { url: request.url.clone(), status: response.status };
        let message = error.to_string();
        shared.fail(error);
        return Err(failed(message));
    }
    Ok(response)
}

fn into_response(url: &Url, redirected: bool, response: FetchResponse) -> HttpResponse {
    let FetchResponse { status, headers, body, broken } = response;
    let headers = headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
    let body = Body::Stream(pieces(body, broken));
    HttpResponse { status, url: without_fragment(url), redirected, headers, body }
}

/// A body that comes so.
pub(crate) fn pieces(pieces: Vec<Bytes>, broken: Option<String>) -> BodyStream {
    let pieces = pieces.into_iter().filter(|piece| !piece.is_empty()).map(Ok);
    Box::pin(Pieces(pieces.chain(broken.map(|reason| Err(BodyError(reason)))).collect()))
}

struct Pieces(VecDeque<Result<Bytes, BodyError>>);

impl Stream for Pieces {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.pop_front())
    }
}

/// All of a body.
pub(crate) async fn whole(body: Body) -> Result<Bytes, BodyError> {
    Ok(match body {
        Body::Empty => Bytes::new(),
        Body::Whole(bytes) => bytes,
        Body::Stream(body) => Bytes::from(collect(body).await?.concat()),
    })
}

fn read_url(text: &str) -> Result<Url, DbError> {
    let url = Url::parse(text).map_err(|error| invalid(format!("`{text}` is not a URL: {error}")))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        _ => Err(invalid(format!("`{text}` is neither http nor https"))),
    }
}

/// As servers see it.
fn without_fragment(url: &Url) -> String {
    let mut url = url.clone();
    url.set_fragment(None);
    url.to_string()
}

fn read_method(method: String) -> Result<String, DbError> {
    let is_token = !method.is_empty() && method.bytes().all(is_token_byte);
    match is_token && !matches!(method.as_str(), "CONNECT" | "TRACE") {
        true => Ok(method),
        false => Err(invalid(format!("`{method}` is not a method that requests can have"))),
    }
}

fn read_headers(headers: Vec<(String, String)>) -> Result<Vec<(String, String)>, DbError> {
    let mut read = Vec::with_capacity(headers.len());
    for (name, value) in headers {
        let is_value =
            value.chars().all(|char| char == '\t' || matches!(char, ' '..='~' | '\u{80}'..='\u{ff}'));
        if name.is_empty() || !name.bytes().all(is_token_byte) || !is_value {
            return Err(invalid(format!("`{name}` is not a header, or its value not one")));
        }
        let name = name.to_ascii_lowercase();
        if !OF_THE_HOST.contains(&name.as_str()) {
            read.push((name, value));
        }
    }
    Ok(read)
}

/// What names of headers and methods consist of.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn invalid(message: String) -> DbError {
    DbError::new(ErrorCode::InvalidRequest, message)
}
