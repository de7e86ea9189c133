//! A disk in memory that knows what a power failure would leave behind.
//!
//! Each file has what was written, what was synced, and which pages differ; so has the folder itself, because
//! a file that was created or removed may come back or be gone until the folder is synced. The rows of the
//! store's twin live here too, so that one freeze covers all of it.
//!
//! A sync that fails leaves the pages clean and unwritten, as the kernel does: the next sync succeeds without
//! them, and only a write makes them dirty again.
//!
//! Not here: what the bytes mean.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

use super::{Disk, DiskFile, DiskSpace};

/// The unit in which the kernel remembers what is dirty.
pub(super) const PAGE_BYTES: usize = 4096;

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
    pub(super) written_rows: Rows,
    pub(super) synced_rows: Rows,
    /// What was done to the rows since their last sync.
    pub(super) row_changes: Vec<TreeChange>,
    pub(super) syncs: u64,
    pub(super) freeze_after: Option<u64>,
    /// The state when the first sync without effect was asked for.
    pub(super) frozen: Option<Box<State>>,
    pub(super) failing: Option<Failing>,
    pub(super) capacity_bytes: Option<u64>,
}

/// Which syncs fail.
#[derive(Clone, Copy)]
pub(super) enum Failing {
    From(u64),
    Only(u64),
}

#[derive(Clone, Default)]
pub(super) struct File {
    pub(super) written: Vec<u8>,
    pub(super) synced: Vec<u8>,
    /// Numbers of the pages that the next sync writes.
    pub(super) dirty: BTreeSet<usize>,
}

/// The twin's rows, whose keys begin with their space.
pub(crate) type Rows = BTreeMap<Bytes, Bytes>;

/// One change of the twin's rows.
#[derive(Clone)]
pub(crate) struct TreeChange {
    pub(crate) key: Bytes,
    pub(crate) value: Option<Bytes>,
}

impl TreeChange {
    pub(super) fn apply(&self, rows: &mut Rows) -> Option<Bytes> {
        match &self.value {
            Some(value) => rows.insert(self.key.clone(), value.clone()),
            None => rows.remove(&self.key),
        }
    }
}

impl MemoryDisk {
    /// An empty disk without bounds.
    pub fn new() -> MemoryDisk {
        MemoryDisk::default()
    }

    /// How many syncs (of files, of the folder, of the rows) were asked for so far.
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
        self.state.lock().failing = Some(Failing::From(number));
    }

    /// The sync with this number fails, and the disk is well again after it.
    pub fn fail_sync(&self, number: u64) {
        self.state.lock().failing = Some(Failing::Only(number));
    }

    /// Bounds the sum of all file lengths; writing beyond it fails as on a full disk, after part was written.
    /// `None` takes the bound away.
    pub fn set_capacity_bytes(&self, capacity_bytes: Option<u64>) {
        self.state.lock().capacity_bytes = capacity_bytes;
    }

    /// The names of all files, in order.
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
        *file = File::whole(std::mem::take(&mut file.written));
    }

    /// Puts a file there behind the store's back; written and synced alike.
    pub fn write_file(&self, name: &str, bytes: &[u8]) {
        let mut state = self.state.lock();
        state.next_file += 1;
        let id = state.next_file;
        state.files.insert(id, File::whole(bytes.to_vec()));
        state.written_names.insert(name.to_owned(), id);
        state.synced_names.insert(name.to_owned(), id);
    }

    /// Takes a file away behind the store's back, for good.
    pub fn remove_file(&self, name: &str) {
        let mut state = self.state.lock();
        state.written_names.remove(name);
        state.synced_names.remove(name);
    }

    /// Changes one of the rows; returns its value before.
    pub(crate) fn change_row(&self, change: TreeChange) -> Option<Bytes> {
        let mut state = self.state.lock();
        let before = change.apply(&mut state.written_rows);
        state.row_changes.push(change);
        before
    }

    /// Makes the changes of the rows durable.
    pub(crate) fn sync_rows(&self) -> io::Result<()> {
        let mut state = self.state.lock();
        let synced = state.sync(|state| {
            for change in std::mem::take(&mut state.row_changes) {
                change.apply(&mut state.synced_rows);
            }
        });
        if synced.is_err() {
            state.row_changes.clear();
        }
        synced
    }

    /// Reads the rows.
    pub(crate) fn read_rows<T>(&self, read: impl FnOnce(&Rows) -> T) -> T {
        read(&self.state.lock().written_rows)
    }

    /// What the kernel may do at any moment: it drops the pages that it takes for clean, and the next reads are
    /// the disk's. That shows when a sync has failed, and at no other time.
    pub fn evict(&self) {
        let mut state = self.state.lock();
        state.files.values_mut().for_each(File::evict);
        state.evict_rows();
    }

    /// What the kernel does that is asked to drop what it caches of a file.
    pub(crate) fn forget_cached(&self, name: &str) -> io::Result<()> {
        let Ok(id) = self.find(name) else { return Ok(()) };
        let mut state = self.state.lock();
        state.sync_file(id)?;
        if let Some(file) = state.files.get_mut(&id) {
            file.evict();
        }
        Ok(())
    }

    /// As [`MemoryDisk::forget_cached`], for the rows.
    pub(crate) fn forget_cached_rows(&self) -> io::Result<()> {
        self.sync_rows()?;
        self.state.lock().evict_rows();
        Ok(())
    }

    fn with_file<T>(&self, id: u64, change: impl FnOnce(&mut File) -> T) -> io::Result<T> {
        let mut state = self.state.lock();
        state.files.get_mut(&id).map(change).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn find(&self, name: &str) -> io::Result<u64> {
        self.state.lock().written_names.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl File {
    /// Written and synced alike.
    pub(super) fn whole(bytes: Vec<u8>) -> File {
        File { synced: bytes.clone(), written: bytes, dirty: BTreeSet::new() }
    }

    fn touch(&mut self, from: usize, to: usize) {
        self.dirty.extend(from / PAGE_BYTES..to.div_ceil(PAGE_BYTES));
    }

    /// The bytes of a page that are inside a file of that length.
    pub(super) fn page(number: usize, len: usize) -> std::ops::Range<usize> {
        (number * PAGE_BYTES).min(len)..((number + 1) * PAGE_BYTES).min(len)
    }

    /// Pages that are not dirty are the disk's again.
    fn evict(&mut self) {
        let len = self.written.len();
        for number in (0..len.div_ceil(PAGE_BYTES)).filter(|number| !self.dirty.contains(number)) {
            let page = File::page(number, len);
            let there = page.start.min(self.synced.len())..page.end.min(self.synced.len());
            self.written[page.clone()].fill(0);
            self.written[page.start..page.start + there.len()].copy_from_slice(&self.synced[there]);
        }
    }

    fn sync(&mut self) {
        self.synced.resize(self.written.len(), 0);
        for number in std::mem::take(&mut self.dirty) {
            let page = File::page(number, self.written.len());
            self.synced[page.clone()].copy_from_slice(&self.written[page]);
        }
    }
}

impl State {
    /// Counts a sync and, unless it fails or the disk is frozen, lets it take `effect`.
    fn sync(&mut self, effect: impl FnOnce(&mut State)) -> io::Result<()> {
        self.syncs += 1;
        let fails = match self.failing {
            Some(Failing::From(number)) => self.syncs >= number,
            Some(Failing::Only(number)) => self.syncs == number,
            None => false,
        };
        if fails {
            return Err(io::Error::other("the simulated disk fails to sync"));
        }
        if self.freeze_after.is_none_or(|count| self.syncs <= count) {
            effect(self);
        } else if self.frozen.is_none() {
            self.frozen = Some(Box::new(self.clone()));
        }
        Ok(())
    }

    fn sync_file(&mut self, id: u64) -> io::Result<()> {
        let synced = self.sync(|state| {
            if let Some(file) = state.files.get_mut(&id) {
                file.sync();
            }
        });
        if synced.is_err()
            && let Some(file) = self.files.get_mut(&id)
        {
            file.dirty.clear();
        }
        synced
    }

    fn evict_rows(&mut self) {
        self.written_rows = self.synced_rows.clone();
        for change in &self.row_changes {
            change.apply(&mut self.written_rows);
        }
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

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.state.lock();
        state.next_file += 1;
        let id = state.next_file;
        state.files.insert(id, File::default());
        state.written_names.insert(name.to_owned(), id);
        Ok(Arc::new(MemoryFile { disk: self.clone(), id }))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(MemoryFile { disk: self.clone(), id: self.find(name)? }))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.state.lock().written_names.remove(name).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.state.lock();
        let id = state.written_names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        state.written_names.insert(to.to_owned(), id);
        Ok(())
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

struct MemoryFile {
    disk: MemoryDisk,
    id: u64,
}

impl MemoryFile {
    /// Lengthens the file to `len`, if the disk has room for all of that.
    fn grow(&self, len: u64) -> io::Result<()> {
        let mut state = self.disk.state.lock();
        let room_bytes = state.room_bytes();
        let file = state.files.get_mut(&self.id).ok_or(io::ErrorKind::NotFound)?;
        let len = usize::try_from(len).map_err(io::Error::other)?;
        let growth = len.saturating_sub(file.written.len());
        if growth > room_bytes {
            return Err(io::ErrorKind::StorageFull.into());
        }
        if growth > 0 {
            file.written.resize(len, 0);
        }
        Ok(())
    }
}

impl DiskFile for MemoryFile {
    fn len(&self) -> io::Result<u64> {
        self.disk.with_file(self.id, |file| file.written.len() as u64)
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        self.disk.with_file(self.id, |file| {
            let bytes = file.written.get(start..start + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
            out.copy_from_slice(bytes);
            Ok(())
        })?
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
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
        file.touch(start, start + fits);
        if fits < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.state.lock().sync_file(self.id)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.grow(len)?;
        let len = usize::try_from(len).map_err(io::Error::other)?;
        self.disk.with_file(self.id, |file| {
            if len < file.written.len() {
                file.written.truncate(len);
                // What is cut and written again differs from what was synced, whatever is written.
                file.dirty.insert(len / PAGE_BYTES);
            }
        })
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        self.grow(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::CrashImage;

    fn write(disk: &MemoryDisk, name: &str, bytes: &[u8]) -> Arc<dyn DiskFile> {
        let file = disk.create(name).unwrap();
        file.write_at(0, bytes).unwrap();
        file
    }

    #[test]
    fn a_full_disk_takes_a_part_and_says_so() {
        let disk = MemoryDisk::new();
        disk.set_capacity_bytes(Some(4));
        let file = disk.create("a").unwrap();
        let error = file.write_at(0, b"123456").unwrap_err();
        assert!(crate::disk::is_full(&error));
        assert_eq!(disk.read("a", u64::MAX).unwrap(), b"1234");
        file.set_len(0).unwrap();
        file.write_at(0, b"12").unwrap();
        assert_eq!(disk.space().unwrap().available_bytes, 2);
        assert!(crate::disk::is_full(&file.allocate(5).unwrap_err()));
        file.allocate(4).unwrap();
        assert_eq!(file.len().unwrap(), 4);
    }

    #[test]
    fn syncs_fail_from_the_number_that_was_told() {
        let disk = MemoryDisk::new();
        disk.fail_from_sync(2);
        let file = write(&disk, "a", b"x");
        assert!(file.sync().is_ok());
        assert!(file.sync().is_err());
    }

    #[test]
    fn a_failed_sync_loses_what_is_not_written_again() {
        let disk = MemoryDisk::new();
        let file = write(&disk, "a", &[1; 5000]);
        disk.sync_dir().unwrap();
        disk.fail_sync(disk.sync_count() + 1);
        assert!(file.sync().is_err());
        file.write_at(4096, &[2; 904]).unwrap();
        file.sync().unwrap();
        assert_eq!(disk.read("a", u64::MAX).unwrap()[..4096], [1; 4096], "the cache has it");
        let left = disk.image().read("a", u64::MAX).unwrap();
        assert_eq!((&left[..4096], &left[4096..]), (&[0; 4096][..], &[2; 904][..]), "the disk has not");
        assert_eq!(disk.crash(CrashImage::Written).read("a", u64::MAX).unwrap()[..4096], [1; 4096]);
        file.write_at(4200, &[3; 10]).unwrap();
        disk.evict();
        let kept = disk.read("a", u64::MAX).unwrap();
        assert_eq!((&kept[..4096], &kept[4200..4210]), (&left[..4096], &[3; 10][..]), "dirty pages stay");
        disk.forget_cached("a").unwrap();
        assert_eq!(disk.read("a", u64::MAX).unwrap(), kept);
    }
}
