//! What day a moment is in a calendar.
use icu_calendar::cal::hijri::{TabularAlgorithm, TabularAlgorithmEpoch, TabularAlgorithmLeapYears};
use icu_calendar::cal::{Hijri, Japanese, Persian};
use icu_calendar::types::RataDie;
use icu_calendar::{AsCalendar, Calendar as IcuCalendar, Date};

use crate::error::{Result, range};

/// A calendar that there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Calendar {
    Gregory,
    Buddhist,
    Persian,
    IslamicUmalqura,
    IslamicCivil,
    IslamicTbla,
    Japanese,
}

const ALL: [(&str, Calendar); 7] = [
    ("buddhist", Calendar::Buddhist),
    ("gregory", Calendar::Gregory),
    ("islamic-civil", Calendar::IslamicCivil),
    ("islamic-tbla", Calendar::IslamicTbla),
    ("islamic-umalqura", Calendar::IslamicUmalqura),
    ("japanese", Calendar::Japanese),
    ("persian", Calendar::Persian),
];

/// Calendars that other hosts have, for which there are no names or patterns here.
const MISSING: [&str; 11] = [
    "chinese",
    "coptic",
    "dangi",
    "ethioaa",
    "ethiopic",
    "hebrew",
    "indian",
    "islamic",
    "islamic-rgsa",
    "iso8601",
    "roc",
];

/// The names of all calendars.
pub(crate) fn names() -> Vec<&'static str> {
    ALL.iter().map(|(name, _)| *name).collect()
}

/// A calendar's canonical name, if that is another one.
pub(crate) fn canonical_name(key: &str, value: &str) -> Option<String> {
    let lower = value.to_ascii_lowercase();
    match (key, lower.as_str()) {
        ("ca", "gregorian") => Some("gregory".to_owned()),
        ("ca", "islamicc") => Some("islamic-civil".to_owned()),
        ("ca", "ethiopic-amete-alem") => Some("ethioaa".to_owned()),
        _ => None,
    }
}

/// Whether there is a calendar.
///
/// # Errors
/// Other hosts have it: an error, not another calendar in its place.
pub(crate) fn is_known(name: &str) -> Result<bool> {
    if MISSING.contains(&name) {
        return range(format!("the calendar {name} is not there; there are {}", names().join(", ")));
    }
    Ok(ALL.iter().any(|(known, _)| *known == name))
}

/// A day, and a time of it, as a calendar and a clock show them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fields {
    /// As CLDR numbers the calendar's eras.
    pub(crate) era: u16,
    pub(crate) year: i64,
    /// From 1.
    pub(crate) month: usize,
    pub(crate) day: u8,
    /// From 0, Sunday.
    pub(crate) weekday: usize,
    pub(crate) hour: u8,
    pub(crate) minute: u8,
    pub(crate) second: u8,
    pub(crate) millisecond: u16,
}

const DAY_MS: i64 = 86_400_000;

impl Calendar {
    pub(crate) fn named(name: &str) -> Result<Calendar> {
        match ALL.iter().find(|(known, _)| *known == name) {
            Some((_, calendar)) => Ok(*calendar),
            None => range(format!("the calendar {name} is not there; there are {}", names().join(", "))),
        }
    }

    /// The section of the names of its months and eras.
    pub(crate) fn section(self) -> &'static str {
        match self {
            Calendar::Gregory => "gregorian",
            Calendar::Buddhist => "buddhist",
            Calendar::Persian => "persian",
            Calendar::Japanese => "japanese",
            _ => "islamic",
        }
    }

    /// What a clock shows that is so many milliseconds after 1970 began.
    pub(crate) fn fields(self, local_ms: i64) -> Result<Fields> {
        let (days, time) = (local_ms.div_euclid(DAY_MS), local_ms.rem_euclid(DAY_MS));
        let (era, year, month, day) = self.date(days)?;
        Ok(Fields {
            era,
            year,
            month,
            day,
            weekday: (days + 4).rem_euclid(7) as usize,
            hour: (time / 3_600_000) as u8,
            minute: (time / 60_000 % 60) as u8,
            second: (time / 1000 % 60) as u8,
            millisecond: (time % 1000) as u16,
        })
    }

    fn date(self, days: i64) -> Result<(u16, i64, usize, u8)> {
        let (year, month, day) = civil(days);
        match self {
            Calendar::Gregory if year < 1 => Ok((0, 1 - year, month, day)),
            Calendar::Gregory => Ok((1, year, month, day)),
            Calendar::Buddhist => Ok((0, year + 543, month, day)),
            Calendar::Persian => of(days, Persian, |_| Ok(0)),
            Calendar::IslamicUmalqura => of(days, Hijri::new_umm_al_qura(), islamic_era),
            Calendar::IslamicCivil => of(days, tabular(TabularAlgorithmEpoch::Friday), islamic_era),
            Calendar::IslamicTbla => of(days, tabular(TabularAlgorithmEpoch::Thursday), islamic_era),
            Calendar::Japanese => of(days, Japanese::new(), japanese_era),
        }
    }
}

fn tabular(epoch: TabularAlgorithmEpoch) -> Hijri<TabularAlgorithm> {
    Hijri(TabularAlgorithm::new(TabularAlgorithmLeapYears::TypeII, epoch))
}

/// Days of 0001-01-01 to 1970-01-01, from which ICU4X counts, and one.
const RATA_DIE_OF_1970: i64 = 719_163;

fn of<C: AsCalendar>(
    days: i64,
    calendar: C,
    era: impl Fn(&str) -> Result<u16>,
) -> Result<(u16, i64, usize, u8)>
where
    C::Calendar: IcuCalendar,
{
    // ICU4X's dates end there.
    if !(-3_000_000..3_000_000).contains(&days) {
        return range("the date is too far away for this calendar");
    }
    let date = Date::from_rata_die(RataDie::new(days + RATA_DIE_OF_1970), calendar);
    let year = date.year();
    let (name, number) = match year.era() {
        Some(found) => (found.era.to_string(), found.year),
        None => (String::new(), year.extended_year()),
    };
    Ok((era(&name)?, i64::from(number), usize::from(date.month().ordinal), date.day_of_month().0))
}

fn islamic_era(name: &str) -> Result<u16> {
    Ok(u16::from(name == "bh"))
}

fn japanese_era(name: &str) -> Result<u16> {
    let eras = ["meiji", "taisho", "showa", "heisei", "reiwa"];
    match eras.iter().position(|era| *era == name) {
        Some(at) => Ok(232 + at as u16),
        None => range("the Japanese calendar has no eras before Meiji here"),
    }
}

/// Year, month and day of the Gregorian calendar, which is taken to have been there at all times.
pub(crate) fn civil(days: i64) -> (i64, usize, u8) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month as usize, day as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_day_in_all_calendars() {
        // 2024-03-20.
        let days = 19_802;
        let cases = [
            (Calendar::Gregory, (1, 2024, 3, 20)),
            (Calendar::Buddhist, (0, 2567, 3, 20)),
            (Calendar::Persian, (0, 1403, 1, 1)),
            (Calendar::IslamicUmalqura, (0, 1445, 9, 10)),
            (Calendar::IslamicCivil, (0, 1445, 9, 10)),
            (Calendar::IslamicTbla, (0, 1445, 9, 11)),
            (Calendar::Japanese, (236, 6, 3, 20)),
        ];
        for (calendar, expected) in cases {
            assert_eq!(calendar.date(days).unwrap(), expected, "{calendar:?}");
        }
        assert_eq!(civil(-719_529), (-1, 12, 31));
        assert!(Calendar::Japanese.date(-100_000).is_err());
    }
}
