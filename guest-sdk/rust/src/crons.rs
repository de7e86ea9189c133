//! Cron jobs: functions that the host calls again and again.

use std::time::Duration;

use serde::Serialize;

use crate::{Value, json};

/// What [`crons!`](crate::crons) registers.
#[doc(hidden)]
pub struct DeclaredCrons {
    pub declare: fn(&mut Crons),
}

inventory::collect!(DeclaredCrons);

/// The cron jobs of a module, which [`crons!`](crate::crons) declares. Each has a name that no other of the deployment has,
/// and calls a mutation or an action of any module, as nobody in particular; it may be internal. All times are UTC.
///
/// The host refuses a deployment with a job that cannot be: an hour of 24, a day that never comes, a function that is not there.
/// A job whose schedule a deployment leaves as it is goes on as it was. One run of a job is under way at a time; runs that
/// are late, because the one before took too long or no host ran, are skipped, and said in the host's log.
#[derive(Debug, Default)]
pub struct Crons {
    declared: Vec<Cron>,
}

/// A job as it stands in the manifest.
#[derive(Debug, Serialize)]
pub(crate) struct Cron {
    name: String,
    schedule: Schedule,
    function: String,
    args: Vec<Value>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
enum Schedule {
    Interval { seconds: f64 },
    Hourly(Hourly),
    Daily(Daily),
    Weekly(Weekly),
    Monthly(Monthly),
    Cron { cron: String },
}

/// Once in each hour, at this minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Hourly {
    /// 0 to 59.
    #[serde(rename = "minuteUTC")]
    pub minute_utc: u8,
}

/// Once a day, at this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Daily {
    /// 0 to 23.
    #[serde(rename = "hourUTC")]
    pub hour_utc: u8,
    /// 0 to 59.
    #[serde(rename = "minuteUTC")]
    pub minute_utc: u8,
}

/// Once a week, on this day and at this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Weekly {
    /// The day.
    #[serde(rename = "dayOfWeek")]
    pub day_of_week: Weekday,
    /// 0 to 23.
    #[serde(rename = "hourUTC")]
    pub hour_utc: u8,
    /// 0 to 59.
    #[serde(rename = "minuteUTC")]
    pub minute_utc: u8,
}

/// Once a month, on this day and at this time. A month that has no such day is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Monthly {
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    #[serde(rename = "hourUTC")]
    pub hour_utc: u8,
    /// 0 to 59.
    #[serde(rename = "minuteUTC")]
    pub minute_utc: u8,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "their names say it")]
pub enum Weekday {
    Sunday,
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
}

impl Crons {
    /// Calls a function at once when it is first deployed, and then whenever this time has passed, in whole seconds:
    /// `crons.interval("clear presence", Duration::from_secs(30), "presence:clear", fields! {})`.
    pub fn interval(&mut self, name: &str, every: Duration, path: &str, args: impl Serialize) {
        self.add(name, Schedule::Interval { seconds: every.as_secs_f64() }, path, args);
    }

    /// Calls a function once in each hour.
    pub fn hourly(&mut self, name: &str, at: Hourly, path: &str, args: impl Serialize) {
        self.add(name, Schedule::Hourly(at), path, args);
    }

    /// Calls a function once a day.
    pub fn daily(&mut self, name: &str, at: Daily, path: &str, args: impl Serialize) {
        self.add(name, Schedule::Daily(at), path, args);
    }

    /// Calls a function once a week.
    pub fn weekly(&mut self, name: &str, at: Weekly, path: &str, args: impl Serialize) {
        self.add(name, Schedule::Weekly(at), path, args);
    }

    /// Calls a function once a month.
    pub fn monthly(&mut self, name: &str, at: Monthly, path: &str, args: impl Serialize) {
        self.add(name, Schedule::Monthly(at), path, args);
    }

    /// Calls a function at the times of a cron expression of five fields: minute, hour, day of the month, month, day of the
    /// week (Sunday is 0). `crons.cron("bills", "0 16 1 * *", "bills:send", fields! {})`.
    pub fn cron(&mut self, name: &str, expression: &str, path: &str, args: impl Serialize) {
        self.add(name, Schedule::Cron { cron: expression.to_owned() }, path, args);
    }

    fn add(&mut self, name: &str, schedule: Schedule, path: &str, args: impl Serialize) {
        let value = json::to_vec(&args).and_then(|args| json::from_slice(&args));
        let args = value.unwrap_or_else(|error| panic!("the arguments of the cron job `{name}`: {error}"));
        let (name, function) = (name.to_owned(), path.to_owned());
        self.declared.push(Cron { name, schedule, function, args: vec![args] });
    }
}

/// The jobs that the module declares.
pub(crate) fn declared() -> Vec<Cron> {
    let mut crons = Crons::default();
    for part in inventory::iter::<DeclaredCrons> {
        (part.declare)(&mut crons);
    }
    crons.declared.sort_by(|a, b| a.name.cmp(&b.name));
    crons.declared
}

/// Declares cron jobs of the module, at the top level of any of its files:
///
/// ```
/// use std::time::Duration;
///
/// use weir::prelude::*;
///
/// #[mutation(internal, name = "clear")]
/// fn clear_presence(_ctx: &MutationCtx) {}
///
/// crons!(|crons| {
///     crons.interval("clear presence", Duration::from_secs(30), "presence:clear", fields! {});
///     crons.daily("clear all", Daily { hour_utc: 3, minute_utc: 30 }, "presence:clear", fields! {});
/// });
/// ```
///
/// See [`Crons`].
#[macro_export]
macro_rules! crons {
    (|$crons:ident| $body:block) => {
        const _: () = {
            fn __weir_declare($crons: &mut $crate::Crons) {
                $body
            }
            $crate::__private::inventory::submit! {
                $crate::__private::DeclaredCrons { declare: __weir_declare }
            }
        };
    };
}
