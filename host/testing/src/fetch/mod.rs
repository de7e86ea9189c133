//! Requests that actions send: the test answers them, and nothing else does.

mod redirect;
mod send;

use std::time::Duration;

use bytes::Bytes;
use weir_db::{BodyError, BodyStream, DbError};
use weir_value::ErrorCode;

pub(crate) use send::{Waiting, pieces, send, whole};

/// A request as the test gets it; its body is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchRequest {
    /// As it is sent: `GET`.
    pub method: String,
    /// Where to, in full: `https://api.example.com/v1?a=b`.
    pub url: String,
    /// Names, in small letters, and values, in their order.
    pub headers: Vec<(String, String)>,
    /// What is sent; of a request without a body, nothing.
    pub body: Bytes,
}

/// What the test says to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchAnswer {
    /// The response, or why there is none; `None`: nothing in the test answers this request, which fails the
    /// test.
    pub outcome: Option<Result<FetchResponse, DbError>>,
    /// How long that takes, on the test's clock.
    pub delay: Duration,
}

/// A response that a test gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchResponse {
    /// From 200 to 599.
    pub status: u16,
    /// Names and values, in their order.
    pub headers: Vec<(String, String)>,
    /// The body, as it comes: piece by piece.
    pub body: Vec<Bytes>,
    /// Why the body breaks off after these pieces, if it does.
    pub broken: Option<String>,
}

/// Answers the requests of a test.
pub trait AnswersFetch {
    /// One answer for each of these requests, which were sent at the same time, in their order.
    ///
    /// # Errors
    /// The test cannot go on.
    fn answer(&self, requests: &[FetchRequest]) -> Result<Vec<FetchAnswer>, String>;
}

/// A request that an action has sent, and what came of it: the status of the response, or why there was none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentRequest {
    /// The request.
    pub request: FetchRequest,
    /// `None`: the action did not wait for the answer.
    pub outcome: Option<Result<u16, DbError>>,
}

/// Reads a body to its end.
pub(crate) async fn collect(mut body: BodyStream) -> Result<Vec<Bytes>, BodyError> {
    let mut pieces = Vec::new();
    while let Some(piece) = std::future::poll_fn(|context| body.as_mut().poll_next(context)).await {
        pieces.push(piece?);
    }
    Ok(pieces)
}

pub(crate) fn failed(message: String) -> DbError {
    DbError::new(ErrorCode::FetchFailed, message)
}
