//! An allowance of so much a second, which may be overdrawn: what has been taken in already is paid for afterwards, by
//! waiting.
//!
//! The generic cell rate algorithm: one number, the moment at which all that was taken is paid for.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Nothing makes anybody wait longer.
const DEBT_MAX: Duration = Duration::from_millis(weir_value::limits::ADDRESS_DEBT_MS_MAX);

/// How much there is a second, and at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// A second.
    pub per_second: u64,
    /// How many seconds' worth may be taken at once, by whoever has taken nothing for as long.
    pub burst_seconds: u64,
}

/// What somebody has left of an allowance.
#[derive(Debug, Default)]
pub struct Bucket {
    /// When all that was taken is paid for, by the monotonic clock.
    paid_at_ns: AtomicU64,
}

impl Bucket {
    /// Takes so much, whether it is there or not.
    pub fn take(&self, rate: Rate, now: Duration, amount: u64) {
        let cost = u128::from(amount) * 1_000_000_000 / u128::from(rate.per_second.max(1));
        let cost = u64::try_from(cost).unwrap_or(u64::MAX);
        let now_ns = as_ns(now);
        let latest = now_ns + as_ns(DEBT_MAX) + rate.burst_seconds * 1_000_000_000;
        let pay = |paid_at: u64| Some(paid_at.max(now_ns).saturating_add(cost).min(latest));
        let _ = self.paid_at_ns.fetch_update(Ordering::AcqRel, Ordering::Acquire, pay);
    }

    /// How long it takes until something is there again; `None`: there is.
    pub fn wait(&self, rate: Rate, now: Duration) -> Option<Duration> {
        let free_at = self.paid_at_ns.load(Ordering::Acquire);
        let ahead = free_at.saturating_sub(as_ns(now)).saturating_sub(rate.burst_seconds * 1_000_000_000);
        (ahead > 0).then(|| Duration::from_nanos(ahead))
    }

    /// Takes so much if something is there.
    ///
    /// # Errors
    /// How long it takes until it is.
    pub fn try_take(&self, rate: Rate, now: Duration, amount: u64) -> Result<(), Duration> {
        match self.wait(rate, now) {
            Some(wait) => Err(wait),
            None => {
                self.take(rate, now, amount);
                Ok(())
            }
        }
    }

    /// Whether all that was taken is paid for.
    pub fn is_full(&self, now: Duration) -> bool {
        self.paid_at_ns.load(Ordering::Acquire) <= as_ns(now)
    }
}

fn as_ns(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { per_second: 10, burst_seconds: 2 };

    fn at(ms: u64) -> Duration {
        Duration::from_millis(1_000_000 + ms)
    }

    #[test]
    fn what_was_not_taken_is_there_at_once_and_then_as_it_comes() {
        let bucket = Bucket::default();
        let taken = (0..100).filter(|_| bucket.try_take(RATE, at(0), 1).is_ok()).count();
        // One more than the burst: the last one is paid for afterwards.
        assert_eq!(taken, 21);
        assert_eq!(bucket.wait(RATE, at(0)), Some(Duration::from_millis(100)));
        let later = (1..=1000).filter(|ms| bucket.try_take(RATE, at(*ms), 1).is_ok()).count();
        assert_eq!(later, 10, "ten a second");
        assert!(!bucket.is_full(at(1000)) && bucket.is_full(at(10_000)));
    }

    #[test]
    fn a_debt_is_paid_by_waiting_and_has_a_bound() {
        let bucket = Bucket::default();
        bucket.take(RATE, at(0), 50);
        assert_eq!(bucket.wait(RATE, at(0)), Some(Duration::from_secs(3)));
        assert_eq!(bucket.wait(RATE, at(2999)), Some(Duration::from_millis(1)));
        assert_eq!(bucket.wait(RATE, at(3000)), None);
        bucket.take(RATE, at(3000), u64::MAX);
        assert_eq!(bucket.wait(RATE, at(3000)), Some(DEBT_MAX));
    }
}
