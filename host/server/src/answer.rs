//! What the HTTP API answers: bodies, JSON, errors of the form
//! `{"code", "message"}`.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use weir_store::SequenceError;
use weir_value::ErrorCode;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use hyper::body::{Body, Frame, SizeHint};
use hyper::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};
use serde::Serialize;
use tokio::io::{AsyncRead, ReadBuf};
use weir_db::{BodyStream, CallError};
use weir_sync::budget::Overdrawn;

use crate::descriptors::{Descriptor, TooManyOpen};

/// How much of a file is read at a time, in bytes.
const FILE_CHUNK_BYTES: usize = 64 * 1024;

/// An answer of the server.
pub type Answer = Response<AnswerBody>;

/// An answer's body: bytes at hand, or a file that is read as it is sent.
pub enum AnswerBody {
    /// All there is.
    Bytes(Option<Bytes>),
    /// The rest of a file.
    File(FileBody),
    /// What somebody else writes, as it comes.
    Stream(BodyStream),
}

/// A file that is read as it is sent.
pub struct FileBody {
    file: tokio::fs::File,
    remaining: u64,
    /// Its place among what may be open.
    #[expect(dead_code, reason = "held, and given back")]
    place: Option<Descriptor>,
}

impl AnswerBody {
    /// No body.
    pub fn empty() -> AnswerBody {
        AnswerBody::Bytes(None)
    }

    /// These bytes.
    pub fn bytes(bytes: impl Into<Bytes>) -> AnswerBody {
        AnswerBody::Bytes(Some(bytes.into()).filter(|bytes| !bytes.is_empty()))
    }

    /// The next `length_bytes` of a file.
    pub fn file(file: std::fs::File, length_bytes: u64) -> AnswerBody {
        AnswerBody::File(FileBody::new(file, length_bytes))
    }

    /// The same, which holds this until it is sent, if anything is open for it.
    #[must_use]
    pub fn holding(self, place: Descriptor) -> AnswerBody {
        match self {
            AnswerBody::Bytes(bytes) => AnswerBody::Bytes(bytes),
            AnswerBody::File(file) => AnswerBody::File(file.holding(place)),
            AnswerBody::Stream(stream) => AnswerBody::Stream(held_with(stream, place)),
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        match self.get_mut() {
            AnswerBody::Bytes(bytes) => Poll::Ready(bytes.take().map(|b| Ok(Frame::data(b)))),
            AnswerBody::File(body) => {
                body.poll_chunk(cx).map(|chunk| chunk.map(|chunk| chunk.map(Frame::data)))
            }
            AnswerBody::Stream(stream) => {
                let piece = ready!(stream.as_mut().poll_next(cx));
                Poll::Ready(piece.map(|piece| piece.map(Frame::data).map_err(std::io::Error::other)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            AnswerBody::Bytes(bytes) => bytes.is_none(),
            AnswerBody::File(body) => body.remaining == 0,
            AnswerBody::Stream(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            AnswerBody::Bytes(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            AnswerBody::File(body) => SizeHint::with_exact(body.remaining),
            AnswerBody::Stream(_) => SizeHint::default(),
        }
    }
}

impl FileBody {
    /// The next `length_bytes` of a file.
    pub fn new(file: std::fs::File, length_bytes: u64) -> FileBody {
        FileBody { file: tokio::fs::File::from_std(file), remaining: length_bytes, place: None }
    }

    /// The same, which holds this until it is dropped.
    #[must_use]
    pub fn holding(self, place: Descriptor) -> FileBody {
        FileBody { place: Some(place), ..self }
    }

    /// The next chunk.
    pub fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, std::io::Error>>> {
        if self.remaining == 0 {
            return Poll::Ready(None);
        }
        let wanted = self.remaining.min(FILE_CHUNK_BYTES as u64) as usize;
        let mut chunk = BytesMut::zeroed(wanted);
        let mut buffer = ReadBuf::new(&mut chunk);
        ready!(Pin::new(&mut self.file).poll_read(cx, &mut buffer))?;
        let read = buffer.filled().len();
        if read == 0 {
            // The length was promised in the head; the file has shrunk since.
            return Poll::Ready(Some(Err(std::io::ErrorKind::UnexpectedEof.into())));
        }
        chunk.truncate(read);
        self.remaining -= read as u64;
        Poll::Ready(Some(Ok(chunk.freeze())))
    }
}

/// A stream that holds this until it is dropped.
pub fn held_with(stream: BodyStream, place: Descriptor) -> BodyStream {
    Box::pin(stream.map(move |piece| {
        let _held = &place;
        piece
    }))
}

/// A request that could not be served: what the caller is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// The HTTP status.
    pub status: StatusCode,
    /// A stable, short name for programs.
    pub code: ErrorCode,
    /// One or two sentences for people.
    pub message: String,
    /// When the same request may be sent again, if that is known.
    pub retry_after: Option<Duration>,
}

impl ApiError {
    /// An error with a status of its own.
    pub fn new(status: StatusCode, code: ErrorCode, message: impl Into<String>) -> ApiError {
        ApiError { status, code, message: message.into(), retry_after: None }
    }

    /// 400: the request is at fault.
    pub fn bad_request(code: ErrorCode, message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// 500: the server is at fault; the cause stands in its log.
    pub fn internal() -> ApiError {
        let message = "Your request couldn't be completed. Try again later.";
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::InternalServerError, message)
    }

    /// 503: a write that the store does not take just now. `None`: it is something else, and none of its caller's business.
    pub fn of_store(error: &SequenceError) -> Option<ApiError> {
        let code = match error {
            SequenceError::DiskFull => ErrorCode::DiskFull,
            SequenceError::Overloaded => ErrorCode::Overloaded,
            SequenceError::Closed => ErrorCode::ShuttingDown,
            _ => return None,
        };
        let message = format!("{}.", sentence(&error.to_string()));
        Some(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, code, message))
    }

    /// 503: there is no room for what was asked for; the same request may work later.
    pub fn without_room(error: Overdrawn) -> ApiError {
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Overloaded, error.to_string())
    }

    /// 503: too much is open; the same request may work later.
    pub fn too_many_open(error: TooManyOpen) -> ApiError {
        ApiError::overloaded(error.to_string())
    }

    /// 503: too much at once; the same request may work later.
    pub fn overloaded(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::TooManyConcurrentRequests, message)
    }

    /// 429: its sender has asked for too much; the same request will work after `wait`.
    pub fn too_many_requests(wait: Duration, message: impl Into<String>) -> ApiError {
        let error = ApiError::new(StatusCode::TOO_MANY_REQUESTS, ErrorCode::TooManyRequests, message);
        ApiError { retry_after: Some(wait), ..error }
    }

    /// 503: nothing of the call was kept; the same one may work later.
    pub fn refused(error: &CallError) -> ApiError {
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, error.code, error.message.clone())
    }

    /// The answer that carries it.
    pub fn answer(&self) -> Answer {
        #[derive(Serialize)]
        struct Shape<'a> {
            code: &'a str,
            message: &'a str,
        }
        let mut answer = json(self.status, &Shape { code: self.code.as_str(), message: &self.message });
        if let Some(wait) = self.retry_after {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        answer
    }
}

/// A JSON answer.
pub fn json(status: StatusCode, body: &impl Serialize) -> Answer {
    match serde_json::to_vec(body) {
        Ok(text) => json_text(status, text),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written as JSON");
            json_text(StatusCode::INTERNAL_SERVER_ERROR, &b"{\"code\":\"InternalServerError\"}"[..])
        }
    }
}

/// A JSON answer whose text is at hand.
pub fn json_text(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    with_type(status, "application/json", AnswerBody::bytes(body))
}

/// A plain text answer.
pub fn text(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    with_type(status, "text/plain; charset=utf-8", AnswerBody::bytes(body))
}

/// An answer of some media type.
pub fn with_type(status: StatusCode, media_type: &'static str, body: AnswerBody) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    answer
}

/// With a capital letter, where it begins with a small one.
pub fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
