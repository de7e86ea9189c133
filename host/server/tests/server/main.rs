//! The server over loopback sockets: native functions on an in-memory store, so
//! that neither WebAssembly nor a disk is needed.

mod deployment;
mod full_disk;
mod http;
mod sockets;
mod static_files;
mod stopping;
mod support;
