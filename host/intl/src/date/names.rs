//! What CLDR says of a locale's dates.
use std::collections::HashMap;

use serde::Deserialize;

use crate::data::Section;

/// Names by the width: `wide`, `abbreviated`, `narrow`.
pub(crate) type Widths<T> = HashMap<String, T>;

/// Names within a date, and names that stand alone.
#[derive(Deserialize, Clone)]
pub(crate) struct Forms<T> {
    pub(crate) format: Widths<T>,
    pub(crate) alone: Widths<T>,
}

/// Patterns of dates, and where they are a calendar's own, names.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Patterns {
    pub(crate) date: HashMap<String, String>,
    pub(crate) time: HashMap<String, String>,
    /// What joins a date and a time, by the date's style.
    pub(crate) glue: HashMap<String, String>,
    pub(crate) at_time: HashMap<String, String>,
    /// By the skeleton.
    pub(crate) skeletons: HashMap<String, String>,
    /// How a field is added that no skeleton has, by the field.
    pub(crate) append: HashMap<String, String>,
    /// By the skeleton, then the largest field that differs.
    pub(crate) intervals: HashMap<String, HashMap<String, String>>,
    pub(crate) interval_fallback: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Gregorian {
    pub(crate) months: Forms<Vec<String>>,
    pub(crate) days: Forms<Vec<String>>,
    pub(crate) day_periods: Forms<HashMap<String, String>>,
    pub(crate) eras: Widths<HashMap<String, String>>,
    #[serde(flatten)]
    pub(crate) patterns: Patterns,
}

impl Section for Gregorian {
    const NAME: &'static str = "gregorian";
}

/// The patterns of calendars that have none of their own.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct Generic(pub(crate) Patterns);

impl Section for Generic {
    const NAME: &'static str = "generic";
}

/// Names of other calendars.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct Calendars(pub(crate) HashMap<String, CalendarNames>);

#[derive(Deserialize)]
pub(crate) struct CalendarNames {
    pub(crate) months: Option<Forms<Vec<String>>>,
    pub(crate) eras: Widths<HashMap<String, String>>,
    pub(crate) patterns: Option<Patterns>,
}

impl Section for Calendars {
    const NAME: &'static str = "calendars";
}

/// What fields are called, by the width.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct FieldNames(pub(crate) HashMap<String, HashMap<String, String>>);

impl Section for FieldNames {
    const NAME: &'static str = "fieldNames";
}

/// Names of time zones.
#[derive(Deserialize)]
pub(crate) struct Zones {
    /// `+HH:mm;-HH:mm`
    pub(crate) hour: String,
    /// `GMT{0}`
    pub(crate) gmt: String,
    /// `{0} Time`
    pub(crate) region: String,
    pub(crate) fallback: String,
    pub(crate) meta: HashMap<String, ZoneNames>,
    pub(crate) own: HashMap<String, ZoneNames>,
    pub(crate) cities: HashMap<String, String>,
}

/// Generic, standard and summer time.
pub(crate) type Triple = (Option<String>, Option<String>, Option<String>);

#[derive(Deserialize)]
pub(crate) struct ZoneNames {
    pub(crate) long: Option<Triple>,
    pub(crate) short: Option<Triple>,
}

impl Section for Zones {
    const NAME: &'static str = "zones";
}
