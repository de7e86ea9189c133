//! Who sends a request, and with which client.

use std::sync::Arc;

use hyper::header::{AUTHORIZATION, HeaderMap};
use weir_db::Principal;
use weir_sync::protocol::{ClientInfo, ClientInfoError};

use crate::address::Client;
use crate::answer::ApiError;
use crate::identity::{Credentials, HeldKey, Identities, Permission, Refusal};
use crate::static_files::percent_decode;

/// The parameter in which Convex's servers take an admin key.
const KEY_PARAMETER: &str = "adminKey";

/// On whose behalf a request is made.
pub struct Caller {
    /// On whose.
    pub principal: Principal,
    /// The admin key that says so, if it is one.
    pub key: Option<Arc<HeldKey>>,
}

impl Caller {
    /// Nobody in particular.
    pub fn anonymous() -> Caller {
        Caller { principal: Principal::Anonymous, key: None }
    }

    /// Whether it may do this.
    ///
    /// # Errors
    /// 401 without a key, 403 for one that is good for less.
    pub fn check(&self, permission: Permission) -> Result<(), ApiError> {
        permission.check(&self.principal).map_err(refuse)
    }
}

/// Finds out on whose behalf a request is made, by its `Authorization` header.
///
/// # Errors
/// The credentials are nobody's.
pub async fn identify(
    identities: &Identities,
    headers: &HeaderMap,
    from: Option<&Client>,
) -> Result<Caller, ApiError> {
    let credentials = match headers.get(AUTHORIZATION) {
        Some(header) => header.to_str().map_or(Credentials::Unknown, Credentials::parse),
        None => Credentials::None,
    };
    let authenticated = identities.authenticate(credentials, from).await.map_err(refuse)?;
    Ok(Caller { key: authenticated.grounds.key().cloned(), principal: authenticated.principal })
}

/// What somebody is told whose credentials are nobody's.
pub fn refuse(refusal: Refusal) -> ApiError {
    let error = ApiError::new(refusal.status(), refusal.code(), refusal.to_string());
    match refusal {
        Refusal::TooManyWrongKeys { wait } => ApiError { retry_after: Some(wait), ..error },
        _ => error,
    }
}

/// Refuses an admin key in a URL: it stands in the logs of proxies, and in histories.
///
/// # Errors
/// 400 that says how to send it, whether it is a real one or not.
pub fn refuse_key_in_url(query: &str) -> Result<(), ApiError> {
    let is_key = |pair: &str| pair.split('=').next() == Some(KEY_PARAMETER);
    match query.split('&').any(is_key) {
        true => Err(refuse(Refusal::KeyInUrl)),
        false => Ok(()),
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
