//! CLDR's data, as `data/make.mjs` wrote it: read when it is first asked for, and kept.
use std::any::{Any, TypeId};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock};

use parking_lot::Mutex;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::error::{IntlError, Result};
use crate::number::data::Symbols;

/// Each language's file, compressed.
const PACKS: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/packs.rs"));

/// How many sections of locales are kept; when there are more, all are read again as they are asked for.
const SECTIONS_MAX: usize = 256;

/// A part of a locale's data.
pub(crate) trait Section: DeserializeOwned + Send + Sync + 'static {
    const NAME: &'static str;
}

type Kept = HashMap<(TypeId, String), Arc<dyn Any + Send + Sync>>;

/// A section of a locale that is among [`shared`]'s.
pub(crate) fn section<S: Section>(locale: &str) -> Result<Arc<S>> {
    static KEPT: LazyLock<Mutex<Kept>> = LazyLock::new(Mutex::default);
    let key = (TypeId::of::<S>(), locale.to_owned());
    if let Some(found) = KEPT.lock().get(&key).and_then(|kept| kept.clone().downcast::<S>().ok()) {
        return Ok(found);
    }
    let made = Arc::new(read::<S>(locale)?);
    let mut kept = KEPT.lock();
    if kept.len() >= SECTIONS_MAX {
        kept.clear();
    }
    kept.insert(key, made.clone());
    Ok(made)
}

fn read<S: Section>(locale: &str) -> Result<S> {
    let missing = || IntlError::Range(format!("there is no data for the locale {locale}"));
    let language = shared().locales.get(locale).ok_or_else(missing)?;
    let text = unpack(language).ok_or_else(missing)?;
    let file: HashMap<&str, HashMap<&str, &RawValue>> = serde_json::from_slice(&text).map_err(broken)?;
    let mut chain = Vec::new();
    let mut next = Some(locale.to_owned());
    while let Some(name) = next {
        let sections = file.get(name.as_str()).ok_or_else(missing)?;
        let parent = sections.get("parent").map(|raw| serde_json::from_str::<String>(raw.get()));
        next = parent.transpose().map_err(broken)?;
        chain.extend(sections.get(S::NAME).map(|raw| raw.get()));
    }
    let mut whole = Value::Null;
    for raw in chain.iter().rev() {
        merge(&mut whole, serde_json::from_str(raw).map_err(broken)?);
    }
    serde_json::from_value(whole).map_err(broken)
}

fn broken(error: serde_json::Error) -> IntlError {
    IntlError::Type(format!("the locale's data is damaged: {error}"))
}

fn unpack(name: &str) -> Option<Vec<u8>> {
    let (_, packed) = PACKS.iter().find(|(pack, _)| *pack == name)?;
    miniz_oxide::inflate::decompress_to_vec(packed).ok()
}

/// Lays what differs over what it differs from; null takes away.
fn merge(base: &mut Value, over: Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                if value.is_null() {
                    base.remove(&key);
                } else {
                    merge(base.entry(key).or_insert(Value::Null), value);
                }
            }
        }
        (base, over) => *base = over,
    }
}

/// What is no locale's.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Shared {
    /// Every locale, and its language's file.
    pub(crate) locales: BTreeMap<String, String>,
    /// Ten digits, by the numbering system.
    pub(crate) digits: BTreeMap<String, String>,
    /// By the numbering system, where a locale has none of its own.
    pub(crate) symbols: HashMap<String, Symbols>,
    pub(crate) currency_digits: HashMap<String, u8>,
    /// By the region, or language and region.
    pub(crate) hours: HashMap<String, Hours>,
    /// By the language: when a period of the day is.
    pub(crate) day_periods: HashMap<String, BTreeMap<String, DayPeriod>>,
    /// By the region: calendars, the preferred one first.
    pub(crate) calendars: HashMap<String, Vec<String>>,
    pub(crate) weeks: Weeks,
    /// The canonical name of each zone by all of its names.
    pub(crate) zone_names: BTreeMap<String, String>,
    /// By the zone's canonical name.
    pub(crate) zone_regions: BTreeMap<String, String>,
    /// By the region: the zone that stands for all of it, where there are several.
    pub(crate) primary_zones: HashMap<String, String>,
    /// By the zone: which zone of a larger area it belongs to, from when and to when.
    pub(crate) metazones: HashMap<String, Vec<Span>>,
    /// By that larger zone and the region: the zone that stands for it.
    pub(crate) zones_of_meta: HashMap<String, HashMap<String, String>>,
    pub(crate) plural_ranges: HashMap<String, HashMap<String, String>>,
}

/// A zone of a larger area, and from when to when (`1979-10-25 23:00`, in UTC) it holds.
pub(crate) type Span = (String, Option<String>, Option<String>);

#[derive(Deserialize)]
pub(crate) struct Hours {
    pub(crate) preferred: String,
    pub(crate) allowed: Vec<String>,
}

#[derive(Deserialize)]
pub(crate) struct DayPeriod {
    #[serde(rename = "_at")]
    pub(crate) at: Option<String>,
    #[serde(rename = "_from")]
    pub(crate) from: Option<String>,
    #[serde(rename = "_before")]
    pub(crate) before: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Weeks {
    pub(crate) first: HashMap<String, String>,
    pub(crate) minimum: HashMap<String, String>,
    pub(crate) weekend_start: HashMap<String, String>,
    pub(crate) weekend_end: HashMap<String, String>,
}

/// What is no locale's; read once.
pub(crate) fn shared() -> &'static Shared {
    static SHARED: LazyLock<Shared> = LazyLock::new(|| {
        let text = unpack("shared").expect("it is among the packs");
        serde_json::from_slice(&text).expect("a test reads it")
    });
    &SHARED
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_laid_over_its_parent() {
        let mut base = serde_json::json!({"a": {"b": 1, "c": 2}, "d": [1, 2]});
        merge(&mut base, serde_json::json!({"a": {"b": null, "e": 3}, "d": [4]}));
        assert_eq!(base, serde_json::json!({"a": {"c": 2, "e": 3}, "d": [4]}));
    }
}
