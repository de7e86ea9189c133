//! What a call has read: points and half-open intervals of keys.
//!
//! Knows nothing of what the keys mean, nor of values: a miss is recorded as a hit is.
use std::cmp::Ordering;

use bytes::Bytes;

/// The keys from `start` up to, and without, `end`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyRange {
    /// The first key.
    pub start: Bytes,
    /// The first key that is outside.
    pub end: Bytes,
}

impl KeyRange {
    /// Whether the range holds this key.
    pub fn contains(&self, key: &[u8]) -> bool {
        self.start.as_ref() <= key && key < self.end.as_ref()
    }

    /// Whether no key can be inside.
    pub fn is_empty(&self) -> bool {
        self.start >= self.end
    }
}

/// Everything that a call's result depends on, besides its arguments: a commit that writes none of these
/// keys leaves the result as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadSet {
    points: Vec<Bytes>,
    ranges: Vec<KeyRange>,
}

impl ReadSet {
    /// A read set of these points and ranges. Ranges are merged where they touch, empty ones and points
    /// that a range holds already are dropped.
    pub fn new(points: impl IntoIterator<Item = Bytes>, ranges: impl IntoIterator<Item = KeyRange>) -> Self {
        let ranges = merge(ranges.into_iter().filter(|range| !range.is_empty()).collect());
        let mut points: Vec<Bytes> =
            points.into_iter().filter(|key| find_range(&ranges, key).is_none()).collect();
        points.sort_unstable();
        points.dedup();
        ReadSet { points, ranges }
    }

    /// The single keys, ascending, none of them inside a range.
    pub fn points(&self) -> &[Bytes] {
        &self.points
    }

    /// The ranges, ascending, no two of which touch.
    pub fn ranges(&self) -> &[KeyRange] {
        &self.ranges
    }

    /// Whether a write of this key concerns the reader.
    pub fn contains(&self, key: &[u8]) -> bool {
        self.points.binary_search_by(|point| point.as_ref().cmp(key)).is_ok()
            || find_range(&self.ranges, key).is_some()
    }

    /// How much memory it takes, roughly.
    pub fn size_bytes(&self) -> usize {
        let points = self.points.iter().map(|point| size_of::<Bytes>() + point.len());
        let ranges =
            self.ranges.iter().map(|range| size_of::<KeyRange>() + range.start.len() + range.end.len());
        points.sum::<usize>() + ranges.sum::<usize>()
    }

    /// Whether nothing was read.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty() && self.ranges.is_empty()
    }
}

/// The range that holds this key, of ranges that ascend and do not touch.
pub(crate) fn find_range<'a>(ranges: &'a [KeyRange], key: &[u8]) -> Option<&'a KeyRange> {
    let found = ranges.binary_search_by(|range| match range.contains(key) {
        true => Ordering::Equal,
        false => range.start.as_ref().cmp(key),
    });
    found.ok().map(|at| &ranges[at])
}

/// The same keys in ranges that ascend and do not touch; none of `ranges` is empty.
pub(crate) fn merge(mut ranges: Vec<KeyRange>) -> Vec<KeyRange> {
    // What is in order already, in part or backwards, is not sorted again.
    ranges.sort_by(|a, b| a.start.cmp(&b.start));
    let mut merged: Vec<KeyRange> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = range.end.max(last.end.clone()),
            _ => merged.push(range),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(start: &'static str, end: &'static str) -> KeyRange {
        KeyRange { start: start.into(), end: end.into() }
    }

    #[test]
    fn it_is_kept_small() {
        let points = ["x", "b", "x", "f"].map(Bytes::from);
        let set = ReadSet::new(points, [range("c", "e"), range("a", "c"), range("k", "k"), range("d", "da")]);
        assert_eq!(set.ranges(), [range("a", "e")]);
        assert_eq!(set.points(), ["f", "x"].map(Bytes::from));
        assert!(set.contains(b"a") && set.contains(b"dz") && set.contains(b"x"));
        assert!(!set.contains(b"e") && !set.contains(b"0") && !set.contains(b"y"));
        assert!(!set.is_empty());
        assert!(ReadSet::default().is_empty());
    }
}
