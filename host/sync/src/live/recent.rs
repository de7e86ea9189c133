//! The keys of recent commit groups, for as long as a run reads a snapshot older than they are: whether its
//! result still holds is known only when it says what it has read.
use std::collections::VecDeque;

use bytes::Bytes;
use weir_db::ReadSet;
use weir_value::Timestamp;
use weir_value::limits::LIVE_RECENT_KEYS_MAX;

#[derive(Debug)]
struct Group {
    ts: Timestamp,
    /// The timestamp before it.
    previous: Timestamp,
    /// Ascending, each once.
    keys: Vec<Bytes>,
}

#[derive(Debug, Default)]
pub(super) struct RecentGroups {
    groups: VecDeque<Group>,
    keys: usize,
    /// The newest group that was dropped although it may still have been asked for.
    lost: Option<Timestamp>,
}

impl RecentGroups {
    /// Keeps a group, newer than all before, and the timestamp before it. When too much is kept the oldest are lost.
    pub(super) fn push(&mut self, previous: Timestamp, ts: Timestamp, mut keys: Vec<Bytes>) {
        keys.sort_unstable();
        keys.dedup();
        self.keys += keys.len();
        self.groups.push_back(Group { ts, previous, keys });
        while self.keys > LIVE_RECENT_KEYS_MAX {
            self.lost = self.pop();
        }
    }

    /// Forgets the groups up to and with `at`; all of them if nothing is in flight.
    pub(super) fn forget_until(&mut self, at: Option<Timestamp>) {
        while self.groups.front().is_some_and(|group| at.is_none_or(|at| group.ts <= at)) {
            self.pop();
        }
        if self.lost.is_some_and(|lost| at.is_none_or(|at| lost <= at)) {
            self.lost = None;
        }
    }

    /// The last timestamp before a group after `at` wrote something of the read set; `None` if none has. A group that
    /// was lost is taken for one that did.
    pub(super) fn last_before_hit(&self, at: Timestamp, read_set: &ReadSet) -> Option<Timestamp> {
        if self.lost.is_some_and(|lost| lost > at) {
            return Some(at);
        }
        let first = self.groups.partition_point(|group| group.ts <= at);
        self.groups.range(first..).find(|group| group.hits(read_set)).map(|group| group.previous)
    }

    fn pop(&mut self) -> Option<Timestamp> {
        let group = self.groups.pop_front()?;
        self.keys -= group.keys.len();
        Some(group.ts)
    }
}

impl Group {
    /// By the fewer of the two: each key in the read set, or each part of the read set in the keys.
    fn hits(&self, read_set: &ReadSet) -> bool {
        if self.keys.len() <= read_set.points().len() + read_set.ranges().len() {
            return self.keys.iter().any(|key| read_set.contains(key));
        }
        let point_hit = read_set.points().iter().any(|point| self.keys.binary_search(point).is_ok());
        point_hit
            || read_set.ranges().iter().any(|range| {
                let first = self.keys.partition_point(|key| *key < range.start);
                self.keys.get(first).is_some_and(|key| *key < range.end)
            })
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use weir_db::KeyRange;

    use super::*;

    fn ts(nanos: u64) -> Timestamp {
        Timestamp::from_nanos(nanos)
    }

    fn key(byte: u8) -> Bytes {
        Bytes::copy_from_slice(&[byte])
    }

    #[test]
    fn groups_are_asked_after_the_timestamp_alone() {
        let mut recent = RecentGroups::default();
        recent.push(ts(4), ts(5), vec![key(1)]);
        recent.push(ts(5), ts(7), vec![key(1), key(2), key(1)]);
        let reads = |byte| ReadSet::new([key(byte)], []);
        assert_eq!(recent.last_before_hit(ts(4), &reads(1)), Some(ts(4)));
        assert_eq!(recent.last_before_hit(ts(5), &reads(1)), Some(ts(5)));
        assert_eq!(recent.last_before_hit(ts(4), &reads(2)), Some(ts(5)));
        assert_eq!(recent.last_before_hit(ts(7), &reads(1)), None);
        assert_eq!(recent.last_before_hit(ts(4), &reads(3)), None);
        recent.forget_until(Some(ts(5)));
        assert_eq!((recent.groups.len(), recent.keys), (1, 2));
        recent.forget_until(None);
        assert_eq!((recent.groups.len(), recent.keys), (0, 0));
    }

    #[test]
    fn what_was_lost_counts_as_a_hit() {
        let mut recent = RecentGroups::default();
        let keys =
            |from: usize| (from..from + LIVE_RECENT_KEYS_MAX).map(|n| Bytes::from(n.to_be_bytes().to_vec()));
        recent.push(ts(4), ts(5), keys(0).collect());
        recent.push(ts(5), ts(6), keys(0).collect());
        assert_eq!(recent.groups.len(), 1);
        assert_eq!(recent.last_before_hit(ts(3), &ReadSet::default()), Some(ts(3)));
        assert_eq!(recent.last_before_hit(ts(5), &ReadSet::default()), None);
        recent.forget_until(Some(ts(5)));
        assert_eq!(recent.lost, None);
    }

    proptest! {
        #[test]
        fn both_ways_of_looking_agree(
            keys in vec(0..30_u8, 0..12),
            points in vec(0..30_u8, 0..6),
            ranges in vec((0..30_u8, 0..30_u8), 0..6),
        ) {
            let ranges = ranges.into_iter().map(|(a, b)| KeyRange { start: key(a.min(b)), end: key(a.max(b)) });
            let read_set = ReadSet::new(points.into_iter().map(key), ranges);
            let mut recent = RecentGroups::default();
            recent.push(ts(0), ts(1), keys.iter().copied().map(key).collect());
            let expected = keys.iter().any(|byte| read_set.contains(&[*byte]));
            prop_assert_eq!(recent.last_before_hit(ts(0), &read_set).is_some(), expected);
        }
    }
}
