//! What a running transaction has read so far.
//!
//! Also its cache: a point that was read once is not asked of the store again, so that within a transaction a key
//! costs one lookup.
use bytes::Bytes;

use super::points::Points;
use crate::{KeyRange, ReadSet, read_set};

/// So many ranges are kept beside those in order, and as many again as those are: few queries read more.
const UNORDERED_MAX: usize = 1024;

#[derive(Default)]
pub(crate) struct ReadSetBuilder {
    /// What the snapshot has under each key that was read alone; misses too.
    points: Points,
    /// The first ones ascend, and no two of those touch; the others are as they were read. To put each in its place at
    /// once would cost a small query as much as its index does.
    ranges: Vec<KeyRange>,
    /// How many are in order.
    ordered: usize,
}

impl ReadSetBuilder {
    pub(crate) fn point(&self, key: &[u8]) -> Option<&Option<Bytes>> {
        self.points.get(key)
    }

    pub(crate) fn add_point(&mut self, key: Bytes, value: Option<Bytes>) {
        self.points.add(key, value);
    }

    pub(crate) fn add_range(&mut self, range: KeyRange) {
        if range.is_empty() || self.continues_the_last(&range) {
            return;
        }
        self.ranges.push(range);
        if self.ranges.len() > 2 * self.ordered + UNORDERED_MAX {
            self.order();
        }
    }

    /// Whether the range goes on where the last one ends, as the next batch of a query does, and is one with it now.
    fn continues_the_last(&mut self, range: &KeyRange) -> bool {
        let is_ordered = self.ranges.len() == self.ordered;
        let Some(last) = self.ranges.last_mut() else { return false };
        if last.start <= range.start && range.start <= last.end {
            last.end = (&last.end).max(&range.end).clone();
            return true;
        }
        // Downwards, it could touch another one of those in order.
        if !is_ordered && range.start <= last.start && last.start <= range.end {
            last.start = range.start.clone();
            last.end = (&last.end).max(&range.end).clone();
            return true;
        }
        false
    }

    /// Puts the ranges in order, so that [`ReadSetBuilder::contains`] is quick.
    pub(crate) fn order(&mut self) {
        if self.ordered < self.ranges.len() {
            self.ranges = read_set::merge(std::mem::take(&mut self.ranges));
            self.ordered = self.ranges.len();
        }
    }

    /// Whether a write of this key concerns the transaction.
    pub(crate) fn contains(&self, key: &[u8]) -> bool {
        let (ordered, others) = self.ranges.split_at(self.ordered);
        self.points.get(key).is_some()
            || read_set::find_range(ordered, key).is_some()
            || others.iter().any(|range| range.contains(key))
    }

    /// What was read until now.
    pub(crate) fn to_read_set(&self) -> ReadSet {
        ReadSet::new(self.points.keys().cloned(), self.ranges.iter().cloned())
    }

    pub(crate) fn into_read_set(self) -> ReadSet {
        ReadSet::new(self.points.keys().cloned(), self.ranges)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn range(start: u8, end: u8) -> KeyRange {
        KeyRange { start: Bytes::copy_from_slice(&[start]), end: Bytes::copy_from_slice(&[end]) }
    }

    proptest! {
        #[test]
        fn it_holds_what_was_added_and_nothing_else(
            points in prop::collection::vec(0u8..64, 0..16),
            ranges in prop::collection::vec((0u8..64, 0u8..64), 0..12),
            ordered_at in 0usize..12,
        ) {
            let mut reads = ReadSetBuilder::default();
            points.iter().for_each(|point| reads.add_point(Bytes::copy_from_slice(&[*point]), None));
            for (at, (start, end)) in ranges.iter().enumerate() {
                if at == ordered_at {
                    reads.order();
                }
                reads.add_range(range(*start, *end));
            }
            let expected = |key: u8| {
                points.contains(&key) || ranges.iter().any(|(start, end)| (*start..*end).contains(&key))
            };
            for key in 0u8..66 {
                prop_assert_eq!(reads.contains(&[key]), expected(key), "key {}", key);
            }
            let read_set = reads.into_read_set();
            for key in 0u8..66 {
                prop_assert_eq!(read_set.contains(&[key]), expected(key), "key {}", key);
            }
            for pair in read_set.ranges().windows(2) {
                prop_assert!(pair[0].end < pair[1].start, "{:?} touch", pair);
            }
            for point in read_set.points() {
                prop_assert!(read_set.ranges().iter().all(|range| !range.contains(point)));
            }
        }
    }
}
