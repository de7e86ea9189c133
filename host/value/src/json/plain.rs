//! Reading the text of a plain value without making the value.
//!
//! Plain is what JSON has itself, without escapes, and no larger than nearly everything is. Whatever is not, or is not
//! canonical, is left to those who make the value, and know every rule and error.
//!
//! Each function takes a text, and gives what stands behind what it has read.
use super::write::write_float;
use crate::limits::{ARRAY_ITEMS_MAX, OBJECT_FIELDS_MAX};
use crate::names::check_field_name;

/// No size of a value is near its limit in so short a text.
const TEXT_BYTES_MAX: usize = 64 * 1024;
/// Far from any limit.
pub(crate) const NESTING_MAX: usize = 12;
/// Integers of so many digits are doubles, and are written as they are.
const INTEGER_DIGITS_MAX: usize = 15;

/// Whether this is the canonical text of a value that keeps all limits; `false` if that is not known.
pub fn is_canonical(json: &[u8]) -> bool {
    text(json).and_then(|text| value(text, 0)).is_some_and(str::is_empty)
}

/// The text, if it is short.
pub(crate) fn text(json: &[u8]) -> Option<&str> {
    Some(json).filter(|json| json.len() <= TEXT_BYTES_MAX).and_then(|json| std::str::from_utf8(json).ok())
}

/// Any value, in so many others.
pub(crate) fn value(text: &str, depth: usize) -> Option<&str> {
    match text.as_bytes().first()? {
        b'"' => Some(string(text)?.1),
        b'[' if depth < NESTING_MAX => items(&text[1..], |item| value(item, depth + 1)),
        b'{' if depth < NESTING_MAX => fields(&text[1..], depth + 1),
        b'[' | b'{' => None,
        b'n' => text.strip_prefix("null"),
        b't' => text.strip_prefix("true"),
        b'f' => text.strip_prefix("false"),
        _ => number(text),
    }
}

/// The items of an array behind its bracket, each read by `item`.
pub(crate) fn items<'t>(text: &'t str, item: impl Fn(&'t str) -> Option<&'t str>) -> Option<&'t str> {
    if let Some(rest) = text.strip_prefix(']') {
        return Some(rest);
    }
    let mut rest = text;
    for _ in 0..ARRAY_ITEMS_MAX {
        rest = item(rest)?;
        match rest.strip_prefix(',') {
            Some(next) => rest = next,
            None => return rest.strip_prefix(']'),
        }
    }
    None
}

fn fields(text: &str, depth: usize) -> Option<&str> {
    if let Some(rest) = text.strip_prefix('}') {
        return Some(rest);
    }
    let (mut before, mut rest) = (None, text);
    for _ in 0..OBJECT_FIELDS_MAX {
        let (name, behind) = field_name(rest, before)?;
        check_field_name(name).ok()?;
        before = Some(name);
        rest = value(behind, depth)?;
        match rest.strip_prefix(',') {
            Some(next) => rest = next,
            None => return rest.strip_prefix('}'),
        }
    }
    None
}

/// The name of a field, which stands behind that of the one before, and no name of an encoding.
pub(crate) fn field_name<'t>(text: &'t str, before: Option<&str>) -> Option<(&'t str, &'t str)> {
    let (name, rest) = string(text)?;
    let is_fit = before < Some(name) && !name.starts_with('$');
    is_fit.then_some((name, rest.strip_prefix(':')?))
}

/// The text of a string without escapes.
pub(crate) fn string(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix('"')?;
    let end = text.bytes().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))?;
    let (string, rest) = text.split_at(end);
    Some((string, rest.strip_prefix('"')?))
}

pub(crate) fn number(text: &str) -> Option<&str> {
    let is_of_number = |byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
    let end = text.bytes().position(|byte| !is_of_number(byte)).unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    (is_plain_integer(number) || is_written(number)).then_some(rest)
}

fn is_plain_integer(number: &str) -> bool {
    let digits = number.strip_prefix('-').unwrap_or(number).as_bytes();
    match digits {
        [b'0'] => digits.len() == number.len(),
        [b'1'..=b'9', ..] => digits.len() <= INTEGER_DIGITS_MAX && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

/// Whether the double that it reads as is written like this.
fn is_written(number: &str) -> bool {
    let mut written = Vec::with_capacity(number.len());
    // What is no number of JSON but one for `parse` is not written like that.
    number.parse().is_ok_and(|double| {
        write_float(double, &mut written);
        written == number.as_bytes()
    })
}

pub(crate) fn scalar(text: &str) -> Option<&str> {
    string(text).map(|(_, rest)| rest).or_else(|| number(text))
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Object, Value};

    /// Values of all kinds, small ones.
    pub(crate) fn values() -> impl Strategy<Value = Value> {
        let scalar = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Boolean),
            any::<f64>().prop_map(Value::Float64),
            (-1000..1000i32).prop_map(|number| Value::Float64(f64::from(number) / 8.0)),
            any::<i64>().prop_map(Value::Int64),
            "\\PC{0,4}".prop_map(Value::String),
            "[\"\\\\a\n]{0,3}".prop_map(Value::String),
        ];
        scalar.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                prop::collection::btree_map("[a-d]", inner, 0..4).prop_map(|fields| Value::Object(
                    Object::from_fields(fields.into_iter().collect()).unwrap()
                )),
            ]
        })
    }

    #[test]
    fn what_is_not_plain_or_not_canonical_is_left() {
        for text in [
            "",
            "[",
            "[1,]",
            "[1 ]",
            "{\"b\":1,\"a\":1}",
            "{\"a\":1,\"a\":1}",
            "{\"$x\":1}",
            "{\"\":1}",
            "{\"ä\":1}",
            "{\"a\"}",
            "nul",
            "1.0",
            "-0",
            "01",
            "1e2",
            "NaN",
            "\"\\n\"",
            "\"\n\"",
            "{\"a\":1}{",
            "+1",
        ] {
            assert!(!is_canonical(text.as_bytes()), "{text}");
        }
        let nested = |depth| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        assert!(
            is_canonical(nested(NESTING_MAX).as_bytes()) && !is_canonical(nested(NESTING_MAX + 1).as_bytes())
        );
        let items = |count| format!("[{}0]", "0,".repeat(count - 1));
        assert!(
            is_canonical(items(ARRAY_ITEMS_MAX).as_bytes())
                && !is_canonical(items(ARRAY_ITEMS_MAX + 1).as_bytes())
        );
        let fields = |count| {
            let fields: Vec<String> = (0..count).map(|number| format!("\"a{number:04}\":1")).collect();
            format!("{{{}}}", fields.join(","))
        };
        assert!(
            is_canonical(fields(OBJECT_FIELDS_MAX).as_bytes())
                && !is_canonical(fields(OBJECT_FIELDS_MAX + 1).as_bytes())
        );
        assert!(
            !is_canonical(format!("\"{}\"", "x".repeat(TEXT_BYTES_MAX)).as_bytes())
                && !is_canonical(b"\"\xff\"")
        );
    }

    proptest! {
        #[test]
        fn what_is_canonical_reads_as_a_value_that_is_written_so(value in values(), cut in 0..40usize, put in "[ ,:0\"\\[\\]{}.e-]") {
            let mut text = value.to_json();
            let is_plain = !text.contains('\\') && !text.contains("{\"$");
            prop_assert_eq!(is_canonical(text.as_bytes()), is_plain, "{}", text);
            if text.is_char_boundary(cut.min(text.len())) {
                text.insert_str(cut.min(text.len()), &put);
                if is_canonical(text.as_bytes()) {
                    let read = Value::from_json(text.as_bytes());
                    prop_assert_eq!(read.map(|value| value.to_json()).ok(), Some(text));
                }
            }
        }

        #[test]
        fn numbers_are_read_as_they_are_written(number: f64, text in "-?[0-9.eE+-]{1,8}") {
            let written = Value::Float64(number).to_json();
            prop_assert_eq!(is_canonical(written.as_bytes()), !written.starts_with('{'));
            let canonical = Value::from_json(text.as_bytes()).is_ok_and(|value| value.to_json() == text);
            prop_assert_eq!(is_canonical(text.as_bytes()), canonical, "{}", text);
        }
    }
}
