//! Appends records to the recording, so that they survive the process.
//!
//! Not here: when.

use std::ffi::CString;
use std::os::raw::c_int;
use std::path::{Path, PathBuf};

use weir_fault_model::{Counts, Event, RECORDING, Record};

use crate::raw;

/// The open recording.
#[derive(Debug)]
pub(crate) struct Recorder {
    fd: c_int,
    path: PathBuf,
}

impl Recorder {
    /// Goes on with the recording in `control`, or begins one.
    pub(crate) fn open(control: &Path) -> Recorder {
        let path = control.join(RECORDING);
        let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_APPEND | libc::O_CLOEXEC;
        let fd = raw::open_at(libc::AT_FDCWD, &c_path(&path), flags, 0o600);
        if fd < 0 {
            raw::give_up(&format!("cannot open the recording {}", path.display()));
        }
        Recorder { fd, path }
    }

    /// One more record.
    pub(crate) fn append(&self, counts: Counts, event: Event) {
        let before = raw::errno();
        let bytes = Record { thread: raw::thread(), counts, event }.encode();
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            match usize::try_from(raw::write(self.fd, rest)) {
                Ok(written) => rest = &rest[written..],
                Err(_) => raw::give_up(&format!("cannot write to the recording {}", self.path.display())),
            }
        }
        raw::set_errno(before);
    }

    /// All of it so far.
    pub(crate) fn read(&self) -> Vec<u8> {
        let fd = raw::open_at(libc::AT_FDCWD, &c_path(&self.path), libc::O_RDONLY | libc::O_CLOEXEC, 0);
        let (mut recording, mut chunk) = (Vec::new(), vec![0; 1 << 20]);
        loop {
            match usize::try_from(raw::read(fd, &mut chunk)) {
                Ok(0) => break,
                Ok(len) => recording.extend_from_slice(&chunk[..len]),
                Err(_) => raw::give_up(&format!("cannot read the recording {}", self.path.display())),
            }
        }
        raw::close(fd);
        recording
    }
}

/// The path for a system call.
pub(crate) fn c_path(path: &Path) -> CString {
    let bytes = path.as_os_str().as_encoded_bytes();
    CString::new(bytes).unwrap_or_else(|_| raw::give_up("a path has a zero in it"))
}
