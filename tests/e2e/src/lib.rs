//! End-to-end tests: the real binary, real guests, real sockets, SIGKILL. See `tests/`.
