//! AES in the modes that the web has: GCM, CBC with PKCS #7, CTR, and KW for keys.
use aes::cipher::consts::{U12, U16};
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, StreamCipher, block_padding::Pkcs7};
use aes::{Aes128, Aes192, Aes256};
use aes_gcm::{AesGcm, KeyInit, Nonce, aead::AeadInOut};
use aes_kw::AesKw;
use ctr::Ctr128BE;
use subtle::ConstantTimeEq;

use crate::{CryptoError, Given};

const BLOCK_BYTES: usize = 16;
const TAG_BYTES: usize = 16;
/// The lengths that a tag may have, in bits.
const TAG_BITS: [u32; 7] = [32, 64, 96, 104, 112, 120, 128];

/// Runs code for the cipher that a key is for.
macro_rules! with_aes {
    ($key:expr, $Aes:ident => $body:expr) => {
        match $key.len() {
            16 => {
                type $Aes = Aes128;
                $body
            }
            24 => {
                type $Aes = Aes192;
                $body
            }
            32 => {
                type $Aes = Aes256;
                $body
            }
            _ => Err(CryptoError::key("A key of AES has 16, 24 or 32 bytes.")),
        }
    };
}

/// Runs code for GCM with a key and an initialization vector of the lengths that they have.
macro_rules! with_gcm {
    ($key:expr, $iv:expr, ($gcm:ident, $nonce:ident) => $body:expr) => {
        with_aes!($key, Aes => match $iv.len() {
            12 => {
                let $gcm = AesGcm::<Aes, U12>::new_from_slice($key).expect("the key's length was matched");
                let $nonce: &Nonce<U12> = $iv.try_into().expect("the length was matched");
                $body
            }
            16 => {
                let $gcm = AesGcm::<Aes, U16>::new_from_slice($key).expect("the key's length was matched");
                let $nonce: &Nonce<U16> = $iv.try_into().expect("the length was matched");
                $body
            }
            _ => Err(CryptoError::unsupported("The `iv` of AES-GCM has to have 12 bytes, or 16.")),
        })
    };
}

pub(crate) fn gcm_encrypt(
    key: &[u8],
    given: Given<'_>,
    tag_bits: u32,
    data: &[u8],
) -> Result<Vec<u8>, CryptoError> {
    let tag_bytes = tag_bytes(tag_bits)?;
    with_gcm!(key, given.iv, (gcm, nonce) => {
        let mut out = data.to_vec();
        let tag = gcm.encrypt_inout_detached(nonce, given.additional, out.as_mut_slice().into());
        let tag = tag.map_err(|_| CryptoError::failed("The data is too long."))?;
        out.extend_from_slice(&tag[..tag_bytes]);
        Ok(out)
    })
}

pub(crate) fn gcm_decrypt(
    key: &[u8],
    given: Given<'_>,
    tag_bits: u32,
    data: &[u8],
) -> Result<Vec<u8>, CryptoError> {
    let tag_bytes = tag_bytes(tag_bits)?;
    let Some(at) = data.len().checked_sub(tag_bytes) else { return Err(not_authentic()) };
    let (encrypted, tag) = data.split_at(at);
    with_gcm!(key, given.iv, (gcm, nonce) => {
        let mut out = encrypted.to_vec();
        if let Ok(tag) = tag.try_into() {
            gcm.decrypt_inout_detached(nonce, given.additional, out.as_mut_slice().into(), tag)
                .map_err(|_| not_authentic())?;
            return Ok(out);
        }
        // A shorter tag is the beginning of the whole one. Both directions are the same stream: one way gives the text, and
        // encrypting that gives the tag.
        gcm.encrypt_inout_detached(nonce, &[], out.as_mut_slice().into()).map_err(|_| not_authentic())?;
        let mut again = out.clone();
        let whole: [u8; TAG_BYTES] = gcm
            .encrypt_inout_detached(nonce, given.additional, again.as_mut_slice().into())
            .map_err(|_| not_authentic())?
            .into();
        match bool::from(whole[..tag_bytes].ct_eq(tag)) {
            true => Ok(out),
            false => Err(not_authentic()),
        }
    })
}

fn tag_bytes(bits: u32) -> Result<usize, CryptoError> {
    match TAG_BITS.contains(&bits) {
        true => Ok(bits as usize / 8),
        false => Err(CryptoError::failed("The tag of AES-GCM has 32, 64, 96, 104, 112, 120 or 128 bits.")),
    }
}

fn not_authentic() -> CryptoError {
    CryptoError::failed("It was not encrypted with this key and these parameters, or was changed.")
}

pub(crate) fn cbc_encrypt(key: &[u8], iv: &[u8], data: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let iv = block(iv, "iv")?;
    with_aes!(key, Aes => {
        let cbc = cbc::Encryptor::<Aes>::new_from_slices(key, iv).expect("the lengths were checked");
        Ok(cbc.encrypt_padded_vec::<Pkcs7>(data))
    })
}

pub(crate) fn cbc_decrypt(key: &[u8], iv: &[u8], data: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let iv = block(iv, "iv")?;
    with_aes!(key, Aes => {
        let cbc = cbc::Decryptor::<Aes>::new_from_slices(key, iv).expect("the lengths were checked");
        cbc.decrypt_padded_vec::<Pkcs7>(data).map_err(|_| not_authentic())
    })
}

/// Both ways. The last `counter_bits` of the counter block count up, and begin at 0 again after the last number.
pub(crate) fn ctr(
    key: &[u8],
    counter: &[u8],
    counter_bits: u32,
    data: &[u8],
) -> Result<Vec<u8>, CryptoError> {
    let first = u128::from_be_bytes(*block(counter, "counter")?);
    if !(1..=128).contains(&counter_bits) {
        return Err(CryptoError::failed("The `length` of AES-CTR's counter is 1 to 128 bits."));
    }
    let mask = u128::MAX >> (128 - counter_bits);
    let blocks = data.len().div_ceil(BLOCK_BYTES) as u128;
    // Of 128 bits there are more numbers than blocks.
    if blocks > 0 && blocks - 1 > mask {
        return Err(CryptoError::failed("The data is too long for a counter of this `length`."));
    }
    let left = mask - (first & mask);
    let until_wrap = usize::try_from(left.saturating_add(1).saturating_mul(16)).unwrap_or(usize::MAX);
    let mut out = data.to_vec();
    let (before, after) = out.split_at_mut(until_wrap.min(data.len()));
    with_aes!(key, Aes => {
        let apply = |counter: u128, data: &mut [u8]| {
            let iv = counter.to_be_bytes();
            let mut ctr = Ctr128BE::<Aes>::new_from_slices(key, &iv).expect("the lengths were checked");
            ctr.apply_keystream(data);
        };
        apply(first, before);
        apply(first & !mask, after);
        Ok(())
    })?;
    Ok(out)
}

/// How much longer a key is when it is wrapped, and what its length is a multiple of.
const WRAP_BYTES: usize = 8;

pub(crate) fn wrap(key: &[u8], data: &[u8]) -> Result<Vec<u8>, CryptoError> {
    // RFC 3394 wraps two pieces and more.
    if data.len() < 2 * WRAP_BYTES || !data.len().is_multiple_of(WRAP_BYTES) {
        return Err(CryptoError::failed("AES-KW wraps keys of 16, 24, 32 and so many bytes."));
    }
    with_aes!(key, Aes => {
        let kw = AesKw::<Aes>::new_from_slice(key).expect("the key's length was matched");
        let mut out = vec![0; data.len() + WRAP_BYTES];
        kw.wrap_key(data, &mut out).map_err(|_| CryptoError::failed("The data is too long."))?;
        Ok(out)
    })
}

pub(crate) fn unwrap(key: &[u8], data: &[u8]) -> Result<Vec<u8>, CryptoError> {
    if data.len() < 3 * WRAP_BYTES {
        return Err(not_authentic());
    }
    with_aes!(key, Aes => {
        let kw = AesKw::<Aes>::new_from_slice(key).expect("the key's length was matched");
        let mut out = vec![0; data.len() - WRAP_BYTES];
        kw.unwrap_key(data, &mut out).map_err(|_| not_authentic())?;
        Ok(out)
    })
}

fn block<'a>(bytes: &'a [u8], name: &str) -> Result<&'a [u8; BLOCK_BYTES], CryptoError> {
    bytes
        .try_into()
        .map_err(|_| CryptoError::failed(format!("The `{name}` has to have {BLOCK_BYTES} bytes.")))
}
