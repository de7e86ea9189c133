//! Patching a stored document without parsing it: its fields stand there sorted, and most are copied as they are.
//!
//! Only for the plain case, which is nearly every patch. Whatever is unusual (a large document, a name that needs
//! escapes, a field that breaks a rule) is left to the way through values, which knows every rule and error.
//!
//! **Invariant:** where this gives a document, the way through values gives the same bytes.
use std::cmp::Ordering;
use std::iter::Peekable;

use weir_value::limits::{DOCUMENT_NESTING_MAX, DOCUMENT_SIZE_BYTES_MAX, OBJECT_FIELDS_MAX};
use weir_value::{Value, names};

/// Larger documents are measured as values. A byte of JSON stands for at most 4.5 of a value's size: `0,` is 9.
const JSON_BYTES_MAX: usize = DOCUMENT_SIZE_BYTES_MAX / 16;

/// The fields to set (`None`: to remove), sorted by name, each name once.
pub(super) type Changes = [(String, Option<Value>)];

/// Appends the patched document, canonical as `stored` is. `false`: this is not the plain case, and what was appended
/// means nothing.
pub(super) fn splice(stored: &[u8], changes: &Changes, out: &mut Vec<u8>) -> bool {
    let start = out.len();
    stored.len() <= JSON_BYTES_MAX
        && changes.iter().all(is_plain)
        && merge(stored, changes, out).is_some_and(|fields| fields <= OBJECT_FIELDS_MAX)
        && out.len() - start <= JSON_BYTES_MAX
}

fn is_plain((name, value): &(String, Option<Value>)) -> bool {
    let Some(value) = value else { return true };
    names::check_document_field_name(name).is_ok()
        && !name.contains(['"', '\\'])
        && value.nesting() < DOCUMENT_NESTING_MAX
}

/// Gives how many fields the document has now.
fn merge(stored: &[u8], changes: &Changes, out: &mut Vec<u8>) -> Option<usize> {
    let mut changes = changes.iter().peekable();
    let mut writer = Writer { out, fields: 0 };
    let mut rest = stored.strip_prefix(b"{")?;
    if rest != b"}" {
        loop {
            let (name, value, behind) = split_field(rest)?;
            while let Some((name, value)) = changes.next_if(|change| change.0.as_bytes() < name) {
                writer.change(name, value.as_ref());
            }
            match next_of(&mut changes, name) {
                Some((name, value)) => writer.change(name, value.as_ref()),
                None => writer.field(name, |out| out.extend_from_slice(value)),
            }
            match behind {
                b"}" => break,
                _ => rest = behind.strip_prefix(b",")?,
            }
        }
    }
    changes.for_each(|(name, value)| writer.change(name, value.as_ref()));
    Some(writer.finish())
}

fn next_of<'a>(
    changes: &mut Peekable<impl Iterator<Item = &'a (String, Option<Value>)>>,
    name: &[u8],
) -> Option<&'a (String, Option<Value>)> {
    changes.next_if(|change| change.0.as_bytes().cmp(name) == Ordering::Equal)
}

struct Writer<'a> {
    out: &'a mut Vec<u8>,
    fields: usize,
}

impl Writer<'_> {
    fn change(&mut self, name: &str, value: Option<&Value>) {
        if let Some(value) = value {
            self.field(name.as_bytes(), |out| value.write_json(out));
        }
    }

    fn field(&mut self, name: &[u8], value: impl FnOnce(&mut Vec<u8>)) {
        self.out.extend_from_slice(if self.fields == 0 { b"{\"" } else { b",\"" });
        self.out.extend_from_slice(name);
        self.out.extend_from_slice(b"\":");
        value(self.out);
        self.fields += 1;
    }

    fn finish(self) -> usize {
        if self.fields == 0 {
            self.out.push(b'{');
        }
        self.out.push(b'}');
        self.fields
    }
}

/// The name, the value, and what stands behind. `None`: a name with escapes, or no canonical JSON.
fn split_field(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let text = text.strip_prefix(b"\"")?;
    let name_end = text.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
    let (name, behind) = text.split_at(name_end);
    let value = behind.strip_prefix(b"\":")?;
    let (value, rest) = value.split_at(value_bytes(value)?);
    Some((name, value, rest))
}

/// How long the value is that the text begins with.
fn value_bytes(text: &[u8]) -> Option<usize> {
    match text.first()? {
        b'"' => string_bytes(text),
        b'{' | b'[' => container_bytes(text),
        _ => text.iter().position(|byte| matches!(byte, b',' | b'}' | b']')),
    }
}

fn string_bytes(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        at += text.get(at..)?.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
        match text[at] {
            b'"' => return Some(at + 1),
            _ => at += 2,
        }
    }
}

fn container_bytes(text: &[u8]) -> Option<usize> {
    let (mut at, mut depth) = (0, 0usize);
    loop {
        match text.get(at)? {
            b'"' => at += string_bytes(&text[at..])? - 1,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use weir_value::{Object, json};

    use super::*;

    fn through_values(stored: &Object, changes: &Changes) -> Vec<u8> {
        let mut patched = stored.clone();
        for (name, value) in changes {
            match value {
                Some(value) => drop(patched.insert(name.clone(), value.clone())),
                None => drop(patched.remove(name)),
            }
        }
        patched.to_json_bytes()
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<f64>().prop_map(Value::Float64),
            any::<i64>().prop_map(Value::Int64),
            any::<bool>().prop_map(Value::Boolean),
            ".{0,6}|[\"\\\\{}\\[\\],:]{0,6}".prop_map(Value::String),
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
                prop::collection::vec(("[a-c\"\\\\]{1,2}", inner), 0..3)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn it_is_the_way_through_values(
            stored in prop::collection::vec(("[a-fA-C]{1,2}|[a-c\"\\\\]{1,2}", any_value()), 0..6),
            changes in prop::collection::vec(("[a-fA-C]{1,2}", prop::option::of(any_value())), 0..5),
        ) {
            let stored: Object = stored.into_iter().collect();
            let mut changes = changes;
            changes.sort_by(|a, b| a.0.cmp(&b.0));
            changes.dedup_by(|a, b| a.0 == b.0);
            let mut spliced = Vec::new();
            let plain = splice(&stored.to_json_bytes(), &changes, &mut spliced);
            prop_assert_eq!(plain, stored.keys().all(|name| !name.contains(['"', '\\'])));
            if plain {
                let expected = through_values(&stored, &changes);
                prop_assert_eq!(String::from_utf8(spliced).unwrap(), String::from_utf8(expected).unwrap());
            }
        }

        #[test]
        fn no_text_makes_it_panic(stored in prop_oneof![any::<Vec<u8>>(), "[{}\\[\\]\",:\\\\a]{0,16}".prop_map(String::into_bytes)]) {
            let changes = [("a".to_owned(), Some(Value::Null)), ("b".to_owned(), None)];
            splice(&stored, &changes, &mut Vec::new());
        }
    }

    #[test]
    fn what_is_not_plain_is_left() {
        let long_name = "n".repeat(65);
        let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(16), "]".repeat(16));
        let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(JSON_BYTES_MAX));
        let cases = [
            ("{}".to_owned(), format!(r#"{{"{long_name}":1}}"#)),
            ("{}".to_owned(), r#"{"_mine":1}"#.to_owned()),
            ("{}".to_owned(), r#"{"q\"":1}"#.to_owned()),
            ("{}".to_owned(), deep),
            ("{}".to_owned(), large.clone()),
            (large, r#"{"b":1}"#.to_owned()),
            ("not JSON".to_owned(), r#"{"b":1}"#.to_owned()),
            (r#"{"a":1"#.to_owned(), r#"{"b":1}"#.to_owned()),
        ];
        for (stored, patch) in cases {
            let changes = json::parse_patch(patch.as_bytes()).unwrap();
            assert!(!splice(stored.as_bytes(), &changes, &mut Vec::new()), "{stored:.40} {patch:.40}");
        }
        let many: Object = (0..OBJECT_FIELDS_MAX).map(|n| (format!("f{n}"), Value::Null)).collect();
        let full = many.to_json_bytes();
        let change = |name: &str| vec![(name.to_owned(), Some(Value::Null))];
        assert!(splice(&full, &change("f7"), &mut Vec::new()));
        assert!(!splice(&full, &change("g"), &mut Vec::new()), "one too many");
    }
}
