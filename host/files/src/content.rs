//! What is in a file, as whoever sends it reads it.

use std::fs::File;
use std::pin::Pin;

use bytes::Bytes;
use futures_core::Stream;

use crate::FilesError;

/// The content of a file, or of a range of it.
pub enum Content {
    /// A file of this machine that stands where the content begins, and how long that is.
    File(File, u64),
    /// Pieces that come from somewhere else.
    Pieces(Pin<Box<dyn Stream<Item = Result<Bytes, FilesError>> + Send>>),
}
