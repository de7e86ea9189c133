//! The host's own key: what functions sign with, and its public half for everybody.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::Value as Json;
use weir_auth::{SignError, SignRequest, SigningKeys, SigningKeysError};
use weir_db::{SigningError, TokenSigner};

/// Signs with the key in a data folder. It is made when it is first needed: a start on a full disk needs no room.
pub struct HostSigner {
    data_dir: PathBuf,
    /// Whose tokens they are: the server's address.
    issuer: String,
    keys: Mutex<Option<Arc<SigningKeys>>>,
}

impl HostSigner {
    /// A signer with the key in this folder, in the name of this address.
    pub fn new(data_dir: &Path, issuer: String) -> HostSigner {
        HostSigner { data_dir: data_dir.to_owned(), issuer, keys: Mutex::new(None) }
    }

    /// The public keys, for `/.well-known/jwks.json`. Blocks.
    ///
    /// # Errors
    /// The key cannot be read, or made.
    pub fn jwks(&self) -> Result<Json, SigningKeysError> {
        Ok(self.keys()?.jwks().clone())
    }

    fn keys(&self) -> Result<Arc<SigningKeys>, SigningKeysError> {
        let mut keys = self.keys.lock();
        if let Some(keys) = &*keys {
            return Ok(Arc::clone(keys));
        }
        let read = Arc::new(SigningKeys::read_or_create(&self.data_dir)?);
        Ok(Arc::clone(keys.insert(read)))
    }
}

impl TokenSigner for HostSigner {
    fn sign(&self, claims: &[u8], options: &[u8], now: Duration) -> Result<String, SigningError> {
        let request = SignRequest::from_json(claims, options).map_err(describe)?;
        let keys = self.keys().map_err(|error| {
            tracing::error!(%error, "the host's signing key cannot be had");
            SigningError::Failed("the host's signing key cannot be had; see the host's log".to_owned())
        })?;
        keys.sign(&request, &self.issuer, now).map_err(describe)
    }
}

fn describe(error: SignError) -> SigningError {
    match error {
        SignError::Failed(why) => SigningError::Failed(why),
        other => SigningError::Invalid(other.to_string()),
    }
}
