//! Digests.

use crate::host::crypto;

/// The SHA-256 digest of some bytes. To keep a secret that is random and long, such as a token, so that whoever reads the
/// table does not have it. Passwords are hashed with [`MutationCtx::hash_password`](crate::MutationCtx::hash_password).
///
/// # Panics
/// Outside of the host, and of the tests of the crate weir-test.
pub fn sha256(data: impl AsRef<[u8]>) -> [u8; 32] {
    let digest = crypto::digest("SHA-256", data.as_ref()).unwrap_or_else(|error| panic!("{}", error.message));
    digest.try_into().expect("the digest has 32 bytes")
}
