//! What short ranges hold, as one reader of the tree sees it, and what stands under keys that they lead to.
//!
//! A look-up through an index asks for the one or two entries between two keys, and then for what each of them leads
//! to: two descents of the tree, where a look-up by key takes one. A reader sees one state of the tree for as long as it
//! is there, so what was found is told by memory the next time. The memory goes with its reader, when something is
//! flushed.
//!
//! Not here: what the entries mean, and whether they are whole; that is checked each time they are told.

use std::ops::{Bound, Range};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use crate::Direction;
use crate::memory_table::Interval;

/// So many entries of a range are remembered at most.
pub(super) const ENTRIES_MAX: usize = 2;
/// A range that takes more room is not remembered.
const BYTES_MAX: usize = 448;
/// What a range takes at most, with its place and what an allocation costs.
const RANGE_BYTES: u64 = 512;

/// Both ends, then keys and values.
const PARTS: usize = 2 + 2 * ENTRIES_MAX;
/// Direction and whether the range ends with the entries; how many there are; where each part ends, `u16`.
const HEAD_BYTES: usize = 2 + 2 * PARTS;

const DESCENDING: u8 = 1;
const WHOLE: u8 = 2;

/// Ranges that share a place.
const SET_RANGES: usize = 4;

/// Those of one place, the newest first, each with the sum over where it begins: so the others are not looked at.
type Set = [Option<(u32, ShortRange)>; SET_RANGES];

/// The memory.
pub(super) struct ShortRanges {
    sets: OnceLock<Box<[Mutex<Set>]>>,
    count: usize,
}

impl ShortRanges {
    /// It takes no more than `bytes`, and nothing before something is kept in it.
    pub(super) fn new(bytes: u64) -> ShortRanges {
        let ranges = usize::try_from(bytes / RANGE_BYTES).unwrap_or(usize::MAX);
        ShortRanges { sets: OnceLock::new(), count: (ranges / SET_RANGES).max(1) }
    }

    /// What is known of a range, if that is `wanted` entries or all that it has.
    pub(super) fn find(
        &self,
        interval: Interval<'_>,
        direction: Direction,
        wanted: usize,
    ) -> Option<ShortRange> {
        let (low, high) = ends(interval)?;
        let sum = crc32c::crc32c(low);
        let set = self.sets.get()?[self.place(sum)].lock();
        let mut known = set.iter().flatten().filter(|known| known.0 == sum).map(|known| &known.1);
        known.find(|range| range.is_of(low, high, direction)).filter(|range| range.tells(wanted)).cloned()
    }

    /// Keeps what was found, if there was room for it, instead of what was known of the range, or of another one.
    /// `is_whole`: the range has no other entries.
    pub(super) fn keep(&self, found: Option<Collector>, is_whole: bool) {
        let Some(range) = found.map(|found| found.finish(is_whole)) else { return };
        let sets =
            self.sets.get_or_init(|| std::iter::repeat_with(Mutex::default).take(self.count).collect());
        let sum = crc32c::crc32c(range.part(0));
        let mut set = sets[self.place(sum)].lock();
        let is_free = |known: &Option<(u32, ShortRange)>| {
            known.as_ref().is_none_or(|known| known.0 == sum && known.1.is_as(&range))
        };
        let at = set.iter().position(is_free).unwrap_or(SET_RANGES - 1);
        set[..=at].rotate_right(1);
        set[0] = Some((sum, range));
    }

    fn place(&self, sum: u32) -> usize {
        sum as usize % self.count
    }
}

/// A range with its first entries, in one allocation.
#[derive(Clone)]
pub(super) struct ShortRange(Arc<[u8]>);

impl ShortRange {
    fn is_of(&self, low: &[u8], high: &[u8], direction: Direction) -> bool {
        self.part(0) == low
            && self.part(1) == high
            && (self.0[0] & DESCENDING != 0) == is_descending(direction)
    }

    fn is_as(&self, other: &ShortRange) -> bool {
        let is_descending = |range: &ShortRange| range.0[0] & DESCENDING;
        is_descending(self) == is_descending(other)
            && self.part(0) == other.part(0)
            && self.part(1) == other.part(1)
    }

    fn tells(&self, wanted: usize) -> bool {
        usize::from(self.0[1]) >= wanted || self.0[0] & WHOLE != 0
    }

    /// Keys and values, in the order of the range.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        (0..usize::from(self.0[1])).map(|entry| (self.part(2 + 2 * entry), self.part(3 + 2 * entry)))
    }

    fn part(&self, at: usize) -> &[u8] {
        let end = |at: usize| usize::from(u16::from_le_bytes([self.0[2 + 2 * at], self.0[3 + 2 * at]]));
        let Range { start, end } = at.checked_sub(1).map_or(0, end)..end(at);
        &self.0[HEAD_BYTES..][start..end]
    }
}

/// Collects a range's entries while they are read for the first time.
pub(super) struct Collector {
    bytes: Vec<u8>,
    parts: usize,
}

impl Collector {
    /// `None`: the range is not one that is remembered.
    pub(super) fn begin(interval: Interval<'_>, direction: Direction) -> Option<Collector> {
        let (low, high) = ends(interval)?;
        let mut bytes = Vec::with_capacity(HEAD_BYTES + BYTES_MAX);
        bytes.resize(HEAD_BYTES, 0);
        bytes[0] = if is_descending(direction) { DESCENDING } else { 0 };
        Collector { bytes, parts: 0 }.with(low)?.with(high)
    }

    /// Adds the next entry; `None` when there is no room for it.
    pub(super) fn with_entry(self, key: &[u8], value: &[u8]) -> Option<Collector> {
        let mut collector = self.with(key)?.with(value)?;
        collector.bytes[1] += 1;
        Some(collector)
    }

    fn finish(mut self, is_whole: bool) -> ShortRange {
        if is_whole {
            self.bytes[0] |= WHOLE;
        }
        ShortRange(self.bytes.into())
    }

    fn with(mut self, part: &[u8]) -> Option<Collector> {
        let end = self.bytes.len() - HEAD_BYTES + part.len();
        if self.parts == PARTS || end > BYTES_MAX {
            return None;
        }
        let end = u16::try_from(end).ok()?;
        self.bytes[2 + 2 * self.parts..][..2].copy_from_slice(&end.to_le_bytes());
        self.bytes.extend_from_slice(part);
        self.parts += 1;
        Some(self)
    }
}

/// The range of one key alone.
pub(super) fn point(key: &[u8]) -> Interval<'_> {
    Interval { low: Bound::Included(key), high: Bound::Included(key) }
}

/// What tells a range from others: its ends, the second of which is empty for a single key. Ranges that begin or end
/// elsewhere than scans do are not remembered.
fn ends(interval: Interval<'_>) -> Option<(&[u8], &[u8])> {
    match (interval.low, interval.high) {
        (Bound::Included(low), Bound::Excluded(high)) => Some((low, high)),
        (Bound::Included(low), Bound::Included(high)) if low == high => Some((low, &[])),
        _ => None,
    }
}

fn is_descending(direction: Direction) -> bool {
    direction == Direction::Descending
}

#[cfg(test)]
mod tests {
    use super::*;

    const UP: Direction = Direction::Ascending;
    const DOWN: Direction = Direction::Descending;

    fn range<'a>(low: &'a str, high: &'a str) -> Interval<'a> {
        Interval { low: Bound::Included(low.as_bytes()), high: Bound::Excluded(high.as_bytes()) }
    }

    fn collected(
        interval: Interval<'_>,
        direction: Direction,
        entries: &[(&str, &str)],
    ) -> Option<Collector> {
        entries.iter().try_fold(Collector::begin(interval, direction)?, |collector, (key, value)| {
            collector.with_entry(key.as_bytes(), value.as_bytes())
        })
    }

    fn found(
        memory: &ShortRanges,
        interval: Interval<'_>,
        direction: Direction,
        wanted: usize,
    ) -> Option<String> {
        let text = |part: &[u8]| String::from_utf8(part.to_vec()).unwrap();
        let known = memory.find(interval, direction, wanted)?;
        let entries: Vec<String> =
            known.entries().map(|(key, value)| format!("{}={}", text(key), text(value))).collect();
        Some(entries.join(" "))
    }

    #[test]
    fn it_tells_what_it_knows_and_of_that_range_alone() {
        let memory = ShortRanges::new(1024 * 1024);
        let interval = range("a", "b");
        assert_eq!(found(&memory, interval, UP, 1), None);
        memory.keep(collected(interval, UP, &[("a1", "x")]), false);
        assert_eq!(found(&memory, interval, UP, 1).as_deref(), Some("a1=x"));
        assert_eq!(found(&memory, interval, UP, 2), None, "there may be a second one");
        memory.keep(collected(interval, UP, &[("a1", "x")]), true);
        assert_eq!(found(&memory, interval, UP, 2).as_deref(), Some("a1=x"));
        memory.keep(collected(interval, DOWN, &[("a1", "x")]), false);
        memory.keep(collected(range("a", "c"), UP, &[("a1", "x"), ("b", "")]), false);
        memory.keep(collected(point(b"a"), UP, &[]), true);
        assert_eq!(found(&memory, interval, UP, 2).as_deref(), Some("a1=x"));
        assert_eq!(found(&memory, interval, DOWN, 1).as_deref(), Some("a1=x"));
        assert_eq!(found(&memory, interval, DOWN, 2), None);
        assert_eq!(found(&memory, range("a", "c"), UP, 2).as_deref(), Some("a1=x b="));
        assert_eq!(found(&memory, point(b"a"), UP, 1).as_deref(), Some(""));
        let behind = Interval { low: Bound::Excluded(b"a"), high: Bound::Excluded(b"b") };
        assert_eq!(found(&memory, behind, UP, 1), None);
        assert!(Collector::begin(behind, UP).is_none());
    }

    #[test]
    fn a_place_keeps_the_newest() {
        let memory = ShortRanges::new(0);
        let keys = ["a", "b", "c", "d", "e"];
        let known = || keys.map(|key| found(&memory, point(key.as_bytes()), UP, 1).is_some());
        for key in keys {
            memory.keep(collected(point(key.as_bytes()), UP, &[("", key)]), true);
        }
        assert_eq!(known(), [false, true, true, true, true]);
        // Again, and then another one: it is not the oldest any more.
        memory.keep(collected(point(b"b"), UP, &[("", "b")]), true);
        memory.keep(collected(point(b"a"), UP, &[("", "a")]), true);
        assert_eq!(known(), [true, true, false, true, true]);
    }

    #[test]
    fn what_is_large_is_not_kept() {
        let value = |len: usize| "v".repeat(len);
        let interval = range("a", "b");
        assert!(collected(interval, UP, &[("a", &value(BYTES_MAX - 3))]).is_some());
        assert!(collected(interval, UP, &[("a", &value(BYTES_MAX - 2))]).is_none());
        assert!(collected(interval, UP, &[("a", ""), ("a1", ""), ("a2", "")]).is_none());
        let memory = ShortRanges::new(1024);
        memory.keep(None, true);
        assert_eq!(found(&memory, interval, UP, 1), None);
    }
}
