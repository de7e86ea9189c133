//! How often the gate may be held for long.
//!
//! A mutation in serial execution holds the gate while it runs, and nobody else commits. That is nothing where runs are
//! quick. A slow function that conflicts has the gate for a part of the time alone: when it has had it, others have it
//! for several times as long, and meanwhile its calls try without.
use std::time::Duration;

use parking_lot::Mutex;

/// Others have the gate for so many times as long as one that was slow has had it.
const REST_FACTOR: u32 = 3;

/// When the next long turn at the gate may begin, whosever it is.
#[derive(Debug, Default)]
pub(crate) struct LongTurns {
    rest_until: Mutex<Duration>,
}

impl LongTurns {
    /// Whether one may begin.
    pub(crate) fn may_begin(&self, now: Duration) -> bool {
        now >= *self.rest_until.lock()
    }

    /// One that began then has ended.
    pub(crate) fn note(&self, began: Duration, now: Duration) {
        let mut rest_until = self.rest_until.lock();
        *rest_until = rest_until.max(now + now.saturating_sub(began) * REST_FACTOR);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_long_turn_others_have_three_times_as_long() {
        let turns = LongTurns::default();
        let ms = Duration::from_millis;
        assert!(turns.may_begin(ms(0)));
        turns.note(ms(100), ms(300));
        assert!(!turns.may_begin(ms(899)) && turns.may_begin(ms(900)));
        turns.note(ms(310), ms(320));
        assert!(!turns.may_begin(ms(899)), "a shorter one takes nothing back");
    }
}
