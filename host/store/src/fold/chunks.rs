//! Large values in pieces.
//!
//! A leaf of sled holds up to sixteen entries and is rewritten whole; one that grows past 128 KiB goes into a
//! file of its own, which sled removes when the leaf changes and never syncs: after a power failure the old
//! file may be gone and the new one empty. So a leaf must stay small: a value above [`PIECE_BYTES`] is kept
//! in pieces in a second tree, and its row holds its commit and length instead. The pieces' keys hold the
//! commit too: a reader that found the row of one commit never mixes in pieces of another.
//!
//! Not here: the rows themselves.

use bytes::{Bytes, BytesMut};
use weir_value::Timestamp;

use super::escape::escape;

/// The longest value that stands in its row, and the length of a piece.
pub(super) const PIECE_BYTES: usize = 4096;

/// Says what the rest of a row's value is.
const TAG_HERE: u8 = 0;
const TAG_APART: u8 = 1;
/// Tag and commit.
const HEAD_BYTES: usize = 9;

/// A row's value in sled: tag, commit, and the value or its length.
pub(super) fn encode_row(ts: Timestamp, value: &[u8]) -> Vec<u8> {
    let mut row = Vec::with_capacity(HEAD_BYTES + value.len().min(PIECE_BYTES));
    row.push(if value.len() > PIECE_BYTES { TAG_APART } else { TAG_HERE });
    row.extend_from_slice(&ts.as_nanos().to_be_bytes());
    if value.len() > PIECE_BYTES {
        row.extend_from_slice(&(value.len() as u64).to_be_bytes());
    } else {
        row.extend_from_slice(value);
    }
    row
}

/// A row's value, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Row<'a> {
    Here { ts: Timestamp, value: &'a [u8] },
    Apart { ts: Timestamp, len: usize },
}

impl Row<'_> {
    pub(super) fn ts(&self) -> Timestamp {
        match self {
            Row::Here { ts, .. } | Row::Apart { ts, .. } => *ts,
        }
    }
}

/// `None` when it is no row of ours.
pub(super) fn decode_row(row: &[u8]) -> Option<Row<'_>> {
    let (head, rest) = row.split_first_chunk::<HEAD_BYTES>()?;
    let (tag, ts) = head.split_first()?;
    let ts = Timestamp::from_nanos(u64::from_be_bytes(ts.try_into().ok()?));
    match *tag {
        TAG_HERE => Some(Row::Here { ts, value: rest }),
        TAG_APART => {
            let len = u64::from_be_bytes(rest.try_into().ok()?);
            Some(Row::Apart { ts, len: usize::try_from(len).ok()? })
        }
        _ => None,
    }
}

/// What the keys of all pieces of `key` begin with: the row's key in sled's form, and an end that no longer
/// key continues (255 is followed by 0 inside a key).
pub(super) fn pieces_prefix(key: &[u8]) -> Vec<u8> {
    let mut prefix = escape(key).into_owned();
    prefix.extend_from_slice(&[255, 1]);
    prefix
}

/// What the keys of the pieces of one commit's value begin with. The commit is written without runs of bytes
/// 255, for the reason that `escape` tells.
pub(super) fn piece_key_prefix(prefix: &[u8], ts: Timestamp) -> Vec<u8> {
    [prefix, &escape(&ts.as_nanos().to_be_bytes())].concat()
}

/// The key of one piece: the commit's prefix and the piece's number.
pub(super) fn piece_key(prefix: &[u8], ts: Timestamp, index: usize) -> Vec<u8> {
    let mut key = piece_key_prefix(prefix, ts);
    key.extend_from_slice(&escape(&(index as u64).to_be_bytes()));
    key
}

/// The pieces of a value with their keys.
pub(super) fn cut<'a>(
    prefix: &'a [u8],
    ts: Timestamp,
    value: &'a [u8],
) -> impl Iterator<Item = (Vec<u8>, &'a [u8])> + 'a {
    value.chunks(PIECE_BYTES).enumerate().map(move |(index, piece)| (piece_key(prefix, ts, index), piece))
}

/// The value whose pieces `read` finds by key; `None` when one is missing or the length is wrong.
pub(super) fn join<P: AsRef<[u8]>, E>(
    prefix: &[u8],
    ts: Timestamp,
    len: usize,
    mut read: impl FnMut(&[u8]) -> Result<Option<P>, E>,
) -> Result<Option<Bytes>, E> {
    let mut value = BytesMut::new();
    for index in 0..len.div_ceil(PIECE_BYTES) {
        match read(&piece_key(prefix, ts, index))? {
            Some(piece) => value.extend_from_slice(piece.as_ref()),
            None => return Ok(None),
        }
    }
    Ok((value.len() == len).then(|| value.freeze()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::convert::Infallible;

    use super::*;

    const TS: Timestamp = Timestamp::from_nanos(0x01ff_ffff_0000_00ff);

    #[test]
    fn rows_round_trip_and_large_values_stand_apart() {
        for len in [0, 1, PIECE_BYTES] {
            let value = vec![7; len];
            assert_eq!(decode_row(&encode_row(TS, &value)), Some(Row::Here { ts: TS, value: &value }));
        }
        let len = PIECE_BYTES + 1;
        assert_eq!(decode_row(&encode_row(TS, &vec![7; len])), Some(Row::Apart { ts: TS, len }));
        for bad in [&b""[..], b"\0\0\0\0\0\0\0\0", b"\x02\0\0\0\0\0\0\0\0", b"\x01\0\0\0\0\0\0\0\0\x01"] {
            assert_eq!(decode_row(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn pieces_are_joined_and_a_missing_one_is_noticed() {
        let value: Vec<u8> = (0..PIECE_BYTES * 3 + 5).map(|i| (i % 251) as u8).collect();
        let prefix = pieces_prefix(b"key\xff");
        let mut tree: BTreeMap<Vec<u8>, Vec<u8>> =
            cut(&prefix, TS, &value).map(|(key, piece)| (key, piece.to_vec())).collect();
        assert_eq!(tree.len(), 4);
        let read = |tree: &BTreeMap<Vec<u8>, Vec<u8>>| {
            join(&prefix, TS, value.len(), |key| Ok::<_, Infallible>(tree.get(key).cloned())).unwrap()
        };
        assert_eq!(read(&tree).as_deref(), Some(&value[..]));
        tree.pop_last();
        assert_eq!(read(&tree), None);
    }

    #[test]
    fn the_prefix_of_one_key_covers_no_other() {
        let keys: [&[u8]; 6] = [b"", b"a", b"a\xff", b"a\xff\x01", b"a\0", b"a\xff\xff"];
        for (one, other) in keys.iter().flat_map(|one| keys.iter().map(move |other| (one, other))) {
            let covers = piece_key(&pieces_prefix(other), TS, 1).starts_with(&pieces_prefix(one));
            assert_eq!(covers, one == other, "{one:?} {other:?}");
        }
    }
}
