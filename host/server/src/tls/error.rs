//! Why there is no TLS.

use std::io;
use std::path::PathBuf;

/// Why there is no TLS, or why new files are not taken. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{flag} {path}: {source}", path = path.display())]
    Read {
        /// The flag that names it.
        flag: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is not what it should be.
    #[error("{flag} {path}: {reason}", path = path.display())]
    Unusable {
        /// The flag that names it.
        flag: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Certificate and key have nothing to do with each other.
    #[error(
        "the key in {key} is not that of the first certificate in {certificate}: the server's own certificate must come \
         first, then those that signed it", key = key.display(), certificate = certificate.display()
    )]
    Mismatch {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
    },
    /// What was kept of an authority's cannot be read.
    #[error("{path}, with what an authority has given by ACME: {source}", path = path.display())]
    Kept {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others could read a key.
    #[error(
        "{path} holds a key and can be read by others (mode {mode:03o}): make it private with `chmod 600`",
        path = path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The library refuses.
    #[error("TLS cannot be set up: {0}")]
    Library(#[from] rustls::Error),
}
