//! Files that there are no documents of.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::TryStreamExt;
use uuid::Uuid;

use crate::{Files, FilesError, FilesPlace, folder};

/// So many are asked for at once.
const BATCH_FILES: usize = 256;

impl Files {
    /// Removes the files that were written before this time, since the Unix epoch, that are not on their way and that
    /// `is_wanted` does not know; gives how many. Of each batch of names it says which are wanted.
    ///
    /// # Errors
    /// The place refuses, or cannot be reached; or `is_wanted` fails.
    pub async fn sweep<E: From<FilesError>, F: Future<Output = Result<Vec<bool>, E>>>(
        &self,
        before: Duration,
        is_wanted: impl Fn(Vec<Uuid>) -> F,
    ) -> Result<usize, E> {
        self.sweep_drafts(before).await?;
        let mut removed = 0;
        let mut batch = Vec::new();
        let prefix = Some(&self.prefix).filter(|prefix| prefix.parts().next().is_some());
        let mut objects = self.store.list(prefix);
        loop {
            let object = objects.try_next().await.map_err(FilesError::from)?;
            let is_last = object.is_none();
            batch.extend(
                object.filter(|object| is_before(object, before)).and_then(|object| name_of(&object)),
            );
            if batch.len() < BATCH_FILES && !is_last {
                continue;
            }
            // First those on their way, then the documents: what ends its way in between has one.
            batch.retain(|name| !self.in_flight.lock().contains(name));
            let wanted = is_wanted(batch.clone()).await?;
            for (name, _) in std::mem::take(&mut batch).into_iter().zip(wanted).filter(|(_, wanted)| !wanted)
            {
                self.remove(name).await?;
                removed += 1;
            }
            if is_last {
                return Ok(removed);
            }
        }
    }
}

impl Files {
    /// Removes what a write has left that failed at its very end, as it may on a full disk.
    async fn sweep_drafts(&self, before: Duration) -> Result<(), FilesError> {
        let FilesPlace::Folder(folder) = self.place().clone() else { return Ok(()) };
        let in_flight = self.in_flight.clone();
        let is_left = move |name: Uuid, written: SystemTime| {
            let written = written.duration_since(UNIX_EPOCH).unwrap_or_default();
            written < before && !in_flight.lock().contains(&name)
        };
        let swept = tokio::task::spawn_blocking(move || folder::remove_drafts(&folder, &is_left));
        swept.await.map_err(|lost| FilesError::Failed(lost.to_string()))?
    }
}

fn is_before(object: &object_store::ObjectMeta, before: Duration) -> bool {
    let modified = object.last_modified.timestamp_millis();
    u64::try_from(modified).is_ok_and(|ms| Duration::from_millis(ms) < before)
}

fn name_of(object: &object_store::ObjectMeta) -> Option<Uuid> {
    object.location.filename().filter(|name| name.len() == 32).and_then(|name| name.parse().ok())
}
