//! Digests.
use serde::Deserialize;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

/// A digest's algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Hash {
    /// Broken for signatures; for protocols that have it.
    #[serde(rename = "SHA-1")]
    Sha1,
    /// 32 bytes.
    #[serde(rename = "SHA-256")]
    Sha256,
    /// 48 bytes.
    #[serde(rename = "SHA-384")]
    Sha384,
    /// 64 bytes.
    #[serde(rename = "SHA-512")]
    Sha512,
}

/// Runs code for the type of a digest.
macro_rules! with_hash {
    ($hash:expr, $D:ident => $body:expr) => {
        match $hash {
            $crate::Hash::Sha1 => {
                type $D = sha1::Sha1;
                $body
            }
            $crate::Hash::Sha256 => {
                type $D = sha2::Sha256;
                $body
            }
            $crate::Hash::Sha384 => {
                type $D = sha2::Sha384;
                $body
            }
            $crate::Hash::Sha512 => {
                type $D = sha2::Sha512;
                $body
            }
        }
    };
}
pub(crate) use with_hash;

impl Hash {
    /// The digest of `data`.
    pub fn digest(self, data: &[u8]) -> Vec<u8> {
        with_hash!(self, D => D::digest(data).to_vec())
    }

    /// How long its digests are, in bytes.
    pub fn output_bytes(self) -> usize {
        match self {
            Hash::Sha1 => <Sha1 as Digest>::output_size(),
            Hash::Sha256 => <Sha256 as Digest>::output_size(),
            Hash::Sha384 => <Sha384 as Digest>::output_size(),
            Hash::Sha512 => <Sha512 as Digest>::output_size(),
        }
    }
}
