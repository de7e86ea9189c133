//! A key as the memory table has it.

use std::cmp::Ordering;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// The keys of documents and of session records take 21 bytes.
const SHORT_BYTES_MAX: usize = 22;

/// A key. A short one stands where it is kept: whoever compares it fetches nothing from elsewhere.
#[derive(Clone)]
pub(crate) enum TableKey {
    /// What is behind its length is zero.
    Short {
        len: u8,
        bytes: [u8; SHORT_BYTES_MAX],
    },
    Long(Arc<[u8]>),
}

impl TableKey {
    pub(crate) fn from_slice(key: &[u8]) -> TableKey {
        match u8::try_from(key.len()) {
            Ok(len) if key.len() <= SHORT_BYTES_MAX => {
                let mut bytes = [0; SHORT_BYTES_MAX];
                bytes[..key.len()].copy_from_slice(key);
                TableKey::Short { len, bytes }
            }
            _ => TableKey::Long(key.into()),
        }
    }
}

impl Deref for TableKey {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            TableKey::Short { len, bytes } => &bytes[..usize::from(*len)],
            TableKey::Long(key) => key,
        }
    }
}

impl Ord for TableKey {
    fn cmp(&self, other: &TableKey) -> Ordering {
        match (self, other) {
            // Zeros behind the shorter one decide nothing that the lengths do not decide as well.
            (TableKey::Short { len, bytes }, TableKey::Short { len: other_len, bytes: other }) => {
                words(bytes).cmp(&words(other)).then(len.cmp(other_len))
            }
            _ => self[..].cmp(&other[..]),
        }
    }
}

/// Three numbers that sort as the bytes do: comparing them calls nothing.
fn words(bytes: &[u8; SHORT_BYTES_MAX]) -> [u64; 3] {
    let mut padded = [0; 24];
    padded[..SHORT_BYTES_MAX].copy_from_slice(bytes);
    let (words, _) = padded.as_chunks::<8>();
    [u64::from_be_bytes(words[0]), u64::from_be_bytes(words[1]), u64::from_be_bytes(words[2])]
}

impl PartialOrd for TableKey {
    fn partial_cmp(&self, other: &TableKey) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for TableKey {
    fn eq(&self, other: &TableKey) -> bool {
        self[..] == other[..]
    }
}

impl Eq for TableKey {}

/// Sets of keys are asked for slices: the order of both is the same.
impl std::borrow::Borrow<[u8]> for TableKey {
    fn borrow(&self) -> &[u8] {
        self
    }
}

impl fmt::Debug for TableKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", bytes::Bytes::copy_from_slice(self))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn keys_are_the_bytes_they_were_made_of_and_sort_as_they_do(
            one in prop::collection::vec(0u8..3, 0..28),
            other in prop::collection::vec(0u8..3, 0..28),
        ) {
            let (a, b) = (TableKey::from_slice(&one), TableKey::from_slice(&other));
            prop_assert_eq!(&a[..], &one[..]);
            prop_assert_eq!(a.cmp(&b), one.cmp(&other));
            prop_assert_eq!(a == b, one == other);
        }
    }

    #[test]
    fn a_key_takes_no_more_than_three_words() {
        assert_eq!(size_of::<TableKey>(), 24);
    }
}
