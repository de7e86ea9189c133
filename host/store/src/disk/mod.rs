//! The small file system under the log: one flat folder of files.
//!
//! Two tenants: the real one, and [`MemoryDisk`], which knows what a power failure would leave behind. The
//! log's code is the same over both.
//!
//! Not here: what the files hold.

mod crash;
mod memory;
mod real;

use std::io;
use std::path::PathBuf;

pub use crash::CrashImage;
pub(crate) use memory::FoldOp;
pub use memory::MemoryDisk;
pub(crate) use real::RealDisk;

/// A folder of files.
pub(crate) trait Disk: Send + Sync + 'static {
    /// The names of all files, in no particular order.
    fn list(&self) -> io::Result<Vec<String>>;

    /// The first `len_max` bytes of a file.
    fn read(&self, name: &str, len_max: u64) -> io::Result<Vec<u8>>;

    /// Makes an empty file, in place of one of that name. It survives a power failure after `sync_dir`.
    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>>;

    /// Opens a file for writing.
    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>>;

    /// Removes a file.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes creations and removals durable.
    fn sync_dir(&self) -> io::Result<()>;

    /// Room on the file system.
    fn space(&self) -> io::Result<DiskSpace>;

    /// How messages name a file.
    fn path(&self, name: &str) -> PathBuf;
}

/// A file open for writing.
pub(crate) trait DiskFile: Send {
    /// Writes all of `bytes`; after an error part of them may stand in the file.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Makes everything written so far, and the length, durable.
    fn sync(&mut self) -> io::Result<()>;

    /// Cuts the file.
    fn truncate(&mut self, len: u64) -> io::Result<()>;
}

/// Room on a file system, bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DiskSpace {
    /// What an ordinary user may still write.
    pub(crate) available_bytes: u64,
    /// The size of the file system.
    pub(crate) total_bytes: u64,
}

impl DiskSpace {
    /// The part that is kept free: `reserve_bytes`, or a sixteenth of a file system that is small.
    pub(crate) fn reserve_bytes(&self, reserve_bytes: u64) -> u64 {
        reserve_bytes.min(self.total_bytes / 16)
    }
}

/// Whether an error says that there is no room, which passes, rather than that the disk is broken.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
