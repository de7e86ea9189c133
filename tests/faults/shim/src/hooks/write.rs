//! Writing.

use std::os::raw::{c_int, c_void};

use weir_fault_model::{Event, SECTOR_BYTES};

use crate::shim::State;
use crate::table::{OpenFile, extent_bytes};
use crate::{raw, shim};

/// # Safety
/// As `write(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn write(fd: c_int, buffer: *const c_void, len: usize) -> isize {
    // SAFETY: the caller's promise.
    write_bytes(fd, unsafe { slice(buffer, len) }, None)
}

/// # Safety
/// As `pwrite(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pwrite(fd: c_int, buffer: *const c_void, len: usize, offset: i64) -> isize {
    // SAFETY: the caller's promise.
    write_bytes(fd, unsafe { slice(buffer, len) }, Some(offset))
}

/// # Safety
/// As `pwrite(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pwrite64(fd: c_int, buffer: *const c_void, len: usize, offset: i64) -> isize {
    // SAFETY: the caller's promise.
    write_bytes(fd, unsafe { slice(buffer, len) }, Some(offset))
}

/// # Safety
/// As `writev(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn writev(fd: c_int, buffers: *const libc::iovec, count: c_int) -> isize {
    // SAFETY: the caller's promise.
    write_bytes(fd, &unsafe { joined(buffers, count) }, None)
}

/// # Safety
/// As `pwritev(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pwritev(fd: c_int, buffers: *const libc::iovec, count: c_int, offset: i64) -> isize {
    // SAFETY: the caller's promise.
    write_bytes(fd, &unsafe { joined(buffers, count) }, Some(offset))
}

/// # Safety
/// As `pwritev(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pwritev64(
    fd: c_int,
    buffers: *const libc::iovec,
    count: c_int,
    offset: i64,
) -> isize {
    // SAFETY: the caller's promise.
    write_bytes(fd, &unsafe { joined(buffers, count) }, Some(offset))
}

/// # Safety
/// The buffer has `len` bytes.
unsafe fn slice<'a>(buffer: *const c_void, len: usize) -> &'a [u8] {
    // SAFETY: the caller's promise; an empty buffer may be null.
    if len == 0 { &[] } else { unsafe { std::slice::from_raw_parts(buffer.cast(), len) } }
}

/// # Safety
/// There are `count` buffers.
unsafe fn joined(buffers: *const libc::iovec, count: c_int) -> Vec<u8> {
    let count = usize::try_from(count).unwrap_or(0);
    // SAFETY: the caller's promise.
    let buffers = unsafe { std::slice::from_raw_parts(buffers, count) };
    // SAFETY: the same for each of them.
    buffers
        .iter()
        .map(|buffer| unsafe { slice(buffer.iov_base, buffer.iov_len) })
        .collect::<Vec<_>>()
        .concat()
}

fn write_bytes(fd: c_int, bytes: &[u8], offset: Option<i64>) -> isize {
    let Some(mut state) = shim::enter() else { return write_raw(fd, bytes, offset) };
    if fd == libc::STDOUT_FILENO {
        state.record(Event::Note { bytes: bytes.to_vec() });
    }
    let Some((file, stat)) = state.table.get(fd).filter(|_| !bytes.is_empty()) else {
        drop(state);
        return write_raw(fd, bytes, offset);
    };
    let written = state.write(fd, &file, &stat, bytes, offset);
    let until_us = state.slow_until_us(&file.path, usize::try_from(written).unwrap_or(0), false);
    drop(state);
    raw::sleep_until(until_us);
    written
}

fn write_raw(fd: c_int, bytes: &[u8], offset: Option<i64>) -> isize {
    match offset {
        Some(offset) => raw::write_at(fd, bytes, offset),
        None => raw::write(fd, bytes),
    }
}

/// About half of a write, up to the end of a sector. The kernel looks for a deadly signal between pages, and
/// the smallest thing that a disk writes is a sector: nothing leaves a part of one.
fn half(start: u64, len: usize) -> usize {
    let end = start + len as u64 / 2;
    let end = end - end % SECTOR_BYTES as u64;
    usize::try_from(end.saturating_sub(start)).unwrap_or(0)
}

impl State {
    fn write(
        &mut self,
        fd: c_int,
        file: &OpenFile,
        stat: &libc::stat,
        bytes: &[u8],
        offset: Option<i64>,
    ) -> isize {
        let dies = self.begin_call();
        let start = if file.appends { stat.st_size } else { offset.unwrap_or_else(|| raw::position(fd)) };
        let len = if dies { half(start.unsigned_abs(), bytes.len()) } else { bytes.len() };
        let len = self.fitting(stat, start.unsigned_abs(), len);
        if len == 0 && !dies {
            raw::set_errno(libc::ENOSPC);
            self.refuse("write", &file.path);
            return -1;
        }
        let written = write_raw(fd, &bytes[..len], offset);
        let Ok(len) = usize::try_from(written) else {
            self.refuse("write", &file.path);
            return written;
        };
        let growth = raw::stat(fd).map_or(0, |after| extent_bytes(&after)).saturating_sub(extent_bytes(stat));
        self.room.note(growth.cast_signed());
        let event = Event::Write {
            handle: file.handle,
            offset: start.unsigned_abs(),
            bytes: bytes[..len].to_vec(),
            durable: file.is_synced || raw::has_sync_flag(fd),
        };
        if dies {
            self.record(event);
            raw::die(libc::SIGKILL);
        }
        self.end_call(event);
        written
    }

    /// How many of `len` bytes at `start` the disk has room for.
    fn fitting(&mut self, stat: &libc::stat, start: u64, len: usize) -> usize {
        let end = start + len as u64;
        let growth = end.saturating_sub(extent_bytes(stat).max(start));
        if growth == 0 {
            return len;
        }
        let missing = growth - self.grant(growth);
        len - usize::try_from(missing).unwrap_or(len)
    }
}
