//! Holding the text of a value against a validator, without making the value.
//!
//! Nearly all arguments and documents are plain, and their text is canonical already. This says yes to those, and nothing else: whatever it does not know, or does not like, is left to the check of the
//! value, which knows every rule and every error.
//!
//! **Invariant:** a text that is accepted is the canonical encoding of a value that keeps all limits and passes
//! [`Validator::check`].
use std::collections::BTreeMap;

use super::check::check_id;
use super::{Field, IdTables, Validator};
use crate::Value;
use crate::json::plain::{self, NESTING_MAX, field_name, items, number, scalar, string};

impl Validator {
    /// Whether this text is canonical, and what this wants; `false` if that is not known. Scalars of the outermost object
    /// under the names in `passed_over` are not looked at, and need not be known: what the host adds to documents.
    pub fn accepts_text(&self, text: &[u8], passed_over: &[&str], ids: &dyn IdTables) -> bool {
        let reader = Reader { ids, passed_over };
        plain::text(text).and_then(|text| reader.value(self, text, 0)).is_some_and(str::is_empty)
    }
}

/// Each function takes a text, and gives what stands behind what it has read.
struct Reader<'a> {
    ids: &'a dyn IdTables,
    passed_over: &'a [&'a str],
}

impl Reader<'_> {
    fn value<'t>(&self, wanted: &Validator, text: &'t str, depth: usize) -> Option<&'t str> {
        match wanted {
            Validator::Null => text.strip_prefix("null"),
            Validator::Boolean => text.strip_prefix("true").or_else(|| text.strip_prefix("false")),
            Validator::Number => number(text),
            Validator::String => Some(string(text)?.1),
            Validator::Id(table) => {
                let (id, rest) = string(text)?;
                check_id(table, id, self.ids).is_ok().then_some(rest)
            }
            Validator::Literal(Value::String(literal)) => {
                let (found, rest) = string(text)?;
                (found == literal).then_some(rest)
            }
            Validator::Any => plain::value(text, depth),
            Validator::Union(members) => members.iter().find_map(|member| self.value(member, text, depth)),
            _ if depth == NESTING_MAX => None,
            Validator::Array(wanted) => {
                items(text.strip_prefix('[')?, |item| self.value(wanted, item, depth + 1))
            }
            Validator::Object(fields) => self.fields(fields, text.strip_prefix('{')?, depth + 1),
            Validator::Bigint | Validator::Bytes | Validator::Literal(_) | Validator::Record { .. } => None,
        }
    }

    /// The names in a canonical text ascend, as those of the validator do.
    fn fields<'t>(&self, wanted: &BTreeMap<String, Field>, text: &'t str, depth: usize) -> Option<&'t str> {
        let mut wanted = wanted.iter().peekable();
        let mut before = None;
        let mut rest = text;
        if !rest.starts_with('}') {
            loop {
                let (name, behind) = field_name(rest, before)?;
                before = Some(name);
                while let Some((_, skipped)) = wanted.next_if(|(next, _)| next.as_str() < name) {
                    skipped.optional.then_some(())?;
                }
                rest = match wanted.next_if(|(next, _)| *next == name) {
                    Some((_, field)) => self.value(&field.validator, behind, depth)?,
                    None if depth == 1 && self.passed_over.contains(&name) => scalar(behind)?,
                    None => return None,
                };
                match rest.strip_prefix(',') {
                    Some(next) => rest = next,
                    None => break,
                }
            }
        }
        wanted.all(|(_, field)| field.optional).then_some(())?;
        rest.strip_prefix('}')
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::TableNumber;
    use crate::json::plain::tests::values;
    use crate::limits::ARRAY_ITEMS_MAX;

    fn no_tables(_: TableNumber) -> Option<Arc<str>> {
        None
    }

    fn accepts(wanted: &Validator, text: &str) -> bool {
        wanted.accepts_text(text.as_bytes(), &["_id"], &no_tables)
    }

    fn account() -> Validator {
        let optional = Validator::Union(vec![Validator::Null, Validator::String]);
        Validator::Object(BTreeMap::from([
            ("balance".to_owned(), Field::required(Validator::Number)),
            ("name".to_owned(), Field::optional(optional)),
            ("tags".to_owned(), Field::optional(Validator::Array(Box::new(Validator::String)))),
        ]))
    }

    #[test]
    fn what_is_plain_and_canonical_is_accepted() {
        for text in [
            r#"{"balance":12}"#,
            r#"{"balance":-12.5,"name":null}"#,
            r#"{"balance":1e+21,"name":"Änne"}"#,
            r#"{"_id":"abc","balance":0,"name":"","tags":[]}"#,
            r#"{"balance":123456789012345,"tags":["a","b"]}"#,
        ] {
            let canonical = Value::from_json(text.as_bytes()).unwrap().to_json();
            assert_eq!(accepts(&account(), text), canonical == text, "{text}");
        }
        assert!(accepts(&account(), r#"{"_id":"abc","balance":0.1,"name":"","tags":["a"]}"#));
        assert!(accepts(&Validator::Null, "null") && accepts(&Validator::Boolean, "false"));
    }

    #[test]
    fn everything_else_is_left() {
        for text in [
            "",
            "{}",
            r#"{"name":"x"}"#,
            r#"{"balance": 1}"#,
            r#"{"balance":1.0}"#,
            r#"{"balance":-0}"#,
            r#"{"balance":01}"#,
            r#"{"balance":1e2}"#,
            r#"{"balance":inf}"#,
            r#"{"balance":"1"}"#,
            r#"{"balance":1}x"#,
            r#"{"balance":1,}"#,
            r#"{"balance":1,"balance":1}"#,
            r#"{"name":"x","balance":1}"#,
            r#"{"balance":1,"name":"\n"}"#,
            "{\"balance\":1,\"name\":\"\n\"}",
            r#"{"balance":1,"name":7}"#,
            r#"{"balance":1,"nom":"x"}"#,
            r#"{"_id":{"a":1},"balance":1}"#,
            r#"{"balance":1,"tags":["a",]}"#,
            r#"{"balance":1,"tags":["a"#,
            r#"{"balance":{"$float":"AAAAAAAAAIA="}}"#,
        ] {
            assert!(!accepts(&account(), text), "{text}");
        }
        let nested = (0..NESTING_MAX).fold(Validator::Null, |item, _| Validator::Array(Box::new(item)));
        let text = format!("{}null{}", "[".repeat(NESTING_MAX), "]".repeat(NESTING_MAX));
        assert!(accepts(&nested, &text));
        assert!(!accepts(&Validator::Array(Box::new(nested)), &format!("[{text}]")));
        let items = |count| format!("[{}0]", "0,".repeat(count - 1));
        let numbers = Validator::Array(Box::new(Validator::Number));
        assert!(accepts(&numbers, &items(ARRAY_ITEMS_MAX)));
        assert!(!accepts(&numbers, &items(ARRAY_ITEMS_MAX + 1)));
    }

    /// What fits the value, more or less.
    fn validator_like(value: &Value) -> Validator {
        match value {
            Value::Null => Validator::Null,
            Value::Boolean(_) => Validator::Union(vec![Validator::Number, Validator::Boolean]),
            Value::Float64(_) => Validator::Number,
            Value::Int64(_) | Value::CommitTimestamp => Validator::Bigint,
            Value::Bytes(_) => Validator::Bytes,
            Value::String(text) if text.len() == 1 => Validator::Literal(value.clone()),
            Value::String(_) => Validator::String,
            Value::Array(items) => {
                Validator::Array(Box::new(Validator::Union(items.iter().map(validator_like).collect())))
            }
            Value::Object(object) => Validator::Object(
                object
                    .iter()
                    .map(|(name, value)| {
                        (name.to_owned(), Field { validator: validator_like(value), optional: name == "a" })
                    })
                    .collect(),
            ),
        }
    }

    proptest! {
        #[test]
        fn what_is_accepted_is_canonical_and_passes_the_check(like in values(), value in values(), cut in 0..40usize) {
            for (wanted, value) in [(&like, &value), (&like, &like)] {
                let wanted = validator_like(wanted);
                let mut text = value.to_json();
                if accepts(&wanted, &text) {
                    prop_assert!(wanted.check(value, &no_tables).is_ok());
                }
                // A text that is no longer canonical, or a value.
                if cut < text.len() && text.is_char_boundary(cut) {
                    text.insert(cut, ' ');
                    if accepts(&wanted, &text) {
                        let read = Value::from_json(text.as_bytes()).unwrap();
                        prop_assert_eq!(read.to_json(), text);
                        prop_assert!(wanted.check(&read, &no_tables).is_ok());
                    }
                }
            }
        }
    }
}
