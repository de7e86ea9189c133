//! Commit timestamps: how one is written down. Who gives them out is the store's matter.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A commit timestamp: nanoseconds since the epoch, never above `i64::MAX`.
///
/// On the wire it is the padded base64 of its 8 little-endian bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

/// Why a text or a number is no timestamp.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimestampError {
    /// Not the base64 of 8 bytes.
    #[error("a timestamp is the base64 of 8 little-endian bytes, such as `AAAAAAAAAAA=`; this is {0}")]
    NotBase64(String),
    /// Above what fits in a signed 64-bit integer.
    #[error("a timestamp is at most 2^63-1 nanoseconds; this is {0}")]
    TooLarge(u64),
}

impl Timestamp {
    /// The beginning: before every commit.
    pub const ZERO: Timestamp = Timestamp(0);
    /// The largest there is.
    pub const MAX: Timestamp = Timestamp(i64::MAX as u64);

    /// From nanoseconds since the epoch; what is above [`Timestamp::MAX`] becomes that.
    pub const fn from_nanos(nanos: u64) -> Timestamp {
        if nanos > Timestamp::MAX.0 { Timestamp::MAX } else { Timestamp(nanos) }
    }

    /// Nanoseconds since the epoch.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The time since the epoch.
    pub const fn since_epoch(self) -> Duration {
        Duration::from_nanos(self.0)
    }

    /// The next one: one nanosecond later. [`Timestamp::MAX`] stays, two centuries from now.
    pub const fn next(self) -> Timestamp {
        Timestamp::from_nanos(self.0 + 1)
    }

    /// The one before; [`Timestamp::ZERO`] stays.
    pub const fn previous(self) -> Timestamp {
        Timestamp(self.0.saturating_sub(1))
    }

    /// The form on the wire.
    pub fn to_base64(self) -> String {
        STANDARD.encode(self.0.to_le_bytes())
    }

    /// From the form on the wire.
    ///
    /// # Errors
    /// [`TimestampError`]; nothing but the canonical form is taken.
    pub fn from_base64(text: &str) -> Result<Timestamp, TimestampError> {
        let refuse = || TimestampError::NotBase64(crate::path::quote(text));
        // The length first: the text may be of any size.
        let bytes = if text.len() == 12 { STANDARD.decode(text).map_err(|_| refuse())? } else { Vec::new() };
        let nanos = u64::from_le_bytes(bytes.try_into().map_err(|_| refuse())?);
        if nanos > Timestamp::MAX.0 { Err(TimestampError::TooLarge(nanos)) } else { Ok(Timestamp(nanos)) }
    }
}

/// Nanoseconds since the epoch, in decimal.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_wire_form() {
        for (nanos, text) in [(0, "AAAAAAAAAAA="), (1, "AQAAAAAAAAA="), (i64::MAX as u64, "/////////38=")] {
            assert_eq!(Timestamp::from_nanos(nanos).to_base64(), text);
            assert_eq!(Timestamp::from_base64(text), Ok(Timestamp::from_nanos(nanos)));
        }
    }

    #[test]
    fn bad_texts_are_refused() {
        for text in ["", "AAAAAAAAAAA", "AAAAAAAAAAB=", "AAAAAAAAAAAA", "AAAAAAAA", "AAAA-AAAAAA=", "ééééééa"]
        {
            assert!(matches!(Timestamp::from_base64(text), Err(TimestampError::NotBase64(_))), "{text}");
        }
        assert_eq!(Timestamp::from_base64("//////////8="), Err(TimestampError::TooLarge(u64::MAX)));
        assert_eq!(Timestamp::from_base64("AAAAAAAAAIA="), Err(TimestampError::TooLarge(1 << 63)));
    }

    #[test]
    fn stays_within_its_range() {
        assert_eq!(Timestamp::from_nanos(u64::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::MAX.next(), Timestamp::MAX);
        assert_eq!(Timestamp::ZERO.next().previous(), Timestamp::ZERO);
        assert_eq!(Timestamp::ZERO.previous(), Timestamp::ZERO);
    }

    proptest! {
        #[test]
        fn round_trips(nanos in 0..=i64::MAX as u64) {
            let timestamp = Timestamp::from_nanos(nanos);
            prop_assert_eq!(Timestamp::from_base64(&timestamp.to_base64()), Ok(timestamp));
        }

        #[test]
        fn arbitrary_text_never_panics(text in "\\PC{0,16}") {
            if let Ok(timestamp) = Timestamp::from_base64(&text) {
                prop_assert_eq!(timestamp.to_base64(), text);
            }
        }
    }
}
