//! What the server says, but for transitions: those are put together in [`crate::fanout`].
use std::fmt::Write as _;

use bytes::Bytes;
use weir_value::Timestamp;

use super::RequestId;

/// Why a call failed, as its client reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureBody {
    /// For people.
    pub message: String,
    /// JSON of an application error. Absent for all others: `null` would mean "the data is null".
    pub data: Option<Bytes>,
}

/// One message of the server.
#[derive(Debug, Clone, PartialEq)]
pub enum ServerMessage {
    /// How a mutation ended.
    MutationResponse {
        /// Which one.
        request: RequestId,
        /// Its result, JSON, and its commit.
        result: Result<(Bytes, Timestamp), FailureBody>,
        /// What it logged: `[LEVEL] text`.
        log_lines: Vec<String>,
    },
    /// How an action ended.
    ActionResponse {
        /// Which one.
        request: RequestId,
        /// Its result, JSON.
        result: Result<Bytes, FailureBody>,
        /// What it logged.
        log_lines: Vec<String>,
    },
    /// A token was not accepted.
    AuthError {
        /// Why.
        error: String,
        /// The identity version that the client stood at.
        base_version: Option<u32>,
        /// True if it answers an `Authenticate`.
        update_attempted: bool,
    },
    /// The client broke the protocol.
    FatalError {
        /// How.
        error: String,
    },
    /// Nothing, so that the client knows that the server is there.
    Ping,
}

impl ServerMessage {
    /// The text frame.
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        match self {
            ServerMessage::MutationResponse { request, result, log_lines } => {
                let _ = write!(out, r#"{{"type":"MutationResponse","requestId":{request}"#);
                push_outcome(&mut out, result.as_ref().map(|(value, _)| value));
                match result {
                    Ok((_, ts)) => {
                        let _ = write!(out, r#","ts":"{}""#, ts.to_base64());
                    }
                    Err(_) => out.push_str(r#","ts":null"#),
                }
                push_end_of_call(&mut out, log_lines, result.as_ref().err());
            }
            ServerMessage::ActionResponse { request, result, log_lines } => {
                let _ = write!(out, r#"{{"type":"ActionResponse","requestId":{request}"#);
                push_outcome(&mut out, result.as_ref());
                push_end_of_call(&mut out, log_lines, result.as_ref().err());
            }
            ServerMessage::AuthError { error, base_version, update_attempted } => {
                out.push_str(r#"{"type":"AuthError","error":"#);
                push_json_string(&mut out, error);
                let base = base_version.map_or_else(|| "null".to_owned(), |version| version.to_string());
                let _ = write!(out, r#","baseVersion":{base},"authUpdateAttempted":{update_attempted}}}"#);
            }
            ServerMessage::FatalError { error } => {
                out.push_str(r#"{"type":"FatalError","error":"#);
                push_json_string(&mut out, error);
                out.push('}');
            }
            ServerMessage::Ping => out.push_str(r#"{"type":"Ping"}"#),
        }
        out
    }
}

fn push_outcome(out: &mut String, result: Result<&Bytes, &FailureBody>) {
    match result {
        Ok(value) => {
            out.push_str(r#","success":true,"result":"#);
            push_json(out, value);
        }
        Err(failure) => {
            out.push_str(r#","success":false,"result":"#);
            push_json_string(out, &failure.message);
        }
    }
}

fn push_end_of_call(out: &mut String, log_lines: &[String], failure: Option<&FailureBody>) {
    out.push_str(r#","logLines":"#);
    push_log_lines(out, log_lines);
    push_error_data(out, failure.and_then(|failure| failure.data.as_ref()));
    out.push('}');
}

/// `,"errorData":...`, or nothing: never null for want of data.
pub(crate) fn push_error_data(out: &mut String, data: Option<&Bytes>) {
    if let Some(data) = data {
        out.push_str(r#","errorData":"#);
        push_json(out, data);
    }
}

/// JSON that is already written. What is not text cannot be JSON, and is left out.
fn push_json(out: &mut String, json: &Bytes) {
    out.push_str(std::str::from_utf8(json).unwrap_or("null"));
}

pub(crate) fn push_json_string(out: &mut String, text: &str) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

pub(crate) fn push_log_lines(out: &mut String, log_lines: &[String]) {
    out.push('[');
    for (at, line) in log_lines.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        push_json_string(out, line);
    }
    out.push(']');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_of_messages() {
        let failure = |data: Option<&'static str>| FailureBody {
            message: "no \"way\"".to_owned(),
            data: data.map(|data| Bytes::from_static(data.as_bytes())),
        };
        let ok = Ok((Bytes::from_static(b"[1]"), Timestamp::from_nanos(1)));
        for (message, expected) in [
            (
                ServerMessage::MutationResponse {
                    request: 3,
                    result: ok,
                    log_lines: vec!["[LOG] 'a'".to_owned()],
                },
                r#"{"type":"MutationResponse","requestId":3,"success":true,"result":[1],"ts":"AQAAAAAAAAA=","logLines":["[LOG] 'a'"]}"#,
            ),
            (
                ServerMessage::MutationResponse { request: 3, result: Err(failure(None)), log_lines: vec![] },
                r#"{"type":"MutationResponse","requestId":3,"success":false,"result":"no \"way\"","ts":null,"logLines":[]}"#,
            ),
            (
                ServerMessage::MutationResponse {
                    request: 3,
                    result: Err(failure(Some("null"))),
                    log_lines: vec![],
                },
                r#"{"type":"MutationResponse","requestId":3,"success":false,"result":"no \"way\"","ts":null,"logLines":[],"errorData":null}"#,
            ),
            (
                ServerMessage::ActionResponse {
                    request: 4,
                    result: Err(failure(Some("{}"))),
                    log_lines: vec![],
                },
                r#"{"type":"ActionResponse","requestId":4,"success":false,"result":"no \"way\"","logLines":[],"errorData":{}}"#,
            ),
            (
                ServerMessage::AuthError {
                    error: "e".to_owned(),
                    base_version: Some(0),
                    update_attempted: true,
                },
                r#"{"type":"AuthError","error":"e","baseVersion":0,"authUpdateAttempted":true}"#,
            ),
            (
                ServerMessage::AuthError {
                    error: "e".to_owned(),
                    base_version: None,
                    update_attempted: false,
                },
                r#"{"type":"AuthError","error":"e","baseVersion":null,"authUpdateAttempted":false}"#,
            ),
            (ServerMessage::FatalError { error: "e\n".to_owned() }, r#"{"type":"FatalError","error":"e\n"}"#),
            (ServerMessage::Ping, r#"{"type":"Ping"}"#),
        ] {
            assert_eq!(message.to_json(), expected);
            serde_json::from_str::<serde_json::Value>(expected).expect("JSON");
        }
    }
}
