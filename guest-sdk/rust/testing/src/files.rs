//! Stored files as a test sees them.

use weir_testing::TestFile;

/// A stored file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its media type, if whoever stored it has said one.
    pub content_type: Option<String>,
    /// The SHA-256 of its bytes.
    pub sha256: [u8; 32],
}

impl File {
    pub(crate) fn new(file: TestFile) -> File {
        let TestFile { file, bytes } = file;
        File { bytes: bytes.to_vec(), content_type: file.content_type, sha256: file.sha256 }
    }
}
