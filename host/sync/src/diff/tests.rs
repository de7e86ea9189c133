//! What patches look like, and that they lead where they should: judged by another implementation of RFC 6902.
use std::sync::Arc;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn tree(value: &Value) -> Tree {
    Tree::parse(&Arc::from(value.to_string())).expect("JSON is JSON")
}

fn patch(base: &Value, new: &Value) -> Option<String> {
    diff(&tree(base), &tree(new))
}

/// Both implementations lead from `base` to `new`.
fn check(base: &Value, new: &Value, patch: &str) {
    let mut by_judge = base.clone();
    let judged: json_patch::Patch = serde_json::from_str(patch).expect("a patch is JSON");
    json_patch::patch(&mut by_judge, &judged).unwrap_or_else(|error| panic!("{patch}: {error}"));
    assert_eq!(&by_judge, new, "{patch}");
    let mut by_us = base.clone();
    apply(&mut by_us, patch).unwrap_or_else(|error| panic!("{patch}: {error}"));
    assert_eq!(&by_us, new, "{patch}");
}

fn expect(base: Value, new: Value, expected: Value) {
    let patch = patch(&base, &new).unwrap_or_else(|| panic!("no patch from {base} to {new}"));
    check(&base, &new, &patch);
    assert_eq!(serde_json::from_str::<Value>(&patch).expect("JSON"), expected);
}

/// Text that makes whole values dear, so that patches are worth it.
fn long() -> String {
    "long ".repeat(60)
}

#[test]
fn fields_are_added_removed_and_replaced() {
    expect(
        json!({"a": 1, "b": 2, "c": {"d": [1], "e": long()}, "t": long()}),
        json!({"a": 1, "c": {"d": [1, 2], "e": long()}, "n": null, "t": long()}),
        json!([
            {"op": "remove", "path": "/b"},
            {"op": "add", "path": "/c/d/1", "value": 2},
            {"op": "add", "path": "/n", "value": null},
        ]),
    );
}

#[test]
fn names_are_escaped_for_the_pointer_and_for_json() {
    let base = json!({"a/b~c\"d\\e": 1, "~1": 1, "": 1, "t": long()});
    let new = json!({"a/b~c\"d\\e": 2, "~1": 2, "": 2, "t": long()});
    expect(
        base,
        new,
        json!([
            {"op": "replace", "path": "/", "value": 2},
            {"op": "replace", "path": "/a~1b~0c\"d\\e", "value": 2},
            {"op": "replace", "path": "/~01", "value": 2},
        ]),
    );
}

#[test]
fn an_encoded_value_is_one_value() {
    expect(
        json!({"n": {"$integer": "AQAAAAAAAAA="}, "t": long()}),
        json!({"n": {"$integer": "AgAAAAAAAAA="}, "t": long()}),
        json!([{"op": "replace", "path": "/n", "value": {"$integer": "AgAAAAAAAAA="}}]),
    );
}

#[test]
fn a_whole_value_that_is_not_longer_is_preferred() {
    assert_eq!(patch(&json!(1), &json!(2)), None);
    assert_eq!(patch(&json!([1, 2, 3]), &json!([1, 2, 4])), None);
    assert_eq!(patch(&json!([long()]), &json!({})), None);
    // Also inside: one replacement of `p` instead of four in it.
    expect(
        json!({"p": {"a": 1, "b": 2, "c": 3, "d": 4}, "t": long()}),
        json!({"p": {"a": 5, "b": 6, "c": 7, "d": 8}, "t": long()}),
        json!([{"op": "replace", "path": "/p", "value": {"a": 5, "b": 6, "c": 7, "d": 8}}]),
    );
}

#[test]
fn lists_without_ids_keep_their_common_items() {
    let numbers = |skip: usize| (0..60).filter(|n| *n != skip).map(|n| json!(n * 1000)).collect::<Vec<_>>();
    expect(json!(numbers(99)), json!(numbers(30)), json!([{"op": "remove", "path": "/30"}]));
    expect(json!(numbers(30)), json!(numbers(99)), json!([{"op": "add", "path": "/30", "value": 30_000}]));
    let rows = |x: u32| (0..20).map(|n| json!({"n": n, "x": if n == 7 { x } else { 0 }})).collect::<Vec<_>>();
    expect(json!(rows(1)), json!(rows(2)), json!([{"op": "replace", "path": "/7/x", "value": 2}]));
}

fn message(number: usize) -> Value {
    json!({
        "_creationTime": 1_795_365_899_830.5 + number as f64,
        "_id": format!("k57{number:029}"),
        "body": format!("message number {number}, of the usual length of a sentence in a chat"),
        "user": "ada",
    })
}

fn messages(numbers: impl IntoIterator<Item = usize>) -> Value {
    numbers.into_iter().map(message).collect()
}

#[test]
fn one_new_message_of_fifty_is_one_removal_and_one_addition() {
    let (base, new) = (messages(0..50), messages(1..51));
    let patch = patch(&base, &new).expect("a patch");
    assert!(patch.len() < 500, "{} bytes", patch.len());
    assert!(new.to_string().len() > 7_000);
    expect(
        base,
        new,
        json!([{"op": "remove", "path": "/0"}, {"op": "add", "path": "/49", "value": message(50)}]),
    );
}

#[test]
fn one_moved_message_is_one_move() {
    expect(
        messages(0..50),
        messages((1..50).chain([0])),
        json!([{"op": "move", "from": "/0", "path": "/49"}]),
    );
    expect(
        messages(0..50),
        messages([49].into_iter().chain(0..49)),
        json!([{"op": "move", "from": "/49", "path": "/0"}]),
    );
    expect(
        messages(0..50),
        messages((0..10).chain(11..30).chain([10]).chain(30..50)),
        json!([{"op": "move", "from": "/10", "path": "/29"}]),
    );
}

#[test]
fn a_changed_field_is_one_replacement_at_the_final_place() {
    let mut new: Vec<Value> = (5..51).map(message).collect();
    new[10]["body"] = json!("edited");
    let patch = patch(&messages(0..50), &json!(new)).expect("a patch");
    check(&messages(0..50), &json!(new), &patch);
    assert!(patch.ends_with(r#"{"op":"replace","path":"/10/body","value":"edited"}]"#), "{patch}");
}

#[test]
fn ids_that_are_not_ones_own_are_no_ids() {
    let twice =
        |body: &str| json!([{"_id": "a", "b": long()}, {"_id": "a", "b": body}, {"_id": "c", "b": long()}]);
    let patch = patch(&twice("x"), &twice("y")).expect("a patch");
    check(&twice("x"), &twice("y"), &patch);
    let numbers = |x: u32| json!([{"_id": 1, "b": long()}, {"_id": 2, "b": x}]);
    check(&numbers(1), &numbers(2), &super::diff(&tree(&numbers(1)), &tree(&numbers(2))).expect("a patch"));
}

#[test]
fn comparisons_that_cost_too_much_give_the_whole_value() {
    // Eight thousand documents in reverse order: about as many moves.
    assert_eq!(patch(&messages(0..8000), &messages((0..8000).rev())), None);
    // More values than a comparison looks at.
    let many = |last: usize| Value::from_iter((0..DIFF_COST_MAX).chain([last]).map(|n| json!(n)));
    assert!(Tree::parse(&Arc::from(many(1).to_string())).is_none());
}

#[test]
fn texts_that_are_no_json_give_no_patch() {
    for text in ["", "[", "{\"a\"", "{\"a\":}", "[1,]x", "\"a", "\"\\", "{1:2}", "[1 2]", "nul l", "]"] {
        assert!(Tree::parse(&Arc::from(text)).is_none(), "{text}");
    }
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    assert!(Tree::parse(&Arc::from(deep)).is_none());
    let twice = Tree::parse(&Arc::from(r#"{"a":1,"a":2,"b":1}"#)).expect("JSON of a sort");
    assert_eq!(diff(&twice, &tree(&json!({"a": 1}))), None);
}

#[test]
fn patches_for_another_value_are_refused() {
    for patch in [
        r#"[{"op":"remove","path":"/9"}]"#,
        r#"[{"op":"add","path":"/01","value":1}]"#,
        r#"[{"op":"replace","path":"/x/y","value":1}]"#,
        r#"[{"op":"move","from":"/7","path":"/0"}]"#,
    ] {
        let error = apply(&mut json!([1, 2]), patch).expect_err(patch);
        assert!(matches!(error, ApplyError::NoSuchPlace { at: 0, .. }), "{error}");
    }
    assert!(matches!(apply(&mut json!(1), r#"[{"op":"test","path":""}]"#), Err(ApplyError::Malformed(_))));
}

fn json_tree() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..4_i32).prop_map(Value::from),
        "[a-b/~\"\\\\é]{0,4}".prop_map(Value::from),
        Just(json!({"$integer": "AQAAAAAAAAA="})),
        Just(json!({"$bytes": "AQAA"})),
        Just(json!("a string that is long enough to make a patch of something else worth it")),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            btree_map("[a-c/~\"\\\\]{0,2}", inner, 0..5).prop_map(Value::from_iter),
        ]
    })
}

#[derive(Debug, Clone)]
enum Edit {
    Insert(usize, usize),
    Remove(usize),
    Move(usize, usize),
    Change(usize, u32),
    Drop(usize),
}

fn edit() -> impl Strategy<Value = Edit> {
    let place = 0..40_usize;
    prop_oneof![
        (place.clone(), 100..400_usize).prop_map(|(at, number)| Edit::Insert(at, number)),
        place.clone().prop_map(Edit::Remove),
        (place.clone(), place.clone()).prop_map(|(from, to)| Edit::Move(from, to)),
        (place.clone(), any::<u32>()).prop_map(|(at, x)| Edit::Change(at, x)),
        place.prop_map(Edit::Drop),
    ]
}

fn perform(list: &mut Vec<Value>, edit: Edit) {
    let within = |at: usize, length: usize| if length == 0 { 0 } else { at % length };
    let length = list.len();
    match edit {
        Edit::Insert(at, number) => list.insert(within(at, length + 1), message(number)),
        _ if length == 0 => {}
        Edit::Remove(at) => drop(list.remove(within(at, length))),
        Edit::Move(from, to) => {
            let item = list.remove(within(from, length));
            list.insert(within(to, length), item);
        }
        Edit::Change(at, x) => list[within(at, length)]["changed"] = json!({"x": x, "y": [x]}),
        Edit::Drop(at) => drop(list[within(at, length)].as_object_mut().map(|fields| fields.remove("body"))),
    }
}

proptest! {
    #[test]
    fn patches_of_random_trees_lead_to_the_new_value(base in json_tree(), new in json_tree()) {
        // Beside something long, so that the whole value is never the shorter one.
        let (base, new) = (json!({"v": base, "t": long()}), json!({"v": new, "t": long()}));
        let patch = patch(&base, &new);
        prop_assert!(patch.is_some() || new.to_string().len() < 500, "{base} {new}");
        if let Some(patch) = patch {
            check(&base, &new, &patch);
        }
    }

    #[test]
    fn patches_of_edited_documents_lead_there_and_are_small(
        length in 0..30_usize,
        edits in vec(edit(), 0..8),
    ) {
        let base: Vec<Value> = (0..length).map(message).collect();
        let mut new = base.clone();
        let bound = edits.iter().map(|_| 330).sum::<usize>() + 2;
        edits.into_iter().for_each(|edit| perform(&mut new, edit));
        let (base, new) = (Value::from(base), Value::from(new));
        match patch(&base, &new) {
            Some(patch) => {
                check(&base, &new, &patch);
                prop_assert!(patch.len() <= bound, "{} bytes for {patch}", patch.len());
            }
            None => prop_assert!(new.to_string().len() <= bound || base == new),
        }
    }

    #[test]
    fn equal_values_have_an_empty_patch(value in json_tree()) {
        prop_assert_eq!(patch(&json!([value, long()]), &json!([value, long()])), Some("[]".to_owned()));
    }

    #[test]
    fn arbitrary_texts_never_panic(base in "\\PC{0,64}", new in "[\\[\\]{}\",:aé\\\\1$]{0,32}") {
        let trees = (Tree::parse(&Arc::from(base)), Tree::parse(&Arc::from(new)));
        if let (Some(base), Some(new)) = trees {
            let _ = diff(&base, &new);
        }
    }

    #[test]
    fn arbitrary_patches_never_panic(patch in "[\\[\\]{}\",:/adopthrsevmu0-9~]{0,64}", value in json_tree()) {
        let _ = apply(&mut value.clone(), &patch);
    }
}
