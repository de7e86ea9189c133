//! Which of a language's plurals a number takes.
use std::collections::BTreeSet;
use std::str::FromStr;

use fixed_decimal::{CompactDecimal, Decimal};
use icu_locale::Locale;
use icu_plurals::{PluralCategory, PluralOperands, PluralRuleType, PluralRules, PluralRulesOptions};
use serde::Deserialize;

use crate::data::shared;
use crate::decimal::{DigitOptions, Number};
use crate::error::{Result, invalid};
use crate::number::compact::Notation;
use crate::number::data::Plurals;
use crate::number::{NumberFormat, NumberOptions};

/// The rules of a language.
pub(crate) struct Rules {
    rules: PluralRules,
    language: String,
}

impl Rules {
    pub(crate) fn new(locale: &str, is_ordinal: bool) -> Result<Rules> {
        let mut parsed = Locale::try_from_str(locale).map_err(|error| invalid("a locale", error))?;
        // They are a language's; ICU4X looks for those of `sr-Latn` in no language.
        parsed.id.script = None;
        let kind = if is_ordinal { PluralRuleType::Ordinal } else { PluralRuleType::Cardinal };
        let options = PluralRulesOptions::default().with_type(kind);
        let rules = PluralRules::try_new((&parsed).into(), options)
            .map_err(|error| invalid("the rules of plurals", error))?;
        let language = parsed.id.language.as_str().to_owned();
        Ok(Rules { rules, language })
    }

    /// Of a number as it is written (`1.50`), which stands for it times ten to a power (as in `1.5 million`).
    pub(crate) fn of(&self, written: &str, power: i32) -> &'static str {
        let operands: Option<PluralOperands> = match power {
            0 => Decimal::from_str(written).ok().map(|it| (&it).into()),
            _ => CompactDecimal::from_str(&format!("{written}c{power}")).ok().map(|it| (&it).into()),
        };
        // A number that is too long for the operands is none that has a plural of its own.
        operands.map_or("other", |operands| name(self.rules.category_for(operands)))
    }

    /// Of a range between numbers of these plurals.
    pub(crate) fn of_range(&self, start: &str, end: &str) -> String {
        let ranges = shared().plural_ranges.get(&self.language);
        let found = ranges.and_then(|ranges| ranges.get(&format!("pluralRange-start-{start}-end-{end}")));
        found.map_or("other", String::as_str).to_owned()
    }

    fn names(&self) -> BTreeSet<&'static str> {
        self.rules.categories().map(name).collect()
    }
}

/// The pattern of a plural; of the usual one, if it has none of its own.
pub(crate) fn pick<'a>(plurals: &'a Plurals, plural: &str) -> Option<&'a str> {
    plurals.get(plural).or_else(|| plurals.get("other")).map(String::as_str)
}

fn name(category: PluralCategory) -> &'static str {
    match category {
        PluralCategory::Zero => "zero",
        PluralCategory::One => "one",
        PluralCategory::Two => "two",
        PluralCategory::Few => "few",
        PluralCategory::Many => "many",
        PluralCategory::Other => "other",
    }
}

/// `Intl.PluralRules`.
pub(crate) struct PluralFormat {
    rules: Rules,
    digits: DigitOptions,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Options {
    locale: String,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(flatten)]
    digits: DigitOptions,
}

impl PluralFormat {
    pub(crate) fn new(options: &str) -> Result<PluralFormat> {
        let Options { locale, kind, digits } =
            serde_json::from_str(options).map_err(|error| invalid("the options", error))?;
        Ok(PluralFormat { rules: Rules::new(&locale, kind == "ordinal")?, digits })
    }

    pub(crate) fn select(&self, number: &str) -> Result<&'static str> {
        Ok(match Number::parse(number)? {
            Number::Finite(decimal) => self.rules.of(&self.digits.round(&decimal).plain(), 0),
            _ => "other",
        })
    }

    pub(crate) fn select_range(&self, start: &str, end: &str) -> Result<String> {
        Ok(self.rules.of_range(self.select(start)?, self.select(end)?))
    }

    /// In ICU's order: by name, the usual one at the end.
    pub(crate) fn categories(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.rules.names().into_iter().filter(|name| *name != "other").collect();
        names.push("other");
        names
    }
}

/// A number's text and its plural, for patterns that hold both.
pub(crate) fn number_and_plural(
    format: &NumberFormat,
    number: &str,
) -> Result<(Vec<crate::part::Part>, String)> {
    let formatted = format.formatted(&Number::parse(number)?)?;
    Ok((formatted.parts, formatted.plural))
}

/// The plain format of a locale's numbers.
pub(crate) fn plain_numbers(locale: &str, numbering_system: &str) -> Result<NumberFormat> {
    let digits = DigitOptions {
        minimum_integer_digits: 1,
        minimum_fraction_digits: Some(0),
        maximum_fraction_digits: Some(3),
        minimum_significant_digits: None,
        maximum_significant_digits: None,
        rounding_priority: Default::default(),
        rounding_mode: Default::default(),
        rounding_increment: 1,
        trailing_zero_display: Default::default(),
    };
    NumberFormat::with(NumberOptions::plain(locale, numbering_system, Notation::Standard, digits))
}
