//! Which descriptors are open files below the root, and what paths mean.
//!
//! Not here: opening and closing.

use std::collections::BTreeMap;
use std::ffi::CStr;
use std::os::raw::c_int;
use std::path::{Component, Path, PathBuf};

use crate::raw;

/// An open file or folder.
#[derive(Debug, Clone)]
pub(crate) struct OpenFile {
    pub(crate) handle: u64,
    /// Below the root.
    pub(crate) path: PathBuf,
    /// `O_SYNC` or `O_DSYNC`.
    pub(crate) is_synced: bool,
    /// `O_APPEND`.
    pub(crate) appends: bool,
    /// Device and inode.
    pub(crate) inode: (u64, u64),
}

/// Open files by descriptor.
#[derive(Debug, Default)]
pub(crate) struct Table(BTreeMap<c_int, OpenFile>);

impl Table {
    pub(crate) fn insert(&mut self, fd: c_int, file: OpenFile) {
        self.0.insert(fd, file);
    }

    pub(crate) fn remove(&mut self, fd: c_int) -> Option<OpenFile> {
        self.0.remove(&fd)
    }

    /// The file, and what the kernel says of it. A descriptor that was closed behind the shim's back, and
    /// stands for something else now, is forgotten.
    pub(crate) fn get(&mut self, fd: c_int) -> Option<(OpenFile, libc::stat)> {
        let file = self.0.get(&fd)?;
        match raw::stat(fd) {
            Some(stat) if (stat.st_dev, stat.st_ino) == file.inode => Some((file.clone(), stat)),
            _ => {
                self.0.remove(&fd);
                None
            }
        }
    }

    /// The path below `root`; `None` when it lies elsewhere. Symbolic links are not followed: the root has
    /// none.
    pub(crate) fn below(&self, root: &Path, folder: c_int, path: &CStr) -> Option<PathBuf> {
        let path = Path::new(path.to_str().ok()?);
        let mut whole = if path.is_absolute() {
            PathBuf::new()
        } else if folder == libc::AT_FDCWD {
            std::env::current_dir().ok()?
        } else {
            root.join(&self.0.get(&folder)?.path)
        };
        for component in path.components() {
            match component {
                Component::ParentDir => drop(whole.pop()),
                Component::CurDir => {}
                part => whole.push(part),
            }
        }
        whole.strip_prefix(root).ok().map(Path::to_owned)
    }
}

/// How far a file has room: its length, or what was allocated beyond that.
pub(crate) fn extent_bytes(stat: &libc::stat) -> u64 {
    let len = stat.st_size.unsigned_abs();
    let allocated = stat.st_blocks.unsigned_abs() * 512;
    if allocated > len.next_multiple_of(4096) { allocated } else { len }
}
