//! A disk in memory that knows what a power failure would leave behind.
//!
//! Each file has what was written and what was synced; so has the folder itself, because a file that was
//! created or removed may come back or be gone until the folder is synced. The folded rows of the store's
//! twin live here too, so that one freeze covers all of it.
//!
//! Not here: what the bytes mean.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use weir_value::Timestamp;

use super::{Disk, DiskFile, DiskSpace};

/// A disk in memory. Clones are the same disk; [`MemoryDisk::image`] makes another one.
#[derive(Clone, Default)]
pub struct MemoryDisk {
    pub(super) state: Arc<Mutex<State>>,
}

#[derive(Clone, Default)]
pub(super) struct State {
    pub(super) next_file: u64,
    pub(super) files: BTreeMap<u64, File>,
    pub(super) written_names: BTreeMap<String, u64>,
    pub(super) synced_names: BTreeMap<String, u64>,
    pub(super) written_fold: FoldRows,
    pub(super) synced_fold: FoldRows,
    /// What was done to the fold since its last sync.
    pub(super) fold_ops: Vec<FoldOp>,
    pub(super) syncs: u64,
    pub(super) freeze_after: Option<u64>,
    /// The state when the first sync without effect was asked for.
    pub(super) frozen: Option<Box<State>>,
    pub(super) fail_from: Option<u64>,
    pub(super) capacity_bytes: Option<u64>,
}

#[derive(Clone, Default)]
pub(super) struct File {
    pub(super) written: Vec<u8>,
    pub(super) synced: Vec<u8>,
    /// Bytes before this offset are the same in both.
    pub(super) dirty_from: usize,
}

/// The twin's folded rows: key, commit timestamp, value.
#[derive(Clone, Default)]
pub(crate) struct FoldRows {
    pub(crate) rows: BTreeMap<Bytes, (Timestamp, Bytes)>,
    pub(crate) mark: Timestamp,
}

/// One change of the folded rows.
#[derive(Clone)]
pub(crate) enum FoldOp {
    Put { key: Bytes, ts: Timestamp, value: Option<Bytes> },
    Mark(Timestamp),
}

impl FoldRows {
    pub(super) fn apply(&mut self, op: &FoldOp) {
        match op {
            FoldOp::Put { key, ts, value: Some(value) } => {
                self.rows.insert(key.clone(), (*ts, value.clone()));
            }
            FoldOp::Put { key, value: None, .. } => {
                self.rows.remove(key);
            }
            FoldOp::Mark(ts) => self.mark = *ts,
        }
    }
}

impl MemoryDisk {
    /// An empty disk without bounds.
    pub fn new() -> MemoryDisk {
        MemoryDisk::default()
    }

    /// How many syncs (of files, of the folder, of the fold) were asked for so far.
    pub fn sync_count(&self) -> u64 {
        self.state.lock().syncs
    }

    /// Freezes what is durable: the first `count` syncs of this disk's life take effect, later ones report
    /// success and do nothing.
    pub fn freeze_at_sync(&self, count: u64) {
        self.state.lock().freeze_after = Some(count);
    }

    /// From the sync with this number (the first has number 1) on, syncs fail.
    pub fn fail_from_sync(&self, number: u64) {
        self.state.lock().fail_from = Some(number);
    }

    /// Bounds the sum of all file lengths; writing beyond it fails as on a full disk, after part was written.
    /// `None` takes the bound away.
    pub fn set_capacity_bytes(&self, capacity_bytes: Option<u64>) {
        self.state.lock().capacity_bytes = capacity_bytes;
    }

    /// The names of the files of the log, oldest first.
    pub fn file_names(&self) -> Vec<String> {
        self.state.lock().written_names.keys().cloned().collect()
    }

    /// The sum of all file lengths: what counts against the capacity.
    pub fn file_bytes(&self) -> u64 {
        self.state.lock().used_bytes() as u64
    }

    /// Changes a file behind the store's back, as a failing disk would; written and synced alike.
    ///
    /// # Panics
    /// When there is no such file.
    pub fn damage(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.state.lock();
        let id = *state.written_names.get(name).expect("damage is done to a file that exists");
        let file = state.files.get_mut(&id).expect("a name leads to a file");
        change(&mut file.written);
        file.synced = file.written.clone();
        file.dirty_from = file.written.len();
    }

    /// Puts a file there behind the store's back; written and synced alike.
    pub fn write_file(&self, name: &str, bytes: &[u8]) {
        let mut state = self.state.lock();
        state.next_file += 1;
        let id = state.next_file;
        state
            .files
            .insert(id, File { written: bytes.to_vec(), synced: bytes.to_vec(), dirty_from: bytes.len() });
        state.written_names.insert(name.to_owned(), id);
        state.synced_names.insert(name.to_owned(), id);
    }

    /// Takes a file away behind the store's back, for good.
    pub fn remove_file(&self, name: &str) {
        let mut state = self.state.lock();
        state.written_names.remove(name);
        state.synced_names.remove(name);
    }

    /// Changes the folded rows.
    pub(crate) fn change_fold(&self, op: FoldOp) {
        let mut state = self.state.lock();
        state.written_fold.apply(&op);
        state.fold_ops.push(op);
    }

    /// Makes the changes of the folded rows durable.
    pub(crate) fn sync_fold(&self) -> io::Result<()> {
        self.state.lock().sync(|state| {
            for op in std::mem::take(&mut state.fold_ops) {
                state.synced_fold.apply(&op);
            }
        })
    }

    /// Reads the folded rows.
    pub(crate) fn read_fold<T>(&self, read: impl FnOnce(&FoldRows) -> T) -> T {
        read(&self.state.lock().written_fold)
    }

    fn with_file<T>(&self, id: u64, change: impl FnOnce(&mut File) -> T) -> io::Result<T> {
        let mut state = self.state.lock();
        state.files.get_mut(&id).map(change).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl State {
    /// Counts a sync and, unless it fails or the disk is frozen, lets it take `effect`.
    fn sync(&mut self, effect: impl FnOnce(&mut State)) -> io::Result<()> {
        self.syncs += 1;
        if self.fail_from.is_some_and(|number| self.syncs >= number) {
            return Err(io::Error::other("the simulated disk fails to sync"));
        }
        if self.freeze_after.is_none_or(|count| self.syncs <= count) {
            effect(self);
        } else if self.frozen.is_none() {
            self.frozen = Some(Box::new(self.clone()));
        }
        Ok(())
    }

    fn used_bytes(&self) -> usize {
        self.written_names.values().filter_map(|id| self.files.get(id)).map(|file| file.written.len()).sum()
    }

    fn room_bytes(&self) -> usize {
        let capacity =
            self.capacity_bytes.map_or(usize::MAX, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
        capacity.saturating_sub(self.used_bytes())
    }
}

impl Disk for MemoryDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.file_names())
    }

    fn read(&self, name: &str, len_max: u64) -> io::Result<Vec<u8>> {
        let id = self.find(name)?;
        self.with_file(id, |file| {
            let len = usize::try_from(len_max).unwrap_or(usize::MAX).min(file.written.len());
            file.written[..len].to_vec()
        })
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.state.lock();
        state.next_file += 1;
        let id = state.next_file;
        state.files.insert(id, File::default());
        state.written_names.insert(name.to_owned(), id);
        Ok(Box::new(MemoryFile { disk: self.clone(), id }))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(MemoryFile { disk: self.clone(), id: self.find(name)? }))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.state.lock().written_names.remove(name).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn sync_dir(&self) -> io::Result<()> {
        self.state.lock().sync(|state| {
            state.synced_names = state.written_names.clone();
            let State { files, synced_names, .. } = state;
            files.retain(|id, _| synced_names.values().any(|named| named == id));
        })
    }

    fn space(&self) -> io::Result<DiskSpace> {
        let state = self.state.lock();
        let total_bytes = state.capacity_bytes.unwrap_or(u64::MAX);
        Ok(DiskSpace { available_bytes: state.room_bytes() as u64, total_bytes })
    }

    fn path(&self, name: &str) -> PathBuf {
        PathBuf::from("memory").join(name)
    }
}

impl MemoryDisk {
    fn find(&self, name: &str) -> io::Result<u64> {
        self.state.lock().written_names.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

struct MemoryFile {
    disk: MemoryDisk,
    id: u64,
}

impl DiskFile for MemoryFile {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.disk.state.lock();
        let room_bytes = state.room_bytes();
        let file = state.files.get_mut(&self.id).ok_or(io::ErrorKind::NotFound)?;
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let growth = (start + bytes.len()).saturating_sub(file.written.len());
        let fits = bytes.len() - growth.saturating_sub(room_bytes).min(bytes.len());
        if file.written.len() < start + fits {
            file.written.resize(start + fits, 0);
        }
        file.written[start..start + fits].copy_from_slice(&bytes[..fits]);
        file.dirty_from = file.dirty_from.min(start);
        if fits < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn sync(&mut self) -> io::Result<()> {
        let id = self.id;
        self.disk.state.lock().sync(|state| {
            if let Some(file) = state.files.get_mut(&id) {
                file.synced.truncate(file.dirty_from);
                file.synced.extend_from_slice(&file.written[file.dirty_from..]);
                file.dirty_from = file.written.len();
            }
        })
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.disk.with_file(self.id, |file| {
            file.written.resize(usize::try_from(len).unwrap_or(usize::MAX), 0);
            file.dirty_from = file.dirty_from.min(file.written.len());
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(disk: &MemoryDisk, name: &str, bytes: &[u8]) -> Box<dyn DiskFile> {
        let mut file = disk.create(name).unwrap();
        file.write_at(0, bytes).unwrap();
        file
    }

    #[test]
    fn a_full_disk_takes_a_part_and_says_so() {
        let disk = MemoryDisk::new();
        disk.set_capacity_bytes(Some(4));
        let mut file = disk.create("a").unwrap();
        let error = file.write_at(0, b"123456").unwrap_err();
        assert!(crate::disk::is_full(&error));
        assert_eq!(disk.read("a", u64::MAX).unwrap(), b"1234");
        file.truncate(0).unwrap();
        file.write_at(0, b"12").unwrap();
        assert_eq!(disk.space().unwrap().available_bytes, 2);
    }

    #[test]
    fn syncs_fail_from_the_number_that_was_told() {
        let disk = MemoryDisk::new();
        disk.fail_from_sync(2);
        let mut file = write(&disk, "a", b"x");
        assert!(file.sync().is_ok());
        assert!(file.sync().is_err());
    }
}
