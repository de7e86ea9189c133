//! Every operation by its name.
use serde::Serialize;
use serde::de::DeserializeOwned;
use weir_value::limits::INTL_SEGMENTED_BYTES_MAX;

use crate::data::shared;
use crate::date::{calendar, zone};
use crate::error::{IntlError, Result, invalid, range};
use crate::number::RangePart;
use crate::{casing, formatters, locale, part, relative, segment};

pub(crate) fn run(operation: &str, options: &str, input: &str) -> Result<String> {
    match operation.split_once('.') {
        Some(("number", what)) => number(what, options, input),
        Some(("date", what)) => date(what, options, input),
        Some(("plural", what)) => plural(what, options, input),
        Some(("list", what)) => list(what, options, input),
        Some(("relative", what)) => relative(what, options, input),
        Some(("locale", what)) => locales(what, options, input),
        Some(("text", what)) => text(what, options, input),
        Some(("names", "of")) => json(&formatters::names(options)?.of(input)),
        _ => unknown(operation),
    }
}

fn unknown(operation: &str) -> Result<String> {
    Err(IntlError::Type(format!("there is no operation {}", operation.chars().take(64).collect::<String>())))
}

fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| invalid("the answer", error))
}

fn read<T: DeserializeOwned>(input: &str) -> Result<T> {
    serde_json::from_str(input).map_err(|error| invalid("the input", error))
}

fn text_of(parts: &[RangePart]) -> String {
    parts.iter().map(|part| part.part.text.as_str()).collect()
}

fn number(what: &str, options: &str, input: &str) -> Result<String> {
    let format = formatters::number(options)?;
    match what {
        "check" => Ok(String::new()),
        "format" => Ok(part::text(&format.parts(input)?)),
        "parts" => json(&format.parts(input)?),
        "range" | "rangeParts" => {
            let [start, end]: [String; 2] = read(input)?;
            let parts = format.range(&start, &end)?;
            if what == "range" { Ok(text_of(&parts)) } else { json(&parts) }
        }
        _ => unknown(what),
    }
}

fn date(what: &str, options: &str, input: &str) -> Result<String> {
    let format = formatters::date(options)?;
    let moment =
        |text: &str| text.parse::<i64>().map_err(|error| invalid("a moment", error)).and_then(bounded);
    match what {
        "resolved" => json(&format.resolved()),
        "format" => format.text(moment(input)?),
        "parts" => json(&format.parts(moment(input)?)?),
        "range" | "rangeParts" => {
            let [start, end]: [String; 2] = read(input)?;
            let (start, end) = (moment(&start)?, moment(&end)?);
            if what == "range" { format.range_text(start, end) } else { json(&format.range(start, end)?) }
        }
        _ => unknown(what),
    }
}

/// The moments that a `Date` can be.
fn bounded(utc_ms: i64) -> Result<i64> {
    if utc_ms.unsigned_abs() > 8_640_000_000_000_000 { range("Invalid time value") } else { Ok(utc_ms) }
}

fn plural(what: &str, options: &str, input: &str) -> Result<String> {
    let format = formatters::plural(options)?;
    match what {
        "select" => Ok(format.select(input)?.to_owned()),
        "range" => {
            let [start, end]: [String; 2] = read(input)?;
            format.select_range(&start, &end)
        }
        "categories" => json(&format.categories()),
        _ => unknown(what),
    }
}

fn list(what: &str, options: &str, input: &str) -> Result<String> {
    let parts = formatters::list(options)?.parts(&read::<Vec<String>>(input)?);
    match what {
        "format" => Ok(part::text(&parts)),
        "parts" => json(&parts),
        _ => unknown(what),
    }
}

fn relative(what: &str, options: &str, input: &str) -> Result<String> {
    let [number, unit]: [String; 2] = read(input)?;
    let parts = formatters::relative(options)?.parts(&number, &unit)?;
    match what {
        "format" => Ok(relative::text(&parts)),
        "parts" => json(&parts),
        _ => unknown(what),
    }
}

fn locales(what: &str, options: &str, input: &str) -> Result<String> {
    match what {
        "canonical" => json(
            &read::<Vec<String>>(input)?
                .iter()
                .map(|tag| locale::canonical(tag))
                .collect::<Result<Vec<_>>>()?,
        ),
        "resolve" => json(&locale::resolve(&locale::request(options)?)?),
        "supported" => json(&locale::supported(&read::<Vec<String>>(input)?)?),
        "maximize" => locale::expanded(input, false),
        "minimize" => locale::expanded(input, true),
        "info" => json(&locale::info(input)?),
        "zone" => zone::canonical(input),
        "values" => values(input),
        "currencyDigits" => json(shared().currency_digits.get(input).unwrap_or(&2)),
        _ => unknown(what),
    }
}

/// `Intl.supportedValuesOf`, of what the host knows.
fn values(of: &str) -> Result<String> {
    match of {
        "calendar" => json(&calendar::names()),
        "numberingSystem" => json(&shared().digits.keys().collect::<Vec<_>>()),
        "timeZone" => json(&zone::all()),
        "collation" => {
            json(&["emoji", "eor", "phonebk", "pinyin", "searchjl", "stroke", "trad", "unihan", "zhuyin"])
        }
        "currency" => {
            let numbers = crate::data::section::<crate::number::data::Numbers>("en")?;
            let mut codes: Vec<_> = numbers.currencies.keys().collect();
            codes.sort();
            json(&codes)
        }
        _ => unknown(of),
    }
}

fn text(what: &str, options: &str, input: &str) -> Result<String> {
    match what {
        "asciiWeights" => json(&formatters::order(options)?.ascii_weights()),
        "upper" => casing::convert(input, options, true),
        "lower" => casing::convert(input, options, false),
        "segments" if input.len() > INTL_SEGMENTED_BYTES_MAX => range(format!(
            "a text of more than {INTL_SEGMENTED_BYTES_MAX} bytes is not segmented; cut it first"
        )),
        "segments" => json(&segment::segments(options, input)?),
        _ => unknown(what),
    }
}
