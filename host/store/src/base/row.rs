//! The values in a base's maps, each with a check of its own.
//!
//! ```text
//! row:    tag u8 | commit u64 | check u32 | value                   tag 0
//!         tag u8 | commit u64 | check u32 | length u64              tag 1: the value is kept in pieces
//! piece:  check u32 | a part of the value
//! ```
//!
//! Integers are big-endian. The check is CRC32C over the key and everything else: a byte that changed on disk,
//! or a value that turned up under another key, is an error and never an answer.
//!
//! A value above a bound that the base chooses is kept in pieces, in a map of their own, because the libraries
//! keep a large value badly: sled rewrites up to sixteen of them at once, in files that it does not sync; redb
//! rounds their room up to a power of two. The pieces' keys hold the commit: a reader that found the row of
//! one commit never mixes in pieces of another.
//!
//! Not here: the maps.

use bytes::{Bytes, BytesMut};
use weir_value::Timestamp;

/// The longest value that stands in its row, and the length of a piece. With its key, a piece fills a page of
/// 4 KiB as well as it can.
pub(super) const PIECE_BYTES: usize = 3584;

const TAG_HERE: u8 = 0;
const TAG_APART: u8 = 1;
const HEAD_BYTES: usize = 13;
const CHECK_BYTES: usize = 4;

/// A row, taken apart. So a scan does not read large values that memory overrides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Row<'a> {
    /// The value itself.
    Here { ts: Timestamp, value: &'a [u8] },
    /// A value kept in pieces: its commit and its length.
    Apart { ts: Timestamp, len: usize },
}

impl Row<'_> {
    pub(super) fn ts(&self) -> Timestamp {
        match self {
            Row::Here { ts, .. } | Row::Apart { ts, .. } => *ts,
        }
    }
}

/// The row of `key` as `ts` set it.
pub(super) fn encode(key: &[u8], ts: Timestamp, value: &[u8]) -> Vec<u8> {
    let is_apart = value.len() > PIECE_BYTES;
    let len = (value.len() as u64).to_be_bytes();
    let rest: &[u8] = if is_apart { &len } else { value };
    let tag = if is_apart { TAG_APART } else { TAG_HERE };
    let mut row = Vec::with_capacity(HEAD_BYTES + rest.len());
    row.push(tag);
    row.extend_from_slice(&ts.as_nanos().to_be_bytes());
    row.extend_from_slice(&check(key, &row, rest).to_be_bytes());
    row.extend_from_slice(rest);
    row
}

/// `None` when it is not the row of `key`, whole.
pub(super) fn decode<'a>(key: &[u8], row: &'a [u8]) -> Option<Row<'a>> {
    let (head, rest) = row.split_first_chunk::<HEAD_BYTES>()?;
    let (tag_and_ts, found) = head.split_last_chunk::<CHECK_BYTES>()?;
    if u32::from_be_bytes(*found) != check(key, tag_and_ts, rest) {
        return None;
    }
    let ts = Timestamp::from_nanos(u64::from_be_bytes(tag_and_ts[1..].try_into().ok()?));
    match tag_and_ts[0] {
        TAG_HERE => Some(Row::Here { ts, value: rest }),
        TAG_APART => {
            let len = u64::from_be_bytes(rest.try_into().ok()?);
            Some(Row::Apart { ts, len: usize::try_from(len).ok()? })
        }
        _ => None,
    }
}

/// The commit of a row and the number of its pieces, for one that is about to be replaced: what it says is
/// used to clean up, so a damaged one counts as having none.
pub(super) fn pieces_of(key: &[u8], row: &[u8]) -> Option<(Timestamp, usize)> {
    match decode(key, row)? {
        Row::Apart { ts, len } => Some((ts, len.div_ceil(PIECE_BYTES))),
        Row::Here { .. } => None,
    }
}

/// What the keys of all pieces of `key` begin with: the key, and an end that no longer key continues (255 is
/// followed by 0 inside a key).
pub(super) fn pieces_prefix(key: &[u8]) -> Vec<u8> {
    let mut prefix = super::escape::escape(key).into_owned();
    prefix.extend_from_slice(&[255, 1]);
    prefix
}

/// What the keys of the pieces of one commit's value begin with.
pub(super) fn commit_prefix(prefix: &[u8], ts: Timestamp) -> Vec<u8> {
    [prefix, &ts.as_nanos().to_be_bytes()].concat()
}

/// The key of one piece.
pub(super) fn piece_key(prefix: &[u8], ts: Timestamp, index: usize) -> Vec<u8> {
    let index = u32::try_from(index).expect("values are far smaller than 2^32 pieces");
    [&commit_prefix(prefix, ts)[..], &index.to_be_bytes()].concat()
}

/// The key of a piece, taken apart: the key of the row, the commit, and the piece's number; `None` when it is
/// none.
pub(super) fn parse_piece_key(key: &[u8]) -> Option<(Bytes, Timestamp, usize)> {
    let (rest, index) = key.split_last_chunk::<4>()?;
    let (prefix, ts) = rest.split_last_chunk::<8>()?;
    let escaped = prefix.strip_suffix(&[255, 1])?;
    let ts = Timestamp::from_nanos(u64::from_be_bytes(*ts));
    Some((super::escape::unescape(escaped), ts, u32::from_be_bytes(*index) as usize))
}

/// The pieces of a value with their keys.
pub(super) fn cut<'a>(
    prefix: &'a [u8],
    ts: Timestamp,
    value: &'a [u8],
) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> + 'a {
    value.chunks(PIECE_BYTES).enumerate().map(move |(index, part)| {
        let key = piece_key(prefix, ts, index);
        let piece = [&check(&key, &[], part).to_be_bytes(), part].concat();
        (key, piece)
    })
}

/// The part of a value that a piece holds; `None` when it is damaged.
pub(super) fn open_piece<'a>(key: &[u8], piece: &'a [u8]) -> Option<&'a [u8]> {
    let (found, part) = piece.split_first_chunk::<CHECK_BYTES>()?;
    (u32::from_be_bytes(*found) == check(key, &[], part)).then_some(part)
}

/// The value whose pieces `read` finds by key; `None` when one is missing or damaged, or the length is wrong.
pub(super) fn join<E>(
    prefix: &[u8],
    ts: Timestamp,
    len: usize,
    mut read: impl FnMut(&[u8]) -> Result<Option<Bytes>, E>,
) -> Result<Option<Bytes>, E> {
    let mut value = BytesMut::new();
    for index in 0..len.div_ceil(PIECE_BYTES) {
        let key = piece_key(prefix, ts, index);
        let piece = read(&key)?;
        match piece.as_ref().and_then(|piece| open_piece(&key, piece)) {
            Some(part) => value.extend_from_slice(part),
            None => return Ok(None),
        }
    }
    Ok((value.len() == len).then(|| value.freeze()))
}

fn check(key: &[u8], head: &[u8], rest: &[u8]) -> u32 {
    let len = u32::try_from(key.len()).unwrap_or(u32::MAX);
    let check = crc32c::crc32c(&len.to_be_bytes());
    [key, head, rest].iter().fold(check, |check, part| crc32c::crc32c_append(check, part))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::convert::Infallible;

    use super::*;

    const TS: Timestamp = Timestamp::from_nanos(0x01ff_ffff_0000_00ff);

    #[test]
    fn rows_come_back_and_large_values_stand_apart() {
        for len in [0, 1, PIECE_BYTES] {
            let row = Bytes::from(encode(b"k", TS, &vec![7; len]));
            assert_eq!(decode(b"k", &row), Some(Row::Here { ts: TS, value: &vec![7; len][..] }));
            assert_eq!(decode(b"l", &row), None, "under another key");
        }
        let len = PIECE_BYTES + 1;
        let row = Bytes::from(encode(b"k", TS, &vec![7; len]));
        assert_eq!(decode(b"k", &row), Some(Row::Apart { ts: TS, len }));
        assert_eq!(pieces_of(b"k", &row), Some((TS, 2)));
    }

    #[test]
    fn any_flipped_bit_is_noticed() {
        for len in [0, 9, PIECE_BYTES + 1] {
            let row = encode(b"key", TS, &vec![7; len]);
            for bit in 0..row.len() * 8 {
                let mut damaged = row.clone();
                damaged[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(decode(b"key", &damaged), None, "{len} bytes, bit {bit}");
            }
        }
    }

    #[test]
    fn pieces_are_joined_and_a_missing_or_damaged_one_is_noticed() {
        let value: Vec<u8> = (0..PIECE_BYTES * 3 + 5).map(|i| (i % 251) as u8).collect();
        let prefix = pieces_prefix(b"key\xff");
        let whole: BTreeMap<Vec<u8>, Vec<u8>> = cut(&prefix, TS, &value).collect();
        assert_eq!(whole.len(), 4);
        let read = |tree: &BTreeMap<Vec<u8>, Vec<u8>>| {
            let get = |key: &[u8]| Ok::<_, Infallible>(tree.get(key).cloned().map(Bytes::from));
            join(&prefix, TS, value.len(), get).unwrap()
        };
        assert_eq!(read(&whole).as_deref(), Some(&value[..]));
        for (index, key) in whole.keys().enumerate() {
            assert_eq!(parse_piece_key(key), Some((Bytes::from_static(b"key\xff"), TS, index)));
            let mut missing = whole.clone();
            missing.remove(key);
            assert_eq!(read(&missing), None);
            let mut damaged = whole.clone();
            damaged.get_mut(key).unwrap()[4] ^= 1;
            assert_eq!(read(&damaged), None);
        }
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
