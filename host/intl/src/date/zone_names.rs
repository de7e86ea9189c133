//! What a time zone is called at a moment: `MEZ`, `Central European Time`, `GMT+1`.
use std::sync::Arc;

use super::names::{Triple, ZoneNames, Zones};
use super::zone::{Offset, Zone};
use crate::data::{section, shared};
use crate::error::Result;
use crate::locale;

/// `timeZoneName`, by the letters that a pattern has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style {
    pub(crate) letter: char,
    pub(crate) is_long: bool,
}

/// Names of zones in a locale.
pub(crate) struct Namer {
    zones: Arc<Zones>,
    names: Arc<crate::names::Names>,
    locale: String,
    digits: Vec<char>,
}

/// Which of three names.
#[derive(Debug, Clone, Copy)]
enum Which {
    Generic,
    Standard,
    Daylight,
}

fn of(triple: &Triple, which: Which) -> Option<&str> {
    match which {
        Which::Generic => triple.0.as_deref(),
        Which::Standard => triple.1.as_deref(),
        Which::Daylight => triple.2.as_deref(),
    }
}

impl Namer {
    pub(crate) fn new(locale: &str, digits: &[char]) -> Result<Namer> {
        let (zones, names) = (section::<Zones>(locale)?, section::<crate::names::Names>(locale)?);
        Ok(Namer { zones, names, locale: locale.to_owned(), digits: digits.to_vec() })
    }

    /// The name of a zone at a moment, which is so far from UTC then.
    pub(crate) fn name(&self, zone: &Zone, offset: Offset, utc_ms: i64, style: Style) -> String {
        let found = match style.letter {
            'z' => self.specific(zone, offset, utc_ms, style.is_long),
            'v' => self.generic(zone, utc_ms, style.is_long).or_else(|| self.location(zone)),
            _ => None,
        };
        found.unwrap_or_else(|| self.offset(offset.seconds, style.is_long))
    }

    fn specific(&self, zone: &Zone, offset: Offset, utc_ms: i64, is_long: bool) -> Option<String> {
        let which = if offset.is_daylight { Which::Daylight } else { Which::Standard };
        self.own(zone, which, is_long)
            .or_else(|| self.of_area(metazone(&zone.name, utc_ms)?, which, is_long))
            .map(str::to_owned)
    }

    fn own(&self, zone: &Zone, which: Which, is_long: bool) -> Option<&str> {
        let name = if zone.name == "UTC" { "Etc/UTC" } else { &zone.name };
        pick(self.zones.own.get(name)?, which, is_long)
    }

    fn of_area(&self, area: &str, which: Which, is_long: bool) -> Option<&str> {
        pick(self.zones.meta.get(area)?, which, is_long)
    }

    /// A name for winter and summer, as ICU chooses it.
    fn generic(&self, zone: &Zone, utc_ms: i64, is_long: bool) -> Option<String> {
        if let Some(own) = self.own(zone, Which::Generic, is_long) {
            return Some(own.to_owned());
        }
        let area = metazone(&zone.name, utc_ms)?;
        let generic = self.of_area(area, Which::Generic, is_long);
        if !zone.at(utc_ms).is_daylight && !zone.has_daylight_near(utc_ms) {
            let standard = self.own(zone, Which::Standard, is_long);
            let standard = standard.or_else(|| self.of_area(area, Which::Standard, is_long));
            if let Some(standard) = standard.filter(|standard| Some(*standard) != generic) {
                return Some(standard.to_owned());
            }
        }
        let generic = generic?;
        let usual = self.usual_zone(area)?;
        if usual != zone.name && Zone::named(usual).ok()?.at(utc_ms) != zone.at(utc_ms) {
            let place = self.place_in(zone, area)?;
            return Some(self.zones.fallback.replace("{0}", &place).replace("{1}", generic));
        }
        Some(generic.to_owned())
    }

    /// The zone that stands for a larger area in the locale's region.
    fn usual_zone(&self, area: &str) -> Option<&'static str> {
        let zones = shared().zones_of_meta.get(area)?;
        let region = locale::region(&self.locale).map(|region| region.to_string()).unwrap_or_default();
        zones.get(&region).or_else(|| zones.get("001")).map(String::as_str)
    }

    /// `Germany Time`, `Los Angeles Time`.
    fn location(&self, zone: &Zone) -> Option<String> {
        Some(self.zones.region.replace("{0}", &self.place(zone)?))
    }

    /// The country, where it has one zone or the zone stands for it; else the city.
    fn place(&self, zone: &Zone) -> Option<String> {
        let shared = shared();
        let region = shared.zone_regions.get(&zone.name)?;
        let is_only = shared.zone_regions.values().filter(|of| *of == region).count() == 1;
        if is_only || shared.primary_zones.get(region) == Some(&zone.name) {
            return self.names.region(region);
        }
        Some(self.city(zone))
    }

    /// The country, where the zone stands for the larger area in it; else the city.
    fn place_in(&self, zone: &Zone, area: &str) -> Option<String> {
        let shared = shared();
        let region = shared.zone_regions.get(&zone.name)?;
        match shared.zones_of_meta.get(area)?.get(region) {
            Some(usual) if *usual == zone.name => self.names.region(region),
            _ => Some(self.city(zone)),
        }
    }

    fn city(&self, zone: &Zone) -> String {
        let last = zone.name.rsplit('/').next().unwrap_or_default();
        self.zones.cities.get(&zone.name).cloned().unwrap_or_else(|| last.replace('_', " "))
    }

    /// `GMT+1`, or `GMT+01:00`.
    pub(crate) fn offset(&self, seconds: i32, is_long: bool) -> String {
        let (positive, negative) = self.zones.hour.split_once(';').unwrap_or(("+HH:mm", "-HH:mm"));
        let pattern = if seconds < 0 { negative } else { positive };
        let all = seconds.unsigned_abs();
        let (hours, minutes, rest) = (all / 3600, all / 60 % 60, all % 60);
        let (before, clock) = pattern.split_at(pattern.find('H').unwrap_or(0));
        let after_hours = clock.trim_start_matches('H');
        let separator = &after_hours[..after_hours.find('m').unwrap_or(0)];
        let mut end = "";
        let two = |number: u32| self.number(number, 2);
        let mut text = self.number(hours, if is_long { 2 } else { 1 });
        if is_long || minutes > 0 || rest > 0 {
            text = format!("{text}{separator}{}", two(minutes));
            end = after_hours.rsplit('m').next().unwrap_or_default();
        }
        if rest > 0 {
            text = format!("{text}{separator}{}", two(rest));
        }
        self.zones.gmt.replace("{0}", &format!("{before}{text}{end}"))
    }

    fn number(&self, number: u32, length: usize) -> String {
        let text = format!("{number:0length$}");
        text.bytes().filter_map(|digit| self.digits.get(usize::from(digit - b'0'))).collect()
    }
}

fn pick(names: &ZoneNames, which: Which, is_long: bool) -> Option<&str> {
    let triple = if is_long { &names.long } else { &names.short };
    of(triple.as_ref()?, which)
}

/// The larger area that a zone belongs to at a moment.
fn metazone(zone: &str, utc_ms: i64) -> Option<&'static str> {
    let spans = shared().metazones.get(zone)?;
    let is_within = |from: &Option<String>, to: &Option<String>| {
        from.as_deref().is_none_or(|from| utc_ms >= moment(from))
            && to.as_deref().is_none_or(|to| utc_ms < moment(to))
    };
    spans.iter().find(|(_, from, to)| is_within(from, to)).map(|(name, _, _)| name.as_str())
}

/// `1979-10-25 23:00`, in UTC.
fn moment(text: &str) -> i64 {
    let numbers: Vec<i64> = text.split(['-', ' ', ':']).filter_map(|part| part.parse().ok()).collect();
    let [year, month, day, rest @ ..] = numbers.as_slice() else { return i64::MIN };
    let (year, month) = if *month <= 2 { (year - 1, month + 9) } else { (*year, month - 3) };
    let days = 365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let days = days + (153 * month + 2) / 5 + day - 1 - 719_468;
    let clock = rest.first().unwrap_or(&0) * 60 + rest.get(1).unwrap_or(&0);
    days * 86_400_000 + clock * 60_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_metazones() {
        assert_eq!(moment("1970-01-01 00:00"), 0);
        assert_eq!(moment("2018-10-28 02:00"), 1_540_692_000_000);
        assert_eq!(metazone("Europe/Berlin", 0), Some("Europe_Central"));
    }

    #[test]
    fn names_of_zones() {
        let digits: Vec<char> = "0123456789".chars().collect();
        let name = |locale: &str, zone: &str, ms: i64, letter: char, is_long: bool| {
            let zone = Zone::named(zone).unwrap();
            Namer::new(locale, &digits).unwrap().name(&zone, zone.at(ms), ms, Style { letter, is_long })
        };
        let (winter, summer) = (1_700_000_000_000, 1_720_000_000_000);
        assert_eq!(name("en", "America/New_York", winter, 'z', false), "EST");
        assert_eq!(name("en", "America/New_York", summer, 'z', true), "Eastern Daylight Time");
        assert_eq!(name("en", "Europe/Berlin", winter, 'z', false), "GMT+1");
        assert_eq!(name("de", "Europe/Berlin", summer, 'z', false), "MESZ");
        assert_eq!(name("en", "UTC", winter, 'z', false), "UTC");
        assert_eq!(name("en", "Asia/Calcutta", winter, 'O', true), "GMT+05:30");
        assert_eq!(name("en", "America/Los_Angeles", winter, 'v', false), "PT");
        assert_eq!(name("en", "Europe/Berlin", winter, 'v', false), "Germany Time");
    }
}
