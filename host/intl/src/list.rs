//! `Intl.ListFormat`: `a, b, and c`.
use icu_list::options::{ListFormatterOptions, ListLength};
use icu_list::{ListFormatter, ListFormatterPreferences};
use icu_locale::Locale;
use serde::Deserialize;

use crate::error::{Result, invalid};
use crate::part::{LITERAL, Part, push};

#[derive(Debug, Deserialize)]
struct Options {
    locale: String,
    #[serde(rename = "type")]
    kind: String,
    style: String,
}

/// A formatter of lists.
pub(crate) struct ListFormat {
    formatter: ListFormatter,
    is_hebrew: bool,
}

impl ListFormat {
    pub(crate) fn new(options: &str) -> Result<ListFormat> {
        let Options { locale, kind, style } =
            serde_json::from_str(options).map_err(|error| invalid("the options", error))?;
        let locale = Locale::try_from_str(&locale).map_err(|error| invalid("a locale", error))?;
        let preferences = ListFormatterPreferences::from(&locale);
        let length = match style.as_str() {
            "narrow" => ListLength::Narrow,
            "short" => ListLength::Short,
            _ => ListLength::Wide,
        };
        let options = ListFormatterOptions::default().with_length(length);
        let made = match kind.as_str() {
            "disjunction" => ListFormatter::try_new_or(preferences, options),
            "unit" => ListFormatter::try_new_unit(preferences, options),
            _ => ListFormatter::try_new_and(preferences, options),
        };
        let formatter = made.map_err(|error| invalid("a list's patterns", error))?;
        Ok(ListFormat { formatter, is_hebrew: locale.id.language.as_str() == "he" })
    }

    /// The pieces of a list.
    pub(crate) fn parts(&self, items: &[String]) -> Vec<Part> {
        let mut sink = Sink::default();
        // It writes into memory.
        let _ = writeable::Writeable::write_to_parts(&self.formatter.format(items.iter()), &mut sink);
        // As ICU joins words in other scripts.
        if self.is_hebrew {
            for part in sink.parts.iter_mut().filter(|part| part.kind == LITERAL) {
                part.text = part.text.replace('\u{2011}', "-");
            }
        }
        sink.parts
    }
}

/// Takes pieces as ICU4X writes them.
#[derive(Default)]
struct Sink {
    parts: Vec<Part>,
}

impl std::fmt::Write for Sink {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        push(&mut self.parts, LITERAL, text);
        Ok(())
    }
}

impl writeable::PartsWrite for Sink {
    type SubPartsWrite = Sink;

    fn with_part(
        &mut self,
        part: writeable::Part,
        mut write: impl FnMut(&mut Sink) -> std::fmt::Result,
    ) -> std::fmt::Result {
        let mut inner = Sink::default();
        write(&mut inner)?;
        let text: String = inner.parts.iter().map(|part| part.text.as_str()).collect();
        if part == icu_list::parts::ELEMENT {
            // An element may be empty.
            self.parts.push(Part::new("element", text));
        } else {
            push(&mut self.parts, LITERAL, &text);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::part::text;

    #[test]
    fn lists() {
        let cases = [
            ("en", "conjunction", "long", "a, b, and c"),
            ("de", "disjunction", "long", "a, b oder c"),
            ("es", "conjunction", "short", "a, b y c"),
            ("ja", "unit", "narrow", "abc"),
        ];
        for (locale, kind, style, expected) in cases {
            let options = format!(r#"{{"locale":"{locale}","type":"{kind}","style":"{style}"}}"#);
            let items = ["a", "b", "c"].map(str::to_owned);
            assert_eq!(text(&ListFormat::new(&options).unwrap().parts(&items)), expected);
        }
    }
}
