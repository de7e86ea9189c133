//! The host's own keys, with which functions sign tokens (`ctx.auth.signJwt`), and the public half of them.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use jsonwebtoken::jwk::{Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Map, Value as Json, json};
use weir_value::limits::{SIGNED_TOKEN_SECONDS_MAX, TOKEN_BYTES_MAX};

use crate::signing_file::{self, SigningKeysError};
use crate::{crypto, json as strict};

/// Claims that the host sets, and those that it leaves out.
const RESERVED: [&str; 4] = ["iss", "iat", "exp", "nbf"];
/// How claims may not begin, in any case of letters.
const RESERVED_PREFIXES: [&str; 2] = ["convex", "cvx"];

/// Keys of this host, for ES256: the first signs, the others are still published.
pub struct SigningKeys {
    signing: EncodingKey,
    signing_id: String,
    jwks: Json,
}

/// What a function wants signed.
#[derive(Debug, Clone, PartialEq)]
pub struct SignRequest {
    claims: Map<String, Json>,
    expires_in_seconds: u64,
}

/// Why nothing was signed. The words are for whoever wrote the function.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The claims are not a JSON object.
    #[error("`claims` has to be an object ({0})")]
    Claims(String),
    /// A claim that functions may not set.
    #[error(
        "the claim {0:?} may not be set: `iss`, `iat`, `exp` and `nbf` are the host's, and so is what begins \
         with `convex` or `cvx`"
    )]
    Reserved(String),
    /// Not one object with `expiresInSeconds`.
    #[error("the options have to be `{{ claims?, expiresInSeconds }}` ({0})")]
    Options(String),
    /// Not a whole number, or too long.
    #[error("`expiresInSeconds` has to be a whole number from 1 to {SIGNED_TOKEN_SECONDS_MAX}")]
    ExpiresIn,
    /// The token would be longer than tokens may be.
    #[error(
        "the token would be longer than {TOKEN_BYTES_MAX} bytes: sign fewer claims, such as an id to look up"
    )]
    TooLarge,
    /// The key could not be used.
    #[error("signing failed: {0}")]
    Failed(String),
}

impl SignRequest {
    /// Checks what a function wants signed: `claims` is a JSON object, `options` one with `expiresInSeconds`,
    /// from 1 s to an hour.
    ///
    /// # Errors
    /// What is wrong with either.
    pub fn from_json(claims: &[u8], options: &[u8]) -> Result<SignRequest, SignError> {
        let options = strict::object(options).map_err(SignError::Options)?;
        if let Some(unknown) = options.keys().find(|name| *name != "expiresInSeconds") {
            return Err(SignError::Options(format!("there is no {unknown:?}")));
        }
        let seconds = options.get("expiresInSeconds").and_then(Json::as_f64).ok_or(SignError::ExpiresIn)?;
        let claims = strict::object(claims).map_err(SignError::Claims)?;
        SignRequest::new(claims, seconds)
    }

    /// As [`SignRequest::from_json`], of what is parsed already.
    ///
    /// # Errors
    /// As for [`SignRequest::from_json`].
    pub fn new(claims: Map<String, Json>, expires_in_seconds: f64) -> Result<SignRequest, SignError> {
        if let Some(name) = claims.keys().find(|name| is_reserved(name)) {
            return Err(SignError::Reserved(name.chars().take(100).collect()));
        }
        let is_in_range = (1.0..=SIGNED_TOKEN_SECONDS_MAX as f64).contains(&expires_in_seconds);
        if !is_in_range || expires_in_seconds.fract() != 0.0 {
            return Err(SignError::ExpiresIn);
        }
        let expires_in_seconds = expires_in_seconds as u64;
        Ok(SignRequest { claims, expires_in_seconds })
    }
}

fn is_reserved(name: &str) -> bool {
    let begins = |prefix: &&str| {
        name.as_bytes().get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
    };
    RESERVED.contains(&name) || RESERVED_PREFIXES.iter().any(begins)
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
        Some(SigningKeys { signing: keys.into_iter().next()?, signing_id, jwks })
    }

    /// Signs a token at `now` (since the epoch) in the name of `issuer`.
    ///
    /// # Errors
    /// When the token would be too long.
    pub fn sign(&self, request: &SignRequest, issuer: &str, now: Duration) -> Result<String, SignError> {
        let mut claims = request.claims.clone();
        claims.insert("iss".into(), issuer.into());
        claims.insert("iat".into(), now.as_secs().into());
        claims.insert("exp".into(), now.as_secs().saturating_add(request.expires_in_seconds).into());
        let header = Header { kid: Some(self.signing_id.clone()), ..Header::new(Algorithm::ES256) };
        let token = jsonwebtoken::encode(&header, &claims, &self.signing)
            .map_err(|error| SignError::Failed(error.to_string()))?;
        if token.len() > TOKEN_BYTES_MAX { Err(SignError::TooLarge) } else { Ok(token) }
    }

    /// The public keys, as a JWK set: what `/.well-known/jwks.json` answers.
    pub fn jwks(&self) -> &Json {
        &self.jwks
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_may_not_be_signed() {
        let good = br#"{"expiresInSeconds":60}"#;
        for claims in ["{}", r#"{"sub":"a","aud":["b"],"x":{"exp":1}}"#, r#"{"conve":1,"cv":2,"Iss":3}"#] {
            assert!(SignRequest::from_json(claims.as_bytes(), good).is_ok(), "{claims}");
        }
        for claims in [
            r#"{"iss":"a"}"#,
            r#"{"iat":1}"#,
            r#"{"exp":1}"#,
            r#"{"nbf":1}"#,
            r#"{"convex":1}"#,
            r#"{"ConvexRole":1}"#,
            r#"{"cvx_a":1}"#,
            r#"{"CVX":1}"#,
        ] {
            let refused = SignRequest::from_json(claims.as_bytes(), good);
            assert!(matches!(refused, Err(SignError::Reserved(_))), "{claims}");
        }
        for claims in ["[]", "null", "{", r#"{"a":1,"a":2}"#] {
            let refused = SignRequest::from_json(claims.as_bytes(), good);
            assert!(matches!(refused, Err(SignError::Claims(_))), "{claims}");
        }
        for options in [r#"{"expiresInSeconds":1}"#, r#"{"expiresInSeconds":3600.0}"#] {
            assert!(SignRequest::from_json(b"{}", options.as_bytes()).is_ok(), "{options}");
        }
        for seconds in ["0", "0.5", "1.5", "3601", "-1", "1e300", "\"60\"", "null"] {
            let options = format!(r#"{{"expiresInSeconds":{seconds}}}"#);
            assert_eq!(
                SignRequest::from_json(b"{}", options.as_bytes()),
                Err(SignError::ExpiresIn),
                "{seconds}"
            );
        }
        assert_eq!(SignRequest::from_json(b"{}", b"{}"), Err(SignError::ExpiresIn));
        for options in ["[]", r#"{"expiresInSeconds":60,"issuer":"x"}"#] {
            let refused = SignRequest::from_json(b"{}", options.as_bytes());
            assert!(matches!(refused, Err(SignError::Options(_))), "{options}");
        }
    }
}
