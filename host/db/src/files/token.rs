//! The tokens of upload URLs: random, good for an hour, and once.
use bytes::Bytes;
use sha2::{Digest, Sha256};
use weir_value::ErrorCode;
use weir_value::limits::UPLOAD_URL_MS;

use super::{hex, unhex};
use crate::{DbError, keyspace};

/// What stands under the key of a token that was used.
pub(crate) const USED: &[u8] = &[1];

/// The time, in milliseconds since the epoch, and what nobody guesses.
const TOKEN_BYTES: usize = 8 + 24;

/// The token of an upload URL that may be one of this deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadToken {
    made_at_ms: u64,
    hash: [u8; 16],
}

/// A new token, as it stands in a URL, and what is kept of it.
pub(crate) fn new_token(now_ms: f64, random: [u8; 24]) -> (String, UploadToken) {
    let made_at_ms = now_ms.max(0.0) as u64;
    let mut bytes = [0; TOKEN_BYTES];
    bytes[..8].copy_from_slice(&made_at_ms.to_be_bytes());
    bytes[8..].copy_from_slice(&random);
    (hex(&bytes), UploadToken::of(&bytes))
}

impl UploadToken {
    /// Reads a token.
    ///
    /// # Errors
    /// `InvalidUploadToken`.
    pub fn parse(text: &str) -> Result<UploadToken, DbError> {
        unhex(text).map(|bytes| UploadToken::of(&bytes)).ok_or_else(unknown)
    }

    fn of(bytes: &[u8; TOKEN_BYTES]) -> UploadToken {
        let (time, _) = bytes.split_first_chunk::<8>().expect("it is longer");
        let digest = Sha256::digest(bytes);
        let (hash, _) = digest.split_first_chunk::<16>().expect("it is longer");
        UploadToken { made_at_ms: u64::from_be_bytes(*time), hash: *hash }
    }

    pub(crate) fn key(&self) -> Bytes {
        keyspace::upload_key(self.made_at_ms as f64, &self.hash)
    }

    /// Whether a file may be uploaded with it, of which this is stored.
    ///
    /// # Errors
    /// `InvalidUploadToken`, `UploadTokenExpired`, `UploadTokenUsed`.
    pub(crate) fn check(&self, stored: Option<&[u8]>, now_ms: f64) -> Result<(), DbError> {
        match stored {
            Some(USED) => {
                let message =
                    "A file was uploaded by this URL already, which is good for one: ask for another.";
                Err(DbError::new(ErrorCode::UploadTokenUsed, message))
            }
            Some(_) if self.made_at_ms as f64 + UPLOAD_URL_MS < now_ms => Err(expired()),
            Some(_) => Ok(()),
            // Expired ones are dropped after some time; what they were is not kept.
            None if (self.made_at_ms as f64) + UPLOAD_URL_MS < now_ms => Err(expired()),
            None => Err(unknown()),
        }
    }
}

fn expired() -> DbError {
    let message = "The upload URL is too old: it is good for an hour. Ask for another.";
    DbError::new(ErrorCode::UploadTokenExpired, message)
}

fn unknown() -> DbError {
    let message =
        "This is not an upload URL of this deployment: use one that `generateUploadUrl` gives, as it is.";
    DbError::new(ErrorCode::InvalidUploadToken, message)
}
