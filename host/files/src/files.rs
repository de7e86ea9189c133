//! The files of one host.

use std::collections::HashSet;
use std::io::{Seek, SeekFrom};
use std::ops::Range;
use std::sync::Arc;

use futures_util::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path as Location;
use object_store::{
    GetOptions, GetRange, GetResultPayload, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload,
};
use parking_lot::Mutex;
use uuid::Uuid;

use crate::upload::{FOLDER_PIECE_BYTES, PART_BYTES};
use crate::{Content, FilesError, FilesPlace, Upload, bucket, folder};

/// The name of the object that says whose files these are.
const OWNER: &str = "owner";

/// The files of one host.
pub struct Files {
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) prefix: Location,
    piece_bytes: usize,
    place: FilesPlace,
    /// Those that are being written, or whose documents are.
    pub(crate) in_flight: InFlight,
}

/// The names of files that are on their way.
pub(crate) type InFlight = Arc<Mutex<HashSet<Uuid>>>;

impl Files {
    /// Those at a place. A folder is made, and what uploads have left in it that were cut off is removed. Blocks.
    ///
    /// # Errors
    /// The folder cannot be made, or the environment says nothing of a bucket that could be asked.
    pub fn open(place: &FilesPlace) -> Result<Files, FilesError> {
        let (store, prefix, piece_bytes): (Arc<dyn ObjectStore>, &str, _) = match place {
            FilesPlace::Folder(path) => {
                folder::make(path)?;
                folder::remove_drafts(path, &|_, _| true)?;
                let store = LocalFileSystem::new_with_prefix(path)?.with_fsync(true);
                (Arc::new(store), "", FOLDER_PIECE_BYTES)
            }
            FilesPlace::Bucket { bucket, prefix } => (bucket::open(bucket)?, prefix.as_str(), PART_BYTES),
            FilesPlace::Memory => (Arc::new(InMemory::new()), "", PART_BYTES),
        };
        let prefix = Location::parse(prefix).map_err(|error| FilesError::Failed(error.to_string()))?;
        Ok(Files { store, prefix, piece_bytes, place: place.clone(), in_flight: InFlight::default() })
    }

    /// None, in memory: for tests.
    pub fn in_memory() -> Files {
        Files {
            store: Arc::new(InMemory::new()),
            prefix: Location::default(),
            piece_bytes: PART_BYTES,
            place: FilesPlace::Memory,
            in_flight: InFlight::default(),
        }
    }

    /// Takes the place for the host of this id, or finds that it has it. A second host would sweep away the files of the
    /// first, which it has no documents of.
    ///
    /// # Errors
    /// `OfAnother`, `NoPlace`; the place cannot be reached.
    pub async fn claim(&self, owner: &str) -> Result<(), FilesError> {
        if self.owner().await?.is_none() {
            self.take(owner).await.map_err(|error| match error {
                // What is not there when something is written is the bucket.
                FilesError::NotFound => FilesError::NoPlace,
                other => other,
            })?;
        }
        // Asked again: two may have come at once, and not every server that speaks S3 knows what `create` means.
        match self.owner().await?.is_some_and(|found| found == owner.as_bytes()) {
            true => Ok(()),
            false => Err(FilesError::OfAnother { place: self.place.to_string() }),
        }
    }

    async fn owner(&self) -> Result<Option<bytes::Bytes>, FilesError> {
        match self.store.get(&self.prefix.clone().join(OWNER)).await {
            Ok(found) => Ok(Some(found.bytes().await?)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn take(&self, owner: &str) -> Result<(), FilesError> {
        use object_store::Error::{AlreadyExists, NotImplemented, NotSupported, Precondition};
        let (at, owner) = (self.prefix.clone().join(OWNER), PutPayload::from(owner.to_owned()));
        let created = self.store.put_opts(&at, owner.clone(), PutOptions::from(PutMode::Create)).await;
        match created {
            Ok(_) | Err(AlreadyExists { .. } | Precondition { .. }) => Ok(()),
            Err(NotImplemented { .. } | NotSupported { .. }) => {
                self.store.put(&at, owner).await?;
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Where they lie.
    pub fn place(&self) -> &FilesPlace {
        &self.place
    }

    /// Begins a file. Dropping what this gives, before its end, leaves nothing of it.
    pub fn begin(&self, name: Uuid) -> Upload {
        let location = self.location(name);
        Upload::new(Arc::clone(&self.store), location, self.piece_bytes, name, Arc::clone(&self.in_flight))
    }

    /// Reads a file, or a range of it, which must lie within the file.
    ///
    /// # Errors
    /// `NotFound`; the place cannot be reached.
    pub async fn read(&self, name: Uuid, range: Option<Range<u64>>) -> Result<Content, FilesError> {
        let at = self.location(name);
        if range.as_ref().is_some_and(Range::is_empty) {
            // No place can be asked for a range of no length.
            self.store.head(&at).await?;
            return Ok(Content::Pieces(Box::pin(futures_util::stream::empty())));
        }
        let options = GetOptions { range: range.map(GetRange::Bounded), ..GetOptions::default() };
        let found = self.store.get_opts(&at, options).await?;
        let range = found.range.clone();
        match found.payload {
            GetResultPayload::File(mut file, _) => {
                file.seek(SeekFrom::Start(range.start))?;
                Ok(Content::File(file, range.end - range.start))
            }
            GetResultPayload::Stream(pieces) => {
                Ok(Content::Pieces(Box::pin(pieces.map_err(FilesError::from))))
            }
        }
    }

    /// Removes a file, if it is there.
    ///
    /// # Errors
    /// The place refuses, or cannot be reached.
    pub async fn remove(&self, name: Uuid) -> Result<(), FilesError> {
        match self.store.delete(&self.location(name)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn location(&self, name: Uuid) -> Location {
        self.prefix.clone().join(name.simple().to_string())
    }
}
