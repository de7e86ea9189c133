//! HTTP actions: requests that the app's own functions answer, below `/http` and on a port of their own.
//!
//! Bodies stream in both ways. CORS is the app's matter here, and so are all paths.

use std::sync::Arc;

use bytes::Bytes;
use hyper::body::Body as _;
use hyper::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, HeaderName, HeaderValue, TRANSFER_ENCODING, UPGRADE,
};
use hyper::{Request, Response, StatusCode};
use serde_json::json;
use tokio::sync::oneshot;
use weir_db::{ActionOutcome, Body, BodyStream, Call, HttpExchange, HttpResponse, Principal, Route};
use weir_sync::budget::{Account, Held, Overdrawn};
use weir_value::{ErrorCode, FunctionPath};

use crate::answer::{Answer, AnswerBody, ApiError, json_text, text};
use crate::app::App;
use crate::http::client::{Client, client};
use crate::http::{account_of, caller, request_id};
use crate::identity::{Credentials, Refusal};
use crate::request_body::RequestBody;

/// Where HTTP actions are on the API's own port.
pub const PREFIX: &str = "/http";

/// Headers that are the connection's, not the message's; the server says those itself.
const OF_THE_CONNECTION: [HeaderName; 4] = [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE];

/// The number of the stream that an HTTP action reads its request's body from: its first.
const REQUEST_STREAM: u32 = 1;

/// Answers a request whose path, as the app sees it, is this one. `None`: no route of the app is for it.
pub async fn answer(app: &Arc<App>, request: Request<RequestBody>, path: &str) -> Option<Answer> {
    let (_, functions) = app.db.deployment();
    let account = account_of(&request).ok();
    let function = Route::find(functions.routes(), request.method().as_str(), path)?.function.clone();
    let request_id = request_id(request.headers());
    let principal = match principal(app, &request).await {
        Ok(principal) => principal,
        Err(error) => {
            app.machine.metrics.http_errors.add(1);
            return Some(error.answer());
        }
    };
    let is_told = app.disclosure.is_full_for(&principal);
    let args = describe(app, &request, path);
    let flow = super::flow(&request);
    let (client, connection) = client();
    let failing = Failing { path: function.clone(), request_id: request_id.clone(), is_told };
    let call = Call { path: function, args, principal, request_id };
    let (responder, mut response) = oneshot::channel();
    let exchange = HttpExchange {
        body: body_of(request.into_body()),
        connection: Some(connection),
        responder: Some(Box::new(move |response| drop(responder.send(response)))),
    };
    let actions = Arc::clone(&app.actions);
    let (ended, mut outcome) = oneshot::channel();
    app.machine.tasks.spawn_until_stop(async move {
        let _ = ended.send(actions.run_http(call, flow, exchange).await);
    });
    let begun = tokio::select! {
        biased;
        begun = &mut response => begun.ok(),
        ended = &mut outcome => return Some(failing.answer(app, ended.ok())),
    };
    Some(match begun {
        Some(response) => respond(response, client, account.as_ref()),
        // The responder was dropped: the action is over.
        None => failing.answer(app, outcome.await.ok()),
    })
}

/// What a path is answered with that no route is for.
pub fn no_route() -> Answer {
    text(StatusCode::NOT_FOUND, "No matching routes found")
}

/// On whose behalf the action runs. A header that is somebody else's, a web hook's for instance, makes it nobody's; of an
/// admin key that nobody looks at it is said.
async fn principal(app: &App, request: &Request<RequestBody>) -> Result<Principal, ApiError> {
    let Some(header) = request.headers().get(AUTHORIZATION) else { return Ok(Principal::Anonymous) };
    let credentials = header.to_str().map_or(Credentials::Unknown, Credentials::parse);
    match app.identities.authenticate(credentials, request.extensions().get()).await {
        Ok(authenticated) => Ok(authenticated.principal),
        Err(refusal @ Refusal::TooManyWrongKeys { .. }) => Err(caller::refuse(refusal)),
        Err(_) => Ok(Principal::Anonymous),
    }
}

/// The request as the function gets it.
fn describe(app: &App, request: &Request<RequestBody>, path: &str) -> Bytes {
    let query = request.uri().query().map_or_else(String::new, |query| format!("?{query}"));
    let headers: Vec<(&str, String)> =
        request.headers().iter().map(|(name, value)| (name.as_str(), latin1(value))).collect();
    let stream = (!request.body().is_end_stream()).then_some(REQUEST_STREAM);
    // Both are there before any stream of the action's own, in this order.
    let connection = stream.map_or(REQUEST_STREAM, |stream| stream + 1);
    let args = json!({
        "method": request.method().as_str(),
        "url": format!("{}{path}{query}", app.urls.site),
        "headers": headers,
        "stream": stream,
        "connection": connection,
    });
    args.to_string().into()
}

/// Bytes that are not ASCII are Latin-1, as the fetch standard reads them.
fn latin1(value: &HeaderValue) -> String {
    value.as_bytes().iter().copied().map(char::from).collect()
}

fn body_of(body: RequestBody) -> Option<BodyStream> {
    match body.is_end_stream() {
        true => None,
        false => Some(Box::pin(body)),
    }
}

fn respond(response: HttpResponse, client: Client, account: Option<&Arc<Account>>) -> Answer {
    let HttpResponse { status, headers, body, .. } = response;
    let mut answer = Response::new(match client.reading(body) {
        Body::Empty => AnswerBody::empty(),
        Body::Whole(bytes) => match counted(bytes, account) {
            Ok(bytes) => AnswerBody::bytes(bytes),
            Err(error) => return ApiError::without_room(error).answer(),
        },
        Body::Stream(stream) => AnswerBody::Stream(stream),
    });
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in headers {
        let bytes: Option<Vec<u8>> = value.chars().map(|char| u8::try_from(char).ok()).collect();
        let value = bytes.and_then(|bytes| HeaderValue::from_bytes(&bytes).ok());
        let name = HeaderName::from_bytes(name.as_bytes()).ok();
        if let Some((name, value)) = name.zip(value).filter(|(name, _)| !OF_THE_CONNECTION.contains(name)) {
            answer.headers_mut().append(name, value);
        }
    }
    answer
}

/// The body of a response, which counts until it is sent.
fn counted(bytes: Bytes, account: Option<&Arc<Account>>) -> Result<Bytes, Overdrawn> {
    let Some(account) = account else { return Ok(bytes) };
    Ok(account.charge(Held::Bodies, bytes.len())?.attach(bytes))
}

/// An action that may end without a response, and whether who asked may be told why.
struct Failing {
    path: FunctionPath,
    request_id: String,
    is_told: bool,
}

impl Failing {
    /// The answer then: what went wrong stands in the log, and in the answer to who may be told.
    fn answer(self, app: &App, outcome: Option<ActionOutcome>) -> Answer {
        let Failing { path, request_id, is_told } = self;
        app.machine.metrics.http_errors.add(1);
        let error = match outcome.map(|outcome| outcome.result) {
            Some(Err(error)) => error.message,
            Some(Ok(_)) => "The HTTP action ended without a response.".to_owned(),
            None => "The HTTP action was given up.".to_owned(),
        };
        let request = request_id.as_str();
        tracing::warn!(target: "weir::function", %path, request, "an HTTP action gave no response: {error}");
        let mut body = json!({
            "code": ErrorCode::InternalServerError.as_str(),
            "message": format!("[Request ID: {request_id}] Server Error"),
        });
        if is_told {
            body["trace"] = error.into();
        }
        json_text(StatusCode::INTERNAL_SERVER_ERROR, body.to_string())
    }
}
