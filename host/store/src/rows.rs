//! Rows of a scan, and values of many look-ups, in few allocations.
//!
//! An allocation for each key and each value costs more than reading them does. They share blocks instead: whoever keeps
//! one for long should keep a copy, or the whole block stays with it.

use bytes::Bytes;
use smallvec::SmallVec;

/// What a block has room for at first.
const BLOCK_BYTES_MIN: usize = 128;
/// A block that has grown to this is followed by another one.
const BLOCK_BYTES: usize = 32 * 1024;

/// Collects rows.
#[derive(Default)]
pub(crate) struct Rows {
    done: Vec<(Bytes, Bytes)>,
    /// Keys and values of the rows that are open, one after the other.
    block: Vec<u8>,
    open: SmallVec<[Open; 2]>,
}

/// A row whose parts are not all bytes of their own yet.
enum Open {
    /// So long are its key and its value in the block.
    Both(usize, usize),
    /// Its key, and a value that is not in the block.
    Key(usize, Bytes),
}

impl Rows {
    pub(crate) fn len(&self) -> usize {
        self.done.len() + self.open.len()
    }

    /// Adds a copy of a row.
    pub(crate) fn push_copy(&mut self, key: &[u8], value: &[u8]) {
        self.append(key);
        self.append(value);
        self.push_open(Open::Both(key.len(), value.len()));
    }

    /// Adds a row with a copy of its key.
    pub(crate) fn push_value(&mut self, key: &[u8], value: Bytes) {
        self.append(key);
        self.push_open(Open::Key(key.len(), value));
    }

    /// All rows, in the order in which they came.
    pub(crate) fn finish(mut self) -> Vec<(Bytes, Bytes)> {
        self.close();
        self.done
    }

    fn append(&mut self, part: &[u8]) {
        if self.block.capacity() == 0 {
            self.block.reserve(BLOCK_BYTES_MIN.max(part.len()));
        }
        self.block.extend_from_slice(part);
    }

    fn push_open(&mut self, row: Open) {
        self.open.push(row);
        if self.block.len() >= BLOCK_BYTES {
            self.close();
        }
    }

    /// Makes bytes of what is open.
    fn close(&mut self) {
        let mut rest = Bytes::from(std::mem::take(&mut self.block));
        let mut take = |len: usize| rest.split_to(len);
        self.done.reserve(self.open.len());
        for row in self.open.drain(..) {
            self.done.push(match row {
                Open::Both(key, value) => (take(key), take(value)),
                Open::Key(key, value) => (take(key), value),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rows_come_back_in_their_order(
            given in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..6), 0usize..9_000), 0..24),
        ) {
            let mut rows = Rows::default();
            let mut expected = Vec::new();
            for (is_copied, key, len) in given {
                let value = vec![key.len() as u8; len];
                match is_copied {
                    true => rows.push_copy(&key, &value),
                    false => rows.push_value(&key, value.clone().into()),
                }
                expected.push((Bytes::from(key), Bytes::from(value)));
                prop_assert_eq!(rows.len(), expected.len());
            }
            prop_assert!(rows.finish() == expected);
        }
    }
}
