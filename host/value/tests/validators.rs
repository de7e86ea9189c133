//! Validators, case by case: the JSON form, what they accept, and what the errors say.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use weir_value::{CreationTime, DocumentId, TableNumber, Validator, Value, json as value_json};

const MESSAGES: TableNumber = TableNumber(10_001);
const USERS: TableNumber = TableNumber(10_002);

fn table_name(number: TableNumber) -> Option<Arc<str>> {
    match number {
        MESSAGES => Some("messages".into()),
        USERS => Some("users".into()),
        _ => None,
    }
}

fn id(table: TableNumber) -> String {
    DocumentId { table, creation_time: CreationTime::new(1.0).unwrap(), random: [1; 8] }.to_string()
}

fn parse(validator: &Json) -> Validator {
    Validator::from_json(validator).unwrap_or_else(|error| panic!("{validator}: {error}"))
}

/// Checks a value (in the value encoding) against a validator; every expected part must stand in
/// the error, and none means that there is no error.
fn check(validator: &Json, value: &Json, expected: &[&str]) {
    let parsed = parse(validator);
    let result = parsed.check(&Value::from_json_value(value).unwrap(), &table_name);
    match (result, expected) {
        (Ok(()), []) => {}
        (Ok(()), _) => panic!("{validator} takes {value}, without an error about {expected:?}"),
        (Err(error), []) => panic!("{validator} refuses {value}: {error}"),
        (Err(error), parts) => {
            let text = error.to_string();
            parts.iter().for_each(|part| {
                assert!(text.contains(part), "{validator} on {value}: {part:?} in {text:?}")
            });
        }
    }
}

fn object(fields: Json) -> Json {
    json!({"type": "object", "value": fields})
}

fn field(validator: Json, optional: bool) -> Json {
    json!({"fieldType": validator, "optional": optional})
}

fn plain(name: &str) -> Json {
    json!({"type": name})
}

#[test]
fn plain_types_take_their_values_and_no_others() {
    let values = [
        ("null", json!(null)),
        ("number", json!(1.5)),
        ("bigint", json!({"$integer": "AQAAAAAAAAA="})),
        ("boolean", json!(false)),
        ("string", json!("text")),
        ("bytes", json!({"$bytes": "AAE="})),
        ("array", json!([])),
        ("object", json!({})),
    ];
    for expected in ["null", "number", "bigint", "boolean", "string", "bytes"] {
        for (found, value) in &values {
            let wanted = format!("expected v.{expected}(), found {found}.");
            let error: &[&str] = if expected == *found { &[] } else { &[&wanted] };
            check(&plain(expected), value, error);
        }
    }
    values.iter().for_each(|(_, value)| check(&plain("any"), value, &[]));
}

#[test]
fn a_commit_timestamp_is_a_bigint_and_so_is_its_placeholder() {
    let commit_ts = plain("commitTs");
    check(&commit_ts, &json!({"$integer": "AQAAAAAAAAA="}), &[]);
    check(&commit_ts, &json!(1), &["expected v.bigint(), found number"]);
    let placeholder =
        value_json::parse_within(br#"{"$commitTs":null}"#, value_json::Bounds::MUTATION).unwrap();
    assert_eq!(parse(&commit_ts).check(&placeholder, &table_name), Ok(()));
}

#[test]
fn literals() {
    let literal = |value: Json| json!({"type": "literal", "value": value});
    check(&literal(json!("on")), &json!("on"), &[]);
    check(
        &literal(json!("on")),
        &json!("off"),
        &["expected v.literal(\"on\"), found string", "Value: \"off\""],
    );
    check(&literal(json!(1)), &json!(1.0), &[]);
    check(&literal(json!(0)), &json!({"$float": "AAAAAAAAAIA="}), &[]);
    check(&literal(json!(1)), &json!({"$integer": "AQAAAAAAAAA="}), &["expected v.literal(1), found bigint"]);
    check(&literal(json!({"$integer": "AQAAAAAAAAA="})), &json!({"$integer": "AQAAAAAAAAA="}), &[]);
    check(&literal(json!(true)), &json!(false), &["v.literal(true)"]);
}

#[test]
fn ids_are_those_of_their_table() {
    let message_id = json!({"type": "id", "tableName": "messages"});
    check(&message_id, &json!(id(MESSAGES)), &[]);
    let wrong = ["from table `users`, which does not match", "`v.id(\"messages\")`"];
    check(&message_id, &json!(id(USERS)), &wrong);
    check(&message_id, &json!(id(TableNumber(10_003))), &["from a table that does not exist"]);
    check(&message_id, &json!("nonsense"), &["\"nonsense\" is not a document id", "v.id(\"messages\")"]);
    check(&message_id, &json!(5), &["expected v.id(\"messages\"), found number"]);
    check(&object(json!({"m": field(message_id, false)})), &json!({"m": id(USERS)}), &["Path: .m"]);
}

#[test]
fn objects_have_exactly_their_fields() {
    let message = object(json!({
        "user": field(object(json!({"name": field(plain("string"), false)})), false),
        "tags": field(json!({"type": "array", "value": plain("string")}), true),
    }));
    check(&message, &json!({"user": {"name": "ada"}}), &[]);
    check(&message, &json!({"user": {"name": "ada"}, "tags": []}), &[]);
    let shown = "v.object({tags: v.optional(v.array(v.string())), user: v.object({name: v.string()})})";
    let missing = ["missing the required field `user`. Consider wrapping", "Object: {\"tags\":[]}", shown];
    check(&message, &json!({"tags": []}), &missing);
    check(&message, &json!({"user": {}}), &["missing the required field `name`", "Path: .user"]);
    check(
        &message,
        &json!({"user": {"name": "ada"}, "extra": 1}),
        &["contains extra field `extra` that is not in"],
    );
    check(&message, &json!({"user": {"Name": "ada"}}), &["contains extra field `Name`", "Path: .user"]);
    let wrong_name = ["expected v.string(), found number", "Path: .user.name", "Value: 5"];
    check(&message, &json!({"user": {"name": 5}}), &wrong_name);
    check(
        &message,
        &json!({"user": {"name": "ada"}, "tags": ["a", null]}),
        &["Path: .tags[1]", "found null"],
    );
    check(&message, &json!({"user": {"name": "ada"}, "tags": null}), &["Path: .tags", "found null"]);
    check(&message, &json!([]), &["found array"]);
    check(&object(json!({})), &json!({}), &[]);
    check(&object(json!({})), &json!({"a": 1}), &["extra field `a`", "v.object({})"]);
}

#[test]
fn records_have_names_and_values_of_a_kind() {
    let record =
        |keys: Json| json!({"type": "record", "keys": keys, "values": field(plain("number"), false)});
    let message_id = json!({"type": "id", "tableName": "messages"});
    check(&record(plain("string")), &json!({}), &[]);
    check(&record(plain("string")), &json!({"a": 1, "b c": 2}), &[]);
    check(&record(plain("string")), &json!({"a": 1, "b c": ""}), &["Path: [\"b c\"]", "expected v.number()"]);
    check(&record(message_id.clone()), &json!({(id(MESSAGES)): 1}), &[]);
    check(&record(message_id.clone()), &json!({(id(USERS)): 1}), &["from table `users`"]);
    check(&record(message_id.clone()), &json!({"a": 1}), &["\"a\" is not a document id"]);
    let users_or_messages =
        json!({"type": "union", "value": [message_id, {"type": "id", "tableName": "users"}]});
    check(&record(users_or_messages.clone()), &json!({(id(USERS)): 1, (id(MESSAGES)): 2}), &[]);
    check(&record(users_or_messages), &json!({"a": 1}), &["the field `a`, whose name does not match"]);
}

#[test]
fn unions_name_the_member_that_was_meant() {
    let union = |members: Json| json!({"type": "union", "value": members});
    let nullable = union(json!([object(json!({"a": field(plain("number"), false)})), plain("null")]));
    check(&nullable, &json!(null), &[]);
    check(&nullable, &json!({"a": 1}), &[]);
    check(&nullable, &json!({"a": "x"}), &["Path: .a", "expected v.number(), found string"]);
    check(&nullable, &json!("x"), &["expected v.union(v.object({a: v.number()}), v.null()), found string"]);
    let on = json!({"type": "literal", "value": "on"});
    let off = json!({"type": "literal", "value": "off"});
    check(&union(json!([on, off])), &json!("off"), &[]);
    check(
        &union(json!([on, off])),
        &json!("up"),
        &["expected v.union(v.literal(\"on\"), v.literal(\"off\"))"],
    );
    check(&union(json!([union(json!([on])), plain("number")])), &json!(1), &[]);
    check(&union(json!([])), &json!(1), &["expected v.union()"]);
}

#[test]
fn errors_stay_short() {
    let long = json!({"a": "x".repeat(3000), "b": vec!["y".repeat(100); 50]});
    for value in [json!("x".repeat(100_000)), json!("x".repeat(2000)), long] {
        let error =
            parse(&plain("number")).check(&Value::from_json_value(&value).unwrap(), &table_name).unwrap_err();
        assert!(error.to_string().len() < 600, "{}", error.to_string().len());
    }
}

#[test]
fn the_json_form_round_trips() {
    let forms = [
        plain("null"),
        plain("number"),
        plain("bigint"),
        plain("boolean"),
        plain("string"),
        plain("bytes"),
        plain("any"),
        json!({"type": "literal", "value": "a"}),
        json!({"type": "literal", "value": {"$integer": "AQAAAAAAAAA="}}),
        json!({"type": "literal", "value": 1.5}),
        json!({"type": "id", "tableName": "messages"}),
        json!({"type": "id", "tableName": "_storage"}),
        json!({"type": "array", "value": plain("string")}),
        object(json!({"a": field(plain("string"), true), "b": field(object(json!({})), false)})),
        json!({"type": "record", "keys": plain("string"), "values": field(plain("any"), false)}),
        json!({"type": "union", "value": [plain("null"), plain("string")]}),
    ];
    for form in forms {
        assert_eq!(parse(&form).to_json(), form);
    }
    let without_optional = object(json!({"a": {"fieldType": plain("null")}}));
    assert_eq!(parse(&without_optional).to_json(), object(json!({"a": field(plain("null"), false)})));
}

#[test]
fn bad_validators_say_where_and_why() {
    let deep = (0..80).fold(plain("null"), |inner, _| json!({"type": "array", "value": inner}));
    let cases = [
        (json!(null), "must be an object with a `type`"),
        (json!({}), "must be an object with a `type`"),
        (plain("text"), "the type \"text\" is unknown; this host knows null, number"),
        (json!({"type": "array"}), "at `.value`: it is missing"),
        (json!({"type": "array", "value": {"type": "x"}}), "at `.value`: the type \"x\" is unknown"),
        (json!({"type": "object", "value": []}), "at `.value`: it must be an object of fields"),
        (object(json!({"a": plain("null")})), "at `.value.a.fieldType`: it is missing"),
        (object(json!({"a": field(plain("x"), false)})), "at `.value.a.fieldType`: the type \"x\""),
        (
            object(json!({"a": {"fieldType": plain("null"), "optional": 1}})),
            "at `.value.a.optional`: it must be true",
        ),
        (object(json!({"$a": field(plain("null"), false)})), "\"$a\" starts with '$'"),
        (json!({"type": "id"}), "at `.tableName`: it is missing"),
        (json!({"type": "id", "tableName": "a b"}), "at `.tableName`: the table name \"a b\" contains ' '"),
        (json!({"type": "literal", "value": null}), "at `.value`: a literal is a string, a number"),
        (json!({"type": "literal", "value": []}), "this is array"),
        (json!({"type": "literal", "value": {"$integer": 1}}), "`$integer` needs"),
        (
            json!({"type": "record", "keys": plain("number"), "values": field(plain("any"), false)}),
            "at `.keys`: the keys",
        ),
        (
            json!({"type": "record", "keys": plain("string"), "values": field(plain("any"), true)}),
            "at `.values.optional`",
        ),
        (json!({"type": "union", "value": plain("null")}), "at `.value`: it must be an array"),
        (json!({"type": "union", "value": [plain("null"), 1]}), "at `.value[1]`: it must be an object"),
        (deep, "nested deeper than 64 levels"),
    ];
    for (form, expected) in cases {
        let error = Validator::from_json(&form).expect_err(&form.to_string()).to_string();
        assert!(error.starts_with("invalid validator") && error.contains(expected), "{form}: {error}");
    }
}
