//! Large and small numbers in few digits: `1.2M`, `1.2E6`.
use std::collections::HashMap;

use serde::Deserialize;

use super::data::Plurals;
use crate::decimal::{Decimal, DigitOptions, Digits};
use crate::plural::pick;

/// `notation`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Notation {
    #[default]
    Standard,
    Scientific,
    Engineering,
    Compact,
}

/// A number that is written as another one, times a power of ten.
pub(crate) struct Compacted {
    pub(crate) digits: Digits,
    pub(crate) power: i32,
}

/// Rounds a number, and writes it as one between 1 and 10, or 1 and 1,000.
pub(crate) fn scientific(value: &Decimal, digits: &DigitOptions, step: i32) -> Compacted {
    let power = |value: &Decimal| value.magnitude().div_euclid(step) * step;
    round_with(value, digits, power)
}

/// Rounds a number, and writes it as a multiple of the power of ten that there are words for.
pub(crate) fn compact(
    value: &Decimal,
    digits: &DigitOptions,
    patterns: &HashMap<String, Plurals>,
) -> Compacted {
    round_with(value, digits, |value| {
        let magnitude = value.magnitude().min(largest(patterns));
        let plurals = patterns.get(&magnitude.to_string());
        let usual = plurals.and_then(|plurals| pick(plurals, "other"));
        usual.filter(|pattern| !is_plain(pattern)).map_or(0, |pattern| magnitude - zeros(pattern) + 1)
    })
}

/// The largest power of ten that has a pattern: those above are multiples of it.
pub(crate) fn largest(patterns: &HashMap<String, Plurals>) -> i32 {
    patterns.keys().filter_map(|power| power.parse().ok()).max().unwrap_or(0)
}

fn round_with(value: &Decimal, digits: &DigitOptions, power: impl Fn(&Decimal) -> i32) -> Compacted {
    let first = power(value);
    let rounded = digits.round(&value.clone().scaled(-first));
    // 999,999 is a million when it is rounded.
    let second = power(&rounded.value.clone().scaled(first));
    if second == first {
        return Compacted { digits: rounded, power: first };
    }
    Compacted { digits: digits.round(&value.clone().scaled(-second)), power: second }
}

/// How many digits a pattern has.
fn zeros(pattern: &str) -> i32 {
    pattern.split(';').next().unwrap_or_default().matches('0').count().max(1) as i32
}

/// Whether numbers of this pattern are written out.
fn is_plain(pattern: &str) -> bool {
    pattern == "0"
}
