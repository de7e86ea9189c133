//! One HTTP request on a connection of its own, with nothing hidden: tests send what no client library would.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::connect::connect;

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The head, as text.
    pub head: String,
    /// The body, as text.
    pub body: String,
}

impl Answer {
    /// The body as JSON; `null` when it is not valid JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }
}

/// Sends raw bytes and reads to the end of the connection, at most 10 s.
///
/// # Errors
/// When the connection fails or what comes back is not HTTP.
pub fn raw(address: SocketAddr, request: &[u8]) -> Result<Answer> {
    raw_within(Duration::from_secs(10), address, request)
}

fn raw_within(timeout: Duration, address: SocketAddr, request: &[u8]) -> Result<Answer> {
    let mut stream = connect(address)?;
    stream.set_read_timeout(Some(timeout))?;
    // A server that refuses early may close before it has read everything.
    let _ = stream.write_all(request);
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").with_context(|| format!("no HTTP answer in {text:?}"))?;
    let status = head.split(' ').nth(1).context("no status")?.parse()?;
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    let body = if chunked { unchunk(body) } else { body.to_owned() };
    Ok(Answer { status, head: head.to_owned(), body })
}

/// One request with a body.
///
/// # Errors
/// As for [`raw`].
pub fn request(address: SocketAddr, method: &str, path: &str, headers: &str, body: &[u8]) -> Result<Answer> {
    request_within(Duration::from_secs(10), address, method, path, headers, body)
}

/// As [`request`], of something that takes longer.
///
/// # Errors
/// As for [`raw`].
pub fn request_within(
    timeout: Duration,
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &str,
    body: &[u8],
) -> Result<Answer> {
    let mut bytes = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    raw_within(timeout, address, &bytes)
}

/// `GET path`.
///
/// # Errors
/// As for [`raw`].
pub fn get(address: SocketAddr, path: &str) -> Result<Answer> {
    request(address, "GET", path, "", b"")
}

/// Calls a function over HTTP, with values in Convex's encoding: `kind` is `query` or `mutation`.
///
/// # Errors
/// As for [`raw`], and when the answer is not JSON.
pub fn call(address: SocketAddr, kind: &str, path: &str, args: &Value) -> Result<Value> {
    let body = serde_json::json!({"path": path, "args": [args], "format": "convex_encoded_json"}).to_string();
    let headers = "Content-Type: application/json\r\n";
    let answer = request(address, "POST", &format!("/api/{kind}"), headers, body.as_bytes())?;
    serde_json::from_str(&answer.body).with_context(|| format!("{} {}", answer.status, answer.body))
}

/// As [`call`], of a function of a component, with these headers: whoever asks holds an admin key, or is refused.
///
/// # Errors
/// As for [`call`].
pub fn call_of(
    address: SocketAddr,
    component: &str,
    kind: &str,
    path: &str,
    args: &Value,
    headers: &str,
) -> Result<Value> {
    let body = serde_json::json!({"path": path, "args": [args], "format": "convex_encoded_json",
        "componentPath": component})
    .to_string();
    let headers = format!("Content-Type: application/json\r\n{headers}");
    let answer = request(address, "POST", &format!("/api/{kind}"), &headers, body.as_bytes())?;
    serde_json::from_str(&answer.body).with_context(|| format!("{} {}", answer.status, answer.body))
}

/// Calls a function that must succeed and gives its value.
///
/// # Errors
/// As for [`call`], and when the function failed.
pub fn value(address: SocketAddr, kind: &str, path: &str, args: &Value) -> Result<Value> {
    let mut answer = call(address, kind, path, args)?;
    anyhow::ensure!(answer["status"] == "success", "{path} failed: {answer}");
    Ok(answer["value"].take())
}

/// One counter of `/metrics`; 0 when it is not there.
///
/// # Errors
/// As for [`raw`].
pub fn metric(address: SocketAddr, name: &str) -> Result<f64> {
    let text = get(address, "/metrics")?.body;
    let line = text.lines().find(|line| line.split([' ', '{']).next() == Some(name));
    line.map_or(Ok(0.0), |line| {
        line.rsplit(' ').next().unwrap_or("0").parse().context("a metric is a number")
    })
}

fn unchunk(body: &str) -> String {
    let mut rest = body;
    let mut whole = String::new();
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        if size == 0 || after.len() < size {
            break;
        }
        whole.push_str(&after[..size]);
        rest = after[size..].trim_start_matches("\r\n");
    }
    whole
}
