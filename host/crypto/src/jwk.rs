//! JSON Web Keys (RFC 7517, RFC 7518, RFC 8037): the parts that are the key itself. What a JWK says of its use is the guest's
//! to check.
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::CryptoError;

/// A JWK, as it was written.
#[derive(Default, Deserialize)]
pub(crate) struct Jwk {
    #[serde(default)]
    kty: String,
    crv: Option<String>,
    pub(crate) x: Member,
    pub(crate) y: Member,
    pub(crate) n: Member,
    pub(crate) e: Member,
    pub(crate) d: Member,
    pub(crate) p: Member,
    pub(crate) q: Member,
    pub(crate) dp: Member,
    pub(crate) dq: Member,
    pub(crate) qi: Member,
    pub(crate) oth: Option<Json>,
}

/// A member that is bytes in base64url, if it is there.
#[derive(Default, Deserialize)]
#[serde(default, transparent)]
pub(crate) struct Member(Option<String>);

impl Jwk {
    pub(crate) fn from_json(json: &[u8]) -> Result<Jwk, CryptoError> {
        // The error of the parser would show the key.
        serde_json::from_slice(json).map_err(|_| {
            CryptoError::key("This is no JWK: it has to be an object, whose members of the key are texts.")
        })
    }

    pub(crate) fn of_type(self, kty: &str) -> Result<Jwk, CryptoError> {
        match self.kty == kty {
            true => Ok(self),
            false => Err(CryptoError::key(format!("The JWK's `kty` has to be {kty} for this algorithm."))),
        }
    }

    pub(crate) fn of_curve(self, crv: &str) -> Result<Jwk, CryptoError> {
        match self.crv.as_deref() == Some(crv) {
            true => Ok(self),
            false => Err(CryptoError::key(format!("The JWK's `crv` has to be {crv} for this algorithm."))),
        }
    }
}

impl Member {
    pub(crate) fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// Its bytes.
    pub(crate) fn bytes(&self, name: &str) -> Result<Vec<u8>, CryptoError> {
        let text = self.0.as_ref().ok_or_else(|| CryptoError::key(format!("The JWK has no `{name}`.")))?;
        BASE64URL.decode(text).map_err(|_| {
            CryptoError::key(format!("The JWK's `{name}` is not base64url, which has no padding."))
        })
    }

    /// Its bytes, which must be so many.
    pub(crate) fn fixed(&self, name: &str, bytes: usize) -> Result<Vec<u8>, CryptoError> {
        let found = self.bytes(name)?;
        match found.len() == bytes {
            true => Ok(found),
            false => Err(CryptoError::key(format!("The JWK's `{name}` has to have {bytes} bytes."))),
        }
    }
}

/// What a member is.
pub(crate) enum Part<'a> {
    Text(&'a str),
    Bytes(&'a [u8]),
    Absent,
}

/// A JWK of these members, as JSON.
pub(crate) fn write(members: &[(&str, Part<'_>)]) -> Vec<u8> {
    let members = members.iter().filter_map(|(name, part)| {
        let text = match part {
            Part::Text(text) => (*text).to_owned(),
            Part::Bytes(bytes) => BASE64URL.encode(bytes),
            Part::Absent => return None,
        };
        Some(((*name).to_owned(), Json::String(text)))
    });
    Json::Object(members.collect::<Map<_, _>>()).to_string().into_bytes()
}
