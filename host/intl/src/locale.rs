//! Locales: their canonical form, which of those that are asked for there is, and what is usual in it.
use std::collections::BTreeMap;
use std::sync::LazyLock;

use icu_locale::extensions::unicode::{Key, Value};
use icu_locale::subtags::{Region, Script};
use icu_locale::{LanguageIdentifier, Locale, LocaleCanonicalizer, LocaleExpander};
use serde::{Deserialize, Serialize};

use crate::data::{section, shared};
use crate::date::calendar;
use crate::error::{IntlError, Result, invalid};
use crate::number::data::Numbers;

/// The locale of a host that nobody has asked for another one.
pub(crate) const DEFAULT: &str = "en-US";

static CANONICALIZER: LazyLock<LocaleCanonicalizer> = LazyLock::new(LocaleCanonicalizer::new_extended);
static EXPANDER: LazyLock<LocaleExpander> = LazyLock::new(LocaleExpander::new_extended);

fn parse(tag: &str) -> Result<Locale> {
    let broken = || IntlError::Range(format!("Incorrect locale information provided: {}", short(tag)));
    // ICU4X takes underscores for hyphens; ECMA-402 does not.
    if tag.contains('_') {
        return Err(broken());
    }
    let mut locale = Locale::try_from_str(tag).map_err(|_| broken())?;
    CANONICALIZER.canonicalize(&mut locale);
    Ok(locale)
}

fn short(tag: &str) -> String {
    tag.chars().take(64).collect()
}

/// A language tag in its canonical form.
pub(crate) fn canonical(tag: &str) -> Result<String> {
    Ok(parse(tag)?.to_string())
}

/// A locale with the script and region that are likely; or without them.
pub(crate) fn expanded(tag: &str, is_minimized: bool) -> Result<String> {
    let mut locale = parse(tag)?;
    if is_minimized {
        EXPANDER.minimize(&mut locale.id);
    } else {
        EXPANDER.maximize(&mut locale.id);
    }
    Ok(locale.to_string())
}

/// The name of the data for a locale, and the locale as it was asked for, up to what there is of it.
fn lookup(asked: &LanguageIdentifier) -> Option<(String, String)> {
    let text = asked.to_string();
    let mut candidate = text.as_str();
    loop {
        if let Some(data) = data_of(candidate) {
            return Some((data, candidate.to_owned()));
        }
        let cut = candidate.rfind('-')?;
        candidate = &candidate[..cut];
    }
}

/// What there is under a name: `zh-TW` is `zh-Hant-TW`.
fn data_of(name: &str) -> Option<String> {
    let locales = &shared().locales;
    if locales.contains_key(name) {
        return Some(name.to_owned());
    }
    let mut id: LanguageIdentifier = name.parse().ok()?;
    if id.region.is_none() || id.script.is_some() || !id.variants.is_empty() {
        return None;
    }
    let language = LanguageIdentifier { region: None, ..id.clone() };
    EXPANDER.maximize(&mut id);
    let with_script = Some(id.to_string()).filter(|name| locales.contains_key(name));
    // The language's own region says nothing more.
    with_script.or_else(|| {
        let mut likely = language.clone();
        EXPANDER.maximize(&mut likely);
        let name = language.to_string();
        (likely == id && locales.contains_key(&name)).then_some(name)
    })
}

/// Those of some locales that there is something of.
pub(crate) fn supported(tags: &[String]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for tag in tags {
        if lookup(&parse(tag)?.id).is_some() {
            found.push(tag.clone());
        }
    }
    Ok(found)
}

/// What is asked for: the options that go before a locale's extensions, `None` for those that are not given.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    /// In the order of preference, each canonical.
    pub(crate) locales: Vec<String>,
    /// Rules of plurals are a language's, but for Portuguese.
    #[serde(default)]
    pub(crate) is_of_language: bool,
    /// By the key of the extension.
    #[serde(default)]
    pub(crate) keys: BTreeMap<String, Option<String>>,
}

/// What there is.
#[derive(Debug, Serialize)]
pub(crate) struct Resolved {
    /// The locale, with the extensions that count.
    locale: String,
    /// The locale whose data is used.
    data: String,
    /// By the key.
    keys: BTreeMap<String, Option<String>>,
}

/// ECMA-402's ResolveLocale.
pub(crate) fn resolve(request: &Request) -> Result<Resolved> {
    let mut asked = None;
    for tag in &request.locales {
        let locale = parse(tag)?;
        if let Some(found) = lookup(&locale.id) {
            asked = Some((locale, found));
            break;
        }
    }
    let (locale, (data, name)) = match asked {
        Some(found) => found,
        None => (parse(DEFAULT)?, (DEFAULT.to_owned(), DEFAULT.to_owned())),
    };
    let name = if request.is_of_language && name != "pt-PT" { language(&name) } else { name };
    let mut additions = String::new();
    let mut keys = BTreeMap::new();
    for (key, option) in &request.keys {
        let (value, addition) = resolve_key(key, option.as_deref(), &locale, &data)?;
        if let Some(addition) = addition {
            additions.push_str(&addition);
        }
        keys.insert(key.clone(), value);
    }
    let locale = if additions.is_empty() { name } else { format!("{name}-u{additions}") };
    Ok(Resolved { locale, data, keys })
}

/// A key's value, and what the locale is to say of it.
fn resolve_key(
    key: &str,
    option: Option<&str>,
    locale: &Locale,
    data: &str,
) -> Result<(Option<String>, Option<String>)> {
    let mut value = usual(key, data)?;
    let mut addition = None;
    if let Some(asked) = extension(locale, key) {
        let asked = if asked.is_empty() { "true".to_owned() } else { asked };
        let asked = calendar::canonical_name(key, &asked).unwrap_or(asked);
        if is_known(key, &asked, data)? {
            addition = Some(match asked.as_str() {
                "true" => format!("-{key}"),
                other => format!("-{key}-{other}"),
            });
            value = Some(asked);
        }
    }
    if let Some(option) = option {
        let option = calendar::canonical_name(key, option).unwrap_or(option.to_owned());
        if is_known(key, &option, data)? && value.as_deref() != Some(&option) {
            value = Some(option);
            addition = None;
        }
    }
    Ok((value, addition))
}

fn extension(locale: &Locale, key: &str) -> Option<String> {
    let key = Key::try_from_str(key).ok()?;
    locale.extensions.unicode.keywords.get(&key).map(Value::to_string)
}

/// What a locale has for a key if nothing is asked for.
fn usual(key: &str, data: &str) -> Result<Option<String>> {
    Ok(match key {
        "nu" => Some(section::<Numbers>(data)?.system.clone()),
        "ca" => Some(calendars(data).first().cloned().unwrap_or_else(|| "gregory".to_owned())),
        "kn" => Some("false".to_owned()),
        "kf" => Some(crate::collate::usual_case_first(data).to_owned()),
        _ => None,
    })
}

fn is_known(key: &str, value: &str, data: &str) -> Result<bool> {
    Ok(match key {
        "nu" => shared().digits.contains_key(value),
        "ca" => calendar::is_known(value)?,
        "hc" => ["h11", "h12", "h23", "h24"].contains(&value),
        "kn" => ["true", "false"].contains(&value),
        "kf" => ["upper", "lower", "false"].contains(&value),
        "co" => crate::collate::has_type(data, value),
        _ => false,
    })
}

/// The region that a locale is used in most.
pub(crate) fn region(tag: &str) -> Option<Region> {
    let mut id = parse(tag).ok()?.id;
    EXPANDER.maximize(&mut id);
    id.region
}

pub(crate) fn language(tag: &str) -> String {
    tag.split('-').next().unwrap_or(tag).to_owned()
}

fn script(tag: &str) -> Option<Script> {
    let mut id = parse(tag).ok()?.id;
    EXPANDER.maximize(&mut id);
    id.script
}

/// The calendars of a locale's region that there are, the preferred one first.
fn calendars(tag: &str) -> Vec<String> {
    let shared = shared();
    let region = region(tag).map(|region| region.to_string()).unwrap_or_default();
    let all = shared.calendars.get(&region).or_else(|| shared.calendars.get("001"));
    let names =
        all.into_iter().flatten().map(|name| calendar::canonical_name("ca", name).unwrap_or(name.clone()));
    names.collect()
}

/// How the hours are counted in a locale: `h`, `H`, `K` or `k`; and the ways that are usual.
pub(crate) fn hours(tag: &str) -> (char, &'static [String]) {
    let shared = shared();
    let region = region(tag).map(|region| region.to_string()).unwrap_or_default();
    let both = format!("{}-{region}", language(tag));
    let found =
        shared.hours.get(&both).or_else(|| shared.hours.get(&region)).or_else(|| shared.hours.get("001"));
    found.map_or(('H', &[][..]), |hours| (hours.preferred.chars().next().unwrap_or('H'), &hours.allowed))
}

/// What `Intl.Locale` tells of a locale.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Info {
    calendars: Vec<String>,
    collations: Vec<String>,
    hour_cycles: Vec<String>,
    numbering_systems: Vec<String>,
    direction: &'static str,
    time_zones: Option<Vec<String>>,
    week: Week,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Week {
    first_day: u8,
    weekend: Vec<u8>,
    minimal_days: u8,
}

pub(crate) fn info(tag: &str) -> Result<Info> {
    let locale = parse(tag)?;
    let data = lookup(&locale.id).map_or(DEFAULT.to_owned(), |(data, _)| data);
    let own = |key: &str| extension(&locale, key).filter(|value| !value.is_empty());
    let calendars = own("ca").map_or_else(|| calendars(tag), |own| vec![own]);
    let system = match own("nu") {
        Some(own) => own,
        None => section::<Numbers>(&data)?.system.clone(),
    };
    let (preferred, _) = hours(tag);
    let cycle = own("hc").unwrap_or_else(|| crate::date::cycle_name(preferred).to_owned());
    let collations = match own("co") {
        Some(own) => vec![own],
        None => crate::collate::types(&data),
    };
    let rtl = ["Arab", "Hebr", "Thaa", "Syrc", "Nkoo", "Adlm", "Rohg", "Mand", "Samr"];
    let is_rtl = script(tag).is_some_and(|script| rtl.contains(&script.as_str()));
    Ok(Info {
        calendars,
        collations,
        hour_cycles: vec![cycle],
        numbering_systems: vec![system],
        direction: if is_rtl { "rtl" } else { "ltr" },
        time_zones: locale.id.region.map(|region| crate::date::zone::of_region(region.as_str())),
        week: week(tag),
    })
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

fn week(tag: &str) -> Week {
    let weeks = &shared().weeks;
    let region = region(tag).map(|region| region.to_string()).unwrap_or_default();
    let of = |map: &std::collections::HashMap<String, String>| {
        map.get(&region).or_else(|| map.get("001")).cloned().unwrap_or_default()
    };
    let day = |name: String| DAYS.iter().position(|day| *day == name).map_or(1, |at| at as u8 + 1);
    let (start, end) = (day(of(&weeks.weekend_start)), day(of(&weeks.weekend_end)));
    let weekend = if start <= end { (start..=end).collect() } else { (1..=end).chain(start..=7).collect() };
    Week { first_day: day(of(&weeks.first)), weekend, minimal_days: of(&weeks.minimum).parse().unwrap_or(1) }
}

/// Reads a request.
pub(crate) fn request(text: &str) -> Result<Request> {
    serde_json::from_str(text).map_err(|error| invalid("the request", error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(locales: &[&str], keys: &[(&str, Option<&str>)]) -> Resolved {
        let keys = keys.iter().map(|(key, value)| ((*key).to_owned(), value.map(str::to_owned))).collect();
        resolve(&Request {
            locales: locales.iter().map(|tag| (*tag).to_owned()).collect(),
            is_of_language: false,
            keys,
        })
        .unwrap()
    }

    #[test]
    fn tags_have_a_canonical_form() {
        let cases = [
            ("EN-us", "en-US"),
            ("iw", "he"),
            ("zh-tw", "zh-TW"),
            ("en-u-ca-gregory-x-a", "en-u-ca-gregory-x-a"),
        ];
        for (tag, expected) in cases {
            assert_eq!(canonical(tag).unwrap(), expected);
        }
        for broken in ["", "x", "en_US", "en-", "-en", "a-b", "en-u"] {
            assert!(canonical(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn the_first_locale_that_there_is_counts() {
        let found =
            resolved(&["tlh", "de-XX-u-nu-thai-ca-buddhist"], &[("nu", None), ("ca", Some("persian"))]);
        assert_eq!((found.locale.as_str(), found.data.as_str()), ("de-u-nu-thai", "de"));
        assert_eq!(found.keys["nu"].as_deref(), Some("thai"));
        assert_eq!(found.keys["ca"].as_deref(), Some("persian"));
        let found = resolved(&["zh-TW"], &[]);
        assert_eq!((found.locale.as_str(), found.data.as_str()), ("zh-TW", "zh-Hant-TW"));
        assert_eq!(resolved(&["tlh"], &[]).locale, DEFAULT);
        assert_eq!(resolved(&["th"], &[("ca", None)]).keys["ca"].as_deref(), Some("buddhist"));
    }
}
