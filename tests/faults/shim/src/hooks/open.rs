//! Opening and closing.

use std::ffi::CStr;
use std::os::raw::{c_char, c_int};

use weir_fault_model::Event;

use crate::room::ENTRY_BYTES;
use crate::shim::State;
use crate::table::{OpenFile, extent_bytes};
use crate::{raw, shim};

/// # Safety
/// As `open(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn open(path: *const c_char, flags: c_int, mode: libc::mode_t) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { openat(libc::AT_FDCWD, path, flags, mode) }
}

/// # Safety
/// As `open(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn open64(path: *const c_char, flags: c_int, mode: libc::mode_t) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { openat(libc::AT_FDCWD, path, flags, mode) }
}

/// # Safety
/// As `creat(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn creat(path: *const c_char, mode: libc::mode_t) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { openat(libc::AT_FDCWD, path, libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC, mode) }
}

/// # Safety
/// As `creat(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn creat64(path: *const c_char, mode: libc::mode_t) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { creat(path, mode) }
}

/// # Safety
/// As `openat(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn openat64(
    folder: c_int,
    path: *const c_char,
    flags: c_int,
    mode: libc::mode_t,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { openat(folder, path, flags, mode) }
}

/// # Safety
/// As `openat(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn openat(
    folder: c_int,
    path: *const c_char,
    flags: c_int,
    mode: libc::mode_t,
) -> c_int {
    // SAFETY: the caller's promise: a C string.
    let path = unsafe { CStr::from_ptr(path) };
    match shim::enter() {
        Some(mut state) => state.open(folder, path, flags, mode),
        None => raw::open_at(folder, path, flags, mode),
    }
}

/// `close(2)`.
#[unsafe(no_mangle)]
pub extern "C" fn close(fd: c_int) -> c_int {
    let Some(mut state) = shim::enter() else { return raw::close(fd) };
    if let Some(file) = state.table.remove(fd) {
        state.record(Event::Close { handle: file.handle });
    }
    // Under the lock: the number must not come back before it is forgotten here.
    raw::close(fd)
}

impl State {
    fn open(&mut self, folder: c_int, path: &CStr, flags: c_int, mode: libc::mode_t) -> c_int {
        let Some(below) = self.below(folder, path) else { return raw::open_at(folder, path, flags, mode) };
        if flags & libc::O_TMPFILE == libc::O_TMPFILE {
            raw::give_up("files without a name are not modelled");
        }
        let was_there = raw::exists_at(folder, path);
        let makes = flags & libc::O_CREAT != 0 && !was_there;
        let empties = flags & libc::O_TRUNC != 0 && was_there;
        if makes || empties {
            self.begin_whole_call();
        }
        if makes && self.grant(ENTRY_BYTES) < ENTRY_BYTES {
            raw::set_errno(libc::ENOSPC);
            self.refuse("open", &below);
            return -1;
        }
        let before_bytes = if empties { self.extent_at(folder, path) } else { 0 };
        let fd = raw::open_at(folder, path, flags, mode);
        if fd < 0 {
            if makes || empties {
                self.refuse("open", &below);
            }
            return -1;
        }
        let handle = self.new_handle();
        let inode = raw::stat(fd).map_or((0, 0), |stat| (stat.st_dev, stat.st_ino));
        let is_synced = flags & (libc::O_SYNC | libc::O_DSYNC) != 0;
        let appends = flags & libc::O_APPEND != 0;
        self.table.insert(fd, OpenFile { handle, path: below.clone(), is_synced, appends, inode });
        self.room.note(if makes { ENTRY_BYTES.cast_signed() } else { -before_bytes.cast_signed() });
        let event = Event::Open { handle, path: below, made: makes, emptied: empties };
        if makes || empties {
            self.end_call(event)
        } else {
            self.record(event)
        }
        fd
    }

    /// How much room the file at a path takes.
    pub(super) fn extent_at(&self, folder: c_int, path: &CStr) -> u64 {
        let before = raw::errno();
        let fd = raw::open_at(folder, path, libc::O_PATH | libc::O_CLOEXEC, 0);
        let bytes = raw::stat(fd).map_or(0, |stat| extent_bytes(&stat));
        if fd >= 0 {
            raw::close(fd);
        }
        raw::set_errno(before);
        bytes
    }
}
