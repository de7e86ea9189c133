//! Algorithms with their parameters, as guests name them in JSON: in the words of the Web Cryptography API.
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::{CryptoError, Hash};

/// An elliptic curve of NIST's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Curve {
    /// 32 bytes a number.
    #[serde(rename = "P-256")]
    P256,
    /// 48 bytes a number.
    #[serde(rename = "P-384")]
    P384,
    /// 66 bytes a number.
    #[serde(rename = "P-521")]
    P521,
}

/// How something is signed: `{"name": "ECDSA", "namedCurve": "P-256", "hash": "SHA-256"}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "name", rename_all_fields = "camelCase", deny_unknown_fields)]
#[expect(missing_docs, reason = "the words are those of the standard")]
pub enum Signature {
    #[serde(rename = "HMAC")]
    Hmac {
        hash: Hash,
    },
    #[serde(rename = "ECDSA")]
    Ecdsa {
        named_curve: Curve,
        hash: Hash,
    },
    Ed25519,
    #[serde(rename = "RSASSA-PKCS1-v1_5")]
    RsassaPkcs1 {
        hash: Hash,
    },
    /// The salt's length is in bytes.
    #[serde(rename = "RSA-PSS")]
    RsaPss {
        hash: Hash,
        salt_length: u32,
    },
}

/// How something is encrypted: `{"name": "AES-GCM", "tagLength": 128}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "name", rename_all_fields = "camelCase", deny_unknown_fields)]
#[expect(missing_docs, reason = "the words are those of the standard")]
pub enum Cipher {
    /// The tag's length is in bits.
    #[serde(rename = "AES-GCM")]
    AesGcm { tag_length: u32 },
    #[serde(rename = "AES-CBC")]
    AesCbc,
    /// How many of the last bits of the block count.
    #[serde(rename = "AES-CTR")]
    AesCtr { length: u32 },
    /// For keys alone.
    #[serde(rename = "AES-KW")]
    AesKw,
    #[serde(rename = "RSA-OAEP")]
    RsaOaep { hash: Hash },
}

/// How bits are derived from a secret: `{"name": "PBKDF2", "hash": "SHA-256", "iterations": 100000}`. The web knows no
/// scrypt; its parameters have Node's names.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "name", rename_all_fields = "camelCase", deny_unknown_fields)]
#[expect(missing_docs, reason = "the words are those of the standard")]
pub enum Derivation {
    #[serde(rename = "PBKDF2")]
    Pbkdf2 { hash: Hash, iterations: u32 },
    #[serde(rename = "HKDF")]
    Hkdf { hash: Hash },
    #[serde(rename = "scrypt")]
    Scrypt { cost: u32, block_size: u32, parallelization: u32 },
}

/// What a pair of keys is: `{"name": "EC", "namedCurve": "P-256"}`. One of RSA has its size and public exponent where it is
/// to be made, and only there.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "name", rename_all_fields = "camelCase", deny_unknown_fields)]
#[expect(missing_docs, reason = "the words are those of the standard")]
pub enum KeyType {
    #[serde(rename = "EC")]
    Ec {
        named_curve: Curve,
    },
    Ed25519,
    X25519,
    #[serde(rename = "RSA")]
    Rsa {
        modulus_length: Option<u32>,
        public_exponent: Option<u64>,
    },
}

impl Signature {
    /// Whether signing draws random bytes. They need not show in the signature.
    pub fn draws(&self) -> bool {
        matches!(self, Signature::RsassaPkcs1 { .. } | Signature::RsaPss { .. })
    }
}

impl Cipher {
    /// Whether encrypting or decrypting draws random bytes.
    pub fn draws(&self) -> bool {
        matches!(self, Cipher::RsaOaep { .. })
    }
}

macro_rules! from_json {
    ($($type:ident)*) => {
        $(impl $type {
            /// Reads it.
            ///
            /// # Errors
            /// `UnsupportedAlgorithm`: there is no such algorithm, or it has not these parameters.
            pub fn from_json(json: &[u8]) -> Result<$type, CryptoError> {
                read(json)
            }
        })*
    };
}
from_json!(Signature Cipher Derivation KeyType);

fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T, CryptoError> {
    serde_json::from_slice(json)
        .map_err(|error| CryptoError::unsupported(format!("There is no such algorithm here: {error}.")))
}
