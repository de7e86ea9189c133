//! Bits derived from a password, from a secret, or by agreement with another side.
use hkdf::Hkdf;
use weir_value::limits::{DERIVED_BYTES_MAX, PBKDF2_ROUNDS_MAX, SCRYPT_WORK_MAX};

use crate::hash::with_hash;
use crate::{CryptoError, Derivation, KeyType, curve, edwards};

/// Derives `length` bytes from a secret. `info` is HKDF's, and is empty for the others.
///
/// # Errors
/// `UnsupportedAlgorithm`: more bytes than are derived at once, or PBKDF2 of more rounds in all than are computed, or
/// scrypt of more memory; `CryptoFailed`: no iterations, parameters that scrypt does not have, or more bytes than HKDF gives.
pub fn derive_bits(
    derivation: &Derivation,
    key: &[u8],
    salt: &[u8],
    info: &[u8],
    length: usize,
) -> Result<Vec<u8>, CryptoError> {
    if length > DERIVED_BYTES_MAX {
        let message = format!("At most {DERIVED_BYTES_MAX} bytes are derived at once.");
        return Err(CryptoError::unsupported(message));
    }
    match *derivation {
        Derivation::Pbkdf2 { hash, iterations } => {
            if iterations == 0 {
                return Err(CryptoError::failed("PBKDF2 needs at least one iteration."));
            }
            let blocks = length.div_ceil(hash.output_bytes()) as u64;
            if blocks.saturating_mul(u64::from(iterations)) > PBKDF2_ROUNDS_MAX {
                return Err(CryptoError::unsupported(format!(
                    "PBKDF2 takes at most {PBKDF2_ROUNDS_MAX} iterations, counted for each {} bytes that are derived.",
                    hash.output_bytes()
                )));
            }
            let mut bits = vec![0; length];
            with_hash!(hash, D => pbkdf2::pbkdf2_hmac::<D>(key, salt, iterations, &mut bits));
            Ok(bits)
        }
        Derivation::Hkdf { hash } => {
            let mut bits = vec![0; length];
            with_hash!(hash, D => Hkdf::<D>::new(Some(salt), key).expand(info, &mut bits))
                .map_err(|_| CryptoError::failed("HKDF gives at most 255 times the digest's length."))?;
            Ok(bits)
        }
        Derivation::Scrypt { cost, block_size, parallelization } => {
            scrypt_bits(key, salt, [cost, block_size, parallelization], length)
        }
    }
}

fn scrypt_bits(
    key: &[u8],
    salt: &[u8],
    [cost, block_size, parallelization]: [u32; 3],
    length: usize,
) -> Result<Vec<u8>, CryptoError> {
    let is_possible =
        cost > 1 && cost.is_power_of_two() && block_size > 0 && parallelization > 0 && length > 0;
    if !is_possible {
        return Err(CryptoError::failed(
            "scrypt needs a cost that is a power of two and more than 1, and a block size, parallelization and length of at \
             least 1.",
        ));
    }
    let work = [block_size, parallelization]
        .iter()
        .fold(128 * u64::from(cost), |product, factor| product.saturating_mul(u64::from(*factor)));
    if work > SCRYPT_WORK_MAX {
        return Err(CryptoError::unsupported(format!(
            "scrypt takes at most {} MiB: 128 bytes times its cost, block size and parallelization.",
            SCRYPT_WORK_MAX >> 20
        )));
    }
    let params = scrypt::Params::new(cost.ilog2() as u8, block_size, parallelization)
        .map_err(|_| CryptoError::failed("scrypt has no such parameters."))?;
    let mut bits = vec![0; length];
    scrypt::scrypt(key, salt, &params, &mut bits)
        .map_err(|_| CryptoError::failed("scrypt does not give so many bytes."))?;
    Ok(bits)
}

/// The secret that the holder of a private key has with that of a public key.
///
/// # Errors
/// `InvalidKey`: one of them is none of this type; `CryptoFailed`: the other side's key gives no secret;
/// `UnsupportedAlgorithm`: keys of this type do not agree on anything.
pub fn agree(key_type: &KeyType, private: &[u8], public: &[u8]) -> Result<Vec<u8>, CryptoError> {
    match key_type {
        KeyType::Ec { named_curve } => curve::agree(*named_curve, private, public),
        KeyType::X25519 => edwards::agree(private, public),
        KeyType::Ed25519 | KeyType::Rsa { .. } => {
            Err(CryptoError::unsupported("A secret is agreed on with keys of ECDH or X25519."))
        }
    }
}
