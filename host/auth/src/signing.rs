//! The host's own keys, with which functions sign tokens (`ctx.auth.signJwt`), and the public half of them.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use jsonwebtoken::jwk::{Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value as Json, json};
use weir_value::limits::TOKEN_BYTES_MAX;
use weir_value::{SignRequest, SignRequestError};

use crate::crypto;
use crate::keys::KeySet;
use crate::signing_file::{self, SigningKeysError};

/// Keys of this host, for ES256: the first signs, the others are still published.
pub struct SigningKeys {
    signing: EncodingKey,
    signing_id: String,
    jwks: Json,
    public: KeySet,
}

/// Why nothing was signed. The words are for whoever wrote the function.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The token would be longer than tokens may be.
    #[error("{}", SignRequestError::TooLarge)]
    TooLarge,
    /// The key could not be used.
    #[error("signing failed: {0}")]
    Failed(String),
}

impl SigningKeys {
    /// Reads the keys of a data folder, or makes one when there is none: in the file `signing-keys`, mode
    /// 0600, in PEM (PKCS #8), the one that signs first.
    ///
    /// # Errors
    /// When the file cannot be read or written, others may read it, or it does not hold keys on P-256.
    pub fn read_or_create(data_dir: &Path) -> Result<SigningKeys, SigningKeysError> {
        let keys = signing_file::read_or_create(data_dir)?;
        SigningKeys::from_pkcs8(&keys)
            .ok_or_else(|| SigningKeysError::Malformed(signing_file::path(data_dir)))
    }

    fn from_pkcs8(keys: &[Vec<u8>]) -> Option<SigningKeys> {
        crypto::install();
        let keys: Vec<_> = keys.iter().map(|key| EncodingKey::from_ec_der(key)).collect();
        let public: Vec<_> = keys.iter().map(public_key).collect::<Option<_>>()?;
        let jwks = json!({ "keys": public });
        let signing_id = public.into_iter().next()?.common.key_id?;
        // Read as a stranger reads them: what verifies here verifies there.
        let public = KeySet::parse(jwks.to_string().as_bytes()).ok()?;
        Some(SigningKeys { signing: keys.into_iter().next()?, signing_id, jwks, public })
    }

    /// Signs a token at `now` (since the epoch) in the name of `issuer`.
    ///
    /// # Errors
    /// When the token would be too long.
    pub fn sign(&self, request: &SignRequest, issuer: &str, now: Duration) -> Result<String, SignError> {
        let header = Header { kid: Some(self.signing_id.clone()), ..Header::new(Algorithm::ES256) };
        let token = jsonwebtoken::encode(&header, &request.claims(issuer, now), &self.signing)
            .map_err(|error| SignError::Failed(error.to_string()))?;
        if token.len() > TOKEN_BYTES_MAX { Err(SignError::TooLarge) } else { Ok(token) }
    }

    /// The public keys, as a JWK set: what `/.well-known/jwks.json` answers.
    pub fn jwks(&self) -> &Json {
        &self.jwks
    }

    /// The public keys, to verify with.
    pub(crate) fn public(&self) -> &KeySet {
        &self.public
    }

    /// The id of the key that signs: its thumbprint (RFC 7638), so that equal keys have equal ids on every
    /// host.
    pub fn key_id(&self) -> &str {
        &self.signing_id
    }
}

fn public_key(key: &EncodingKey) -> Option<Jwk> {
    let mut jwk = Jwk::from_encoding_key(key, Algorithm::ES256).ok()?;
    jwk.common.key_id = Some(jwk.thumbprint(ThumbprintHash::SHA256).ok()?);
    jwk.common.public_key_use = Some(PublicKeyUse::Signature);
    Some(jwk)
}

/// Without the keys: they end up in logs through `{:?}`.
impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKeys({})", self.signing_id)
    }
}
