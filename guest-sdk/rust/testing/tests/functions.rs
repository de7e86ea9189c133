//! Functions under test, and all that a test can do with them.

use std::time::Duration;

use weir::prelude::*;
use weir_test::{Database, Read};

#[document("items")]
struct Item {
    label: String,
    rank: i64,
}

#[mutation]
fn add(ctx: &MutationCtx, label: String, rank: i64) -> Result<Id<Item>> {
    log!("adding {label}");
    ctx.db.insert("items", &Item { label, rank })
}

#[query]
fn list(ctx: &QueryCtx) -> Result<Vec<Doc<Item>>> {
    ctx.db.query("items").collect()
}

#[query]
fn get(ctx: &QueryCtx, id: Id<Item>) -> Result<Option<Doc<Item>>> {
    ctx.db.get(&id)
}

#[mutation]
fn add_and_fail(ctx: &MutationCtx) -> Result<()> {
    add(ctx, "left".to_owned(), 0)?;
    bail_with!(fields! { code: "Refused", limit: 3 });
}

#[mutation(internal)]
fn add_and_panic(ctx: &MutationCtx) -> Result<()> {
    add(ctx, "left".to_owned(), 0)?;
    panic!("this is a bug");
}

/// Adds one, lets others fail, and goes on.
#[mutation]
fn catch(ctx: &MutationCtx) -> Result<Vec<String>> {
    ctx.run_mutation::<Id>("weir-test:add", fields! { label: "kept", rank: 1_i64 })?;
    let refused = ctx.run_mutation::<()>("weir-test:addAndFail", fields! {}).unwrap_err();
    let trapped = ctx.run_mutation::<()>("weir-test:addAndPanic", fields! {}).unwrap_err();
    let unknown = ctx.run_query::<()>("weir-test:nowhere", fields! {}).unwrap_err();
    let found = ctx.run_query::<Vec<Doc<Item>>>("weir-test:list", fields! {})?;
    let codes = [&refused, &trapped, &unknown].map(|error| error.code().unwrap_or_default().to_owned());
    Ok([&codes[..], &[found.len().to_string()]].concat())
}

#[mutation]
fn recurse(ctx: &MutationCtx) -> Result<()> {
    ctx.run_mutation("weir-test:recurse", fields! {})
}

#[query]
fn read_too_much(ctx: &QueryCtx) -> Result<()> {
    loop {
        let rows = ctx.db.query::<Item>("items").iter();
        let _ = rows.count();
    }
}

#[query]
fn surroundings(ctx: &QueryCtx) -> (f64, f64) {
    (ctx.now(), ctx.random())
}

#[query]
fn who(ctx: &QueryCtx) -> Option<String> {
    ctx.identity().map(|identity| identity.subject().to_owned())
}

fn labels(db: &Database) -> Vec<String> {
    let items: Vec<Doc<Item>> = db.query("weir-test:list", fields! {}).unwrap();
    items.into_iter().map(|item| item.into_value().label).collect()
}

#[test]
fn what_is_written_is_read_and_each_test_begins_empty() {
    let db = Database::new();
    assert!(labels(&db).is_empty());
    let id: Id<Item> =
        db.mutation("weir-test:add", fields! { label: "a", rank: 9_007_199_254_740_993_i64 }).unwrap();
    let item: Option<Doc<Item>> = db.query("weir-test:get", fields! { id: id }).unwrap();
    assert_eq!(item.unwrap().rank, 9_007_199_254_740_993);
    assert!(labels(&Database::new()).is_empty());
}

#[test]
fn the_last_call_tells_what_it_did() {
    let db = Database::new();
    db.mutation::<Id>("weir-test:add", fields! { label: "a", rank: 1_i64 }).unwrap();
    let last = db.last();
    assert_eq!(last.log_lines, ["[LOG] adding a"]);
    assert_eq!(last.writes.len(), 1);
    assert_eq!(last.writes[0].table, "items");
    labels(&db);
    let last = db.last();
    assert!(last.writes.is_empty() && last.log_lines.is_empty());
    assert!(matches!(&last.reads[..], [Read::Range { table, .. }] if table == "items"), "{:?}", last.reads);
}

#[test]
fn a_failure_is_what_a_client_gets_and_writes_nothing() {
    let db = Database::new();
    let error = db.mutation::<()>("weir-test:addAndFail", fields! {}).unwrap_err();
    assert_eq!(error.code(), "ApplicationError");
    let data: Value = error.data().unwrap();
    assert_eq!(data.get("code").and_then(Value::as_str), Some("Refused"));
    let error = db.mutation::<()>("weir-test:addAndPanic", fields! {}).unwrap_err();
    assert_eq!(error.code(), "FunctionTrapped");
    assert!(error.message().contains("this is a bug"), "{error}");
    assert!(labels(&db).is_empty());
    let error = db.query::<()>("weir-test:get", fields! { id: "nonsense" }).unwrap_err();
    assert_eq!(error.code(), "ArgumentValidationError");
    let error = db.query::<()>("weir-test:add", fields! {}).unwrap_err();
    assert_eq!(error.code(), "WrongFunctionKind");
    assert_eq!(error.data::<Value>(), None);
}

#[test]
fn functions_call_others_whose_failures_undo_their_writes_alone() {
    let db = Database::new();
    let told: Vec<String> = db.mutation("weir-test:catch", fields! {}).unwrap();
    assert_eq!(told, ["ApplicationError", "FunctionTrapped", "FunctionNotFound", "1"]);
    assert_eq!(labels(&db), ["kept"]);
    let error = db.mutation::<()>("weir-test:recurse", fields! {}).unwrap_err();
    assert!(error.message().contains("one inside the other"), "{error}");
}

#[test]
fn a_limit_ends_the_call() {
    let db = Database::new();
    db.mutation::<Id>("weir-test:add", fields! { label: "a", rank: 1_i64 }).unwrap();
    let error = db.query::<()>("weir-test:readTooMuch", fields! {}).unwrap_err();
    assert_eq!(error.code(), "TooManyReads");
    assert_eq!(labels(&db), ["a"]);
}

#[test]
fn the_clock_the_numbers_and_the_caller_are_the_tests_own() {
    let db = Database::new();
    let ask = |db: &Database| db.query::<(f64, f64)>("weir-test:surroundings", fields! {}).unwrap();
    let (now, random) = ask(&db);
    assert_eq!((now, random), ask(&Database::new()));
    assert_ne!(random, ask(&Database::with_seed(2)).1);
    db.advance(Duration::from_secs(1));
    assert_eq!(ask(&db).0, now + 1000.0);
    db.set_now(1_800_000_000_000.0);
    assert_eq!(ask(&db).0, 1_800_000_000_000.0);

    let who = || db.query::<Option<String>>("weir-test:who", fields! {}).unwrap();
    assert_eq!(who(), None);
    db.set_identity(fields! { tokenIdentifier: "https://a|ada", subject: "ada", issuer: "https://a" });
    assert_eq!(who().as_deref(), Some("ada"));
    db.clear_identity();
    assert_eq!(who(), None);
}
