//! Plans as guests write most of them, read in one pass over their text.
//!
//! A look-up through an index costs less than a general reader of JSON takes for its plan. The plain case is an object of
//! the known names, each once, without white space, without a filter, whose strings have no escapes, and whose bounds
//! compare with whole numbers, strings, booleans or null. Everything else, mistakes included, is left to the general
//! reader.
//!
//! **Invariant:** where this reads a plan, the general reader reads the same one.
use std::borrow::Cow;

use weir_store::Direction;
use weir_value::Value;

use super::filter::Comparison;
use super::plan::{BY_CREATION_TIME, Bounds, Plan, RangeBound};

/// Whole numbers of so many digits are doubles, exactly, and stay so with a `.0`.
const DIGITS_MAX: usize = 14;
/// Longer strings are left to the reader that knows how long a value may be.
const STRING_BYTES_MAX: usize = 1024;

/// `None`: this is not the plain case.
pub(super) fn read(text: &[u8]) -> Option<Plan<'_>> {
    let mut input = Input(std::str::from_utf8(text).ok()?);
    let (mut table, mut index, mut bounds, mut order, mut limit) = (None, None, None, None, None);
    input.take("{")?;
    loop {
        let name = input.name()?;
        let is_first = match name {
            "table" => table.replace(input.string()?).is_none(),
            "index" => index.replace(input.string()?).is_none(),
            "range" => bounds.replace(input.bounds()?).is_none(),
            "order" => order.replace(direction(input.string()?)?).is_none(),
            "limit" => limit.replace(input.digits()?).is_none(),
            _ => false,
        };
        if !is_first {
            return None;
        }
        if input.take(",").is_none() {
            break;
        }
    }
    input.take("}").filter(|()| input.0.is_empty())?;
    Some(Plan {
        table: Cow::Borrowed(table?),
        direction: order.unwrap_or(Direction::Ascending),
        filter: None,
        limit,
        index: Cow::Borrowed(index.unwrap_or(BY_CREATION_TIME)),
        bounds: bounds.unwrap_or_default(),
    })
}

fn direction(order: &str) -> Option<Direction> {
    match order {
        "asc" => Some(Direction::Ascending),
        "desc" => Some(Direction::Descending),
        _ => None,
    }
}

/// What is left of a text.
struct Input<'a>(&'a str);

impl<'a> Input<'a> {
    fn take(&mut self, expected: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(expected)?;
        Some(())
    }

    /// The name of a field, and its colon.
    fn name(&mut self) -> Option<&'a str> {
        let name = self.string()?;
        self.take(":").map(|()| name)
    }

    fn string(&mut self) -> Option<&'a str> {
        self.take("\"")?;
        let end = self.0.bytes().position(|byte| matches!(byte, b'"' | b'\\' | ..0x20))?;
        let (string, rest) = self.0.split_at(end);
        self.0 = rest;
        self.take("\"").filter(|()| end <= STRING_BYTES_MAX).map(|()| string)
    }

    /// A whole number without a sign.
    fn digits(&mut self) -> Option<u64> {
        let len = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.0.split_at(len);
        self.0 = rest;
        let is_plain = digits == "0" || !digits.starts_with('0') && (1..=DIGITS_MAX).contains(&len);
        digits.parse().ok().filter(|_| is_plain)
    }

    /// The same as a double, which some write with a fraction.
    fn number(&mut self) -> Option<Value> {
        let digits = self.digits()?;
        // Another digit, or an exponent, is no part of what a value is followed by.
        let _ = self.take(".0");
        Some(Value::Float64(digits as f64))
    }

    fn value(&mut self) -> Option<Value> {
        match self.0.as_bytes().first()? {
            b'"' => Some(Value::String(self.string()?.to_owned())),
            b'0'..=b'9' => self.number(),
            b't' => self.take("true").map(|()| Value::Boolean(true)),
            b'f' => self.take("false").map(|()| Value::Boolean(false)),
            b'n' => self.take("null").map(|()| Value::Null),
            _ => None,
        }
    }

    fn bounds(&mut self) -> Option<Bounds<'a>> {
        self.take("[")?;
        let mut bounds = Bounds::new();
        if self.take("]").is_some() {
            return Some(bounds);
        }
        loop {
            bounds.push(self.bound()?);
            if self.take(",").is_none() {
                return self.take("]").map(|()| bounds);
            }
        }
    }

    /// As the SDKs write it: operator, field, value.
    fn bound(&mut self) -> Option<RangeBound<'a>> {
        self.take("{\"op\":")?;
        let comparison = Comparison::parse(self.string()?).filter(|op| *op != Comparison::Neq)?;
        self.take(",\"field\":")?;
        let field = Cow::Borrowed(self.string()?);
        self.take(",\"value\":")?;
        let value = Some(self.value()?);
        self.take("}").map(|()| RangeBound { comparison, field, value })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seen(plan: &Plan<'_>) -> String {
        format!("{plan:?}")
    }

    fn text() -> impl Strategy<Value = String> {
        let string =
            || prop_oneof![4 => "[a-z_]{0,6}", 1 => "\\PC{0,3}", 1 => Just(r#"a\u0062\""#.to_owned())];
        let number = prop_oneof![
            (0u64..1_000).prop_map(|n| n.to_string()),
            any::<u64>().prop_map(|n| n.to_string()),
            (0u64..100_000_000_000_000).prop_map(|n| format!("{n}.0")),
            any::<f64>().prop_map(|n| n.to_string()),
            Just("-0".to_owned()),
            Just("007".to_owned()),
            Just("1.05".to_owned()),
            Just("1e3".to_owned()),
        ];
        let value = prop_oneof![
            number.clone(),
            string().prop_map(|string| format!("\"{string}\"")),
            Just("true".to_owned()),
            Just("false".to_owned()),
            Just("null".to_owned()),
            Just("nullx".to_owned()),
            Just(r#"{"$undefined":null}"#.to_owned()),
            Just("[1]".to_owned()),
        ];
        let op = prop_oneof![4 => "eq|gt|gte|lt|lte", 1 => "neq|like"];
        let bound =
            (op, string(), value, prop::bool::weighted(0.1)).prop_map(|(op, field, value, turned)| {
                match turned {
                    false => format!(r#"{{"op":"{op}","field":"{field}","value":{value}}}"#),
                    true => format!(r#"{{"field":"{field}","op":"{op}","value":{value}}}"#),
                }
            });
        let bounds = prop::collection::vec(bound, 0..3).prop_map(|bounds| format!("[{}]", bounds.join(",")));
        let field = prop_oneof![
            string().prop_map(|table| format!(r#""table":"{table}""#)),
            string().prop_map(|index| format!(r#""index":"{index}""#)),
            bounds.prop_map(|bounds| format!(r#""range":{bounds}"#)),
            "asc|desc|up".prop_map(|order| format!(r#""order":"{order}""#)),
            number.prop_map(|limit| format!(r#""limit":{limit}"#)),
            Just(r#""filter":{"$field":"a"}"#.to_owned()),
            Just(r#""more":1"#.to_owned()),
            Just("\"index\":null".to_owned()),
        ];
        let fields = prop::collection::vec(field, 0..5);
        (string(), fields, ",|, ", "|x|}").prop_map(|(table, mut fields, comma, end)| {
            fields.insert(0, format!(r#""table":"{table}""#));
            format!("{{{}}}{end}", fields.join(&comma))
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn the_general_reader_reads_the_same(text in text()) {
            if let Some(plan) = read(text.as_bytes()) {
                let general = Plan::parse_any(text.as_bytes());
                prop_assert_eq!(Ok(seen(&plan)), general.map(|plan| seen(&plan)), "{}", text);
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in prop_oneof![any::<Vec<u8>>(), "[{}\\[\\]\",:\\\\a0.-]{0,24}".prop_map(String::into_bytes)]) {
            let _ = read(&text);
        }
    }

    #[test]
    fn what_guests_write_is_plain() {
        let plain = [
            r#"{"table":"t"}"#,
            r#"{"table":"t","index":"by_n","order":"desc","limit":1}"#,
            r#"{"table":"t","index":"by_n","limit":2,"range":[{"op":"eq","field":"n","value":7}]}"#,
            r#"{"table":"t","index":"by_n","range":[{"op":"eq","field":"a.b","value":"x"},{"op":"gt","field":"n","value":7.0}]}"#,
            r#"{"table":"t","index":"by_n","range":[{"op":"eq","field":"n","value":true},{"op":"lt","field":"m","value":null}]}"#,
        ];
        plain.iter().for_each(|text| assert!(read(text.as_bytes()).is_some(), "{text}"));
        let others = [
            r#"{"table":"t","table":"t"}"#,
            r#"{"table":"t","filter":true}"#,
            r#"{"table":"t","range":[{"op":"eq","field":"n","value":1.5}]}"#,
            r#"{"table":"t","range":[{"op":"eq","field":"n","value":-1}]}"#,
            r#"{"table":"t","range":[{"op":"eq","field":"n","value":{"$undefined":null}}]}"#,
        ];
        others.iter().for_each(|text| assert!(read(text.as_bytes()).is_none(), "{text}"));
    }
}
