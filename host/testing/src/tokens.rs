//! Tokens that functions sign in tests: as a host signs them, with a key that everybody knows.
//!
//! The signatures are deterministic (RFC 6979), so that equal tests give equal tokens, down to the text.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use p256::ecdsa::signature::{Signer as _, Verifier as _};
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Map, Value as Json, json};
use weir_db::{SigningError, TokenSigner};
use weir_value::limits::TOKEN_BYTES_MAX;
use weir_value::{SignRequest, SignRequestError, strict_json};

/// Who signs in tests; in a host it is `CONVEX_CLOUD_URL`.
pub const TOKEN_ISSUER: &str = "https://test.invalid";

/// The key's name.
const KEY_ID: &str = "weir-test";

/// Not a secret: nobody but tests believes what it signs.
const KEY: [u8; 32] = *b"the key of Weir's function tests";

/// Why a token is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is no JWT.
    #[error("this is not a token: it has to be three parts in base64url with dots between them")]
    Malformed,
    /// It is one, of somebody else's, or was changed.
    #[error("the token was not signed by a function in this test")]
    Signature,
    /// It was good once.
    #[error(
        "the token expired at {expired_at}, in seconds since the epoch, and the test's clock is at {now}"
    )]
    Expired {
        /// Its last moment.
        expired_at: u64,
        /// The test's clock.
        now: u64,
    },
}

/// Signs, and verifies what it has signed.
pub(crate) struct TestSigner(SigningKey);

impl TestSigner {
    pub(crate) fn new() -> TestSigner {
        TestSigner(SigningKey::from_slice(&KEY).expect("32 bytes below the curve's order"))
    }

    pub(crate) fn jwks(&self) -> Json {
        let point = self.0.verifying_key().to_sec1_point(false);
        let [x, y] =
            [point.x(), point.y()].map(|coordinate| BASE64.encode(coordinate.expect("uncompressed")));
        json!({"keys": [
            {"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": KEY_ID, "x": x, "y": y},
        ]})
    }

    pub(crate) fn verify(&self, token: &str, now: Duration) -> Result<Map<String, Json>, TokenError> {
        let (message, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, claims) = message.split_once('.').ok_or(TokenError::Malformed)?;
        let [_, claims, signature] = [header, claims, signature].map(|part| BASE64.decode(part).ok());
        let (claims, signature) = claims.zip(signature).ok_or(TokenError::Malformed)?;
        let signature = Signature::from_slice(&signature).map_err(|_| TokenError::Signature)?;
        let verified = self.0.verifying_key().verify(message.as_bytes(), &signature);
        verified.map_err(|_| TokenError::Signature)?;
        let claims = strict_json::object(&claims).map_err(|_| TokenError::Malformed)?;
        let (expired_at, now) = (claims["exp"].as_u64().unwrap_or_default(), now.as_secs());
        if expired_at <= now { Err(TokenError::Expired { expired_at, now }) } else { Ok(claims) }
    }
}

impl TokenSigner for TestSigner {
    fn sign(&self, request: &SignRequest, now: Duration) -> Result<String, SigningError> {
        let header = json!({"typ": "JWT", "alg": "ES256", "kid": KEY_ID});
        let claims = Json::Object(request.claims(TOKEN_ISSUER, now));
        let [header, claims] = [header, claims].map(|part| BASE64.encode(part.to_string()));
        let message = format!("{header}.{claims}");
        let signature: Signature = self.0.sign(message.as_bytes());
        let token = format!("{message}.{}", BASE64.encode(signature.to_bytes()));
        let is_short = token.len() <= TOKEN_BYTES_MAX;
        is_short.then_some(token).ok_or_else(|| SigningError::Invalid(SignRequestError::TooLarge.to_string()))
    }
}

impl fmt::Debug for TestSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TestSigner({KEY_ID})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(claims: Json, now: u64) -> Result<String, SigningError> {
        let claims = claims.as_object().cloned().unwrap();
        TestSigner::new().sign(&SignRequest::new(claims, 60.0).unwrap(), Duration::from_secs(now))
    }

    fn verified(token: &str, now: u64) -> Result<Json, TokenError> {
        TestSigner::new().verify(token, Duration::from_secs(now)).map(Json::Object)
    }

    #[test]
    fn what_was_signed_is_read_until_it_expires() {
        let token = signed(json!({"sub": "ada", "role": ["editor"]}), 100).unwrap();
        assert_eq!(signed(json!({"sub": "ada", "role": ["editor"]}), 100).unwrap(), token);
        let claims = json!({"iss": TOKEN_ISSUER, "iat": 100, "exp": 160, "sub": "ada", "role": ["editor"]});
        assert_eq!(verified(&token, 159), Ok(claims));
        assert_eq!(verified(&token, 160), Err(TokenError::Expired { expired_at: 160, now: 160 }));
    }

    #[test]
    fn nothing_else_is_believed() {
        let token = signed(json!({"sub": "ada"}), 100).unwrap();
        let other = signed(json!({"sub": "bob"}), 100).unwrap();
        let (message, _) = token.rsplit_once('.').unwrap();
        let (_, signature) = other.rsplit_once('.').unwrap();
        assert_eq!(verified(&format!("{message}.{signature}"), 100), Err(TokenError::Signature));
        assert_eq!(verified(&format!("{message}."), 100), Err(TokenError::Signature));
        for text in ["", "a", "a.b", "a.b.c", "..", &token.replace('.', "!")] {
            assert!(verified(text, 100).is_err(), "{text}");
        }
        let long = signed(json!({"x": "x".repeat(TOKEN_BYTES_MAX)}), 100).unwrap_err();
        assert!(long.to_string().contains("longer than"), "{long}");
    }
}
