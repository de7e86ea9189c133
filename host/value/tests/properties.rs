//! What holds for every value: encodings round-trip, sort keys keep the order, and no input
//! makes a decoder panic.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use weir_value::{Object, Value, compare, document, json, sort_key};

/// Numbers that are close to each other, at the edges, and anywhere.
fn any_float() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<u64>().prop_map(f64::from_bits),
        (-3_i32..3).prop_map(f64::from),
        any::<i64>().prop_map(|number| number as f64),
        prop::sample::select(vec![
            0.0,
            -0.0,
            f64::NAN,
            -f64::NAN,
            f64::INFINITY,
            f64::MIN_POSITIVE,
            9e15,
            1e21,
            0.1
        ]),
    ]
}

/// Texts of few different characters, so that some are prefixes of others, and of any.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof!["[a\u{0}\u{1}é]{0,3}", "\\PC{0,6}", any::<String>()]
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![vec(prop::sample::select(vec![0, 1, 254, 255]), 0..4), vec(any::<u8>(), 0..12)]
}

fn any_scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        prop_oneof![-2_i64..3, any::<i64>()].prop_map(Value::from),
        any_float().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        any_text().prop_map(Value::from),
        any_bytes().prop_map(Value::from),
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    any_scalar().prop_recursive(5, 40, 5, |inner| {
        let fields = btree_map("[ab]{1,2}|[ -#%-~][ -~]{0,5}", inner.clone(), 0..5);
        prop_oneof![
            vec(inner, 0..5).prop_map(Value::from),
            fields.prop_map(|fields| Value::from(fields.into_iter().collect::<Object>())),
        ]
    })
}

/// Bytes that come near to JSON of values more often than by chance.
fn json_like() -> impl Strategy<Value = Vec<u8>> {
    let part = prop::sample::select(vec![
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "\"",
        "1",
        "-0",
        "null",
        "\"a\"",
        "\"a\":",
        "{\"$integer\":",
        "{\"$float\":",
        "{\"$bytes\":\"AA==\"}",
        "{\"$undefined\":null}",
        "\"AAAAAAAA8H8=\"",
        "\\u00",
        "e9",
        " ",
        "é",
        "$",
    ]);
    prop_oneof![
        vec(any::<u8>(), 0..40),
        vec(part, 0..16).prop_map(|parts| parts.concat().into_bytes()),
        (any_value(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(value, at, byte)| {
            let mut text = value.to_json_bytes();
            let at = at.index(text.len());
            text[at] = byte;
            text
        }),
    ]
}

fn hash(value: &Value) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(value)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn json_round_trips(value in any_value()) {
        let text = value.to_json();
        let parsed = Value::from_json(text.as_bytes());
        prop_assert_eq!(parsed.as_ref(), Ok(&value));
        prop_assert_eq!(parsed.unwrap().to_json(), text.clone());
        let tree: serde_json::Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(Value::from_json_value(&tree), Ok(value));
    }

    #[test]
    fn the_parser_counts_what_values_count(value in any_value()) {
        let (text, size_bytes, nesting) = (value.to_json(), value.size_bytes(), value.nesting());
        let parse = |nesting_max, size_bytes_max| {
            json::parse_within(text.as_bytes(), json::Bounds { nesting_max, size_bytes_max, commit_timestamp: false })
        };
        prop_assert!(parse(nesting, size_bytes).is_ok());
        prop_assert!(parse(nesting, size_bytes - 1).is_err());
        prop_assert!(nesting == 0 || parse(nesting - 1, size_bytes).is_err());
    }

    #[test]
    fn sort_keys_round_trip(value in proptest::option::of(any_value()), after in vec(any::<u8>(), 0..4)) {
        let mut key = sort_key::encode_to_vec(value.as_ref());
        key.extend(&after);
        prop_assert_eq!(sort_key::decode(&key), Ok((value, &after[..])));
    }

    #[test]
    fn sort_keys_keep_the_order(
        a in proptest::option::of(any_value()),
        b in proptest::option::of(any_value()),
        after_a in vec(any::<u8>(), 0..4),
        after_b in vec(any::<u8>(), 0..4),
    ) {
        let (mut key_a, mut key_b) = (sort_key::encode_to_vec(a.as_ref()), sort_key::encode_to_vec(b.as_ref()));
        let order = compare(a.as_ref(), b.as_ref());
        prop_assert_eq!(order, key_a.cmp(&key_b));
        // Whatever follows decides only between equal values.
        key_a.extend(&after_a);
        key_b.extend(&after_b);
        prop_assert_eq!(order.then(after_a.cmp(&after_b)), key_a.cmp(&key_b));
    }

    #[test]
    fn equality_hash_and_order_agree(a in any_value(), b in any_value(), c in any_value()) {
        prop_assert_eq!(a == b, a.cmp(&b).is_eq());
        prop_assert!(a != b || hash(&a) == hash(&b));
        prop_assert_eq!(hash(&a), hash(&a.clone()));
        prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        let mut sorted = [&a, &b, &c];
        sorted.sort();
        prop_assert!(sorted[0] <= sorted[1] && sorted[1] <= sorted[2] && sorted[0] <= sorted[2]);
    }

    #[test]
    fn whatever_parses_has_one_form(text in json_like()) {
        if let Ok(value) = Value::from_json(&text) {
            let canonical = value.to_json();
            prop_assert_eq!(Value::from_json(canonical.as_bytes()), Ok(value));
            // Nothing that serde_json refuses is taken.
            prop_assert!(serde_json::from_slice::<serde_json::Value>(&text).is_ok());
        }
        let _ = (json::parse_patch(&text), json::parse_optional(&text), document::parse(&text));
    }

    #[test]
    fn arbitrary_sort_keys_never_panic_and_are_canonical(
        key in prop_oneof![vec(any::<u8>(), 0..24), vec(prop::sample::select(
            vec![0_u8, 1, 0x10, 0x18, 0x20, 0x28, 0x30, 0x31, 0x38, 0x40, 0x48, 0x50, b'a', 255]), 0..24)]
    ) {
        if let Ok((value, rest)) = sort_key::decode(&key) {
            prop_assert_eq!(sort_key::encode_to_vec(value.as_ref()), &key[..key.len() - rest.len()]);
        }
    }

    #[test]
    fn clean_json_is_json(value in any_value()) {
        let clean = value.to_clean_json().to_string();
        prop_assert!(serde_json::from_str::<serde_json::Value>(&clean).is_ok(), "{}", clean);
    }
}
