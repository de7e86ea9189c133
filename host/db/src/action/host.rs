//! What an action needs of the server: time, other functions, the network.
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use serde_json::Value as Json;
use thiserror::Error;
use weir_value::{DocumentId, ErrorCode, FunctionPath, Timestamp};

use crate::{CallError, DbError, FunctionKind, Namespace, PasswordResult, PasswordWork, StoredFile};

/// Something that comes to its end some time.
pub type HostFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Work that was started; dropping it gives it up.
pub trait GivesUp: Send + Sync {}

/// Does for actions what takes time. Its futures are polled on any thread.
pub trait ActionHost: Send + Sync + 'static {
    /// Calls another function, on behalf of the action's caller. A query reads what is durable, a mutation is durable
    /// when it is over. The error's message is the function's own where it is an application error, and has no request id.
    fn call(
        &self,
        kind: FunctionKind,
        path: FunctionPath,
        args: Bytes,
    ) -> HostFuture<Result<Bytes, CallError>>;

    /// Waits until a commit is durable.
    fn durable(&self, ts: Timestamp) -> HostFuture<()>;

    /// Waits for so long.
    fn sleep(&self, time: Duration) -> HostFuture<()>;

    /// Sends a request, and gives the response when its head is there.
    fn send(&self, request: HttpRequest) -> HostFuture<Result<HttpResponse, DbError>>;

    /// Where actions may connect to: JSON, for whoever connects by itself (`host/outbound/src/rules.rs` says its form). A
    /// host that says nothing opens nothing; one that says `{"byHost": true, "refusal"}` opens nothing either, and sends
    /// itself what is fetched.
    fn outbound_rules(&self) -> Json {
        Json::Null
    }

    /// Hashes or verifies a password, where that holds up nobody.
    fn compute_password(&self, work: PasswordWork) -> HostFuture<Result<PasswordResult, DbError>>;

    /// Stores a file, and gives the id of its document when that is durable. A host that keeps no files refuses.
    ///
    /// The future's error: the body broke off, is not what its checksum says, or there is no room for it.
    fn store_file(&self, file: FileToStore) -> HostFuture<Result<DocumentId, DbError>> {
        drop(file);
        Box::pin(async { Err(no_files()) })
    }

    /// Reads a stored file.
    fn read_file(&self, file: StoredFile) -> HostFuture<Result<BodyStream, DbError>> {
        drop(file);
        Box::pin(async { Err(no_files()) })
    }

    /// Lets work go on while the action does something else.
    fn spawn(&self, work: HostFuture<()>) -> Box<dyn GivesUp>;
}

/// Why a body broke off.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct BodyError(pub String);

/// A body, piece by piece.
pub type BodyStream = Pin<Box<dyn Stream<Item = Result<Bytes, BodyError>> + Send>>;

/// The body of a request or a response.
pub enum Body {
    /// There is none.
    Empty,
    /// It is here.
    Whole(Bytes),
    /// It comes.
    Stream(BodyStream),
}

/// A file that an action stores.
pub struct FileToStore {
    /// Its bytes.
    pub body: Body,
    /// Its media type, if it has one.
    pub content_type: Option<String>,
    /// What the bytes' SHA-256 must be, if the action says so.
    pub sha256: Option<[u8; 32]>,
    /// Whose it is.
    pub namespace: Namespace,
}

/// What is done about a response that sends the client on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redirect {
    /// It is followed.
    Follow,
    /// It is the response.
    Manual,
    /// It is an error.
    Error,
}

/// A request that an action makes.
pub struct HttpRequest {
    /// As it is sent: `GET`.
    pub method: String,
    /// Where to.
    pub url: String,
    /// Names and values, in their order.
    pub headers: Vec<(String, String)>,
    /// What is sent.
    pub body: Body,
    /// What is done about a redirect.
    pub redirect: Redirect,
}

/// A response: what an action gets for a request, or what an HTTP action gives.
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// Where it came from, after all redirects; of what an HTTP action gives it is empty.
    pub url: String,
    /// Whether that is somewhere else than where the request went to.
    pub redirected: bool,
    /// Names and values, in their order.
    pub headers: Vec<(String, String)>,
    /// What was sent.
    pub body: Body,
}

/// Takes the response of an HTTP action, once.
pub type Responder = Box<dyn FnOnce(HttpResponse) + Send>;

fn no_files() -> DbError {
    DbError::new(ErrorCode::NotImplemented, "No files are kept here.")
}
