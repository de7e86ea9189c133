//! A client of the HTTP API: one request, one connection.

use anyhow::{Context, anyhow, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::url::ServerUrl;

/// The largest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Connects.
///
/// # Errors
/// When nobody listens there.
pub async fn connect(url: &ServerUrl) -> anyhow::Result<TcpStream> {
    let host = url.host.trim_matches(['[', ']']);
    let stream = TcpStream::connect((host, url.port)).await;
    let stream = stream.map_err(|error| match error.kind() {
        std::io::ErrorKind::ConnectionRefused => anyhow!(
            "no server answers at http://{}; start one with `host serve` or `host dev`, or name another with --url",
            url.authority()
        ),
        _ => anyhow!(error).context(format!("cannot reach http://{}", url.authority())),
    })?;
    stream.set_nodelay(true).context("cannot set up the connection")?;
    Ok(stream)
}

/// POSTs JSON and gives the JSON of the answer.
///
/// # Errors
/// When the server cannot be reached, or refuses: with its code and message.
pub async fn post(
    url: &ServerUrl,
    path: &str,
    admin_key: Option<&str>,
    body: Vec<u8>,
) -> anyhow::Result<Value> {
    exchange(Method::POST, url, path, admin_key, body).await
}

/// GETs the JSON of the answer.
///
/// # Errors
/// As for [`post`].
pub async fn get(url: &ServerUrl, path: &str, admin_key: Option<&str>) -> anyhow::Result<Value> {
    exchange(Method::GET, url, path, admin_key, Vec::new()).await
}

async fn exchange(
    method: Method,
    url: &ServerUrl,
    path: &str,
    admin_key: Option<&str>,
    body: Vec<u8>,
) -> anyhow::Result<Value> {
    let stream = connect(url).await?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.context("cannot speak HTTP")?;
    let mut request = Request::builder()
        .method(method)
        .uri(format!("{}{path}", url.prefix))
        .header(HOST, url.authority())
        .header(CONTENT_TYPE, "application/json")
        .header("convex-client", concat!("weir-cli-", env!("CARGO_PKG_VERSION")));
    if let Some(key) = admin_key {
        let mut value = HeaderValue::from_str(&format!("Convex {key}"))
            .map_err(|_| crate::Usage("the admin key has characters that no key has".into()))?;
        value.set_sensitive(true);
        request = request.header(AUTHORIZATION, value);
    }
    let request = request.body(Full::new(Bytes::from(body))).context("cannot form the request")?;
    let exchange = async move {
        let answer = sender.send_request(request).await.context("the server broke off")?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| anyhow!("the answer broke off: {error}"))?.to_bytes();
        read(status, &body)
    };
    // The connection ends when the exchange, which owns its sender, has ended.
    let (answer, _) = tokio::join!(exchange, connection);
    answer
}

fn read(status: StatusCode, body: &[u8]) -> anyhow::Result<Value> {
    let answer: Option<Value> = serde_json::from_slice(body).ok();
    if status.is_success() {
        return answer.ok_or_else(|| anyhow!("the server's answer is not valid JSON: is it a Weir server?"));
    }
    let text = |name| answer.as_ref().and_then(|answer| answer[name].as_str());
    match (text("code"), text("message")) {
        (Some(code), Some(message)) => bail!("the server refuses ({status}, {code}): {message}"),
        _ => bail!("the server answers {status}: is it a Weir server?"),
    }
}
