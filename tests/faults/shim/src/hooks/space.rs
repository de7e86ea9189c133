//! The length of files, and room on the disk.

use std::ffi::CStr;
use std::os::raw::{c_char, c_int};

use weir_fault_model::Event;

use crate::shim::State;
use crate::table::{OpenFile, extent_bytes};
use crate::{raw, shim};

/// `ftruncate(2)`.
#[unsafe(no_mangle)]
pub extern "C" fn ftruncate(fd: c_int, len: i64) -> c_int {
    let Some(mut state) = shim::enter() else { return raw::truncate(fd, len) };
    let Some((file, stat)) = state.table.get(fd) else { return raw::truncate(fd, len) };
    state.begin_whole_call();
    // A longer file has a hole there, which takes no room.
    if raw::truncate(fd, len) < 0 {
        state.refuse("ftruncate", &file.path);
        return -1;
    }
    state.note_extent(fd, &stat);
    state.end_call(Event::Length { handle: file.handle, len: len.unsigned_abs() });
    0
}

/// `ftruncate(2)`.
#[unsafe(no_mangle)]
pub extern "C" fn ftruncate64(fd: c_int, len: i64) -> c_int {
    ftruncate(fd, len)
}

/// `fallocate(2)`.
#[unsafe(no_mangle)]
pub extern "C" fn fallocate(fd: c_int, mode: c_int, offset: i64, len: i64) -> c_int {
    let Some(mut state) = shim::enter() else { return raw::allocate(fd, mode, offset, len) };
    match state.table.get(fd) {
        Some((file, stat)) => state.allocate(fd, &file, &stat, mode, (offset, len)),
        None => raw::allocate(fd, mode, offset, len),
    }
}

/// `fallocate(2)`.
#[unsafe(no_mangle)]
pub extern "C" fn fallocate64(fd: c_int, mode: c_int, offset: i64, len: i64) -> c_int {
    fallocate(fd, mode, offset, len)
}

/// `posix_fallocate(3)`, without its fallback of writing zeros.
#[unsafe(no_mangle)]
pub extern "C" fn posix_fallocate(fd: c_int, offset: i64, len: i64) -> c_int {
    if fallocate(fd, 0, offset, len) == 0 { 0 } else { raw::errno() }
}

/// `posix_fallocate(3)`.
#[unsafe(no_mangle)]
pub extern "C" fn posix_fallocate64(fd: c_int, offset: i64, len: i64) -> c_int {
    posix_fallocate(fd, offset, len)
}

impl State {
    fn allocate(
        &mut self,
        fd: c_int,
        file: &OpenFile,
        stat: &libc::stat,
        mode: c_int,
        (offset, len): (i64, i64),
    ) -> c_int {
        let handle = file.handle;
        let (start, size) = (offset.unsigned_abs(), len.unsigned_abs());
        let keeps_len = mode & libc::FALLOC_FL_KEEP_SIZE != 0;
        let event = match mode & !libc::FALLOC_FL_KEEP_SIZE {
            0 if keeps_len || start + size <= stat.st_size.unsigned_abs() => {
                Event::Reserve { handle, offset: start, len: size }
            }
            0 => Event::Length { handle, len: start + size },
            libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_ZERO_RANGE if keeps_len => {
                Event::Zero { handle, offset: start, len: size }
            }
            _ => raw::give_up("this mode of fallocate is not modelled"),
        };
        self.begin_whole_call();
        let growth = (start + size).saturating_sub(extent_bytes(stat));
        if growth > 0 && mode & libc::FALLOC_FL_PUNCH_HOLE == 0 && self.grant(growth) < growth {
            raw::set_errno(libc::ENOSPC);
            self.refuse("fallocate", &file.path);
            return -1;
        }
        if raw::allocate(fd, mode, offset, len) < 0 {
            self.refuse("fallocate", &file.path);
            return -1;
        }
        self.note_extent(fd, stat);
        self.end_call(event);
        0
    }

    fn note_extent(&mut self, fd: c_int, before: &libc::stat) {
        let after = raw::stat(fd).map_or(0, |after| extent_bytes(&after));
        self.room.note(after.cast_signed() - extent_bytes(before).cast_signed());
    }

    /// Puts the plan's room into what the file system says.
    fn correct(&self, available: &mut u64, block_bytes: u64) {
        if let Some(bytes) = self.room.available_bytes(self.counts.growing) {
            *available = (*available).min(bytes / block_bytes.max(1));
        }
    }
}

/// # Safety
/// As `statvfs(3)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn statvfs(path: *const c_char, to: *mut libc::statvfs) -> c_int {
    type Real = unsafe extern "C" fn(*const c_char, *mut libc::statvfs) -> c_int;
    // SAFETY: libc's function of this name has this type.
    let real = unsafe { std::mem::transmute::<*mut libc::c_void, Real>(real(c"statvfs")) };
    // SAFETY: the caller's promise.
    let (done, path) = unsafe { (real(path, to), CStr::from_ptr(path)) };
    if let Some(state) =
        shim::enter().filter(|state| done == 0 && state.below(libc::AT_FDCWD, path).is_some())
    {
        // SAFETY: the call has filled it.
        let to = unsafe { &mut *to };
        state.correct(&mut to.f_bavail, to.f_frsize);
    }
    done
}

/// # Safety
/// As `statvfs(3)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn statvfs64(path: *const c_char, to: *mut libc::statvfs) -> c_int {
    // SAFETY: the caller's promise; on 64-bit Linux the two structs are one.
    unsafe { statvfs(path, to) }
}

/// # Safety
/// As `fstatvfs(3)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fstatvfs(fd: c_int, to: *mut libc::statvfs) -> c_int {
    type Real = unsafe extern "C" fn(c_int, *mut libc::statvfs) -> c_int;
    // SAFETY: libc's function of this name has this type.
    let real = unsafe { std::mem::transmute::<*mut libc::c_void, Real>(real(c"fstatvfs")) };
    // SAFETY: the caller's promise.
    let done = unsafe { real(fd, to) };
    if let Some(mut state) = shim::enter().filter(|_| done == 0)
        && state.table.get(fd).is_some()
    {
        // SAFETY: the call has filled it.
        let to = unsafe { &mut *to };
        state.correct(&mut to.f_bavail, to.f_frsize);
    }
    done
}

/// # Safety
/// As `fstatvfs(3)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fstatvfs64(fd: c_int, to: *mut libc::statvfs) -> c_int {
    // SAFETY: the caller's promise; on 64-bit Linux the two structs are one.
    unsafe { fstatvfs(fd, to) }
}

/// libc's own function.
fn real(name: &CStr) -> *mut libc::c_void {
    // SAFETY: the name is a C string.
    let function = unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) };
    if function.is_null() {
        raw::give_up("libc has no statvfs");
    }
    function
}
