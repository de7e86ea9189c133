//! HTTP: which request goes where, and what every answer has in common.
//!
//! `/api/*` is the API of the official clients and Weir's own routes under
//! `/api/weir`; `/http/*` are the app's HTTP actions; a few fixed paths tell of
//! the server itself; everything else is a file of the web folder. Errors of the server are `{"code", "message"}` with
//! a status, also that a mutation could not be saved for now (503); a function's
//! own error is an answer like any other (200).

mod arguments;
mod audit;
mod body;
mod caller;
mod client;
mod components;
mod cors;
mod deployment;
mod files;
mod functions;
mod health;
mod http_actions;
mod keys;
mod metrics;
mod routes;
mod variables;
mod well_known;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONNECTION, HOST, HeaderMap, HeaderValue, UPGRADE};
use hyper::{Method, Request, StatusCode, Version};
use weir_db::Principal;
use weir_sync::budget::Account;
use weir_value::{ErrorCode, limits};

pub use self::routes::{ROUTES, Route};

use self::caller::Caller;
use self::cors::Cors;
use self::routes::{Found, OpenTo, Operation};
use crate::address::{AddressUsage, Client};
use crate::answer::{self, Answer, ApiError, text};
use crate::app::App;
use crate::audit::{Auditor, Outcome};
use crate::budget::ConnectionBudget;
use crate::executor::Flow;
use crate::refusals::Limit;
use crate::request_body::RequestBody;
use crate::request_id::new_request_id;
use crate::socket;

/// The longest request id that is taken from a client.
const REQUEST_ID_CHARS_MAX: usize = 64;

/// When somebody who has too many connections or sockets may try again.
const RECONNECT_AFTER: Duration = Duration::from_secs(5);

/// Which of the server's ports a request came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port {
    /// The API's.
    Api,
    /// The HTTP actions' own: all its paths are theirs.
    Site,
}

/// Answers one request. Never fails: what goes wrong is an answer too.
pub async fn answer(app: Arc<App>, port: Port, request: Request<Incoming>) -> Result<Answer, Infallible> {
    app.machine.metrics.http_requests.add(1);
    let asks_upgrade = request.headers().contains_key(UPGRADE);
    let request = RequestBody::of(request, &app.machine.tasks);
    let mut answer = match port {
        Port::Api => answer_api(&app, request).await,
        Port::Site => Box::pin(answer_site(&app, request)).await,
    };
    // What follows a request for another protocol is not looked at as HTTP: if it is refused, nothing may follow.
    if asks_upgrade && answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(answer)
}

async fn answer_api(app: &Arc<App>, request: Request<RequestBody>) -> Answer {
    let path = request.uri().path().to_owned();
    let is_api = path.starts_with("/api/");
    let cors = Cors::of(request.method(), request.headers(), &app.reach);
    if is_api && let Some(answer) = cors.preflight() {
        return answer;
    }
    if is_api && cors.is_refused_preflight() {
        let refused = app.reach.check_origin(request.method(), request.headers());
        return count_origin(app, refused).err().unwrap_or_else(method_not_allowed).answer();
    }
    let result = match check_head(app, &request) {
        Ok(()) => Box::pin(route(app, request, &path)).await,
        Err(error) => Err(error),
    };
    let mut answer = result.unwrap_or_else(|error| {
        app.machine.metrics.http_errors.add(1);
        error.answer()
    });
    if is_api {
        cors.apply(&mut answer);
    }
    answer
}

async fn answer_site(app: &Arc<App>, request: Request<RequestBody>) -> Answer {
    if let Err(error) = check_head(app, &request).and_then(|()| count_call(app, &request)) {
        app.machine.metrics.http_errors.add(1);
        return error.answer();
    }
    let path = request.uri().path().to_owned();
    let operation = match routes::find(request.method(), &path) {
        Found::Route(Route { operation: operation @ (Operation::KeySet | Operation::Discovery), .. }, _) => {
            Some(*operation)
        }
        _ => None,
    };
    // An app that is its own provider of users answers these itself.
    if let Some(answer) = Box::pin(http_actions::answer(app, request, &path)).await {
        return answer;
    }
    match operation {
        Some(Operation::KeySet) => well_known::key_set(app).await.unwrap_or_else(|error| error.answer()),
        Some(_) => well_known::discovery(app),
        None => http_actions::no_route(),
    }
}

/// What HTTP/1.1 asks of every request, and that it is meant for this server.
fn check_head(app: &App, request: &Request<RequestBody>) -> Result<(), ApiError> {
    let refusals = &app.machine.refusals;
    let names_host = request.headers().get_all(HOST).iter().count() == 1;
    if request.version() == Version::HTTP_11 && !names_host {
        let message = "The request must have one Host header.";
        return Err(ApiError::bad_request(ErrorCode::BadHost, message));
    }
    app.reach.check_host(request.headers()).inspect_err(|_| refusals.count(Limit::HostName))?;
    match usage_of(request).and_then(|usage| usage.bytes_overdrawn()) {
        Some(wait) => {
            refusals.count(Limit::AddressBytes);
            Err(ApiError::too_many_requests(wait, "Your address has sent too much: try again later."))
        }
        None => Ok(()),
    }
}

/// Counts requests of pages that may not use the server.
fn count_origin(app: &App, checked: Result<(), ApiError>) -> Result<(), ApiError> {
    let is_origin = |error: &ApiError| error.code == ErrorCode::OriginNotAllowed;
    if checked.as_ref().is_err_and(is_origin) {
        app.machine.refusals.count(Limit::Origin);
    }
    checked
}

/// What the address takes that a request came from, if it is limited.
fn usage_of(request: &Request<RequestBody>) -> Option<&Arc<AddressUsage>> {
    request.extensions().get::<Client>()?.usage.as_ref()
}

/// Counts a call, which is refused if its address has made too many.
fn count_call(app: &App, request: &Request<RequestBody>) -> Result<(), ApiError> {
    let counted = usage_of(request).map_or(Ok(()), |usage| usage.call());
    counted.map_err(|wait| {
        app.machine.refusals.count(Limit::AddressCalls);
        ApiError::too_many_requests(wait, "Your address calls too many functions: try again later.")
    })
}

async fn route(app: &Arc<App>, request: Request<RequestBody>, path: &str) -> Result<Answer, ApiError> {
    if let Some(rest) = path.strip_prefix(http_actions::PREFIX).filter(|rest| rest.starts_with('/')) {
        count_call(app, &request)?;
        let answer = Box::pin(http_actions::answer(app, request, rest)).await;
        return Ok(answer.unwrap_or_else(http_actions::no_route));
    }
    let (route, rest) = match routes::find(request.method(), path) {
        Found::Route(route, rest) => (route, rest),
        Found::OtherMethods => return Err(method_not_allowed()),
        Found::Nothing => {
            return match path.strip_prefix("/api/") {
                Some(rest) => Err(unknown_route(rest)),
                None => Ok(serve_file(app, &request, path).await),
            };
        }
    };
    let (headers, query) = (request.headers(), request.uri().query().unwrap_or(""));
    // Who has the URL of a file, or of an upload, may use it from anywhere: that is its use.
    if !matches!(route.operation, Operation::UploadFile | Operation::DownloadFile) {
        count_origin(app, app.reach.check_origin(request.method(), headers))?;
    }
    if route.operation.is_call() {
        count_call(app, &request)?;
    }
    if path.starts_with("/api/") {
        caller::check_client(headers)?;
        caller::refuse_key_in_url(query)?;
    }
    let caller = match route.open_to {
        OpenTo::Everybody => Caller::anonymous(),
        OpenTo::Scrapers(_) if app.open_metrics => Caller::anonymous(),
        OpenTo::Callers | OpenTo::Keys(_) | OpenTo::Scrapers(_) => {
            caller::identify(&app.identities, headers, request.extensions().get()).await?
        }
    };
    let auditor = auditor(app, &request, &caller);
    let needed = match route.open_to {
        OpenTo::Keys(needed) => Some(needed),
        OpenTo::Scrapers(needed) if !app.open_metrics => Some(needed),
        OpenTo::Scrapers(_) | OpenTo::Callers | OpenTo::Everybody => None,
    };
    if let Some(needed) = needed
        && let Err(error) = caller.check(needed)
    {
        if let Some(auditor) = auditor {
            let detail = serde_json::json!({"path": path, "error": error.code.as_str()});
            auditor.note(route.operation.audit_name(), Outcome::Refused, &detail);
        }
        return Err(error);
    }
    act(app, request, route.operation, rest, (caller.principal, auditor)).await
}

/// Writes down what the holder of an admin key does, if it is one.
fn auditor(app: &Arc<App>, request: &Request<RequestBody>, caller: &Caller) -> Option<Auditor> {
    let address = request.extensions().get::<Client>().map(|client| client.address);
    let key = caller.key.as_ref()?;
    Some(Auditor::new((app.audit.as_ref(), &app.machine), key.name(), address, request_id(request.headers())))
}

async fn act(
    app: &Arc<App>,
    request: Request<RequestBody>,
    operation: Operation,
    rest: &str,
    (principal, auditor): (Principal, Option<Auditor>),
) -> Result<Answer, ApiError> {
    let auditor = auditor.as_ref();
    match operation {
        Operation::Version => Ok(text(StatusCode::OK, env!("CARGO_PKG_VERSION"))),
        Operation::InstanceVersion => Ok(text(StatusCode::OK, format!("weir-{}", env!("CARGO_PKG_VERSION")))),
        Operation::InstanceName => Ok(text(StatusCode::OK, app.identities.instance_name().to_owned())),
        Operation::Health => Ok(health::answer(app, &principal)),
        Operation::Metrics => metrics::answer(app),
        Operation::KeySet => well_known::key_set(app).await,
        Operation::Discovery => Ok(well_known::discovery(app)),
        Operation::Echo => echo(request).await,
        Operation::Sync => socket::upgrade(app, request, None),
        Operation::VersionedSync => socket::upgrade(app, request, Some(rest)),
        Operation::UploadFile => files::upload(app, request).await,
        Operation::DownloadFile => files::download(app, request.method(), request.headers(), rest).await,
        Operation::Query
        | Operation::Mutation
        | Operation::Action
        | Operation::QueryTs
        | Operation::QueryAtTs
        | Operation::QueryBatch
        | Operation::Function
        | Operation::Run => call(app, request, operation, rest, (principal, auditor)).await,
        Operation::Deploy => deployment::deploy(app, request, auditor).await,
        Operation::DescribeDeployment => Ok(deployment::describe(app)),
        Operation::CanonicalUrls => Ok(deployment::canonical_urls(app)),
        Operation::SetVariables => variables::update(app, request, auditor).await,
        Operation::ListVariables => variables::list(app, auditor).await,
        Operation::CreateKey => keys::create(app, request, auditor).await,
        Operation::ListKeys => keys::list(app).await,
        Operation::RevokeKey => keys::revoke(app, rest, auditor).await,
        Operation::ListComponents => components::list(app).await,
        Operation::DropComponent => components::drop(app, rest, auditor).await,
        Operation::ReadAudit => audit::read(app, request.uri().query().unwrap_or("")).await,
    }
}

/// A route that runs functions.
async fn call(
    app: &Arc<App>,
    request: Request<RequestBody>,
    operation: Operation,
    rest: &str,
    (principal, auditor): (Principal, Option<&Auditor>),
) -> Result<Answer, ApiError> {
    let by_url = request.method() == Method::GET;
    let query = request.uri().query().unwrap_or("").to_owned();
    let call = functions::Request {
        app,
        principal,
        flow: flow(&request),
        request_id: request_id(request.headers()),
        account: account_of(&request)?,
        usage: usage_of(&request).cloned(),
        auditor,
    };
    let body = read_call(request).await?;
    match operation {
        Operation::Query if by_url => call.query_by_url(&query).await,
        Operation::Query => call.query(body).await,
        Operation::Mutation => call.mutation(body).await,
        Operation::Action => call.action(body).await,
        Operation::QueryTs => Ok(call.query_ts()),
        Operation::QueryAtTs => call.query_at_ts(body).await,
        Operation::QueryBatch => call.query_batch(body).await,
        Operation::Function => call.function(body).await,
        _ => call.run(rest, body).await,
    }
}

async fn read_call(request: Request<RequestBody>) -> Result<Bytes, ApiError> {
    body::read(request, limits::HTTP_BODY_BYTES_MAX).await
}

/// What counts how much is held for the connection that a request came over.
fn account_of(request: &Request<RequestBody>) -> Result<Arc<Account>, ApiError> {
    let budget = request.extensions().get::<ConnectionBudget>();
    budget.map(|budget| Arc::clone(&budget.requests)).ok_or_else(ApiError::internal)
}

async fn echo(request: Request<RequestBody>) -> Result<Answer, ApiError> {
    let body = read_call(request).await?;
    Ok(answer::with_type(StatusCode::OK, "application/octet-stream", answer::AnswerBody::bytes(body)))
}

async fn serve_file(app: &App, request: &Request<RequestBody>, path: &str) -> Answer {
    match &app.web {
        Some(files) => match app.machine.open_for_request() {
            Ok(place) => {
                let answer = files.serve(request.method(), path, request.headers()).await;
                answer.map(|body| body.holding(place))
            }
            Err(error) => ApiError::too_many_open(error).answer(),
        },
        None if path == "/" => text(StatusCode::OK, "This Weir deployment is running.\n"),
        None => text(StatusCode::NOT_FOUND, "Not found\n"),
    }
}

/// Whose a request is.
fn flow(request: &Request<RequestBody>) -> Flow {
    request.extensions().get().copied().unwrap_or(Flow::HOST)
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

fn unknown_route(path: &str) -> ApiError {
    let path: String = path.chars().take(100).collect();
    let message = format!("There is no such route: /api/{path}.");
    // Convex's command line takes a 404 for something that passes, and asks again for ever.
    ApiError::bad_request(ErrorCode::NotFound, message)
}

fn method_not_allowed() -> ApiError {
    let message = "This path does not know this method.";
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::MethodNotAllowed, message)
}

/// The answer to one connection too many.
pub fn too_many_connections() -> Answer {
    let mut answer = ApiError::overloaded("Too many connections: try again later.").answer();
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    answer.headers_mut().remove(ALLOW);
    answer
}

/// The answer to one connection too many of one address.
pub fn too_many_connections_of_address() -> Answer {
    let message = "Too many connections are open from your address: close some, or try again later.";
    let mut answer = ApiError::too_many_requests(RECONNECT_AFTER, message).answer();
    answer.headers_mut().insert(hyper::header::CONNECTION, HeaderValue::from_static("close"));
    answer
}
