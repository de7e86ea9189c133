//! `Intl.RelativeTimeFormat`: `in 3 days`, `yesterday`.
use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::data::Section;
use crate::error::{Result, invalid, range};
use crate::number::NumberFormat;
use crate::number::data::Plurals;
use crate::part::{LITERAL, Part, placeholder, push};
use crate::plural::{number_and_plural, pick, plain_numbers};

#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct Units(HashMap<String, Unit>);

#[derive(Deserialize)]
struct Unit {
    /// `yesterday` and the like, by the number.
    words: HashMap<String, String>,
    future: Plurals,
    past: Plurals,
}

impl Section for Units {
    const NAME: &'static str = "relative";
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Options {
    locale: String,
    numbering_system: String,
    style: String,
    numeric: String,
}

/// A formatter of spans of time.
pub(crate) struct RelativeFormat {
    options: Options,
    units: Arc<Units>,
    numbers: NumberFormat,
}

/// A piece; those of the number say of which unit it is.
#[derive(Debug, Serialize)]
pub(crate) struct RelativePart {
    #[serde(flatten)]
    part: Part,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
}

impl RelativeFormat {
    pub(crate) fn new(options: &str) -> Result<RelativeFormat> {
        let options: Options =
            serde_json::from_str(options).map_err(|error| invalid("the options", error))?;
        let units = crate::data::section::<Units>(&options.locale)?;
        let numbers = plain_numbers(&options.locale, &options.numbering_system)?;
        Ok(RelativeFormat { options, units, numbers })
    }

    /// The pieces of so many units, before now if it is negative.
    pub(crate) fn parts(&self, number: &str, unit: &str) -> Result<Vec<RelativePart>> {
        let width = match self.options.style.as_str() {
            "long" => String::new(),
            style => format!("-{style}"),
        };
        let Some(all) = self.units.0.get(&format!("{unit}{width}")) else {
            return range(format!("there is no unit {unit}"));
        };
        let is_negative = number.starts_with('-');
        if self.options.numeric == "auto"
            && let Some(word) = all.words.get(if number == "-0" { "0" } else { number })
        {
            return Ok(vec![RelativePart { part: Part::new(LITERAL, &**word), unit: None }]);
        }
        let (parts, plural) = number_and_plural(&self.numbers, number.trim_start_matches('-'))?;
        let patterns = if is_negative { &all.past } else { &all.future };
        Ok(fill(pick(patterns, &plural).unwrap_or("{0}"), parts, unit))
    }
}

fn fill(pattern: &str, number: Vec<Part>, unit: &str) -> Vec<RelativePart> {
    let (before, after) =
        placeholder(pattern).map_or((pattern, None), |(before, _, after)| (before, Some(after)));
    let mut parts = Vec::new();
    let literal = |parts: &mut Vec<RelativePart>, text: &str| {
        let mut literals = Vec::new();
        push(&mut literals, LITERAL, text);
        parts.extend(literals.into_iter().map(|part| RelativePart { part, unit: None }));
    };
    literal(&mut parts, before);
    if let Some(after) = after {
        parts.extend(number.into_iter().map(|part| RelativePart { part, unit: Some(unit.to_owned()) }));
        literal(&mut parts, after);
    }
    parts
}

/// The whole text.
pub(crate) fn text(parts: &[RelativePart]) -> String {
    parts.iter().map(|part| part.part.text.as_str()).collect()
}
