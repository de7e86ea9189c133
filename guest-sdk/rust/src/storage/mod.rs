//! Stored files: what functions know of them, and what actions store and read.

mod content;
mod document;

use std::ops::Deref;

use serde::Serialize;

use crate::action::{Handed, Outgoing, Task, send_beside};
use crate::failure::{Context, Error, Result};
use crate::host::storage;
use crate::{Id, json};

pub use content::{FileContent, NewFile};
pub use document::{FileMetadata, StoredFile};

/// What a query knows of stored files.
#[derive(Debug, Clone)]
pub struct StorageReader(());

/// What a mutation does with stored files, as a part of its transaction; it knows of them what a query does.
#[derive(Debug, Clone)]
pub struct StorageWriter(StorageReader);

/// What an action does with stored files: it stores and reads them, and all that a mutation does, each at once.
#[derive(Debug, Clone)]
pub struct StorageActionWriter(StorageWriter);

impl StorageReader {
    pub(crate) fn new() -> Self {
        Self(())
    }

    /// The URL by which everybody may fetch a file, for as long as it is there; `None`: it was deleted.
    ///
    /// # Errors
    /// `InvalidId`: not the id of a file.
    pub fn get_url(&self, id: &Id<StoredFile>) -> Result<Option<String>> {
        storage::get_url(id.as_str()).map_err(Error::from_host)
    }

    /// What is known of a file; `None`: it was deleted. `ctx.db.system().get(&id)` reads its document.
    ///
    /// # Errors
    /// `InvalidId`: not the id of a file.
    pub fn get_metadata(&self, id: &Id<StoredFile>) -> Result<Option<FileMetadata>> {
        let found = storage::get_metadata(id.as_str()).map_err(Error::from_host)?;
        found.map(|found| json::from_slice(&found)).transpose().context("reading what is known of a file")
    }
}

impl StorageWriter {
    pub(crate) fn new() -> Self {
        Self(StorageReader::new())
    }

    /// A URL to which a client may `POST` one file, within an hour: its bytes are the body, its type the `Content-Type`. The
    /// response is `{"storageId": ID}`. It is good when the mutation is committed.
    ///
    /// # Errors
    /// None that a mutation would handle; the limits of writes end it.
    pub fn generate_upload_url(&self) -> Result<String> {
        storage::generate_upload_url().map_err(Error::from_host)
    }

    /// Deletes a file. Its URL is good for nothing from the commit on.
    ///
    /// # Errors
    /// `InvalidId`: not the id of a file; `NotFound`: it was deleted before.
    pub fn delete(&self, id: &Id<StoredFile>) -> Result<()> {
        storage::delete(id.as_str()).map_err(Error::from_host)
    }
}

impl StorageActionWriter {
    pub(crate) fn new() -> Self {
        Self(StorageWriter::new())
    }

    /// Stores a file, and gives its id when it is on disk:
    /// `ctx.storage.store(NewFile::new(bytes).content_type("image/png")).await?`. The body of a response is stored piece by
    /// piece, and is never in memory as a whole.
    ///
    /// # Errors
    /// `DigestMismatch`, `InvalidDigest`; `FileTooLarge`; `StorageFull` and `TooManyFiles`: the host keeps no more;
    /// `InvalidContentType`; `IncompleteBody`: the body broke off; `DiskFull`; `TooManyTasks`.
    pub async fn store(&self, file: NewFile) -> Result<Id<StoredFile>> {
        let NewFile { body, content_type, sha256 } = file;
        let content_type = content_type.or_else(|| body.content_type().map(str::to_owned));
        let options = |stream| {
            let (content_type, sha256) = (content_type.as_deref(), sha256.as_deref());
            json::to_vec(&StoreOptions { content_type, sha256, stream })
        };
        let stored = match body.hand_over() {
            Handed::Nothing => Task::new(storage::store(&options(None)?, None))?.await?,
            Handed::Whole(bytes) => Task::new(storage::store(&options(None)?, Some(&bytes)))?.await?,
            Handed::Written(write) => {
                let outgoing = Outgoing::new()?;
                let stored = Task::new(storage::store(&options(Some(outgoing.stream()))?, None))?;
                send_beside(stored, outgoing.write(write)).await?
            }
        };
        json::from_slice(&stored).context("reading the id of a file")
    }

    /// Reads a file; `None`: it was deleted. Nothing of its bytes is fetched that nobody asks for.
    ///
    /// # Errors
    /// `InvalidId`: not the id of a file; `StorageFailed`: its bytes cannot be reached; `TooManyTasks`.
    pub async fn get(&self, id: &Id<StoredFile>) -> Result<Option<FileContent>> {
        let found = Task::new(storage::get(id.as_str()))?.await?;
        let found: Option<content::Head> = json::from_slice(&found).context("reading the head of a file")?;
        Ok(found.map(FileContent::from))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StoreOptions<'a> {
    content_type: Option<&'a str>,
    sha256: Option<&'a str>,
    stream: Option<u32>,
}

impl Deref for StorageWriter {
    type Target = StorageReader;

    fn deref(&self) -> &StorageReader {
        &self.0
    }
}

impl Deref for StorageActionWriter {
    type Target = StorageWriter;

    fn deref(&self) -> &StorageWriter {
        &self.0
    }
}
