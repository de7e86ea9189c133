//! Elliptic curves of NIST's: ECDSA and ECDH, and their keys.
use ecdsa::hazmat::{sign_prehashed_rfc6979, verify_prehashed};
use p256::elliptic_curve::sec1::ToSec1Point;
use p256::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey};

use crate::algorithm::Curve;
use crate::entropy::{Entropy, Source};
use crate::hash::with_hash;
use crate::jwk::{self, Jwk};
use crate::keys::{Format, KeyKind};
use crate::{CryptoError, Hash};

/// Runs code with the crate of a curve, and the curve's type.
macro_rules! with_curve {
    ($curve:expr, $c:ident, $C:ident => $body:expr) => {
        match $curve {
            Curve::P256 => {
                use p256 as $c;
                #[allow(dead_code, reason = "not each piece of code names it")]
                type $C = p256::NistP256;
                $body
            }
            Curve::P384 => {
                use p384 as $c;
                #[allow(dead_code, reason = "not each piece of code names it")]
                type $C = p384::NistP384;
                $body
            }
            Curve::P521 => {
                use p521 as $c;
                #[allow(dead_code, reason = "not each piece of code names it")]
                type $C = p521::NistP521;
                $body
            }
        }
    };
}

impl Curve {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Curve::P256 => "P-256",
            Curve::P384 => "P-384",
            Curve::P521 => "P-521",
        }
    }

    fn no_private(self) -> CryptoError {
        CryptoError::key(format!("This is no private key of the curve {}.", self.name()))
    }

    fn no_public(self) -> CryptoError {
        CryptoError::key(format!("This is no public key of the curve {}.", self.name()))
    }
}

pub(crate) fn sign(curve: Curve, hash: Hash, pkcs8: &[u8], data: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let digest = hash.digest(data);
    with_curve!(curve, c, C => {
        let key = c::SecretKey::from_pkcs8_der(pkcs8).map_err(|_| curve.no_private())?;
        let scalar = key.to_nonzero_scalar();
        let (signature, _) = with_hash!(hash, D => sign_prehashed_rfc6979::<C, D>(&scalar, &digest, &[]));
        Ok(signature.to_bytes().to_vec())
    })
}

pub(crate) fn verify(
    curve: Curve,
    hash: Hash,
    spki: &[u8],
    tag: &[u8],
    data: &[u8],
) -> Result<bool, CryptoError> {
    let digest = hash.digest(data);
    with_curve!(curve, c, C => {
        let key = c::PublicKey::from_public_key_der(spki).map_err(|_| curve.no_public())?;
        let Ok(signature) = ecdsa::Signature::<C>::from_slice(tag) else { return Ok(false) };
        Ok(verify_prehashed(&key.to_projective(), &digest, &signature).is_ok())
    })
}

/// The secret that both sides have: a coordinate.
pub(crate) fn agree(curve: Curve, pkcs8: &[u8], spki: &[u8]) -> Result<Vec<u8>, CryptoError> {
    with_curve!(curve, c, C => {
        let key = c::SecretKey::from_pkcs8_der(pkcs8).map_err(|_| curve.no_private())?;
        let public = c::PublicKey::from_public_key_der(spki).map_err(|_| curve.no_public())?;
        Ok(key.diffie_hellman(&public).raw_secret_bytes().to_vec())
    })
}

pub(crate) fn generate(curve: Curve, entropy: Entropy<'_>) -> Vec<u8> {
    with_curve!(curve, c, C => {
        let key = <c::SecretKey as p256::elliptic_curve::Generate>::generate_from_rng(&mut Source(entropy));
        pkcs8_of(&key)
    })
}

fn pkcs8_of(key: &impl EncodePrivateKey) -> Vec<u8> {
    key.to_pkcs8_der().expect("a key has a DER").as_bytes().to_vec()
}

fn spki_of(key: &impl EncodePublicKey) -> Vec<u8> {
    key.to_public_key_der().expect("a key has a DER").as_bytes().to_vec()
}

/// Checks a key, and gives what it is kept as.
pub(crate) fn import(curve: Curve, format: Format, data: &[u8]) -> Result<(KeyKind, Vec<u8>), CryptoError> {
    with_curve!(curve, c, C => match format {
        Format::Pkcs8 => {
            let key = c::SecretKey::from_pkcs8_der(data).map_err(|_| curve.no_private())?;
            Ok((KeyKind::Private, pkcs8_of(&key)))
        }
        Format::Spki => {
            let key = c::PublicKey::from_public_key_der(data).map_err(|_| curve.no_public())?;
            Ok((KeyKind::Public, spki_of(&key)))
        }
        Format::Raw => {
            let key = c::PublicKey::from_sec1_bytes(data).map_err(|_| curve.no_public())?;
            Ok((KeyKind::Public, spki_of(&key)))
        }
        Format::Jwk => {
            let jwk = Jwk::from_json(data)?.of_type("EC")?.of_curve(curve.name())?;
            let bytes = curve_bytes(curve);
            let (x, y) = (jwk.x.fixed("x", bytes)?, jwk.y.fixed("y", bytes)?);
            let point = [&[4], &x[..], &y[..]].concat();
            let public = c::PublicKey::from_sec1_bytes(&point).map_err(|_| curve.no_public())?;
            if jwk.d.is_none() {
                return Ok((KeyKind::Public, spki_of(&public)));
            }
            let d = jwk.d.fixed("d", bytes)?;
            let key = c::SecretKey::from_slice(&d).map_err(|_| curve.no_private())?;
            match key.public_key() == public {
                true => Ok((KeyKind::Private, pkcs8_of(&key))),
                false => Err(CryptoError::key("The public key in the JWK is not that of its private key.")),
            }
        }
    })
}

/// The form of a key that was imported.
pub(crate) fn export(
    curve: Curve,
    kind: KeyKind,
    key: &[u8],
    format: Format,
) -> Result<Vec<u8>, CryptoError> {
    with_curve!(curve, c, C => {
        let secret = match kind {
            KeyKind::Private => Some(c::SecretKey::from_pkcs8_der(key).map_err(|_| curve.no_private())?),
            KeyKind::Public => None,
        };
        let public = match &secret {
            Some(secret) => secret.public_key(),
            None => c::PublicKey::from_public_key_der(key).map_err(|_| curve.no_public())?,
        };
        match (format, secret) {
            (Format::Pkcs8, Some(secret)) => Ok(pkcs8_of(&secret)),
            (Format::Pkcs8, None) => Err(CryptoError::key("A public key has no form PKCS #8.")),
            (Format::Spki, _) => Ok(spki_of(&public)),
            (Format::Raw, _) => Ok(public.to_sec1_point(false).as_bytes().to_vec()),
            (Format::Jwk, secret) => {
                let point = public.to_sec1_point(false);
                let (x, y) = point.as_bytes()[1..].split_at(curve_bytes(curve));
                let d = secret.map(|secret| secret.to_bytes());
                Ok(jwk::write(&[
                    ("kty", jwk::Part::Text("EC")),
                    ("crv", jwk::Part::Text(curve.name())),
                    ("x", jwk::Part::Bytes(x)),
                    ("y", jwk::Part::Bytes(y)),
                    ("d", d.as_ref().map_or(jwk::Part::Absent, |d| jwk::Part::Bytes(d))),
                ]))
            }
        }
    })
}

/// How long a number of a curve is.
fn curve_bytes(curve: Curve) -> usize {
    match curve {
        Curve::P256 => 32,
        Curve::P384 => 48,
        Curve::P521 => 66,
    }
}
