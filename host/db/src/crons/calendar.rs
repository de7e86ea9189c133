//! Minutes of the calendar that a cron job runs at, in UTC.
//!
//! A minute fits if all its fields are in their sets. Days are the exception, as cron has it: with both a day of the month
//! and a weekday, a day fits that is either.

/// After so many days, a whole number of weeks, the calendar is as it was.
const DAYS_OF_CALENDAR: i64 = 146_097;
const MINUTES_OF_DAY: i64 = 24 * 60;

/// Which minutes: one bit for each value of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Minutes {
    pub(super) minutes: u64,
    pub(super) hours: u32,
    /// From bit 1 on.
    pub(super) days: u32,
    /// From bit 1 on.
    pub(super) months: u16,
    /// From Sunday on.
    pub(super) weekdays: u8,
    /// Whether a day fits that is in `days` or in `weekdays`, and need not be in both.
    pub(super) either_day: bool,
}

impl Minutes {
    /// Every minute.
    pub(super) const ALL: Minutes = Minutes {
        minutes: (1 << 60) - 1,
        hours: (1 << 24) - 1,
        days: u32::MAX << 1,
        months: ((1 << 12) - 1) << 1,
        weekdays: (1 << 7) - 1,
        either_day: false,
    };

    /// The first that is later than this one, both counted from 1970 on; `None`: there is none, ever.
    pub(super) fn after(&self, minute: i64) -> Option<i64> {
        let first = minute + 1;
        let (first_day, first_of_day) = (first.div_euclid(MINUTES_OF_DAY), first.rem_euclid(MINUTES_OF_DAY));
        if self.fits_day(first_day)
            && let Some(of_day) = self.of_day_from(first_of_day)
        {
            return Some(first_day * MINUTES_OF_DAY + of_day);
        }
        let mut days = first_day + 1..=first_day + DAYS_OF_CALENDAR;
        let day = days.find(|day| self.fits_day(*day))?;
        Some(day * MINUTES_OF_DAY + self.of_day_from(0)?)
    }

    fn fits_day(&self, day: i64) -> bool {
        let (month, day_of_month) = month_and_day(day);
        // 1970 began on a Thursday.
        let weekday = (day + 4).rem_euclid(7);
        let by_date = self.days >> day_of_month & 1 == 1;
        let by_weekday = self.weekdays >> weekday & 1 == 1;
        let fits = if self.either_day { by_date || by_weekday } else { by_date && by_weekday };
        fits && self.months >> month & 1 == 1
    }

    /// The first minute of a day that fits, from this one on.
    fn of_day_from(&self, minute: i64) -> Option<i64> {
        let (first_hour, first_minute) = (minute / 60, minute % 60);
        let in_first_hour = self.minutes >> first_minute << first_minute;
        (first_hour..24).filter(|hour| self.hours >> hour & 1 == 1).find_map(|hour| {
            let minutes = if hour == first_hour { in_first_hour } else { self.minutes };
            (minutes != 0).then(|| hour * 60 + i64::from(minutes.trailing_zeros()))
        })
    }
}

/// The month, 1 to 12, and the day in it, 1 to 31, of a day that is counted from 1970 on. The year is counted from March
/// on, so that a leap day is the last of one.
fn month_and_day(day: i64) -> (i64, i64) {
    let of_calendar = (day + 719_468).rem_euclid(DAYS_OF_CALENDAR);
    let year = (of_calendar - of_calendar / 1_460 + of_calendar / 36_524
        - of_calendar / (DAYS_OF_CALENDAR - 1))
        / 365;
    let of_year = of_calendar - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day_of_month = of_year - (153 * from_march + 2) / 5 + 1;
    (if from_march < 10 { from_march + 3 } else { from_march - 9 }, day_of_month)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_the_calendar_has_its_month_and_day() {
        let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let mut day = 0;
        for year in 1970..2370 {
            let february = if is_leap(year) { 29 } else { 28 };
            for (month, days) in (1..).zip([31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]) {
                for day_of_month in 1..=days {
                    assert_eq!(month_and_day(day), (month, day_of_month), "{year}, day {day}");
                    day += 1;
                }
            }
        }
        assert_eq!(day, DAYS_OF_CALENDAR);
    }

    #[test]
    fn the_next_minute_is_the_first_that_fits() {
        let some = Minutes { minutes: 1 << 5 | 1 << 50, hours: 1 << 3 | 1 << 23, ..Minutes::ALL };
        let at = |day: i64, hour: i64, minute: i64| day * MINUTES_OF_DAY + hour * 60 + minute;
        let cases = [
            (at(0, 0, 0), at(0, 3, 5)),
            (at(0, 3, 5), at(0, 3, 50)),
            (at(0, 3, 50), at(0, 23, 5)),
            (at(0, 23, 50), at(1, 3, 5)),
            (at(-1, 23, 59), at(0, 3, 5)),
        ];
        for (after, expected) in cases {
            assert_eq!(some.after(after), Some(expected), "{after}");
        }
        assert_eq!(Minutes { days: 1 << 30, months: 1 << 2, ..Minutes::ALL }.after(0), None);
    }
}
