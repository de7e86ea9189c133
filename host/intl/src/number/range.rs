//! Ranges of numbers: `$3 – $5`, `3–5 €`.
use serde::Serialize;

use super::{Layers, NumberFormat, Sign};
use crate::decimal::Number;
use crate::error::{Result, range};
use crate::part::{LITERAL, Part, trim};

/// A piece, and which of the two numbers it belongs to.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RangePart {
    #[serde(flatten)]
    pub(crate) part: Part,
    pub(crate) source: &'static str,
}

const SHARED: &str = "shared";

/// What stands between two fields is one piece; it is of both ends if it is not of one alone.
pub(crate) fn merged(parts: Vec<RangePart>) -> Vec<RangePart> {
    let mut all: Vec<RangePart> = Vec::new();
    for part in parts {
        match all.last_mut() {
            Some(last) if last.part.kind == LITERAL && part.part.kind == LITERAL => {
                last.part.text.push_str(&part.part.text);
                if last.source != part.source {
                    last.source = SHARED;
                }
            }
            _ => all.push(part),
        }
    }
    all
}

fn of(source: &'static str, parts: Vec<Part>) -> Vec<RangePart> {
    trim(parts).into_iter().map(|part| RangePart { part, source }).collect()
}

pub(super) fn parts(format: &NumberFormat, start: &Number, end: &Number) -> Result<Vec<RangePart>> {
    if matches!(start, Number::Nan) || matches!(end, Number::Nan) {
        return range("Invalid argument: NaN is at an end of a range");
    }
    let (first, second) = (format.layers(start)?, format.layers(end)?);
    let is_same = first.body == second.body && first.sign == second.sign && first.compact == second.compact;
    if is_same {
        return Ok(of(SHARED, approximate(format, first)));
    }
    let plural = format.rules.of_range(&first.plural, &second.plural);
    let ends = [format.signed(first.inner(), &first), format.signed(second.inner(), &second)].map(trim);
    Ok(merged(join(format, ends, &plural)))
}

/// The sign of what is about as large stands where the number's own sign would.
fn approximate(format: &NumberFormat, mut number: Layers) -> Vec<Part> {
    let has_sign = number.sign != Sign::None;
    if !has_sign {
        number.sign = Sign::Approximately;
    }
    let mut parts = trim(format.outer_of(&format.signed(number.inner(), &number), &number.plural));
    if has_sign {
        let is_sign = |part: &Part| matches!(part.kind, "plusSign" | "minusSign");
        let is_mark = |part: &Part| part.kind == LITERAL && part.text.chars().all(is_direction_mark);
        let at = match parts.iter().position(is_sign) {
            // Marks of direction before a sign belong to it.
            Some(at) if at > 0 && is_mark(&parts[at - 1]) => at - 1,
            Some(at) => at,
            None => parts.iter().position(|part| part.kind != LITERAL).unwrap_or(0),
        };
        parts.insert(at, Part::new("approximatelySign", &*format.symbols().approximately));
    }
    parts
}

fn is_direction_mark(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}')
}

/// Joins the two; what stands on the same side of both, and is longer than a character, is written once.
fn join(format: &NumberFormat, [first, second]: [Vec<Part>; 2], plural: &str) -> Vec<RangePart> {
    let is_number = |part: &Part| {
        matches!(part.kind, "integer" | "group" | "decimal" | "fraction" | "nan" | "infinity")
            || part.kind.starts_with("exponent")
    };
    let bounds = |parts: &[Part]| {
        let start = parts.iter().position(is_number).unwrap_or(0);
        let end = parts.iter().rposition(is_number).map_or(parts.len(), |at| at + 1);
        (start, end)
    };
    let ((a, b), (c, d)) = (bounds(&first), bounds(&second));
    let (prefix, suffix) = (&first[..a], &first[b..]);
    let is_same = prefix == &second[..c] && suffix == &second[d..];
    let length: usize = prefix.iter().chain(suffix).map(|part| part.text.chars().count()).sum();
    let collapses = is_same && length > 1;
    let has_exponent = first.iter().any(|part| part.kind.starts_with("exponent"));
    let is_spaced = has_exponent || (!collapses && length > 0);
    let pattern = separator(&format.formats().range, is_spaced);
    let (left, right) = if collapses { (&first[a..b], &second[c..d]) } else { (&first[..], &second[..]) };
    let mut joined = Vec::new();
    if collapses {
        joined.extend(of(SHARED, prefix.to_vec()));
    }
    joined.extend(of("startRange", left.to_vec()));
    joined.extend(of(SHARED, vec![Part::new(LITERAL, pattern)]));
    joined.extend(of("endRange", right.to_vec()));
    if collapses {
        joined.extend(of(SHARED, suffix.to_vec()));
    }
    around(format, joined, plural)
}

/// What stands between the two, with spaces if more than digits stand beside it.
fn separator(pattern: &str, is_spaced: bool) -> String {
    let between = pattern.replace("{0}", "").replace("{1}", "");
    match is_spaced && !between.starts_with(char::is_whitespace) {
        true => format!(" {between} "),
        false => between,
    }
}

/// A unit or a currency's name is written once, around both.
fn around(format: &NumberFormat, joined: Vec<RangePart>, plural: &str) -> Vec<RangePart> {
    let marker = [Part::new("integer", "\u{0}")];
    let outer = format.outer_of(&marker, plural);
    let mut parts = Vec::new();
    for part in trim(outer) {
        if part.text == "\u{0}" {
            parts.extend(joined.iter().cloned());
        } else {
            parts.push(RangePart { part, source: SHARED });
        }
    }
    parts
}
