//! What a running transaction has read so far.
//!
//! Also its cache: a point that was read once is not asked of the store again, so that within a transaction a key
//! costs one lookup.
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use bytes::Bytes;

use crate::{KeyRange, ReadSet};

#[derive(Default)]
pub(crate) struct ReadSetBuilder {
    /// What the snapshot has under each key that was read alone; misses too.
    points: HashMap<Bytes, Option<Bytes>>,
    /// Start to end, no two of which touch.
    ranges: BTreeMap<Bytes, Bytes>,
}

impl ReadSetBuilder {
    pub(crate) fn point(&self, key: &[u8]) -> Option<&Option<Bytes>> {
        self.points.get(key)
    }

    pub(crate) fn add_point(&mut self, key: Bytes, value: Option<Bytes>) {
        self.points.insert(key, value);
    }

    pub(crate) fn add_range(&mut self, range: KeyRange) {
        if range.is_empty() {
            return;
        }
        let KeyRange { mut start, mut end } = range;
        while let Some((other_start, other_end)) = self.touching(&start, &end) {
            self.ranges.remove(&other_start);
            start = start.min(other_start);
            end = end.max(other_end);
        }
        self.ranges.insert(start, end);
    }

    /// The last range that begins at or before `end` and ends at or behind `start`.
    fn touching(&self, start: &Bytes, end: &Bytes) -> Option<(Bytes, Bytes)> {
        let bounds = (Bound::Unbounded, Bound::Included(end.as_ref()));
        let (other_start, other_end) = self.ranges.range::<[u8], _>(bounds).next_back()?;
        (other_end >= start).then(|| (other_start.clone(), other_end.clone()))
    }

    /// Whether a write of this key concerns the transaction.
    pub(crate) fn contains(&self, key: &[u8]) -> bool {
        if self.points.contains_key(key) {
            return true;
        }
        let bounds = (Bound::Unbounded, Bound::Included(key));
        self.ranges.range::<[u8], _>(bounds).next_back().is_some_and(|(_, end)| key < end.as_ref())
    }

    /// What was read until now.
    pub(crate) fn to_read_set(&self) -> ReadSet {
        let range = |(start, end): (&Bytes, &Bytes)| KeyRange { start: start.clone(), end: end.clone() };
        ReadSet::new(self.points.keys().cloned(), self.ranges.iter().map(range))
    }

    pub(crate) fn into_read_set(self) -> ReadSet {
        let ranges = self.ranges.into_iter().map(|(start, end)| KeyRange { start, end });
        ReadSet::new(self.points.into_keys(), ranges)
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
            points in prop::collection::vec(0u8..64, 0..8),
            ranges in prop::collection::vec((0u8..64, 0u8..64), 0..12),
        ) {
            let mut reads = ReadSetBuilder::default();
            points.iter().for_each(|point| reads.add_point(Bytes::copy_from_slice(&[*point]), None));
            ranges.iter().for_each(|(start, end)| reads.add_range(range(*start, *end)));
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
