//! Where a response sends a request on to, as a host follows it.

use bytes::Bytes;
use url::Url;
use weir_db::{DbError, Redirect};

use super::{FetchRequest, FetchResponse, failed};

/// Headers that are for the host alone that they were sent to.
const SECRETS: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];
/// Headers that say what the body is.
const OF_THE_BODY: [&str; 2] = ["content-type", "content-encoding"];

/// The URL that a response sends the request on to, if it does and that is to be followed.
pub(super) fn location(url: &Url, response: &FetchResponse, how: Redirect) -> Result<Option<Url>, DbError> {
    let is_redirect = matches!(response.status, 301 | 302 | 303 | 307 | 308);
    let location = response.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("location"));
    let (true, Some((_, location))) = (is_redirect, location) else { return Ok(None) };
    match how {
        Redirect::Manual => return Ok(None),
        Redirect::Error => return Err(failed(format!("{url} sends the request on"))),
        Redirect::Follow => {}
    }
    let to = url.join(location).ok().filter(|to| matches!(to.scheme(), "http" | "https"));
    to.map(Some).ok_or_else(|| failed(format!("{url} sends the request on to `{location}`")))
}

/// The request as it is sent on: method, body and secrets do not go everywhere.
pub(super) fn follow(
    request: &mut FetchRequest,
    status: u16,
    (from, to): (&Url, &Url),
    is_streamed: bool,
) -> Result<(), DbError> {
    let becomes_get = match status {
        301 | 302 => request.method == "POST",
        303 => !matches!(request.method.as_str(), "GET" | "HEAD"),
        _ => false,
    };
    let mut dropped: Vec<&str> = Vec::new();
    if becomes_get {
        request.method = "GET".to_owned();
        request.body = Bytes::new();
        dropped.extend(OF_THE_BODY);
    } else if is_streamed {
        return Err(failed(format!("{from} sends the request on, whose body was a stream and is gone")));
    }
    if to.origin() != from.origin() {
        dropped.extend(SECRETS);
    }
    request.headers.retain(|(name, _)| !dropped.contains(&name.as_str()));
    request.url = to.to_string();
    Ok(())
}
