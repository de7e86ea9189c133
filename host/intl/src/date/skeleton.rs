//! From the fields that are asked for (a skeleton, `yMMMd`) to a pattern of the locale, as ICU's
//! `DateTimePatternGenerator` does it.
use super::names::{FieldNames, Patterns};
use super::pattern::{Token, tokens};
use crate::error::{Result, range};

/// Kinds of fields, in ICU's order.
pub(crate) const FIELDS: usize = 16;
const YEAR: usize = 1;
const MONTH: usize = 3;
const WEEKDAY: usize = 6;
const DAY_PERIOD: usize = 10;
pub(crate) const HOUR: usize = 11;
const MINUTE: usize = 12;
const SECOND: usize = 13;
const FRACTION: usize = 14;

const DATE_MASK: u32 = (1 << DAY_PERIOD) - 1;
const SECOND_AND_FRACTION: u32 = 1 << SECOND | 1 << FRACTION;

/// How CLDR names what is appended, by the field.
const APPEND_NAMES: [&str; FIELDS] = [
    "Era",
    "Year",
    "Quarter",
    "Month",
    "Week",
    "*",
    "Day-Of-Week",
    "*",
    "*",
    "Day",
    "*",
    "Hour",
    "Minute",
    "Second",
    "*",
    "Timezone",
];
const FIELD_NAMES: [&str; FIELDS] = [
    "era",
    "year",
    "quarter",
    "month",
    "weekOfYear",
    "weekOfYear",
    "weekday",
    "day",
    "day",
    "day",
    "dayPeriod",
    "hour",
    "minute",
    "second",
    "second",
    "timeZoneName",
];

const NUMERIC: i32 = 0x100;
const NARROW: i32 = -0x101;
const SHORTER: i32 = -0x102;
const SHORT: i32 = -0x103;
const LONG: i32 = -0x104;
const DELTA: i32 = 0x10;

/// A letter of a pattern: its field, and how alike it is to other letters of the field.
fn kind(letter: char, length: usize) -> Option<(usize, i32)> {
    let text = |shift: i32| match length {
        1..=3 => SHORT - shift,
        4 => LONG - shift,
        5 => NARROW - shift,
        _ => SHORTER - shift,
    };
    let number = |shift: i32| NUMERIC + shift + length as i32;
    let either = |shift: i32| match length {
        1 | 2 if shift == 0 => number(0),
        1 | 2 => number(shift),
        _ => text(shift),
    };
    Some(match letter {
        'G' => (0, text(0)),
        'y' => (YEAR, number(0)),
        'Y' => (YEAR, number(DELTA)),
        'u' => (YEAR, number(2 * DELTA)),
        'r' => (YEAR, number(3 * DELTA)),
        'U' => (YEAR, text(0)),
        'Q' => (2, either(0)),
        'q' => (2, either(DELTA)),
        'M' => (MONTH, either(0)),
        'L' => (MONTH, either(DELTA)),
        'w' => (4, number(0)),
        'W' => (5, number(0)),
        'E' => (WEEKDAY, text(0)),
        'c' => (WEEKDAY, either(2 * DELTA)),
        'e' => (WEEKDAY, either(DELTA)),
        'd' => (9, number(0)),
        'D' => (7, number(0)),
        'F' => (8, number(0)),
        'g' => (9, number(DELTA)),
        'a' => (DAY_PERIOD, text(0)),
        'b' => (DAY_PERIOD, text(DELTA)),
        'B' => (DAY_PERIOD, text(3 * DELTA)),
        'H' => (HOUR, number(10 * DELTA)),
        'k' => (HOUR, number(11 * DELTA)),
        'h' => (HOUR, number(0)),
        'K' => (HOUR, number(DELTA)),
        'm' => (MINUTE, number(0)),
        's' => (SECOND, number(0)),
        'S' => (FRACTION, number(0)),
        'A' => (SECOND, number(2 * DELTA)),
        'v' => (15, if length == 1 { SHORT - 2 * DELTA } else { LONG - 2 * DELTA }),
        'z' => (15, if length < 4 { SHORT } else { LONG }),
        'Z' | 'O' => (15, if length < 4 { SHORT - DELTA } else { LONG - DELTA }),
        'V' => (15, SHORT - DELTA),
        _ => return None,
    })
}

/// How many digits hours have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hours {
    AsAsked,
    /// As the locale's pattern has them.
    AsUsual,
}

/// The fields of a pattern or a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Skeleton {
    /// By the field; 0: it is not there.
    kinds: [i32; FIELDS],
    /// Its letter, and how often that stands there.
    letters: [(char, usize); FIELDS],
}

impl Skeleton {
    /// Of a pattern, or of a skeleton's text.
    pub(crate) fn of(pattern: &str) -> Skeleton {
        let mut skeleton = Skeleton::default();
        for token in tokens(pattern) {
            if let Token::Field(letter, length) = token
                && let Some((field, kind)) = kind(letter, length)
            {
                skeleton.kinds[field] = kind;
                skeleton.letters[field] = (letter, length);
            }
        }
        skeleton.complete();
        skeleton
    }

    /// Twelve hours need a half of the day, and twenty-four have none.
    fn complete(&mut self) {
        let is_there = |field: usize, skeleton: &Skeleton| skeleton.kinds[field] != 0;
        if is_there(MINUTE, self) && is_there(FRACTION, self) && !is_there(SECOND, self) {
            self.kinds[SECOND] = NUMERIC + 1;
            self.letters[SECOND] = ('s', 1);
        }
        if is_there(HOUR, self) {
            if matches!(self.letters[HOUR].0, 'h' | 'K') {
                if !is_there(DAY_PERIOD, self) {
                    self.kinds[DAY_PERIOD] = SHORT;
                    self.letters[DAY_PERIOD] = ('a', 1);
                }
            } else {
                self.kinds[DAY_PERIOD] = 0;
                self.letters[DAY_PERIOD] = ('\0', 0);
            }
        }
    }

    fn mask(&self) -> u32 {
        (0..FIELDS).filter(|field| self.kinds[*field] != 0).fold(0, |mask, field| mask | 1 << field)
    }

    /// Its letters in ICU's order, each as often as the least field of its kind has it: patterns that have the same are
    /// taken for variants of one.
    fn base(&self) -> String {
        let mut base = String::new();
        for (letter, length) in self.letters.iter().filter(|(_, length)| *length > 0) {
            let least = match (letter, length) {
                (_, 4..=5) if kind(*letter, *length).is_some_and(|(_, kind)| kind < 0) => *length,
                ('M' | 'L' | 'Q' | 'q' | 'c' | 'e', 3) => 3,
                _ => 1,
            };
            base.extend(std::iter::repeat_n(*letter, least));
        }
        base
    }

    /// How far another one is from what is asked for, and which fields it lacks and has too many.
    pub(super) fn distance(&self, other: &Skeleton, mask: u32) -> (i32, u32, u32) {
        let (mut distance, mut missing, mut extra) = (0, 0, 0);
        for field in 0..FIELDS {
            let mine = if mask & 1 << field == 0 { 0 } else { self.kinds[field] };
            let others = other.kinds[field];
            if mine == others {
                continue;
            } else if mine == 0 {
                distance += 0x10000;
                extra |= 1 << field;
            } else if others == 0 {
                distance += 0x1000;
                missing |= 1 << field;
            } else {
                distance += (mine - others).abs();
            }
        }
        (distance, missing, extra)
    }

    pub(super) fn has(&self, field: usize) -> bool {
        self.kinds[field] != 0
    }
}

struct Entry {
    skeleton: Skeleton,
    pattern: String,
    /// CLDR says for which skeleton it is.
    is_specified: bool,
}

/// A locale's patterns.
pub(crate) struct Generator<'a> {
    entries: Vec<Entry>,
    patterns: &'a Patterns,
    names: &'a FieldNames,
}

struct Found<'a> {
    entry: &'a Entry,
    missing: u32,
    extra: u32,
}

const SINGLE_FIELDS: [&str; 16] =
    ["G", "y", "Q", "M", "w", "W", "E", "d", "D", "F", "a", "H", "m", "s", "S", "v"];

impl<'a> Generator<'a> {
    pub(crate) fn new(patterns: &'a Patterns, names: &'a FieldNames) -> Generator<'a> {
        let mut generator = Generator { entries: Vec::new(), patterns, names };
        for pattern in SINGLE_FIELDS {
            generator.add(Skeleton::of(pattern), pattern, false);
        }
        for styles in [&patterns.date, &patterns.time] {
            for style in ["full", "long", "medium", "short"] {
                if let Some(pattern) = styles.get(style) {
                    generator.add(Skeleton::of(pattern), pattern, false);
                }
            }
        }
        let mut skeletons: Vec<_> = patterns.skeletons.iter().collect();
        skeletons.sort();
        for (skeleton, pattern) in skeletons {
            generator.add(Skeleton::of(skeleton), pattern, true);
        }
        generator.entries.sort_by_cached_key(|entry| entry.skeleton.base().chars().next());
        generator
    }

    fn add(&mut self, skeleton: Skeleton, pattern: &str, is_specified: bool) {
        let new = Entry { skeleton, pattern: pattern.to_owned(), is_specified };
        let base = skeleton.base();
        if !is_specified && self.entries.iter().any(|entry| entry.skeleton.base() == base) {
            return;
        }
        // A pattern of CLDR's own takes the place of one that was derived from a style.
        match self.entries.iter_mut().find(|entry| entry.skeleton.kinds == skeleton.kinds) {
            Some(entry) if entry.is_specified => {}
            Some(entry) => *entry = new,
            None => self.entries.push(new),
        }
    }

    /// The pattern for a skeleton.
    pub(crate) fn best(&self, wanted: &Skeleton, hours: Hours) -> Result<String> {
        let all = self.nearest(wanted, u32::MAX)?;
        if all.missing == 0 && all.extra == 0 {
            return Ok(adjust(&all.entry.pattern, all.entry, wanted, hours, false));
        }
        let mask = wanted.mask();
        let date = self.appended(wanted, mask & DATE_MASK, hours)?;
        let time = self.appended(wanted, mask & !DATE_MASK, hours)?;
        match (date, time) {
            (Some(date), Some(time)) => Ok(self.glue(wanted).replace("{1}", &date).replace("{0}", &time)),
            (Some(pattern), None) | (None, Some(pattern)) => Ok(pattern),
            (None, None) => range("no field of a date is asked for"),
        }
    }

    fn glue(&self, wanted: &Skeleton) -> &'a str {
        let style = match wanted.letters[MONTH].1 {
            4 if wanted.has(WEEKDAY) => "full",
            4 => "long",
            3 => "medium",
            _ => "short",
        };
        let glue = self.patterns.at_time.get(style).or_else(|| self.patterns.glue.get(style));
        glue.map_or("{1} {0}", String::as_str)
    }

    fn nearest(&self, wanted: &Skeleton, mask: u32) -> Result<Found<'_>> {
        let mut best: Option<(i32, Found<'_>)> = None;
        for entry in &self.entries {
            let (distance, missing, extra) = wanted.distance(&entry.skeleton, mask);
            // Of two that are as near, the one that has the larger fields.
            let is_nearer = |(least, found): &(i32, Found<'_>)| {
                distance < *least || distance == *least && missing > found.missing
            };
            if best.as_ref().is_none_or(is_nearer) {
                best = Some((distance, Found { entry, missing, extra }));
            }
        }
        match best {
            Some((_, found)) => Ok(found),
            None => range("the locale has no patterns of dates"),
        }
    }

    /// The nearest pattern for some fields, to which those are added that it lacks.
    fn appended(&self, wanted: &Skeleton, fields: u32, hours: Hours) -> Result<Option<String>> {
        if fields == 0 {
            return Ok(None);
        }
        let found = self.nearest(wanted, fields)?;
        let (mut missing, mut base) = (found.missing, found.entry);
        let mut pattern = adjust(&found.entry.pattern, base, wanted, hours, false);
        while missing != 0 {
            if missing & SECOND_AND_FRACTION == 1 << FRACTION
                && fields & SECOND_AND_FRACTION == SECOND_AND_FRACTION
            {
                pattern = adjust(&pattern, base, wanted, hours, true);
                missing &= !(1 << FRACTION);
                continue;
            }
            let next = self.nearest(wanted, missing)?;
            let added = missing & !next.missing;
            if added == 0 {
                break;
            }
            base = next.entry;
            let more = adjust(&next.entry.pattern, next.entry, wanted, hours, false);
            let field = 31 - added.leading_zeros() as usize;
            pattern = self.append(field, &pattern, &more);
            missing = next.missing;
        }
        Ok(Some(pattern))
    }

    fn append(&self, field: usize, pattern: &str, more: &str) -> String {
        let append = self.patterns.append.get(APPEND_NAMES[field]).map_or("{0} {1}", String::as_str);
        let name = self.names.0.get("long").and_then(|names| names.get(FIELD_NAMES[field]));
        let name = format!("'{}'", name.map_or("", String::as_str).replace('\'', "''"));
        append.replace("{0}", pattern).replace("{1}", more).replace("{2}", &name)
    }
}

/// Gives a pattern's fields the lengths that are asked for.
fn adjust(pattern: &str, entry: &Entry, wanted: &Skeleton, hours: Hours, with_fraction: bool) -> String {
    let mut adjusted = String::new();
    for token in tokens(pattern) {
        match token {
            Token::Text(text) => super::pattern::quote(&mut adjusted, &text),
            Token::Field(letter, length) => {
                let (letter, length) = adjusted_field(letter, length, entry, wanted, hours);
                adjusted.extend(std::iter::repeat_n(letter, length));
                if with_fraction && letter == 's' {
                    // The decimal sign is put in when a date is formatted.
                    adjusted.push('\u{1}');
                    adjusted.extend(std::iter::repeat_n('S', wanted.letters[FRACTION].1));
                }
            }
        }
    }
    adjusted
}

fn adjusted_field(
    letter: char,
    length: usize,
    entry: &Entry,
    wanted: &Skeleton,
    hours: Hours,
) -> (char, usize) {
    let Some((field, kind)) = kind(letter, length) else { return (letter, length) };
    if !wanted.has(field) {
        return (letter, length);
    }
    let (wanted_letter, mut wanted_length) = wanted.letters[field];
    if wanted_letter == 'E' && wanted_length < 3 {
        wanted_length = 3;
    }
    let mut new_length = wanted_length;
    if matches!(field, MINUTE | SECOND) || field == HOUR && hours == Hours::AsUsual {
        new_length = length;
    } else if entry.is_specified && !matches!(wanted_letter, 'c' | 'e') {
        let (is_numeric, wants_numeric) = (kind > 0, wanted.kinds[field] > 0);
        if entry.skeleton.letters[field].1 == wanted_length || is_numeric != wants_numeric {
            new_length = length;
        }
    }
    let keeps_letter = matches!(field, HOUR | MONTH | WEEKDAY) || field == YEAR && wanted_letter != 'Y';
    let letter = if keeps_letter { letter } else { wanted_letter };
    let letter = if letter == 'E' && new_length < 3 { 'e' } else { letter };
    (letter, new_length)
}
