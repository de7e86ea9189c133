//! The functions that a program calls instead of libc's.
//!
//! Each looks whether it is about the root, does the real thing by raw system calls, and records it.
//! Functions that are variadic in C are plain here: on the platforms of 64-bit Linux their arguments come in
//! the same registers. Not here: what all of them have in common (see `shim`).

mod end;
mod names;
mod open;
mod space;
mod sync;
mod write;
