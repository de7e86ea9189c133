//! A file that is being written.

use std::mem;
use std::sync::Arc;

use bytes::Bytes;
use object_store::path::Path as Location;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::FilesError;
use crate::files::InFlight;

/// How much is handed to a folder at once: a few pieces of a body, so that threads need not be changed for each.
pub(crate) const FOLDER_PIECE_BYTES: usize = 256 << 10;
/// The parts of a file in a bucket. S3 wants 5 MiB at least and 10,000 parts at most, and others all of one size.
pub(crate) const PART_BYTES: usize = 8 << 20;

/// A file that is being written. Dropping it leaves nothing of the file.
pub struct Upload {
    store: Arc<dyn ObjectStore>,
    location: Location,
    piece_bytes: usize,
    /// What waits to be handed on, and how much that is.
    waiting: Vec<Bytes>,
    waiting_bytes: usize,
    /// `None` as long as all fits into one piece.
    parts: Option<Parts>,
    hash: Sha256,
    size: u64,
    on_its_way: OnItsWay,
}

/// A file that is all there, and that nobody sweeps away as long as this lives.
#[must_use = "make a document of it, or discard it"]
pub struct Finished {
    /// Its name.
    pub name: Uuid,
    /// How many bytes it has.
    pub size: u64,
    /// Their SHA-256.
    pub sha256: [u8; 32],
    store: Arc<dyn ObjectStore>,
    location: Location,
    _on_its_way: OnItsWay,
}

/// Keeps a name from being taken for one that nobody wants.
struct OnItsWay {
    name: Uuid,
    names: InFlight,
}

impl Drop for OnItsWay {
    fn drop(&mut self) {
        self.names.lock().remove(&self.name);
    }
}

/// The parts of a larger file. They are taken back if they do not come to their end.
struct Parts(Option<Box<dyn MultipartUpload>>);

impl Drop for Parts {
    fn drop(&mut self) {
        let Some(mut parts) = self.0.take() else { return };
        // A folder removes the half file by itself when it is dropped; a bucket has to be told.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = parts.abort().await {
                    tracing::debug!(%error, "the parts of a file that was cut off stay for now");
                }
            });
        }
    }
}

impl Upload {
    pub(crate) fn new(
        store: Arc<dyn ObjectStore>,
        location: Location,
        piece_bytes: usize,
        name: Uuid,
        names: InFlight,
    ) -> Upload {
        names.lock().insert(name);
        Upload {
            store,
            location,
            piece_bytes,
            waiting: Vec::new(),
            waiting_bytes: 0,
            parts: None,
            hash: Sha256::new(),
            size: 0,
            on_its_way: OnItsWay { name, names },
        }
    }

    /// How many bytes it has so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a piece. What was added before has been handed on when this returns, but for less than a piece.
    ///
    /// # Errors
    /// The place refuses, has no room, or cannot be reached.
    pub async fn write(&mut self, mut piece: Bytes) -> Result<(), FilesError> {
        self.hash.update(&piece);
        self.size += piece.len() as u64;
        while self.waiting_bytes + piece.len() >= self.piece_bytes {
            let rest = piece.split_off(self.piece_bytes - self.waiting_bytes);
            self.wait_with(piece);
            self.hand_on().await?;
            piece = rest;
        }
        self.wait_with(piece);
        Ok(())
    }

    fn wait_with(&mut self, piece: Bytes) {
        if !piece.is_empty() {
            self.waiting_bytes += piece.len();
            self.waiting.push(piece);
        }
    }

    fn take_waiting(&mut self) -> PutPayload {
        self.waiting_bytes = 0;
        PutPayload::from_iter(mem::take(&mut self.waiting))
    }

    async fn hand_on(&mut self) -> Result<(), FilesError> {
        let payload = self.take_waiting();
        if self.parts.is_none() {
            self.parts = Some(Parts(Some(self.store.put_multipart(&self.location).await?)));
        }
        let parts = self.parts.as_mut().and_then(|parts| parts.0.as_mut());
        parts.expect("made above, and taken at the end alone").put_part(payload).await?;
        Ok(())
    }

    /// Ends it: when this returns, the file is there, and outlives a power failure.
    ///
    /// # Errors
    /// As for [`Upload::write`]; nothing of the file is left then.
    pub async fn finish(mut self) -> Result<Finished, FilesError> {
        if self.parts.is_none() {
            let whole = self.take_waiting();
            self.store.put(&self.location, whole).await?;
        } else {
            if self.waiting_bytes > 0 {
                self.hand_on().await?;
            }
            let mut parts = self.parts.take().expect("there are some");
            parts.0.as_mut().expect("taken below alone").complete().await?;
            parts.0 = None;
        }
        let Upload { store, location, hash, size, on_its_way, .. } = self;
        let sha256 = hash.finalize().into();
        Ok(Finished { name: on_its_way.name, size, sha256, store, location, _on_its_way: on_its_way })
    }
}

impl Finished {
    /// Removes it: no document is made of it. What cannot be removed now is swept later.
    pub async fn discard(self) {
        if let Err(error) = self.store.delete(&self.location).await {
            tracing::debug!(%error, "a file that nobody wants stays for now");
        }
    }
}
