//! What is left of deleted files and of old upload URLs, and when it goes.
use bytes::Bytes;
use uuid::Uuid;
use weir_store::Direction;
use weir_value::limits::{FILE_REMOVED_AFTER_MS, UPLOAD_URL_MS};

use super::FileError;
use crate::{Database, keyspace};

/// So many are looked at, or dropped in one commit.
const STEP_ROWS: usize = 256;
/// For how long a token is known to have been used, after it has expired.
const TOKEN_KEPT_MS: f64 = UPLOAD_URL_MS;

/// Files whose bytes are to be removed.
#[derive(Debug, Default)]
pub struct FileRemovals {
    /// These.
    pub files: Vec<RemovedFile>,
    /// There may be more of them.
    pub more: bool,
}

/// A file whose document was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovedFile {
    /// The name of its bytes.
    pub name: Uuid,
    key: Bytes,
}

impl Database {
    /// The files that were deleted so long ago that nothing reads a snapshot any more in which they are there, a few hundred
    /// at most.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn removed_files(&self, now_ms: f64) -> Result<FileRemovals, FileError> {
        let snapshot = self.store().snapshot_durable();
        let all = keyspace::removed_files();
        let rows = snapshot.scan(&all.start, &all.end, Direction::Ascending, STEP_ROWS)?;
        let mut removals = FileRemovals { files: Vec::new(), more: rows.len() == STEP_ROWS };
        for (key, _) in rows {
            let Some((deleted_ms, name)) = keyspace::removed_file_in_key(&key) else { continue };
            if deleted_ms + FILE_REMOVED_AFTER_MS > now_ms {
                removals.more = false;
                break;
            }
            removals.files.push(RemovedFile { name, key });
        }
        Ok(removals)
    }

    /// Notes that the bytes of these files are gone.
    ///
    /// # Errors
    /// The store takes no writes.
    pub fn forget_removed_files(&self, files: &[RemovedFile]) -> Result<(), FileError> {
        self.drop_keys(files.iter().map(|file| file.key.clone()).collect())
    }

    /// Drops what is kept of upload URLs that expired some time ago, a few hundred at most; gives whether there may be
    /// more of them.
    ///
    /// # Errors
    /// The store cannot be read or takes no writes.
    pub fn sweep_upload_tokens(&self, now_ms: f64) -> Result<bool, FileError> {
        let snapshot = self.store().snapshot_durable();
        let all = keyspace::uploads();
        let rows = snapshot.scan(&all.start, &all.end, Direction::Ascending, STEP_ROWS)?;
        let is_old = |key: &Bytes| {
            keyspace::upload_in_key(key)
                .is_some_and(|made_ms| made_ms + UPLOAD_URL_MS + TOKEN_KEPT_MS < now_ms)
        };
        let old: Vec<Bytes> = rows.into_iter().map(|(key, _)| key).take_while(is_old).collect();
        let more = old.len() == STEP_ROWS;
        self.drop_keys(old)?;
        Ok(more)
    }

    fn drop_keys(&self, keys: Vec<Bytes>) -> Result<(), FileError> {
        if keys.is_empty() {
            return Ok(());
        }
        let mut gate = self.committer.enter();
        let opened = self.committer.open();
        let mut tx = self.begin_system(opened.snapshot.clone());
        keys.into_iter().for_each(|key| tx.delete_key(key));
        let draft = tx.into_draft().0;
        gate.sequence_unstamped(draft.changes, &draft.counts)?;
        Ok(())
    }
}
