//! Which live queries does a written key concern?
//!
//! The open read sets of all live queries, turned around: points in a hash map, ranges in an augmented tree. A key
//! is looked up once in each, in `O(log ranges + hits)`; a read set that nobody writes into costs nothing.
//!
//! Knows nothing of what keys mean, nor of timestamps and results.
mod range_tree;

use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;
use weir_db::ReadSet;

use range_tree::RangeTree;

/// The registry's number of a live query. Used again after the query is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LiveId(pub u32);

/// From keys to the live queries that have read them, or their absence.
#[derive(Debug, Default)]
pub struct IntervalIndex {
    points: HashMap<Bytes, BTreeSet<LiveId>>,
    ranges: RangeTree,
}

impl IntervalIndex {
    /// An index of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in the read set of `id`. One live query has at most one read set here.
    pub fn insert(&mut self, id: LiveId, read_set: &ReadSet) {
        for point in read_set.points() {
            self.points.entry(point.clone()).or_default().insert(id);
        }
        for range in read_set.ranges() {
            self.ranges.insert(range, id);
        }
    }

    /// Forgets the read set of `id`: the same one that was inserted.
    pub fn remove(&mut self, id: LiveId, read_set: &ReadSet) {
        for point in read_set.points() {
            if let Some(ids) = self.points.get_mut(point) {
                ids.remove(&id);
                if ids.is_empty() {
                    self.points.remove(point);
                }
            }
        }
        for range in read_set.ranges() {
            self.ranges.remove(range, id);
        }
    }

    /// Adds the live queries that read `key` to `hits`.
    pub fn stab(&self, key: &[u8], hits: &mut BTreeSet<LiveId>) {
        if let Some(ids) = self.points.get(key) {
            hits.extend(ids);
        }
        self.ranges.stab(key, hits);
    }

    /// Whether no read set is held.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty() && self.ranges.is_empty()
    }
}

#[cfg(test)]
mod tests;
