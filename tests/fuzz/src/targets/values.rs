//! Values as JSON: what parses has one form, which counts, orders and hashes as the value does.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use weir_value::{Value, compare, document, json, sort_key};

use super::{JSON, Target};

pub(super) const TARGET: Target = Target {
    name: "values",
    run,
    dictionary: JSON,
    bytes_max: 32 * 1024,
    rounds: 10_000,
    is_in_process: true,
};

/// A line a value; those that are none are left out.
fn run(input: &[u8]) {
    let lines = input.split(|byte| *byte == b'\n').take(16);
    let values: Vec<Value> = lines.filter_map(read).collect();
    for one in &values {
        for other in &values {
            check_pair(one, other);
        }
    }
}

fn read(text: &[u8]) -> Option<Value> {
    let tree = serde_json::from_slice::<serde_json::Value>(text);
    let parsed = Value::from_json(text).ok();
    if let Some(value) = &parsed {
        check_value(value);
        let tree = tree.expect("nothing is a value that is no JSON");
        assert_eq!(Value::from_json_value(&tree).as_ref(), Ok(value), "of a tree and of a text");
    }
    check_other_parsers(text, parsed.as_ref());
    parsed
}

fn check_value(value: &Value) {
    let text = value.to_json();
    let again = Value::from_json(text.as_bytes());
    assert_eq!(again.as_ref(), Ok(value), "{text}");
    assert_eq!(again.map(|again| again.to_json()).as_ref(), Ok(&text), "one form");
    let clean = value.to_clean_json().to_string();
    serde_json::from_str::<serde_json::Value>(&clean).expect("clean JSON is JSON");
    let key = sort_key::encode_to_vec(Some(value));
    assert_eq!(sort_key::decode(&key), Ok((Some(value.clone()), &[][..])), "{text}");
    let (nesting_max, size_bytes_max) = (value.nesting(), value.size_bytes());
    let bounds = json::Bounds { nesting_max, size_bytes_max, commit_timestamp: false };
    assert!(json::parse_within(text.as_bytes(), bounds).is_ok(), "the parser counts as values do: {text}");
    let smaller = json::Bounds { size_bytes_max: size_bytes_max - 1, ..bounds };
    assert!(json::parse_within(text.as_bytes(), smaller).is_err(), "{text}");
}

/// Whoever takes less, or more, agrees on the rest.
fn check_other_parsers(text: &[u8], parsed: Option<&Value>) {
    if let Ok(object) = document::parse(text) {
        assert_eq!(document::check_object(&object), Ok(()));
        let written = object.to_json_bytes();
        assert_eq!(document::parse(&written).as_ref(), Ok(&object));
    } else if let Some(value) = parsed {
        assert!(document::check(value).is_err(), "a document in one way is one in the other: {value:?}");
    }
    if let (Ok(Some(optional)), Some(value)) = (json::parse_optional(text), parsed) {
        assert_eq!(&optional, value);
    }
    let Ok(patch) = json::parse_patch(text) else { return };
    for (name, value) in patch {
        if let Some(value) = value {
            let text = value.to_json();
            let read = json::parse_within(text.as_bytes(), json::Bounds::MUTATION);
            assert_eq!(read, Ok(value), "the field {name} of a patch");
        }
    }
}

fn check_pair(one: &Value, other: &Value) {
    let order = compare(Some(one), Some(other));
    assert_eq!(order, compare(Some(other), Some(one)).reverse());
    assert_eq!(order.is_eq(), one == other);
    let (key, other_key) = (sort_key::encode_to_vec(Some(one)), sort_key::encode_to_vec(Some(other)));
    assert_eq!(order, key.cmp(&other_key), "keys keep the order: {one:?} {other:?}");
    assert!(order.is_ne() || hash(one) == hash(other));
    // No key is the beginning of another: what follows decides between equal values alone.
    assert!(order.is_eq() || !key.starts_with(&other_key) && !other_key.starts_with(&key));
}

fn hash(value: &Value) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(value)
}
