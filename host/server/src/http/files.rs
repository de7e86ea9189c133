//! Stored files over HTTP.
//!
//! POST `/api/storage/upload?token=TOKEN`, the URL that `generateUploadUrl` gives, with the file as the body and its type
//! as `Content-Type`, answers `{"storageId"}` when the file and its document are durable. GET `/api/storage/NAME`, the URL
//! that `getUrl` gives, answers with the file. The URLs are the credentials.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::body::Body as _;
use hyper::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    HeaderMap, HeaderName, HeaderValue, IF_RANGE, RANGE, X_CONTENT_TYPE_OPTIONS,
};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use serde_json::json;
use uuid::Uuid;
use weir_db::{BodyError, DbError, StoredFile, UploadToken, parse_sha256};
use weir_files::Content;
use weir_value::{DocumentId, ErrorCode, limits};

use super::caller::parameter;
use crate::answer::{Answer, AnswerBody, ApiError, json_text};
use crate::app::App;
use crate::range::requested_range;
use crate::request_body::RequestBody;
use crate::static_files::{insert_text, is_known};
use crate::storage::FileOwner;

const DIGEST: HeaderName = HeaderName::from_static("digest");

/// What a browser may show of a file as a page of its own: its scripts would be the app's. Its viewer of PDF documents runs
/// none of theirs, and does not work in a sandbox.
const PDF: &str = "application/pdf";
const SANDBOX: HeaderValue = HeaderValue::from_static("sandbox");

/// Takes a file in. Who is refused is told at once.
pub async fn upload(app: &Arc<App>, request: Request<RequestBody>) -> Result<Answer, ApiError> {
    let (head, mut body) = request.into_parts();
    let id = take_in(app, &head, &mut body).await?;
    Ok(json_text(StatusCode::OK, json!({ "storageId": id.to_string() }).to_string()))
}

async fn take_in(app: &Arc<App>, head: &Parts, body: &mut RequestBody) -> Result<DocumentId, ApiError> {
    let token = head.uri.query().and_then(|query| parameter(query, "token")).unwrap_or_default();
    let token = UploadToken::parse(&token).map_err(refuse)?;
    let content_type = content_type(&head.headers)?;
    let sha256 = digest(&head.headers)?;
    let _place = app.storage.admit(&token, body.size_hint().lower()).await.map_err(refuse)?;
    app.storage.receive(body, content_type, sha256, FileOwner::Upload(token)).await.map_err(refuse)
}

/// Gives a file, or a range of it, out.
pub async fn download(
    app: &Arc<App>,
    method: &Method,
    headers: &HeaderMap,
    name: &str,
) -> Result<Answer, ApiError> {
    let name = Uuid::parse_str(name).ok().filter(|uuid| uuid.to_string() == name);
    let found = match name {
        Some(name) => app.storage.find(name).await.map_err(refuse)?,
        None => None,
    };
    let file = found.ok_or_else(|| {
        let message = "There is no such file: it was deleted, or never was.";
        ApiError::new(StatusCode::NOT_FOUND, ErrorCode::NotFound, message)
    })?;
    let etag = format!("\"{}\"", file.sha256_hex());
    if is_known(headers, &etag) {
        let mut answer = Response::new(AnswerBody::empty());
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
        describe_caching(answer.headers_mut(), &etag);
        return Ok(answer);
    }
    let range = match headers.get(RANGE).filter(|_| *method == Method::GET && asks_for(headers, &etag)) {
        None => None,
        Some(header) => match header.to_str().ok().and_then(|header| requested_range(header, file.size)) {
            Some(range) => Some(range),
            None => return Ok(no_such_range(&file)),
        },
    };
    let mut answer = Response::new(AnswerBody::empty());
    let length = range.as_ref().map_or(file.size, |range| range.end - range.start);
    if *method == Method::GET && length > 0 {
        let (content, place) = app.storage.read(file.name, range.clone()).await.map_err(refuse)?;
        let body = match content {
            Content::File(bytes, _) => AnswerBody::file(bytes, length),
            Content::Pieces(pieces) => AnswerBody::Stream(Box::pin(broken_off(pieces))),
        };
        *answer.body_mut() = body.holding(place);
    }
    let into = answer.headers_mut();
    describe_caching(into, &etag);
    describe(into, &file);
    into.insert(CONTENT_LENGTH, HeaderValue::from(length));
    if let Some(range) = range {
        insert_text(into, CONTENT_RANGE, &format!("bytes {}-{}/{}", range.start, range.end - 1, file.size));
        *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok(answer)
}

fn broken_off(
    pieces: impl futures_util::Stream<Item = Result<bytes::Bytes, weir_files::FilesError>>,
) -> impl futures_util::Stream<Item = Result<bytes::Bytes, BodyError>> {
    futures_util::TryStreamExt::map_err(pieces, |error| BodyError(error.to_string()))
}

/// What a URL gives never changes: a file is not written twice.
fn describe_caching(into: &mut HeaderMap, etag: &str) {
    insert_text(into, ETAG, etag);
    insert_text(into, CACHE_CONTROL, &format!("private, max-age={}", limits::FILE_CACHE_SECONDS));
}

fn describe(into: &mut HeaderMap, file: &StoredFile) {
    let content_type = file.content_type.as_deref().unwrap_or("application/octet-stream");
    insert_text(into, CONTENT_TYPE, content_type);
    insert_text(into, DIGEST, &format!("sha-256={}", STANDARD.encode(file.sha256)));
    into.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    into.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if !content_type.eq_ignore_ascii_case(PDF) {
        into.insert(CONTENT_SECURITY_POLICY, SANDBOX);
    }
}

/// Whether a range is of this version of the file.
fn asks_for(headers: &HeaderMap, etag: &str) -> bool {
    headers.get(IF_RANGE).is_none_or(|known| known.as_bytes() == etag.as_bytes())
}

fn no_such_range(file: &StoredFile) -> Answer {
    let message = format!(
        "The file has {} bytes, and no such range: ask for one, as `Range: bytes=0-99` does.",
        file.size
    );
    let mut answer =
        ApiError::new(StatusCode::RANGE_NOT_SATISFIABLE, ErrorCode::InvalidRange, message).answer();
    insert_text(answer.headers_mut(), CONTENT_RANGE, &format!("bytes */{}", file.size));
    answer
}

/// The type of a file, as it was sent along.
fn content_type(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(header) = headers.get(CONTENT_TYPE) else { return Ok(None) };
    let text = header.to_str().map_err(|_| {
        let message = "The Content-Type is not printable ASCII.";
        ApiError::bad_request(ErrorCode::InvalidContentType, message)
    })?;
    Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
}

/// The checksum that was sent along: `Digest: sha-256=BASE64`, perhaps among others.
fn digest(headers: &HeaderMap) -> Result<Option<[u8; 32]>, ApiError> {
    let mut sent = headers.get_all(DIGEST).iter().peekable();
    if sent.peek().is_none() {
        return Ok(None);
    }
    let values = sent.filter_map(|header| header.to_str().ok()).flat_map(|list| list.split(','));
    let sha256 = values
        .filter_map(|value| value.trim().split_once('='))
        .find(|(algorithm, _)| algorithm.eq_ignore_ascii_case("sha-256"));
    let Some((_, value)) = sha256 else {
        let message = "The Digest header has no SHA-256: send `sha-256=` and its 32 bytes in base64.";
        return Err(ApiError::bad_request(ErrorCode::InvalidDigest, message));
    };
    parse_sha256(value).map(Some).map_err(refuse)
}

fn refuse(error: DbError) -> ApiError {
    let status = match error.code {
        ErrorCode::InvalidUploadToken | ErrorCode::UploadTokenExpired => StatusCode::UNAUTHORIZED,
        ErrorCode::UploadTokenUsed => StatusCode::CONFLICT,
        ErrorCode::InvalidDigest
        | ErrorCode::DigestMismatch
        | ErrorCode::InvalidContentType
        | ErrorCode::IncompleteBody => StatusCode::BAD_REQUEST,
        ErrorCode::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
        ErrorCode::FileTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::StorageFull | ErrorCode::TooManyFiles => StatusCode::INSUFFICIENT_STORAGE,
        ErrorCode::DiskFull
        | ErrorCode::Overloaded
        | ErrorCode::ShuttingDown
        | ErrorCode::TooManyConcurrentRequests => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    ApiError::new(status, error.code, error.message)
}
