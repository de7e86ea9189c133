//! Pairs of keys: the forms in which they come and go, and new ones.
use serde::Deserialize;

use crate::edwards::Use;
use crate::jwk::{self, Jwk};
use crate::primes::GoOn;
use crate::{CryptoError, Entropy, KeyType, curve, rsa};

/// A form in which a key travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// A public key: the point, the 32 bytes. RSA has none.
    Raw,
    /// A public key as SubjectPublicKeyInfo, in DER.
    Spki,
    /// A private key as PKCS #8, in DER.
    Pkcs8,
    /// A JSON Web Key, of which the members that are the key itself are looked at.
    Jwk,
}

impl Format {
    /// By its name.
    ///
    /// # Errors
    /// `UnsupportedAlgorithm`: there is none.
    pub fn of(name: &str) -> Result<Format, CryptoError> {
        match name {
            "raw" => Ok(Format::Raw),
            "spki" => Ok(Format::Spki),
            "pkcs8" => Ok(Format::Pkcs8),
            "jwk" => Ok(Format::Jwk),
            _ => Err(CryptoError::unsupported("A key's format is raw, spki, pkcs8 or jwk.")),
        }
    }
}

/// Which half of a pair a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// As PKCS #8.
    Private,
    /// As SubjectPublicKeyInfo.
    Public,
}

/// A key that was checked, or made.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    /// Which half it is.
    pub kind: KeyKind,
    /// As PKCS #8 or SubjectPublicKeyInfo, in DER.
    pub bytes: Vec<u8>,
    /// Of a key of RSA.
    pub rsa: Option<RsaDetails>,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// What everybody may know of a key of RSA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RsaDetails {
    /// In bits.
    pub modulus_length: u32,
    /// Big-endian, without zeros before it.
    pub public_exponent: Vec<u8>,
}

/// Checks a key, and gives it in the form that the other functions take.
///
/// # Errors
/// `InvalidKey`: it is none of this type and format; `UnsupportedAlgorithm`: the type has no such format.
pub fn import_key(key_type: &KeyType, format: Format, data: &[u8]) -> Result<Key, CryptoError> {
    match key_type {
        KeyType::Ec { named_curve } => {
            let (kind, bytes) = curve::import(*named_curve, format, data)?;
            Ok(Key { kind, bytes, rsa: None })
        }
        KeyType::Ed25519 => import_edwards(Use::Ed25519, format, data),
        KeyType::X25519 => import_edwards(Use::X25519, format, data),
        KeyType::Rsa { .. } => rsa::import(format, data),
    }
}

/// A key in another form. A public key's forms can be had of the private key, too.
///
/// # Errors
/// `InvalidKey`: it is no such key, or a public one whose private key would be needed; `UnsupportedAlgorithm`: the type has no
/// such format.
pub fn export_key(
    key_type: &KeyType,
    kind: KeyKind,
    key: &[u8],
    format: Format,
) -> Result<Vec<u8>, CryptoError> {
    match key_type {
        KeyType::Ec { named_curve } => curve::export(*named_curve, kind, key, format),
        KeyType::Ed25519 => export_edwards(Use::Ed25519, kind, key, format),
        KeyType::X25519 => export_edwards(Use::X25519, kind, key, format),
        KeyType::Rsa { .. } => rsa::export(kind, key, format),
    }
}

/// Makes a new private key. One of RSA takes tens to thousands of milliseconds, unless it is ended.
///
/// # Errors
/// `UnsupportedAlgorithm`: RSA of a size or public exponent that is not made; `CryptoFailed`: it was ended.
pub fn generate_key(key_type: &KeyType, entropy: Entropy<'_>, go_on: GoOn<'_>) -> Result<Key, CryptoError> {
    let private = |bytes| Key { kind: KeyKind::Private, bytes, rsa: None };
    match key_type {
        KeyType::Ec { named_curve } => Ok(private(curve::generate(*named_curve, entropy))),
        KeyType::Ed25519 => Ok(private(Use::Ed25519.to_pkcs8(&Use::Ed25519.generate(entropy)))),
        KeyType::X25519 => Ok(private(Use::X25519.to_pkcs8(&Use::X25519.generate(entropy)))),
        KeyType::Rsa { modulus_length, public_exponent } => {
            rsa::generate(*modulus_length, *public_exponent, entropy, go_on)
        }
    }
}

fn import_edwards(of: Use, format: Format, data: &[u8]) -> Result<Key, CryptoError> {
    let private = |secret: &[u8; 32]| Key { kind: KeyKind::Private, bytes: of.to_pkcs8(secret), rsa: None };
    let public = |public: &[u8; 32]| Key { kind: KeyKind::Public, bytes: of.to_spki(public), rsa: None };
    match format {
        Format::Pkcs8 => Ok(private(&of.read_pkcs8(data)?)),
        Format::Spki => Ok(public(&of.read_spki(data)?)),
        Format::Raw => Ok(public(&of.read_raw(data)?)),
        Format::Jwk => {
            let jwk = Jwk::from_json(data)?.of_type("OKP")?.of_curve(of.name())?;
            let x = of.read_raw(&jwk.x.bytes("x")?)?;
            if jwk.d.is_none() {
                return Ok(public(&x));
            }
            let d = of.read_raw(&jwk.d.bytes("d")?)?;
            match of.public_of(&d) == x {
                true => Ok(private(&d)),
                false => Err(CryptoError::key("The public key in the JWK is not that of its private key.")),
            }
        }
    }
}

fn export_edwards(of: Use, kind: KeyKind, key: &[u8], format: Format) -> Result<Vec<u8>, CryptoError> {
    let secret = match kind {
        KeyKind::Private => Some(of.read_pkcs8(key)?),
        KeyKind::Public => None,
    };
    let public = match &secret {
        Some(secret) => of.public_of(secret),
        None => of.read_spki(key)?,
    };
    match (format, secret) {
        (Format::Pkcs8, Some(secret)) => Ok(of.to_pkcs8(&secret)),
        (Format::Pkcs8, None) => Err(CryptoError::key("A public key has no form PKCS #8.")),
        (Format::Spki, _) => Ok(of.to_spki(&public)),
        (Format::Raw, _) => Ok(public.to_vec()),
        (Format::Jwk, secret) => Ok(jwk::write(&[
            ("kty", jwk::Part::Text("OKP")),
            ("crv", jwk::Part::Text(of.name())),
            ("x", jwk::Part::Bytes(&public)),
            ("d", secret.as_ref().map_or(jwk::Part::Absent, |d| jwk::Part::Bytes(d))),
        ])),
    }
}
