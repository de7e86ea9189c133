//! A folder of the operating system's file system.
//!
//! Not here: the lock of the data folder (see `open`).

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::errno::Errno;
use nix::fcntl::{FallocateFlags, PosixFadviseAdvice, fallocate, posix_fadvise};

use super::{Disk, DiskFile, DiskSpace};

/// Files below one folder, which must exist.
#[derive(Debug)]
pub(crate) struct RealDisk {
    folder: PathBuf,
}

impl RealDisk {
    pub(crate) fn new(folder: &Path) -> RealDisk {
        RealDisk { folder: folder.to_owned() }
    }
}

impl Disk for RealDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        Ok(names)
    }

    fn read(&self, name: &str, len_max: u64) -> io::Result<Vec<u8>> {
        let file = File::open(self.path(name))?;
        let len = file.metadata()?.len().min(len_max);
        let mut bytes = Vec::with_capacity(usize::try_from(len).unwrap_or(0));
        file.take(len_max).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(true).open(self.path(name))?;
        Ok(Arc::new(RealFile(file)))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(RealFile(OpenOptions::new().read(true).write(true).open(self.path(name))?)))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path(name))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path(from), self.path(to))
    }

    fn sync_dir(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }

    fn space(&self) -> io::Result<DiskSpace> {
        let stat = nix::sys::statvfs::statvfs(&self.folder)?;
        let bytes = |blocks: u64| blocks.saturating_mul(stat.fragment_size());
        Ok(DiskSpace { available_bytes: bytes(stat.blocks_available()), total_bytes: bytes(stat.blocks()) })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

struct RealFile(File);

impl DiskFile for RealFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read_exact_at(out, offset)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        // fdatasync: the data, and of the metadata what is needed to read it back, the length above all.
        self.0.sync_data()
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        let length = i64::try_from(len).map_err(io::Error::other)?;
        match fallocate(&self.0, FallocateFlags::empty(), 0, length) {
            Ok(()) => Ok(()),
            Err(Errno::EOPNOTSUPP | Errno::ENOSYS) if self.len()? < len => self.0.set_len(len),
            Err(Errno::EOPNOTSUPP | Errno::ENOSYS) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Makes the next reads of the files below `folder` ask the disk, not the page cache.
///
/// After a failed sync the kernel holds pages that it takes for written and that never reached the disk: a
/// later sync "succeeds" without them. So what a process leaves behind that did not end well is written out
/// and then dropped from the cache; what is read afterwards is what a power failure would leave.
pub(crate) fn forget_cached(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            forget_cached(&entry.path())?;
            continue;
        }
        let file = OpenOptions::new().read(true).write(true).open(entry.path())?;
        file.sync_all()?;
        posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED)?;
    }
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_written_read_cut_renamed_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let disk = RealDisk::new(folder.path());
        let file = disk.create("a").unwrap();
        file.write_at(0, b"hello world").unwrap();
        file.sync().unwrap();
        file.set_len(5).unwrap();
        disk.sync_dir().unwrap();
        assert_eq!(disk.read("a", u64::MAX).unwrap(), b"hello");
        assert_eq!(disk.read("a", 2).unwrap(), b"he");
        disk.open("a").unwrap().write_at(5, b"!").unwrap();
        disk.rename("a", "b").unwrap();
        assert_eq!(disk.read("b", u64::MAX).unwrap(), b"hello!");
        let mut part = [0; 2];
        disk.open("b").unwrap().read_at(4, &mut part).unwrap();
        assert_eq!(&part, b"o!");
        assert_eq!(disk.list().unwrap(), ["b"]);
        disk.remove("b").unwrap();
        assert!(disk.list().unwrap().is_empty());
        assert!(disk.open("b").is_err());
    }

    #[test]
    fn room_is_allocated_behind_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let disk = RealDisk::new(folder.path());
        let file = disk.create("a").unwrap();
        file.write_at(0, b"x").unwrap();
        file.allocate(100_000).unwrap();
        file.allocate(10).unwrap();
        assert_eq!(file.len().unwrap(), 100_000);
        let bytes = disk.read("a", u64::MAX).unwrap();
        assert!(bytes[0] == b'x' && bytes[1..].iter().all(|byte| *byte == 0));
        forget_cached(folder.path()).unwrap();
        assert_eq!(disk.read("a", u64::MAX).unwrap(), bytes);
    }

    #[test]
    fn the_file_system_tells_its_room() {
        let folder = tempfile::tempdir().unwrap();
        let space = RealDisk::new(folder.path()).space().unwrap();
        assert!(space.total_bytes > 0 && space.available_bytes <= space.total_bytes);
        assert_eq!(space.reserve_bytes(u64::MAX), space.total_bytes / 16);
        assert_eq!(space.reserve_bytes(1), 1);
    }
}
