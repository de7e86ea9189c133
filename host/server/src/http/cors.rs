//! Cross-origin requests: pages of any origin may use the API, as the official
//! clients expect. Origin and headers are mirrored; no secret rides on cookies,
//! so that a foreign page can do no more than any other client.

use hyper::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderValue, ORIGIN, VARY,
};
use hyper::{Method, StatusCode};

use crate::answer::{Answer, AnswerBody, with_type};

/// The methods of the API.
const METHODS: HeaderValue = HeaderValue::from_static("GET,POST,OPTIONS,PATCH,DELETE,PUT");

/// How long a browser may keep the answer to a preflight, in seconds: a day.
const MAX_AGE_SECONDS: HeaderValue = HeaderValue::from_static("86400");

/// What of a request decides over the headers of its answer.
pub struct Cors {
    origin: Option<HeaderValue>,
    requested_headers: Option<HeaderValue>,
    is_preflight: bool,
}

impl Cors {
    /// Reads the request.
    pub fn of(method: &Method, headers: &HeaderMap) -> Cors {
        let origin = headers.get(ORIGIN).cloned();
        let asks = method == Method::OPTIONS && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        Cors {
            is_preflight: asks && origin.is_some(),
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
