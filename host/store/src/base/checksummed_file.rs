//! A file whose blocks have checksums, under redb.
//!
//! redb checks its pages when it repairs and when it is told to, not when it reads them. Here every block that
//! is read is checked against the checksum that was kept when it was written, so that a flipped bit is an error
//! and never an answer, in inner pages of the tree too, where it would send a reader astray.
//!
//! ```text
//! header     block 0: what redb keeps in its first 508 bytes, and a check of them
//! then, for each group of 1,024 data blocks:
//!   checks   a block of 1,024 checks, CRC32C, little-endian
//!   data     the blocks
//! ```
//!
//! The checks of a group are kept in memory once they are needed (4 bytes for 4 KiB), and written before the
//! file is synced. After a failure, blocks that were written since the last sync may disagree with their
//! checks; redb does not read them, because it never writes over a page that its last durable state holds.
//! The header is the one block that redb changes in place; it lies in one sector, with its check.
//!
//! Not here: what redb keeps in the blocks.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex, RwLock};
use redb::StorageBackend;

use crate::disk::{DiskFile, is_full};

/// Length of a block; redb's pages are whole numbers of them.
const BLOCK_BYTES: u64 = 4096;
/// Data blocks in a group.
const GROUP_BLOCKS: u64 = 1024;
const HEADER_BYTES: usize = 508;
const SECTOR_BYTES: usize = 512;
/// How often a write that found no room is tried again.
const ROOM_WAIT: Duration = Duration::from_millis(250);
/// The check of a block that was never written, which reads as zeros.
const UNWRITTEN: u32 = 0;

thread_local! {
    static WAITS_FOR_ROOM: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// The file. Clones are the same file.
#[derive(Clone)]
pub(crate) struct CheckedFile(Arc<Shared>);

struct Shared {
    file: Arc<dyn DiskFile>,
    /// By number; `None` where no check was needed yet.
    groups: RwLock<Vec<Option<Group>>>,
    /// As redb sees it.
    len: AtomicU64,
    /// Of the file itself. It is known here, so that no read has to ask for it.
    physical_len: AtomicU64,
    stopped: Mutex<bool>,
    stop: Condvar,
    waits: AtomicBool,
    gave_up: AtomicBool,
}

struct Group {
    checks: Box<[AtomicU32]>,
    is_dirty: AtomicBool,
}

impl CheckedFile {
    /// `file` is empty, or was written by this.
    pub(crate) fn open(file: Arc<dyn DiskFile>) -> io::Result<CheckedFile> {
        let physical_len = file.len()?;
        Ok(CheckedFile(Arc::new(Shared {
            file,
            groups: RwLock::default(),
            len: AtomicU64::new(logical_bytes(physical_len)),
            physical_len: AtomicU64::new(physical_len),
            stopped: Mutex::new(false),
            stop: Condvar::new(),
            waits: AtomicBool::new(false),
            gave_up: AtomicBool::new(false),
        })))
    }

    /// Runs `work`, whose writes wait on a full disk until there is room, instead of failing: redb does not
    /// recover from a write that failed.
    pub(crate) fn waiting_for_room<T>(work: impl FnOnce() -> T) -> T {
        let before = WAITS_FOR_ROOM.replace(true);
        let result = work();
        WAITS_FOR_ROOM.set(before);
        result
    }

    /// Whether a write waits for room now.
    pub(crate) fn is_waiting(&self) -> bool {
        self.0.waits.load(Ordering::Relaxed)
    }

    /// Whether a write that waited failed because the store closes.
    pub(crate) fn gave_up(&self) -> bool {
        self.0.gave_up.load(Ordering::Relaxed)
    }

    /// Writes no longer wait: the store closes.
    pub(crate) fn stop(&self) {
        *self.0.stopped.lock() = true;
        self.0.stop.notify_all();
    }
}

impl Shared {
    fn write_through(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.retry(|| self.file.write_at(offset, bytes))?;
        self.physical_len.fetch_max(offset + bytes.len() as u64, Ordering::AcqRel);
        Ok(())
    }

    fn set_physical_len(&self, len: u64) -> io::Result<()> {
        self.retry(|| self.file.set_len(len))?;
        self.physical_len.store(len, Ordering::Release);
        Ok(())
    }

    /// Reads; what lies behind the end of the file is zeros.
    fn read_through(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let there = self.physical_len.load(Ordering::Acquire).saturating_sub(offset);
        let there = there.min(out.len() as u64) as usize;
        out[there..].fill(0);
        self.file.read_at(offset, &mut out[..there])
    }

    fn retry(&self, write: impl Fn() -> io::Result<()>) -> io::Result<()> {
        loop {
            match write() {
                Err(error) if is_full(&error) && WAITS_FOR_ROOM.get() => {
                    self.waits.store(true, Ordering::Relaxed);
                    let mut stopped = self.stopped.lock();
                    if *stopped {
                        self.gave_up.store(true, Ordering::Relaxed);
                        return Err(error);
                    }
                    self.stop.wait_for(&mut stopped, ROOM_WAIT);
                }
                result => {
                    self.waits.store(false, Ordering::Relaxed);
                    return result;
                }
            }
        }
    }

    fn check_of(&self, block: u64) -> io::Result<u32> {
        self.with_group(block, |group, index| group.checks[index].load(Ordering::Acquire))
    }

    fn set_check(&self, block: u64, check: u32) -> io::Result<()> {
        self.with_group(block, |group, index| {
            group.checks[index].store(check, Ordering::Release);
            group.is_dirty.store(true, Ordering::Release);
        })
    }

    fn with_group<T>(&self, block: u64, mut work: impl FnMut(&Group, usize) -> T) -> io::Result<T> {
        let number = ((block - 1) / GROUP_BLOCKS) as usize;
        let index = ((block - 1) % GROUP_BLOCKS) as usize;
        if let Some(Some(group)) = self.groups.read().get(number) {
            return Ok(work(group, index));
        }
        let mut groups = self.groups.write();
        if groups.len() <= number {
            groups.resize_with(number + 1, || None);
        }
        // Another thread may have loaded it meanwhile, and changed it.
        if groups[number].is_none() {
            groups[number] = Some(self.load_group(number as u64)?);
        }
        let group = groups[number].as_ref().expect("it is there now");
        Ok(work(group, index))
    }

    fn load_group(&self, number: u64) -> io::Result<Group> {
        let mut bytes = vec![0; BLOCK_BYTES as usize];
        self.read_through(group_offset(number), &mut bytes)?;
        let checks =
            bytes.chunks_exact(4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
        Ok(Group { checks: checks.map(AtomicU32::new).collect(), is_dirty: AtomicBool::new(false) })
    }

    /// Blocks behind the end are unwritten again when the file grows over them.
    fn forget_checks_behind(&self, len: u64) -> io::Result<()> {
        let first = len.div_ceil(BLOCK_BYTES).max(1);
        let end = self.len.load(Ordering::Acquire).div_ceil(BLOCK_BYTES);
        for block in first..end {
            self.set_check(block, UNWRITTEN)?;
        }
        Ok(())
    }

    fn write_checks(&self) -> io::Result<()> {
        let groups = self.groups.read();
        for (number, group) in (0..).zip(&*groups) {
            // First the flag: what another thread sets from here on is written the next time, if not now.
            let Some(group) = group.as_ref().filter(|group| group.is_dirty.swap(false, Ordering::AcqRel))
            else {
                continue;
            };
            let checks = group.checks.iter().flat_map(|check| check.load(Ordering::Acquire).to_le_bytes());
            let written = self.write_through(group_offset(number), &checks.collect::<Vec<u8>>());
            written.inspect_err(|_| group.is_dirty.store(true, Ordering::Release))?;
        }
        Ok(())
    }

    fn read_header(&self, offset: usize, out: &mut [u8]) -> io::Result<()> {
        let mut sector = [0; SECTOR_BYTES];
        self.read_through(0, &mut sector)?;
        let (header, check) = sector.split_at(HEADER_BYTES);
        let found = u32::from_le_bytes([check[0], check[1], check[2], check[3]]);
        if found != UNWRITTEN && found != block_check(0, header)
            || found == UNWRITTEN && header.iter().any(|byte| *byte != 0)
        {
            return Err(damaged(0));
        }
        let end = (offset + out.len()).min(HEADER_BYTES);
        out.fill(0);
        if offset < end {
            out[..end - offset].copy_from_slice(&header[offset..end]);
        }
        Ok(())
    }

    fn write_header(&self, offset: usize, bytes: &[u8]) -> io::Result<()> {
        let mut header = [0; HEADER_BYTES];
        self.read_header(0, &mut header)?;
        let kept = bytes.len().min(HEADER_BYTES.saturating_sub(offset));
        if bytes[kept..].iter().any(|byte| *byte != 0) {
            return Err(io::Error::other("the header of the base is longer than there is room for"));
        }
        header[offset.min(HEADER_BYTES)..offset.min(HEADER_BYTES) + kept].copy_from_slice(&bytes[..kept]);
        let sector = [&header[..], &block_check(0, &header).to_le_bytes()].concat();
        self.write_through(0, &sector)
    }

    /// One block that is not the header's, whole.
    fn verify(&self, block: u64, bytes: &[u8]) -> io::Result<()> {
        let expected = self.check_of(block)?;
        let is_right = match expected {
            UNWRITTEN => bytes.iter().all(|byte| *byte == 0),
            expected => expected == block_check(block, bytes),
        };
        if is_right { Ok(()) } else { Err(damaged(block)) }
    }

    /// Whole blocks, of one group, from the beginning of one.
    fn read_run(&self, block: u64, out: &mut [u8]) -> io::Result<()> {
        self.read_through(data_offset(block), out)?;
        for (block, bytes) in (block..).zip(out.chunks(BLOCK_BYTES as usize)) {
            self.verify(block, bytes)?;
        }
        Ok(())
    }

    fn write_run(&self, block: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_through(data_offset(block), bytes)?;
        for (block, bytes) in (block..).zip(bytes.chunks(BLOCK_BYTES as usize)) {
            self.set_check(block, block_check(block, bytes))?;
        }
        Ok(())
    }
}

/// A part of a request that lies in the header, in one run of whole blocks, or inside one block.
struct Part {
    block: u64,
    /// Where in the block it begins.
    within: usize,
    len: usize,
}

/// Divides a request.
fn parts(offset: u64, len: usize) -> impl Iterator<Item = Part> {
    let end = offset + len as u64;
    let mut at = offset;
    std::iter::from_fn(move || {
        if at >= end {
            return None;
        }
        let (block, within) = (at / BLOCK_BYTES, (at % BLOCK_BYTES) as usize);
        let block_end = (block + 1) * BLOCK_BYTES;
        let is_whole = within == 0 && end >= block_end && block > 0;
        let group_end = ((block.max(1) - 1) / GROUP_BLOCKS + 1) * GROUP_BLOCKS + 1;
        let stop =
            if is_whole { (end / BLOCK_BYTES).min(group_end) * BLOCK_BYTES } else { end.min(block_end) };
        let part = Part { block, within, len: (stop - at) as usize };
        at = stop;
        Some(part)
    })
}

impl StorageBackend for CheckedFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.len.load(Ordering::Acquire))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        if offset + out.len() as u64 > self.0.len.load(Ordering::Acquire) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut done = 0;
        for Part { block, within, len } in parts(offset, out.len()) {
            let target = &mut out[done..done + len];
            if block == 0 {
                self.0.read_header(within, target)?;
            } else if len as u64 >= BLOCK_BYTES {
                self.0.read_run(block, target)?;
            } else {
                let mut whole = vec![0; BLOCK_BYTES as usize];
                self.0.read_run(block, &mut whole)?;
                target.copy_from_slice(&whole[within..within + len]);
            }
            done += len;
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.forget_checks_behind(len)?;
        self.0.set_physical_len(physical_bytes(len))?;
        self.0.len.store(len, Ordering::Release);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.write_checks()?;
        self.0.file.sync()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut done = 0;
        for Part { block, within, len } in parts(offset, data.len()) {
            let source = &data[done..done + len];
            if block == 0 {
                self.0.write_header(within, source)?;
            } else if len as u64 >= BLOCK_BYTES {
                self.0.write_run(block, source)?;
            } else {
                let mut whole = vec![0; BLOCK_BYTES as usize];
                self.0.read_run(block, &mut whole)?;
                whole[within..within + len].copy_from_slice(source);
                self.0.write_run(block, &whole)?;
            }
            done += len;
        }
        Ok(())
    }
}

impl fmt::Debug for CheckedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CheckedFile")
    }
}

/// Never that of an unwritten block.
fn block_check(block: u64, bytes: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&block.to_le_bytes()), bytes).max(UNWRITTEN + 1)
}

/// Where the checks of a group lie.
fn group_offset(number: u64) -> u64 {
    BLOCK_BYTES + number * (GROUP_BLOCKS + 1) * BLOCK_BYTES
}

/// Where a data block lies; block 0 is the header.
fn data_offset(block: u64) -> u64 {
    match block {
        0 => 0,
        _ => (block + 1 + (block - 1) / GROUP_BLOCKS) * BLOCK_BYTES,
    }
}

/// Length of the file for that many bytes of redb's.
fn physical_bytes(len: u64) -> u64 {
    match len {
        0 => 0,
        _ => data_offset(len.div_ceil(BLOCK_BYTES) - 1) + BLOCK_BYTES,
    }
}

/// The reverse.
fn logical_bytes(physical: u64) -> u64 {
    let blocks = physical / BLOCK_BYTES;
    let groups = blocks.saturating_sub(1).div_ceil(GROUP_BLOCKS + 1);
    (blocks - groups.min(blocks)) * BLOCK_BYTES
}

fn damaged(block: u64) -> io::Error {
    let what = format!("block {block} of the base does not match its checksum");
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::disk::{Disk, MemoryDisk};

    const LEN: u64 = 5 * 1024 * 1024;

    fn file(disk: &MemoryDisk) -> CheckedFile {
        let file = disk.open("f").or_else(|_| disk.create("f")).unwrap();
        CheckedFile::open(file).unwrap()
    }

    fn read(file: &CheckedFile, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        let mut out = vec![1; len];
        file.read(offset, &mut out).map(|()| out)
    }

    #[test]
    fn lengths_translate_both_ways() {
        for blocks in [0, 1, 2, 3, 1024, 1025, 1026, 2048, 2049, 2050, 5000] {
            assert_eq!(logical_bytes(physical_bytes(blocks * BLOCK_BYTES)), blocks * BLOCK_BYTES, "{blocks}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn it_is_a_file(
            writes in vec((prop_oneof![0..400u64, BLOCK_BYTES..40_000, 4_180_000..4_220_000u64], 1..20_000usize), 1..12),
        ) {
            let disk = MemoryDisk::new();
            let checked = file(&disk);
            checked.set_len(LEN).unwrap();
            let mut model = vec![0; LEN as usize];
            for (at, (offset, len)) in writes.into_iter().enumerate() {
                // The header has room for so much and no more.
                let len = if offset < BLOCK_BYTES { len.min(HEADER_BYTES - offset as usize) } else { len };
                let data = vec![at as u8 + 1; len];
                checked.write(offset, &data).unwrap();
                model[offset as usize..offset as usize + len].copy_from_slice(&data);
            }
            prop_assert!(read(&checked, 0, LEN as usize).unwrap() == model);
            checked.sync_data().unwrap();
            let again = file(&disk.crash(crate::memory::CrashImage::Written));
            prop_assert_eq!(again.len().unwrap(), LEN);
            prop_assert!(read(&again, 0, LEN as usize).unwrap() == model);
        }
    }

    #[test]
    fn every_flipped_bit_is_an_error_where_it_is_read() {
        let disk = MemoryDisk::new();
        let checked = file(&disk);
        checked.set_len(4 * BLOCK_BYTES).unwrap();
        checked.write(0, &[7; 320]).unwrap();
        checked.write(BLOCK_BYTES, &vec![9; 2 * BLOCK_BYTES as usize]).unwrap();
        checked.sync_data().unwrap();
        let len = disk.read("f", u64::MAX).unwrap().len();
        let mut errors = 0;
        for at in (0..600).chain(4090..4120).chain((600..len).step_by(97)) {
            disk.damage("f", |bytes| bytes[at] ^= 4);
            let damaged = file(&disk);
            let header = read(&damaged, 0, 320);
            let data = read(&damaged, BLOCK_BYTES, 3 * BLOCK_BYTES as usize);
            if let (Ok(header), Ok(data)) = (&header, &data) {
                assert!(*header == [7; 320], "byte {at}");
                assert!(data[..8192] == [9; 8192] && data[8192..] == [0; 4096], "byte {at}");
            } else {
                errors += 1;
            }
            disk.damage("f", |bytes| bytes[at] ^= 4);
        }
        assert!(errors > 550, "{errors} of them were noticed");
    }

    #[test]
    fn what_was_cut_off_is_zeros_when_the_file_grows_again() {
        let disk = MemoryDisk::new();
        let checked = file(&disk);
        checked.set_len(4 * BLOCK_BYTES).unwrap();
        checked.write(2 * BLOCK_BYTES, &[5; BLOCK_BYTES as usize]).unwrap();
        checked.set_len(2 * BLOCK_BYTES).unwrap();
        assert!(read(&checked, 2 * BLOCK_BYTES, 1).is_err());
        checked.set_len(4 * BLOCK_BYTES).unwrap();
        assert_eq!(read(&checked, 2 * BLOCK_BYTES, 9).unwrap(), [0; 9]);
    }

    #[test]
    fn writes_wait_for_room_only_where_they_are_told_to() {
        let disk = MemoryDisk::new();
        let checked = file(&disk);
        disk.set_capacity_bytes(Some(0));
        assert!(checked.set_len(BLOCK_BYTES).is_err(), "elsewhere it is an error at once");
        checked.stop();
        assert!(CheckedFile::waiting_for_room(|| checked.set_len(BLOCK_BYTES)).is_err(), "stopped");
        disk.set_capacity_bytes(None);
        assert!(CheckedFile::waiting_for_room(|| checked.set_len(BLOCK_BYTES)).is_ok());
    }
}
