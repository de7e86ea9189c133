//! What an action in a child asks of the host, and what it is told.
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use tokio::sync::{mpsc, oneshot};
use weir_db::{
    ActionCall, Body, BodyError, BodyStream, CallError, DbError, FileToStore, FunctionKind, GivesUp,
    Transaction, parse_sha256,
};
use weir_value::limits::ACTION_STREAMS_MAX;
use weir_value::{DocumentId, ErrorCode};

use crate::fetch::Fetch;
use crate::place::Place;

/// A question, as the runner's `operations.js` asks it.
#[derive(Deserialize)]
#[serde(tag = "operation", rename_all = "camelCase", rename_all_fields = "camelCase")]
enum Operation {
    Call { kind: Kind, path: String },
    FunctionHandle { path: String },
    Fetch(Fetch),
    Schedule { path: String, at: Option<f64> },
    Cancel { id: String },
    SignJwt { expires_in_seconds: Option<Json> },
    GenerateUploadUrl,
    FileUrl { id: String },
    FileMetadata { id: String },
    DeleteFile { id: String },
    BeginFile { content_type: Option<String>, sha256: Option<String> },
    WriteFile { file: u32 },
    EndFile { file: u32 },
    OpenFile { id: String },
    ReadFile { file: u32 },
    HashPassword { password: String },
    VerifyPassword { password: String, hash: String },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Kind {
    Query,
    Mutation,
    Action,
}

/// An answer: its head, and its body.
pub(crate) type Answer = Result<(Json, Bytes), CallError>;

/// What a call has of the host while it runs.
pub(crate) struct Asked {
    action: Arc<ActionCall>,
    place: Arc<Place>,
    files: Mutex<Files>,
}

/// The files that the call reads and writes, by number.
#[derive(Default)]
struct Files {
    last: u32,
    written: HashMap<u32, Written>,
    read: HashMap<u32, BodyStream>,
}

/// A file that is being stored.
struct Written {
    pieces: mpsc::Sender<Result<Bytes, BodyError>>,
    stored: oneshot::Receiver<Result<DocumentId, DbError>>,
    /// Dropping it gives the file up.
    _work: Box<dyn GivesUp>,
}

impl Asked {
    pub(crate) fn new(action: Arc<ActionCall>, place: Arc<Place>) -> Arc<Asked> {
        Arc::new(Asked { action, place, files: Mutex::default() })
    }

    /// Answers a question.
    pub(crate) async fn answer(self: Arc<Self>, operation: Json, body: Bytes) -> Answer {
        let operation = serde_json::from_value(operation).map_err(|error| {
            CallError::new(ErrorCode::InvalidRequest, format!("It is nothing that a host is asked: {error}"))
        })?;
        match operation {
            Operation::Call { kind, path } => Ok((json!({}), self.call(kind, path, body).await?)),
            Operation::FunctionHandle { path } => {
                let action = self.action.clone();
                let found = tokio::task::spawn_blocking(move || action.function_handle(&path)).await;
                let handle = found.unwrap_or_else(|_| Err(lost().into()))?;
                Ok((json!({}), Json::from(handle).to_string().into()))
            }
            // Somebody's answer may take its time, as an action's.
            Operation::Fetch(fetch) => {
                let host = self.action.host().clone();
                self.place.lend_while(fetch.send(&*host, body)).await
            }
            Operation::BeginFile { content_type, sha256 } => {
                let file = self.begin_file(content_type, sha256.as_deref())?;
                Ok((json!({ "file": file }), Bytes::new()))
            }
            Operation::OpenFile { id } => Ok((self.open_file(id).await?, Bytes::new())),
            Operation::ReadFile { file } => Ok(self.read_file(file).await?),
            other => {
                let value = self.answer_json(other, body).await?;
                Ok((json!({}), value.to_string().into()))
            }
        }
    }

    /// Answers what is answered with JSON.
    async fn answer_json(self: Arc<Self>, operation: Operation, body: Bytes) -> Result<Json, DbError> {
        match operation {
            Operation::Schedule { path, at } => {
                // JSON has no NaN, which the host refuses with a text for it.
                let at = at.unwrap_or(f64::NAN);
                Ok(self.write(move |tx| tx.schedule(&path, &body, at)).await?.into())
            }
            Operation::Cancel { id } => {
                self.write(move |tx| tx.cancel_scheduled(&id)).await.map(|_| Json::Null)
            }
            Operation::SignJwt { expires_in_seconds } => {
                let options = match expires_in_seconds {
                    Some(seconds) => json!({ "expiresInSeconds": seconds }),
                    None => json!({}),
                };
                let options = options.to_string();
                Ok(self.look(move |tx| tx.sign_jwt(&body, options.as_bytes())).await?.into())
            }
            Operation::GenerateUploadUrl => Ok(self.write(Transaction::generate_upload_url).await?.into()),
            Operation::FileUrl { id } => Ok(self.look(move |tx| tx.file_url(&id)).await?.into()),
            Operation::FileMetadata { id } => {
                let file = self.look(move |tx| tx.stored_file(&id)).await?;
                Ok(file.map_or(Json::Null, |file| file.metadata_json()))
            }
            Operation::DeleteFile { id } => {
                self.write(move |tx| tx.delete_file(&id)).await.map(|()| Json::Null)
            }
            Operation::WriteFile { file } => self.write_file(file, body).await.map(|()| Json::Null),
            Operation::EndFile { file } => Ok(self.end_file(file).await?.to_string().into()),
            Operation::HashPassword { password } => {
                Ok(self.action.with_password(move |tx| tx.hash_password(&password)).await?.into())
            }
            Operation::VerifyPassword { password, hash } => {
                let asked = self.action.with_password(move |tx| tx.verify_password(&password, &hash));
                Ok(asked.await?.into())
            }
            Operation::Call { .. }
            | Operation::FunctionHandle { .. }
            | Operation::Fetch(_)
            | Operation::BeginFile { .. }
            | Operation::OpenFile { .. }
            | Operation::ReadFile { .. } => Ok(Json::Null),
        }
    }

    async fn call(&self, kind: Kind, path: String, args: Bytes) -> Result<Bytes, CallError> {
        let action = &self.action;
        match kind {
            Kind::Query => action.call(FunctionKind::Query, &path, args).await,
            Kind::Mutation => action.call(FunctionKind::Mutation, &path, args).await,
            // It may be one that needs a place of its own.
            Kind::Action => self.place.lend_while(action.call(FunctionKind::Action, &path, args)).await,
        }
    }

    /// Looks at the database, where that may block.
    async fn look<R: Send + 'static>(
        &self,
        look: impl FnOnce(&mut Transaction) -> Result<R, DbError> + Send + 'static,
    ) -> Result<R, DbError> {
        let action = self.action.clone();
        tokio::task::spawn_blocking(move || action.look(look)).await.unwrap_or_else(|_| Err(lost()))
    }

    /// Writes to the database, and waits until that is durable.
    async fn write<R: Send + 'static>(
        &self,
        write: impl FnOnce(&mut Transaction) -> Result<R, DbError> + Send + 'static,
    ) -> Result<R, DbError> {
        let action = self.action.clone();
        let written = tokio::task::spawn_blocking(move || action.write(write)).await;
        let (result, ts) = written.unwrap_or_else(|_| Err(lost()))?;
        self.action.host().durable(ts).await;
        Ok(result)
    }

    fn begin_file(&self, content_type: Option<String>, sha256: Option<&str>) -> Result<u32, DbError> {
        let sha256 = sha256.map(parse_sha256).transpose()?;
        let (pieces, received) = mpsc::channel(1);
        let body = Body::Stream(Box::pin(Pieces(received)));
        let host = self.action.host();
        let storing =
            host.store_file(FileToStore { body, content_type, sha256, namespace: self.action.namespace() });
        let (sender, stored) = oneshot::channel();
        // Nobody waits for a file that was given up.
        let work = host.spawn(Box::pin(async move { drop(sender.send(storing.await)) }));
        let mut files = self.files.lock();
        files.add(|files, number| {
            files.written.insert(number, Written { pieces, stored, _work: work });
        })
    }

    async fn write_file(&self, file: u32, piece: Bytes) -> Result<(), DbError> {
        let pieces = self.files.lock().written.get(&file).map(|file| file.pieces.clone());
        let pieces = pieces.ok_or_else(|| no_file(file))?;
        // It takes no more when it has failed: `endFile` tells why.
        let _ = pieces.send(Ok(piece)).await;
        Ok(())
    }

    async fn end_file(&self, file: u32) -> Result<DocumentId, DbError> {
        let written = self.files.lock().written.remove(&file);
        let Written { pieces, stored, _work } = written.ok_or_else(|| no_file(file))?;
        drop(pieces);
        stored.await.unwrap_or_else(|_| Err(lost()))
    }

    async fn open_file(&self, id: String) -> Result<Json, DbError> {
        let Some(file) = self.look(move |tx| tx.stored_file(&id)).await? else { return Ok(json!({})) };
        let body = self.action.host().read_file(file.clone()).await?;
        let mut head = file.metadata_json();
        head["file"] = self
            .files
            .lock()
            .add(|files, number| {
                files.read.insert(number, body);
            })?
            .into();
        Ok(head)
    }

    async fn read_file(&self, file: u32) -> Result<(Json, Bytes), DbError> {
        let body = self.files.lock().read.remove(&file);
        let mut body = body.ok_or_else(|| no_file(file))?;
        let piece = std::future::poll_fn(|context| body.as_mut().poll_next(context)).await;
        match piece {
            Some(Ok(piece)) => {
                self.files.lock().read.insert(file, body);
                Ok((json!({}), piece))
            }
            Some(Err(error)) => {
                Err(DbError::new(ErrorCode::InternalServerError, format!("The file broke off: {error}.")))
            }
            None => Ok((json!({ "isEnd": true }), Bytes::new())),
        }
    }
}

impl Files {
    fn add(&mut self, add: impl FnOnce(&mut Files, u32)) -> Result<u32, DbError> {
        if self.written.len() + self.read.len() >= ACTION_STREAMS_MAX {
            let message = format!("The action has {ACTION_STREAMS_MAX} files open; end some first.");
            return Err(DbError::new(ErrorCode::TooManyStreams, message));
        }
        self.last += 1;
        let number = self.last;
        add(self, number);
        Ok(number)
    }
}

/// A body of what comes through a channel.
struct Pieces(mpsc::Receiver<Result<Bytes, BodyError>>);

impl Stream for Pieces {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context)
    }
}

fn no_file(file: u32) -> DbError {
    DbError::new(ErrorCode::InvalidRequest, format!("The action has no open file {file}."))
}

fn lost() -> DbError {
    DbError::new(ErrorCode::InternalServerError, "The host failed while it did this.")
}
