//! Cryptography with keys, as the Web Cryptography API has it: digests, signatures, ciphers, key derivation, and the forms
//! in which keys travel.
//!
//! Every function is told all that it needs, the key as bytes included, and nothing stays here between two calls. A secret
//! key is its bytes; a private key is PKCS #8, a public key SubjectPublicKeyInfo, both in DER, and both are checked each
//! time, because the caller may hand over anything.
//!
//! **Invariant:** knows no clock, no disk, no thread; random bytes come in as an argument ([`Entropy`]). No error, no
//! `Debug` text shows a key or what it was used on. What depends on a secret takes equally long as far as the crates below
//! promise it.
mod aes;
mod algorithm;
mod curve;
mod derive;
mod edwards;
mod entropy;
mod error;
mod hash;
mod jwk;
mod keys;
mod mac;
mod primes;
mod rsa;
#[cfg(test)]
mod tests;

pub use algorithm::{Cipher, Derivation, KeyType, Signature};
pub use derive::{agree, derive_bits};
pub use entropy::Entropy;
pub use error::CryptoError;
pub use hash::Hash;
pub use keys::{Format, Key, KeyKind, export_key, generate_key, import_key};
pub use primes::GoOn;

/// Signs `data` with a secret or private key.
///
/// ECDSA (by RFC 6979), Ed25519, HMAC and RSASSA-PKCS1-v1_5 give the same signature each time; RSA-PSS draws its salt. A
/// signature of ECDSA is the two numbers one after the other, as the web has it.
///
/// # Errors
/// `InvalidKey`: no such key; `CryptoFailed`: the key is too small for the digest.
pub fn sign(
    signature: &Signature,
    key: &[u8],
    data: &[u8],
    entropy: Entropy<'_>,
) -> Result<Vec<u8>, CryptoError> {
    match *signature {
        Signature::Hmac { hash } => Ok(mac::sign(hash, key, data)),
        Signature::Ecdsa { named_curve, hash } => curve::sign(named_curve, hash, key, data),
        Signature::Ed25519 => edwards::sign(key, data),
        Signature::RsassaPkcs1 { hash } => rsa::sign_pkcs1(hash, key, data, entropy),
        Signature::RsaPss { hash, salt_length } => rsa::sign_pss(hash, salt_length, key, data, entropy),
    }
}

/// Whether `tag` is the signature of `data`, by a secret or public key. What is not even in the form of a signature is none.
///
/// # Errors
/// `InvalidKey`: no such key.
pub fn verify(signature: &Signature, key: &[u8], tag: &[u8], data: &[u8]) -> Result<bool, CryptoError> {
    match *signature {
        Signature::Hmac { hash } => Ok(mac::verify(hash, key, tag, data)),
        Signature::Ecdsa { named_curve, hash } => curve::verify(named_curve, hash, key, tag, data),
        Signature::Ed25519 => edwards::verify(key, tag, data),
        Signature::RsassaPkcs1 { hash } => rsa::verify_pkcs1(hash, key, tag, data),
        Signature::RsaPss { hash, salt_length } => rsa::verify_pss(hash, salt_length, key, tag, data),
    }
}

/// What an encryption is given besides key and data: each cipher has its own use for it, or none.
#[derive(Clone, Copy)]
pub struct Given<'a> {
    /// The initialization vector of AES-GCM and AES-CBC, the first counter block of AES-CTR.
    pub iv: &'a [u8],
    /// The additional data of AES-GCM, the label of RSA-OAEP.
    pub additional: &'a [u8],
}

/// Encrypts with a secret or public key. The tag of AES-GCM stands behind the ciphertext.
///
/// # Errors
/// `InvalidKey`; `UnsupportedAlgorithm`: an initialization vector of a length that is not offered; `CryptoFailed`: an
/// initialization vector or counter of the wrong length, or data that is too long for the key or the counter.
pub fn encrypt(
    cipher: &Cipher,
    key: &[u8],
    given: Given<'_>,
    data: &[u8],
    entropy: Entropy<'_>,
) -> Result<Vec<u8>, CryptoError> {
    match *cipher {
        Cipher::AesGcm { tag_length } => aes::gcm_encrypt(key, given, tag_length, data),
        Cipher::AesCbc => aes::cbc_encrypt(key, given.iv, data),
        Cipher::AesCtr { length } => aes::ctr(key, given.iv, length, data),
        Cipher::AesKw => aes::wrap(key, data),
        Cipher::RsaOaep { hash } => rsa::encrypt_oaep(hash, key, given.additional, data, entropy),
    }
}

/// Decrypts with a secret or private key.
///
/// # Errors
/// As for [`encrypt`]; `CryptoFailed`: it was not encrypted so, or was changed. It does not tell which.
pub fn decrypt(
    cipher: &Cipher,
    key: &[u8],
    given: Given<'_>,
    data: &[u8],
    entropy: Entropy<'_>,
) -> Result<Vec<u8>, CryptoError> {
    match *cipher {
        Cipher::AesGcm { tag_length } => aes::gcm_decrypt(key, given, tag_length, data),
        Cipher::AesCbc => aes::cbc_decrypt(key, given.iv, data),
        Cipher::AesCtr { length } => aes::ctr(key, given.iv, length, data),
        Cipher::AesKw => aes::unwrap(key, data),
        Cipher::RsaOaep { hash } => rsa::decrypt_oaep(hash, key, given.additional, data, entropy),
    }
}
