//! Requests that are well-formed HTTP, and whose path, query string and body are not what they should be.
//!
//! The first line is a method, a path with its query string, and `!` before it for who holds an admin key; all behind it
//! is the body.

use super::Target;
use crate::site::{self, Expected};

pub(super) const TARGET: Target = Target {
    name: "http_bodies",
    run,
    dictionary: &[
        "POST /api/query\n",
        "POST /api/mutation\n",
        "POST /api/action\n",
        "POST /api/function\n",
        "POST /api/run/m/f\n",
        "POST /api/query_at_ts\n",
        "POST /api/query_ts\n",
        "POST /api/query_batch\n",
        "GET /api/query?path=m:f&args={}&format=json\n",
        "!GET /api/weir/keys\n",
        "!POST /api/weir/keys\n",
        "!POST /api/update_environment_variables\n",
        "!POST /api/weir/deploy\n",
        "!GET /api/weir/deployment\n",
        "POST /api/storage/upload?token=\n",
        "GET /api/storage/\n",
        "/.well-known/openid-configuration",
        "{\"path\":\"m:f\",\"args\":",
        "{}",
        "[{}]",
        "\"format\":\"json\"",
        "\"format\":\"convex_encoded_json\"",
        "\"componentPath\":\"",
        "\"ts\":\"AAAAAAAAAAA=\"",
        "\"queries\":[",
        "\"modules\":[",
        "\"name\":",
        "\"component\":\"",
        "AGFzbQ0AAQA=",
        "\"changes\":[",
        "\"value\":",
        "\"scope\":",
        "\"expiresInSeconds\":",
        "&",
        "=",
        "?",
        "%7B",
        "%",
        "+",
        "%00",
        "%ff",
        "m%3Af",
        "{\"$integer\":\"AQAAAAAAAAA=\"}",
        "\\u0000",
        "\"",
        "null",
        "\u{ff}",
    ],
    bytes_max: 32 * 1024,
    rounds: 600,
    is_in_process: false,
};

fn run(input: &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (line, body) = (&input[..end], input.get(end + 1..).unwrap_or_default());
    let (line, is_admin) = line.strip_prefix(b"!").map_or((line, false), |line| (line, true));
    let bytes = site::exchange(Expected::Probably, |site| {
        let address = site.address();
        let key = if is_admin { site.admin_header() } else { String::new() };
        let length = body.len();
        let headers = format!(
            " HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\n\
             {key}Content-Length: {length}\r\n\r\n"
        );
        [line, headers.as_bytes(), body].concat()
    });
    // An answer to `HEAD` has no body to look at.
    let is_head = line.windows(4).any(|bytes| bytes == b"HEAD");
    for answer in site::answers(&bytes, is_head).iter().filter(|_| !is_head) {
        let is_refused = answer.status >= 400 && answer.header("content-type") == Some("application/json");
        let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let is_told = body["code"].is_string() && body["message"].is_string();
        let is_call = body["status"] == "error" && body["errorMessage"].is_string();
        assert!(!is_refused || is_told || is_call, "a refusal without a reason: {answer:?} {body}");
    }
}
