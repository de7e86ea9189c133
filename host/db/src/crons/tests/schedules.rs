//! When schedules come, and what is none.
use serde_json::{Value as Json, json};

use crate::CronSchedule;

/// Midnight of the first day of 2026, a Thursday.
const NEW_YEAR_MS: f64 = 1_767_225_600_000.0;
const MINUTE: f64 = 60_000.0;
const HOUR: f64 = 60.0 * MINUTE;
const DAY: f64 = 24.0 * HOUR;

fn schedule(json: &Json) -> CronSchedule {
    CronSchedule::from_json(json, "test").unwrap_or_else(|error| panic!("{json}: {error}"))
}

fn cron(expression: &str) -> CronSchedule {
    schedule(&json!({ "type": "cron", "cron": expression }))
}

/// The first times after the new year, as milliseconds behind it.
fn times(schedule: &CronSchedule, count: usize) -> Vec<f64> {
    let next = |at: &f64| Some(schedule.next_ms(*at, *at));
    let times = std::iter::successors(Some(schedule.next_ms(NEW_YEAR_MS, NEW_YEAR_MS)), next);
    times.take(count).map(|at| at - NEW_YEAR_MS).collect()
}

#[test]
fn each_kind_of_schedule_comes_at_its_times() {
    let cases = [
        (json!({ "type": "interval", "seconds": 30 }), vec![0.5 * MINUTE, MINUTE]),
        (json!({ "type": "interval", "minutes": 90 }), vec![90.0 * MINUTE, 180.0 * MINUTE]),
        (json!({ "type": "interval", "hours": 36 }), vec![36.0 * HOUR, 72.0 * HOUR]),
        (json!({ "type": "hourly", "minuteUTC": 0 }), vec![HOUR, 2.0 * HOUR]),
        (json!({ "type": "hourly", "minuteUTC": 59 }), vec![59.0 * MINUTE, HOUR + 59.0 * MINUTE]),
        (json!({ "type": "daily", "hourUTC": 0, "minuteUTC": 0 }), vec![DAY, 2.0 * DAY]),
        (json!({ "type": "daily", "hourUTC": 17, "minuteUTC": 30 }), vec![17.5 * HOUR, DAY + 17.5 * HOUR]),
        // 2026 began on a Thursday.
        (
            json!({ "type": "weekly", "dayOfWeek": "sunday", "hourUTC": 1, "minuteUTC": 0 }),
            vec![3.0 * DAY + HOUR, 10.0 * DAY + HOUR],
        ),
        (
            json!({ "type": "weekly", "dayOfWeek": "thursday", "hourUTC": 0, "minuteUTC": 1 }),
            vec![MINUTE, 7.0 * DAY + MINUTE],
        ),
        (json!({ "type": "monthly", "day": 1, "hourUTC": 0, "minuteUTC": 0 }), vec![31.0 * DAY, 59.0 * DAY]),
        // February, April and June have no such day.
        (
            json!({ "type": "monthly", "day": 31, "hourUTC": 0, "minuteUTC": 0 }),
            vec![30.0 * DAY, 89.0 * DAY, 150.0 * DAY, 211.0 * DAY],
        ),
    ];
    for (json, expected) in cases {
        assert_eq!(times(&schedule(&json), expected.len()), expected, "{json}");
    }
}

#[test]
fn expressions_are_read_as_vixies_cron_reads_them() {
    let cases = [
        ("* * * * *", vec![MINUTE, 2.0 * MINUTE]),
        ("*/15 * * * *", vec![15.0 * MINUTE, 30.0 * MINUTE, 45.0 * MINUTE, HOUR]),
        ("10-40/15,5 0 * * *", vec![5.0 * MINUTE, 10.0 * MINUTE, 25.0 * MINUTE, 40.0 * MINUTE]),
        ("0 16 1 * *", vec![16.0 * HOUR, 31.0 * DAY + 16.0 * HOUR]),
        ("  0\t0  *  *  Mon ", vec![4.0 * DAY, 11.0 * DAY]),
        ("0 0 * * 7", vec![3.0 * DAY, 10.0 * DAY]),
        ("0 0 * * 5-7", vec![DAY, 2.0 * DAY, 3.0 * DAY, 8.0 * DAY]),
        ("0 0 * FEB-mar 1", vec![32.0 * DAY, 39.0 * DAY]),
        // A day that is either: the 5th, or a Friday.
        ("0 0 5 * fri", vec![DAY, 4.0 * DAY, 8.0 * DAY]),
        // A field that begins with a star is none of those two: odd days that are Fridays.
        ("0 0 */2 * fri", vec![8.0 * DAY, 22.0 * DAY]),
        ("0 0 29 2 *", vec![789.0 * DAY, 2250.0 * DAY]),
    ];
    for (expression, expected) in cases {
        assert_eq!(times(&cron(expression), expected.len()), expected, "{expression}");
    }
}

#[test]
fn what_cannot_be_is_refused_with_what_is_wrong() {
    let cases = [
        (json!(null), "`type` of its schedule must be one of"),
        (json!({ "type": "yearly" }), "`type` of its schedule must be one of"),
        (json!({ "type": "interval" }), "one of seconds, minutes or hours"),
        (json!({ "type": "interval", "seconds": 1, "hours": 1 }), "one of seconds, minutes or hours"),
        (
            json!({ "type": "interval", "seconds": 0 }),
            "`seconds` must be a whole number from 1 to 158112000, not 0",
        ),
        (json!({ "type": "interval", "seconds": 1.5 }), "not 1.5"),
        (
            json!({ "type": "interval", "hours": -1 }),
            "`hours` must be a whole number from 1 to 43920, not -1",
        ),
        (json!({ "type": "interval", "seconds": "5" }), "not \"5\""),
        (json!({ "type": "hourly", "minuteUTC": 60 }), "`minuteUTC` must be a whole number from 0 to 59"),
        (json!({ "type": "daily" }), "`hourUTC` must be a whole number from 0 to 23"),
        (json!({ "type": "daily", "hourUTC": 24 }), "`hourUTC` must be a whole number from 0 to 23, not 24"),
        (
            json!({ "type": "weekly", "hourUTC": 1, "dayOfWeek": "Monday" }),
            "`dayOfWeek` must be one of sunday",
        ),
        (
            json!({ "type": "monthly", "hourUTC": 1, "day": 32 }),
            "`day` must be a whole number from 1 to 31, not 32",
        ),
        (json!({ "type": "monthly", "hourUTC": 1, "day": 0 }), "not 0"),
        (json!({ "type": "cron" }), "must be a text of five fields"),
    ];
    for (json, expected) in cases {
        let error = CronSchedule::from_json(&json, "test").unwrap_err();
        assert!(error.contains(expected), "{json}: {error}");
    }
    let expressions = [
        ("", "0 fields instead of five"),
        ("* * * *", "4 fields instead of five"),
        ("0 * * * * *", "6 fields instead of five"),
        ("@daily", "1 fields instead of five"),
        ("60 * * * *", "`60` is no minute; give a number from 0 to 59"),
        ("* 24 * * *", "`24` is no hour"),
        ("* * 0 * *", "`0` is no day of the month"),
        ("* * 32 * *", "`32` is no day of the month"),
        ("* * L * *", "`L` is no day of the month"),
        ("* * * 13 *", "`13` is no month; give a number from 1 to 12, or a name as `jan`"),
        ("* * * * 8", "`8` is no day of the week"),
        ("* * * * monday", "`monday` is no day of the week"),
        ("* * * * ?", "`?` is no day of the week"),
        ("5-1 * * * *", "ends before it begins"),
        ("*/0 * * * *", "`0` is no step"),
        ("*/99 * * * *", "`99` is no step"),
        ("5/5 * * * *", "a step needs a range"),
        ("+5 * * * *", "`+5` is no minute"),
        ("-5 * * * *", "`` is no minute"),
        ("1,,2 * * * *", "`` is no minute"),
        ("256 * * * *", "`256` is no minute"),
        ("0 0 30 2 *", "there is no such day, in any year"),
        ("0 0 31 4,6,9,11 *", "there is no such day, in any year"),
    ];
    for (expression, expected) in expressions {
        let error =
            CronSchedule::from_json(&json!({ "type": "cron", "cron": expression }), "test").unwrap_err();
        assert!(error.contains(expected), "{expression}: {error}");
    }
}

#[test]
fn a_job_without_a_minute_has_always_the_same() {
    let minute = |name: &str| {
        let hourly = CronSchedule::from_json(&json!({ "type": "hourly" }), name).unwrap();
        let first = hourly.next_ms(NEW_YEAR_MS, NEW_YEAR_MS) - NEW_YEAR_MS;
        (first / MINUTE) as u64 % 60
    };
    assert_eq!(minute("a"), minute("a"));
    let different: std::collections::BTreeSet<_> = (0..100).map(|n| minute(&format!("job {n}"))).collect();
    assert!(different.len() > 30, "they are spread over the hour: {different:?}");
}

#[test]
fn a_schedule_goes_to_json_and_back() {
    let cases = [
        (json!({ "type": "interval", "minutes": 2 }), json!({ "type": "interval", "seconds": 120 })),
        (json!({ "type": "hourly" }), json!({ "type": "hourly" })),
        (json!({ "type": "daily", "hourUTC": 1.0 }), json!({ "type": "daily", "hourUTC": 1 })),
        (
            json!({ "type": "weekly", "dayOfWeek": "friday", "hourUTC": 1, "minuteUTC": null }),
            json!({ "type": "weekly", "dayOfWeek": "friday", "hourUTC": 1 }),
        ),
        (
            json!({ "type": "monthly", "day": 3, "hourUTC": 1, "minuteUTC": 7 }),
            json!({ "type": "monthly", "day": 3, "hourUTC": 1, "minuteUTC": 7 }),
        ),
        (json!({ "type": "cron", "cron": "1 * * * *" }), json!({ "type": "cron", "cron": "1 * * * *" })),
    ];
    for (json, expected) in cases {
        let read = schedule(&json);
        assert_eq!(read.to_json(), expected);
        assert_eq!(schedule(&expected), read);
    }
}

#[test]
fn late_times_are_counted_up_to_a_bound() {
    let every_minute = cron("* * * * *");
    let count = |schedule: &CronSchedule, until: f64| schedule.count(NEW_YEAR_MS, NEW_YEAR_MS + until);
    assert_eq!(count(&every_minute, -1.0), 0);
    assert_eq!(count(&every_minute, 0.0), 1);
    assert_eq!(count(&every_minute, 2.5 * MINUTE), 3);
    assert_eq!(count(&every_minute, 400.0 * DAY), 1_000);
    let interval = schedule(&json!({ "type": "interval", "seconds": 1 }));
    assert_eq!((count(&interval, 999.0), count(&interval, 1_000.0), count(&interval, DAY)), (1, 2, 1_000));
}
