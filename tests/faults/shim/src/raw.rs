//! System calls, past libc's functions and so past the hooks.
//!
//! A result below zero is a failure, and `errno` is set. Not here: any decision.

use std::ffi::CStr;
use std::os::raw::{c_int, c_long};

/// The inode's flag for synced writes, as `lsattr` shows it with `S`.
const FS_SYNC_FL: c_long = 0x8;

pub(crate) fn errno() -> c_int {
    // SAFETY: the pointer is the calling thread's own and always valid.
    unsafe { *libc::__errno_location() }
}

pub(crate) fn set_errno(errno: c_int) {
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno }
}

pub(crate) fn open_at(folder: c_int, path: &CStr, flags: c_int, mode: libc::mode_t) -> c_int {
    // SAFETY: the path is a C string that lives through the call.
    result(unsafe { libc::syscall(libc::SYS_openat, folder, path.as_ptr(), flags, mode) })
}

pub(crate) fn close(fd: c_int) -> c_int {
    // SAFETY: closing a descriptor touches no memory.
    result(unsafe { libc::syscall(libc::SYS_close, fd) })
}

pub(crate) fn write(fd: c_int, bytes: &[u8]) -> isize {
    // SAFETY: pointer and length are those of a slice.
    long(unsafe { libc::syscall(libc::SYS_write, fd, bytes.as_ptr(), bytes.len()) })
}

pub(crate) fn write_at(fd: c_int, bytes: &[u8], offset: i64) -> isize {
    // SAFETY: pointer and length are those of a slice.
    long(unsafe { libc::syscall(libc::SYS_pwrite64, fd, bytes.as_ptr(), bytes.len(), offset) })
}

pub(crate) fn read(fd: c_int, bytes: &mut [u8]) -> isize {
    // SAFETY: pointer and length are those of a slice.
    long(unsafe { libc::syscall(libc::SYS_read, fd, bytes.as_mut_ptr(), bytes.len()) })
}

/// The position of the next plain write.
pub(crate) fn position(fd: c_int) -> i64 {
    // SAFETY: seeking touches no memory.
    unsafe { libc::syscall(libc::SYS_lseek, fd, 0_i64, libc::SEEK_CUR) }
}

pub(crate) fn truncate(fd: c_int, len: i64) -> c_int {
    // SAFETY: touches no memory.
    result(unsafe { libc::syscall(libc::SYS_ftruncate, fd, len) })
}

pub(crate) fn allocate(fd: c_int, mode: c_int, offset: i64, len: i64) -> c_int {
    // SAFETY: touches no memory.
    result(unsafe { libc::syscall(libc::SYS_fallocate, fd, mode, offset, len) })
}

pub(crate) fn advise(fd: c_int, offset: i64, len: i64, advice: c_int) -> c_int {
    // SAFETY: touches no memory.
    result(unsafe { libc::syscall(libc::SYS_fadvise64, fd, offset, len, advice) })
}

pub(crate) fn sync(fd: c_int, data_only: bool) -> c_int {
    let number = if data_only { libc::SYS_fdatasync } else { libc::SYS_fsync };
    // SAFETY: touches no memory.
    result(unsafe { libc::syscall(number, fd) })
}

pub(crate) fn sync_range(fd: c_int, offset: i64, len: i64, flags: u32) -> c_int {
    // SAFETY: touches no memory.
    result(unsafe { libc::syscall(libc::SYS_sync_file_range, fd, offset, len, flags) })
}

pub(crate) fn rename_at(from_at: c_int, from: &CStr, to_at: c_int, to: &CStr, flags: u32) -> c_int {
    let (from, to) = (from.as_ptr(), to.as_ptr());
    // SAFETY: both paths are C strings that live through the call.
    result(unsafe { libc::syscall(libc::SYS_renameat2, from_at, from, to_at, to, flags) })
}

pub(crate) fn unlink_at(folder: c_int, path: &CStr, flags: c_int) -> c_int {
    // SAFETY: the path is a C string that lives through the call.
    result(unsafe { libc::syscall(libc::SYS_unlinkat, folder, path.as_ptr(), flags) })
}

pub(crate) fn make_folder_at(folder: c_int, path: &CStr, mode: libc::mode_t) -> c_int {
    // SAFETY: the path is a C string that lives through the call.
    result(unsafe { libc::syscall(libc::SYS_mkdirat, folder, path.as_ptr(), mode) })
}

pub(crate) fn exists_at(folder: c_int, path: &CStr) -> bool {
    let before = errno();
    // SAFETY: the path is a C string that lives through the call.
    let found = unsafe { libc::syscall(libc::SYS_faccessat, folder, path.as_ptr(), libc::F_OK) } == 0;
    set_errno(before);
    found
}

/// What is known of an open file; `None` when the descriptor is not open.
pub(crate) fn stat(fd: c_int) -> Option<libc::stat> {
    let mut stat = std::mem::MaybeUninit::<libc::stat>::uninit();
    // SAFETY: the kernel fills the whole struct, whose layout on 64-bit Linux is libc's.
    let done = unsafe { libc::syscall(libc::SYS_fstat, fd, stat.as_mut_ptr()) } == 0;
    // SAFETY: initialized when the call succeeded.
    done.then(|| unsafe { stat.assume_init() })
}

/// Whether the file's inode asks for synced writes.
pub(crate) fn has_sync_flag(fd: c_int) -> bool {
    let mut flags: c_long = 0;
    let before = errno();
    // SAFETY: the request writes at most one long.
    let done = unsafe { libc::syscall(libc::SYS_ioctl, fd, libc::FS_IOC_GETFLAGS, &raw mut flags) } == 0;
    set_errno(before);
    done && flags & FS_SYNC_FL != 0
}

pub(crate) fn thread() -> u64 {
    // SAFETY: touches no memory.
    unsafe { libc::syscall(libc::SYS_gettid) }.unsigned_abs()
}

/// Waits shorter than this are left to be made up with the next ones: the kernel's own are no shorter.
const SLEEP_MIN_US: u64 = 1000;

/// A clock that never goes back.
pub(crate) fn now_us() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel fills the struct.
    unsafe { libc::syscall(libc::SYS_clock_gettime, libc::CLOCK_MONOTONIC, &raw mut time) };
    time.tv_sec.unsigned_abs() * 1_000_000 + time.tv_nsec.unsigned_abs() / 1000
}

/// Sleeps until then, by the same clock.
pub(crate) fn sleep_until(us: u64) {
    let us = us.saturating_sub(now_us());
    if us >= SLEEP_MIN_US {
        let time =
            libc::timespec { tv_sec: (us / 1_000_000) as i64, tv_nsec: (us % 1_000_000 * 1000) as i64 };
        // SAFETY: the time lives through the call; nothing is asked back.
        unsafe {
            libc::syscall(libc::SYS_nanosleep, &raw const time, std::ptr::null_mut::<libc::timespec>())
        };
    }
}

/// Ends the process at once.
pub(crate) fn die(signal: c_int) -> ! {
    loop {
        // SAFETY: signals to the own process touch no memory.
        unsafe {
            if signal == libc::SIGABRT {
                libc::signal(signal, libc::SIG_DFL);
                libc::syscall(
                    libc::SYS_tgkill,
                    libc::syscall(libc::SYS_getpid),
                    libc::syscall(libc::SYS_gettid),
                    signal,
                );
            } else {
                libc::syscall(libc::SYS_kill, libc::syscall(libc::SYS_getpid), signal);
            }
        }
    }
}

/// Ends the process and says why: the shim cannot do what it is for.
pub(crate) fn give_up(why: &str) -> ! {
    write(2, format!("fault shim: {why}\n").as_bytes());
    die(libc::SIGABRT)
}

fn result(value: c_long) -> c_int {
    c_int::try_from(value).unwrap_or(-1)
}

fn long(value: c_long) -> isize {
    isize::try_from(value).unwrap_or(-1)
}
