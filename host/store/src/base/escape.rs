//! Keys as sled gets them: never two bytes 255 in a row.
//!
//! sled 0.34 walks backwards by asking for a leaf's neighbour at a key it guesses: the leaf's lowest key, its
//! last byte lowered by one, followed by four bytes 255. Keys that sort behind that guess and before the leaf
//! make it walk in a circle until it panics, and a client could choose such keys. Writing 255 as 255, 0 keeps
//! the order of keys and leaves no run of them.
//!
//! Not here: keys in memory and in the log, which stay as they are.

use std::borrow::Cow;
use std::ops::Bound;

use bytes::Bytes;

/// The key for sled; most have no byte 255 and are taken as they are.
pub(super) fn escape(key: &[u8]) -> Cow<'_, [u8]> {
    if !key.contains(&255) {
        return Cow::Borrowed(key);
    }
    let mut escaped = Vec::with_capacity(key.len() + 8);
    for byte in key {
        escaped.push(*byte);
        if *byte == 255 {
            escaped.push(0);
        }
    }
    Cow::Owned(escaped)
}

/// The key that was escaped.
pub(super) fn unescape(escaped: &[u8]) -> Bytes {
    if !escaped.contains(&255) {
        return Bytes::copy_from_slice(escaped);
    }
    let mut key = Vec::with_capacity(escaped.len());
    let mut follows_255 = false;
    for byte in escaped {
        if !follows_255 {
            key.push(*byte);
        }
        follows_255 = !follows_255 && *byte == 255;
    }
    key.into()
}

/// A bound for sled.
pub(super) fn escape_bound(bound: Bound<&[u8]>) -> Bound<Cow<'_, [u8]>> {
    bound.map(escape)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn key() -> impl Strategy<Value = Vec<u8>> {
        vec(prop_oneof![Just(0), Just(1), Just(254), Just(255), any::<u8>()], 0..12)
    }

    proptest! {
        #[test]
        fn order_is_kept_and_keys_come_back(a in key(), b in key()) {
            let (escaped_a, escaped_b) = (escape(&a), escape(&b));
            prop_assert_eq!(a.cmp(&b), escaped_a.as_ref().cmp(escaped_b.as_ref()));
            prop_assert_eq!(&unescape(&escaped_a)[..], &a[..]);
            prop_assert!(!escaped_a.windows(2).any(|pair| pair == [255, 255]));
        }
    }
}
