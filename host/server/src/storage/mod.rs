//! Stored files: bytes on their way in and out, and the documents that are made of them.
//!
//! A file comes to be in this order: its bytes are written under a name of their own and synced; one commit makes its
//! document, and uses up the token by which it came; when that is durable, whoever sent it is told. So there is no
//! document without a file, whenever the power goes. A file without a document is swept.

mod sweep;

use std::ops::Range;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, StreamExt, TryStreamExt, future, stream};
use tokio::sync::{Semaphore, SemaphorePermit, oneshot};
use uuid::Uuid;
use weir_db::{
    Body, BodyError, BodyStream, Database, DbError, FileError, FileLimits, FileToStore, Namespace, NewFile,
    StoredFile, UploadToken,
};
use weir_files::{Content, Files, FilesError, Finished, Upload};
use weir_value::{DocumentId, ErrorCode, limits};

use crate::answer::{FileBody, held_with};
use crate::descriptors::{Descriptor, TooManyOpen};
use crate::executor::{JobKind, Work};
use crate::inbox::DurableGate;
use crate::machine::Machine;
use crate::refusals::Limit;

/// Whose a file is that comes.
pub enum FileOwner {
    /// Whoever has made this upload URL.
    Upload(UploadToken),
    /// This component, or the app.
    Component(Namespace),
}

/// The stored files of an app.
pub struct Storage {
    machine: Arc<Machine>,
    db: Arc<Database>,
    durable: Arc<DurableGate>,
    files: Files,
    limits: FileLimits,
    /// Room for files on their way in.
    room: Semaphore,
}

impl Storage {
    /// Those that lie here, as many as there may be.
    pub fn new(
        machine: Arc<Machine>,
        db: Arc<Database>,
        durable: Arc<DurableGate>,
        (files, limits): (Files, FileLimits),
    ) -> Arc<Storage> {
        let room = Semaphore::new(limits::UPLOADS_AT_ONCE_MAX);
        Arc::new(Storage { machine, db, durable, files, limits, room })
    }

    /// Takes a place for an upload by this token, of at least so many bytes, if it may be.
    ///
    /// # Errors
    /// The token is no good, there is no room, or too much is on its way.
    pub async fn admit(&self, token: &UploadToken, bytes: u64) -> Result<SemaphorePermit<'_>, DbError> {
        let place = self.room.try_acquire().map_err(|_| {
            self.machine.refusals.count(Limit::Uploads);
            let message = "Too many files are being uploaded just now: try again in a moment.";
            DbError::new(ErrorCode::TooManyConcurrentRequests, message)
        })?;
        let (db, token, limits) = (Arc::clone(&self.db), token.clone(), self.limits.clone());
        let checked = self
            .machine
            .executor
            .run(Work::of_host(JobKind::Client), move || db.check_upload(&token, bytes, &limits))
            .await;
        checked.map_err(|_| stopping())?.map_err(FileError::into_db_error)?;
        Ok(place)
    }

    /// Stores a file that an action gives.
    ///
    /// # Errors
    /// As for [`Storage::receive`].
    pub async fn store(self: &Arc<Self>, file: FileToStore) -> Result<DocumentId, DbError> {
        let _place = self.room.acquire().await.map_err(|_| stopping())?;
        let FileToStore { body, content_type, sha256, namespace } = file;
        let body: BodyStream = match body {
            Body::Empty => Box::pin(stream::empty()),
            Body::Whole(bytes) => Box::pin(stream::once(future::ready(Ok(bytes)))),
            Body::Stream(body) => body,
        };
        self.receive(body, content_type, sha256, FileOwner::Component(namespace)).await
    }

    /// Stores a file, and gives the id of its document when that is durable. Dropped before its end, it leaves nothing; what
    /// has all come is stored all the same.
    ///
    /// # Errors
    /// The body is silent, breaks off, is too large, or is not what its checksum says; the token is no good; there is no
    /// room.
    pub async fn receive(
        self: &Arc<Self>,
        body: impl Stream<Item = Result<bytes::Bytes, BodyError>>,
        content_type: Option<String>,
        sha256: Option<[u8; 32]>,
        owner: FileOwner,
    ) -> Result<DocumentId, DbError> {
        NewFile::check_type(content_type.as_deref())?;
        let place = self.machine.open_for_request().map_err(too_many_open)?;
        let upload = write(self.files.begin(self.db.new_file_name()), body, &self.limits).await?;
        let (sender, receiver) = oneshot::channel();
        let storage = Arc::clone(self);
        self.machine.tasks.spawn(async move {
            let made = storage.make_document(upload, content_type, sha256, owner).await;
            drop(place);
            let _ = sender.send(made);
        });
        receiver.await.map_err(|_| stopping())?
    }

    async fn make_document(
        &self,
        upload: Upload,
        content_type: Option<String>,
        sha256: Option<[u8; 32]>,
        owner: FileOwner,
    ) -> Result<DocumentId, DbError> {
        let finished = upload.finish().await.map_err(|error| told(&error))?;
        if sha256.is_some_and(|expected| expected != finished.sha256) {
            finished.discard().await;
            let message =
                "The file is not the one of its checksum: it was changed on its way. Send it again.";
            return Err(DbError::new(ErrorCode::DigestMismatch, message));
        }
        let Finished { name, size, sha256, .. } = finished;
        let (token, namespace) = match owner {
            FileOwner::Upload(token) => (Some(token), Namespace::APP),
            FileOwner::Component(namespace) => (None, namespace),
        };
        let file = NewFile { name, sha256, size, content_type, namespace };
        let (db, limits) = (Arc::clone(&self.db), self.limits.clone());
        let stored = self
            .machine
            .executor
            .run(Work::of_host(JobKind::Client), move || db.store_file(&file, token.as_ref(), &limits))
            .await;
        match stored {
            Ok(Ok((id, ts))) => {
                self.durable.wait(ts).await;
                self.machine.metrics.files_stored.add(1);
                self.machine.metrics.file_bytes_stored.add(size);
                Ok(id)
            }
            Ok(Err(error)) => {
                finished.discard().await;
                Err(error.into_db_error())
            }
            // Whether it has a document is not known; if not, it is swept.
            Err(_) => Err(stopping()),
        }
    }

    /// The stored file of this name, if there is one.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find(&self, name: Uuid) -> Result<Option<StoredFile>, DbError> {
        let db = Arc::clone(&self.db);
        let found =
            self.machine.executor.run(Work::of_host(JobKind::Client), move || db.file_named(name)).await;
        let found = found.map_err(|_| stopping())?;
        found.map_err(|error| FileError::from(error).into_db_error())
    }

    /// The bytes of a stored file, or a range of them that lies within it, and their place among what may be open.
    ///
    /// # Errors
    /// They are not there, or cannot be reached.
    pub async fn read(
        &self,
        name: Uuid,
        range: Option<Range<u64>>,
    ) -> Result<(Content, Descriptor), DbError> {
        let place = self.machine.open_for_request().map_err(too_many_open)?;
        let content = self.files.read(name, range).await.map_err(|error| {
            tracing::error!(%name, %error, "a stored file cannot be read");
            told(&error)
        })?;
        Ok((content, place))
    }

    /// The bytes of a stored file, for an action.
    ///
    /// # Errors
    /// As for [`Storage::read`].
    pub async fn read_all(&self, file: &StoredFile) -> Result<BodyStream, DbError> {
        let (content, place) = self.read(file.name, None).await?;
        Ok(match content {
            Content::File(file, length) => {
                let mut chunks = FileBody::new(file, length).holding(place);
                let chunks = stream::poll_fn(move |context| chunks.poll_chunk(context));
                Box::pin(chunks.map_err(|error| BodyError(error.to_string())))
            }
            Content::Pieces(pieces) => {
                held_with(Box::pin(pieces.map_err(|error| BodyError(error.to_string()))), place)
            }
        })
    }
}

/// Writes what comes, as it comes.
async fn write(
    mut upload: Upload,
    body: impl Stream<Item = Result<bytes::Bytes, BodyError>>,
    limits: &FileLimits,
) -> Result<Upload, DbError> {
    let mut body = pin!(body);
    let silence = Duration::from_millis(limits::UPLOAD_SILENCE_MS_MAX);
    loop {
        let next = tokio::time::timeout(silence, body.next()).await.map_err(|_| {
            let message = format!("Nothing of the file came for {} seconds.", silence.as_secs());
            DbError::new(ErrorCode::RequestTimeout, message)
        })?;
        let Some(piece) = next else { return Ok(upload) };
        let piece = piece.map_err(|error| {
            let message = format!("The file broke off before its end: {error}");
            DbError::new(ErrorCode::IncompleteBody, message)
        })?;
        limits.check_size(upload.size() + piece.len() as u64)?;
        upload.write(piece).await.map_err(|error| told(&error))?;
    }
}

/// What a caller is told of files that cannot be had; where they lie is the operator's business.
fn told(error: &FilesError) -> DbError {
    match error {
        FilesError::Full => DbError::new(ErrorCode::DiskFull, "The disk is full: the file was not stored."),
        FilesError::NotFound => DbError::new(ErrorCode::StorageFailed, "The file's bytes are not there."),
        FilesError::Failed(_) | FilesError::NoPlace | FilesError::OfAnother { .. } => {
            tracing::warn!(%error, "a file was not written or read");
            DbError::new(ErrorCode::StorageFailed, "The file cannot be stored or read just now.")
        }
    }
}

fn too_many_open(error: TooManyOpen) -> DbError {
    DbError::new(ErrorCode::TooManyConcurrentRequests, error.to_string())
}

fn stopping() -> DbError {
    DbError::new(ErrorCode::ShuttingDown, "The server stops: try again later.")
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use uuid::Uuid;

    use super::*;

    /// Pieces that come after so many seconds each.
    fn pieces(pauses: &'static [u64]) -> impl Stream<Item = Result<Bytes, BodyError>> {
        stream::iter(pauses).then(|seconds| async {
            tokio::time::sleep(Duration::from_secs(*seconds)).await;
            Ok(Bytes::from_static(b"piece"))
        })
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_may_be_slow_and_not_silent() {
        let files = Files::in_memory();
        let limits = FileLimits { file_bytes: 100, total_bytes: 100, files: 1 };
        let begin = || files.begin(Uuid::from_u128(1));
        let slow = write(begin(), pieces(&[119; 20]), &limits).await;
        assert_eq!(slow.map(|upload| upload.size()).map_err(|error| error.code), Ok(100));
        let silent = write(begin(), pieces(&[1, 121, 1]), &limits).await;
        let error = silent.err().expect("it was silent for two minutes");
        assert_eq!(error.code, ErrorCode::RequestTimeout);
        assert!(error.message.contains("for 120 seconds"), "{error}");
    }
}
