//! When a certificate is to be renewed, and how long to wait after a failure.
//!
//! Pure: it is given the time, and the dice.

use std::time::Duration;

use weir_value::limits;

use crate::tls::certificate::Validity;

/// By what a pause is longer than the one before.
const GROWTH: u64 = 6;

/// From when on a certificate is due: when a third of its life is left. That is a month of the usual ninety days, enough for
/// whatever is wrong to be seen and mended.
pub fn due_at(valid: Validity) -> Duration {
    valid.until.saturating_sub(valid.until.saturating_sub(valid.from) / 3)
}

/// How long to wait after so many failures in a row, one at least. `random` makes it up to a quarter longer, so that hosts
/// which failed at the same moment do not all come back at the same moment.
pub fn pause(failures: u32, random: u32, told: Option<Duration>) -> Duration {
    let steps = GROWTH.saturating_pow(failures.saturating_sub(1));
    let pause_ms = limits::ACME_PAUSE_MS_MIN.saturating_mul(steps).min(limits::ACME_PAUSE_MS_MAX);
    let told = told.unwrap_or_default().min(Duration::from_millis(limits::ACME_RETRY_AFTER_MS_MAX));
    let pause = Duration::from_millis(pause_ms).max(told);
    pause + pause.mul_f64(f64::from(random) / f64::from(u32::MAX) / 4.0)
}

/// How much is left at `now` of a pause that ends at `until`, both since the Unix epoch: no more than a pause may last, whatever
/// the clock said when it began.
pub fn rest_of_pause(until: Duration, now: Duration) -> Duration {
    let told_max = Duration::from_millis(limits::ACME_RETRY_AFTER_MS_MAX);
    until.saturating_sub(now).min(told_max + told_max / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_a_pause_is_no_longer_than_one() {
        let rest = |until: u32, now: u32| rest_of_pause(DAY * until, DAY * now);
        assert_eq!((rest(5, 6), rest(6, 6), rest(6, 5)), (Duration::ZERO, Duration::ZERO, DAY));
        assert_eq!(rest(600, 5), DAY + DAY / 4, "the clock was wrong by years when it began");
    }

    const DAY: Duration = Duration::from_secs(24 * 3600);

    #[test]
    fn a_certificate_is_due_when_a_third_of_its_life_is_left() {
        for (from, until, due) in [(0, 90, 60), (30, 120, 90), (0, 6, 4), (5, 5, 5)] {
            let valid = Validity { from: DAY * from, until: DAY * until };
            assert_eq!(due_at(valid), DAY * due, "{from} to {until}");
        }
    }

    #[test]
    fn pauses_grow_to_six_hours() {
        let seconds: Vec<u64> = (1..=7).map(|failures| pause(failures, 0, None).as_secs()).collect();
        assert_eq!(seconds, [10, 60, 360, 2160, 12_960, 21_600, 21_600]);
        assert_eq!(pause(u32::MAX, 0, None).as_secs(), 21_600);
        assert_eq!(pause(1, u32::MAX, None), Duration::from_millis(12_500), "a quarter more at most");
    }

    #[test]
    fn no_more_than_five_attempts_fall_into_an_hour_and_then_less_than_one() {
        let at = |attempts: u32| (1..attempts).map(|failures| pause(failures, 0, None)).sum::<Duration>();
        assert!(at(6) > Duration::from_secs(3600), "{:?}", at(6));
        assert!((5..50).all(|failures| pause(failures, 0, None) > Duration::from_secs(3600)));
    }

    #[test]
    fn an_authority_that_says_when_to_come_back_is_believed_for_a_day() {
        assert_eq!(pause(1, 0, Some(Duration::from_secs(7200))).as_secs(), 7200);
        assert_eq!(pause(6, 0, Some(Duration::from_secs(5))).as_secs(), 21_600);
        assert_eq!(pause(1, 0, Some(DAY * 365)), DAY);
    }
}
