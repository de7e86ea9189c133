//! Ranges of keys.

use std::ops::Bound;

use crate::Direction;

/// A range of keys.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Interval<'a> {
    pub(crate) low: Bound<&'a [u8]>,
    pub(crate) high: Bound<&'a [u8]>,
}
impl<'a> Interval<'a> {
    /// Every key.
    pub(crate) const ALL: Interval<'static> = Interval { low: Bound::Unbounded, high: Bound::Unbounded };

    /// Whether no key can lie in it. Maps panic on such ranges.
    pub(crate) fn is_empty(&self) -> bool {
        match (self.low, self.high) {
            (Bound::Included(low), Bound::Included(high)) => low > high,
            (Bound::Included(low) | Bound::Excluded(low), Bound::Excluded(high) | Bound::Included(high)) => {
                low >= high
            }
            _ => false,
        }
    }

    /// Whether its end, in the given direction, lies behind `key`, or at it if that belongs to it.
    pub(crate) fn ends_behind(&self, key: &[u8], direction: Direction) -> bool {
        match (direction, self.high, self.low) {
            (Direction::Ascending, Bound::Included(high), _) => key <= high,
            (Direction::Ascending, Bound::Excluded(high), _) => key < high,
            (Direction::Descending, _, Bound::Included(low)) => key >= low,
            (Direction::Descending, _, Bound::Excluded(low)) => key > low,
            _ => true,
        }
    }

    /// The part from its beginning, in the given direction, up to and with `key`.
    pub(crate) fn up_to<'b>(self, key: &'b [u8], direction: Direction) -> Interval<'b>
    where
        'a: 'b,
    {
        match direction {
            Direction::Ascending => Interval { low: self.low, high: Bound::Included(key) },
            Direction::Descending => Interval { low: Bound::Included(key), high: self.high },
        }
    }

    /// The part behind `key`.
    pub(crate) fn behind<'b>(self, key: &'b [u8], direction: Direction) -> Interval<'b>
    where
        'a: 'b,
    {
        match direction {
            Direction::Ascending => Interval { low: Bound::Excluded(key), high: self.high },
            Direction::Descending => Interval { low: self.low, high: Bound::Excluded(key) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_intervals_are_known() {
        use Bound::{Excluded, Included, Unbounded};
        let key = |key: &'static str| key.as_bytes();
        let cases = [
            (Included(key("a")), Included(key("a")), false),
            (Included(key("a")), Excluded(key("a")), true),
            (Excluded(key("a")), Included(key("a")), true),
            (Excluded(key("a")), Excluded(key("b")), false),
            (Included(key("b")), Included(key("a")), true),
            (Unbounded, Excluded(key("a")), false),
        ];
        for (low, high, empty) in cases {
            assert_eq!(Interval { low, high }.is_empty(), empty, "{low:?} {high:?}");
        }
    }
}
