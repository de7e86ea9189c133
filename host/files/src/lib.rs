//! Files: where the bytes lie that functions and clients store, in a folder or in a bucket that speaks S3.
//!
//! A file has a name that nobody can guess, is written once, from its first byte to its last, and is there whole or not
//! at all. Which documents there are of it, who may write or read it, and what its type is, others know.
//!
//! **Invariant:** what is written is on its disk when [`Upload::finish`] returns; no file is ever in memory as a whole, but
//! one that is smaller than a piece.

mod bucket;
mod content;
mod error;
mod files;
mod folder;
mod place;
mod sweep;
mod upload;

pub use content::Content;
pub use error::FilesError;
pub use files::Files;
pub use place::{FilesPlace, PlaceError};
pub use upload::{Finished, Upload};
