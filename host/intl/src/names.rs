//! `Intl.DisplayNames`: what languages, regions, scripts and currencies are called.
use std::collections::HashMap;
use std::sync::Arc;

use icu_locale::LanguageIdentifier;
use serde::Deserialize;

use crate::data::{Section, section};
use crate::date::FieldNames;
use crate::error::{Result, invalid};
use crate::number::data::Numbers;

#[derive(Deserialize)]
pub(crate) struct Names {
    languages: HashMap<String, String>,
    regions: HashMap<String, String>,
    scripts: HashMap<String, String>,
    variants: HashMap<String, String>,
    pattern: Pattern,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pattern {
    locale_pattern: String,
    locale_separator: String,
}

impl Section for Names {
    const NAME: &'static str = "names";
}

impl Names {
    pub(crate) fn region(&self, code: &str) -> Option<String> {
        self.regions.get(code).cloned()
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Options {
    locale: String,
    #[serde(rename = "type")]
    kind: String,
    style: String,
    #[serde(default)]
    language_display: String,
}

/// The names of one kind.
pub(crate) struct DisplayNames {
    options: Options,
    names: Arc<Names>,
    numbers: Arc<Numbers>,
    fields: Arc<FieldNames>,
}

impl DisplayNames {
    pub(crate) fn new(options: &str) -> Result<DisplayNames> {
        let options: Options =
            serde_json::from_str(options).map_err(|error| invalid("the options", error))?;
        let names = section::<Names>(&options.locale)?;
        let numbers = section::<Numbers>(&options.locale)?;
        let fields = section::<FieldNames>(&options.locale)?;
        Ok(DisplayNames { options, names, numbers, fields })
    }

    /// The name of a code; none if it has none.
    pub(crate) fn of(&self, code: &str) -> Option<String> {
        match self.options.kind.as_str() {
            "region" => self.alternative(&self.names.regions, code),
            "script" => self.alternative(&self.names.scripts, code),
            // As V8 has it, in all styles.
            "currency" => self.numbers.currencies.get(code)?.name.clone(),
            "dateTimeField" => self.fields.0.get(&self.options.style).and_then(|all| all.get(code)).cloned(),
            _ => self.language(code),
        }
    }

    fn alternative(&self, names: &HashMap<String, String>, code: &str) -> Option<String> {
        let short = (self.options.style != "long").then(|| names.get(&format!("{code}-alt-short"))).flatten();
        short.or_else(|| names.get(code)).cloned()
    }

    /// `Swiss High German`, or `German (Switzerland)` in the standard manner.
    fn language(&self, code: &str) -> Option<String> {
        let id: LanguageIdentifier = code.parse().ok()?;
        let language = id.language.to_string();
        let join = |parts: &[Option<String>]| parts.iter().flatten().cloned().collect::<Vec<_>>().join("-");
        let (script, region) = (id.script.map(|it| it.to_string()), id.region.map(|it| it.to_string()));
        // A name of its own has what is there with its script and its region, and no part of it.
        let whole = join(&[Some(language.clone()), script.clone(), region.clone()]);
        let is_dialect = self.options.language_display != "standard" && whole != language;
        let dialect = is_dialect.then(|| self.alternative(&self.names.languages, &whole)).flatten();
        let is_plain = dialect.is_none();
        let base = dialect.or_else(|| self.alternative(&self.names.languages, &language))?;
        let mut rest = Vec::new();
        if let Some(script) = script.filter(|_| is_plain) {
            rest.push(self.alternative(&self.names.scripts, &script).unwrap_or(script));
        }
        if let Some(region) = region.filter(|_| is_plain) {
            rest.push(self.alternative(&self.names.regions, &region).unwrap_or(region));
        }
        rest.extend(id.variants.iter().map(|variant| {
            let code = variant.as_str().to_uppercase();
            self.names.variants.get(&code).cloned().unwrap_or(code)
        }));
        if rest.is_empty() {
            return Some(base);
        }
        let separator = self.names.pattern.locale_separator.replace("{0}", "").replace("{1}", "");
        let pattern = &self.names.pattern.locale_pattern;
        Some(pattern.replace("{0}", &base).replace("{1}", &rest.join(&separator)))
    }
}
