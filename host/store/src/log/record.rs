//! One group of commits as bytes.
//!
//! ```text
//! magic "WREC"   4
//! length         4   bytes of the payload, little-endian as everything here
//! head check     4   CRC32C of the segment's salt, the record's offset, and the length
//! body check     4   the head check continued over the payload
//! payload            count u32, then for each commit: ts u64, writes u32,
//!                    for each write: key length u32, value length u32 (2^32-1: deleted), key, value
//! ```
//!
//! The checks begin with the segment's random salt and the record's offset. So bytes that look like a record,
//! because a client stored some, or a disk wrote a sector in the wrong place, do not pass for one.
//!
//! Not here: files, segments, what follows from a bad record.

use std::sync::Arc;

use bytes::Bytes;
use weir_value::Timestamp;

use crate::{Commit, Write};

/// Begins every record.
pub(crate) const MAGIC: [u8; 4] = *b"WREC";
/// What stands before the payload.
pub(crate) const HEADER_BYTES: usize = 16;
/// The largest commit, counted as [`commit_bytes`]; far above what a transaction may write.
pub(crate) const COMMIT_BYTES_MAX: u64 = weir_value::limits::LOG_RECORD_BYTES_MAX as u64;

const DELETED: u32 = u32::MAX;
const COMMIT_HEADER_BYTES: usize = 12;
const WRITE_HEADER_BYTES: usize = 8;

const _: () = assert!(COMMIT_BYTES_MAX < u32::MAX as u64 / 2, "the length of a record is a u32");

/// Why bytes are no record. They may be a torn one, or damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Invalid {
    /// The file ends inside it.
    CutOff,
    /// It does not begin as a record does.
    Magic,
    /// The head does not match its check.
    Head,
    /// The payload does not match its check.
    Body,
    /// The checks are right and the payload is nonsense: a defect of the writer.
    Payload,
}

impl Invalid {
    /// For messages.
    pub(crate) fn what(self) -> &'static str {
        match self {
            Invalid::CutOff => "the record is cut off",
            Invalid::Magic => "no record begins here",
            Invalid::Head => "the record's head does not match its checksum",
            Invalid::Body => "the record's payload does not match its checksum",
            Invalid::Payload => "the record's payload makes no sense",
        }
    }
}

/// Size of a commit in a record.
pub(crate) fn commit_bytes(writes: &[Write]) -> u64 {
    let write_bytes =
        |write: &Write| WRITE_HEADER_BYTES + write.key.len() + write.value.as_ref().map_or(0, Bytes::len);
    (COMMIT_HEADER_BYTES + writes.iter().map(write_bytes).sum::<usize>()) as u64
}

/// Appends the record of `commits`, which stands at `offset` of a segment with that salt, to `out`.
pub(crate) fn encode(commits: &[Arc<Commit>], salt: u64, offset: u64, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&[0; HEADER_BYTES - MAGIC.len()]);
    put_len(out, commits.len());
    for commit in commits {
        out.extend_from_slice(&commit.ts.as_nanos().to_le_bytes());
        put_len(out, commit.writes.len());
        for write in &commit.writes {
            put_write(out, write);
        }
    }
    let len = len_u32(out.len() - start - HEADER_BYTES);
    let head = head_check(salt, offset, len);
    let body = crc32c::crc32c_append(head, &out[start + HEADER_BYTES..]);
    let header = &mut out[start..start + HEADER_BYTES];
    header[4..8].copy_from_slice(&len.to_le_bytes());
    header[8..12].copy_from_slice(&head.to_le_bytes());
    header[12..16].copy_from_slice(&body.to_le_bytes());
}

/// The commits of the record at `offset`, which is inside `segment`, and the offset behind it.
pub(crate) fn decode(segment: &[u8], offset: usize, salt: u64) -> Result<(Vec<Commit>, usize), Invalid> {
    let (payload, end) = check(segment, offset, salt)?;
    let commits = parse_payload(payload).ok_or(Invalid::Payload)?;
    Ok((commits, end))
}

/// Where the first whole record behind `offset` begins, if it holds commits newer than `after`.
pub(crate) fn find_later(segment: &[u8], offset: usize, salt: u64, after: Timestamp) -> Option<usize> {
    let newer = |at: &usize| decode(segment, *at, salt).is_ok_and(|(commits, _)| commits[0].ts > after);
    (offset + 1..segment.len()).filter(|at| segment[*at..].starts_with(&MAGIC)).find(newer)
}

fn check(segment: &[u8], offset: usize, salt: u64) -> Result<(&[u8], usize), Invalid> {
    let rest = &segment[offset..];
    let Some(header) = rest.first_chunk::<HEADER_BYTES>() else { return Err(Invalid::CutOff) };
    if !header.starts_with(&MAGIC) {
        return Err(Invalid::Magic);
    }
    let word = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let (len, head, body) = (word(4), word(8), word(12));
    if head != head_check(salt, offset as u64, len) {
        return Err(Invalid::Head);
    }
    let end = HEADER_BYTES + len as usize;
    let payload = rest.get(HEADER_BYTES..end).ok_or(Invalid::CutOff)?;
    if body != crc32c::crc32c_append(head, payload) {
        return Err(Invalid::Body);
    }
    Ok((payload, offset + end))
}

fn head_check(salt: u64, offset: u64, len: u32) -> u32 {
    let check = crc32c::crc32c(&salt.to_le_bytes());
    let check = crc32c::crc32c_append(check, &offset.to_le_bytes());
    crc32c::crc32c_append(check, &len.to_le_bytes())
}

fn put_write(out: &mut Vec<u8>, write: &Write) {
    put_len(out, write.key.len());
    match &write.value {
        Some(value) => put_len(out, value.len()),
        None => out.extend_from_slice(&DELETED.to_le_bytes()),
    }
    out.extend_from_slice(&write.key);
    out.extend_from_slice(write.value.as_deref().unwrap_or_default());
}

fn put_len(out: &mut Vec<u8>, len: usize) {
    out.extend_from_slice(&len_u32(len).to_le_bytes());
}

fn len_u32(len: usize) -> u32 {
    u32::try_from(len).expect("commits are bounded by COMMIT_BYTES_MAX when they are sequenced")
}

/// `None` when the payload is not what `encode` writes: at least one commit, rising timestamps, nothing left
/// over.
fn parse_payload(mut payload: &[u8]) -> Option<Vec<Commit>> {
    let count = take_u32(&mut payload)?;
    let mut commits: Vec<Commit> = Vec::new();
    for _ in 0..count {
        let commit = parse_commit(&mut payload)?;
        if commits.last().is_some_and(|last| last.ts >= commit.ts) {
            return None;
        }
        commits.push(commit);
    }
    (payload.is_empty() && !commits.is_empty()).then_some(commits)
}

fn parse_commit(payload: &mut &[u8]) -> Option<Commit> {
    let ts_ns = u64::from_le_bytes(*payload.split_first_chunk::<8>().map(|(head, rest)| {
        *payload = rest;
        head
    })?);
    if ts_ns > Timestamp::MAX.as_nanos() {
        return None;
    }
    let count = take_u32(payload)?;
    let mut writes = Vec::new();
    for _ in 0..count {
        let key_len = take_u32(payload)?;
        let value_len = take_u32(payload)?;
        let key = take_bytes(payload, key_len)?;
        let value = if value_len == DELETED { None } else { Some(take_bytes(payload, value_len)?) };
        writes.push(Write { key, value });
    }
    Some(Commit { ts: Timestamp::from_nanos(ts_ns), writes })
}

fn take_u32(payload: &mut &[u8]) -> Option<u32> {
    let (head, rest) = payload.split_first_chunk::<4>()?;
    *payload = rest;
    Some(u32::from_le_bytes(*head))
}

/// Copied one by one, so that a small value that lives long does not keep a whole segment in memory.
fn take_bytes(payload: &mut &[u8], len: u32) -> Option<Bytes> {
    let (head, rest) = payload.split_at_checked(len as usize)?;
    *payload = rest;
    Some(Bytes::copy_from_slice(head))
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    type RawWrite = (Vec<u8>, Option<Vec<u8>>);

    fn group(commits: Vec<Vec<RawWrite>>) -> Vec<Arc<Commit>> {
        let write = |(key, value): RawWrite| Write { key: key.into(), value: value.map(Bytes::from) };
        let commit = |(at, writes): (usize, Vec<_>)| Commit {
            ts: Timestamp::from_nanos(at as u64 + 1),
            writes: Vec::into_iter(writes).map(write).collect(),
        };
        commits.into_iter().enumerate().map(commit).map(Arc::new).collect()
    }

    fn one_write(value: &[u8]) -> Vec<Arc<Commit>> {
        group(vec![vec![(b"key".to_vec(), Some(value.to_vec()))]])
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(
            commits in vec(vec((vec(any::<u8>(), 0..9), proptest::option::of(vec(any::<u8>(), 0..9))), 0..4), 1..5),
            salt: u64,
            before in vec(any::<u8>(), 0..40),
        ) {
            let commits = group(commits);
            let mut segment = before.clone();
            encode(&commits, salt, before.len() as u64, &mut segment);
            let (decoded, end) = decode(&segment, before.len(), salt).unwrap();
            prop_assert_eq!(end, segment.len());
            prop_assert_eq!(decoded, commits.iter().map(|commit| Commit::clone(commit)).collect::<Vec<_>>());
            let bytes: u64 = commits.iter().map(|commit| commit_bytes(&commit.writes)).sum();
            prop_assert_eq!((segment.len() - before.len()) as u64, bytes + HEADER_BYTES as u64 + 4);
        }

        #[test]
        fn any_flipped_byte_is_noticed(at in 0..60usize, flip in 1..=255u8) {
            let mut segment = Vec::new();
            encode(&one_write(&[7; 40]), 9, 0, &mut segment);
            let at = at % segment.len();
            segment[at] ^= flip;
            prop_assert!(decode(&segment, 0, 9).is_err());
        }

        #[test]
        fn garbage_is_refused_without_a_panic(segment in vec(any::<u8>(), 1..200), at in 0..200usize) {
            prop_assert!(decode(&segment, at % segment.len(), 1).is_err());
            prop_assert!(parse_payload(&segment).is_none_or(|commits| !commits.is_empty()));
        }
    }

    #[test]
    fn a_record_counts_only_in_its_place_and_segment() {
        let mut record = Vec::new();
        encode(&one_write(b"v"), 5, 0, &mut record);
        assert!(decode(&record, 0, 5).is_ok());
        assert_eq!(decode(&record, 0, 6), Err(Invalid::Head));
        let moved = [b"xx".as_slice(), &record].concat();
        assert_eq!(decode(&moved, 2, 5), Err(Invalid::Head));
    }

    #[test]
    fn a_record_inside_a_value_is_not_found() {
        let mut inner = Vec::new();
        encode(&one_write(b"v"), 0, 0, &mut inner);
        let mut segment = Vec::new();
        encode(&one_write(&inner), 5, 0, &mut segment);
        segment.pop();
        assert_eq!(decode(&segment, 0, 5), Err(Invalid::CutOff));
        assert_eq!(find_later(&segment, 0, 5, Timestamp::ZERO), None);
    }

    #[test]
    fn a_later_record_is_found_behind_a_bad_one() {
        let mut segment = Vec::new();
        encode(&one_write(b"first"), 5, 0, &mut segment);
        let second = segment.len();
        encode(&one_write(b"second"), 5, second as u64, &mut segment);
        segment[20] ^= 1;
        assert_eq!(decode(&segment, 0, 5), Err(Invalid::Body));
        assert_eq!(find_later(&segment, 0, 5, Timestamp::ZERO), Some(second));
        assert_eq!(find_later(&segment, 0, 5, Timestamp::from_nanos(1)), None);
    }
}
