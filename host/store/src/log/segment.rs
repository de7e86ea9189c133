//! A segment's name and header.
//!
//! ```text
//! magic "WEIRLOG\n"   8
//! format              4   2; little-endian as everything here
//! zero                4
//! number              8   the one in the file's name
//! base                8   timestamp of the newest commit in the segments before this one
//! salt                8   random, the store's id in the first; the checks of the sectors begin with it
//! store               8   random; of the store that the segment belongs to
//! check               4   CRC32C of the bytes before
//! zero              460   up to the end of the sector
//! ```
//!
//! The base ties a segment to the one before it, and the store's id to the base tree: a segment that is
//! missing, or was replaced, is noticed.
//!
//! Not here: records, and when a segment begins.

use weir_value::Timestamp;

use super::sector::SECTOR_BYTES;
use crate::StoreId;

const MAGIC: [u8; 8] = *b"WEIRLOG\n";
const FORMAT: u32 = 2;
const SUFFIX: &str = ".log";

/// Length of a header; the first record begins here.
pub(crate) const HEADER_BYTES: usize = SECTOR_BYTES;
/// Number of the sector in which the first record begins.
pub(crate) const FIRST_SECTOR: u32 = 1;

const CHECK_AT: usize = 48;

/// What stands at the beginning of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub(crate) number: u64,
    pub(crate) base: Timestamp,
    pub(crate) salt: u64,
    pub(crate) store: StoreId,
}

/// Why a header cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadHeader {
    /// Cut off, or it does not match its check: torn or damaged.
    Torn,
    /// Whole, and written by another version.
    Format(u32),
    /// Whole, and of another segment.
    Number(u64),
}

impl SegmentHeader {
    pub(crate) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&FORMAT.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.number.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.base.as_nanos().to_le_bytes());
        bytes[32..40].copy_from_slice(&self.salt.to_le_bytes());
        bytes[40..CHECK_AT].copy_from_slice(&self.store.0);
        let check = crc32c::crc32c(&bytes[..CHECK_AT]);
        bytes[CHECK_AT..CHECK_AT + 4].copy_from_slice(&check.to_le_bytes());
        bytes
    }

    /// The header of segment `number`.
    pub(crate) fn decode(segment: &[u8], number: u64) -> Result<SegmentHeader, BadHeader> {
        let bytes = segment.first_chunk::<HEADER_BYTES>().ok_or(BadHeader::Torn)?;
        let word = |at: usize| u32::from_le_bytes(std::array::from_fn(|i| bytes[at + i]));
        let long = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| bytes[at + i]));
        let is_sound = word(CHECK_AT) == crc32c::crc32c(&bytes[..CHECK_AT])
            && bytes[CHECK_AT + 4..].iter().all(|byte| *byte == 0);
        if !bytes.starts_with(&MAGIC) || !is_sound {
            return Err(BadHeader::Torn);
        }
        if word(8) != FORMAT {
            return Err(BadHeader::Format(word(8)));
        }
        if long(16) != number {
            return Err(BadHeader::Number(long(16)));
        }
        let store = StoreId(std::array::from_fn(|i| bytes[40 + i]));
        Ok(SegmentHeader { number, base: Timestamp::from_nanos(long(24)), salt: long(32), store })
    }
}

/// The file of segment `number`.
pub(crate) fn file_name(number: u64) -> String {
    format!("{number:020}{SUFFIX}")
}

/// The segment that a file holds; `None` for files that are none of ours.
pub(crate) fn parse_file_name(name: &str) -> Option<u64> {
    let number = name.strip_suffix(SUFFIX)?.parse().ok()?;
    (file_name(number) == name).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: SegmentHeader =
        SegmentHeader { number: 7, base: Timestamp::from_nanos(99), salt: 0xfeed, store: StoreId([3; 8]) };

    #[test]
    fn headers_round_trip_and_notice_damage() {
        let bytes = HEADER.encode();
        assert_eq!(SegmentHeader::decode(&bytes, 7), Ok(HEADER));
        assert_eq!(SegmentHeader::decode(&bytes, 8), Err(BadHeader::Number(7)));
        for len in 0..HEADER_BYTES {
            assert_eq!(SegmentHeader::decode(&bytes[..len], 7), Err(BadHeader::Torn));
        }
        for at in 0..HEADER_BYTES {
            let mut damaged = bytes;
            damaged[at] ^= 0x10;
            assert_eq!(SegmentHeader::decode(&damaged, 7), Err(BadHeader::Torn), "byte {at}");
        }
    }

    #[test]
    fn another_format_is_told_apart_from_damage() {
        let mut bytes = HEADER.encode();
        bytes[8] = 3;
        let check = crc32c::crc32c(&bytes[..CHECK_AT]);
        bytes[CHECK_AT..CHECK_AT + 4].copy_from_slice(&check.to_le_bytes());
        assert_eq!(SegmentHeader::decode(&bytes, 7), Err(BadHeader::Format(3)));
    }

    #[test]
    fn file_names_sort_as_numbers_and_foreign_files_are_left_alone() {
        assert!(file_name(9) < file_name(10) && file_name(10) < file_name(u64::MAX));
        assert_eq!(parse_file_name(&file_name(42)), Some(42));
        for name in
            ["", ".log", "1.log", "00000000000000000001.log~", "lost+found", "+0000000000000000001.log"]
        {
            assert_eq!(parse_file_name(name), None, "{name}");
        }
    }
}
