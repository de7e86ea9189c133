//! The search for the primes of a new key of RSA, which can be ended: it takes as long as luck will have it.
use std::num::NonZeroU32;

use crypto_primes::hazmat::SmallFactorsSieve;
use crypto_primes::{Flavor, is_prime};
use rsa::{BoxedUint, PrivateKey};

use crate::{CryptoError, Entropy};

/// How long a key may be searched for: whether to go on, which is asked for each number that might be a prime.
pub type GoOn<'a> = &'a dyn Fn() -> bool;

/// A key of `bits` bits, a multiple of 16.
///
/// # Errors
/// `CryptoFailed`: it was ended.
pub(crate) fn key(
    bits: u32,
    public_exponent: u64,
    entropy: Entropy<'_>,
    go_on: GoOn<'_>,
) -> Result<PrivateKey, CryptoError> {
    loop {
        let [p, q] = [prime(bits / 2, entropy, go_on)?, prime(bits / 2, entropy, go_on)?];
        // Not with an exponent that has a factor in common with a prime less one, nor with the same prime twice.
        if let Ok(key) = PrivateKey::from_p_q(p, q, BoxedUint::from(public_exponent)) {
            return Ok(key);
        }
    }
}

/// A prime whose first two bits are set, so that the product of two has as many bits as both together.
fn prime(bits: u32, entropy: Entropy<'_>, go_on: GoOn<'_>) -> Result<BoxedUint, CryptoError> {
    let mut bytes = vec![0; bits as usize / 8];
    loop {
        entropy(&mut bytes);
        if let Some(first) = bytes.first_mut() {
            *first |= 0xc0;
        }
        let start = BoxedUint::from_be_slice(&bytes, bits).expect("there are as many bytes as bits");
        let length = NonZeroU32::new(bits).expect("keys have a length");
        let sieve = SmallFactorsSieve::new(start, length, false).expect("the start has this length");
        for candidate in sieve {
            if !go_on() {
                return Err(CryptoError::failed("There was no time left to make a key."));
            }
            if is_prime(Flavor::Any, &candidate) {
                return Ok(candidate);
            }
        }
    }
}
