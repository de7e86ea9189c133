//! WebSockets of the sync protocol: from the HTTP upgrade to the last frame.
//!
//! What a message means is `weir_sync::session`'s matter; here bytes are moved:
//! in batches, with a time limit, and with buffers that are given back.

mod frames;
mod half_message;
mod mutation_queue;
mod parked;
mod task;

use std::sync::Arc;
use std::time::Duration;

use hyper::header::{
    CONNECTION, HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::upgrade::OnUpgrade;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tracing::Instrument;
use weir_sync::protocol::{ClientInfo, ClientInfoError};
use weir_value::{ErrorCode, limits};

use crate::address::{AddressUsage, Client};
use crate::answer::{Answer, AnswerBody, ApiError, with_type};
use crate::app::App;
use crate::budget::ConnectionBudget;
use crate::connection_room::ConnectionRoom;
use crate::executor::Flow;
use crate::refusals::Limit;
use crate::request_body::RequestBody;
use crate::strict_heads::StrictHeads;
use crate::wire::Wire;

/// The buffer that a socket keeps for reading, in bytes: idle sockets are many,
/// and their messages are small.
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// When an address that has too many sockets may try again.
const RECONNECT_AFTER: Duration = Duration::from_secs(5);

/// Answers a request for a socket; the socket itself lives in its own task.
///
/// # Errors
/// 400 for a client that is too old or a request that is not an upgrade, 503 for a
/// socket too many, 429 for one too many of its address.
pub fn upgrade(
    app: &Arc<App>,
    mut request: Request<RequestBody>,
    version: Option<&str>,
) -> Result<Answer, ApiError> {
    let client = identify(request.headers(), version)
        .map_err(|error| ApiError::bad_request(error.code(), error.to_string()))?;
    let accept = check_handshake(&request)?;
    let room = Arc::clone(&app.machine.sockets).try_acquire_owned().map_err(|_| {
        app.machine.refusals.count(Limit::Sockets);
        ApiError::overloaded("Too many sockets are open on this server: try again later.")
    })?;
    let peer = request.extensions().get::<Client>().cloned();
    let usage = peer.as_ref().and_then(|peer| peer.usage.as_ref());
    let place = match usage.map(AddressUsage::open_socket) {
        Some(None) => {
            app.machine.refusals.count(Limit::AddressSockets);
            let message = "Too many sockets are open from your address: close some, or try again later.";
            return Err(ApiError::too_many_requests(RECONNECT_AFTER, message));
        }
        place => place,
    };
    let connection = request.extensions().get::<ConnectionRoom>().cloned();
    let budget = request.extensions().get::<ConnectionBudget>().cloned().ok_or_else(ApiError::internal)?;
    let flow = request.extensions().get().copied().unwrap_or(Flow::HOST);
    let upgraded = hyper::upgrade::on(&mut request);
    let task_app = Arc::clone(app);
    let span = tracing::debug_span!(
        target: "weir::session",
        "session",
        address = peer.as_ref().map(|peer| tracing::field::display(peer.address)),
    );
    let serving = async move {
        if let Some(socket) = open(upgraded, &budget).await {
            Box::pin(task::run(task_app, socket, client, (flow, budget, peer))).await;
        }
        drop((room, place, connection));
    };
    app.machine.tasks.spawn(serving.instrument(span));
    Ok(switching_protocols(&accept))
}

fn identify(headers: &HeaderMap, version: Option<&str>) -> Result<ClientInfo, ClientInfoError> {
    if let Some(version) = version {
        return ClientInfo::from_path_version(version);
    }
    match headers.get("convex-client").and_then(|value| value.to_str().ok()) {
        Some(header) => ClientInfo::from_header(header),
        None => Ok(ClientInfo::unknown()),
    }
}

/// Checks what RFC 6455 (4.2.1) asks of a client's handshake, and gives the
/// value of `Sec-WebSocket-Accept`.
fn check_handshake(request: &Request<RequestBody>) -> Result<String, ApiError> {
    let headers = request.headers();
    let is_upgrade = request.method() == Method::GET
        && has_token(headers, &CONNECTION, "upgrade")
        && has_token(headers, &UPGRADE, "websocket");
    if !is_upgrade {
        let message = "This is the address of a WebSocket: connect with a Convex client.";
        return Err(ApiError::new(StatusCode::UPGRADE_REQUIRED, ErrorCode::UpgradeRequired, message));
    }
    if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        let message = "Only version 13 of the WebSocket protocol is spoken here.";
        return Err(ApiError::bad_request(ErrorCode::BadHandshake, message));
    }
    match headers.get(SEC_WEBSOCKET_KEY) {
        Some(key) if key.len() == 24 => Ok(derive_accept_key(key.as_bytes())),
        _ => Err(ApiError::bad_request(ErrorCode::BadHandshake, "Sec-WebSocket-Key is missing or wrong.")),
    }
}

fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|list| list.split(',').any(|part| part.trim().eq_ignore_ascii_case(token)))
}

fn switching_protocols(accept: &str) -> Answer {
    let mut answer = with_type(StatusCode::SWITCHING_PROTOCOLS, "text/plain", AnswerBody::empty());
    let headers = answer.headers_mut();
    headers.clear();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = HeaderValue::from_str(accept) {
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    }
    answer
}

/// Takes the connection back from HTTP, without the buffers that HTTP had.
async fn open(upgraded: OnUpgrade, budget: &ConnectionBudget) -> Option<WebSocketStream<Wire>> {
    let upgraded = upgraded.await.ok()?;
    let parts = upgraded.downcast::<TokioIo<StrictHeads<Wire>>>().ok()?;
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(READ_BUFFER_BYTES)
        .max_message_size(Some(limits::FRAME_BYTES_MAX))
        .max_frame_size(Some(limits::FRAME_BYTES_MAX));
    let mut stream = parts.io.into_inner().into_inner();
    let read = parts.read_buf.to_vec();
    // What is refused here is refused again when more is read.
    let _ = stream.begin_messages(Arc::clone(&budget.requests), &read);
    Some(WebSocketStream::from_partially_read(stream, read, Role::Server, Some(config)).await)
}
