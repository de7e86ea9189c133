//! HTTP as it comes from the network: any bytes. What comes back is well-formed answers or nothing, and the host goes on.

use super::Target;
use crate::site::{self, Expected};

pub(super) const TARGET: Target = Target {
    name: "http_heads",
    run,
    dictionary: &[
        "GET ",
        "POST ",
        "HEAD ",
        "OPTIONS ",
        "PUT ",
        "DELETE ",
        "PATCH ",
        "CONNECT ",
        " HTTP/1.1\r\n",
        " HTTP/1.0\r\n",
        " HTTP/2.0\r\n",
        "\r\n",
        "\r\n\r\n",
        "\n",
        "\0",
        "\r",
        "/version",
        "/api/query",
        "/api/mutation",
        "/api/sync",
        "/api/1.48.0/sync",
        "/api/storage/",
        "/api/run/m/f",
        "/metrics",
        "/../",
        "/%2e%2e/",
        "/%00",
        "//",
        "?",
        "#",
        "http://127.0.0.1/",
        "*",
        "Host: 127.0.0.1\r\n",
        "Host: [::1]:3210\r\n",
        "Host: \r\n",
        "Connection: close\r\n",
        "Connection: Upgrade\r\n",
        "Upgrade: websocket\r\n",
        "Upgrade: h2c\r\n",
        "Sec-WebSocket-Version: 13\r\n",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        "Content-Length: 2\r\n",
        "Content-Length: -1\r\n",
        "Transfer-Encoding: chunked\r\n",
        "0\r\n\r\n",
        "ffffffffffffffff\r\n",
        "Expect: 100-continue\r\n",
        "Range: bytes=0-0\r\n",
        "If-None-Match: *\r\n",
        "Authorization: Bearer x.y.z\r\n",
        "Authorization: Convex x|y\r\n",
        "Origin: null\r\n",
        "Origin: http://a b\r\n",
        "Convex-Client: npm-1.48.0\r\n",
        "Content-Type: application/json\r\n",
        "Content-Encoding: gzip\r\n",
        "Access-Control-Request-Method: POST\r\n",
        "X-Forwarded-For: 127.0.0.1\r\n",
        "Cookie: a=b\r\n",
        "\u{ff}",
        ": \r\n",
    ],
    bytes_max: 96 * 1024,
    rounds: 400,
    is_in_process: false,
};

fn run(input: &[u8]) {
    // Where the text of an input ends its lines by `\n` alone, `\r\n` is meant: files in a repository are so. A lone one
    // is written as `\n\r`.
    let request = as_on_the_wire(input);
    let bytes = site::exchange(Expected::Perhaps, |_| request.clone());
    let has_heads = request.windows(4).any(|bytes| bytes == b"HEAD");
    site::answers(&bytes, has_heads);
}

/// Lines of the network: `\n` is `\r\n`, but for one that is there already.
fn as_on_the_wire(input: &[u8]) -> Vec<u8> {
    let mut wire = Vec::with_capacity(input.len() + 64);
    for (at, &byte) in input.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| input[before]);
        if byte == b'\n' && before != Some(b'\r') && input.get(at + 1) != Some(&b'\r') {
            wire.push(b'\r');
        }
        wire.push(byte);
    }
    wire
}
