//! Reading a request's body: with a bound on its size and on its time.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::Request;
use hyper::StatusCode;
use hyper::body::Body;
use weir_sync::budget::{Charge, Held};
use weir_value::{ErrorCode, limits};

use super::account_of;
use crate::answer::ApiError;
use crate::request_body::RequestBody;

/// Reads a body of at most `bytes_max`, within `HTTP_BODY_MS_MAX`. It counts until its last copy is dropped.
///
/// # Errors
/// 413 when it is larger, 408 when it does not come, 400 when it breaks off, 503 without room for it.
pub async fn read(request: Request<RequestBody>, bytes_max: usize) -> Result<Bytes, ApiError> {
    let charge = account_of(&request)?.hold(Held::Bodies, 0);
    read_in_time(request.into_body(), Read { charge, bytes_max, is_refusable: true }).await
}

/// The same of somebody who may do as he likes with the host: he is not refused.
///
/// # Errors
/// As those of [`read`], but for the last one.
pub async fn read_trusted(request: Request<RequestBody>, bytes_max: usize) -> Result<Bytes, ApiError> {
    let charge = account_of(&request)?.hold(Held::Bodies, 0);
    read_in_time(request.into_body(), Read { charge, bytes_max, is_refusable: false }).await
}

/// How a body is read.
struct Read {
    /// What has come.
    charge: Charge,
    bytes_max: usize,
    is_refusable: bool,
}

impl Read {
    fn count(&mut self, bytes: usize) -> Result<(), ApiError> {
        let all = self.charge.bytes() + bytes;
        if all > self.bytes_max {
            return Err(too_large(self.bytes_max));
        }
        match self.is_refusable {
            true => self.charge.grow(bytes).map_err(ApiError::without_room),
            false => {
                self.charge.set(all);
                Ok(())
            }
        }
    }
}

async fn read_in_time(body: RequestBody, read: Read) -> Result<Bytes, ApiError> {
    let timeout = Duration::from_millis(limits::HTTP_BODY_MS_MAX);
    match tokio::time::timeout(timeout, read_bounded(body, read)).await {
        Ok(result) => result,
        Err(_) => Err(ApiError::new(
            StatusCode::REQUEST_TIMEOUT,
            ErrorCode::RequestTimeout,
            format!("The body did not arrive within {} seconds.", timeout.as_secs()),
        )),
    }
}

async fn read_bounded(mut body: RequestBody, mut read: Read) -> Result<Bytes, ApiError> {
    if Body::size_hint(&body).lower() > read.bytes_max as u64 {
        return Err(too_large(read.bytes_max));
    }
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| {
            ApiError::bad_request(ErrorCode::IncompleteBody, "The body broke off before its end.")
        })?;
        let Ok(chunk) = frame.into_data() else { continue };
        read.count(chunk.len())?;
        match (first.is_empty(), rest.is_empty()) {
            (true, true) => first = chunk,
            (false, true) => {
                rest.extend_from_slice(&first);
                rest.extend_from_slice(&chunk);
            }
            _ => rest.extend_from_slice(&chunk),
        }
    }
    if rest.is_empty() {
        return Ok(read.charge.attach(first));
    }
    Ok(read.charge.attach(rest.freeze()))
}

fn too_large(bytes_max: usize) -> ApiError {
    ApiError::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::RequestTooLarge,
        format!("The body is larger than {bytes_max} bytes."),
    )
}
