//! Spans of time: `Jan 3 – 5, 2026`.
use super::pattern::{Token, hours_of, tokens, with_hours};
use super::skeleton::{Hours, Skeleton};
use super::{DateFormat, Moment};
use crate::error::Result;
use crate::number::RangePart;
use crate::part::{LITERAL, Part};

pub(super) const SHARED: &str = "shared";

fn of(source: &'static str, parts: Vec<Part>) -> Vec<RangePart> {
    parts.into_iter().map(|part| RangePart { part, source }).collect()
}

pub(super) fn parts(format: &DateFormat, start: i64, end: i64) -> Result<Vec<RangePart>> {
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
            let all = best(format, &shown_skeleton(format))?;
            Ok(fallback(format, &all, &first, &second))
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
    let skeleton = own_skeleton(format);
    let (date, time) = split(&skeleton);
    if !date.is_empty() && !time.is_empty() {
        return if matches!(largest, 'a' | 'H' | 'm') {
            date_and_time(format, &date, &time, largest)
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
    let pattern = patterns.intervals.get(&found)?.get(&key(largest, &found)?.to_string())?.clone();
    Some(fit(&pattern, &skeleton, &found))
}

/// The fields that the format shows, as a skeleton.
fn own_skeleton(format: &DateFormat) -> String {
    let mut skeleton = String::new();
    for token in &format.tokens {
        if let Token::Field(letter, length) = token {
            let letter = match letter {
                'K' => 'h',
                'k' => 'H',
                'z' | 'O' => 'v',
                'a' => continue,
                other => *other,
            };
            skeleton
                .extend(std::iter::repeat_n(letter, if letter == 'E' && *length < 4 { 1 } else { *length }));
        }
    }
    skeleton
}

fn split(skeleton: &str) -> (String, String) {
    skeleton.chars().partition(|letter| "GyMdE".contains(*letter))
}

/// How a skeleton's patterns name a difference.
fn key(largest: char, skeleton: &str) -> Option<char> {
    match largest {
        'H' if skeleton.contains('h') => Some('h'),
        's' | 'S' => None,
        'a' if !skeleton.contains('h') => Some('H'),
        other => Some(other),
    }
}

/// The skeleton that has a pattern for the difference, the same fields, and lengths that are nearest.
fn nearest(format: &DateFormat, wanted: &str, largest: char) -> Option<String> {
    let wanted = Skeleton::of(wanted);
    let mut best: Option<(i32, &String)> = None;
    let mut all: Vec<_> = format.names.patterns().intervals.iter().collect();
    all.sort_by_key(|(skeleton, _)| *skeleton);
    for (skeleton, patterns) in all {
        let (distance, missing, extra) = wanted.distance(&Skeleton::of(skeleton), u32::MAX);
        let has_pattern = key(largest, skeleton).is_some_and(|key| patterns.contains_key(&key.to_string()));
        if missing == 0 && extra == 0 && has_pattern && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, skeleton));
        }
    }
    best.map(|(_, skeleton)| skeleton.clone())
}

/// Gives a pattern's fields the lengths of the format's, as ICU does.
fn fit(pattern: &str, wanted: &str, found: &str) -> String {
    let count = |skeleton: &str, letter: char| skeleton.chars().filter(|other| *other == letter).count();
    let mut fitted = String::new();
    for token in tokens(pattern) {
        match token {
            Token::Text(text) => super::pattern::quote(&mut fitted, &text),
            Token::Field(letter, length) => {
                let named = if letter == 'L' { 'M' } else { letter };
                let (asked, had) = (count(wanted, named), count(found, named));
                let length = if had == length && asked > had { asked } else { length };
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
    let span = patterns.intervals.get(&found)?.get(&key(largest, &found)?.to_string())?;
    let generator = super::Generator::new(patterns, &format.names.fields);
    let date_pattern = generator.best(&Skeleton::of(date), Hours::AsUsual).ok()?;
    let glue = patterns.glue.get("medium").map_or("{1}, {0}", String::as_str);
    Some(glue.replace("{1}", &date_pattern).replace("{0}", &fit(span, time, &found)))
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
        for part in format.parts_of(std::slice::from_ref(token), moment) {
            push(&mut parts, part, source);
        }
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
    best(format, &format!("yMd{}", shown_skeleton(format)))
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
