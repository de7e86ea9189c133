//! When a cron job runs: one of the kinds of schedules that Convex has, in UTC.
use std::ops::RangeInclusive;

use serde_json::{Value as Json, json};
use weir_value::limits::{CRON_INTERVAL_SECONDS_MAX, CRON_LATE_RUNS_TOLD_MAX};

use super::{calendar::Minutes, expression};

const WEEKDAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const MS_OF_MINUTE: f64 = 60_000.0;

/// When a cron job runs. Times here are in milliseconds since the epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CronSchedule {
    declared: Declared,
    /// The minutes of the calendar; `None` for an interval.
    minutes: Option<Minutes>,
}

/// What was declared, in one form.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Declared {
    Interval { seconds: u64 },
    Hourly { minute: Option<u8> },
    Daily { hour: u8, minute: Option<u8> },
    Weekly { weekday: u8, hour: u8, minute: Option<u8> },
    Monthly { day: u8, hour: u8, minute: Option<u8> },
    Cron { expression: String },
}

impl CronSchedule {
    /// Reads a schedule of the job of this name, as Convex exports it: `{"type": "interval", "seconds": 30}`, or with
    /// `minutes` or `hours`; `{"type": "hourly", "minuteUTC": 5}`; `daily` with an `hourUTC` too, `weekly` with that and
    /// a `dayOfWeek`, `monthly` with it and a `day`; `{"type": "cron", "cron": "*/5 * * * *"}`. A job without a minute
    /// gets one by its name, so that not all of them run at the full hour.
    ///
    /// # Errors
    /// What is wrong with it, in words for whoever wrote it.
    pub fn from_json(schedule: &Json, name: &str) -> Result<CronSchedule, String> {
        let declared = Declared::from_json(schedule)?;
        let minutes = declared.minutes(name)?;
        Ok(CronSchedule { declared, minutes })
    }

    /// The schedule in the same shape; an interval in seconds.
    pub fn to_json(&self) -> Json {
        self.declared.to_json()
    }

    /// When a job runs first that is declared at this time: one with an interval at once, as Convex has it.
    pub(super) fn first_ms(&self, now_ms: f64) -> f64 {
        match self.minutes {
            None => now_ms.floor(),
            Some(_) => self.next_ms(now_ms, now_ms),
        }
    }

    /// The first time of the schedule that is later than `after_ms`. `one_ms` is any of its times, and not later than
    /// `after_ms`: an interval goes on from it.
    pub(super) fn next_ms(&self, one_ms: f64, after_ms: f64) -> f64 {
        match (&self.minutes, &self.declared) {
            (Some(minutes), _) => {
                let next = minutes.after((after_ms / MS_OF_MINUTE).floor() as i64);
                // One that never comes was refused, and the calendar begins anew after 400 years.
                next.map_or(f64::MAX, |minute| minute as f64 * MS_OF_MINUTE)
            }
            (None, declared) => {
                let interval = declared.interval_ms();
                one_ms + (((after_ms - one_ms) / interval).floor() + 1.0) * interval
            }
        }
    }

    /// How many of its times there are from `first_ms` on, which is one of them, up to `to_ms`; what is more than
    /// [`CRON_LATE_RUNS_TOLD_MAX`] is not counted.
    pub(super) fn count(&self, first_ms: f64, to_ms: f64) -> u64 {
        if first_ms > to_ms {
            return 0;
        }
        if self.minutes.is_none() {
            let count = ((to_ms - first_ms) / self.declared.interval_ms()).floor() as u64 + 1;
            return count.min(CRON_LATE_RUNS_TOLD_MAX);
        }
        let next = |at: &f64| Some(self.next_ms(*at, *at)).filter(|next| *next <= to_ms);
        let told = usize::try_from(CRON_LATE_RUNS_TOLD_MAX).unwrap_or(usize::MAX);
        std::iter::successors(Some(first_ms), next).take(told).count() as u64
    }
}

impl Declared {
    fn from_json(schedule: &Json) -> Result<Declared, String> {
        let kind = schedule.get("type").and_then(Json::as_str).unwrap_or_default();
        let whole = |field: &'static str, range| whole(schedule, field, range);
        let hour = || whole("hourUTC", 0..=23).map(byte);
        let minute = || match schedule.get("minuteUTC") {
            None | Some(Json::Null) => Ok(None),
            Some(_) => whole("minuteUTC", 0..=59).map(byte).map(Some),
        };
        Ok(match kind {
            "interval" => Declared::Interval { seconds: interval(schedule)? },
            "hourly" => Declared::Hourly { minute: minute()? },
            "daily" => Declared::Daily { hour: hour()?, minute: minute()? },
            "weekly" => {
                let weekday = schedule.get("dayOfWeek").and_then(Json::as_str);
                let weekday = weekday.and_then(|day| WEEKDAYS.iter().position(|name| *name == day));
                let weekday = weekday
                    .ok_or_else(|| format!("its `dayOfWeek` must be one of {}", WEEKDAYS.join(", ")))?;
                Declared::Weekly { weekday: byte(weekday as u64), hour: hour()?, minute: minute()? }
            }
            "monthly" => {
                let day = byte(whole("day", 1..=31)?);
                Declared::Monthly { day, hour: hour()?, minute: minute()? }
            }
            "cron" => match schedule.get("cron").and_then(Json::as_str) {
                Some(expression) => Declared::Cron { expression: expression.to_owned() },
                None => return Err("its `cron` must be a text of five fields, `*/5 * * * *`".to_owned()),
            },
            _ => {
                let message = "the `type` of its schedule must be one of interval, cron, hourly, daily, weekly, monthly";
                return Err(message.to_owned());
            }
        })
    }

    fn to_json(&self) -> Json {
        let mut schedule = match self {
            Declared::Interval { seconds } => json!({ "type": "interval", "seconds": seconds }),
            Declared::Hourly { .. } => json!({ "type": "hourly" }),
            Declared::Daily { hour, .. } => json!({ "type": "daily", "hourUTC": hour }),
            Declared::Weekly { weekday, hour, .. } => {
                json!({ "type": "weekly", "dayOfWeek": WEEKDAYS[usize::from(*weekday)], "hourUTC": hour })
            }
            Declared::Monthly { day, hour, .. } => json!({ "type": "monthly", "day": day, "hourUTC": hour }),
            Declared::Cron { expression } => json!({ "type": "cron", "cron": expression }),
        };
        if let Some(minute) = self.minute() {
            schedule["minuteUTC"] = json!(minute);
        }
        schedule
    }

    fn minute(&self) -> Option<u8> {
        match self {
            Declared::Hourly { minute }
            | Declared::Daily { minute, .. }
            | Declared::Weekly { minute, .. }
            | Declared::Monthly { minute, .. } => *minute,
            Declared::Interval { .. } | Declared::Cron { .. } => None,
        }
    }

    fn interval_ms(&self) -> f64 {
        match self {
            Declared::Interval { seconds } => *seconds as f64 * 1_000.0,
            _ => MS_OF_MINUTE,
        }
    }

    fn minutes(&self, name: &str) -> Result<Option<Minutes>, String> {
        let minutes = 1 << self.minute().unwrap_or_else(|| minute_of(name));
        Ok(Some(match self {
            Declared::Interval { .. } => return Ok(None),
            Declared::Cron { expression } => expression::parse(expression)?,
            Declared::Hourly { .. } => Minutes { minutes, ..Minutes::ALL },
            Declared::Daily { hour, .. } => Minutes { minutes, hours: 1 << hour, ..Minutes::ALL },
            Declared::Weekly { weekday, hour, .. } => {
                Minutes { minutes, hours: 1 << hour, weekdays: 1 << weekday, ..Minutes::ALL }
            }
            Declared::Monthly { day, hour, .. } => {
                Minutes { minutes, hours: 1 << hour, days: 1 << day, ..Minutes::ALL }
            }
        }))
    }
}

/// The seconds of `{"seconds"}`, `{"minutes"}` or `{"hours"}`, of which there is one.
fn interval(schedule: &Json) -> Result<u64, String> {
    let units = [("seconds", 1), ("minutes", 60), ("hours", 3_600)];
    let mut given = units.into_iter().filter(|(unit, _)| schedule.get(unit).is_some_and(|n| !n.is_null()));
    match (given.next(), given.next()) {
        (Some((unit, seconds)), None) => {
            Ok(seconds * whole(schedule, unit, 1..=CRON_INTERVAL_SECONDS_MAX / seconds)?)
        }
        _ => Err("an interval has one of seconds, minutes or hours".to_owned()),
    }
}

fn whole(schedule: &Json, field: &str, range: RangeInclusive<u64>) -> Result<u64, String> {
    let number = schedule.get(field).and_then(Json::as_f64).filter(|number| number.fract() == 0.0);
    let number = number.filter(|number| (*range.start() as f64..=*range.end() as f64).contains(number));
    number.map(|number| number as u64).ok_or_else(|| {
        let given = schedule.get(field).map(|given| format!(", not {given}")).unwrap_or_default();
        format!("its `{field}` must be a whole number from {} to {}{given}", range.start(), range.end())
    })
}

fn byte(number: u64) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}

/// The minute of a job that asks for none. It depends on nothing but the name: no deployment moves it.
fn minute_of(name: &str) -> u8 {
    // FNV-1a.
    let hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    byte(hash % 60)
}
