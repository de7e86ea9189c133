//! What is known of a stored file.

use serde::{Deserialize, Serialize};

use crate::Table;
use crate::validator::{Shape, Validator};

/// A stored file: a document of the host's table `_storage`. `ctx.db.system().get(&id)` reads one,
/// `ctx.db.system().query::<StoredFile>("_storage")` all of them. An `Id<StoredFile>` is what an upload answers and
/// [`store`](super::StorageActionWriter::store) gives; keep it in a document of your own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredFile {
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
    /// How many bytes it has.
    pub size: f64,
    /// Its media type; `None`: nobody has said one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
}

impl Table for StoredFile {
    const TABLE: &'static str = "_storage";
}

impl Shape for StoredFile {
    fn validator() -> Validator {
        Validator::object([
            ("sha256", String::field()),
            ("size", f64::field()),
            ("contentType", <Option<String>>::field()),
        ])
    }
}

/// What [`get_metadata`](super::StorageReader::get_metadata) tells of a stored file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileMetadata {
    /// The file's name in its URL.
    pub storage_id: String,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
    /// How many bytes it has.
    pub size: f64,
    /// Its media type; `None`: nobody has said one.
    pub content_type: Option<String>,
}

impl Shape for FileMetadata {
    fn validator() -> Validator {
        Validator::object([
            ("storageId", String::field()),
            ("sha256", String::field()),
            ("size", f64::field()),
            ("contentType", <Option<String>>::field()),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Doc, json};

    #[test]
    fn documents_and_metadata_are_read() {
        let text = r#"{"_id":"1","_creationTime":1.5,"sha256":"2cf2","size":5,"contentType":"text/plain"}"#;
        let file: Doc<StoredFile> = json::from_slice(text.as_bytes()).unwrap();
        assert_eq!((file.size, file.content_type.as_deref()), (5.0, Some("text/plain")));
        let text = r#"{"_id":"1","_creationTime":1.5,"sha256":"2cf2","size":5}"#;
        let file: Doc<StoredFile> = json::from_slice(text.as_bytes()).unwrap();
        assert_eq!((file.sha256.as_str(), &file.content_type), ("2cf2", &None));
        let text = r#"{"contentType":null,"sha256":"2cf2","size":5,"storageId":"0190"}"#;
        let known: FileMetadata = json::from_slice(text.as_bytes()).unwrap();
        assert_eq!((known.storage_id.as_str(), known.size, known.content_type), ("0190", 5.0, None));
    }
}
