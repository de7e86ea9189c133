//! The stored files of a case: their bytes in memory, their documents in the database of the case.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use tokio::runtime::Handle;
use weir_db::{
    Body, BodyError, BodyStream, Database, DbError, FileError, FileLimits, FileToStore, NewFile, StoredFile,
};
use weir_files::{Content, Files, FilesError, Upload};
use weir_value::{DocumentId, ErrorCode};

/// How much may be stored in a case.
const LIMITS: FileLimits = FileLimits { file_bytes: 1_000_000, total_bytes: 1_500_000, files: 5 };

/// The stored files of one case.
pub(crate) struct CaseFiles {
    files: Files,
    db: Arc<Database>,
    threads: Handle,
}

impl CaseFiles {
    pub(crate) fn new(db: Arc<Database>, threads: Handle) -> Arc<CaseFiles> {
        Arc::new(CaseFiles { files: Files::in_memory(), db, threads })
    }

    /// Stores a file, and gives the id of its document when that is durable.
    pub(crate) async fn store(&self, file: FileToStore) -> Result<DocumentId, DbError> {
        let FileToStore { body, content_type, sha256: expected, namespace } = file;
        NewFile::check_type(content_type.as_deref())?;
        let mut upload = self.files.begin(self.db.new_file_name());
        match body {
            Body::Empty => {}
            Body::Whole(bytes) => write(&mut upload, bytes).await?,
            Body::Stream(mut pieces) => {
                while let Some(piece) = poll_fn(|context| pieces.as_mut().poll_next(context)).await {
                    let broken = |BodyError(why)| DbError::new(ErrorCode::IncompleteBody, why);
                    write(&mut upload, piece.map_err(broken)?).await?;
                }
            }
        }
        let finished = upload.finish().await.map_err(failed)?;
        if expected.is_some_and(|expected| expected != finished.sha256) {
            let message = "The file is not the one of its checksum.";
            return Err(DbError::new(ErrorCode::DigestMismatch, message));
        }
        let (name, sha256, size) = (finished.name, finished.sha256, finished.size);
        let file = NewFile { name, sha256, size, content_type, namespace };
        let (id, ts) = self.db.store_file(&file, None, &LIMITS).map_err(FileError::into_db_error)?;
        let db = self.db.clone();
        let durable = self.threads.spawn_blocking(move || db.store().wait_durable(ts)).await;
        durable.map_err(failed)?.map_err(failed)?;
        Ok(id)
    }

    /// The bytes of a stored file.
    pub(crate) async fn read(&self, file: StoredFile) -> Result<BodyStream, DbError> {
        match self.files.read(file.name, None).await.map_err(failed)? {
            Content::Pieces(pieces) => Ok(Box::pin(Told(pieces))),
            Content::File(..) => unreachable!("files in memory are none of a disk"),
        }
    }
}

async fn write(upload: &mut Upload, piece: Bytes) -> Result<(), DbError> {
    LIMITS.check_size(upload.size() + piece.len() as u64)?;
    upload.write(piece).await.map_err(failed)
}

/// Pieces whose errors are those of a body.
struct Told<S>(S);

impl<S> Stream for Told<S>
where
    S: Stream<Item = Result<Bytes, FilesError>> + Unpin,
{
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let told = |error: FilesError| BodyError(error.to_string());
        Pin::new(&mut self.0).poll_next(context).map(|piece| piece.map(|piece| piece.map_err(told)))
    }
}

fn failed(error: impl ToString) -> DbError {
    DbError::new(ErrorCode::StorageFailed, error.to_string())
}
