//! A tree on sled 0.34. The one file that names sled.
//!
//! What sled does not promise, and what is done about it:
//!
//! * `flush()` calls `sync_file_range`, which neither empties the drive's cache nor writes the file's metadata.
//!   A sync therefore syncs sled's files itself.
//! * sled writes over a segment as soon as what it held has been written elsewhere and *flushed*; a power
//!   failure before the next real sync could keep the overwriting and lose the copy. So its file carries the
//!   inode's sync flag while it is open, where the file system has one: every write of sled's buffers (512
//!   KiB each) is then a synced write. Where there is none, that is said at every start.
//! * Its accountant of segments waits for a truncation on sled's own pool of threads, holding a lock that all
//!   of them may want: with as many full buffers on the way as there are threads, nothing moves again. So the
//!   writes between two flushes are bounded to what fewer buffers hold, and a watchdog ends the process
//!   should it stall all the same.
//! * It takes the draft of a snapshot, which a killed start leaves behind, for its newest snapshot, and refuses
//!   it for ever. So drafts are removed before it opens.
//! * Batches and transactions stop all readers: plain inserts only. What an interruption leaves half done is
//!   done again from the log.
//! * Walking backwards can end in a panic for certain keys (see [`escape`](super::escape)), and large leaves
//!   go into files that are never synced (see [`row`](super::row)).
//! * After an error of the disk it refuses everything. So it must never meet a full disk (see the reserve in
//!   the options).
//!
//! Not here: when to write and what.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use rustix::fs::{IFlags, ioctl_getflags, ioctl_setflags};

use super::BaseError;
use super::escape::{escape, escape_bound, unescape};
use super::tree::{Entries, Space, Tree, TreeWriter, Work};
use crate::Direction;
use crate::memory_table::Interval;

const NAMES: [&str; 3] = ["rows", "pieces", "marks"];
/// What a draft of a snapshot is called.
const DRAFT_SUFFIX: &str = ".generating";
/// Below this room on the disk nothing is written: a flush writes several segments before it frees one, and
/// so does a snapshot.
const ROOM_NEEDED_BYTES: u64 = 48 * 1024 * 1024;
/// The most that the writes between two flushes may make sled write: four of its buffers, of seven threads.
const BETWEEN_FLUSHES_BYTES: usize = 2 * 1024 * 1024;
/// An insert may make sled write its whole leaf: sixteen entries.
const LEAF_ENTRIES: usize = 16;
/// Bytes beside key and value, an entry.
const ENTRY_BYTES: usize = 64;

/// How long an earlier sled of this process may take to let go of its files, and how often that is asked.
const RELEASE_MAX: Duration = Duration::from_secs(5);
const RELEASE_POLL: Duration = Duration::from_millis(2);

/// Maps in a sled database.
pub(crate) struct SledTree {
    folder: PathBuf,
    db: sled::Db,
    trees: [sled::Tree; 3],
}

impl SledTree {
    /// Opens the database in `folder`, or makes one. Nobody else may have it open.
    pub(crate) fn open(folder: &Path, cache_bytes: u64) -> Result<SledTree, BaseError> {
        let data = folder.join("db");
        remove_drafts(folder).map_err(|error| BaseError::new("cleaning", error))?;
        // While it recovers, sled overwrites every free segment, and syncs its file once when it is done.
        set_sync_flag(&data, false);
        let config = sled::Config::new()
            .path(folder)
            .cache_capacity(cache_bytes)
            .flush_every_ms(None)
            .use_compression(false)
            .mode(sled::Mode::HighThroughput);
        // sled panics on some kinds of damage where others get an error.
        let db = catch_unwind(AssertUnwindSafe(|| open_when_released(&config)))
            .map_err(|_| BaseError::damaged("the base is damaged: sled panicked"))?
            .map_err(|error| BaseError::new("opening", error))?;
        let [rows, pieces, marks] = NAMES.map(|name| db.open_tree(name));
        let opened = |tree: sled::Result<sled::Tree>| tree.map_err(|error| BaseError::new("opening", error));
        let trees = [opened(rows)?, opened(pieces)?, opened(marks)?];
        let tree = SledTree { folder: folder.to_owned(), db, trees };
        if tree.tree(Space::Marks).is_empty() {
            // Perhaps just made: sled never syncs its configuration. From the first sync on all files are.
            tree.sync()?;
        }
        if !set_sync_flag(&data, true) {
            tracing::warn!(
                file = %data.display(),
                "this file system has no sync flag: a power failure may damage a sled base; convert it with \
                 `host convert --base redb`"
            );
        }
        Ok(tree)
    }

    fn tree(&self, space: Space) -> &sled::Tree {
        &self.trees[space as usize]
    }
}

impl Tree for SledTree {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Bytes>, BaseError> {
        let value = guarded(|| self.tree(space).get(escape(key)))?;
        Ok(value.map(|value| Bytes::copy_from_slice(&value)))
    }

    fn range<'a>(
        &'a self,
        space: Space,
        interval: Interval<'a>,
        direction: Direction,
    ) -> Result<Entries<'a>, BaseError> {
        let (low, high) = (escape_bound(interval.low), escape_bound(interval.high));
        let mut entries = self.tree(space).range::<Cow<'_, [u8]>, _>((low, high));
        Ok(Box::new(std::iter::from_fn(move || {
            let next = match direction {
                Direction::Ascending => guarded(|| entries.next().transpose()),
                Direction::Descending => guarded(|| entries.next_back().transpose()),
            };
            let entry = next.transpose()?;
            Some(entry.map(|(key, value)| (unescape(&key), Bytes::copy_from_slice(&value))))
        })))
    }

    fn write(&self, work: &mut Work<'_>) -> Result<(), BaseError> {
        work(&mut Writer { tree: self, unflushed_bytes: 0 })
    }

    /// sled's buffers to its files, its files to the disk.
    fn sync(&self) -> Result<(), BaseError> {
        guarded(|| self.db.flush())?;
        sync_files(&self.folder).map_err(|error| BaseError::new("syncing", error))
    }

    fn may_fall_back(&self) -> bool {
        true
    }

    fn room_needed(&self) -> u64 {
        ROOM_NEEDED_BYTES
    }

    fn check(&self) -> Result<(), BaseError> {
        guarded(|| self.db.verify_integrity())
    }

    fn is_waiting_for_room(&self) -> bool {
        false
    }

    fn gave_up(&self) -> bool {
        false
    }

    fn stop(&self) {}
}

struct Writer<'a> {
    tree: &'a SledTree,
    /// At most what sled may have to write since the last flush.
    unflushed_bytes: usize,
}

impl Writer<'_> {
    fn note(&mut self, entry_bytes: usize) -> Result<(), BaseError> {
        self.unflushed_bytes += LEAF_ENTRIES * (entry_bytes + ENTRY_BYTES);
        if self.unflushed_bytes > BETWEEN_FLUSHES_BYTES {
            self.unflushed_bytes = 0;
            guarded(|| self.tree.db.flush())?;
        }
        Ok(())
    }
}

impl TreeWriter for Writer<'_> {
    fn insert(&mut self, space: Space, key: &[u8], value: &[u8]) -> Result<Option<Bytes>, BaseError> {
        let before = guarded(|| self.tree.tree(space).insert(escape(key), value))?;
        self.note(key.len() + value.len())?;
        Ok(before.map(|before| Bytes::copy_from_slice(&before)))
    }

    fn remove(&mut self, space: Space, key: &[u8]) -> Result<Option<Bytes>, BaseError> {
        let before = guarded(|| self.tree.tree(space).remove(escape(key)))?;
        self.note(key.len())?;
        Ok(before.map(|before| Bytes::copy_from_slice(&before)))
    }

    fn keys(&self, space: Space, prefix: &[u8]) -> Result<Vec<Bytes>, BaseError> {
        let end = super::tree::end_of_prefix(prefix);
        let entries = self.tree.range(space, super::prefix_range(prefix, &end), Direction::Ascending)?;
        entries.map(|entry| entry.map(|(key, _)| key)).collect()
    }
}

/// sled panics on some kinds of damage, when it meets them; to everybody else that is an error.
fn guarded<T>(call: impl FnOnce() -> sled::Result<T>) -> Result<T, BaseError> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(result) => result.map_err(|error| BaseError::new("using", error)),
        Err(_) => Err(BaseError::damaged("the base is damaged: sled panicked")),
    }
}

fn remove_drafts(folder: &Path) -> io::Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_name().to_string_lossy().ends_with(DRAFT_SUFFIX) {
            tracing::info!(file = %entry.path().display(), "removing what an interrupted start left behind");
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Syncs every file below `folder`, and the folders: a handful, almost all of the bytes in one.
fn sync_files(folder: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let synced = match entry.file_type()? {
            kind if kind.is_dir() => sync_files(&entry.path()),
            _ => File::open(entry.path()).and_then(|file| file.sync_all()),
        };
        match synced {
            // sled removes files of its own while it runs.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            synced => synced?,
        }
    }
    File::open(folder)?.sync_all()
}

/// Whether it worked: some file systems have no such flag.
fn set_sync_flag(path: &Path, on: bool) -> bool {
    let change = || -> io::Result<()> {
        let file = File::open(path)?;
        let mut flags = ioctl_getflags(&file)?;
        flags.set(IFlags::SYNC, on);
        Ok(ioctl_setflags(&file, flags)?)
    };
    change().is_ok()
}

/// Opens sled's files. Its own threads hold them for a moment after the last handle is dropped; nobody else can, because
/// the folder is locked, so a lock that is taken will be free soon.
#[expect(clippy::disallowed_methods, reason = "sled's own threads run in real time, whatever the `Env`")]
fn open_when_released(config: &sled::Config) -> sled::Result<sled::Db> {
    let attempts = RELEASE_MAX.as_millis() / RELEASE_POLL.as_millis();
    for _ in 0..attempts {
        match config.open() {
            Err(sled::Error::Io(error)) if error.to_string().contains("could not acquire lock") => {
                std::thread::sleep(RELEASE_POLL);
            }
            other => return other,
        }
    }
    config.open()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drafts_of_snapshots_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        drop(SledTree::open(folder.path(), 1024 * 1024).unwrap());
        let draft = folder.path().join("snap.FFFFFFFFFFFFFFF0.generating");
        std::fs::write(&draft, b"half a snapshot").unwrap();
        drop(SledTree::open(folder.path(), 1024 * 1024).unwrap());
        assert!(!draft.exists());
    }

    #[test]
    fn damaged_files_are_an_error_and_no_panic() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("conf"), vec![b'x'; 100]).unwrap();
        let error = SledTree::open(folder.path(), 1024 * 1024).err().unwrap();
        assert!(error.to_string().starts_with("opening the base failed"), "{error}");
    }
}
