//! A WebSocket of the sync protocol, from its frames on: what comes back is frames of RFC 6455, each text a message of a
//! server, and nothing behind a closing one.
//!
//! | line | what is sent |
//! |---|---|
//! | `text TEXT`, `binary TEXT`, `ping TEXT`, `pong TEXT` | a frame |
//! | `part TEXT`, `more TEXT`, `last TEXT` | the first part of a text, a further one, the last one |
//! | `close CODE REASON` | a closing frame |
//! | `head BYTE BYTE TEXT` | these two bytes, and the text behind them |
//! | `raw TEXT` | the text alone |

use serde_json::Value as Json;
use weir_test_support::frame;

use super::Target;
use crate::script::{lines, number};
use crate::site::{self, Expected};

pub(super) const TARGET: Target = Target {
    name: "frames",
    run,
    dictionary: &[
        "\ntext ",
        "\nbinary ",
        "\nping ",
        "\npong ",
        "\npart ",
        "\nmore ",
        "\nlast ",
        "\nclose 1000 ",
        "\nclose 1005 ",
        "\nhead 129 128 ",
        "\nhead 193 128 ",
        "\nhead 136 255 ",
        "\nhead 129 1 ",
        "\nhead 130 254 ",
        "\nraw ",
        "{\"type\":\"Connect\",\"sessionId\":\"88820804-0000-4000-8000-000000000001\",\"connectionCount\":0}",
        "{\"type\":\"ModifyQuerySet\",\"baseVersion\":0,\"newVersion\":1,\"modifications\":[{\"type\":\"Add\",\"queryId\":0,\"udfPath\":\"m:f\",\"args\":[{}]}]}",
        "{\"type\":\"Mutation\",\"requestId\":0,\"udfPath\":\"m:g\",\"args\":[{\"a\":1}]}",
        "{\"type\":\"Authenticate\",\"baseVersion\":0,\"tokenType\":\"User\",\"value\":\"a.b.c\"}",
        "{\"type\":\"Authenticate\",\"baseVersion\":0,\"tokenType\":\"Admin\",\"value\":\"a|b\"}",
        "{\"type\":\"Event\",\"eventType\":\"e\",\"event\":{}}",
        "\u{ff}",
        "\0",
        "é",
    ],
    bytes_max: 16 * 1024,
    rounds: 250,
    is_in_process: false,
};

fn run(input: &[u8]) {
    let bytes = site::exchange(Expected::Surely, |site| {
        let upgrade = frame::upgrade_request(&site.address().to_string(), "/api/1.48.0/sync");
        let mut request = upgrade.into_bytes();
        lines(input, 60).iter().for_each(|(word, rest)| send(&mut request, word, rest));
        request
    });
    let answers = site::answers(&bytes, false);
    let [upgrade] = &answers[..] else { panic!("{} answers to an upgrade", answers.len()) };
    assert_eq!(upgrade.status, 101, "{upgrade:?}");
    check(&upgrade.body);
}

fn send(out: &mut Vec<u8>, word: &str, rest: &str) {
    let (text, continuation, binary, close, ping, pong) = (1, 0, 2, 8, 9, 10);
    const FINAL: u8 = 0x80;
    let mut put = |first: u8, payload: &[u8]| {
        let at = out.len();
        frame::write_text(out, payload);
        out[at] = first;
    };
    match word {
        "text" => put(FINAL | text, rest.as_bytes()),
        "binary" => put(FINAL | binary, rest.as_bytes()),
        "ping" => put(FINAL | ping, rest.as_bytes()),
        "pong" => put(FINAL | pong, rest.as_bytes()),
        "part" => put(text, rest.as_bytes()),
        "more" => put(continuation, rest.as_bytes()),
        "last" => put(FINAL | continuation, rest.as_bytes()),
        "close" => {
            let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
            let payload = [&(number(code) as u16).to_be_bytes(), reason.as_bytes()].concat();
            put(FINAL | close, &payload);
        }
        "head" => {
            let mut words = rest.splitn(3, ' ');
            let mut byte = || number(words.next().unwrap_or_default()) as u8;
            out.extend([byte(), byte()]);
            out.extend_from_slice(words.next().unwrap_or_default().as_bytes());
        }
        _ => out.extend_from_slice(rest.as_bytes()),
    }
}

/// What a server may say.
const MESSAGES: [&str; 7] = [
    "Transition",
    "TransitionChunk",
    "MutationResponse",
    "ActionResponse",
    "AuthError",
    "FatalError",
    "Ping",
];

fn check(mut bytes: &[u8]) {
    let mut is_closed = false;
    while let Some(frame) = frame::read(bytes) {
        assert!(!is_closed, "a frame behind the closing one: {frame:?}");
        assert_eq!(bytes[0] & 0xf0, 0x80, "a whole frame without extensions");
        assert_eq!(bytes[1] & 0x80, 0, "a server does not mask");
        match frame.opcode {
            1 => {
                let message: Json = serde_json::from_slice(frame.payload).expect("a text is JSON");
                let kind = message["type"].as_str().unwrap_or_default();
                assert!(MESSAGES.contains(&kind), "{message}");
            }
            8 => {
                is_closed = true;
                assert!(frame.payload.len() != 1 && frame.payload.len() <= 125);
            }
            9 | 10 => assert!(frame.payload.len() <= 125),
            other => panic!("a frame of kind {other}"),
        }
        bytes = &bytes[frame.length..];
    }
    // The last one may be cut off, where the connection ended meanwhile.
    assert!(!is_closed || bytes.is_empty(), "something behind the closing frame: {bytes:?}");
}
