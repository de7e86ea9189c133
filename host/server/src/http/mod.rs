//! HTTP: which request goes where, and what every answer has in common.
//!
//! `/api/*` is the API of the official clients and Weir's own routes under
//! `/api/weir`; a few fixed paths tell of the server itself; everything else is
//! a file of the web folder. Errors of the server are `{"code", "message"}` with
//! a status, also that a mutation could not be saved for now (503); a function's
//! own error is an answer like any other (200).

pub mod answer;
mod arguments;
mod body;
mod caller;
mod cors;
mod deployment;
mod functions;
mod metrics;
mod static_files;
mod variables;

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW, CACHE_CONTROL, HOST, HeaderMap, HeaderValue};
use hyper::{Method, Request, StatusCode, Version};
use weir_value::{ErrorCode, limits};

pub use self::static_files::StaticFiles;
pub use self::variables::Variable;

use self::answer::{Answer, ApiError, json_text, text};
use self::cors::Cors;
use crate::backend::Backend;
use crate::identity::Permission;
use crate::socket;

/// A request's id when the client gives none: this many random bytes, as hex.
const REQUEST_ID_BYTES: usize = 8;
/// The longest request id that is taken from a client.
const REQUEST_ID_CHARS_MAX: usize = 64;

/// Answers one request. Never fails: what goes wrong is an answer too.
pub async fn answer(backend: Arc<Backend>, request: Request<Incoming>) -> Result<Answer, Infallible> {
    backend.metrics.http_requests.add(1);
    let path = request.uri().path().to_owned();
    let is_api = path.starts_with("/api/");
    let cors = Cors::of(request.method(), request.headers());
    if is_api && let Some(answer) = cors.preflight() {
        return Ok(answer);
    }
    let result = match check_head(&request) {
        Ok(()) => Box::pin(route(&backend, request, &path)).await,
        Err(error) => Err(error),
    };
    let mut answer = result.unwrap_or_else(|error| {
        backend.metrics.http_errors.add(1);
        error.answer()
    });
    if is_api {
        cors.apply(&mut answer);
    }
    Ok(answer)
}

/// What HTTP/1.1 asks of every request.
fn check_head(request: &Request<Incoming>) -> Result<(), ApiError> {
    let names_host = request.headers().get_all(HOST).iter().count() == 1;
    if request.version() == Version::HTTP_11 && !names_host {
        let message = "The request must have one Host header.";
        return Err(ApiError::bad_request(ErrorCode::BadHost, message));
    }
    Ok(())
}

async fn route(backend: &Arc<Backend>, request: Request<Incoming>, path: &str) -> Result<Answer, ApiError> {
    match path {
        "/version" => read_only(&request, || text(StatusCode::OK, env!("CARGO_PKG_VERSION"))),
        "/instance_version" => {
            read_only(&request, || text(StatusCode::OK, format!("weir-{}", env!("CARGO_PKG_VERSION"))))
        }
        "/instance_name" => {
            read_only(&request, || text(StatusCode::OK, backend.identities.instance_name().to_owned()))
        }
        "/health" => read_only(&request, || health(backend)),
        "/metrics" => read_only(&request, || metrics::answer(backend)),
        "/.well-known/jwks.json" => key_set(backend, &request).await,
        "/echo" => echo(request).await,
        _ => match path.strip_prefix("/api/") {
            Some(rest) => route_api(backend, request, rest).await,
            None => Ok(serve_file(backend, &request, path).await),
        },
    }
}

async fn route_api(
    backend: &Arc<Backend>,
    request: Request<Incoming>,
    path: &str,
) -> Result<Answer, ApiError> {
    if let Some(version) = socket::client_version(path) {
        caller::check_client(request.headers())?;
        return socket::upgrade(backend, request, version);
    }
    let identifier = path.strip_prefix("run/");
    match (request.method(), path) {
        (&Method::POST, "weir/deploy") => deployment::deploy(backend, request).await,
        (&Method::GET, "weir/deployment") => deployment::describe(backend, &request).await,
        (&Method::POST, "update_environment_variables") => variables::update(backend, request).await,
        (&Method::GET, "weir/variables") => variables::list(backend, &request).await,
        (&Method::POST, "action") => Err(not_yet("Actions")),
        (&Method::POST | &Method::GET, "query") => call(backend, request, path).await,
        (&Method::POST, "mutation" | "query_ts" | "query_at_ts" | "query_batch" | "function") => {
            call(backend, request, path).await
        }
        (&Method::POST, _) if identifier.is_some_and(|id| !id.is_empty()) => {
            call(backend, request, path).await
        }
        (_, "query" | "mutation" | "query_ts" | "query_at_ts" | "query_batch" | "function" | "action") => {
            Err(method_not_allowed())
        }
        _ => Err(unknown_route(path)),
    }
}

/// A route that runs functions.
async fn call(backend: &Arc<Backend>, request: Request<Incoming>, path: &str) -> Result<Answer, ApiError> {
    caller::check_client(request.headers())?;
    let query = request.uri().query().unwrap_or("").to_owned();
    let identities = &backend.identities;
    let principal = match path {
        "function" => caller::require(Permission::CallAny, identities, request.headers(), &query).await?,
        _ => caller::identify(identities, request.headers(), &query).await?,
    };
    let by_url = request.method() == Method::GET;
    let call = functions::Request { backend, principal, request_id: request_id(request.headers()) };
    let body = read_call(request).await?;
    match path {
        "query" if by_url => call.query_by_url(&query).await,
        "query" => call.query(&body).await,
        "mutation" => call.mutation(&body).await,
        "query_ts" => Ok(call.query_ts()),
        "query_at_ts" => call.query_at_ts(&body).await,
        "query_batch" => call.query_batch(&body).await,
        "function" => call.function(&body).await,
        _ => call.run(path.trim_start_matches("run/"), &body).await,
    }
}

async fn read_call(request: Request<Incoming>) -> Result<Bytes, ApiError> {
    let body = request.into_body();
    body::read(body, limits::HTTP_BODY_BYTES_MAX).await
}

async fn echo(request: Request<Incoming>) -> Result<Answer, ApiError> {
    if request.method() != Method::POST {
        return Err(method_not_allowed());
    }
    let body = read_call(request).await?;
    Ok(answer::with_type(StatusCode::OK, "application/octet-stream", answer::AnswerBody::bytes(body)))
}

/// Answers GET and HEAD, and nothing else.
fn read_only(request: &Request<Incoming>, make: impl FnOnce() -> Answer) -> Result<Answer, ApiError> {
    match *request.method() {
        Method::GET | Method::HEAD => Ok(make()),
        _ => Err(method_not_allowed()),
    }
}

/// The public half of the key that functions sign tokens with.
async fn key_set(backend: &Backend, request: &Request<Incoming>) -> Result<Answer, ApiError> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err(method_not_allowed());
    }
    let signer = Arc::clone(&backend.signer);
    let jwks = tokio::task::spawn_blocking(move || signer.jwks()).await.map_err(|_| ApiError::internal())?;
    let jwks = jwks.map_err(|error| {
        tracing::error!(%error, "the host's signing key cannot be had");
        ApiError::internal()
    })?;
    let mut answer = json_text(StatusCode::OK, jwks.to_string());
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    answer.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    Ok(answer)
}

fn health(backend: &Backend) -> Answer {
    let (version, functions) = backend.db.functions();
    let body = serde_json::json!({
        "status": "ok",
        "deployment": version.0,
        "functions": functions.list().len(),
        "missingModules": backend.deployer.missing_modules(),
    });
    json_text(StatusCode::OK, body.to_string())
}

async fn serve_file(backend: &Backend, request: &Request<Incoming>, path: &str) -> Answer {
    match &backend.web {
        Some(files) => files.serve(request.method(), path, request.headers()).await,
        None if path == "/" => text(StatusCode::OK, "This Weir deployment is running.\n"),
        None => text(StatusCode::NOT_FOUND, "Not found\n"),
    }
}

fn request_id(headers: &HeaderMap) -> String {
    let sent = headers.get("convex-request-id").and_then(|value| value.to_str().ok());
    let is_sane = |id: &&str| {
        !id.is_empty()
            && id.len() <= REQUEST_ID_CHARS_MAX
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    sent.filter(is_sane).map_or_else(new_request_id, str::to_owned)
}

/// A fresh request id.
pub fn new_request_id() -> String {
    let mut bytes = [0_u8; REQUEST_ID_BYTES];
    // Without randomness ids repeat, which confuses a reader of the log and
    // nobody else.
    #[expect(clippy::disallowed_methods, reason = "request ids are for the log; no data depends on them")]
    let _ = getrandom::fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unknown_route(path: &str) -> ApiError {
    let path: String = path.chars().take(100).collect();
    let message = format!("There is no such route: /api/{path}.");
    ApiError::new(StatusCode::NOT_FOUND, ErrorCode::NotFound, message)
}

fn not_yet(what: &str) -> ApiError {
    let message = format!("{what} are not part of this version of Weir yet.");
    ApiError::new(StatusCode::NOT_IMPLEMENTED, ErrorCode::NotImplemented, message)
}

fn method_not_allowed() -> ApiError {
    let message = "This path does not know this method.";
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::MethodNotAllowed, message)
}

/// The answer to one connection too many.
pub fn too_many_connections() -> Answer {
    let mut answer = ApiError::overloaded("Too many connections: try again later.").answer();
    answer.headers_mut().insert(hyper::header::CONNECTION, HeaderValue::from_static("close"));
    answer.headers_mut().remove(ALLOW);
    answer
}
