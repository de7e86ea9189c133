//! A folder of the operating system's file system.
//!
//! Not here: the lock of the data folder (see `open`).

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

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

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(self.path(name))?;
        Ok(Box::new(RealFile(file)))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(RealFile(OpenOptions::new().write(true).open(self.path(name))?)))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path(name))
    }

    fn sync_dir(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }

    fn space(&self) -> io::Result<DiskSpace> {
        let stat = rustix::fs::statvfs(&self.folder)?;
        let bytes = |blocks: u64| blocks.saturating_mul(stat.f_frsize);
        Ok(DiskSpace { available_bytes: bytes(stat.f_bavail), total_bytes: bytes(stat.f_blocks) })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

struct RealFile(File);

impl DiskFile for RealFile {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn sync(&mut self) -> io::Result<()> {
        // fdatasync: the data, and of the metadata what is needed to read it back, the length above all.
        self.0.sync_data()
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_written_read_cut_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let disk = RealDisk::new(folder.path());
        let mut file = disk.create("a").unwrap();
        file.write_at(0, b"hello world").unwrap();
        file.sync().unwrap();
        file.truncate(5).unwrap();
        disk.sync_dir().unwrap();
        assert_eq!(disk.read("a", u64::MAX).unwrap(), b"hello");
        assert_eq!(disk.read("a", 2).unwrap(), b"he");
        disk.open("a").unwrap().write_at(5, b"!").unwrap();
        assert_eq!(disk.read("a", u64::MAX).unwrap(), b"hello!");
        assert_eq!(disk.list().unwrap(), ["a"]);
        disk.remove("a").unwrap();
        assert!(disk.list().unwrap().is_empty());
        assert!(disk.open("a").is_err());
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
