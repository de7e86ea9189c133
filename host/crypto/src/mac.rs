//! HMAC.
use hmac::{Hmac, KeyInit, Mac};

use crate::Hash;
use crate::hash::with_hash;

pub(crate) fn sign(hash: Hash, key: &[u8], data: &[u8]) -> Vec<u8> {
    with_hash!(hash, D => mac::<Hmac<D>>(key, data).finalize().into_bytes().to_vec())
}

/// Equally long, whatever it compares.
pub(crate) fn verify(hash: Hash, key: &[u8], tag: &[u8], data: &[u8]) -> bool {
    with_hash!(hash, D => mac::<Hmac<D>>(key, data).verify_slice(tag).is_ok())
}

fn mac<M: Mac + KeyInit>(key: &[u8], data: &[u8]) -> M {
    let mut mac = <M as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(data);
    mac
}
