//! Units: `5 km`, `5 kilometers per hour`.
use super::data::{Plurals, Width};
use super::{NumberFormat, Style};
use crate::error::{Result, range};
use crate::part::{LITERAL, Part, fill, placeholder, push};
use crate::plural::pick;

/// Whether the locale has the unit that is asked for.
pub(super) fn check(format: &NumberFormat) -> Result<()> {
    if format.options.style != Style::Unit {
        return Ok(());
    }
    let name = format.options.unit.clone().unwrap_or_default();
    let Some(width) = width(format) else { return range("the locale has no units") };
    let is_known = match name.split_once("-per-") {
        Some((unit, per)) => width.units.contains_key(unit) && width.units.contains_key(per),
        None => width.units.contains_key(&name),
    };
    if is_known { Ok(()) } else { range(format!("there are no names of the unit {name}")) }
}

fn width(format: &NumberFormat) -> Option<&Width> {
    let units = format.units.as_ref()?;
    Some(match format.options.unit_display.as_str() {
        "long" => &units.long,
        "narrow" => &units.narrow,
        _ => &units.short,
    })
}

/// Puts a unit around a number.
pub(super) fn wrap(format: &NumberFormat, inner: &[Part], plural: &str) -> Vec<Part> {
    let name = format.options.unit.clone().unwrap_or_else(|| "percent".to_owned());
    let Some(width) = width(format) else { return inner.to_vec() };
    let pattern = match name.split_once("-per-") {
        Some((unit, per)) => compound(width, unit, per, plural),
        None => width.units.get(&name).and_then(|unit| pick(unit, plural)).unwrap_or("{0}").to_owned(),
    };
    with_unit(&pattern, inner, "unit")
}

/// The pattern of one unit per another one.
fn compound(width: &Width, unit: &str, per: &str, plural: &str) -> String {
    let combined = width.units.get(&format!("{unit}-per-{per}"));
    if let Some(pattern) = combined.and_then(|unit| pick(unit, plural)) {
        return pattern.to_owned();
    }
    let of = |name: &str, plural: &str| {
        let plurals: Option<&Plurals> = width.units.get(name);
        plurals.and_then(|plurals| pick(plurals, plural)).unwrap_or("{0}").to_owned()
    };
    let numerator = of(unit, plural);
    if let Some(pattern) = width.units.get(per).and_then(|plurals| plurals.get("per")) {
        return pattern.replace("{0}", &numerator);
    }
    let denominator = of(per, "one").replace("{0}", "").trim().to_owned();
    width.per.replace("{0}", &numerator).replace("{1}", &denominator)
}

/// The text of a unit's pattern is the unit; it may stand on both sides of the number.
pub(super) fn with_unit(pattern: &str, inner: &[Part], kind: &'static str) -> Vec<Part> {
    let Some((before, _, after)) = placeholder(pattern) else { return fill(pattern, &[inner]) };
    let mut parts = Vec::new();
    push(&mut parts, kind, before);
    for part in inner {
        if part.kind == LITERAL {
            push(&mut parts, LITERAL, &part.text);
        } else {
            parts.push(part.clone());
        }
    }
    push(&mut parts, kind, after);
    parts
}
