//! Cross-origin requests: what a browser is told of which pages may use the API. Origin and headers are mirrored to those
//! of allowed origins, as the official clients expect, and to no others.

use hyper::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderValue, ORIGIN, VARY,
};
use hyper::{Method, StatusCode};

use crate::answer::{Answer, AnswerBody, with_type};
use crate::reach::Reach;

/// The methods of the API.
const METHODS: HeaderValue = HeaderValue::from_static("GET,POST,OPTIONS,PATCH,DELETE,PUT");

/// How long a browser may keep the answer to a preflight, in seconds: a day.
const MAX_AGE_SECONDS: HeaderValue = HeaderValue::from_static("86400");

/// What of a request decides over the headers of its answer.
pub struct Cors {
    origin: Option<HeaderValue>,
    requested_headers: Option<HeaderValue>,
    is_preflight: bool,
    /// A preflight for a page that may not use the API.
    is_refused_preflight: bool,
}

impl Cors {
    /// Reads the request.
    pub fn of(method: &Method, headers: &HeaderMap, reach: &Reach) -> Cors {
        let is_allowed =
            |origin: &&HeaderValue| origin.to_str().is_ok_and(|text| reach.allows(text, headers));
        let origin = headers.get(ORIGIN).filter(is_allowed).cloned();
        let asks = method == Method::OPTIONS && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        Cors {
            is_preflight: asks && origin.is_some(),
            is_refused_preflight: asks && origin.is_none() && headers.contains_key(ORIGIN),
            origin,
            requested_headers: headers.get(ACCESS_CONTROL_REQUEST_HEADERS).cloned(),
        }
    }

    /// The whole answer, when the request is a preflight.
    pub fn preflight(&self) -> Option<Answer> {
        if !self.is_preflight {
            return None;
        }
        let mut answer = with_type(StatusCode::OK, "text/plain", AnswerBody::empty());
        let headers = answer.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE_SECONDS);
        if let Some(requested) = &self.requested_headers {
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, requested.clone());
        }
        self.apply(&mut answer);
        Some(answer)
    }

    /// Whether a browser asks for a page that may not use the API.
    pub fn is_refused_preflight(&self) -> bool {
        self.is_refused_preflight
    }

    /// Adds the headers that every answer of the API carries.
    pub fn apply(&self, answer: &mut Answer) {
        let headers = answer.headers_mut();
        headers.append(VARY, HeaderValue::from_static("origin"));
        let Some(origin) = &self.origin else { return };
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("content-type"));
    }
}
