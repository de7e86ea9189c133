//! Who sends a request, and with which client.

use hyper::StatusCode;
use hyper::header::{AUTHORIZATION, HeaderMap};
use weir_db::Caller;
use weir_sync::protocol::{ClientInfo, ClientInfoError};
use weir_value::ErrorCode;

use super::answer::ApiError;
use super::static_files::percent_decode;
use crate::admin_key::{AdminKey, Credentials};

/// Finds out on whose behalf a request is made: by its `Authorization` header,
/// or its `adminKey` parameter.
///
/// # Errors
/// 403 for a wrong admin key, 401 for a user's token (there is no
/// authentication of users yet) and for a header that cannot be read.
pub fn identify(key: &AdminKey, headers: &HeaderMap, query: &str) -> Result<Caller, ApiError> {
    match credentials(headers, query) {
        Credentials::None => Ok(Caller::Public),
        Credentials::AdminKey(sent) if key.matches(&sent) => Ok(Caller::Admin),
        Credentials::AdminKey(_) => Err(wrong_key()),
        Credentials::ActingAs(sent, _) if key.matches(&sent) => Err(ApiError::bad_request(
            ErrorCode::ActingAsNotSupported,
            "This server cannot act as a user yet: send the admin key alone.",
        )),
        Credentials::ActingAs(..) => Err(wrong_key()),
        Credentials::Token(_) => Err(unauthorized(
            ErrorCode::NoAuthProvider,
            "This server does not check users' tokens yet: send the request without one.",
        )),
        Credentials::Unknown => Err(unauthorized(
            ErrorCode::InvalidAuthHeader,
            "The Authorization header must be `Convex <admin key>` or `Bearer <token>`.",
        )),
    }
}

/// As `identify`, for what only the admin may do.
///
/// # Errors
/// 401 without a key, else as for `identify`.
pub fn require_admin(key: &AdminKey, headers: &HeaderMap, query: &str) -> Result<(), ApiError> {
    match identify(key, headers, query)? {
        Caller::Admin => Ok(()),
        Caller::Public => Err(unauthorized(
            ErrorCode::AdminKeyRequired,
            "This needs the admin key: send it as `Authorization: Convex <admin key>`.",
        )),
    }
}

/// Refuses clients whose protocol is gone. Clients that do not say what they are
/// are accepted.
///
/// # Errors
/// 400 that says what to do.
pub fn check_client(headers: &HeaderMap) -> Result<(), ApiError> {
    let client = headers.get("convex-client").and_then(|value| value.to_str().ok());
    match client.map(ClientInfo::from_header) {
        Some(Err(error @ ClientInfoError::Unsupported(_))) => {
            Err(ApiError::bad_request(error.code(), error.to_string()))
        }
        _ => Ok(()),
    }
}

/// One parameter of a query string, decoded.
pub fn parameter(query: &str, name: &str) -> Option<String> {
    query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (key == name).then(|| percent_decode(&value.replace('+', " "))).flatten()
    })
}

fn credentials(headers: &HeaderMap, query: &str) -> Credentials {
    if let Some(header) = headers.get(AUTHORIZATION) {
        return header.to_str().map_or(Credentials::Unknown, Credentials::parse);
    }
    parameter(query, "adminKey").map_or(Credentials::None, Credentials::AdminKey)
}

fn wrong_key() -> ApiError {
    let message = "The admin key is not this server's.";
    ApiError::new(StatusCode::FORBIDDEN, ErrorCode::BadAdminKey, message)
}

fn unauthorized(code: ErrorCode, message: &str) -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, code, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    #[test]
    fn clients_that_are_too_old_are_told() {
        for (client, is_accepted) in [
            ("npm-1.48.0", true),
            ("npm-0.19.1", false),
            ("npm-0.19.2", true),
            ("python-0.0.2", false),
            ("rust-0.0.1", false),
            ("kotlin-0.0.1", true),
            ("curl", true),
            ("npm-next", true),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("convex-client", HeaderValue::from_static(client));
            assert_eq!(check_client(&headers).is_ok(), is_accepted, "{client}");
        }
    }

    #[test]
    fn parameters_are_decoded() {
        for (query, expected) in [
            ("adminKey=weir%7C00", Some("weir|00")),
            ("a=1&adminKey=x+y", Some("x y")),
            ("adminKey=", Some("")),
            ("adminkey=1", None),
            ("", None),
            ("adminKey=%zz", None),
        ] {
            assert_eq!(parameter(query, "adminKey").as_deref(), expected, "{query}");
        }
    }
}
