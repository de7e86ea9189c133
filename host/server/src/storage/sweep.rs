//! What goes of files by itself: bytes of deleted documents, bytes that never came to have one, old upload URLs.

use std::sync::Arc;
use std::time::Duration;

use weir_db::{FileError, FileRemovals};
use weir_files::FilesError;

use super::Storage;
use crate::executor::{JobKind, JobLost, Work};

/// Why files were not removed, for the log.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// What is to go cannot be found out, or not be noted.
    #[error(transparent)]
    Database(#[from] FileError),
    /// The place of the files refuses.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// The server stops.
    #[error(transparent)]
    Lost(#[from] JobLost),
}

impl Storage {
    /// Removes the bytes of files that were deleted so long before this time, in milliseconds since the Unix epoch, that
    /// nothing reads them any more; gives how many.
    ///
    /// # Errors
    /// The database or the place of the files refuses; what is left is tried again.
    pub async fn remove_deleted(&self, now_ms: f64) -> Result<usize, SweepError> {
        let mut removed = 0;
        loop {
            let db = Arc::clone(&self.db);
            let FileRemovals { files, more } = self
                .machine
                .executor
                .run(Work::of_host(JobKind::Maintenance), move || db.removed_files(now_ms))
                .await??;
            for file in &files {
                self.files.remove(file.name).await?;
            }
            removed += files.len();
            let db = Arc::clone(&self.db);
            self.machine
                .executor
                .run(Work::of_host(JobKind::Maintenance), move || db.forget_removed_files(&files))
                .await??;
            // What was noted is seen when it is durable: nothing is removed, and counted, twice.
            self.durable.wait(self.db.store().sequenced()).await;
            if !more {
                return Ok(removed);
            }
        }
    }

    /// Removes files that were written before this time, since the Unix epoch, and have no document; gives how many.
    ///
    /// # Errors
    /// As for [`Storage::remove_deleted`].
    pub async fn sweep(&self, before: Duration) -> Result<usize, SweepError> {
        let is_wanted = |names: Vec<uuid::Uuid>| async {
            let db = Arc::clone(&self.db);
            let wanted = self
                .machine
                .executor
                .run(Work::of_host(JobKind::Maintenance), move || db.are_files_wanted(&names))
                .await?;
            Ok::<_, SweepError>(wanted.map_err(FileError::from)?)
        };
        self.files.sweep(before, is_wanted).await
    }

    /// Drops what is kept of upload URLs that expired long ago.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn sweep_upload_urls(&self, now_ms: f64) -> Result<(), SweepError> {
        loop {
            let db = Arc::clone(&self.db);
            if !self
                .machine
                .executor
                .run(Work::of_host(JobKind::Maintenance), move || db.sweep_upload_tokens(now_ms))
                .await??
            {
                return Ok(());
            }
            self.durable.wait(self.db.store().sequenced()).await;
        }
    }
}
