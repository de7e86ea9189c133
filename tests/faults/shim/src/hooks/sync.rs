//! Syncs, and what looks like them.

use std::ffi::CString;
use std::os::raw::c_int;

use weir_fault_model::{Event, FileSystem, records};

use crate::shim::State;
use crate::table::OpenFile;
use crate::{raw, shim};

/// `fsync(2)`.
#[unsafe(no_mangle)]
pub extern "C" fn fsync(fd: c_int) -> c_int {
    sync(fd, false)
}

/// `fdatasync(2)`.
#[unsafe(no_mangle)]
pub extern "C" fn fdatasync(fd: c_int) -> c_int {
    sync(fd, true)
}

fn sync(fd: c_int, data_only: bool) -> c_int {
    let Some(mut state) = shim::enter() else { return raw::sync(fd, data_only) };
    let Some((file, _)) = state.table.get(fd) else {
        drop(state);
        return raw::sync(fd, data_only);
    };
    state.counts.syncs += 1;
    let dies = state.begin_call();
    let ok = state.plan.fail_sync != Some(state.counts.syncs);
    let ticket = state.new_ticket();
    state.record(Event::SyncBegin { handle: file.handle, ticket });
    if dies {
        raw::die(libc::SIGKILL);
    }
    let until_us = state.slow_until_us(&file.path, 0, true);
    // A slow sync holds nobody up who only writes.
    drop(state);
    raw::sleep_until(until_us);
    let Some(mut state) = shim::enter() else { return 0 };
    state.end_call(Event::SyncEnd { ticket, ok });
    if ok {
        return 0;
    }
    raw::set_errno(libc::EIO);
    -1
}

/// `sync_file_range(2)`.
#[unsafe(no_mangle)]
pub extern "C" fn sync_file_range(fd: c_int, offset: i64, len: i64, flags: u32) -> c_int {
    let Some(mut state) = shim::enter() else { return raw::sync_range(fd, offset, len, flags) };
    let Some((file, _)) = state.table.get(fd) else { return raw::sync_range(fd, offset, len, flags) };
    state.begin_whole_call();
    let (offset, len) = (offset.unsigned_abs(), len.unsigned_abs());
    state.end_call(Event::SyncRange { handle: file.handle, offset, len });
    0
}

/// `posix_fadvise(2)`.
#[unsafe(no_mangle)]
pub extern "C" fn posix_fadvise(fd: c_int, offset: i64, len: i64, advice: c_int) -> c_int {
    let outcome = || if raw::advise(fd, offset, len, advice) == 0 { 0 } else { raw::errno() };
    let Some(mut state) = shim::enter() else { return outcome() };
    match state.table.get(fd) {
        Some((file, _)) if advice == libc::POSIX_FADV_DONTNEED => {
            state.evict(fd, &file, offset.unsigned_abs(), len.unsigned_abs());
            0
        }
        _ => outcome(),
    }
}

/// `posix_fadvise(2)`.
#[unsafe(no_mangle)]
pub extern "C" fn posix_fadvise64(fd: c_int, offset: i64, len: i64, advice: c_int) -> c_int {
    posix_fadvise(fd, offset, len, advice)
}

impl State {
    /// The real cache holds what the real disk will get. After a failed sync the modelled one does not: where
    /// the recording says that pages are clean and lost, the file gets back what the disk has.
    fn evict(&mut self, fd: c_int, file: &OpenFile, offset: u64, len: u64) {
        self.begin_whole_call();
        let mut system = FileSystem::default();
        for record in records(&self.recording()) {
            if let Err(error) = system.apply(&record.event) {
                raw::give_up(&format!("the recording does not fit together: {error}"));
            }
        }
        let old = system.evictable(file.handle, offset, len).unwrap_or_default();
        if !old.is_empty() {
            // The descriptor may be open for reading only.
            let path = CString::new(format!("/proc/self/fd/{fd}")).unwrap_or_default();
            let writable = raw::open_at(libc::AT_FDCWD, &path, libc::O_WRONLY | libc::O_CLOEXEC, 0);
            for (at, bytes) in &old {
                if raw::write_at(writable, bytes, *at as i64) != bytes.len().cast_signed() {
                    raw::give_up(&format!("cannot set {} back to what the disk has", file.path.display()));
                }
            }
            raw::close(writable);
        }
        self.end_call(Event::Evict { handle: file.handle, offset, len });
    }
}
