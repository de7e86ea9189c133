//! The small file system under the log and the base: one flat folder of files.
//!
//! Two tenants: the real one, and [`MemoryDisk`], which knows what a power failure would leave behind. The
//! code above is the same over both.
//!
//! Not here: what the files hold.

mod crash;
mod memory;
mod real;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

pub use crash::CrashImage;
pub use memory::MemoryDisk;
pub(crate) use memory::TreeChange;
pub(crate) use real::{RealDisk, forget_cached};

/// A folder of files.
pub(crate) trait Disk: Send + Sync + 'static {
    /// The names of all files, in no particular order.
    fn list(&self) -> io::Result<Vec<String>>;

    /// The first `len_max` bytes of a file.
    fn read(&self, name: &str, len_max: u64) -> io::Result<Vec<u8>>;

    /// Makes an empty file, in place of one of that name. It survives a power failure after `sync_dir`.
    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;

    /// Opens a file for reading and writing.
    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;

    /// Removes a file.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Gives a file another name, in place of one that has it: whole, or not at all.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Makes creations, removals and new names durable.
    fn sync_dir(&self) -> io::Result<()>;

    /// Room on the file system.
    fn space(&self) -> io::Result<DiskSpace>;

    /// How messages name a file.
    fn path(&self, name: &str) -> PathBuf;
}

/// An open file.
pub(crate) trait DiskFile: Send + Sync {
    /// Its length, bytes.
    fn len(&self) -> io::Result<u64>;

    /// Reads exactly `out.len()` bytes.
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()>;

    /// Writes all of `bytes`; after an error part of them may stand in the file.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Makes everything written so far, and the length, durable.
    fn sync(&self) -> io::Result<()>;

    /// Cuts the file, or lengthens it with zeros that may have no room on the disk yet.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// Lengthens the file to `len` with zeros, for which the disk has room from now on. A file that is longer
    /// stays as it is.
    ///
    /// A file system that cannot promise room lengthens the file all the same.
    fn allocate(&self, len: u64) -> io::Result<()>;
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
