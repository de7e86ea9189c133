//! Folded rows in sled 0.34. The one file that names sled.
//!
//! What sled does not promise, and what is done about it:
//!
//! * `flush()` calls `sync_file_range`, which neither empties the drive's cache nor writes the file's
//!   metadata. A checkpoint therefore syncs sled's files itself, before and after it sets the mark.
//! * sled writes over a segment as soon as what it held has been written elsewhere and *flushed*; a power
//!   failure before the next real sync could keep the overwriting and lose the copy. So its file carries the
//!   inode's sync flag while it is open, where the file system has one: every write of sled's buffers (512
//!   KiB each) is then a synced write.
//! * Batches and transactions stop all readers: plain inserts only. What an interruption leaves half done is
//!   done again from the log.
//! * Walking backwards can end in a panic for certain keys (see [`escape`](super::escape)), and large leaves
//!   go into files that are never synced (see [`chunks`](super::chunks)).
//! * After an error of the disk it refuses everything. So it must never meet a full disk (see the reserve in
//!   the options).
//!
//! Not here: when to fold and what.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use rustix::fs::{IFlags, ioctl_getflags, ioctl_setflags};
use weir_value::Timestamp;

use super::chunks::{self, Row};
use super::escape::{escape, escape_bound, unescape};
use super::{Fold, FoldError, FoldScan, Slot};
use crate::Direction;
use crate::memory_table::Interval;

const ROWS: &str = "rows";
const PIECES: &str = "pieces";
const MARKS: &str = "marks";
const MARK: &str = "folded";

/// How long an earlier sled of this process may take to let go of its files, and how often that is asked.
const RELEASE_MAX: Duration = Duration::from_secs(5);
const RELEASE_POLL: Duration = Duration::from_millis(2);

/// Rows in a sled database.
pub(crate) struct SledFold {
    folder: PathBuf,
    db: sled::Db,
    rows: sled::Tree,
    pieces: sled::Tree,
    marks: sled::Tree,
}

impl SledFold {
    /// Opens the database in `folder`, or makes one. Nobody else may have it open.
    pub(crate) fn open(folder: &Path, cache_bytes: u64) -> Result<SledFold, FoldError> {
        let data = folder.join("db");
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
            .map_err(|_| FoldError::new("opening", damaged("sled panicked while it read its files")))?
            .map_err(|error| FoldError::new("opening", error))?;
        let tree = |name: &str| db.open_tree(name).map_err(|error| FoldError::new("opening", error));
        let (rows, pieces, marks) = (tree(ROWS)?, tree(PIECES)?, tree(MARKS)?);
        let fold = SledFold { folder: folder.to_owned(), db, rows, pieces, marks };
        if fold.mark()? == Timestamp::ZERO {
            // Perhaps just made: sled never syncs its configuration. From the first checkpoint on all files are.
            fold.sync()?;
        }
        set_sync_flag(&data, true);
        Ok(fold)
    }

    /// sled's buffers to its files, its files to the disk.
    fn sync(&self) -> Result<(), FoldError> {
        self.db.flush().map_err(|error| FoldError::new("flushing", error))?;
        sync_files(&self.folder).map_err(|error| FoldError::new("syncing", error))
    }

    fn slot(row: &[u8]) -> Result<Slot, FoldError> {
        match chunks::decode_row(row) {
            Some(Row::Here { value, .. }) => Ok(Slot::Here(Bytes::copy_from_slice(value))),
            Some(Row::Apart { ts, len }) => Ok(Slot::Apart { ts, len }),
            None => Err(FoldError::new("reading", damaged("a row has an unknown form"))),
        }
    }

    /// Takes away the pieces of the value that a row held before the commit `ts` replaced it.
    fn drop_pieces(&self, key: &[u8], before: &[u8], ts: Timestamp) -> Result<(), FoldError> {
        match chunks::decode_row(before) {
            // The same commit folded again, after a power failure: its predecessor's pieces may have been
            // left behind.
            Some(row) if row.ts() == ts => self.sweep_pieces(key, ts),
            Some(Row::Apart { ts, len }) => {
                let prefix = chunks::pieces_prefix(key);
                (0..len.div_ceil(chunks::PIECE_BYTES))
                    .try_for_each(|index| self.remove_piece(&chunks::piece_key(&prefix, ts, index)))
            }
            _ => Ok(()),
        }
    }

    /// Takes away the pieces of every value of `key` but that of the commit `keep`.
    fn sweep_pieces(&self, key: &[u8], keep: Timestamp) -> Result<(), FoldError> {
        let prefix = chunks::pieces_prefix(key);
        let keep = chunks::piece_key_prefix(&prefix, keep);
        for piece in self.pieces.scan_prefix(&prefix).keys() {
            let piece = piece.map_err(|error| FoldError::new("reading", error))?;
            if !piece.starts_with(&keep) {
                self.remove_piece(&piece)?;
            }
        }
        Ok(())
    }

    fn remove_piece(&self, piece_key: &[u8]) -> Result<(), FoldError> {
        self.pieces.remove(piece_key).map(drop).map_err(|error| FoldError::new("writing", error))
    }
}

impl Fold for SledFold {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, FoldError> {
        let row = self.rows.get(escape(key)).map_err(|error| FoldError::new("reading", error))?;
        row.map(|row| self.load(key, SledFold::slot(&row)?)).transpose()
    }

    fn scan<'a>(&'a self, interval: Interval<'a>, direction: Direction) -> FoldScan<'a> {
        let (low, high) = (escape_bound(interval.low), escape_bound(interval.high));
        let rows = self.rows.range::<Cow<'_, [u8]>, _>((low, high));
        let row = |row: sled::Result<(sled::IVec, sled::IVec)>| {
            let (key, row) = row.map_err(|error| FoldError::new("reading", error))?;
            Ok((unescape(&key), SledFold::slot(&row)?))
        };
        match direction {
            Direction::Ascending => Box::new(rows.map(row)),
            Direction::Descending => Box::new(rows.rev().map(row)),
        }
    }

    fn load(&self, key: &[u8], slot: Slot) -> Result<Bytes, FoldError> {
        match slot {
            Slot::Here(value) => Ok(value),
            Slot::Apart { ts, len } => {
                let joined =
                    chunks::join(&chunks::pieces_prefix(key), ts, len, |piece| self.pieces.get(piece));
                let value = joined.map_err(|error| FoldError::new("reading", error))?;
                value.ok_or_else(|| FoldError::new("reading", damaged("a piece of a large value is missing")))
            }
        }
    }

    fn put(&self, key: &[u8], ts: Timestamp, value: Option<&Bytes>) -> Result<(), FoldError> {
        let writing = |error| FoldError::new("writing", error);
        if let Some(value) = value.filter(|value| value.len() > chunks::PIECE_BYTES) {
            for (piece_key, piece) in chunks::cut(&chunks::pieces_prefix(key), ts, value) {
                self.pieces.insert(piece_key, piece).map_err(writing)?;
            }
        }
        let before = match value {
            Some(value) => self.rows.insert(escape(key), chunks::encode_row(ts, value)),
            None => self.rows.remove(escape(key)),
        };
        match before.map_err(writing)? {
            Some(before) => self.drop_pieces(key, &before, ts),
            None => Ok(()),
        }
    }

    fn mark(&self) -> Result<Timestamp, FoldError> {
        let mark = self.marks.get(MARK).map_err(|error| FoldError::new("reading", error))?;
        let Some(mark) = mark else { return Ok(Timestamp::ZERO) };
        let nanos = mark.as_ref().try_into().map(u64::from_be_bytes);
        nanos
            .map(Timestamp::from_nanos)
            .map_err(|_| FoldError::new("reading", damaged("the mark has an unknown form")))
    }

    fn checkpoint(&self, mark: Timestamp) -> Result<(), FoldError> {
        self.sync()?;
        let mark = mark.as_nanos().to_be_bytes();
        self.marks.insert(MARK, &mark[..]).map_err(|error| FoldError::new("writing", error))?;
        self.sync()
    }
}

fn damaged(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
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

/// Best effort: some file systems have no such flag, and then the checkpoint's own syncs are what there is.
fn set_sync_flag(path: &Path, on: bool) {
    let change = || -> io::Result<()> {
        let file = File::open(path)?;
        let mut flags = ioctl_getflags(&file)?;
        flags.set(IFlags::SYNC, on);
        Ok(ioctl_setflags(&file, flags)?)
    };
    match change() {
        Err(error) if on => tracing::debug!(%error, "this file system has no sync flag for the fold's file"),
        _ => {}
    }
}

/// Opens sled's files. Its own threads hold them for a moment after the last handle is dropped; nobody else can, because
/// the folder is locked, so a lock that is taken will be free soon.
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
    use std::collections::BTreeMap;
    use std::ops::Bound;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn open(folder: &Path) -> SledFold {
        SledFold::open(folder, 1024 * 1024).unwrap()
    }

    fn rows(fold: &SledFold, interval: Interval<'_>, direction: Direction) -> Vec<(Bytes, Bytes)> {
        fold.scan(interval, direction)
            .map(|row| {
                let (key, slot) = row.unwrap();
                let value = fold.load(&key, slot).unwrap();
                (key, value)
            })
            .collect()
    }

    fn ts(nanos: u64) -> Timestamp {
        Timestamp::from_nanos(nanos)
    }

    #[test]
    fn large_values_leave_no_pieces_behind() {
        let folder = tempfile::tempdir().unwrap();
        let fold = open(folder.path());
        let sizes = [0, 10_000, 3_000_000, 1, 4097, 4096, 70_000];
        for (at, size) in sizes.into_iter().enumerate() {
            let value = Bytes::from(vec![at as u8; size]);
            fold.put(b"k\xff", ts(at as u64 + 1), Some(&value)).unwrap();
            assert_eq!(fold.get(b"k\xff").unwrap(), Some(value));
            let expected = if size > chunks::PIECE_BYTES { size.div_ceil(chunks::PIECE_BYTES) } else { 0 };
            assert_eq!(fold.pieces.len(), expected, "{size} bytes");
        }
        // A predecessor's piece that a power failure left behind goes when the commit is folded again.
        let stray = chunks::piece_key(&chunks::pieces_prefix(b"k\xff"), ts(3), 9);
        fold.pieces.insert(stray, &b"x"[..]).unwrap();
        let last = Bytes::from(vec![6; 70_000]);
        fold.put(b"k\xff", ts(7), Some(&last)).unwrap();
        assert_eq!(fold.pieces.len(), 18);
        assert_eq!(fold.get(b"k\xff").unwrap(), Some(last));
        fold.put(b"k\xff", ts(8), None).unwrap();
        assert_eq!((fold.get(b"k\xff").unwrap(), fold.pieces.len()), (None, 0));
    }

    #[test]
    fn rows_and_the_mark_survive() {
        let folder = tempfile::tempdir().unwrap();
        let fold = open(folder.path());
        assert_eq!(fold.mark().unwrap(), Timestamp::ZERO);
        fold.put(b"a", ts(1), Some(&Bytes::from_static(b"1"))).unwrap();
        fold.checkpoint(ts(5)).unwrap();
        drop(fold);
        let fold = open(folder.path());
        assert_eq!(fold.mark().unwrap(), ts(5));
        assert_eq!(fold.get(b"a").unwrap().as_deref(), Some(&b"1"[..]));
    }

    #[test]
    fn runs_of_the_byte_255_do_not_trap_a_walk_backwards() {
        let folder = tempfile::tempdir().unwrap();
        let fold = open(folder.path());
        let keys: Vec<Vec<u8>> = (0..200u8).map(|i| [&b"a"[..], &[255; 7], &[i], b"b"].concat()).collect();
        for key in keys.iter().chain([&b"b".to_vec(), &b"b\0".to_vec()]) {
            fold.put(key, ts(1), Some(&Bytes::new())).unwrap();
        }
        for i in 0..200u8 {
            fold.put(&[b'b', i], ts(1), Some(&Bytes::new())).unwrap();
        }
        assert_eq!(rows(&fold, Interval::ALL, Direction::Descending).len(), 401);
    }

    #[test]
    fn damaged_files_are_an_error_and_no_panic() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("conf"), vec![b'x'; 100]).unwrap();
        let error = SledFold::open(folder.path(), 1024 * 1024).err().unwrap();
        assert!(error.to_string().starts_with("opening the folded data failed"), "{error}");
    }

    fn key() -> impl Strategy<Value = Vec<u8>> {
        vec(prop_oneof![Just(0u8), Just(1), Just(255)], 0..6)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn it_is_an_ordered_map(
            puts in vec((key(), proptest::option::of(0..6000usize)), 0..120),
            (low, high) in (key(), key()),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let fold = open(folder.path());
            let mut model = BTreeMap::new();
            for (at, (key, size)) in puts.into_iter().enumerate() {
                let value = size.map(|size| Bytes::from(vec![at as u8; size]));
                fold.put(&key, ts(at as u64 + 1), value.as_ref()).unwrap();
                match value {
                    Some(value) => model.insert(Bytes::from(key), value),
                    None => model.remove(&key[..]),
                };
            }
            let interval = Interval { low: Bound::Included(&low), high: Bound::Excluded(&high) };
            if !interval.is_empty() {
                let mut expected: Vec<(Bytes, Bytes)> = model
                    .range::<[u8], _>((interval.low, interval.high))
                    .map(|(key, value)| (key.clone(), value.clone()))
                    .collect();
                prop_assert_eq!(rows(&fold, interval, Direction::Ascending), expected.clone());
                expected.reverse();
                prop_assert_eq!(rows(&fold, interval, Direction::Descending), expected);
            }
        }
    }
}
