//! A provider's public keys, read from a JWK set (RFC 7517).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use serde_json::Value as Json;
use weir_value::limits::{AUTH_KEY_SET_BYTES_MAX, AUTH_KEYS_MAX};
use weir_value::strict_json;

use crate::algorithm::Algorithm;
use crate::crypto;

/// Keys of a set that may have one id, and of one kind: so many are tried on a signature.
const CANDIDATES_MAX: usize = 4;

/// The keys of a set that tokens can be checked with.
#[derive(Debug, Default)]
pub(crate) struct KeySet {
    keys: Vec<PublicKey>,
}

#[derive(Debug)]
struct PublicKey {
    id: Option<String>,
    algorithm: Algorithm,
    key: DecodingKey,
}

/// Which keys of a set a token may be signed with.
pub(crate) enum Selection<'a> {
    /// The signature has to be that of one of these.
    Keys(Candidates<'a>),
    /// No key has the token's id, or there is none of the algorithm for a token without an id.
    Unknown,
    /// The key of this id is one for another algorithm.
    OtherAlgorithm,
    /// The token names no key, and several would do.
    Ambiguous,
}

/// Keys of one id and one algorithm.
pub(crate) struct Candidates<'a>(Vec<&'a PublicKey>);

impl Candidates<'_> {
    /// Whether one of them made the signature.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.iter().any(|key| crypto::verify(&key.key, key.algorithm.of_library(), message, signature))
    }
}

impl KeySet {
    /// Reads `{"keys": [...]}`. Keys for something else (encryption, other algorithms, keys that are too
    /// short) are left out, as sets are shared by many readers.
    ///
    /// # Errors
    /// In plain words: not a key set, or no key of it is of use.
    pub(crate) fn parse(text: &[u8]) -> Result<KeySet, String> {
        if text.len() > AUTH_KEY_SET_BYTES_MAX {
            return Err(format!("a key set may have {AUTH_KEY_SET_BYTES_MAX} bytes"));
        }
        let set = strict_json::object(text).map_err(|why| format!("not a key set ({why})"))?;
        let Some(Json::Array(keys)) = set.get("keys") else {
            let hint = if set.contains_key("kty") {
                ": this is one key, write {\"keys\": [...]} around it"
            } else {
                ""
            };
            return Err(format!("not a key set (no array `keys`){hint}"));
        };
        if keys.len() > AUTH_KEYS_MAX {
            return Err(format!("a key set may have {AUTH_KEYS_MAX} keys, this one has {}", keys.len()));
        }
        let read: Vec<_> = keys.iter().map(read_key).collect();
        let why = read.iter().find_map(|key| key.as_ref().err()).cloned();
        let keys: Vec<_> = read.into_iter().flatten().collect();
        if keys.is_empty() {
            let why = why.unwrap_or("it is empty");
            return Err(format!(
                "no key of the set can be used, it needs one for RS256, ES256 or EdDSA ({why})"
            ));
        }
        Ok(KeySet { keys })
    }

    /// Whether there is a key for one of these.
    pub(crate) fn serves(&self, algorithms: &[Algorithm]) -> bool {
        self.keys.iter().any(|key| algorithms.contains(&key.algorithm))
    }

    /// The keys for a token with this key id and algorithm.
    pub(crate) fn select(&self, id: Option<&str>, algorithm: Algorithm) -> Selection<'_> {
        let named: Vec<_> = self.keys.iter().filter(|key| id.is_none() || key.id.as_deref() == id).collect();
        let suitable: Vec<_> =
            named.iter().copied().filter(|key| key.algorithm == algorithm).take(CANDIDATES_MAX).collect();
        match (id, suitable.len()) {
            (Some(_), 0) if !named.is_empty() => Selection::OtherAlgorithm,
            (_, 0) => Selection::Unknown,
            (None, 2..) => Selection::Ambiguous,
            _ => Selection::Keys(Candidates(suitable)),
        }
    }
}

/// Whether a set holds a private or a secret key, which never belongs into a configuration.
pub(crate) fn holds_secrets(text: &[u8]) -> bool {
    let Ok(set) = strict_json::object(text) else { return false };
    let keys = set.get("keys").and_then(Json::as_array);
    keys.is_some_and(|keys| keys.iter().any(|key| key.get("d").is_some() || key.get("k").is_some()))
}

fn read_key(key: &Json) -> Result<PublicKey, &'static str> {
    let jwk: Jwk = serde_json::from_value(key.clone()).map_err(|_| "a key is not a JWK")?;
    let signs = match &jwk.common.public_key_use {
        None | Some(PublicKeyUse::Signature) => true,
        Some(_) => false,
    };
    let operations = jwk.common.key_operations.as_deref();
    if !signs || operations.is_some_and(|operations| !operations.contains(&KeyOperations::Verify)) {
        return Err("a key is not for signatures");
    }
    let algorithm = algorithm_of(&jwk)?;
    match key.get("alg") {
        None | Some(Json::Null) => {}
        Some(Json::String(name)) if Algorithm::from_name(name) == Some(algorithm) => {}
        // The name that RFC 9864 gives to EdDSA with this curve.
        Some(Json::String(name)) if name == "Ed25519" && algorithm == Algorithm::EdDsa => {}
        Some(_) => return Err("a key is for another algorithm"),
    }
    let key = DecodingKey::from_jwk(&jwk).map_err(|_| "a key is not in base64url")?;
    Ok(PublicKey { id: jwk.common.key_id, algorithm, key })
}

/// The one algorithm that a key of this type and curve is for, if its parts have the right length.
fn algorithm_of(jwk: &Jwk) -> Result<Algorithm, &'static str> {
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| "a key is not in base64url");
    match &jwk.algorithm {
        AlgorithmParameters::RSA(key) => match bits(&bytes(&key.n)?) {
            2048..=8192 => Ok(Algorithm::Rs256),
            _ => Err("an RSA key has not 2048 to 8192 bits"),
        },
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
            let whole = bytes(&key.x)?.len() == 32 && bytes(&key.y)?.len() == 32;
            if whole { Ok(Algorithm::Es256) } else { Err("a key on P-256 has not 32 bytes in `x` and `y`") }
        }
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            let whole = bytes(&key.x)?.len() == 32;
            if whole { Ok(Algorithm::EdDsa) } else { Err("a key on Ed25519 has not 32 bytes in `x`") }
        }
        _ => Err("a key is of another type or curve"),
    }
}

fn bits(number: &[u8]) -> usize {
    let significant = number.iter().position(|byte| *byte != 0).map_or(&[][..], |at| &number[at..]);
    significant.first().map_or(0, |first| significant.len() * 8 - first.leading_zeros() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_bits_without_leading_zeros() {
        assert_eq!(bits(&[]), 0);
        assert_eq!(bits(&[0, 0]), 0);
        assert_eq!(bits(&[0, 1]), 1);
        assert_eq!(bits(&[0x80, 0]), 16);
    }

    #[test]
    fn says_why_a_set_is_of_no_use() {
        let x = "A".repeat(43);
        for (set, why) in [
            ("[]".into(), "not a JSON object"),
            ("{}".into(), "no array `keys`"),
            (r#"{"kty":"EC"}"#.into(), "write {\"keys\": [...]} around it"),
            (r#"{"keys":[]}"#.into(), "it is empty"),
            (r#"{"keys":[7]}"#.into(), "not a JWK"),
            (r#"{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}"#.into(), "another type or curve"),
            (format!(r#"{{"keys":[{{"kty":"OKP","crv":"X25519","x":"{x}"}}]}}"#), "another type or curve"),
            (
                format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","x":"{x}","use":"enc"}}]}}"#),
                "not for signatures",
            ),
            (
                format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","x":"{x}","key_ops":["sign"]}}]}}"#),
                "not for signatures",
            ),
            (
                format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","x":"{x}","alg":"RS256"}}]}}"#),
                "another algorithm",
            ),
            (r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AAAA"}]}"#.into(), "32 bytes"),
            (r#"{"keys":[{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"}]}"#.into(), "32 bytes"),
            (
                r#"{"keys":[{"kty":"EC","crv":"P-384","x":"AAAA","y":"AAAA"}]}"#.into(),
                "another type or curve",
            ),
            (r#"{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}"#.into(), "2048 to 8192 bits"),
            (r#"{"keys":[{"kty":"RSA","n":"***","e":"AQAB"}]}"#.into(), "base64url"),
        ] {
            let error = KeySet::parse(set.as_bytes()).unwrap_err();
            assert!(error.contains(why), "{set}: {error}");
        }
        let many = format!(r#"{{"keys":[{}1]}}"#, "1,".repeat(AUTH_KEYS_MAX));
        assert!(KeySet::parse(many.as_bytes()).unwrap_err().contains("100 keys"));
        let huge = " ".repeat(AUTH_KEY_SET_BYTES_MAX + 1);
        assert!(KeySet::parse(huge.as_bytes()).unwrap_err().contains("bytes"));
    }

    #[test]
    fn keeps_what_is_of_use_beside_what_is_not() {
        let x = "A".repeat(43);
        let set = format!(
            r#"{{"keys":[{{"kty":"oct","k":"AA","kid":"a"}},{{"kty":"OKP","crv":"Ed25519","x":"{x}","kid":"a",
                "alg":"Ed25519","x5c":null}},
                {{"kty":"OKP","crv":"Ed25519","x":"{x}","kid":"b","key_ops":["verify"]}}]}}"#
        );
        let set = KeySet::parse(set.as_bytes()).unwrap();
        assert!(set.serves(&[Algorithm::EdDsa]) && !set.serves(&[Algorithm::Rs256]));
        assert!(matches!(set.select(Some("a"), Algorithm::EdDsa), Selection::Keys(_)));
        assert!(matches!(set.select(Some("a"), Algorithm::Es256), Selection::OtherAlgorithm));
        assert!(matches!(set.select(Some("c"), Algorithm::EdDsa), Selection::Unknown));
        assert!(matches!(set.select(None, Algorithm::EdDsa), Selection::Ambiguous));
        assert!(matches!(set.select(None, Algorithm::Es256), Selection::Unknown));
    }
}
