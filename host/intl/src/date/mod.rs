//! `Intl.DateTimeFormat`: dates and times, in zones and calendars.
pub(crate) mod calendar;
mod interval;
mod names;
mod pattern;
mod skeleton;
pub(crate) mod zone;
mod zone_names;

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::data::{section, shared};
use crate::error::{Result, invalid, range};
use crate::locale::{self, language};
use crate::number::data::Numbers;
use crate::part::{LITERAL, Part, push};
use calendar::{Calendar, Fields};
pub(crate) use names::FieldNames;
use names::{Calendars, Forms, Generic, Gregorian, Patterns, Widths};
use pattern::{Token, hours_of, tokens, with_hours};
use skeleton::{Generator, Hours, Skeleton};
use zone::{Offset, Zone};
use zone_names::{Namer, Style};

/// The options, as they are asked for.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Options {
    locale: String,
    calendar: String,
    numbering_system: String,
    time_zone: String,
    /// `h12` and the like, if the locale's own is not to be used.
    hour_cycle: Option<String>,
    hour12: Option<bool>,
    date_style: Option<String>,
    time_style: Option<String>,
    weekday: Option<String>,
    era: Option<String>,
    year: Option<String>,
    month: Option<String>,
    day: Option<String>,
    day_period: Option<String>,
    hour: Option<String>,
    minute: Option<String>,
    second: Option<String>,
    fractional_second_digits: Option<usize>,
    time_zone_name: Option<String>,
}

/// The name of a way to count hours, by its letter.
pub(crate) fn cycle_name(letter: char) -> &'static str {
    match letter {
        'h' => "h12",
        'K' => "h11",
        'k' => "h24",
        _ => "h23",
    }
}

fn cycle_letter(name: &str) -> char {
    match name {
        "h11" => 'K',
        "h12" => 'h',
        "h24" => 'k',
        _ => 'H',
    }
}

impl Options {
    /// How hours are counted, as V8 decides it.
    fn hours(&self) -> char {
        let (usual, _) = locale::hours(&self.locale);
        let is_from_zero = matches!(usual, 'K' | 'H');
        match (self.hour12, is_from_zero) {
            (Some(true), true) => 'K',
            (Some(true), false) => 'h',
            (Some(false), true) => 'H',
            (Some(false), false) => 'k',
            (None, _) => self.hour_cycle.as_deref().map_or(usual, cycle_letter),
        }
    }

    /// The fields that are asked for, as a skeleton.
    fn skeleton(&self) -> String {
        let text = |value: &Option<String>, letter: char| match value.as_deref() {
            Some("narrow") => letter.to_string().repeat(5),
            Some("long") => letter.to_string().repeat(4),
            Some("short") => letter.to_string().repeat(3),
            Some("2-digit") => letter.to_string().repeat(2),
            Some(_) => letter.to_string(),
            None => String::new(),
        };
        let period = match self.day_period.as_deref() {
            Some("narrow") => "BBBBB",
            Some("long") => "BBBB",
            Some(_) => "B",
            None => "",
        };
        let zone = match self.time_zone_name.as_deref() {
            Some("long") => "zzzz",
            Some("longOffset") => "OOOO",
            Some("shortOffset") => "O",
            Some("longGeneric") => "vvvv",
            Some("shortGeneric") => "v",
            Some(_) => "z",
            None => "",
        };
        [
            text(&self.weekday, 'E'),
            text(&self.era, 'G'),
            text(&self.year, 'y'),
            text(&self.month, 'M'),
            text(&self.day, 'd'),
            period.to_owned(),
            text(&self.hour, self.hours()),
            text(&self.minute, 'm'),
            text(&self.second, 's'),
            "S".repeat(self.fractional_second_digits.unwrap_or(0)),
            zone.to_owned(),
        ]
        .concat()
    }
}

/// Patterns and names of a locale and a calendar.
struct Names {
    gregorian: Arc<Gregorian>,
    generic: Option<Arc<Generic>>,
    calendars: Option<(Arc<Calendars>, &'static str)>,
    fields: Arc<FieldNames>,
    months: Forms<Vec<String>>,
    eras: Widths<HashMap<String, String>>,
}

impl Names {
    fn new(locale: &str, calendar: Calendar) -> Result<Names> {
        let gregorian = section::<Gregorian>(locale)?;
        let fields = section::<FieldNames>(locale)?;
        let (mut months, mut eras) = (gregorian.months.clone(), gregorian.eras.clone());
        let (mut generic, mut calendars) = (None, None);
        if calendar != Calendar::Gregory {
            generic = Some(section::<Generic>(locale)?);
            let all = section::<Calendars>(locale)?;
            let Some(own) = all.0.get(calendar.section()) else {
                return range("the locale has no names for this calendar");
            };
            eras = own.eras.clone();
            months = own.months.clone().unwrap_or(months);
            calendars = Some((all, calendar.section()));
        }
        Ok(Names { gregorian, generic, calendars, fields, months, eras })
    }

    fn patterns(&self) -> &Patterns {
        let of_calendar = self.calendars.as_ref().and_then(|(all, name)| all.0.get(*name)?.patterns.as_ref());
        let generic = self.generic.as_ref().map(|generic| &generic.0);
        of_calendar.or(generic).unwrap_or(&self.gregorian.patterns)
    }
}

/// A formatter.
pub(crate) struct DateFormat {
    options: Options,
    calendar: Calendar,
    zone: Zone,
    names: Names,
    namer: Namer,
    digits: Vec<char>,
    /// The sign between seconds and what is less.
    decimal: String,
    pattern: String,
    tokens: Vec<Token>,
}

impl DateFormat {
    pub(crate) fn new(options: &str) -> Result<DateFormat> {
        let options: Options =
            serde_json::from_str(options).map_err(|error| invalid("the options", error))?;
        let calendar = Calendar::named(&options.calendar)?;
        let zone = Zone::named(&options.time_zone)?;
        let names = Names::new(&options.locale, calendar)?;
        let digits = shared().digits.get(&options.numbering_system);
        let digits: Vec<char> = digits.map_or("0123456789", String::as_str).chars().collect();
        let numbers = section::<Numbers>(&options.locale)?;
        let decimal = numbers.symbols(&options.numbering_system).decimal.clone();
        let namer = Namer::new(&options.locale, &digits)?;
        let pattern = choose(&options, &names)?;
        let tokens = tokens(&pattern);
        Ok(DateFormat { options, calendar, zone, names, namer, digits, decimal, pattern, tokens })
    }

    /// The pieces of a moment, in milliseconds since 1970 began in UTC.
    pub(crate) fn parts(&self, utc_ms: i64) -> Result<Vec<Part>> {
        let moment = self.moment(utc_ms)?;
        Ok(self.parts_of(&self.tokens, &moment))
    }

    /// The whole text.
    pub(crate) fn text(&self, utc_ms: i64) -> Result<String> {
        // As V8 does: programs that read times in English know the usual space alone.
        Ok(crate::part::text(&self.parts(utc_ms)?).replace('\u{202f}', " "))
    }

    /// The pieces of all from one moment to another.
    pub(crate) fn range(&self, start: i64, end: i64) -> Result<Vec<crate::number::RangePart>> {
        interval::parts(self, start, end)
    }

    /// The whole text of all from one moment to another.
    pub(crate) fn range_text(&self, start: i64, end: i64) -> Result<String> {
        let parts = self.range(start, end)?;
        if parts.iter().all(|part| part.source == interval::SHARED) {
            return self.text(start);
        }
        Ok(parts.iter().map(|part| part.part.text.as_str()).collect())
    }

    fn moment(&self, utc_ms: i64) -> Result<Moment> {
        let offset = self.zone.at(utc_ms);
        let fields = self.calendar.fields(utc_ms + i64::from(offset.seconds) * 1000)?;
        Ok(Moment { utc_ms, offset, fields })
    }

    fn parts_of(&self, tokens: &[Token], moment: &Moment) -> Vec<Part> {
        let mut parts = Vec::new();
        for token in tokens {
            let (kind, text) = self.piece(token, moment, tokens);
            push(&mut parts, kind, &text);
        }
        parts
    }

    /// A piece of a pattern that has these.
    fn piece(&self, token: &Token, moment: &Moment, tokens: &[Token]) -> (&'static str, String) {
        match token {
            Token::Text(text) => (LITERAL, text.replace('\u{1}', &self.decimal)),
            Token::Field(letter, length) => self.field(*letter, *length, moment, tokens),
        }
    }

    fn field(
        &self,
        letter: char,
        length: usize,
        moment: &Moment,
        tokens: &[Token],
    ) -> (&'static str, String) {
        let fields = &moment.fields;
        let number = |value: i64, length: usize| self.number(value, length);
        let hour = i64::from(fields.hour);
        match letter {
            'G' => ("era", self.era(length, fields)),
            'y' if length == 2 => ("year", number(fields.year.rem_euclid(100), 2)),
            'y' | 'u' | 'Y' => ("year", number(fields.year, length)),
            'M' | 'L' => ("month", self.month(letter, length, fields)),
            'd' => ("day", number(i64::from(fields.day), length)),
            'E' | 'c' | 'e' => ("weekday", self.weekday(letter, length, fields)),
            'a' | 'b' => ("dayPeriod", self.half_of_day(length, fields)),
            'B' => ("dayPeriod", self.day_period(length, fields, tokens)),
            'H' => ("hour", number(hour, length)),
            'k' => ("hour", number(if hour == 0 { 24 } else { hour }, length)),
            'K' => ("hour", number(hour % 12, length)),
            'h' => ("hour", number(if hour % 12 == 0 { 12 } else { hour % 12 }, length)),
            'm' => ("minute", number(i64::from(fields.minute), length)),
            's' => ("second", number(i64::from(fields.second), length)),
            'S' => {
                let text = format!("{:03}", fields.millisecond);
                let cut: i64 = text.chars().take(length).collect::<String>().parse().unwrap_or(0);
                ("fractionalSecond", number(cut, length))
            }
            'z' | 'O' | 'v' => {
                let style = Style { letter, is_long: length == 4 };
                ("timeZoneName", self.namer.name(&self.zone, moment.offset, moment.utc_ms, style))
            }
            _ => (LITERAL, String::new()),
        }
    }

    fn number(&self, value: i64, length: usize) -> String {
        let sign = if value < 0 { "-" } else { "" };
        let text = format!("{:0length$}", value.unsigned_abs());
        let digits = text.bytes().filter_map(|digit| self.digits.get(usize::from(digit - b'0')));
        sign.chars().chain(digits.copied()).collect()
    }

    fn era(&self, length: usize, fields: &Fields) -> String {
        let names = self.names.eras.get(width(length));
        names.and_then(|names| names.get(&fields.era.to_string())).cloned().unwrap_or_default()
    }

    fn month(&self, letter: char, length: usize, fields: &Fields) -> String {
        if length < 3 {
            return self.number(fields.month as i64, length);
        }
        let forms = if letter == 'L' { &self.names.months.alone } else { &self.names.months.format };
        forms.get(width(length)).and_then(|names| names.get(fields.month - 1)).cloned().unwrap_or_default()
    }

    fn weekday(&self, letter: char, length: usize, fields: &Fields) -> String {
        let days = &self.names.gregorian.days;
        let forms = if letter == 'c' { &days.alone } else { &days.format };
        forms.get(width(length)).and_then(|names| names.get(fields.weekday)).cloned().unwrap_or_default()
    }

    fn half_of_day(&self, length: usize, fields: &Fields) -> String {
        let name = if fields.hour < 12 { "am" } else { "pm" };
        let names = self.names.gregorian.day_periods.format.get(width(length));
        names.and_then(|names| names.get(name)).cloned().unwrap_or_default()
    }

    /// `in the morning`; at noon sharp, `noon`.
    fn day_period(&self, length: usize, fields: &Fields, tokens: &[Token]) -> String {
        let Some(rules) = shared().day_periods.get(&language(&self.options.locale)) else {
            return self.half_of_day(length, fields);
        };
        let has = |wanted: char| {
            tokens.iter().any(|token| matches!(token, Token::Field(letter, _) if *letter == wanted))
        };
        let is_sharp = (!has('m') || fields.minute == 0) && (!has('s') || fields.second == 0);
        let names = self.names.gregorian.day_periods.format.get(width(length));
        let named = |period: &str| names.and_then(|names| names.get(period)).cloned();
        if is_sharp
            && fields.hour == 12
            && rules.get("noon").is_some_and(|rule| rule.at.is_some())
            && let Some(noon) = named("noon")
        {
            return noon;
        }
        let hour_of =
            |text: &Option<String>| text.as_ref().and_then(|text| text.split(':').next()?.parse::<u8>().ok());
        let period = rules.iter().find(|(_, rule)| match (hour_of(&rule.from), hour_of(&rule.before)) {
            (Some(from), Some(before)) if from < before => (from..before).contains(&fields.hour),
            (Some(from), Some(before)) => fields.hour >= from || fields.hour < before,
            _ => false,
        });
        period.and_then(|(name, _)| named(name)).unwrap_or_else(|| self.half_of_day(length, fields))
    }

    /// What the pattern has of each option.
    pub(crate) fn resolved(&self) -> Resolved {
        let mut resolved = Resolved::default();
        for token in &self.tokens {
            if let Token::Field(letter, length) = token {
                resolved.add(*letter, *length);
            }
        }
        if let Some(letter) = hours_of(&self.pattern) {
            resolved.hour_cycle = Some(cycle_name(letter));
            resolved.hour12 = Some(matches!(letter, 'h' | 'K'));
        }
        resolved.time_zone = self.zone.name.clone();
        resolved
    }
}

/// A moment in a zone.
struct Moment {
    utc_ms: i64,
    offset: Offset,
    fields: Fields,
}

fn width(length: usize) -> &'static str {
    match length {
        4 => "wide",
        5 => "narrow",
        _ => "abbreviated",
    }
}

/// The pattern for some options.
fn choose(options: &Options, names: &Names) -> Result<String> {
    let patterns = names.patterns();
    let generator = Generator::new(patterns, &names.fields);
    if options.date_style.is_none() && options.time_style.is_none() {
        let pattern = generator.best(&Skeleton::of(&options.skeleton()), Hours::AsAsked)?;
        return Ok(with_hours(&pattern, options.hours()));
    }
    let of = |styles: &HashMap<String, String>, style: &Option<String>| {
        style.as_ref().and_then(|style| styles.get(style)).cloned()
    };
    let (date, time) = (of(&patterns.date, &options.date_style), of(&patterns.time, &options.time_style));
    let pattern = match (date, time) {
        (Some(date), Some(time)) => {
            let glue = of(&patterns.at_time, &options.date_style).unwrap_or_else(|| "{1} {0}".to_owned());
            glue.replace("{1}", &date).replace("{0}", &time)
        }
        (Some(pattern), None) | (None, Some(pattern)) => pattern,
        (None, None) => return range("there is no such style of dates"),
    };
    let hours = options.hours();
    match hours_of(&pattern) {
        Some(letter) if letter != hours => {
            let wanted = of_other_hours(&pattern, hours);
            Ok(with_hours(&generator.best(&Skeleton::of(&wanted), Hours::AsAsked)?, hours))
        }
        _ => Ok(pattern),
    }
}

/// A pattern's fields, with hours that are counted in another way.
fn of_other_hours(pattern: &str, hours: char) -> String {
    let mut skeleton = String::new();
    for token in tokens(pattern) {
        match token {
            Token::Field('a' | 'b' | 'B', _) | Token::Text(_) => {}
            Token::Field('h' | 'H' | 'K' | 'k', length) => {
                skeleton.extend(std::iter::repeat_n(hours, length))
            }
            Token::Field(letter, length) => skeleton.extend(std::iter::repeat_n(letter, length)),
        }
    }
    skeleton
}

/// The options, as a pattern has them.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Resolved {
    time_zone: String,
    hour_cycle: Option<&'static str>,
    hour12: Option<bool>,
    weekday: Option<&'static str>,
    era: Option<&'static str>,
    year: Option<&'static str>,
    month: Option<&'static str>,
    day: Option<&'static str>,
    day_period: Option<&'static str>,
    hour: Option<&'static str>,
    minute: Option<&'static str>,
    second: Option<&'static str>,
    fractional_second_digits: Option<usize>,
    time_zone_name: Option<&'static str>,
}

impl Resolved {
    fn add(&mut self, letter: char, length: usize) {
        let number = if length == 2 { "2-digit" } else { "numeric" };
        let text = match length {
            4 => "long",
            5 => "narrow",
            _ => "short",
        };
        match letter {
            'G' => self.era = Some(text),
            'y' => self.year = Some(number),
            'M' | 'L' => self.month = Some(if length < 3 { number } else { text }),
            'd' => self.day = Some(number),
            'E' | 'c' | 'e' => self.weekday = Some(text),
            'B' => self.day_period = Some(text),
            'h' | 'H' | 'k' | 'K' => self.hour = Some(number),
            'm' => self.minute = Some(number),
            's' => self.second = Some(number),
            'S' => self.fractional_second_digits = Some(length),
            'z' => self.time_zone_name = Some(if length == 4 { "long" } else { "short" }),
            'O' => self.time_zone_name = Some(if length == 4 { "longOffset" } else { "shortOffset" }),
            'v' => self.time_zone_name = Some(if length == 4 { "longGeneric" } else { "shortGeneric" }),
            _ => {}
        }
    }
}
