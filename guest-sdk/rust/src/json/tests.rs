use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::{from_slice, to_vec};
use crate::{Bytes, CommitTimestamp, Value};

fn text<T: Serialize>(value: &T) -> String {
    String::from_utf8(to_vec(value).unwrap()).unwrap()
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Everything {
    flag: bool,
    small: i32,
    big: i64,
    float: f64,
    text: String,
    maybe: Option<u32>,
    nested: Option<Box<Everything>>,
    list: Vec<u8>,
    bytes: Bytes,
    nothing: (),
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Kind {
    Plain,
    Wrapped(String),
    Pair(u8, f64),
    Named { x: i64 },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Tagged {
    Circle { radius: i32 },
    Square { side: f64 },
}

fn everything(kind: Kind) -> Everything {
    Everything {
        flag: true,
        small: -7,
        big: i64::MIN,
        float: 0.5,
        text: "a\"\\\n\u{1}é😀".to_owned(),
        maybe: None,
        nested: None,
        list: vec![1, 2],
        bytes: Bytes(vec![0, 255]),
        nothing: (),
        kind,
    }
}

#[test]
fn values_are_written_as_convex_encodes_them() {
    let cases: [(String, &str); 17] = [
        (text(&1_u8), "1"),
        (text(&-5_i32), "-5"),
        (text(&1.0_f64), "1"),
        (text(&-9e15_f64), "-9000000000000000"),
        (text(&1e16_f64), "1e16"),
        (text(&1e300_f64), "1e300"),
        (text(&1_i64), r#"{"$integer":"AQAAAAAAAAA="}"#),
        (text(&usize::MIN), r#"{"$integer":"AAAAAAAAAAA="}"#),
        (text(&f64::NAN), r#"{"$float":"AAAAAAAA+H8="}"#),
        (text(&-0.0_f64), r#"{"$float":"AAAAAAAAAIA="}"#),
        (text(&Bytes(b"hi".to_vec())), r#"{"$bytes":"aGk="}"#),
        (text(&()), "null"),
        (text(&None::<i32>), "null"),
        (text(&vec![Some(1), None]), "[1,null]"),
        (text(&Kind::Plain), r#""Plain""#),
        (text(&Kind::Pair(1, 2.5)), r#"{"Pair":[1,2.5]}"#),
        (text(&Tagged::Circle { radius: 3 }), r#"{"kind":"Circle","radius":3}"#),
    ];
    for (written, expected) in cases {
        assert_eq!(written, expected);
    }
}

/// An object whose fields are written in this order.
struct InOrder(Vec<(String, Value)>);

impl Serialize for InOrder {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

#[test]
fn fields_are_sorted_wherever_they_are_written() {
    #[derive(Serialize)]
    struct Inner {
        z: Option<u8>,
        y: Vec<Tagged>,
        b: u8,
    }
    #[derive(Serialize)]
    struct Outer {
        number: u8,
        #[serde(flatten)]
        inner: Inner,
        balance: BTreeMap<String, f64>,
        ab: u8,
        a: Option<u8>,
    }
    let inner = Inner { z: None, y: vec![Tagged::Square { side: 2.0 }], b: 3 };
    let balance = BTreeMap::from([("x".to_owned(), 1.5)]);
    assert_eq!(
        text(&Outer { number: 1, inner, balance, ab: 2, a: Some(4) }),
        r#"{"a":4,"ab":2,"b":3,"balance":{"x":1.5},"number":1,"y":[{"kind":"Square","side":2}]}"#
    );
    let plain = super::to_plain_vec(&InOrder(vec![("b".into(), Value::Null), ("a".into(), Value::Null)]));
    assert_eq!(plain.unwrap(), br#"{"b":null,"a":null}"#, "what the web is sent stays as it was written");
}

#[test]
fn a_field_that_is_none_is_left_out() {
    #[derive(Serialize)]
    struct Optional {
        first: Option<i32>,
        middle: i32,
        last: Option<Option<i32>>,
        inner: Option<Inner>,
    }
    #[derive(Serialize)]
    struct Inner {
        only: Option<i32>,
    }
    let none = Optional { first: None, middle: 1, last: None, inner: None };
    assert_eq!(text(&none), r#"{"middle":1}"#);
    let some = Optional { first: Some(0), middle: 1, last: None, inner: Some(Inner { only: None }) };
    assert_eq!(text(&some), r#"{"first":0,"inner":{},"middle":1}"#);
}

#[test]
fn what_is_written_is_read_again() {
    for kind in [Kind::Plain, Kind::Wrapped("x".into()), Kind::Pair(1, -0.0), Kind::Named { x: 3 }] {
        let mut value = everything(kind.clone());
        value.nested = Some(Box::new(everything(kind)));
        value.maybe = Some(9);
        assert_eq!(from_slice::<Everything>(&to_vec(&value).unwrap()).unwrap(), value);
    }
    for tagged in [Tagged::Circle { radius: -2 }, Tagged::Square { side: 4.0 }] {
        assert_eq!(from_slice::<Tagged>(&to_vec(&tagged).unwrap()).unwrap(), tagged);
    }
}

#[test]
fn integers_are_read_however_they_are_written() {
    assert_eq!(from_slice::<i32>(b"5").unwrap(), 5);
    assert_eq!(from_slice::<i32>(b" 5.0 ").unwrap(), 5);
    assert_eq!(from_slice::<u64>(b"5e2").unwrap(), 500);
    assert_eq!(from_slice::<i64>(br#"{"$integer":"/////////38="}"#).unwrap(), i64::MAX);
    assert_eq!(from_slice::<f64>(b"7").unwrap(), 7.0);
    assert_eq!(from_slice::<f64>(br#"{"$float":"AAAAAAAA8H8="}"#).unwrap(), f64::INFINITY);
    assert!(from_slice::<i32>(b"5.5").is_err());
    assert!(from_slice::<u8>(b"256").is_err());
    assert!(from_slice::<u32>(b"-1").is_err());
}

#[test]
fn untyped_values_keep_their_types() {
    let json = br#"{"a":[1,{"$integer":"AQAAAAAAAAA="},null,true],"b":{"$bytes":"aGk="}}"#;
    let value: Value = from_slice(json).unwrap();
    let expected = Value::Object(BTreeMap::from([
        ("a".to_owned(), Value::Array(vec![1.0.into(), Value::Int64(1), Value::Null, true.into()])),
        ("b".to_owned(), Value::Bytes(b"hi".to_vec())),
    ]));
    assert_eq!(value, expected);
}

#[test]
fn unknown_fields_are_passed_over() {
    #[derive(Deserialize)]
    struct One {
        one: i32,
    }
    let json = br#"{"zero":[{"\"}":1.5e3},"\\",[],{}],"x":{"$bytes":""},"one":1,"y":false}"#;
    assert_eq!(from_slice::<One>(json).unwrap().one, 1);
}

#[test]
fn strings_are_unescaped() {
    let cases = [
        (r#""""#, ""),
        (r#""\u0041\n\/""#, "A\n/"),
        (r#""\ud83d\ude00é""#, "😀é"),
        (r#""a\"b\\""#, "a\"b\\"),
    ];
    for (json, expected) in cases {
        assert_eq!(from_slice::<String>(json.as_bytes()).unwrap(), expected);
    }
}

#[test]
fn malformed_json_is_refused() {
    let cases = [
        "",
        "{",
        "[",
        "[1",
        "[1,]",
        "[1 2]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "nul",
        "tru",
        "1 2",
        "\"",
        "\"\\x\"",
        "\"\\ud800\"",
        "\"\\u12\"",
        "\"\n\"",
        "+",
        "--1",
        "1.5.2",
        "{\"$integer\":\"AQ==\"}",
        "{\"$integer\":1}",
        "{\"$what\":\"\"}",
        "{\"$bytes\":\"*\"}",
        "}",
        "]",
        ",",
    ];
    for json in cases {
        assert!(from_slice::<Value>(json.as_bytes()).is_err(), "{json:?} was read");
    }
    for json in ["{\"a\":[", "{\"a\":\"", "{\"a\":nope}"] {
        #[derive(Debug, Deserialize)]
        struct Empty {}
        assert!(from_slice::<Empty>(json.as_bytes()).is_err(), "{json:?} was read");
    }
    assert!(from_slice::<Value>(b"\"\xff\"").is_err());
}

#[test]
fn errors_name_what_was_expected() {
    #[derive(Debug, Deserialize)]
    struct User {
        #[allow(dead_code, reason = "only its absence matters")]
        name: String,
    }
    let error = from_slice::<User>(b"{}").unwrap_err().to_string();
    assert_eq!(error, "missing field `name`");
    let error = from_slice::<User>(br#"{"name":1}"#).unwrap_err().to_string();
    assert!(error.contains("expected a string"), "{error}");
    assert!(to_vec(&u64::MAX).is_err());
    assert!(to_vec(&BTreeMap::from([(1, 2)])).is_err());
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Boolean),
        any::<i64>().prop_map(Value::Int64),
        any::<f64>().prop_filter("NaN is not equal to itself", |x| !x.is_nan()).prop_map(Value::Float64),
        any::<String>().prop_map(Value::String),
        any::<Vec<u8>>().prop_map(Value::Bytes),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            prop::collection::btree_map("[a-z\"\\\\é]{0,6}", inner, 0..5).prop_map(Value::Object),
        ]
    })
}

proptest! {
    #[test]
    fn fields_in_any_order_are_one_text(fields in prop::collection::btree_map("[a-c]{1,3}", values(), 0..7), seed: u64) {
        let sorted: Vec<_> = fields.clone().into_iter().collect();
        let mut mixed = sorted.clone();
        mixed.sort_by_key(|(name, _)| name.bytes().fold(seed, |seed, byte| seed.wrapping_mul(31).rotate_left(7) ^ u64::from(byte)));
        prop_assert_eq!(text(&vec![InOrder(mixed)]), text(&vec![InOrder(sorted)]));
    }

    #[test]
    fn any_value_round_trips(value in values()) {
        let json = to_vec(&value).unwrap();
        prop_assert_eq!(from_slice::<Value>(&json).unwrap(), value);
        // A judge that is not ours agrees that it is JSON.
        prop_assert!(serde_json::from_slice::<serde_json::Value>(&json).is_ok());
    }

    #[test]
    fn no_text_panics(json in "[\\[\\]{}\",:0-9a-z.\\\\$ -]{0,40}") {
        let _ = from_slice::<Value>(json.as_bytes());
        let _ = from_slice::<Everything>(json.as_bytes());
        let _ = from_slice::<serde::de::IgnoredAny>(json.as_bytes());
    }
}

#[test]
fn timestamps_of_commits_are_known_or_pending() {
    let pending = r#"{"$commitTs":null}"#;
    assert_eq!(text(&CommitTimestamp::Pending), pending);
    assert_eq!(text(&CommitTimestamp::At(1)), r#"{"$integer":"AQAAAAAAAAA="}"#);
    let read = |json: &str| from_slice::<CommitTimestamp>(json.as_bytes());
    assert_eq!(read(pending).unwrap(), CommitTimestamp::Pending);
    assert_eq!(read(r#"{ "$commitTs" : null }"#).unwrap(), CommitTimestamp::Pending);
    assert_eq!(read(r#"{"$integer":"AQAAAAAAAAA="}"#).unwrap().nanos(), Some(1));
    assert!(CommitTimestamp::Pending > CommitTimestamp::At(i64::MAX));
    for wrong in ["1.5", "null", "{}", r#"{"at":null}"#, r#"{"$commitTs":1}"#] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
    let document = format!(r#"{{"at":{pending},"n":1}}"#);
    let value: Value = from_slice(document.as_bytes()).unwrap();
    assert_eq!(text(&value), document, "a value without a type gives it back");
    assert!(from_slice::<i64>(pending.as_bytes()).is_err());
    assert!(from_slice::<Option<i64>>(pending.as_bytes()).is_err());
}
