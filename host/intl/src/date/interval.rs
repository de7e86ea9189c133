//! Spans of time: `Jan 3 – 5, 2026`.
use std::collections::HashMap;

use super::pattern::{Token, hours_of, tokens, with_hours};
use super::skeleton::{Hours, Skeleton};
use super::{DateFormat, Moment};
use crate::error::Result;
use crate::number::{RangePart, merged};
use crate::part::{LITERAL, Part};

pub(super) const SHARED: &str = "shared";

fn of(source: &'static str, parts: Vec<Part>) -> Vec<RangePart> {
    parts.into_iter().map(|part| RangePart { part, source }).collect()
}

pub(super) fn parts(format: &DateFormat, start: i64, end: i64) -> Result<Vec<RangePart>> {
    let mut parts = merged(pieces(format, start, end)?);
    // What stands before the first field, or behind the last one, is of none.
    let count = parts.len();
    for at in [0, count.saturating_sub(1)] {
        if let Some(part) = parts.get_mut(at).filter(|part| part.part.kind == LITERAL) {
            part.source = SHARED;
        }
    }
    Ok(parts)
}

fn pieces(format: &DateFormat, start: i64, end: i64) -> Result<Vec<RangePart>> {
    let (first, second) = (format.moment(start)?, format.moment(end)?);
    let Some(largest) = largest_difference(format, &first, &second) else {
        return Ok(of(SHARED, format.parts_of(&format.tokens, &first)));
    };
    let has_date = format
        .tokens
        .iter()
        .any(|token| matches!(token, Token::Field('G' | 'y' | 'M' | 'L' | 'd' | 'E' | 'c', _)));
    if !has_date && matches!(largest, 'G' | 'y' | 'M' | 'd') {
        return Ok(fallback(format, &with_date(format)?, &first, &second));
    }
    match pattern(format, largest) {
        Some(pattern) => Ok(by_pattern(format, &pattern, &first, &second)),
        None => {
            let shown = shown_skeleton(format);
            let is_both = has_date && has_time(&shown);
            if is_both && !matches!(largest, 'G' | 'y' | 'M' | 'd') {
                return day_and_times(format, &first, &second);
            }
            let missing = if is_both { missing_date(&shown, largest) } else { String::new() };
            Ok(fallback(format, &best(format, &format!("{missing}{shown}"))?, &first, &second))
        }
    }
}

/// The largest field that differs, among those that the pattern has or is made of.
fn largest_difference(format: &DateFormat, first: &Moment, second: &Moment) -> Option<char> {
    let has = |letters: &[char]| {
        format.tokens.iter().any(|token| matches!(token, Token::Field(letter, _) if letters.contains(letter)))
    };
    let (a, b) = (&first.fields, &second.fields);
    let half = |hour: u8| hour / 12;
    let is_half_shown = hours_of(&format.pattern).is_some_and(|letter| matches!(letter, 'h' | 'K'));
    let candidates = [
        ('G', a.era != b.era),
        ('y', a.year != b.year),
        ('M', a.month != b.month),
        ('d', a.day != b.day),
        ('a', half(a.hour) != half(b.hour)),
        ('H', a.hour != b.hour),
        ('m', a.minute != b.minute),
        ('s', a.second != b.second),
        ('S', a.millisecond != b.millisecond),
    ];
    let largest = candidates.into_iter().find(|(_, differs)| *differs).map(|(letter, _)| letter)?;
    let largest = if largest == 'a' && !is_half_shown { 'H' } else { largest };
    // What is less than all that the pattern shows makes no difference.
    let shown = [
        ('G', has(&['G'])),
        ('y', has(&['y'])),
        ('M', has(&['M', 'L'])),
        ('d', has(&['d', 'E', 'c'])),
        ('a', has(&['a', 'B'])),
        ('H', has(&['h', 'H', 'K', 'k'])),
        ('m', has(&['m'])),
        ('s', has(&['s'])),
        ('S', has(&['S'])),
    ];
    let at = shown.iter().position(|(letter, _)| *letter == largest)?;
    shown[at..].iter().any(|(_, is_shown)| *is_shown).then_some(largest)
}

/// The pattern for a difference: of CLDR's, the one whose skeleton is nearest to the format's.
fn pattern(format: &DateFormat, largest: char) -> Option<String> {
    let patterns = format.names.patterns();
    let skeleton = own_skeleton(format).replace('z', "v");
    // As in ICU, there is none for months and days that stand alone.
    if skeleton.contains(['L', 'c']) {
        return None;
    }
    let (date, time) = split(&skeleton);
    if !date.is_empty() && !time.is_empty() {
        return if matches!(largest, 'a' | 'H' | 'm') {
            date_and_time(format, &split(&shown_skeleton(format)).0, &time, largest)
        } else {
            None
        };
    }
    // A month and a day in two years are shown with the years.
    let extended = format!("{largest}{skeleton}");
    let (skeleton, found) = match nearest(format, &skeleton, largest) {
        Some(found) => (skeleton, found),
        None if matches!(largest, 'y' | 'M') && !skeleton.contains(largest) => {
            let found = nearest(format, &extended, largest)?;
            (extended, found)
        }
        None => return None,
    };
    let pattern = pattern_for(patterns.intervals.get(&found)?, &found, largest)?;
    Some(fit(format, pattern, &skeleton, &found))
}

/// The fields that the format shows, as a skeleton, with the lengths that ICU looks for. Offsets are left out, as there.
fn own_skeleton(format: &DateFormat) -> String {
    let mut skeleton = String::new();
    for token in &format.tokens {
        if let Token::Field(letter, length) = token {
            let letter = match letter {
                'K' => 'h',
                'k' => 'H',
                'a' | 'O' => continue,
                other => *other,
            };
            let length = match letter {
                'd' | 'B' | 'h' | 'H' | 'm' | 'v' | 'z' => 1,
                'M' if *length < 3 => 1,
                'E' if *length < 4 => 1,
                _ => *length,
            };
            skeleton.extend(std::iter::repeat_n(letter, length));
        }
    }
    skeleton
}

/// The fields of a date, up to the largest that differs, that a skeleton with times has not.
fn missing_date(skeleton: &str, largest: char) -> String {
    let wanted = match largest {
        'd' => "d",
        'M' => "Md",
        _ => "yMd",
    };
    let is_there = |letter| skeleton.contains(letter) || (letter == 'M' && skeleton.contains('L'));
    wanted.chars().filter(|letter| !is_there(*letter)).collect()
}

fn has_time(skeleton: &str) -> bool {
    !split(skeleton).1.is_empty()
}

fn split(skeleton: &str) -> (String, String) {
    skeleton.chars().partition(|letter| "GyMLdEc".contains(*letter))
}

/// The pattern for a difference. Of two for halves of a day, that with periods of the day goes before.
fn pattern_for<'a>(
    patterns: &'a HashMap<String, String>,
    skeleton: &str,
    largest: char,
) -> Option<&'a String> {
    let names: &[&str] = match largest {
        'H' if skeleton.contains('h') => &["h"],
        'a' if skeleton.contains('h') => &["B", "a"],
        'a' => &["H"],
        's' | 'S' => &[],
        other => return patterns.get(&other.to_string()),
    };
    names.iter().find_map(|name| patterns.get(*name))
}

/// The skeleton that has a pattern for the difference, the same fields, and lengths that are nearest.
fn nearest(format: &DateFormat, wanted: &str, largest: char) -> Option<String> {
    let wanted = Skeleton::of(wanted);
    let mut best: Option<(i32, &String)> = None;
    let mut all: Vec<_> = format.names.patterns().intervals.iter().collect();
    all.sort_by_key(|(skeleton, _)| *skeleton);
    for (skeleton, patterns) in all {
        let (distance, missing, extra) = wanted.distance(&Skeleton::of(skeleton), u32::MAX);
        let has_pattern = pattern_for(patterns, skeleton, largest).is_some();
        if missing == 0 && extra == 0 && has_pattern && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, skeleton));
        }
    }
    best.map(|(_, skeleton)| skeleton.clone())
}

/// Gives a pattern's fields the lengths of the format's, as ICU does, and the zone the name that is asked for.
fn fit(format: &DateFormat, pattern: &str, wanted: &str, found: &str) -> String {
    let is_specific = format.tokens.iter().any(|token| matches!(token, Token::Field('z', _)));
    let count = |skeleton: &str, letter: char| skeleton.chars().filter(|other| *other == letter).count();
    let mut fitted = String::new();
    for token in tokens(pattern) {
        match token {
            Token::Text(text) => super::pattern::quote(&mut fitted, &text),
            Token::Field(letter, length) => {
                let named = if letter == 'L' { 'M' } else { letter };
                let (asked, had) = (count(wanted, named), count(found, named));
                let length = if had == length && asked > had { asked } else { length };
                let letter = if letter == 'v' && is_specific { 'z' } else { letter };
                fitted.extend(std::iter::repeat_n(letter, length));
            }
        }
    }
    fitted
}

/// One day, and a span of its hours.
fn date_and_time(format: &DateFormat, date: &str, time: &str, largest: char) -> Option<String> {
    let patterns = format.names.patterns();
    let found = nearest(format, time, largest)?;
    let span = pattern_for(patterns.intervals.get(&found)?, &found, largest)?;
    let generator = super::Generator::new(patterns, &format.names.fields);
    let date_pattern = generator.best(&Skeleton::of(date), Hours::AsUsual).ok()?;
    let glue = patterns.glue.get("medium").map_or("{1}, {0}", String::as_str);
    Some(glue.replace("{1}", &date_pattern).replace("{0}", &fit(format, span, time, &found)))
}

/// One day, and two times of it, where CLDR has no pattern for both.
fn day_and_times(format: &DateFormat, first: &Moment, second: &Moment) -> Result<Vec<RangePart>> {
    let (date, time) = split(&own_skeleton(format));
    let (date, time) = (best(format, &date)?, best(format, &time)?);
    let glue = format.names.patterns().glue.get("medium").map_or("{1}, {0}", String::as_str);
    let mut parts = Vec::new();
    for token in tokens(&glue.replace("{1}", "d").replace("{0}", "h")) {
        match token {
            Token::Field('d', _) => parts.extend(of(SHARED, format.parts_of(&date, first))),
            Token::Field(..) => parts.extend(fallback(format, &time, first, second)),
            Token::Text(text) => parts.extend(of(SHARED, vec![Part::new(LITERAL, text)])),
        }
    }
    Ok(parts)
}

/// A pattern holds the fields of both moments: those of the second begin where a field comes again.
fn by_pattern(format: &DateFormat, pattern: &str, first: &Moment, second: &Moment) -> Vec<RangePart> {
    let pattern = match hours_of(&format.pattern) {
        Some(letter) => with_hours(pattern, letter),
        None => pattern.to_owned(),
    };
    let all = tokens(&pattern);
    let mut seen = Vec::new();
    let mut middle = all.len();
    for (at, token) in all.iter().enumerate() {
        if let Token::Field(letter, _) = token {
            if seen.contains(letter) {
                middle = at;
                break;
            }
            seen.push(*letter);
        }
    }
    let is_twice = |token: &Token| {
        let Token::Field(letter, _) = token else { return false };
        all.iter().filter(|other| matches!(other, Token::Field(found, _) if found == letter)).count() > 1
    };
    let mut parts: Vec<RangePart> = Vec::new();
    // A source reaches from the first to the last of the fields that come twice.
    let bounds = |range: std::ops::Range<usize>| {
        let first = range.clone().find(|at| is_twice(&all[*at]))?;
        let last = range.rev().find(|at| is_twice(&all[*at]))?;
        Some(first..=last)
    };
    let (start, end) = (bounds(0..middle), bounds(middle..all.len()));
    for (at, token) in all.iter().enumerate() {
        let source = match (&start, &end) {
            (Some(start), _) if start.contains(&at) => "startRange",
            (_, Some(end)) if end.contains(&at) => "endRange",
            _ => SHARED,
        };
        let moment = if at < middle { first } else { second };
        let (kind, text) = format.piece(token, moment, &all);
        push(&mut parts, Part::new(kind, text), source);
    }
    parts
}

fn push(parts: &mut Vec<RangePart>, part: Part, source: &'static str) {
    match parts.last_mut() {
        Some(last) if last.source == source && last.part.kind == LITERAL && part.kind == LITERAL => {
            last.part.text.push_str(&part.text);
        }
        _ => parts.push(RangePart { part, source }),
    }
}

/// The format's pattern of a time, with the date that it is not of alone.
fn with_date(format: &DateFormat) -> Result<Vec<Token>> {
    best(format, &format!("yMd{}", shown_skeleton(format).replace('O', "")))
}

/// The locale's pattern for a skeleton, with hours as the format counts them.
fn best(format: &DateFormat, skeleton: &str) -> Result<Vec<Token>> {
    let generator = super::Generator::new(format.names.patterns(), &format.names.fields);
    let pattern = generator.best(&Skeleton::of(skeleton), Hours::AsUsual)?;
    Ok(tokens(&match hours_of(&format.pattern) {
        Some(letter) => with_hours(&pattern, letter),
        None => pattern,
    }))
}

/// All fields of the format's pattern.
fn shown_skeleton(format: &DateFormat) -> String {
    let mut skeleton = String::new();
    for token in &format.tokens {
        if let Token::Field(letter, length) = token
            && *letter != 'a'
        {
            skeleton.extend(std::iter::repeat_n(*letter, *length));
        }
    }
    skeleton
}

/// Both in full.
fn fallback(format: &DateFormat, all: &[Token], first: &Moment, second: &Moment) -> Vec<RangePart> {
    let whole = |moment: &Moment| format.parts_of(all, moment);
    let mut parts = Vec::new();
    for part in crate::part::fill(
        &format.names.patterns().interval_fallback,
        &[&[Part::new("0", "0")], &[Part::new("1", "1")]],
    ) {
        match part.kind {
            "0" => parts.extend(of("startRange", whole(first))),
            "1" => parts.extend(of("endRange", whole(second))),
            _ => parts.extend(of(SHARED, vec![part])),
        }
    }
    parts
}
