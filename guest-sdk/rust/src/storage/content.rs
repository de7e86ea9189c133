//! Files with their bytes: one that is to be stored, and one that is read.

use serde::Deserialize;

use super::FileMetadata;
use crate::action::text_of;
use crate::failure::Result;
use crate::http::Body;

/// A file that an action stores: `NewFile::new(bytes).content_type("image/png")`.
#[derive(Debug)]
pub struct NewFile {
    pub(super) body: Body,
    pub(super) content_type: Option<String>,
    pub(super) sha256: Option<String>,
}

impl NewFile {
    /// One of these bytes, of this text, or of what a body gives: that of a response, or [`Body::stream`].
    pub fn new(body: impl Into<Body>) -> NewFile {
        NewFile { body: body.into(), content_type: None, sha256: None }
    }

    /// Says its type; otherwise a text is `text/plain`, JSON is `application/json`, and other bytes have none.
    #[must_use]
    pub fn content_type(mut self, content_type: impl Into<String>) -> NewFile {
        self.content_type = Some(content_type.into());
        self
    }

    /// Says its SHA-256, in hex or base64: only a file of that checksum is stored.
    #[must_use]
    pub fn sha256(mut self, sha256: impl Into<String>) -> NewFile {
        self.sha256 = Some(sha256.into());
        self
    }
}

/// A stored file that an action reads.
#[derive(Debug)]
pub struct FileContent {
    metadata: FileMetadata,
    body: Body,
}

impl FileContent {
    /// What is known of it.
    pub fn metadata(&self) -> &FileMetadata {
        &self.metadata
    }

    /// The bytes, to be read piece by piece.
    pub fn body_mut(&mut self) -> &mut Body {
        &mut self.body
    }

    /// The bytes, to be read or passed on: as the body of a request, of a response, or of another file.
    pub fn into_body(self) -> Body {
        self.body
    }

    /// All of the bytes. A call has 64 MiB of memory for all that it does.
    ///
    /// # Errors
    /// As for [`Body::next`].
    pub async fn bytes(self) -> Result<Vec<u8>> {
        self.body.bytes().await
    }

    /// The bytes as text; what is not UTF-8 becomes U+FFFD.
    ///
    /// # Errors
    /// As for [`Body::next`].
    pub async fn text(self) -> Result<String> {
        text_of(self.body).await
    }
}

/// What the host says of a file that is read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Head {
    storage_id: String,
    sha256: String,
    size: f64,
    content_type: Option<String>,
    stream: u32,
}

impl From<Head> for FileContent {
    fn from(head: Head) -> FileContent {
        let Head { storage_id, sha256, size, content_type, stream } = head;
        let metadata = FileMetadata { storage_id, sha256, size, content_type };
        FileContent { metadata, body: Body::incoming(Some(stream)) }
    }
}
