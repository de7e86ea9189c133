//! The time that stands in an id and in `_creationTime`.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use crate::{Timestamp, sort_key};

/// When a document was made: milliseconds since the epoch, with a fraction. Finite and not
/// negative; zero has one form.
#[derive(Debug, Clone, Copy)]
pub struct CreationTime(f64);

/// Why a number is no creation time.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("a creation time is a number of milliseconds since 1970, not negative; this is {0}")]
pub struct CreationTimeError(pub f64);

impl CreationTime {
    /// The earliest: the epoch.
    pub const ZERO: CreationTime = CreationTime(0.0);

    /// From milliseconds since the epoch.
    ///
    /// # Errors
    /// [`CreationTimeError`] for a number that is negative, infinite or NaN.
    pub fn new(millis: f64) -> Result<CreationTime, CreationTimeError> {
        // Adding zero turns -0 into 0.
        if millis.is_finite() && millis >= 0.0 {
            Ok(CreationTime(millis + 0.0))
        } else {
            Err(CreationTimeError(millis))
        }
    }

    /// Milliseconds since the epoch.
    pub const fn as_f64(self) -> f64 {
        self.0
    }

    /// The time of a commit timestamp (nanoseconds), as exactly as a double holds it.
    pub fn from_timestamp(timestamp: Timestamp) -> CreationTime {
        CreationTime(timestamp.as_nanos() as f64 / 1e6)
    }

    /// The next larger one: the smallest step that a double has there (about 0.24 µs today).
    pub fn next(self) -> CreationTime {
        CreationTime(self.0.next_up().min(f64::MAX))
    }

    /// 8 bytes that sort as the times do; the same as [`sort_key::float_bits`].
    pub fn sort_bits(self) -> [u8; 8] {
        sort_key::float_bits(self.0)
    }

    /// The time with these [`CreationTime::sort_bits`]; `None` if there is none.
    pub fn from_sort_bits(bits: [u8; 8]) -> Option<CreationTime> {
        let time = CreationTime::new(sort_key::float_from_bits(bits)).ok()?;
        (time.sort_bits() == bits).then_some(time)
    }
}

impl Ord for CreationTime {
    fn cmp(&self, other: &CreationTime) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for CreationTime {
    fn partial_cmp(&self, other: &CreationTime) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for CreationTime {
    fn eq(&self, other: &CreationTime) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for CreationTime {}

impl Hash for CreationTime {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_time_is_refused() {
        for millis in [-1.0, -f64::MIN_POSITIVE, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(CreationTime::new(millis).is_err(), "{millis}");
            assert_eq!(CreationTime::from_sort_bits(sort_key::float_bits(millis)), None, "{millis}");
        }
        assert_eq!(CreationTime::new(-0.0).unwrap().as_f64().to_bits(), 0);
        assert_eq!(CreationTime::from_sort_bits(sort_key::float_bits(-0.0)), None);
    }

    #[test]
    fn steps_are_strict_and_end() {
        let now = CreationTime::from_timestamp(Timestamp::from_nanos(1_790_000_000_123_456_789));
        assert!(now.next() > now && now.next().as_f64() - now.as_f64() < 0.001);
        assert!((now.as_f64() - 1_790_000_000_123.456_8).abs() < 0.001);
        assert!(CreationTime::ZERO.next() > CreationTime::ZERO);
        let last = CreationTime::new(f64::MAX).unwrap();
        assert_eq!(last.next(), last);
    }

    proptest! {
        #[test]
        fn bits_round_trip_in_order(a in 0.0..=f64::MAX, b in 0.0..4e12_f64) {
            let (a, b) = (CreationTime::new(a).unwrap(), CreationTime::new(b).unwrap());
            prop_assert_eq!(CreationTime::from_sort_bits(a.sort_bits()), Some(a));
            prop_assert_eq!(a.cmp(&b), a.sort_bits().cmp(&b.sort_bits()));
        }

        #[test]
        fn arbitrary_bits_have_one_form(bits: [u8; 8]) {
            if let Some(time) = CreationTime::from_sort_bits(bits) {
                prop_assert_eq!(time.sort_bits(), bits);
            }
        }
    }
}
