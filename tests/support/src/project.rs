//! Where things lie in the repository.

use std::path::PathBuf;

/// The root of the repository, from where this crate was built.
#[must_use]
pub fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository is there")
}

/// The project of `examples/chat/rust`.
#[must_use]
pub fn chat() -> PathBuf {
    repository().join("examples/chat/rust")
}

/// One of the guests in `tests/guests`.
#[must_use]
pub fn guest(name: &str) -> PathBuf {
    repository().join("tests/guests").join(name)
}
