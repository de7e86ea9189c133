//! Stands between a program and libc, by `LD_PRELOAD`: records every change of its files below one folder, and
//! makes the faults of a [`Plan`](weir_fault_model::Plan).
//!
//! The real work is done by raw system calls, so nothing of libc is looked up but `statvfs`. No sync reaches
//! the real disk: what a sync would have made durable is told by the recording alone, and tests are quick.
//!
//! Hooked: `open`, `openat`, `creat`, `close`, `write`, `pwrite`, `writev`, `pwritev`, `ftruncate`,
//! `fallocate`, `posix_fallocate`, `fsync`, `fdatasync`, `sync_file_range`, `posix_fadvise`, `rename`,
//! `renameat`, `renameat2`, `unlink`, `unlinkat`, `mkdir`, `mkdirat`, `rmdir`, `statvfs`, `fstatvfs` and their
//! variants with `64`, and `abort`. Not hooked: raw system calls of the program (`rustix` makes them; the store
//! uses it for the inode's flags, which the shim asks for by itself), `dup`, `mmap`, `copy_file_range`, hard
//! links. A test that checks the recording against the folder notices what escaped.
//!
//! Not here: what a recording means (see `weir_fault_model`), and anything but Linux with glibc.

// Hooks are C functions that take C's pointers, and the system calls below them are not Rust's.
#![allow(unsafe_code)]
#![cfg(target_os = "linux")]

mod hooks;
mod raw;
mod recorder;
mod room;
mod shim;
mod table;
