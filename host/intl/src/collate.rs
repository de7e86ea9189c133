//! `Intl.Collator`: which of two texts comes first.
use std::cmp::Ordering;
use std::sync::OnceLock;

use icu_collator::options::{AlternateHandling, CaseLevel, CollatorOptions, Strength};
use icu_collator::preferences::{CollationCaseFirst, CollationNumericOrdering, CollationType};
use icu_collator::{Collator, CollatorBorrowed, CollatorPreferences};
use icu_locale::Locale;
use icu_locale::extensions::unicode::Value;
use serde::Deserialize;

use crate::error::{Result, invalid, range};
use crate::locale::language;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Options {
    locale: String,
    #[serde(default)]
    usage: String,
    #[serde(default)]
    sensitivity: String,
    #[serde(default)]
    ignore_punctuation: bool,
    /// `phonebk` and the like.
    collation: Option<String>,
    #[serde(default)]
    numeric: bool,
    #[serde(default)]
    case_first: String,
}

/// An order of texts.
pub(crate) struct Order {
    collator: CollatorBorrowed<'static>,
    /// Accents count from the end of a text.
    is_backward: bool,
    ascii: OnceLock<Option<Vec<u8>>>,
}

/// Languages in which searching is as sorting is. In others it has an order of its own, which ICU4X's data has not.
const SEARCHABLE: [&str; 16] =
    ["ca", "da", "en", "es", "fi", "fr", "id", "it", "ms", "nb", "nl", "no", "pt", "ro", "sv", "tr"];

impl Order {
    pub(crate) fn new(options: &str) -> Result<Order> {
        let options: Options =
            serde_json::from_str(options).map_err(|error| invalid("the options", error))?;
        let locale = Locale::try_from_str(&options.locale).map_err(|error| invalid("a locale", error))?;
        let mut preferences = CollatorPreferences::from(&locale);
        if options.usage == "search" && !SEARCHABLE.contains(&language(&options.locale).as_str()) {
            return range(format!(
                "the order for searching in {} is not there; use the usage `sort`, with the sensitivity `base`",
                options.locale
            ));
        }
        preferences.collation_type = options.collation.as_deref().and_then(collation_type);
        preferences.numeric_ordering = Some(if options.numeric {
            CollationNumericOrdering::True
        } else {
            CollationNumericOrdering::False
        });
        preferences.case_first = match options.case_first.as_str() {
            "upper" => Some(CollationCaseFirst::Upper),
            "lower" => Some(CollationCaseFirst::Lower),
            "false" => Some(CollationCaseFirst::False),
            _ => None,
        };
        let collator =
            Collator::try_new(preferences, how(&options)).map_err(|error| invalid("a collation", error))?;
        let is_backward = options.locale == "fr-CA";
        Ok(Order { collator, is_backward, ascii: OnceLock::new() })
    }

    pub(crate) fn compare(&self, a: &str, b: &str) -> Ordering {
        self.collator.compare(a, b)
    }

    /// Weights by which texts of ASCII alone are in this order: 128 that decide first, character by character, and 128 that
    /// decide between texts whose first ones are alike; 0 for characters that have none. `None`: the order is not of that
    /// kind (`ch` is a letter in Czech, numbers count as a whole, ...).
    pub(crate) fn ascii_weights(&self) -> Option<&[u8]> {
        self.ascii.get_or_init(|| self.find_ascii_weights()).as_deref()
    }

    fn find_ascii_weights(&self) -> Option<Vec<u8>> {
        let level = |a: &str, b: &str| self.compare(a, b);
        let mut letters: Vec<String> = (' '..='~').map(String::from).collect();
        letters.sort_by(|a, b| level(a, b));
        // Those that differ less than others do: `a` and `A`, before anything that follows.
        let is_alike = |a: &str, b: &str| level(&format!("{a}b"), &format!("{b}a")) == Ordering::Greater;
        let mut weights = vec![0; 256];
        let (mut first, mut later) = (0, 0);
        for (at, letter) in letters.iter().enumerate() {
            let before = at.checked_sub(1).map(|at| letters[at].as_str());
            match before {
                Some(before) if is_alike(before, letter) => later += u8::from(level(before, letter).is_lt()),
                _ => (first, later) = (first + 1, 0),
            }
            let place = usize::from(letter.as_bytes()[0]);
            (weights[place], weights[128 + place]) = (first, later);
        }
        self.is_by_weights(&letters, &weights).then_some(weights)
    }

    /// Whether pairs of characters are in the order of these weights, beside all of their neighbours.
    fn is_by_weights(&self, letters: &[String], weights: &[u8]) -> bool {
        let by_weights = |a: &str, b: &str| {
            let of = |text: &str, from: usize| {
                text.bytes().map(|byte| weights[from + usize::from(byte)]).collect::<Vec<_>>()
            };
            of(a, 0).cmp(&of(b, 0)).then_with(|| of(a, 128).cmp(&of(b, 128)))
        };
        letters.iter().all(|first| {
            letters.windows(2).all(|pair| {
                let texts = [format!("{first}{}", pair[0]), format!("{first}{}", pair[1])];
                let turned = [format!("{}{first}", pair[0]), format!("{}{first}", pair[1])];
                self.compare(&texts[0], &texts[1]) == by_weights(&texts[0], &texts[1])
                    && self.compare(&turned[0], &turned[1]) == by_weights(&turned[0], &turned[1])
                    && self.compare(&texts[0], &turned[1]) == by_weights(&texts[0], &turned[1])
            })
        })
    }

    /// Bytes that are in the order of the texts that they stand for.
    ///
    /// # Errors
    /// Accents count from the end: ICU4X's keys of texts without any letter are broken then.
    pub(crate) fn sort_key(&self, text: &str) -> Result<Vec<u8>> {
        if self.is_backward {
            return range("there are no sort keys in fr-CA");
        }
        let mut key = Vec::with_capacity(2 * text.len());
        let Ok(()) = self.collator.write_sort_key_to(text, &mut key);
        Ok(key)
    }
}

fn how(options: &Options) -> CollatorOptions {
    let mut how = CollatorOptions::default();
    how.strength = Some(match options.sensitivity.as_str() {
        "base" | "case" => Strength::Primary,
        "accent" => Strength::Secondary,
        _ => Strength::Tertiary,
    });
    how.case_level = Some(if options.sensitivity == "case" { CaseLevel::On } else { CaseLevel::Off });
    how.alternate_handling = Some(match options.ignore_punctuation {
        true => AlternateHandling::Shifted,
        false => AlternateHandling::NonIgnorable,
    });
    how
}

fn collation_type(name: &str) -> Option<CollationType> {
    let value = Value::try_from_str(name).ok()?;
    CollationType::try_from(&value).ok()
}

/// Danish puts large letters first.
pub(crate) fn usual_case_first(locale: &str) -> &'static str {
    if language(locale) == "da" { "upper" } else { "false" }
}

/// The orders of a language beside its usual one.
pub(crate) fn types(locale: &str) -> Vec<String> {
    let own: &[&str] = match language(locale).as_str() {
        "bn" | "ca" | "kok" => &["trad"],
        "de" => &["phonebk"],
        "es" => &["trad"],
        "fi" | "sv" => &["trad"],
        "hi" | "ta" | "te" => &[],
        "ja" => &["unihan"],
        "ko" => &["searchjl", "unihan"],
        "vi" => &["trad"],
        "zh" => &["pinyin", "stroke", "unihan", "zhuyin"],
        _ => &[],
    };
    let mut all: Vec<String> =
        own.iter().chain(["emoji", "eor"].iter()).map(|name| (*name).to_owned()).collect();
    all.sort();
    all
}

/// Whether there is an order of this name.
pub(crate) fn has_type(locale: &str, name: &str) -> bool {
    types(locale).iter().any(|known| known == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(options: &str) -> Order {
        Order::new(options).unwrap()
    }

    #[test]
    fn languages_differ() {
        let sorted = |locale: &str, texts: &[&str]| {
            let order = order(&format!(r#"{{"locale": "{locale}"}}"#));
            let mut texts: Vec<_> = texts.iter().map(|text| (*text).to_owned()).collect();
            texts.sort_by(|a, b| order.compare(a, b));
            texts.join(" ")
        };
        assert_eq!(sorted("de", &["z", "ä", "a", "Z"]), "a ä z Z");
        assert_eq!(sorted("sv", &["z", "ä", "a", "Z"]), "a z Z ä");
        assert_eq!(sorted("es", &["nz", "ñ", "o"]), "nz ñ o");
    }

    #[test]
    fn ascii_is_by_weights_where_no_pair_of_letters_is_one() {
        for (options, is_by_weights) in [
            (r#"{"locale":"en"}"#, true),
            (r#"{"locale":"de"}"#, true),
            (r#"{"locale":"sv"}"#, true),
            (r#"{"locale":"en","sensitivity":"base"}"#, true),
            (r#"{"locale":"cs"}"#, false),
            (r#"{"locale":"da"}"#, false),
            (r#"{"locale":"hu"}"#, false),
            (r#"{"locale":"en","numeric":true}"#, false),
            (r#"{"locale":"en","ignorePunctuation":true}"#, false),
        ] {
            assert_eq!(order(options).ascii_weights().is_some(), is_by_weights, "{options}");
        }
    }

    #[test]
    fn keys_are_in_the_order_of_their_texts() {
        let texts = ["", "a", "A", "ä", "z", "2", "10", "co-op", "coop", "é", "日本", "🙂"];
        for options in ["", r#","numeric":true"#, r#","sensitivity":"base""#, r#","ignorePunctuation":true"#]
        {
            let order = order(&format!(r#"{{"locale":"en"{options}}}"#));
            for a in texts {
                for b in texts {
                    let by_key = order.sort_key(a).unwrap().cmp(&order.sort_key(b).unwrap());
                    assert_eq!(by_key, order.compare(a, b), "{a} {b} {options}");
                }
            }
        }
    }
}
