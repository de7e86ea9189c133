//! `weir:guest/storage`: stored files.
use serde::Deserialize;
use weir_db::{CallError, FileToStore, StoredFile, parse_sha256};
use weir_value::ErrorCode;

use super::http::{body_of, read_json};
use super::tasks::Answer;
use crate::action::{End, RunningAction};
use crate::bindings::weir::guest::storage::Host;
use crate::call_state::CallState;

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

impl Host for CallState {
    fn generate_upload_url(&mut self) -> Answer<String> {
        self.ask(|tx| tx.generate_upload_url())
    }

    fn get_url(&mut self, id: String) -> Answer<Option<String>> {
        self.ask_anywhere(|tx| tx.file_url(&id))
    }

    fn get_metadata(&mut self, id: String) -> Answer<Option<Vec<u8>>> {
        self.ask_anywhere(|tx| {
            Ok(tx.stored_file(&id)?.map(|file| file.metadata_json().to_string().into_bytes()))
        })
    }

    fn delete(&mut self, id: String) -> Answer<()> {
        self.ask(|tx| tx.delete_file(&id))
    }

    fn store(&mut self, options: Vec<u8>, body: Option<Vec<u8>>) -> Answer<u32> {
        self.start("storing a file", |action| {
            let options: StoreOptions = read_json("storage", &options, ErrorCode::InvalidRequest)?;
            let StoreOptions { content_type, sha256, stream } = options;
            let sha256 = sha256.map(|text| parse_sha256(&text)).transpose()?;
            let body = body_of(action, stream, body)?;
            let stored = action.call.host().store_file(FileToStore { body, content_type, sha256 });
            Ok(Box::pin(async move {
                let id = stored.await.map(|id| format!("\"{id}\"").into_bytes());
                End::Outcome(id.map_err(CallError::from))
            }))
        })
    }

    fn get(&mut self, id: String) -> Answer<u32> {
        self.start("reading a file", |action| {
            let Some(file) = action.call.look(|tx| tx.stored_file(&id))? else {
                return Ok(Box::pin(async { End::Outcome(Ok(b"null".to_vec())) }));
            };
            let opened = action.call.host().read_file(file.clone());
            Ok(Box::pin(async move {
                match opened.await {
                    Ok(body) => End::Settle(Box::new(move |action| head_of(action, &file, body))),
                    Err(error) => End::Outcome(Err(error.into())),
                }
            }))
        })
    }
}

/// What is known of a file, whose bytes become a stream of the action.
fn head_of(
    action: &mut RunningAction,
    file: &StoredFile,
    body: weir_db::BodyStream,
) -> Result<Vec<u8>, CallError> {
    let mut head = file.metadata_json();
    head["stream"] = action.streams.add(body)?.into();
    Ok(head.to_string().into_bytes())
}
