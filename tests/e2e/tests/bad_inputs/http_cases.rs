//! What clients can send over HTTP that they should not.

use anyhow::{Result, ensure};
use weir_test_support::{HostProcess, http, project};

use crate::{Report, expect_alive, expect_all};

/// What one case sends.
pub enum Send {
    /// Method, path, further headers, body.
    Request(&'static str, &'static str, &'static str, &'static str),
    /// A body made on the spot.
    Made(&'static str, &'static str, &'static str, fn() -> String),
    /// Bytes that need not be HTTP.
    Raw(fn() -> Vec<u8>),
}

/// A name, what is sent, the status and what the answer says.
pub struct Case(&'static str, Send, u16, &'static [&'static str]);

const JSON: &str = "Content-Type: application/json\r\n";

pub const CASES: &[Case] = &[
    Case("no such route", Send::Request("GET", "/api/nothing", "", ""), 400, &["code", "message"]),
    Case("wrong method", Send::Request("DELETE", "/api/query", "", ""), 405, &["code"]),
    Case("no JSON", Send::Request("POST", "/api/query", JSON, "{nope"), 400, &["InvalidRequest", "column 2"]),
    Case("no path", Send::Request("POST", "/api/query", JSON, r#"{"args":{}}"#), 400, &["path"]),
    Case(
        "path of another type",
        Send::Request("POST", "/api/query", JSON, r#"{"path":7,"args":{}}"#),
        400,
        &["InvalidRequest", "column 9"],
    ),
    Case(
        "unknown function",
        Send::Request("POST", "/api/query", JSON, r#"{"path":"chat:nothing","args":{}}"#),
        200,
        &["error", "Could not find public function", "chat:nothing"],
    ),
    Case(
        "an invalid path",
        Send::Request("POST", "/api/query", JSON, r#"{"path":"../../etc:passwd","args":{}}"#),
        400,
        &["../../etc:passwd"],
    ),
    Case(
        "a mutation called as a query",
        Send::Request(
            "POST",
            "/api/query",
            JSON,
            r#"{"path":"chat:sendMessage","args":{"user":"a","body":"b"}}"#,
        ),
        200,
        &["error", "chat:sendMessage", "mutation"],
    ),
    Case(
        "a query called as a mutation",
        Send::Request("POST", "/api/mutation", JSON, r#"{"path":"chat:getMessages","args":{}}"#),
        200,
        &["error", "chat:getMessages", "query"],
    ),
    Case(
        "an argument of the wrong type",
        Send::Request(
            "POST",
            "/api/mutation",
            JSON,
            r#"{"path":"chat:sendMessage","args":{"user":"a","body":7}}"#,
        ),
        200,
        &["ArgumentValidationError", "body"],
    ),
    Case(
        "a missing argument",
        Send::Request("POST", "/api/mutation", JSON, r#"{"path":"chat:sendMessage","args":{"user":"a"}}"#),
        200,
        &["ArgumentValidationError", "body"],
    ),
    Case(
        "an argument too many",
        Send::Request(
            "POST",
            "/api/mutation",
            JSON,
            r#"{"path":"chat:sendMessage","args":{"user":"a","body":"b","admin":true}}"#,
        ),
        200,
        &["ArgumentValidationError", "admin"],
    ),
    Case(
        "two argument objects",
        Send::Request("POST", "/api/query", JSON, r#"{"path":"chat:getMessages","args":[{},{}]}"#),
        400,
        &["args"],
    ),
    Case(
        "an invalid integer",
        Send::Request(
            "POST",
            "/api/mutation",
            JSON,
            r#"{"path":"chat:sendMessage","args":{"user":{"$integer":"AA"},"body":"b"},"format":"convex_encoded_json"}"#,
        ),
        200,
        &["error", "$integer"],
    ),
    Case(
        "an unknown format",
        Send::Request("POST", "/api/query", JSON, r#"{"path":"chat:getMessages","args":{},"format":"xml"}"#),
        400,
        &["format"],
    ),
    Case("deep JSON", Send::Made("POST", "/api/mutation", JSON, deep_arguments), 200, &["error", "nest"]),
    Case(
        "deep JSON as the body",
        Send::Made("POST", "/api/query", JSON, || "[".repeat(200_000)),
        400,
        &["code"],
    ),
    Case("a huge body", Send::Raw(huge_body), 413, &["code"]),
    Case("a huge head", Send::Raw(huge_head), 431, &[]),
    Case("no HTTP", Send::Raw(|| b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n".to_vec()), 400, &[]),
    Case(
        "an invalid batch",
        Send::Request("POST", "/api/query_batch", JSON, r#"{"queries":7}"#),
        400,
        &["InvalidRequest", "a sequence"],
    ),
    Case(
        "an internal route without the key",
        Send::Request("POST", "/api/function", JSON, r#"{"path":"chat:getMessages","args":{}}"#),
        401,
        &["key"],
    ),
    Case(
        "deploy without the key",
        Send::Request("POST", "/api/weir/deploy", JSON, r#"{"modules":[]}"#),
        401,
        &["key"],
    ),
    Case(
        "deploy with a wrong key",
        Send::Request(
            "POST",
            "/api/weir/deploy",
            "Authorization: Convex weir|0000\r\nContent-Type: application/json\r\n",
            r#"{"modules":[]}"#,
        ),
        403,
        &["key"],
    ),
    Case(
        "keys, without one",
        Send::Request("POST", "/api/weir/keys", JSON, r#"{"name":"ci"}"#),
        401,
        &["AdminKeyRequired", "Authorization: Convex"],
    ),
    Case(
        "keys, with a wrong one",
        Send::Request("GET", "/api/weir/keys", "Authorization: Convex weir|00\r\n", ""),
        403,
        &["BadAdminKey"],
    ),
    Case(
        "a key in the URL",
        Send::Request("DELETE", "/api/weir/keys/ci?adminKey=weir%7C00", "", ""),
        400,
        &["AdminKeyInUrl", "Authorization: Convex"],
    ),
    Case(
        "a function of the host, without a key",
        Send::Request("POST", "/api/query", JSON, r#"{"path":"_system/cli/tables","args":{}}"#),
        200,
        &["error", "Could not find public function"],
    ),
    Case("out of the web folder", Send::Request("GET", "/../../../../etc/passwd", "", ""), 400, &[]),
    Case(
        "out of the web folder, encoded",
        Send::Request("GET", "/%2e%2e/%2e%2e/etc/passwd", "", ""),
        400,
        &[],
    ),
    Case(
        "a sync path that is not a version",
        Send::Request("GET", "/api/nonsense/sync", "", ""),
        400,
        &["InvalidClientVersion"],
    ),
    Case("sync without an upgrade", Send::Request("GET", "/api/sync", "", ""), 426, &["WebSocket"]),
];

#[test]
fn http() -> Result<()> {
    let data = tempfile::tempdir()?;
    let host = HostProcess::dev(&project::chat(), data.path())?;
    let mut report = Report::default();
    for case in CASES {
        report.add(case.0, check(&host, case));
    }
    report.end()
}

fn check(host: &HostProcess, Case(_, send, status, wanted): &Case) -> Result<()> {
    let address = host.address();
    let answer = match send {
        Send::Request(method, path, headers, body) => {
            http::request(address, method, path, headers, body.as_bytes())
        }
        Send::Made(method, path, headers, body) => {
            http::request(address, method, path, headers, body().as_bytes())
        }
        Send::Raw(bytes) => http::raw(address, &bytes()),
    }?;
    ensure!(answer.status == *status, "expected {status}, got {} {}", answer.status, answer.body);
    expect_all(&answer.body, wanted)?;
    expect_alive(address, "chat:getMessages")
}

fn deep_arguments() -> String {
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    format!(r#"{{"path":"chat:sendMessage","args":{{"user":"a","body":{deep}}}}}"#)
}

fn huge_body() -> Vec<u8> {
    let mut bytes =
        b"POST /api/query HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1073741824\r\n\r\n".to_vec();
    bytes.resize(bytes.len() + 65_536, b' ');
    bytes
}

fn huge_head() -> Vec<u8> {
    format!("GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: {}\r\n\r\n", "a".repeat(600_000)).into_bytes()
}
