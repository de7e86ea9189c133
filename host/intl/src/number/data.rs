//! What CLDR says of a locale's numbers.
use std::collections::HashMap;

use serde::Deserialize;

use crate::data::{Section, shared};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Numbers {
    /// The numbering system that is used if none is asked for.
    pub(crate) system: String,
    pub(crate) minimum_grouping: usize,
    symbols: HashMap<String, Symbols>,
    formats: HashMap<String, Formats>,
    #[serde(default)]
    pub(crate) currencies: HashMap<String, Currency>,
}

#[derive(Deserialize, Clone)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Symbols {
    pub(crate) decimal: String,
    pub(crate) group: String,
    pub(crate) percent: String,
    pub(crate) plus: String,
    pub(crate) minus: String,
    pub(crate) exponential: String,
    pub(crate) infinity: String,
    pub(crate) nan: String,
    pub(crate) approximately: String,
    pub(crate) currency_decimal: Option<String>,
    pub(crate) currency_group: Option<String>,
}

/// Patterns, by the plural of what they are filled with: `one`, `other`, or a number.
pub(crate) type Plurals = HashMap<String, String>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Formats {
    pub(crate) decimal: String,
    pub(crate) percent: String,
    pub(crate) currency: String,
    pub(crate) accounting: String,
    /// By the power of ten.
    pub(crate) compact_long: HashMap<String, Plurals>,
    pub(crate) compact_short: HashMap<String, Plurals>,
    #[serde(default)]
    pub(crate) compact_currency: HashMap<String, Plurals>,
    pub(crate) currency_name: Plurals,
    pub(crate) range: String,
}

#[derive(Deserialize, Clone, Default)]
pub(crate) struct Currency {
    pub(crate) symbol: Option<String>,
    pub(crate) narrow: Option<String>,
    pub(crate) name: Option<String>,
    #[serde(default)]
    pub(crate) counts: Plurals,
}

impl Section for Numbers {
    const NAME: &'static str = "numbers";
}

impl Numbers {
    /// Those of a numbering system; of Latin digits, if there are none for it.
    pub(crate) fn symbols(&self, system: &str) -> &Symbols {
        let own = self.symbols.get(system).or_else(|| shared().symbols.get(system));
        own.unwrap_or_else(|| self.fallback(&self.symbols))
    }

    pub(crate) fn formats(&self, system: &str) -> &Formats {
        self.formats.get(system).unwrap_or_else(|| self.fallback(&self.formats))
    }

    fn fallback<'a, T>(&self, all: &'a HashMap<String, T>) -> &'a T {
        all.get("latn").or_else(|| all.get(&self.system)).expect("a locale has one of the two")
    }
}

/// By the width, then the unit: patterns by plural, and `per`. A width's own `per` joins two units.
#[derive(Deserialize)]
pub(crate) struct Units {
    pub(crate) long: Width,
    pub(crate) short: Width,
    pub(crate) narrow: Width,
}

#[derive(Deserialize)]
pub(crate) struct Width {
    pub(crate) per: String,
    #[serde(flatten)]
    pub(crate) units: HashMap<String, Plurals>,
}

impl Section for Units {
    const NAME: &'static str = "units";
}
