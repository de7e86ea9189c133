//! Messages between the host and a child: the length of a head and of a body, four bytes each (little-endian), the head,
//! JSON, and the body, bytes.
use std::io;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// A head's size in bytes.
const HEAD_BYTES_MAX: u32 = 1 << 20;
/// A body's size in bytes: of arguments and results, which have limits of their own, and a little more.
pub(crate) const BODY_BYTES_MAX: u32 = 17 << 20;

/// What a child says.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub(crate) enum Said {
    /// It has started.
    Ready,
    /// A line of the log: the body.
    Log { call: u64, level: String },
    /// It asks for something; `question` numbers it.
    Ask {
        call: u64,
        question: u64,
        #[serde(flatten)]
        operation: Json,
    },
    /// The call gave the body.
    #[serde(rename_all = "camelCase")]
    Result { call: u64, is_loose: bool },
    /// The call failed. `data` is the JSON of a `ConvexError`.
    #[serde(rename_all = "camelCase")]
    Failed { call: u64, is_loose: bool, message: String, data: Option<String> },
    /// The call's result is larger than one may be.
    #[serde(rename_all = "camelCase")]
    TooLarge { call: u64, is_loose: bool },
}

/// What the host says.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub(crate) enum Told {
    /// What is to be run, and with what.
    #[serde(rename_all = "camelCase")]
    Start {
        bundle: String,
        source_map: String,
        variables: std::collections::BTreeMap<String, String>,
        outbound: Json,
        result_bytes: usize,
        body_bytes: u32,
    },
    /// A call of a function, by its path within its component; its arguments are the body.
    #[serde(rename_all = "camelCase")]
    Call { call: u64, path: String, component: String, identity: Json, request_id: String },
    /// The answer to a question; `error` is what the host says against it.
    Answer {
        question: u64,
        #[serde(flatten)]
        head: Json,
    },
}

/// Why nothing more is to be had from a pipe.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PipeError {
    #[error("it was closed")]
    Closed,
    #[error("what it wrote there is no message: {0}")]
    Garbage(String),
}

/// Reads a message.
pub(crate) async fn read(from: &mut (impl AsyncRead + Unpin)) -> Result<(Said, Bytes), PipeError> {
    let closed = |_: io::Error| PipeError::Closed;
    let head_bytes = from.read_u32_le().await.map_err(closed)?;
    let body_bytes = from.read_u32_le().await.map_err(closed)?;
    if head_bytes > HEAD_BYTES_MAX || body_bytes > BODY_BYTES_MAX {
        return Err(PipeError::Garbage(format!("it would have {head_bytes} and {body_bytes} bytes")));
    }
    let head = read_bytes(from, head_bytes).await?;
    let body = read_bytes(from, body_bytes).await?;
    let said = serde_json::from_slice(&head).map_err(|error| PipeError::Garbage(error.to_string()))?;
    Ok((said, body.into()))
}

/// Room is made as the bytes come, not as they are announced.
async fn read_bytes(from: &mut (impl AsyncRead + Unpin), count: u32) -> Result<Vec<u8>, PipeError> {
    let mut bytes = Vec::new();
    let read = from.take(count.into()).read_to_end(&mut bytes).await;
    match read {
        Ok(length) if length == count as usize => Ok(bytes),
        _ => Err(PipeError::Closed),
    }
}

/// Writes a message.
pub(crate) async fn write(to: &mut (impl AsyncWrite + Unpin), head: &Told, body: &[u8]) -> io::Result<()> {
    let head = serde_json::to_vec(head)?;
    let mut start = Vec::with_capacity(8 + head.len());
    start.extend_from_slice(&(head.len() as u32).to_le_bytes());
    start.extend_from_slice(&(body.len() as u32).to_le_bytes());
    start.extend_from_slice(&head);
    to.write_all(&start).await?;
    to.write_all(body).await
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read_all(mut bytes: &[u8]) -> Result<(Said, Bytes), PipeError> {
        read(&mut bytes).await
    }

    #[tokio::test]
    async fn messages_are_read_and_what_is_none_is_refused() {
        let message = |head: &str, body: &[u8]| {
            let lengths = [(head.len() as u32).to_le_bytes(), (body.len() as u32).to_le_bytes()].concat();
            [&lengths[..], head.as_bytes(), body].concat()
        };
        let ask = r#"{"type":"ask","call":1,"question":2,"operation":"cancel","id":"x"}"#;
        let (said, body) = read_all(&message(ask, b"body")).await.unwrap();
        let Said::Ask { call: 1, question: 2, operation } = said else { panic!("{said:?}") };
        assert_eq!((operation["operation"].as_str(), &body[..]), (Some("cancel"), &b"body"[..]));
        let whole = message(r#"{"type":"ready"}"#, b"");
        for length in 0..whole.len() {
            assert!(matches!(read_all(&whole[..length]).await, Err(PipeError::Closed)), "{length}");
        }
        for garbage in [&b"garbage, garbage, garbage"[..], &message("{}", b""), &message("x", b"")] {
            assert!(matches!(read_all(garbage).await, Err(PipeError::Garbage(_))));
        }
    }
}
