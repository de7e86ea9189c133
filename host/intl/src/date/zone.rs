//! Time zones: which there are, and their distance from UTC.
use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::data::shared;
use crate::error::{Result, range};

/// The tables that are compiled in: the same on every machine.
static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// A zone, by its canonical name.
pub(crate) struct Zone {
    pub(crate) name: String,
    rules: TimeZone,
}

/// A zone's distance from UTC at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Offset {
    pub(crate) seconds: i32,
    pub(crate) is_daylight: bool,
}

/// The canonical name of a zone, whatever the case of its letters; `UTC` for all that is it.
pub(crate) fn canonical(name: &str) -> Result<String> {
    let names = &shared().zone_names;
    let found = names.get(name).or_else(|| {
        names.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, canonical)| canonical)
    });
    match found.map(String::as_str) {
        Some("Etc/UTC" | "Etc/GMT" | "Etc/UCT") => Ok("UTC".to_owned()),
        Some(canonical) if canonical != "Etc/Unknown" => Ok(canonical.to_owned()),
        _ => range(format!("Invalid time zone specified: {}", name.chars().take(64).collect::<String>())),
    }
}

/// Every zone's canonical name.
pub(crate) fn all() -> Vec<&'static str> {
    let mut names: Vec<_> = shared().zone_regions.keys().map(String::as_str).collect();
    names.push("UTC");
    names
}

/// The zones of a region.
pub(crate) fn of_region(region: &str) -> Vec<String> {
    let zones = shared().zone_regions.iter().filter(|(_, of)| *of == region);
    zones.map(|(zone, _)| zone.clone()).collect()
}

impl Zone {
    pub(crate) fn named(name: &str) -> Result<Zone> {
        let name = canonical(name)?;
        match DATABASE.get(&name) {
            Ok(rules) => Ok(Zone { name, rules }),
            Err(_) => range(format!("Invalid time zone specified: {name}")),
        }
    }

    /// At so many milliseconds after 1970 began in UTC.
    pub(crate) fn at(&self, utc_ms: i64) -> Offset {
        let bounds = (Timestamp::MIN.as_millisecond() + 1, Timestamp::MAX.as_millisecond() - 1);
        let Ok(moment) = Timestamp::from_millisecond(utc_ms.clamp(bounds.0, bounds.1)) else {
            return Offset { seconds: 0, is_daylight: false };
        };
        let info = self.rules.to_offset_info(moment);
        Offset { seconds: info.offset().seconds(), is_daylight: info.dst().is_dst() }
    }

    /// Whether there is summer time within half a year of a moment.
    pub(crate) fn has_daylight_near(&self, utc_ms: i64) -> bool {
        const HALF_A_YEAR_MS: i64 = 184 * 86_400_000;
        const STEP_MS: i64 = 8 * 86_400_000;
        (-HALF_A_YEAR_MS..=HALF_A_YEAR_MS)
            .step_by(STEP_MS as usize)
            .any(|distance| self.at(utc_ms.saturating_add(distance)).is_daylight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_have_rules_and_names() {
        let zone = Zone::named("europe/berlin").unwrap();
        assert_eq!(zone.name, "Europe/Berlin");
        assert_eq!(zone.at(1_700_000_000_000), Offset { seconds: 3600, is_daylight: false });
        assert_eq!(zone.at(1_720_000_000_000), Offset { seconds: 7200, is_daylight: true });
        assert!(Zone::named("Europe/Dublin").unwrap().at(1_720_000_000_000).is_daylight);
        assert_eq!(canonical("Asia/Kolkata").unwrap(), "Asia/Calcutta");
        assert_eq!(canonical("Etc/GMT").unwrap(), "UTC");
        for broken in ["Foo/Bar", "", "+01:00", "Etc/Unknown"] {
            assert!(canonical(broken).is_err(), "{broken}");
        }
        assert!(zone.has_daylight_near(1_700_000_000_000));
        assert!(!Zone::named("Asia/Tokyo").unwrap().has_daylight_near(1_700_000_000_000));
    }

    #[test]
    fn every_zone_that_is_named_has_rules() {
        for name in shared().zone_names.values() {
            if name != "Etc/Unknown" {
                assert!(Zone::named(name).is_ok(), "{name}");
            }
        }
    }
}
