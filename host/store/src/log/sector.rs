//! Sectors: the unit in which a segment is checked.
//!
//! ```text
//! data     504   a part of a record's stream of bytes; zeros behind its end
//! start      4   number of the sector in which the record begins, little-endian
//! check      4   CRC32C of the segment's salt, the sector's number, and the bytes before; two bits of the last
//!                byte are always set
//! ```
//!
//! A disk writes a sector whole or not at all, and a power failure may keep any of the sectors of a write and
//! lose any other. So a record that a power failure cut consists of sectors that are right and sectors that
//! were never written, which read as zeros; a sector that is neither is damage. That is what tells the two
//! apart. The last byte is never zero, nor is it one flipped bit away from zero: a sector that ends in a zero
//! was not written, or not to its end.
//!
//! The check begins with the segment's random salt and the sector's number. So bytes that look like a sector,
//! because a client stored some, or a disk wrote one in the wrong place, do not pass for one.
//!
//! Not here: what records hold.

/// Length of a sector.
pub(crate) const SECTOR_BYTES: usize = 512;
/// What of it is a record's.
pub(crate) const DATA_BYTES: usize = SECTOR_BYTES - 8;

const START_AT: usize = DATA_BYTES;
const CHECK_AT: usize = DATA_BYTES + 4;
/// In the last byte, little-endian.
const CHECK_BITS: u32 = 0x8100_0000;

/// What a sector turns out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sector<'a> {
    /// Right, and a part of the record that begins in sector `start`.
    Written { start: u32, data: &'a [u8] },
    /// Never written, or not to its end.
    Unwritten,
    /// Neither.
    Damaged,
}

/// How many sectors a stream of that many bytes takes.
pub(crate) fn count(stream_bytes: u64) -> u64 {
    stream_bytes.div_ceil(DATA_BYTES as u64)
}

/// Appends the sectors of `stream`, the first of which has number `first`, to `out`.
pub(crate) fn encode(stream: &[u8], salt: u64, first: u32, out: &mut Vec<u8>) {
    for (number, data) in (first..).zip(stream.chunks(DATA_BYTES)) {
        let begin = out.len();
        out.extend_from_slice(data);
        out.resize(begin + START_AT, 0);
        out.extend_from_slice(&first.to_le_bytes());
        let check = check(&out[begin..begin + CHECK_AT], salt, number);
        out.extend_from_slice(&check.to_le_bytes());
    }
}

/// A part of a segment's bytes, cut into sectors.
#[derive(Clone, Copy)]
pub(crate) struct Sectors<'a> {
    bytes: &'a [u8],
    salt: u64,
    /// Number of the sector with which `bytes` begin.
    begin: u32,
}

impl<'a> Sectors<'a> {
    /// `bytes` are those of a segment with that salt, from sector `begin` on.
    pub(crate) fn new(bytes: &'a [u8], salt: u64, begin: u32) -> Sectors<'a> {
        Sectors { bytes, salt, begin }
    }

    /// The sector with that number, counted in the segment; behind the end of the file there are unwritten ones.
    pub(crate) fn read(&self, number: u32) -> Sector<'a> {
        let at = self.offset(number);
        let Some(sector) = self.bytes.get(at..at + SECTOR_BYTES) else { return Sector::Unwritten };
        let word = |at: usize| u32::from_le_bytes(std::array::from_fn(|i| sector[at + i]));
        match word(CHECK_AT) {
            _ if sector[SECTOR_BYTES - 1] == 0 => Sector::Unwritten,
            found if found == check(&sector[..CHECK_AT], self.salt, number) => {
                Sector::Written { start: word(START_AT), data: &sector[..DATA_BYTES] }
            }
            _ => Sector::Damaged,
        }
    }

    /// Whether the sector has nothing but zeros.
    pub(crate) fn is_blank(&self, number: u32) -> bool {
        let at = self.offset(number).min(self.bytes.len());
        self.bytes[at..(at + SECTOR_BYTES).min(self.bytes.len())].iter().all(|byte| *byte == 0)
    }

    /// The number behind the last sector, which may be cut off.
    pub(crate) fn end(&self) -> u32 {
        let count = self.bytes.len().div_ceil(SECTOR_BYTES);
        self.begin + u32::try_from(count).expect("a segment has fewer than 2^32 sectors")
    }

    fn offset(&self, number: u32) -> usize {
        (number - self.begin) as usize * SECTOR_BYTES
    }
}

fn check(bytes: &[u8], salt: u64, number: u32) -> u32 {
    let check = crc32c::crc32c(&salt.to_le_bytes());
    let check = crc32c::crc32c_append(check, &number.to_le_bytes());
    crc32c::crc32c_append(check, bytes) | CHECK_BITS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_comes_back() {
        let stream: Vec<u8> = (0..DATA_BYTES * 2 + 7).map(|i| (i % 251) as u8 + 1).collect();
        let mut segment = vec![0; 3 * SECTOR_BYTES];
        encode(&stream, 9, 3, &mut segment);
        assert_eq!(segment.len(), 6 * SECTOR_BYTES);
        let sectors = Sectors::new(&segment, 9, 0);
        let mut back = Vec::new();
        for number in 3..6 {
            let Sector::Written { start: 3, data } = sectors.read(number) else { panic!("{number}") };
            back.extend_from_slice(data);
        }
        assert_eq!(back[..stream.len()], stream);
        assert!(back[stream.len()..].iter().all(|byte| *byte == 0));
        assert_eq!([sectors.read(0), sectors.read(6)], [Sector::Unwritten; 2]);
        assert_eq!((sectors.end(), sectors.is_blank(2), sectors.is_blank(3)), (6, true, false));
        let part = Sectors::new(&segment[4 * SECTOR_BYTES..], 9, 4);
        assert_eq!((part.read(4), part.end()), (sectors.read(4), 6));
        assert_eq!(Sectors::new(&segment, 8, 0).read(3), Sector::Damaged, "of another segment");
        segment.copy_within(3 * SECTOR_BYTES..4 * SECTOR_BYTES, 0);
        assert_eq!(Sectors::new(&segment, 9, 0).read(0), Sector::Damaged, "in another place");
    }

    #[test]
    fn any_flipped_bit_is_damage_and_never_looks_unwritten() {
        let mut segment = Vec::new();
        encode(&[0; 40], 9, 0, &mut segment);
        for bit in 0..SECTOR_BYTES * 8 {
            segment[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Sectors::new(&segment, 9, 0).read(0), Sector::Damaged, "bit {bit}");
            segment[bit / 8] ^= 1 << (bit % 8);
        }
    }
}
