//! Requests that a test sends to HTTP actions.

use serde::Serialize;
use serde::de::DeserializeOwned;
use weir::http::Headers;
use weir_testing::{HttpAnswer, TestRequest};

use crate::fetch::{headers_of, plain_json};

/// A request to a route of the crate under test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest(pub(crate) TestRequest);

impl HttpRequest {
    /// One with this method, to a path with its query: `/hook?id=7`.
    pub fn new(method: impl Into<String>, path: impl Into<String>) -> HttpRequest {
        let (method, path) = (method.into(), path.into());
        HttpRequest(TestRequest { method, path, headers: Vec::new(), body: None })
    }

    /// A `GET`.
    pub fn get(path: impl Into<String>) -> HttpRequest {
        HttpRequest::new("GET", path)
    }

    /// A `POST`.
    pub fn post(path: impl Into<String>) -> HttpRequest {
        HttpRequest::new("POST", path)
    }

    /// With a header more.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> HttpRequest {
        self.0.headers.push((name.into(), value.into()));
        self
    }

    /// With this body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> HttpRequest {
        self.0.body = Some(body.into().into());
        self
    }

    /// With a value as plain JSON, and the header that says so.
    ///
    /// # Panics
    /// If the value has bytes, or numbers that JSON does not have.
    pub fn json(self, value: impl Serialize) -> HttpRequest {
        self.header("content-type", "application/json").body(plain_json(&value))
    }
}

/// What an HTTP action answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// From 200 to 599; 404 where there is no route.
    pub status: u16,
    /// Its headers, with names in small letters.
    pub headers: Headers,
    /// Its body, all of it.
    pub body: Vec<u8>,
    /// The same, as the action wrote it.
    pub pieces: Vec<Vec<u8>>,
    /// Why the body broke off after that; `None`: it did not.
    pub broken: Option<String>,
}

impl HttpResponse {
    pub(crate) fn new(answer: HttpAnswer) -> HttpResponse {
        let HttpAnswer { status, headers, body, broken } = answer;
        let pieces: Vec<_> = body.into_iter().map(Vec::from).collect();
        HttpResponse { status, headers: headers_of(headers), body: pieces.concat(), pieces, broken }
    }

    /// The body as text.
    ///
    /// # Panics
    /// If it is no UTF-8.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap_or_else(|error| panic!("the body of the response: {error}"))
    }

    /// The body, read as JSON.
    ///
    /// # Panics
    /// If it is none, or no `T`.
    pub fn json<T: DeserializeOwned>(&self) -> T {
        weir::json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("the body of the response: {error}: {}", self.text()))
    }
}
