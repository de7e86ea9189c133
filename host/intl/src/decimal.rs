//! Decimal numbers of any length, and their rounding as ECMA-402 has it.
use serde::Deserialize;

use crate::error::{IntlError, Result};

/// How many digits a number may have before and after its point.
const DIGITS_MAX: i64 = 1_500;

/// A number, as JavaScript writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Number {
    Nan,
    Infinity { negative: bool },
    Finite(Decimal),
}

impl Number {
    /// Reads what `String(number)` gives, or a longer text of decimal digits.
    pub(crate) fn parse(text: &str) -> Result<Number> {
        let (negative, magnitude) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        match magnitude {
            "NaN" => Ok(Number::Nan),
            "Infinity" => Ok(Number::Infinity { negative }),
            _ => Decimal::parse(magnitude, negative).map(Number::Finite),
        }
    }
}

/// `0.d1d2d3... * 10^exponent`, without zeros at either end; no digits are zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decimal {
    pub(crate) negative: bool,
    /// 0 to 9 each.
    pub(crate) digits: Vec<u8>,
    pub(crate) exponent: i32,
}

impl Decimal {
    fn parse(text: &str, negative: bool) -> Result<Decimal> {
        let broken = || {
            IntlError::Range(format!("{} is no decimal number", text.chars().take(40).collect::<String>()))
        };
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let exponent: i64 = exponent.parse().map_err(|_| broken())?;
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let is_number = !(whole.is_empty() && fraction.is_empty())
            && whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
        if !is_number {
            return Err(broken());
        }
        let digits = whole.bytes().chain(fraction.bytes()).map(|byte| byte - b'0').collect::<Vec<_>>();
        let point = whole.len() as i64 + exponent;
        if point.abs() > DIGITS_MAX || digits.len() as i64 > DIGITS_MAX {
            return Err(IntlError::Range("a number of so many digits cannot be formatted".to_owned()));
        }
        Ok(Decimal { negative, digits, exponent: point as i32 }.normalized())
    }

    fn normalized(mut self) -> Decimal {
        let zeros = self.digits.iter().take_while(|digit| **digit == 0).count();
        self.digits.drain(..zeros);
        self.exponent -= zeros as i32;
        while self.digits.last() == Some(&0) {
            self.digits.pop();
        }
        if self.digits.is_empty() {
            self.exponent = 0;
        }
        self
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }

    /// The power of ten of its first digit; 0 for zero.
    pub(crate) fn magnitude(&self) -> i32 {
        if self.is_zero() { 0 } else { self.exponent - 1 }
    }

    /// `self * 10^power`.
    pub(crate) fn scaled(mut self, power: i32) -> Decimal {
        if !self.is_zero() {
            self.exponent += power;
        }
        self
    }

    /// The nearest multiple of `increment * 10^-places`.
    pub(crate) fn rounded(&self, places: i32, increment: u16, mode: Mode) -> Decimal {
        // How many digits stand before the place that is rounded at.
        let kept = self.exponent + places;
        let head: Vec<u8> =
            (0..kept.max(0)).map(|i| self.digits.get(i as usize).copied().unwrap_or(0)).collect();
        let tail = Tail::of(self.digits.get(kept.max(0) as usize..).unwrap_or_default(), kept < 0);
        let (mut quotient, rest) = divide(&head, increment);
        let place =
            Place { rest, increment, tail, is_odd: quotient.last().is_some_and(|digit| digit % 2 == 1) };
        if place.goes_up(mode, self.negative) {
            add_one(&mut quotient);
        }
        let digits = multiply(&quotient, increment);
        let exponent = digits.len() as i32 - places;
        Decimal { negative: self.negative, digits, exponent }.normalized()
    }

    /// Its digits before the point, and those behind it.
    pub(crate) fn split(&self) -> (Vec<u8>, Vec<u8>) {
        let at = |i: i32| if i < 0 { 0 } else { self.digits.get(i as usize).copied().unwrap_or(0) };
        let whole = (0..self.exponent.max(0)).map(at).collect();
        let behind = self.digits.len() as i32 - self.exponent;
        let fraction = (0..behind.max(0)).map(|i| at(self.exponent + i)).collect();
        (whole, fraction)
    }
}

/// What is cut off, against half of the last place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Tail {
    Nothing,
    BelowHalf,
    Half,
    AboveHalf,
}

impl Tail {
    fn of(digits: &[u8], is_further_right: bool) -> Tail {
        match digits {
            [] => Tail::Nothing,
            _ if is_further_right => Tail::BelowHalf,
            [5] => Tail::Half,
            [first, ..] if *first >= 5 => Tail::AboveHalf,
            _ => Tail::BelowHalf,
        }
    }
}

/// Where a number stands between two multiples.
struct Place {
    rest: u16,
    increment: u16,
    tail: Tail,
    /// Whether the lower multiple is an odd one.
    is_odd: bool,
}

impl Place {
    fn goes_up(&self, mode: Mode, negative: bool) -> bool {
        if self.rest == 0 && self.tail == Tail::Nothing {
            return false;
        }
        let half = self.against_half();
        match mode {
            Mode::Ceil => !negative,
            Mode::Floor => negative,
            Mode::Expand => true,
            Mode::Trunc => false,
            Mode::HalfCeil => half.is_gt() || half.is_eq() && !negative,
            Mode::HalfFloor => half.is_gt() || half.is_eq() && negative,
            Mode::HalfExpand => half.is_ge(),
            Mode::HalfTrunc => half.is_gt(),
            Mode::HalfEven => half.is_gt() || half.is_eq() && self.is_odd,
        }
    }

    fn against_half(&self) -> std::cmp::Ordering {
        let tail = self.tail.partial_cmp(&Tail::Half).expect("they are in order");
        let behind =
            if self.tail == Tail::Nothing { std::cmp::Ordering::Equal } else { std::cmp::Ordering::Greater };
        let middle = self.increment / 2;
        match self.rest.cmp(&middle) {
            std::cmp::Ordering::Equal if self.increment % 2 == 1 => tail,
            std::cmp::Ordering::Equal => behind,
            other => other,
        }
    }
}

fn divide(digits: &[u8], by: u16) -> (Vec<u8>, u16) {
    let mut rest = 0u32;
    let quotient = digits
        .iter()
        .map(|digit| {
            let now = rest * 10 + u32::from(*digit);
            rest = now % u32::from(by);
            (now / u32::from(by)) as u8
        })
        .collect();
    (quotient, rest as u16)
}

fn add_one(digits: &mut Vec<u8>) {
    for digit in digits.iter_mut().rev() {
        if *digit < 9 {
            *digit += 1;
            return;
        }
        *digit = 0;
    }
    digits.insert(0, 1);
}

fn multiply(digits: &[u8], by: u16) -> Vec<u8> {
    let mut carry = 0u32;
    let mut product: Vec<u8> = digits
        .iter()
        .rev()
        .map(|digit| {
            carry += u32::from(*digit) * u32::from(by);
            let last = carry % 10;
            carry /= 10;
            last as u8
        })
        .collect();
    while carry > 0 {
        product.push((carry % 10) as u8);
        carry /= 10;
    }
    product.reverse();
    product
}

/// `roundingMode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Mode {
    Ceil,
    Floor,
    Expand,
    Trunc,
    HalfCeil,
    HalfFloor,
    #[default]
    HalfExpand,
    HalfTrunc,
    HalfEven,
}

/// The options that say how many digits there are.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DigitOptions {
    #[serde(default = "one")]
    pub(crate) minimum_integer_digits: usize,
    pub(crate) minimum_fraction_digits: Option<i32>,
    pub(crate) maximum_fraction_digits: Option<i32>,
    pub(crate) minimum_significant_digits: Option<i32>,
    pub(crate) maximum_significant_digits: Option<i32>,
    #[serde(default)]
    pub(crate) rounding_priority: Priority,
    #[serde(default)]
    pub(crate) rounding_mode: Mode,
    #[serde(default = "one_increment")]
    pub(crate) rounding_increment: u16,
    #[serde(default)]
    pub(crate) trailing_zero_display: TrailingZeros,
}

fn one() -> usize {
    1
}

fn one_increment() -> u16 {
    1
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Priority {
    #[default]
    Auto,
    MorePrecision,
    LessPrecision,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(crate) enum TrailingZeros {
    #[default]
    Auto,
    StripIfInteger,
}

/// A number as it is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Digits {
    pub(crate) value: Decimal,
    pub(crate) whole: Vec<u8>,
    pub(crate) fraction: Vec<u8>,
}

impl Digits {
    fn with_fraction(value: Decimal, least: i32) -> Digits {
        let (mut whole, mut fraction) = value.split();
        while (fraction.len() as i32) < least {
            fraction.push(0);
        }
        if whole.is_empty() {
            whole.push(0);
        }
        Digits { value, whole, fraction }
    }

    /// As plural rules read it: `1.50`.
    pub(crate) fn plain(&self) -> String {
        let text = |digits: &[u8]| digits.iter().map(|digit| char::from(b'0' + digit)).collect::<String>();
        match self.fraction.is_empty() {
            true => text(&self.whole),
            false => format!("{}.{}", text(&self.whole), text(&self.fraction)),
        }
    }
}

impl DigitOptions {
    pub(crate) fn round(&self, value: &Decimal) -> Digits {
        let mut digits = self.round_by_priority(value);
        if self.trailing_zero_display == TrailingZeros::StripIfInteger
            && digits.fraction.iter().all(|digit| *digit == 0)
        {
            digits.fraction.clear();
        }
        while digits.whole.len() < self.minimum_integer_digits {
            digits.whole.insert(0, 0);
        }
        digits
    }

    fn round_by_priority(&self, value: &Decimal) -> Digits {
        let has_significant = self.maximum_significant_digits.is_some();
        if self.rounding_priority == Priority::Auto || self.maximum_fraction_digits.is_none() {
            return if has_significant { self.by_significant(value) } else { self.by_fraction(value) };
        }
        // Up to which power of ten each of them is exact.
        let least = |value: &Decimal| value.magnitude() - self.maximum_significant_digits.unwrap_or(21) + 1;
        let (significant, fraction) = (least(value), -self.maximum_fraction_digits.unwrap_or(0));
        let takes_significant = match self.rounding_priority {
            Priority::LessPrecision => significant > fraction,
            _ => significant <= fraction,
        };
        if takes_significant { self.by_significant(value) } else { self.by_fraction(value) }
    }

    fn by_fraction(&self, value: &Decimal) -> Digits {
        let places = self.maximum_fraction_digits.unwrap_or(3);
        let rounded = value.rounded(places, self.rounding_increment, self.rounding_mode);
        Digits::with_fraction(rounded, self.minimum_fraction_digits.unwrap_or(0))
    }

    fn by_significant(&self, value: &Decimal) -> Digits {
        let most = self.maximum_significant_digits.unwrap_or(21);
        let rounded = value.rounded(most - 1 - value.magnitude(), 1, self.rounding_mode);
        let least = self.minimum_significant_digits.unwrap_or(1) - 1 - rounded.magnitude();
        Digits::with_fraction(rounded, least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        match Number::parse(text).unwrap() {
            Number::Finite(decimal) => decimal,
            other => panic!("{other:?}"),
        }
    }

    fn shown(value: &Decimal) -> String {
        let sign = if value.negative { "-" } else { "" };
        format!("{sign}{}", Digits::with_fraction(value.clone(), 0).plain())
    }

    #[test]
    fn numbers_are_read_as_javascript_writes_them() {
        let cases = [("0", "0"), ("-0", "-0"), ("1e+21", "1000000000000000000000"), ("1.5e-7", "0.00000015")];
        for (text, expected) in cases {
            assert_eq!(shown(&decimal(text)), expected);
        }
        assert_eq!(Number::parse("-Infinity").unwrap(), Number::Infinity { negative: true });
        for broken in ["", ".", "1e", "0x1", "1e99999", "--1", "1e99999999999999999999"] {
            assert!(Number::parse(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn rounding_modes() {
        use Mode::*;
        let modes = [Ceil, Floor, Expand, Trunc, HalfCeil, HalfFloor, HalfExpand, HalfTrunc, HalfEven];
        let cases = [
            ("1.25", 1, ["1.3", "1.2", "1.3", "1.2", "1.3", "1.2", "1.3", "1.2", "1.2"]),
            ("-1.25", 1, ["-1.2", "-1.3", "-1.3", "-1.2", "-1.2", "-1.3", "-1.3", "-1.2", "-1.2"]),
            ("1.35", 1, ["1.4", "1.3", "1.4", "1.3", "1.4", "1.3", "1.4", "1.3", "1.4"]),
            ("9.999", 2, ["10", "9.99", "10", "9.99", "10", "10", "10", "10", "10"]),
            ("0.0001", 2, ["0.01", "0", "0.01", "0", "0", "0", "0", "0", "0"]),
        ];
        for (text, places, expected) in cases {
            for (mode, expected) in modes.into_iter().zip(expected) {
                assert_eq!(shown(&decimal(text).rounded(places, 1, mode)), expected, "{text} {mode:?}");
            }
        }
    }

    #[test]
    fn rounding_to_multiples() {
        let cases = [
            ("1.23", 2, 5, "1.25"),
            ("1.22", 2, 5, "1.2"),
            ("1.225", 2, 5, "1.25"),
            ("1249", 0, 500, "1000"),
        ];
        for (text, places, increment, expected) in cases {
            assert_eq!(
                shown(&decimal(text).rounded(places, increment, Mode::HalfExpand)),
                expected,
                "{text}"
            );
        }
        assert_eq!(shown(&decimal("1250").rounded(0, 500, Mode::HalfEven)), "1000");
        assert_eq!(shown(&decimal("1749.9").rounded(0, 500, Mode::HalfEven)), "1500");
    }
}
