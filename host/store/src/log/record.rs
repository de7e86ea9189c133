//! Records: what a segment holds between its header and its end.
//!
//! ```text
//! kind             1   1: a group of commits, 2: the seal
//! zero             3
//! length           4   bytes of the payload, little-endian as everything here
//! body check       4   CRC32C of the payload
//! payload
//!   of a group     count u32, then for each commit: ts u64, writes u32,
//!                  for each write: key length u32, value length u32 (2^32-1: deleted), key, value
//!   of a seal      number u64 of the segment that follows
//! ```
//!
//! A record begins a new [`sector`](super::sector), so that writing one never touches a sector that was synced
//! before. The seal is a segment's last record, written when the segment that follows stands on disk: a log
//! whose newest segment is sealed has lost its end.
//!
//! Not here: files, and what follows from a bad record.

use std::sync::Arc;

use bytes::Bytes;
use weir_value::Timestamp;

use super::sector::{self, DATA_BYTES, SECTOR_BYTES, Sector, Sectors};
use crate::planted::{self, Bug};
use crate::{Commit, Write};

/// The largest commit, counted as [`commit_bytes`]; far above what a transaction may write.
pub(crate) const COMMIT_BYTES_MAX: u64 = weir_value::limits::LOG_RECORD_BYTES_MAX as u64;

const HEAD_BYTES: usize = 12;
const KIND_GROUP: u8 = 1;
const KIND_SEAL: u8 = 2;
const DELETED: u32 = u32::MAX;
const COUNT_BYTES: usize = 4;
const COMMIT_HEADER_BYTES: usize = 12;
const WRITE_HEADER_BYTES: usize = 8;

const _: () = assert!(COMMIT_BYTES_MAX < u32::MAX as u64 / 2, "the length of a record is a u32");

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Record {
    /// Commits, oldest first; at least one.
    Group(Vec<Commit>),
    /// The segment is complete, and the one with this number follows.
    Seal { next: u64 },
}

/// Why there is no record in a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoRecord {
    /// Nothing was written here, nor behind it.
    End,
    /// A power failure, or the death of the process, cut the write of the last record.
    Torn,
    /// Something that no interrupted write explains.
    Damaged(String),
}

/// Size of a commit in a record.
pub(crate) fn commit_bytes(writes: &[Write]) -> u64 {
    let write_bytes =
        |write: &Write| WRITE_HEADER_BYTES + write.key.len() + write.value.as_ref().map_or(0, Bytes::len);
    (COMMIT_HEADER_BYTES + writes.iter().map(write_bytes).sum::<usize>()) as u64
}

/// Bytes on disk of a record with commits of that size together; the sum over single commits is never less
/// than what they take as one group.
pub(crate) fn framed_bytes(commit_bytes: u64) -> u64 {
    sector::count((HEAD_BYTES + COUNT_BYTES) as u64 + commit_bytes) * SECTOR_BYTES as u64
}

/// Encodes records; keeps its buffers from one to the next.
#[derive(Default)]
pub(crate) struct Encoder {
    stream: Vec<u8>,
    framed: Vec<u8>,
}

/// Buffers that grew beyond this for one large group are given back.
const BUFFER_KEEP_BYTES: usize = 1024 * 1024;

impl Encoder {
    /// The record of `commits`, which begins in sector `first` of a segment with that salt.
    pub(crate) fn group(&mut self, commits: &[Arc<Commit>], salt: u64, first: u32) -> &[u8] {
        self.begin(KIND_GROUP);
        put_len(&mut self.stream, commits.len());
        for commit in commits {
            self.stream.extend_from_slice(&commit.ts.as_nanos().to_le_bytes());
            put_len(&mut self.stream, commit.writes.len());
            commit.writes.iter().for_each(|write| put_write(&mut self.stream, write));
        }
        self.frame(salt, first)
    }

    /// The record that says that segment `next` follows.
    pub(crate) fn seal(&mut self, next: u64, salt: u64, first: u32) -> &[u8] {
        self.begin(KIND_SEAL);
        self.stream.extend_from_slice(&next.to_le_bytes());
        self.frame(salt, first)
    }

    fn begin(&mut self, kind: u8) {
        if self.stream.capacity() > BUFFER_KEEP_BYTES {
            *self = Encoder::default();
        }
        self.stream.clear();
        self.framed.clear();
        self.stream.resize(HEAD_BYTES, 0);
        self.stream[0] = kind;
    }

    fn frame(&mut self, salt: u64, first: u32) -> &[u8] {
        let payload = &self.stream[HEAD_BYTES..];
        let (len, check) = (len_u32(payload.len()), crc32c::crc32c(payload));
        self.stream[4..8].copy_from_slice(&len.to_le_bytes());
        self.stream[8..12].copy_from_slice(&check.to_le_bytes());
        sector::encode(&self.stream, salt, first, &mut self.framed);
        &self.framed
    }
}

/// How many sectors the record takes whose first sector holds `data`; `None` when it is none.
pub(crate) fn sectors(data: &[u8]) -> Option<u32> {
    let len = u32::from_le_bytes(data.get(4..8)?.try_into().ok()?);
    let is_known = matches!(data[0], KIND_GROUP | KIND_SEAL) && data[1..4] == [0; 3];
    let count = sector::count(HEAD_BYTES as u64 + u64::from(len));
    is_known.then(|| u32::try_from(count).ok()).flatten()
}

/// The record that begins in sector `first`, and the number of the sector behind it.
pub(crate) fn decode(part: Sectors<'_>, first: u32) -> Result<(Record, u32), NoRecord> {
    let Sector::Written { start, data } = part.read(first) else { return Err(judge(part, first)) };
    if start != first {
        return Err(NoRecord::Damaged("a record is missing that a later sector belongs to".to_owned()));
    }
    let Some(count) = sectors(data) else {
        return Err(NoRecord::Damaged("the record's head makes no sense".to_owned()));
    };
    let mut stream = Vec::with_capacity(count as usize * DATA_BYTES);
    stream.extend_from_slice(data);
    for number in first + 1..first + count {
        match part.read(number) {
            Sector::Written { start, data } if start == first => stream.extend_from_slice(data),
            Sector::Unwritten if planted::is(Bug::TornRecordTakenWhole) => {
                stream.resize(stream.len() + DATA_BYTES, 0);
            }
            _ => return Err(judge(part, first)),
        }
    }
    match parse(&stream) {
        Ok(record) => Ok((record, first + count)),
        Err(NoRecord::Torn) => Err(judge(part, first)),
        Err(bad) => Err(bad),
    }
}

/// Why no record can be read from sector `first` on: does everything from there to the end of the file look
/// like one write that was interrupted?
fn judge(part: Sectors<'_>, first: u32) -> NoRecord {
    let mut is_begun = false;
    for number in first..part.end() {
        match part.read(number) {
            Sector::Written { start, .. } if start == first => is_begun = true,
            Sector::Written { start, .. } => {
                let offset = u64::from(start) * SECTOR_BYTES as u64;
                return NoRecord::Damaged(format!(
                    "the record is incomplete, and a later one begins at byte {offset}"
                ));
            }
            Sector::Unwritten => is_begun |= !part.is_blank(number),
            Sector::Damaged => {
                let offset = u64::from(number) * SECTOR_BYTES as u64;
                return NoRecord::Damaged(format!("the sector at byte {offset} does not match its checksum"));
            }
        }
    }
    if is_begun { NoRecord::Torn } else { NoRecord::End }
}

/// The sectors are right each for itself. A payload that does not match its check is made of two writes to the
/// same place, the first of which was cut short by a full disk: neither was synced.
fn parse(stream: &[u8]) -> Result<Record, NoRecord> {
    let word = |at: usize| u32::from_le_bytes(std::array::from_fn(|i| stream[at + i]));
    let payload = &stream[HEAD_BYTES..HEAD_BYTES + word(4) as usize];
    if crc32c::crc32c(payload) != word(8) && !planted::is(Bug::TornRecordTakenWhole) {
        return Err(NoRecord::Torn);
    }
    let record = match stream[0] {
        KIND_SEAL => payload.try_into().ok().map(|next| Record::Seal { next: u64::from_le_bytes(next) }),
        _ => parse_group(payload).map(Record::Group),
    };
    record.ok_or_else(|| NoRecord::Damaged("the record's payload makes no sense".to_owned()))
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

/// `None` when the payload is not what `group` writes: at least one commit, rising timestamps, nothing left
/// over.
fn parse_group(mut payload: &[u8]) -> Option<Vec<Commit>> {
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
    let (ts, rest) = payload.split_first_chunk::<8>()?;
    *payload = rest;
    let ts_ns = u64::from_le_bytes(*ts);
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
    Some(Commit { ts: Timestamp::from_nanos(ts_ns), writes, touched: Vec::new() })
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

    const SALT: u64 = 9;

    fn group(commits: Vec<Vec<RawWrite>>) -> Vec<Arc<Commit>> {
        let write = |(key, value): RawWrite| Write { key: key.into(), value: value.map(Bytes::from) };
        let commit = |(at, writes): (usize, Vec<_>)| Commit {
            ts: Timestamp::from_nanos(at as u64 + 1),
            writes: Vec::into_iter(writes).map(write).collect(),
            touched: Vec::new(),
        };
        commits.into_iter().enumerate().map(commit).map(Arc::new).collect()
    }

    fn one_write(value: &[u8]) -> Vec<Arc<Commit>> {
        group(vec![vec![(b"key".to_vec(), Some(value.to_vec()))]])
    }

    /// A segment of these groups, with room behind them.
    fn segment(groups: &[Vec<Arc<Commit>>]) -> Vec<u8> {
        let mut segment = Vec::new();
        for commits in groups {
            let first = (segment.len() / SECTOR_BYTES) as u32;
            segment.extend_from_slice(Encoder::default().group(commits, SALT, first));
        }
        segment.resize(segment.len() + 4 * SECTOR_BYTES, 0);
        segment
    }

    fn whole(segment: &[u8]) -> Sectors<'_> {
        Sectors::new(segment, SALT, 0)
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(
            commits in vec(vec((vec(any::<u8>(), 0..9), proptest::option::of(vec(any::<u8>(), 0..900))), 0..4), 1..5),
        ) {
            let commits = group(commits);
            let bytes: u64 = commits.iter().map(|commit| commit_bytes(&commit.writes)).sum();
            let segment = segment(std::slice::from_ref(&commits));
            let (decoded, end) = decode(whole(&segment), 0).unwrap();
            prop_assert_eq!(u64::from(end) * SECTOR_BYTES as u64, framed_bytes(bytes));
            let expected: Vec<Commit> = commits.iter().map(|commit| Commit::clone(commit)).collect();
            prop_assert_eq!(decoded, Record::Group(expected));
            let alone: u64 = commits.iter().map(|commit| framed_bytes(commit_bytes(&commit.writes))).sum();
            prop_assert!(alone >= framed_bytes(bytes));
            prop_assert_eq!(decode(whole(&segment), end), Err(NoRecord::End));
        }

        #[test]
        fn any_flipped_bit_of_the_last_record_is_damage(bit in 0..4 * SECTOR_BYTES * 8) {
            let mut segment = segment(&[one_write(&[7; 1700])]);
            segment[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(matches!(decode(whole(&segment), 0), Err(NoRecord::Damaged(_))));
        }

        #[test]
        fn any_set_of_sectors_may_be_lost(kept in 0..15u32) {
            let mut segment = segment(&[one_write(&[7; 1700])]);
            for number in (0..4).filter(|number| kept & (1 << number) == 0) {
                segment[number * SECTOR_BYTES..(number + 1) * SECTOR_BYTES].fill(0);
            }
            let expected = if kept == 0 { NoRecord::End } else { NoRecord::Torn };
            prop_assert_eq!(decode(whole(&segment), 0), Err(expected));
        }

        #[test]
        fn a_record_may_be_cut_anywhere(len in 0..4 * SECTOR_BYTES, is_zeroed: bool) {
            let complete = segment(&[one_write(&[7; 1700])]);
            let mut segment = complete[..len].to_vec();
            if is_zeroed {
                segment.resize(complete.len(), 0);
            }
            let expected = if len == 0 { NoRecord::End } else { NoRecord::Torn };
            prop_assert_eq!(decode(whole(&segment), 0), Err(expected));
        }

        #[test]
        fn garbage_is_refused_without_a_panic(segment in vec(any::<u8>(), 512..1600)) {
            prop_assert!(matches!(decode(whole(&segment), 0), Err(NoRecord::Damaged(_) | NoRecord::Torn)));
            prop_assert!(parse_group(&segment).is_none_or(|commits| !commits.is_empty()));
        }
    }

    #[test]
    fn a_lost_record_before_a_whole_one_is_damage() {
        let mut segment = segment(&[one_write(&[1; 1000]), one_write(b"second")]);
        for len in [512, 1024, 1536] {
            segment[..len].fill(0);
            let Err(NoRecord::Damaged(what)) = decode(whole(&segment), 0) else { panic!("{len}") };
            assert!(what.contains("later one begins at byte 1536"), "{what}");
        }
    }

    #[test]
    fn a_record_inside_a_value_is_not_found() {
        let inner = segment(&[one_write(b"v")]);
        let mut outer = segment(&[one_write(&inner)]);
        outer[..SECTOR_BYTES].fill(0);
        assert_eq!(decode(whole(&outer), 0), Err(NoRecord::Torn));
    }

    #[test]
    fn a_seal_comes_back() {
        let mut segment = Encoder::default().seal(8, SALT, 0).to_vec();
        assert_eq!(decode(whole(&segment), 0), Ok((Record::Seal { next: 8 }, 1)));
        segment[100] ^= 1;
        assert!(matches!(decode(whole(&segment), 0), Err(NoRecord::Damaged(_))));
    }
}
