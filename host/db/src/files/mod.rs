//! Stored files, as the database knows them: documents of `_storage`, whose bytes lie elsewhere under a name that nobody
//! can guess.
//!
//! A document says what everybody may read of a file: its checksum, its size, its type. The name, by which it can be
//! downloaded, stands among the host's own keys, so that only who asks for a URL learns it. When a document goes, its
//! file is noted as removed; the bytes go when nothing reads a snapshot any more in which the document is.
//!
//! Knows no disk and no bucket: who writes and removes bytes says when.
mod check;
mod removal;
mod store;
mod token;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;
use weir_store::{ReadError, SequenceError};
use weir_value::{DocumentId, ErrorCode};

use crate::{CommitError, DbError};

pub(crate) use check::FilesCheck;
pub use removal::{FileRemovals, RemovedFile};
pub use store::{FileLimits, NewFile};
pub use token::UploadToken;
pub(crate) use token::{USED, new_token};

/// A stored file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// Its document.
    pub id: DocumentId,
    /// The name of its bytes, and of its URL.
    pub name: Uuid,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// How many bytes it has.
    pub size: u64,
    /// Its media type, if whoever stored it has said one.
    pub content_type: Option<String>,
}

/// What is stored of a file, besides what every document has.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StoredDocument {
    /// In hex.
    sha256: String,
    pub(crate) size: u64,
    #[serde(rename = "contentType", skip_serializing_if = "Option::is_none", default)]
    content_type: Option<String>,
}

impl StoredDocument {
    pub(crate) fn of(file: &NewFile) -> StoredDocument {
        StoredDocument { sha256: hex(&file.sha256), size: file.size, content_type: file.content_type.clone() }
    }

    /// Reads a document; `None` if it is none of a file.
    pub(crate) fn decode(document: &[u8]) -> Option<StoredDocument> {
        let document: StoredDocument = serde_json::from_slice(document).ok()?;
        unhex::<32>(&document.sha256).map(|_| document)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts and numbers can be written")
    }

    pub(crate) fn into_file(self, id: DocumentId, name: Uuid) -> Option<StoredFile> {
        let StoredDocument { sha256, size, content_type } = self;
        Some(StoredFile { id, name, sha256: unhex(&sha256)?, size, content_type })
    }
}

impl StoredFile {
    /// Its SHA-256, in hex.
    pub fn sha256_hex(&self) -> String {
        hex(&self.sha256)
    }

    /// What `getMetadata` gives of it, as Convex does: `{"storageId", "sha256", "size", "contentType"}`.
    pub fn metadata_json(&self) -> serde_json::Value {
        serde_json::json!({
            "storageId": self.name.to_string(),
            "sha256": self.sha256_hex(),
            "size": self.size,
            "contentType": self.content_type,
        })
    }
}

/// Why a file was not stored, or what is stored cannot be said. Nothing of it was written.
#[derive(Debug, Clone, Error)]
pub enum FileError {
    /// The caller is at fault, or there is no room for more.
    #[error("{}", .0.message)]
    Refused(DbError),
    /// The store takes no writes, or cannot be read.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

impl FileError {
    /// What the function is told that stores a file.
    pub fn into_db_error(self) -> DbError {
        match self {
            FileError::Refused(error) => error,
            FileError::Commit(error) => {
                let code = crate::error::Failure::Commit(match error {
                    CommitError::Sequence(error) => error,
                    CommitError::Read(_) => {
                        return DbError::new(
                            ErrorCode::StorageFailed,
                            "The database cannot be read just now.",
                        );
                    }
                })
                .code();
                DbError::new(code, "The store takes no writes just now: try again later.")
            }
        }
    }
}

impl From<DbError> for FileError {
    fn from(error: DbError) -> Self {
        FileError::Refused(error)
    }
}

impl From<ReadError> for FileError {
    fn from(error: ReadError) -> Self {
        FileError::Commit(error.into())
    }
}

impl From<SequenceError> for FileError {
    fn from(error: SequenceError) -> Self {
        FileError::Commit(error.into())
    }
}

/// Reads a SHA-256 as clients and functions send one: in hex, or in base64.
///
/// # Errors
/// `InvalidDigest`.
pub fn parse_sha256(text: &str) -> Result<[u8; 32], DbError> {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    let decoded = || STANDARD.decode(text).ok()?.try_into().ok();
    unhex(text).or_else(decoded).ok_or_else(|| {
        let message = "This is not a SHA-256: send its 32 bytes in base64, or in hex.";
        DbError::new(ErrorCode::InvalidDigest, message)
    })
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if text.len() != 2 * N || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests;
