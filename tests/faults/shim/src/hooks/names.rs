//! Names: renaming, removing, making folders.

use std::ffi::CStr;
use std::os::raw::{c_char, c_int};

use weir_fault_model::Event;

use crate::room::ENTRY_BYTES;
use crate::shim::State;
use crate::{raw, shim};

/// # Safety
/// As `rename(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rename(from: *const c_char, to: *const c_char) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { renameat2(libc::AT_FDCWD, from, libc::AT_FDCWD, to, 0) }
}

/// # Safety
/// As `renameat(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn renameat(
    from_at: c_int,
    from: *const c_char,
    to_at: c_int,
    to: *const c_char,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { renameat2(from_at, from, to_at, to, 0) }
}

/// # Safety
/// As `renameat2(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn renameat2(
    from_at: c_int,
    from: *const c_char,
    to_at: c_int,
    to: *const c_char,
    flags: u32,
) -> c_int {
    // SAFETY: the caller's promise: C strings.
    let (from, to) = unsafe { (CStr::from_ptr(from), CStr::from_ptr(to)) };
    match shim::enter() {
        Some(mut state) => state.rename((from_at, from), (to_at, to), flags),
        None => raw::rename_at(from_at, from, to_at, to, flags),
    }
}

/// # Safety
/// As `unlink(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unlink(path: *const c_char) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { unlinkat(libc::AT_FDCWD, path, 0) }
}

/// # Safety
/// As `rmdir(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rmdir(path: *const c_char) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { unlinkat(libc::AT_FDCWD, path, libc::AT_REMOVEDIR) }
}

/// # Safety
/// As `unlinkat(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unlinkat(folder: c_int, path: *const c_char, flags: c_int) -> c_int {
    // SAFETY: the caller's promise: a C string.
    let path = unsafe { CStr::from_ptr(path) };
    match shim::enter() {
        Some(mut state) => state.remove(folder, path, flags),
        None => raw::unlink_at(folder, path, flags),
    }
}

/// # Safety
/// As `mkdir(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkdir(path: *const c_char, mode: libc::mode_t) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { mkdirat(libc::AT_FDCWD, path, mode) }
}

/// # Safety
/// As `mkdirat(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkdirat(folder: c_int, path: *const c_char, mode: libc::mode_t) -> c_int {
    // SAFETY: the caller's promise: a C string.
    let path = unsafe { CStr::from_ptr(path) };
    match shim::enter() {
        Some(mut state) => state.make_folder(folder, path, mode),
        None => raw::make_folder_at(folder, path, mode),
    }
}

impl State {
    fn rename(&mut self, (from_at, from): (c_int, &CStr), (to_at, to): (c_int, &CStr), flags: u32) -> c_int {
        let event = match (self.below(from_at, from), self.below(to_at, to)) {
            (None, None) => return raw::rename_at(from_at, from, to_at, to, flags),
            (Some(from), Some(to)) if flags == 0 || flags == libc::RENAME_NOREPLACE => {
                Event::Rename { from, to }
            }
            _ => raw::give_up("this rename is not modelled"),
        };
        self.begin_whole_call();
        let replaced = self.extent_at(to_at, to);
        if raw::rename_at(from_at, from, to_at, to, flags) < 0 {
            let path = self.below(from_at, from).unwrap_or_default();
            self.refuse("rename", &path);
            return -1;
        }
        self.room.note(-replaced.cast_signed());
        self.end_call(event);
        0
    }

    fn remove(&mut self, folder: c_int, path: &CStr, flags: c_int) -> c_int {
        let Some(below) = self.below(folder, path).filter(|_| raw::exists_at(folder, path)) else {
            return raw::unlink_at(folder, path, flags);
        };
        self.begin_whole_call();
        let freed = self.extent_at(folder, path) + ENTRY_BYTES;
        if raw::unlink_at(folder, path, flags) < 0 {
            self.refuse("unlink", &below);
            return -1;
        }
        self.room.note(-freed.cast_signed());
        self.end_call(if flags & libc::AT_REMOVEDIR == 0 {
            Event::Unlink { path: below }
        } else {
            Event::RemoveFolder { path: below }
        });
        0
    }

    fn make_folder(&mut self, folder: c_int, path: &CStr, mode: libc::mode_t) -> c_int {
        let Some(below) = self.below(folder, path).filter(|_| !raw::exists_at(folder, path)) else {
            return raw::make_folder_at(folder, path, mode);
        };
        self.begin_whole_call();
        if self.grant(ENTRY_BYTES) < ENTRY_BYTES {
            raw::set_errno(libc::ENOSPC);
            self.refuse("mkdir", &below);
            return -1;
        }
        if raw::make_folder_at(folder, path, mode) < 0 {
            self.refuse("mkdir", &below);
            return -1;
        }
        self.room.note(ENTRY_BYTES.cast_signed());
        self.end_call(Event::MakeFolder { path: below });
        0
    }
}
