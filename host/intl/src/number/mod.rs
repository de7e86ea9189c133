//! `Intl.NumberFormat`: numbers, percentages, currencies and units.
pub(crate) mod compact;
pub(crate) mod data;
mod pattern;
mod range;

mod unit;

use std::sync::Arc;

use serde::Deserialize;

use crate::data::{section, shared};
use crate::decimal::{Decimal, DigitOptions, Digits, Number};
use crate::error::{Result, invalid};
use crate::part::{LITERAL, Part, push, trim};
use crate::plural::{Rules, pick};
use compact::{Compacted, Notation};
use data::{Currency, Formats, Numbers, Symbols, Units};
use pattern::{Affix, Pattern};
pub(crate) use range::{RangePart, merged};

/// The options, as the runtime has resolved them.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NumberOptions {
    pub(crate) locale: String,
    pub(crate) numbering_system: String,
    #[serde(default)]
    style: Style,
    currency: Option<String>,
    #[serde(default)]
    currency_display: CurrencyDisplay,
    #[serde(default)]
    currency_sign: String,
    unit: Option<String>,
    #[serde(default)]
    unit_display: String,
    #[serde(default)]
    notation: Notation,
    #[serde(default)]
    compact_display: String,
    #[serde(default)]
    sign_display: SignDisplay,
    /// `auto`, `always`, `min2` or `false`.
    #[serde(default = "auto")]
    use_grouping: String,
    #[serde(flatten)]
    digits: DigitOptions,
}

fn auto() -> String {
    "auto".to_owned()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
enum Style {
    #[default]
    Decimal,
    Percent,
    Currency,
    Unit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
enum CurrencyDisplay {
    #[default]
    Symbol,
    NarrowSymbol,
    Code,
    Name,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
enum SignDisplay {
    #[default]
    Auto,
    Always,
    Never,
    ExceptZero,
    Negative,
}

impl NumberOptions {
    pub(crate) fn plain(
        locale: &str,
        numbering_system: &str,
        notation: Notation,
        digits: DigitOptions,
    ) -> Self {
        NumberOptions {
            locale: locale.to_owned(),
            numbering_system: numbering_system.to_owned(),
            style: Style::Decimal,
            currency: None,
            currency_display: CurrencyDisplay::Symbol,
            currency_sign: String::new(),
            unit: None,
            unit_display: String::new(),
            notation,
            compact_display: String::new(),
            sign_display: SignDisplay::Auto,
            use_grouping: auto(),
            digits,
        }
    }
}

/// Whether a number is written as percentages are, and not as what has a unit.
fn is_plain_percent(options: &NumberOptions) -> bool {
    let is_unit = options.style == Style::Unit && options.unit.as_deref() == Some("percent");
    let is_percent = options.style == Style::Percent || is_unit && options.unit_display != "long";
    is_percent && options.notation != Notation::Compact
}

/// What a number's sign is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    None,
    Minus,
    Plus,
    Approximately,
}

/// A number's pieces, and the plural that it takes in its language.
pub(crate) struct Formatted {
    pub(crate) parts: Vec<Part>,
    pub(crate) plural: String,
}

/// A formatter.
pub(crate) struct NumberFormat {
    options: NumberOptions,
    numbers: Arc<Numbers>,
    units: Option<Arc<Units>>,
    rules: Rules,
    /// The ten digits.
    digits: Vec<char>,
    /// What the number is put in, if it is not compact.
    pattern: Pattern,
    currency: Currency,
}

impl NumberFormat {
    pub(crate) fn new(options: &str) -> Result<NumberFormat> {
        NumberFormat::with(serde_json::from_str(options).map_err(|error| invalid("the options", error))?)
    }

    pub(crate) fn with(options: NumberOptions) -> Result<NumberFormat> {
        let numbers = section::<Numbers>(&options.locale)?;
        let units = match options.style {
            Style::Unit | Style::Percent => Some(section::<Units>(&options.locale)?),
            _ => None,
        };
        let digits = shared().digits.get(&options.numbering_system);
        let digits = digits.map_or("0123456789", String::as_str).chars().collect();
        let formats = numbers.formats(&options.numbering_system);
        let pattern = Pattern::parse(match options.style {
            _ if is_plain_percent(&options) => &formats.percent,
            Style::Currency if options.currency_display == CurrencyDisplay::Name => &formats.decimal,
            Style::Currency if options.currency_sign == "accounting" => &formats.accounting,
            Style::Currency => &formats.currency,
            _ => &formats.decimal,
        });
        let code = options.currency.clone().unwrap_or_default();
        let currency = numbers.currencies.get(&code).cloned().unwrap_or_default();
        let rules = Rules::new(&options.locale, false)?;
        let format = NumberFormat { options, numbers, units, rules, digits, pattern, currency };
        unit::check(&format)?;
        Ok(format)
    }

    fn symbols(&self) -> &Symbols {
        self.numbers.symbols(&self.options.numbering_system)
    }

    fn formats(&self) -> &Formats {
        self.numbers.formats(&self.options.numbering_system)
    }

    /// The pieces of a number.
    pub(crate) fn parts(&self, number: &str) -> Result<Vec<Part>> {
        Ok(self.formatted(&Number::parse(number)?)?.parts)
    }

    /// The pieces of all numbers from one to another.
    pub(crate) fn range(&self, start: &str, end: &str) -> Result<Vec<range::RangePart>> {
        range::parts(self, &Number::parse(start)?, &Number::parse(end)?)
    }

    pub(crate) fn formatted(&self, number: &Number) -> Result<Formatted> {
        let layers = self.layers(number)?;
        let parts = self.outer(self.signed(layers.inner(), &layers), &layers);
        Ok(Formatted { parts: trim(parts), plural: layers.plural })
    }

    /// A number without what is put around it.
    fn layers(&self, number: &Number) -> Result<Layers> {
        let symbols = self.symbols();
        Ok(match number {
            Number::Nan => self.without_digits("nan", &symbols.nan, false),
            Number::Infinity { negative } => self.without_digits("infinity", &symbols.infinity, *negative),
            Number::Finite(decimal) => self.with_digits(decimal),
        })
    }

    fn without_digits(&self, kind: &'static str, text: &str, negative: bool) -> Layers {
        let sign = self.sign(negative, kind == "nan");
        Layers { body: vec![Part::new(kind, text)], sign, compact: None, plural: "other".to_owned() }
    }

    fn with_digits(&self, decimal: &Decimal) -> Layers {
        let decimal = match self.options.style {
            Style::Percent => decimal.clone().scaled(2),
            _ => decimal.clone(),
        };
        let digits = &self.options.digits;
        let Compacted { digits, power } = match self.options.notation {
            Notation::Standard => Compacted { digits: digits.round(&decimal), power: 0 },
            Notation::Scientific => compact::scientific(&decimal, digits, 1),
            Notation::Engineering => compact::scientific(&decimal, digits, 3),
            Notation::Compact => compact::compact(&decimal, digits, self.compact_patterns()),
        };
        let sign = self.sign(digits.value.negative, digits.value.is_zero());
        let mut body = self.digit_parts(&digits);
        let is_compact = self.options.notation == Notation::Compact;
        let plain = digits.plain();
        let plural = self.rules.of(&plain, if is_compact { power } else { 0 });
        if matches!(self.options.notation, Notation::Scientific | Notation::Engineering) {
            self.push_exponent(&mut body, power);
        }
        let compact =
            if is_compact { self.compact_pattern(&digits, power, self.rules.of(&plain, 0)) } else { None };
        if compact.as_ref().is_some_and(|pattern| pattern.whole_digits == 0) {
            body.clear();
        }
        Layers { body, sign, compact, plural: plural.to_owned() }
    }

    fn sign(&self, negative: bool, is_zero: bool) -> Sign {
        match (self.options.sign_display, negative) {
            (SignDisplay::Never, _) => Sign::None,
            (SignDisplay::ExceptZero | SignDisplay::Negative, _) if is_zero => Sign::None,
            (_, true) => Sign::Minus,
            (SignDisplay::Always | SignDisplay::ExceptZero, false) => Sign::Plus,
            _ => Sign::None,
        }
    }

    // ---- digits ----

    fn digit_parts(&self, digits: &Digits) -> Vec<Part> {
        let symbols = self.symbols();
        let is_currency = self.options.style == Style::Currency;
        let or = |own: &Option<String>, usual: &str| {
            own.clone().filter(|_| is_currency).unwrap_or(usual.to_owned())
        };
        let mut parts = Vec::new();
        let group = or(&symbols.currency_group, &symbols.group);
        let sizes = self.group_sizes(digits.whole.len());
        let mut rest = digits.whole.as_slice();
        for (i, size) in sizes.iter().enumerate() {
            if i > 0 {
                parts.push(Part::new("group", &*group));
            }
            let (now, later) = rest.split_at(*size);
            parts.push(Part::new("integer", self.digit_text(now)));
            rest = later;
        }
        if !digits.fraction.is_empty() {
            parts.push(Part::new("decimal", or(&symbols.currency_decimal, &symbols.decimal)));
            parts.push(Part::new("fraction", self.digit_text(&digits.fraction)));
        }
        parts
    }

    /// How many digits each group has, from the left.
    fn group_sizes(&self, length: usize) -> Vec<usize> {
        let (first, second) = match self.options.notation {
            Notation::Scientific | Notation::Engineering => (0, 0),
            _ => self.pattern.groups,
        };
        let least = match self.options.use_grouping.as_str() {
            "false" => usize::MAX,
            "always" => 1,
            "min2" => self.numbers.minimum_grouping.max(2),
            _ => self.numbers.minimum_grouping,
        };
        if first == 0 || length < first.saturating_add(least) {
            return vec![length];
        }
        let mut sizes = vec![first];
        let mut left = length - first;
        while left > 0 {
            sizes.push(left.min(second));
            left -= left.min(second);
        }
        sizes.reverse();
        sizes
    }

    fn digit_text(&self, digits: &[u8]) -> String {
        digits.iter().filter_map(|digit| self.digits.get(usize::from(*digit))).collect()
    }

    fn push_exponent(&self, parts: &mut Vec<Part>, power: i32) {
        let symbols = self.symbols();
        parts.push(Part::new("exponentSeparator", &*symbols.exponential));
        if power < 0 {
            parts.push(Part::new("exponentMinusSign", &*symbols.minus));
        }
        let digits: Vec<u8> = power.unsigned_abs().to_string().bytes().map(|byte| byte - b'0').collect();
        parts.push(Part::new("exponentInteger", self.digit_text(&digits)));
    }

    // ---- what is put around them ----

    fn has_symbol(&self) -> bool {
        self.options.style == Style::Currency && self.options.currency_display != CurrencyDisplay::Name
    }

    fn compact_patterns(&self) -> &std::collections::HashMap<String, data::Plurals> {
        let formats = self.formats();
        match self.options.compact_display.as_str() {
            // Digits of other systems may have none of their own.
            _ if self.has_symbol() && formats.compact_currency.is_empty() => {
                &self.numbers.formats("latn").compact_currency
            }
            _ if self.has_symbol() => &formats.compact_currency,
            "long" => &formats.compact_long,
            _ => &formats.compact_short,
        }
    }

    /// The pattern of a power of ten; none if the number is written out.
    fn compact_pattern(&self, digits: &Digits, power: i32, plural: &str) -> Option<Pattern> {
        let patterns = self.compact_patterns();
        let magnitude = (digits.value.magnitude() + power).min(compact::largest(patterns));
        let plurals = patterns.get(&magnitude.to_string()).filter(|_| power > 0)?;
        let exact = plurals.get(&digits.plain());
        let pattern = exact.map(String::as_str).or_else(|| pick(plurals, plural))?;
        Some(Pattern::parse(pattern))
    }

    /// Puts signs, the percent sign and the currency's symbol around a number.
    fn signed(&self, body: &[Part], layers: &Layers) -> Vec<Part> {
        // What is compact has a pattern of its own, and in a currency that holds the symbol too.
        let inner = match &layers.compact {
            Some(pattern) if !self.has_symbol() => self.compact_body(pattern, body),
            _ => body.to_vec(),
        };
        let pattern = match &layers.compact {
            Some(pattern) if self.has_symbol() => pattern,
            _ => &self.pattern,
        };
        let affixes = Affixes::choose(pattern, layers.sign);
        let kind = if layers.compact.is_some() { "compact" } else { LITERAL };
        let mut parts = Vec::new();
        self.push_affix(&mut parts, &affixes.prefix, layers.sign, kind, beside(body, true));
        parts.extend(inner);
        self.push_affix(&mut parts, &affixes.suffix, layers.sign, kind, beside(body, false));
        parts
    }

    fn compact_body(&self, pattern: &Pattern, body: &[Part]) -> Vec<Part> {
        let mut parts = Vec::new();
        self.push_affix(&mut parts, &pattern.positive.0, Sign::None, "compact", beside(body, true));
        parts.extend_from_slice(body);
        self.push_affix(&mut parts, &pattern.positive.1, Sign::None, "compact", beside(body, false));
        trim(parts)
    }

    fn push_affix(
        &self,
        parts: &mut Vec<Part>,
        affix: &[Affix],
        sign: Sign,
        text_kind: &'static str,
        beside: Beside,
    ) {
        let symbols = self.symbols();
        let currency = self.currency_text();
        for (at, piece) in affix.iter().enumerate() {
            match piece {
                Affix::Text(text) => parts.push(Part::new(text_kind, &**text)),
                Affix::Minus if sign == Sign::Plus => parts.push(Part::new("plusSign", &*symbols.plus)),
                Affix::Minus if sign == Sign::Approximately => {
                    parts.push(Part::new("approximatelySign", &*symbols.approximately));
                }
                Affix::Minus => parts.push(Part::new("minusSign", &*symbols.minus)),
                Affix::Plus => parts.push(Part::new("plusSign", &*symbols.plus)),
                Affix::Percent => parts.push(Part::new(self.percent_kind(), &*symbols.percent)),
                Affix::Currency => {
                    let (first, last) = (currency.chars().next(), currency.chars().last());
                    if beside == Beside::Behind && at == 0 && first.is_some_and(needs_space) {
                        push(parts, LITERAL, "\u{a0}");
                    }
                    parts.push(Part::new("currency", &*currency));
                    let is_last = at + 1 == affix.len();
                    if beside == Beside::Before && is_last && last.is_some_and(needs_space) {
                        push(parts, LITERAL, "\u{a0}");
                    }
                }
            }
        }
    }

    /// A percent sign may be a unit.
    fn percent_kind(&self) -> &'static str {
        if self.options.style == Style::Unit { "unit" } else { "percentSign" }
    }

    fn currency_text(&self) -> String {
        let code = self.options.currency.clone().unwrap_or_default();
        let symbol = self.currency.symbol.clone().unwrap_or(code.clone());
        match self.options.currency_display {
            CurrencyDisplay::Symbol => symbol,
            CurrencyDisplay::NarrowSymbol => self.currency.narrow.clone().unwrap_or(symbol),
            CurrencyDisplay::Code | CurrencyDisplay::Name => code,
        }
    }

    /// Puts a unit or a currency's name around a number with its sign.
    fn outer(&self, inner: Vec<Part>, layers: &Layers) -> Vec<Part> {
        self.outer_of(&inner, &layers.plural)
    }

    fn outer_of(&self, inner: &[Part], plural: &str) -> Vec<Part> {
        match self.options.style {
            Style::Unit | Style::Percent if !is_plain_percent(&self.options) => {
                unit::wrap(self, inner, plural)
            }
            Style::Currency if self.options.currency_display == CurrencyDisplay::Name => {
                let code = self.options.currency.clone().unwrap_or_default();
                let usual = self.currency.name.as_ref().unwrap_or(&code);
                let name = pick(&self.currency.counts, plural).unwrap_or(usual);
                let pattern = pick(&self.formats().currency_name, plural).unwrap_or("{0} {1}");
                unit::with_unit(&pattern.replace("{1}", name), inner, "currency")
            }
            _ => inner.to_vec(),
        }
    }
}

/// A number before anything is put around it.
pub(super) struct Layers {
    body: Vec<Part>,
    sign: Sign,
    compact: Option<Pattern>,
    plural: String,
}

impl Layers {
    fn inner(&self) -> &[Part] {
        &self.body
    }
}

/// What stands before and behind a number of a sign.
struct Affixes {
    prefix: Vec<Affix>,
    suffix: Vec<Affix>,
}

impl Affixes {
    fn choose(pattern: &Pattern, sign: Sign) -> Affixes {
        let has_minus = |(prefix, suffix): &(Vec<Affix>, Vec<Affix>)| {
            prefix.contains(&Affix::Minus) || suffix.contains(&Affix::Minus)
        };
        match (&pattern.negative, sign) {
            (Some(negative), Sign::Minus) => {
                Affixes { prefix: negative.0.clone(), suffix: negative.1.clone() }
            }
            (Some(negative), Sign::Plus | Sign::Approximately) if has_minus(negative) => {
                Affixes { prefix: negative.0.clone(), suffix: negative.1.clone() }
            }
            (_, sign) => {
                let (mut prefix, suffix) = pattern.positive.clone();
                match sign {
                    Sign::None => {}
                    Sign::Minus | Sign::Approximately => prefix.insert(0, Affix::Minus),
                    Sign::Plus => prefix.insert(0, Affix::Plus),
                }
                Affixes { prefix, suffix }
            }
        }
    }
}

/// Where an affix stands. Symbols stand apart from digits alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beside {
    Before,
    Behind,
    Apart,
}

fn beside(body: &[Part], is_prefix: bool) -> Beside {
    match body.iter().any(|part| matches!(part.kind, "nan" | "infinity")) {
        true => Beside::Apart,
        false if is_prefix => Beside::Before,
        false => Beside::Behind,
    }
}

/// Whether a symbol with this at its end stands apart from digits: what is neither a symbol nor a space.
fn needs_space(c: char) -> bool {
    let is_symbol = matches!(c,
        '$' | '+' | '<' | '=' | '>' | '^' | '`' | '|' | '~' | '\u{a2}'..='\u{a6}' | '\u{a8}' | '\u{a9}' | '\u{ac}'
        | '\u{ae}'..='\u{b1}' | '\u{b4}' | '\u{b8}' | '\u{20a0}'..='\u{20cf}' | '\u{9f2}' | '\u{9f3}' | '\u{9fb}'
        | '\u{af1}' | '\u{bf9}' | '\u{e3f}' | '\u{17db}' | '\u{58f}' | '\u{60b}' | '\u{fdfc}' | '\u{ff04}' | '\u{ffe0}'
        | '\u{ffe1}' | '\u{ffe5}' | '\u{ffe6}');
    !is_symbol && !c.is_whitespace() && c != '\u{a0}' && c != '\u{202f}'
}
