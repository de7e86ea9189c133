//! One file: what programs see of it, what is surely on the disk, and the writes between.
//!
//! Everything is kept by sectors, because a disk writes a sector whole: a write that meets a part of one takes
//! the rest of it along, as the cache holds it.
//!
//! Not here: names, and when a sync happens.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::{Random, SECTOR_BYTES};

/// A file's content in the cache and on the disk.
#[derive(Debug, Clone, Default)]
pub(crate) struct File {
    cache: Vec<u8>,
    disk: Vec<u8>,
    /// Oldest first.
    unsynced: Vec<Change>,
    /// Sectors that a failed sync left clean in the cache and never wrote to the disk.
    lost: BTreeSet<usize>,
}

/// A change that no sync has covered yet.
#[derive(Debug, Clone)]
struct Change {
    at: u64,
    first_sector: usize,
    /// Whole sectors, but for the file's last one.
    data: Vec<u8>,
    /// The file's length after it.
    len: usize,
    shrinks: bool,
    /// Its own sectors and length are on the disk; earlier changes may not be.
    is_durable: bool,
}

impl Change {
    fn sectors(&self) -> Range<usize> {
        self.first_sector..self.first_sector + self.data.len().div_ceil(SECTOR_BYTES)
    }

    fn sector(&self, sector: usize) -> &[u8] {
        let start = (sector - self.first_sector) * SECTOR_BYTES;
        &self.data[start..self.data.len().min(start + SECTOR_BYTES)]
    }
}

impl File {
    /// A file that is on the disk.
    pub(crate) fn on_disk(bytes: Vec<u8>) -> File {
        File { cache: bytes.clone(), disk: bytes, ..File::default() }
    }

    /// What programs read.
    pub(crate) fn cache(&self) -> &[u8] {
        &self.cache
    }

    /// What is surely on the disk.
    pub(crate) fn disk(&self) -> &[u8] {
        &self.disk
    }

    /// `bytes` at `offset`, at moment `at`.
    pub(crate) fn write(&mut self, at: u64, offset: usize, bytes: &[u8], durable: bool) {
        if bytes.is_empty() {
            return;
        }
        let end = offset + bytes.len();
        self.cache.resize(self.cache.len().max(end), 0);
        self.cache[offset..end].copy_from_slice(bytes);
        self.note(at, offset..end, false);
        if durable {
            self.make_newest_durable();
        }
    }

    /// A new length.
    pub(crate) fn set_len(&mut self, at: u64, len: usize) {
        let before = self.cache.len();
        self.cache.resize(len, 0);
        if len < before {
            self.lost.retain(|sector| *sector < len.div_ceil(SECTOR_BYTES));
            // The cut sector is written again; without a byte of it left there is none.
            let start = len - len % SECTOR_BYTES;
            self.note(at, start..len, true);
        } else {
            self.note(at, before..before, false);
        }
    }

    fn note(&mut self, at: u64, range: Range<usize>, shrinks: bool) {
        let first_sector = range.start / SECTOR_BYTES;
        let data = if range.is_empty() {
            Vec::new()
        } else {
            let end = self.cache.len().min(range.end.next_multiple_of(SECTOR_BYTES));
            self.cache[first_sector * SECTOR_BYTES..end].to_vec()
        };
        let len = self.cache.len();
        self.unsynced.push(Change { at, first_sector, data, len, shrinks, is_durable: false });
    }

    fn make_newest_durable(&mut self) {
        // A length is durable with all that came before it.
        if self.unsynced.iter().any(|change| change.shrinks) {
            self.flush(u64::MAX);
            return;
        }
        let Some(change) = self.unsynced.last_mut() else { return };
        change.is_durable = true;
        let change = change.clone();
        self.put(&change);
        if self.unsynced.len() == 1 {
            self.unsynced.clear();
        }
    }

    /// To the disk with it.
    fn put(&mut self, change: &Change) {
        if change.shrinks {
            self.disk.truncate(change.len);
        }
        self.disk.resize(self.disk.len().max(change.len), 0);
        let start = change.first_sector * SECTOR_BYTES;
        let end = self.disk.len().min(start + change.data.len());
        self.disk[start.min(end)..end].copy_from_slice(&change.data[..end.saturating_sub(start)]);
        for sector in change.sectors() {
            self.lost.remove(&sector);
        }
    }

    /// A sync that began at `at` has succeeded.
    pub(crate) fn flush(&mut self, at: u64) {
        let newer = self.unsynced.iter().position(|change| change.at > at).unwrap_or(self.unsynced.len());
        let flushed: Vec<Change> = self.unsynced.drain(..newer).collect();
        for change in &flushed {
            self.put(change);
        }
        // What was durable already must not fall behind an older write of the same sectors.
        let durable: Vec<Change> = self.unsynced.iter().filter(|change| change.is_durable).cloned().collect();
        for change in &durable {
            self.put(change);
        }
    }

    /// A sync that began at `at` has failed: the cache takes the pages for clean, the disk never saw them.
    pub(crate) fn fail(&mut self, at: u64) {
        for change in self.unsynced.iter_mut().filter(|change| change.at <= at) {
            for sector in change.sectors() {
                if change.is_durable {
                    self.lost.remove(&sector);
                } else {
                    self.lost.insert(sector);
                }
            }
            // The length is the file system's own, and may still reach the disk.
            change.data.clear();
        }
    }

    /// What a program reads of `range` after the cache has dropped its clean pages, where that differs from
    /// what it read before.
    pub(crate) fn evictable(&self, range: Range<usize>) -> Vec<(usize, Vec<u8>)> {
        let sectors = range.start / SECTOR_BYTES..range.end.div_ceil(SECTOR_BYTES);
        let is_dirty = |sector: &usize| self.unsynced.iter().any(|change| change.sectors().contains(sector));
        let on_disk = |sector: usize| {
            let start = sector * SECTOR_BYTES;
            let end = self.cache.len().min(start + SECTOR_BYTES);
            let mut bytes = self.disk[start.min(self.disk.len())..end.min(self.disk.len())].to_vec();
            bytes.resize(end.saturating_sub(start), 0);
            (start, bytes)
        };
        let lost = self.lost.range(sectors).copied().filter(|sector| !is_dirty(sector));
        lost.map(on_disk).filter(|(_, bytes)| !bytes.is_empty()).collect()
    }

    /// The cache drops its clean pages.
    pub(crate) fn evict(&mut self, range: Range<usize>) {
        for (start, bytes) in self.evictable(range) {
            self.cache[start..start + bytes.len()].copy_from_slice(&bytes);
            self.lost.remove(&(start / SECTOR_BYTES));
        }
    }

    /// What a power failure may leave: of each sector any version since the last sync, and a length that it
    /// had or passed through. The newest version stands there in `keep_percent` of the cases.
    pub(crate) fn torn(&self, random: &mut Random, keep_percent: u64) -> Vec<u8> {
        let durable = self.unsynced.iter().rposition(|change| change.is_durable).map_or(0, |at| at + 1);
        let kept = durable + random.below(self.unsynced.len() - durable + 1);
        let len = self.torn_len(kept, random);
        let mut bytes = self.disk.clone();
        let mut floor = (0, usize::MAX);
        for (index, change) in self.unsynced[..kept].iter().enumerate().filter(|(_, change)| change.shrinks) {
            bytes.truncate(change.len);
            floor = (index, change.len.min(floor.1));
        }
        for (sector, mut versions) in self.versions() {
            if (sector + 1) * SECTOR_BYTES > floor.1 {
                versions.retain(|index| *index >= floor.0);
            }
            let newest = versions.pop().filter(|_| random.chance(keep_percent));
            let older = random.below(versions.len() + 1);
            let Some(index) = newest.or_else(|| versions.get(older).copied()) else { continue };
            let version = self.unsynced[index].sector(sector);
            let start = sector * SECTOR_BYTES;
            bytes.resize(bytes.len().max(start + version.len()), 0);
            bytes[start..start + version.len()].copy_from_slice(version);
        }
        bytes.resize(len, 0);
        bytes
    }

    fn torn_len(&self, kept: usize, random: &mut Random) -> usize {
        let len = if kept == 0 { self.disk.len() } else { self.unsynced[kept - 1].len };
        match self.unsynced.get(kept) {
            Some(next) if next.len > len && random.chance(50) => len + random.below(next.len - len + 1),
            _ => len,
        }
    }

    /// The unsynced changes of each sector, oldest first; only those that its disk's version is older than.
    fn versions(&self) -> BTreeMap<usize, Vec<usize>> {
        let mut versions: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (index, change) in self.unsynced.iter().enumerate() {
            for sector in change.sectors() {
                let of_sector = versions.entry(sector).or_default();
                if change.is_durable {
                    of_sector.clear();
                } else {
                    of_sector.push(index);
                }
            }
        }
        versions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn torn_contents(file: &File) -> BTreeSet<Vec<u8>> {
        (0..400).map(|seed| file.torn(&mut Random::new(seed), 50)).collect()
    }

    #[test]
    fn a_sync_makes_what_came_before_it_durable() {
        let mut file = File::default();
        file.write(1, 0, b"one", false);
        file.write(3, 1, b"###", false);
        file.flush(2);
        assert_eq!((file.disk(), file.cache()), (&b"one"[..], &b"o###"[..]));
        assert!(torn_contents(&file).contains(&b"o##"[..]));
        file.flush(3);
        assert_eq!(file.disk(), b"o###");
        assert_eq!(torn_contents(&file), BTreeSet::from([b"o###".to_vec()]));
    }

    #[test]
    fn sectors_are_torn_apart_and_each_is_whole() {
        let mut file = File::on_disk(vec![b'.'; 3 * SECTOR_BYTES]);
        file.write(1, 0, &vec![b'a'; 2 * SECTOR_BYTES], false);
        file.write(2, SECTOR_BYTES, &[b'b'; 1], false);
        let contents = torn_contents(&file);
        let firsts = |bytes: &Vec<u8>| (bytes[0], bytes[SECTOR_BYTES], bytes[2 * SECTOR_BYTES - 1]);
        let seen: BTreeSet<_> = contents.iter().map(firsts).collect();
        let expected = [(b'.', b'.'), (b'.', b'a'), (b'a', b'.'), (b'a', b'a')];
        let expected = expected.map(|(first, second)| (first, second, second));
        assert!(expected.iter().all(|version| seen.contains(version)), "{seen:?}");
        assert_eq!(
            seen.len(),
            6,
            "and both with the last write, whose sector has the rest of the one before"
        );
    }

    #[test]
    fn a_durable_write_survives_and_what_came_before_it_need_not() {
        let mut file = File::on_disk(vec![b'.'; 2 * SECTOR_BYTES]);
        file.write(1, 0, b"a", false);
        file.write(2, SECTOR_BYTES, b"b", true);
        file.write(3, SECTOR_BYTES, b"c", false);
        assert_eq!((file.disk()[0], file.disk()[SECTOR_BYTES]), (b'.', b'b'));
        assert!(torn_contents(&file).iter().all(|bytes| bytes[SECTOR_BYTES] != b'.'));
        file.flush(1);
        assert_eq!((file.disk()[0], file.disk()[SECTOR_BYTES]), (b'a', b'b'));
    }

    #[test]
    fn a_failed_sync_loses_what_is_not_written_again() {
        let mut file = File::on_disk(vec![b'.'; 2 * SECTOR_BYTES]);
        file.write(1, 0, &vec![b'a'; 3 * SECTOR_BYTES], false);
        file.fail(1);
        file.flush(2);
        assert_eq!(file.disk(), [vec![b'.'; 2 * SECTOR_BYTES], vec![0; SECTOR_BYTES]].concat());
        assert_eq!(file.cache(), vec![b'a'; 3 * SECTOR_BYTES]);
        file.write(3, SECTOR_BYTES, b"b", false);
        let mut evicted = file.clone();
        evicted.evict(0..usize::MAX);
        let second = [&b"b"[..], &[b'a'; SECTOR_BYTES - 1]].concat();
        let seen = [vec![b'.'; SECTOR_BYTES], second.clone(), vec![0; SECTOR_BYTES]].concat();
        assert!(evicted.cache() == seen, "dirty pages stay");
        file.flush(3);
        assert!(file.disk() == seen, "a sector that was written again goes to the disk whole");
        file.evict(0..SECTOR_BYTES);
        assert_eq!(file.cache()[..SECTOR_BYTES], [b'.'; SECTOR_BYTES]);
        assert_eq!(file.cache()[2 * SECTOR_BYTES..], [b'a'; SECTOR_BYTES]);
    }

    #[test]
    fn cut_files_never_show_what_was_cut_off_and_written_over() {
        let mut file = File::on_disk(b"hello world".to_vec());
        file.set_len(1, 5);
        file.write(2, 5, b"!", false);
        let contents = torn_contents(&file);
        let expected: BTreeSet<Vec<u8>> =
            [&b"hello world"[..], b"hello!wo\0\0\0", b"hello", b"hello!", b"hello\0"].map(Vec::from).into();
        // The old length goes with whatever the sector held.
        assert!(contents.iter().all(|bytes| bytes.len() == 11 || expected.contains(bytes)), "{contents:?}");
        assert!(contents.contains(&b"hello!"[..]) && contents.contains(&b"hello world"[..]));
        file.flush(2);
        assert_eq!(file.disk(), b"hello!");
    }
}
