//! The value encoding, case by case: what is taken, how it is written, what is refused and why.

use weir_value::limits::VALUES_MAX;
use weir_value::{Object, Value, json};

fn special(number: f64) -> String {
    Value::from(number).to_json()
}

/// What is parsed and written must be the canonical text, and that its own canonical text.
fn check_canonical(text: &str, canonical: &str) {
    let value = Value::from_json(text.as_bytes()).unwrap_or_else(|error| panic!("{text:.100}: {error}"));
    assert_eq!(value.to_json(), canonical, "{text:.100}");
    assert_eq!(Value::from_json(canonical.as_bytes()).as_ref(), Ok(&value), "{text:.100}");
}

fn check_refused(text: &[u8], expected: &str) {
    let shown = String::from_utf8_lossy(&text[..text.len().min(100)]);
    let error = Value::from_json(text).expect_err(&shown).to_string();
    assert!(error.contains(expected), "{shown}: {error}");
}

#[test]
fn one_form_for_each_value() {
    let cases = [
        ("null", "null"),
        (" true\n", "true"),
        ("1", "1"),
        ("1.0", "1"),
        ("-1e3", "-1000"),
        ("0.1", "0.1"),
        ("1e-7", "1e-7"),
        ("0", "0"),
        ("0.30000000000000004", "0.30000000000000004"),
        ("9007199254740991", "9007199254740991"),
        ("9007199254740992", "9007199254740992"),
        ("9007199254740993", "9007199254740992"),
        ("18446744073709551616", "1.8446744073709552e+19"),
        ("1e300", "1e+300"),
        ("5e-324", "5e-324"),
        ("1.7976931348623157e308", "1.7976931348623157e+308"),
        ("-0.0", r#"{"$float":"AAAAAAAAAIA="}"#),
        ("-0", r#"{"$float":"AAAAAAAAAIA="}"#),
        (r#"{"$float":"AAAAAAAA+H8="}"#, r#"{"$float":"AAAAAAAA+H8="}"#),
        (r#"{"$float":"AQAAAAAA8P8="}"#, r#"{"$float":"AQAAAAAA8P8="}"#),
        (r#"{"$float":"AAAAAAAA8H8="}"#, r#"{"$float":"AAAAAAAA8H8="}"#),
        (r#"{ "$integer" : "AAAAAAAAAIA=" }"#, r#"{"$integer":"AAAAAAAAAIA="}"#),
        (r#"{"$bytes":""}"#, r#"{"$bytes":""}"#),
        (r#"{"$bytes":"AAE="}"#, r#"{"$bytes":"AAE="}"#),
        (r#""a\u0000\n\/\u00e9\ud83d\ude00\"\\""#, "\"a\\u0000\\n/é😀\\\"\\\\\""),
        ("\"\u{7f}\u{2028}\"", "\"\u{7f}\u{2028}\""),
        ("[ 1 , [ ] , { } ]", "[1,[],{}]"),
        (r#"{"b":1,"a":{"d":2,"c":3}}"#, r#"{"a":{"c":3,"d":2},"b":1}"#),
        (r#"{"_id":"x","a b":1,"A":2}"#, r#"{"A":2,"_id":"x","a b":1}"#),
        (r#"{"\u0061":1}"#, r#"{"a":1}"#),
    ];
    for (text, canonical) in cases {
        check_canonical(text, canonical);
    }
}

#[test]
fn encoded_values_have_their_types() {
    let cases = [
        (r#"{"$integer":"//////////8="}"#, Value::from(-1_i64)),
        (r#"{"$integer":"AAAAAAAAAIA="}"#, Value::from(i64::MIN)),
        (r#"{"$bytes":"AP8="}"#, Value::from(vec![0, 255])),
        (r#"{"$float":"AAAAAAAAAIA="}"#, Value::from(-0.0)),
        ("1", Value::from(1.0)),
        (r#"{"a":[null]}"#, Value::from(Object::from([("a", Value::from(vec![Value::Null]))]))),
    ];
    for (text, value) in cases {
        assert_eq!(Value::from_json(text.as_bytes()), Ok(value), "{text}");
        let tree = serde_json::from_str(text).unwrap();
        assert_eq!(Value::from_json_value(&tree), Value::from_json(text.as_bytes()), "{text}");
    }
    assert_eq!(special(f64::NEG_INFINITY), r#"{"$float":"AAAAAAAA8P8="}"#);
}

#[test]
fn what_is_refused_and_why() {
    let cases: &[(&str, &str)] = &[
        ("", "not valid JSON: EOF"),
        ("nul", "not valid JSON"),
        ("1 2", "not valid JSON: trailing characters at line 1 column 3"),
        ("01", "not valid JSON"),
        ("1.", "not valid JSON"),
        ("+1", "not valid JSON"),
        ("NaN", "not valid JSON"),
        ("1e999", "not valid JSON: number out of range"),
        ("'a'", "not valid JSON"),
        ("[1,]", "not valid JSON: trailing comma"),
        (r#"{"a":1,}"#, "not valid JSON: trailing comma"),
        (r#"{a:1}"#, "not valid JSON: key must be a string"),
        (r#"{"a":[1,{"b":}]}"#, "at `.a[1].b`: it is not valid JSON"),
        ("\"a\nb\"", "not valid JSON: control character"),
        (r#""\ud800""#, "not valid JSON"),
        (r#""\udc00\ud800""#, "not valid JSON"),
        (r#""\x41""#, "not valid JSON: invalid escape"),
        (r#"{"a":1,"a":1}"#, "at `.a`: the field stands twice"),
        (r#"[{"x":{"b":1,"a":2,"b":3}}]"#, "at `[0].x.b`: the field stands twice"),
        (r#"{"a":1,"\u0061":1}"#, "at `.a`: the field stands twice"),
        (r#"{"":1}"#, "must not be empty"),
        (r#"{"a":{"é":1}}"#, "at `.a`: the field name \"é\" contains 'é'"),
        (r#"{"a":1,"$b":1}"#, "\"$b\" starts with '$', which is reserved"),
        (r#"[[{"$foo":1}]]"#, "at `[0][0]`: the field name \"$foo\" starts with '$'"),
        (r#"{"a b":[{"$set":[]}]}"#, "at `[\"a b\"][0]`: `$set` is not supported: use an array"),
        (r#"{"$map":[]}"#, "`$map` is not supported: use an object"),
        (r#"{"$commitTs":null}"#, "the placeholder for the commit's timestamp may stand only in documents"),
        (r#"{"a":[{"b":{"$commitTs":null}}]}"#, "at `.a[0].b`: the placeholder for the commit's timestamp"),
        (r#"{"$integer":1}"#, "`$integer` needs the base64 of 8 bytes"),
        (r#"{"$integer":"AAAA"}"#, "`$integer` needs the base64 of 8 bytes"),
        (r#"{"$integer":"AAAAAAAAAAAA"}"#, "`$integer` needs the base64 of 8 bytes"),
        (r#"{"$integer":"AAAAAAAAAAA"}"#, "`$integer` needs the base64 of 8 bytes"),
        (r#"{"$integer":{"$integer":"AAAAAAAAAAA="}}"#, "`$integer` needs the base64 of 8 bytes"),
        (r#"{"$integer":[]}"#, "`$integer` needs the base64 of 8 bytes"),
        (r#"{"$integer":"AAAAAAAAAAA=","a":1}"#, "`$integer` encodes one value and has no other fields"),
        (r#"{"$bytes":"","$bytes":""}"#, "`$bytes` encodes one value and has no other fields"),
        (r#"{"$bytes":"AAE"}"#, "`$bytes` needs padded base64"),
        (r#"{"$bytes":"AAF="}"#, "`$bytes` needs padded base64"),
        (r#"{"$bytes":"A-E="}"#, "`$bytes` needs padded base64"),
        (r#"{"$bytes":{}}"#, "`$bytes` needs padded base64"),
        (r#"{"a":[{"$float":"AAAAAAAA8D8="}]}"#, "at `.a[0]`: `$float` needs the base64 of 8 bytes"),
        (r#"{"$float":"AAAAAAAAAAA="}"#, "other numbers are written as they are"),
        (r#"{"$float":"NaN"}"#, "`$float` needs"),
        (r#"{"$undefined":null}"#, "`undefined` may stand only"),
        (r#"{"a":{"$undefined":null}}"#, "at `.a`: `undefined` may stand only"),
        (r#"[1,{"$undefined":null}]"#, "at `[1]`: `undefined` may stand only"),
        (r#"{"$undefined":1}"#, "`$undefined` needs null"),
    ];
    for (text, expected) in cases {
        check_refused(text.as_bytes(), expected);
    }
    check_refused(b"\"a\xff\"", "not valid UTF-8 after byte 2");
    check_refused(b"\"\xed\xa0\x80\"", "not valid UTF-8 after byte 1");
}

#[test]
fn limits_hold_exactly() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let nested_objects = |depth: usize| format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
    let deepest_integer = format!("{}{}{}", "[".repeat(64), r#"{"$integer":"AAAAAAAAAAA="}"#, "]".repeat(64));
    let items = |count: usize| format!("[{}]", vec!["1"; count].join(","));
    let fields = |count: usize| {
        let fields: Vec<_> = (0..count).map(|number| format!("\"f{number}\":1")).collect();
        format!("{{{}}}", fields.join(","))
    };
    let name = |chars: usize| format!("{{\"{}\":1}}", "n".repeat(chars));
    let text = |bytes: usize| format!("\"{}\"", "x".repeat(bytes));
    const SIZE: usize = 32 << 20;
    for good in [
        nested(64),
        nested_objects(64),
        deepest_integer,
        items(8192),
        fields(1024),
        name(1024),
        text(SIZE - 2),
    ] {
        assert!(Value::from_json(good.as_bytes()).is_ok(), "{good:.100}");
    }
    check_refused(nested(65).as_bytes(), "nested deeper than the 64 levels");
    check_refused(nested_objects(65).as_bytes(), "nested deeper than the 64 levels");
    check_refused(items(8193).as_bytes(), "more than the 8192 items");
    let values =
        |rows: usize| format!("[{}]", vec![format!("[{}]", vec!["{}"; 8191].join(",")); rows].join(","));
    let full = VALUES_MAX / 8192;
    assert!(Value::from_json(values(full - 1).as_bytes()).is_ok());
    check_refused(values(full).as_bytes(), "more than the 524288 values");
    check_refused(format!("{{\"a\":{}}}", items(8193)).as_bytes(), "at `.a`: the array has more than");
    check_refused(fields(1025).as_bytes(), "more than the 1024 fields");
    check_refused(name(1025).as_bytes(), "1025 characters, where 1024 are allowed");
    check_refused(text(SIZE - 1).as_bytes(), "larger than the 33554432 bytes");
}

#[test]
fn deep_input_ends_early_and_not_in_a_stack_overflow() {
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}"), (r#"{"$bytes":"#, "}"), (r#"[{"a":"#, "}]")] {
        for count in [200, 1_000_000] {
            let unclosed = open.repeat(count);
            assert!(Value::from_json(unclosed.as_bytes()).is_err());
            assert!(Value::from_json(format!("{unclosed}1{}", close.repeat(count)).as_bytes()).is_err());
            assert!(json::parse_patch(unclosed.as_bytes()).is_err());
            assert!(json::parse_optional(unclosed.as_bytes()).is_err());
        }
    }
    let path = Value::from_json("[".repeat(100).as_bytes()).unwrap_err().path;
    assert_eq!(path, "[0]".repeat(64));
}

#[test]
fn the_size_of_a_value() {
    let cases = [
        ("null", 1),
        ("true", 1),
        ("1", 9),
        (r#"{"$integer":"AAAAAAAAAAA="}"#, 9),
        (r#"{"$bytes":"AAE="}"#, 4),
        (r#""\u0041é""#, 5),
        ("[]", 2),
        ("[null,null]", 4),
        (r#"{"ab":1}"#, 14),
        (r#"{"a":{"$bytes":"AAE="}}"#, 8),
    ];
    for (text, size_bytes) in cases {
        assert_eq!(Value::from_json(text.as_bytes()).unwrap().size_bytes(), size_bytes, "{text}");
        // The parser counts the same: the bound holds exactly there.
        let bounds = |size_bytes_max| json::Bounds { size_bytes_max, ..json::Bounds::VALUE };
        assert!(json::parse_within(text.as_bytes(), bounds(size_bytes)).is_ok(), "{text}");
        let error = json::parse_within(text.as_bytes(), bounds(size_bytes - 1)).expect_err(text).to_string();
        assert!(error.contains("larger than"), "{text}: {error}");
    }
}

#[test]
fn undefined_stands_where_it_may() {
    let undefined = br#"{"$undefined":null}"#;
    assert_eq!(json::parse_optional(undefined), Ok(None));
    assert_eq!(json::parse_optional(b"1"), Ok(Some(Value::from(1.0))));
    assert_eq!(json::optional_from_tree(&serde_json::json!({"$undefined": null})), Ok(None));
    assert!(json::parse_optional(br#"[{"$undefined":null}]"#).is_err());

    let patch = json::parse_patch(br#"{"b":{"$undefined":null},"a":{"$integer":"AQAAAAAAAAA="}}"#);
    assert_eq!(patch, Ok(vec![("a".into(), Some(Value::from(1_i64))), ("b".into(), None)]));
    assert_eq!(json::parse_patch(b"{}"), Ok(vec![]));
    let cases = [
        (r#"{"a":{"b":{"$undefined":null}}}"#, "at `.a.b`: `undefined` may stand only"),
        (r#"{"a":1,"a":{"$undefined":null}}"#, "at `.a`: the field stands twice"),
        (r#"{"$undefined":null}"#, "starts with '$'"),
        (r#"{"$integer":"AQAAAAAAAAA="}"#, "starts with '$'"),
        ("[]", "it must be an object, and is array"),
        ("1", "it must be an object, and is number"),
        ("null", "it must be an object, and is null"),
        ("\"a\"", "it must be an object, and is string"),
        ("true", "it must be an object, and is boolean"),
        ("{", "not valid JSON"),
    ];
    for (text, expected) in cases {
        let error = json::parse_patch(text.as_bytes()).expect_err(text).to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn objects_only() {
    assert_eq!(json::parse_object(br#"{"a":null}"#), Ok(Object::from([("a", Value::Null)])));
    for (text, found) in [("[]", "array"), ("1", "number"), (r#"{"$integer":"AQAAAAAAAAA="}"#, "bigint")] {
        let error = json::parse_object(text.as_bytes()).expect_err(text).to_string();
        assert_eq!(error, format!("invalid value: it must be an object, and is {found}"));
    }
}

#[test]
fn paths_into_values() {
    let value = Value::from_json(br#"{"a":{"b":[1]},"c":null}"#).unwrap();
    assert_eq!(value.at_path("a.b"), Some(&Value::from(vec![Value::from(1.0)])));
    assert_eq!(value.at_path("c"), Some(&Value::Null));
    for path in ["d", "a.b.c", "c.d", "", "a."] {
        assert_eq!(value.at_path(path), None, "{path}");
    }
}
