//! The host's own key: what functions sign with, and its public half for everybody.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Value as Json, json};
use weir_auth::{KEY_SET_PATH, OwnHost, OwnKeys, SignError, SigningKeys, SigningKeysError};
use weir_db::{SigningError, TokenSigner};
use weir_value::SignRequest;

use crate::canonical_urls::CanonicalUrls;

/// Signs with the key in a data folder. It is made when it is first needed: a start on a full disk needs no room.
pub struct HostSigner {
    data_dir: PathBuf,
    /// Whose tokens they are.
    urls: CanonicalUrls,
    keys: Mutex<Option<Arc<SigningKeys>>>,
}

impl HostSigner {
    /// A signer with the key in this folder, in the name of the first of these addresses.
    pub fn new(data_dir: &Path, urls: &CanonicalUrls) -> HostSigner {
        HostSigner { data_dir: data_dir.to_owned(), urls: urls.clone(), keys: Mutex::new(None) }
    }

    /// The host as a provider.
    pub fn as_provider(&self) -> OwnHost {
        OwnHost::new(&self.urls.cloud, &self.urls.site)
    }

    /// What others need to verify what it signs, for `/.well-known/openid-configuration`. Nobody signs in here by
    /// OpenID Connect itself, so there is no address for that.
    pub fn discovery(&self) -> Json {
        let issuer = &self.urls.cloud;
        json!({
            "issuer": issuer,
            "jwks_uri": format!("{issuer}{KEY_SET_PATH}"),
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
        })
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

impl OwnKeys for HostSigner {
    fn own_keys(&self) -> Option<Arc<SigningKeys>> {
        let keys = self.keys();
        keys.inspect_err(|error| tracing::error!(%error, "the host's signing key cannot be had")).ok()
    }
}

impl TokenSigner for HostSigner {
    fn sign(&self, request: &SignRequest, now: Duration) -> Result<String, SigningError> {
        let keys = self.own_keys().ok_or_else(|| {
            SigningError::Failed("the host's signing key cannot be had; see the host's log".to_owned())
        })?;
        keys.sign(request, &self.urls.cloud, now).map_err(|error| match error {
            SignError::TooLarge => SigningError::Invalid(error.to_string()),
            SignError::Failed(why) => SigningError::Failed(why),
        })
    }
}
