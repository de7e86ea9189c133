//! Reading a request's body: with a bound on its size and on its time.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::StatusCode;
use hyper::body::Body;
use weir_value::{ErrorCode, limits};

use crate::answer::ApiError;
use crate::request_body::RequestBody;

/// Reads a body of at most `bytes_max`, within `HTTP_BODY_MS_MAX`.
///
/// # Errors
/// 413 when it is larger, 408 when it does not come, 400 when it breaks off.
pub async fn read(body: RequestBody, bytes_max: usize) -> Result<Bytes, ApiError> {
    let timeout = Duration::from_millis(limits::HTTP_BODY_MS_MAX);
    match tokio::time::timeout(timeout, read_bounded(body, bytes_max)).await {
        Ok(result) => result,
        Err(_) => Err(ApiError::new(
            StatusCode::REQUEST_TIMEOUT,
            ErrorCode::RequestTimeout,
            format!("The body did not arrive within {} seconds.", timeout.as_secs()),
        )),
    }
}

async fn read_bounded(mut body: RequestBody, bytes_max: usize) -> Result<Bytes, ApiError> {
    if Body::size_hint(&body).lower() > bytes_max as u64 {
        return Err(too_large(bytes_max));
    }
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| {
            ApiError::bad_request(ErrorCode::IncompleteBody, "The body broke off before its end.")
        })?;
        let Ok(chunk) = frame.into_data() else { continue };
        if first.len() + rest.len() + chunk.len() > bytes_max {
            return Err(too_large(bytes_max));
        }
        match (first.is_empty(), rest.is_empty()) {
            (true, true) => first = chunk,
            _ => rest.extend_from_slice(&chunk),
        }
    }
    if rest.is_empty() {
        return Ok(first);
    }
    let mut whole = BytesMut::with_capacity(first.len() + rest.len());
    whole.extend_from_slice(&first);
    whole.extend_from_slice(&rest);
    Ok(whole.freeze())
}

fn too_large(bytes_max: usize) -> ApiError {
    ApiError::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::RequestTooLarge,
        format!("The body is larger than {bytes_max} bytes."),
    )
}
