//! Making documents of files that are there, and finding them.
use std::collections::HashSet;

use uuid::Uuid;
use weir_store::ReadError;
use weir_value::limits::FILE_TYPE_BYTES_MAX;
use weir_value::{DocumentId, ErrorCode, TableNumber, Timestamp};

use super::{FileError, StoredDocument, StoredFile, USED, UploadToken};
use crate::keyspace::Namespace;
use crate::scan_all::scan_all;
use crate::{Database, DbError, keyspace, system_tables};

/// A file that is there and has no document yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// The name of its bytes.
    pub name: Uuid,
    /// Their SHA-256.
    pub sha256: [u8; 32],
    /// How many there are.
    pub size: u64,
    /// Its media type, if there is one.
    pub content_type: Option<String>,
    /// Whose it is; of an upload its token says that.
    pub namespace: Namespace,
}

/// How much may be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileLimits {
    /// The bytes of one file.
    pub file_bytes: u64,
    /// The bytes of all files.
    pub total_bytes: u64,
    /// How many files.
    pub files: u64,
}

impl Default for FileLimits {
    fn default() -> Self {
        let file_bytes = weir_value::limits::FILE_BYTES_MAX;
        FileLimits { file_bytes, total_bytes: u64::MAX, files: u64::MAX }
    }
}

impl FileLimits {
    /// Whether a file may have so many bytes.
    ///
    /// # Errors
    /// `FileTooLarge`.
    pub fn check_size(&self, bytes: u64) -> Result<(), DbError> {
        if bytes <= self.file_bytes {
            return Ok(());
        }
        let message = format!("The file is larger than the {} bytes that a file may have.", self.file_bytes);
        Err(DbError::new(ErrorCode::FileTooLarge, message))
    }

    fn check_room(&self, files: u64, stored_bytes: u64, new_bytes: u64) -> Result<(), DbError> {
        if files >= self.files {
            let message = format!("There are {} files, as many as there may be: delete some.", self.files);
            return Err(DbError::new(ErrorCode::TooManyFiles, message));
        }
        if stored_bytes.saturating_add(new_bytes) > self.total_bytes {
            let message = format!(
                "The files would have more than the {} bytes in all that they may have: delete some.",
                self.total_bytes
            );
            return Err(DbError::new(ErrorCode::StorageFull, message));
        }
        Ok(())
    }
}

impl Database {
    /// Whether a file of at least so many bytes may be uploaded with this token, as things are: the same is looked at
    /// again when it is stored.
    ///
    /// # Errors
    /// The token is no good, or there is no room.
    pub fn check_upload(
        &self,
        token: &UploadToken,
        bytes: u64,
        limits: &FileLimits,
    ) -> Result<(), FileError> {
        let snapshot = self.store().snapshot_sequenced();
        token.check(snapshot.get(&token.key())?.as_deref(), self.shared.now_ms())?;
        limits.check_size(bytes)?;
        let count = |table| {
            let stored = snapshot.get(&keyspace::table_count_key(table))?;
            Ok::<_, ReadError>(stored.and_then(|value| keyspace::count_in_value(&value)).unwrap_or_default())
        };
        let mut files = 0;
        for table in self.file_tables() {
            files += count(table)?;
        }
        let stored = count(system_tables::STORAGE_BYTES)?;
        Ok(limits.check_room(files, stored, bytes)?)
    }

    /// Makes the document of a file, whose bytes are on disk, and uses up the token by which it came. With the timestamp that
    /// must be durable before anybody is told.
    ///
    /// # Errors
    /// The token is no good, or there is no room; the store takes no writes.
    pub fn store_file(
        &self,
        file: &NewFile,
        token: Option<&UploadToken>,
        limits: &FileLimits,
    ) -> Result<(DocumentId, Timestamp), FileError> {
        check_type(file.content_type.as_deref())?;
        limits.check_size(file.size)?;
        let mut gate = self.committer.enter();
        let opened = self.committer.open();
        let files = self.file_tables().map(|table| gate.count(table)).sum();
        let stored = gate.count(system_tables::STORAGE_BYTES);
        limits.check_room(files, stored, file.size)?;
        let mut tx = self.begin_system(opened.snapshot.clone());
        let mut file = file.clone();
        if let Some(token) = token {
            let key = token.key();
            let stored = tx.read_uncounted(key.clone())?;
            token.check(stored.as_deref(), self.shared.now_ms())?;
            file.namespace =
                stored.and_then(|value| keyspace::namespace_of_upload(&value)).unwrap_or(file.namespace);
            tx.put_key(key, USED.into());
        }
        let id = tx.add_file(&file)?;
        let draft = tx.into_draft().0;
        let ts = gate.sequence_unstamped(draft.changes, &draft.counts)?;
        Ok((id, ts))
    }

    /// The stored file whose bytes have this name, as far as that is durable.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn file_named(&self, name: Uuid) -> Result<Option<StoredFile>, ReadError> {
        let snapshot = self.store().snapshot_durable();
        let Some(place) = snapshot.get(&keyspace::file_key(name))? else { return Ok(None) };
        let Some(id) = keyspace::file_at_place(&place) else { return Ok(None) };
        let document = snapshot.get(&keyspace::document_key(&id))?;
        Ok(document.and_then(|json| StoredDocument::decode(&json)).and_then(|file| file.into_file(id, name)))
    }

    /// Of each of these names whether bytes of it are still wanted: there is a document, or its removal is noted.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn are_files_wanted(&self, names: &[Uuid]) -> Result<Vec<bool>, ReadError> {
        let snapshot = self.store().snapshot_sequenced();
        let mut removed = HashSet::new();
        scan_all(&snapshot, keyspace::removed_files(), |key, _| {
            removed.extend(keyspace::removed_file_in_key(key).map(|(_, name)| name));
            Ok::<(), ReadError>(())
        })?;
        let is_wanted =
            |name: &Uuid| Ok(removed.contains(name) || snapshot.get(&keyspace::file_key(*name))?.is_some());
        names.iter().map(is_wanted).collect()
    }

    /// The tables of files, of the app and of every component.
    fn file_tables(&self) -> impl Iterator<Item = TableNumber> {
        let components = self.deployments.newest().components.clone();
        let namespaces: Vec<Namespace> = components.namespaces().collect();
        namespaces.into_iter().map(|namespace| system_tables::of(namespace, system_tables::STORAGE))
    }

    /// A name for a file, which nobody can guess.
    pub fn new_file_name(&self) -> Uuid {
        uuid::Builder::from_random_bytes(self.shared.entropy.draw()).into_uuid()
    }
}

/// Whether a file can have this type: it becomes a header.
///
/// # Errors
/// `InvalidContentType`.
fn check_type(content_type: Option<&str>) -> Result<(), DbError> {
    let is_printable = |text: &str| text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    match content_type {
        Some(text) if text.is_empty() || text.len() > FILE_TYPE_BYTES_MAX || !is_printable(text) => {
            let message = format!(
                "A file's type is one like `image/png`: printable ASCII, and at most {FILE_TYPE_BYTES_MAX} bytes."
            );
            Err(DbError::new(ErrorCode::InvalidContentType, message))
        }
        _ => Ok(()),
    }
}

impl NewFile {
    /// Whether the file could be stored with this type.
    ///
    /// # Errors
    /// `InvalidContentType`.
    pub fn check_type(content_type: Option<&str>) -> Result<(), DbError> {
        check_type(content_type)
    }
}
