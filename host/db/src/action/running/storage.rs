//! Files that an action stores and reads, as `weir:guest/storage` says.
use serde::Deserialize;
use weir_value::ErrorCode;

use super::super::{BodyStream, FileToStore};
use super::tasks::End;
use super::{RunningAction, read_json, refused};
use crate::{CallError, DbError, StoredFile, parse_sha256};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoreOptions {
    #[serde(default)]
    content_type: Option<String>,
    #[serde(default)]
    sha256: Option<String>,
    #[serde(default)]
    stream: Option<u32>,
}

impl RunningAction {
    /// Begins to store a file; the task's outcome is its id, as JSON.
    ///
    /// # Errors
    /// `InvalidRequest`, `InvalidDigest`, `NoSuchStream`, `TooManyTasks`.
    pub fn store_file(&mut self, options: &[u8], body: Option<Vec<u8>>) -> Result<u32, DbError> {
        self.start(|action| {
            let options: StoreOptions = read_json("storage", options, ErrorCode::InvalidRequest)?;
            let StoreOptions { content_type, sha256, stream } = options;
            let sha256 = sha256.map(|text| parse_sha256(&text)).transpose()?;
            let body = action.body_of(stream, body)?;
            let namespace = action.call().namespace();
            let file = FileToStore { body, content_type, sha256, namespace };
            let stored = action.call().host().store_file(file);
            Ok(Box::pin(async move {
                let id = stored.await.map(|id| format!("\"{id}\"").into_bytes());
                End::Outcome(id.map_err(CallError::from))
            }))
        })
    }

    /// Begins to read a file; the task's outcome is what is known of it, with its bytes as a stream, or
    /// `null`.
    ///
    /// # Errors
    /// `InvalidId`, `TooManyTasks`.
    pub fn read_file(&mut self, id: &str) -> Result<u32, DbError> {
        self.start(|action| {
            let Some(file) = action.call().look(|tx| tx.stored_file(id))? else {
                return Ok(Box::pin(async { End::Outcome(Ok(b"null".to_vec())) }));
            };
            let opened = action.call().host().read_file(file.clone());
            Ok(Box::pin(async move {
                match opened.await {
                    Ok(body) => End::Settle(Box::new(move |action| head_of(action, &file, body))),
                    Err(error) => refused(error),
                }
            }))
        })
    }
}

/// What is known of a file, whose bytes become a stream of the action.
fn head_of(action: &mut RunningAction, file: &StoredFile, body: BodyStream) -> Result<Vec<u8>, CallError> {
    let mut head = file.metadata_json();
    head["stream"] = action.streams.add(body)?.into();
    Ok(head.to_string().into_bytes())
}
