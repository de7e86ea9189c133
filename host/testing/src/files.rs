//! Stored files of a test: documents in the database, bytes in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use sha2::{Digest, Sha256};
use uuid::Uuid;
use weir_db::{
    BodyStream, DbError, FileError, FileLimits, FileToStore, Namespace, NewFile, StoredFile, UploadToken,
    parse_sha256,
};
use weir_value::limits::STREAM_PIECE_BYTES_MAX;
use weir_value::{DocumentId, ErrorCode};

use crate::fetch::{pieces, whole};
use crate::host::Shared;
use crate::{TestDatabase, TestError};

/// The bytes of files by their names.
#[derive(Default)]
pub(crate) struct Files(Mutex<HashMap<Uuid, Bytes>>);

impl Files {
    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Bytes>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stored file, as a test sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestFile {
    /// What is known of it.
    pub file: StoredFile,
    /// Its bytes.
    pub bytes: Bytes,
}

impl Shared {
    /// Stores a file that an action gives.
    pub(crate) async fn store_file(self: Arc<Self>, file: FileToStore) -> Result<DocumentId, DbError> {
        let FileToStore { body, content_type, sha256, namespace } = file;
        NewFile::check_type(content_type.as_deref())?;
        let bytes = whole(body).await.map_err(|error| {
            let message = format!("The file broke off before its end: {error}");
            DbError::new(ErrorCode::IncompleteBody, message)
        })?;
        self.keep_file(bytes, (content_type, namespace), sha256, None)
    }

    /// Keeps a file's bytes, and makes its document.
    fn keep_file(
        &self,
        bytes: Bytes,
        (content_type, namespace): (Option<String>, Namespace),
        expected: Option<[u8; 32]>,
        token: Option<&UploadToken>,
    ) -> Result<DocumentId, DbError> {
        let sha256: [u8; 32] = Sha256::digest(&bytes).into();
        if expected.is_some_and(|expected| expected != sha256) {
            let message =
                "The file is not the one of its checksum: it was changed on its way. Send it again.";
            return Err(DbError::new(ErrorCode::DigestMismatch, message));
        }
        let name = self.db.new_file_name();
        let file = NewFile { name, sha256, size: bytes.len() as u64, content_type, namespace };
        let stored = self.db.store_file(&file, token, &FileLimits::default());
        let (id, _) = stored.map_err(FileError::into_db_error)?;
        self.files.lock().insert(name, bytes);
        self.settle();
        Ok(id)
    }

    /// The bytes of a stored file, as they come.
    pub(crate) fn read_file(&self, file: &StoredFile) -> Result<BodyStream, DbError> {
        let bytes = self.files.lock().get(&file.name).cloned();
        let missing = || DbError::new(ErrorCode::StorageFailed, "The file's bytes are not there.");
        let bytes = bytes.ok_or_else(missing)?;
        let starts = (0..bytes.len()).step_by(STREAM_PIECE_BYTES_MAX);
        let piece = |start: usize| bytes.slice(start..bytes.len().min(start + STREAM_PIECE_BYTES_MAX));
        Ok(pieces(starts.map(piece).collect(), None))
    }
}

impl TestDatabase {
    /// Stores a file, as an upload would; gives its id.
    ///
    /// # Errors
    /// The file cannot have this type, or is too large.
    pub fn store_file(
        &mut self,
        bytes: impl Into<Bytes>,
        content_type: Option<&str>,
    ) -> Result<DocumentId, TestError> {
        self.receive(bytes.into(), content_type, None, None)
    }

    /// Uploads a file to a URL that a function has made with `generateUploadUrl`, as a client would; gives
    /// its id. With `sha256`, in hex or base64, only a file of that checksum is stored.
    ///
    /// # Errors
    /// The URL is none of those, was used, or is too old; as for [`TestDatabase::store_file`].
    pub fn upload(
        &mut self,
        url: &str,
        bytes: impl Into<Bytes>,
        content_type: Option<&str>,
        sha256: Option<&str>,
    ) -> Result<DocumentId, TestError> {
        let token = url.split_once("token=").map_or(url, |(_, token)| token);
        let token = UploadToken::parse(token).map_err(refused)?;
        let sha256 = sha256.map(parse_sha256).transpose().map_err(refused)?;
        self.receive(bytes.into(), content_type, sha256, Some(&token))
    }

    fn receive(
        &mut self,
        bytes: Bytes,
        content_type: Option<&str>,
        sha256: Option<[u8; 32]>,
        token: Option<&UploadToken>,
    ) -> Result<DocumentId, TestError> {
        let id =
            self.shared.keep_file(bytes, (content_type.map(str::to_owned), Namespace::APP), sha256, token);
        self.shared.tick();
        id.map_err(refused)
    }

    /// A stored file, by its id or its URL; `None`: there is none, or it was deleted.
    ///
    /// # Errors
    /// The store in memory cannot be read.
    pub fn file(&self, id: &str) -> Result<Option<TestFile>, TestError> {
        self.shared.settle();
        let named = id.rsplit('/').next().and_then(|name| Uuid::parse_str(name).ok());
        let files = self.shared.files.lock();
        for (name, bytes) in files.iter() {
            let file = self.db.file_named(*name).map_err(|error| TestError::Store(error.to_string()))?;
            let is_it = |file: &StoredFile| file.id.to_string() == id || named == Some(file.name);
            if let Some(file) = file.filter(is_it) {
                return Ok(Some(TestFile { file, bytes: bytes.clone() }));
            }
        }
        Ok(None)
    }
}

fn refused(error: DbError) -> TestError {
    TestError::File(error)
}
