//! Functions under test, and all that a test can do with them.

use std::time::Duration;

use weir::prelude::*;
use weir_test::{Database, Read, TokenError};

#[document("items", index(by_rank = [rank, label]), staged_index(by_label = [label]))]
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

/// The labels of those with a rank, and how many of the rank there are.
#[query]
fn of_rank(ctx: &QueryCtx, rank: i64, from: Option<String>) -> Result<(Vec<String>, u64)> {
    let of_rank = || ctx.db.query("items");
    let found = match &from {
        Some(from) => of_rank().with_index(Item::BY_RANK, |range| range.eq(rank).gte(from)).collect()?,
        None => of_rank().with_index(Item::BY_RANK, |range| range.eq(rank)).collect()?,
    };
    let count = of_rank().with_index(Item::BY_RANK, |range| range.eq(rank)).count()?;
    Ok((found.into_iter().map(|item| item.into_value().label).collect(), count))
}

#[query]
fn page(ctx: &QueryCtx, pagination_opts: PaginationOptions) -> Result<PaginationResult<Item>> {
    ctx.db.query("items").with_index(Item::BY_RANK, |range| range).order(Desc).paginate(&pagination_opts)
}

#[query]
fn count(ctx: &QueryCtx) -> Result<u64> {
    ctx.db.query::<Item>("items").count()
}

#[query]
fn get_all(ctx: &QueryCtx, ids: Vec<Id<Item>>) -> Result<Vec<Option<Doc<Item>>>> {
    ctx.db.get_many_in("items", &ids)
}

#[mutation]
fn add_anything(ctx: &MutationCtx, value: Value) -> Result<Id<Value>> {
    ctx.db.insert("items", &value)
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

/// Adds one by a handle, has one added later by it, and asks for what is not there.
#[mutation]
fn by_handle(ctx: &MutationCtx) -> Result<Vec<String>> {
    let handle = ctx.function_handle("weir-test:add")?;
    ctx.run_mutation::<Id>(&handle, fields! { label: "now", rank: 1_i64 })?;
    ctx.scheduler.run_after(std::time::Duration::ZERO, &handle, fields! { label: "later", rank: 2_i64 })?;
    let no_mount = ctx.run_query::<()>(&component("mail").function("lib:sent"), fields! {}).unwrap_err();
    let no_function = ctx.function_handle("weir-test:nowhere").unwrap_err();
    Ok(vec![handle, no_mount.to_string(), no_function.to_string()])
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

#[mutation]
fn invite(ctx: &MutationCtx, team: String, seconds: f64) -> Result<String> {
    let by = ctx.identity().map(|identity| identity.subject().to_owned());
    let claims = fields! { team: team, by: by, seats: 5_i64 };
    ctx.sign_jwt(claims, Duration::from_secs_f64(seconds))
}

#[query]
fn variable(ctx: &QueryCtx, name: String) -> Option<String> {
    ctx.env(&name)
}

#[mutation]
fn keep_password(ctx: &MutationCtx, label: String, password: String) -> Result<String> {
    ctx.db.insert("items", &Item { label, rank: 0 })?;
    log!("hashing");
    ctx.hash_password(&password)
}

#[mutation]
fn is_password(ctx: &MutationCtx, password: String, hash: String) -> Result<bool> {
    ctx.verify_password(&password, &hash)
}

#[query]
fn secret(ctx: &QueryCtx) -> (Vec<u8>, Vec<u8>) {
    let secret = ctx.random_bytes::<4>();
    (secret.to_vec(), weir::sha256(secret).to_vec())
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

fn with_items() -> Database {
    let db = Database::new();
    for (label, rank) in [("a", 1_i64), ("b", 2), ("c", 2), ("d", 3)] {
        db.mutation::<Id>("weir-test:add", fields! { label: label, rank: rank }).unwrap();
    }
    db
}

#[test]
fn declared_indexes_are_read_and_their_reads_are_told() {
    let db = with_items();
    let of_rank = |args: Fields| db.query::<(Vec<String>, u64)>("weir-test:ofRank", args).unwrap();
    assert_eq!(of_rank(fields! { rank: 2_i64 }), (vec!["b".to_owned(), "c".to_owned()], 2));
    assert_eq!(of_rank(fields! { rank: 2_i64, from: "c" }), (vec!["c".to_owned()], 2));
    let reads = db.last().reads;
    let index = reads.iter().find_map(|read| match read {
        Read::IndexRange { index, .. } => Some(index.as_str()),
        _ => None,
    });
    assert_eq!(index, Some("by_rank"), "{reads:?}");
    assert_eq!(db.query::<u64>("weir-test:count", fields! {}).unwrap(), 4);
    assert!(matches!(&db.last().reads[..], [Read::Count { table }] if table == "items"), "{:?}", db.last());
}

#[test]
fn pages_follow_each_other() {
    let db = with_items();
    let page = |options: PaginationOptions| {
        db.query::<PaginationResult<Item>>("weir-test:page", fields! { paginationOpts: options }).unwrap()
    };
    let labels =
        |page: &PaginationResult<Item>| page.page.iter().map(|item| item.label.clone()).collect::<Vec<_>>();
    let first = page(PaginationOptions::first(3));
    assert_eq!(
        (labels(&first), first.is_done),
        (vec!["d".to_owned(), "c".to_owned(), "b".to_owned()], false)
    );
    let last = page(PaginationOptions::first(3).after(first.continue_cursor));
    assert_eq!((labels(&last), last.is_done), (vec!["a".to_owned()], true));
}

#[test]
fn many_documents_come_in_the_order_of_their_ids() {
    let db = with_items();
    let items: Vec<Doc<Item>> = db.query("weir-test:list", fields! {}).unwrap();
    let ids = [&items[2].id, &items[0].id, &items[2].id];
    let found: Vec<Option<Doc<Item>>> = db.query("weir-test:getAll", fields! { ids: ids }).unwrap();
    let found: Vec<String> = found.into_iter().flatten().map(|item| item.into_value().label).collect();
    assert_eq!(found, ["c", "a", "c"]);
}

#[test]
fn a_document_that_does_not_fit_its_type_is_refused() {
    let db = Database::new();
    let error =
        db.mutation::<Id>("weir-test:addAnything", fields! { value: fields! { label: 5 } }).unwrap_err();
    assert!(error.message().contains("label"), "{error}");
    assert!(labels(&db).is_empty());
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
fn variables_are_the_tests_own() {
    let db = Database::new();
    let read = || db.query::<Option<String>>("weir-test:variable", fields! { name: "KEY" }).unwrap();
    assert_eq!(read(), None);
    db.set_variable("KEY", "a value");
    assert_eq!(read().as_deref(), Some("a value"));
    assert_eq!(db.last().reads, [Read::Variable { name: "KEY".to_owned() }]);
    assert_eq!(
        Database::new().query::<Option<String>>("weir-test:variable", fields! { name: "KEY" }),
        Ok(None)
    );
    db.remove_variable("KEY");
    assert_eq!(read(), None);
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

#[test]
fn somebody_calls_for_one_call() {
    let db = Database::new();
    let who = || db.query::<Option<String>>("weir-test:who", fields! {}).unwrap();
    let ada = db.as_user(fields! { subject: "ada" });
    assert_eq!(ada.query::<Option<String>>("weir-test:who", fields! {}).unwrap().as_deref(), Some("ada"));
    assert_eq!(db.last().reads, [Read::Identity]);
    assert_eq!(who(), None);
    db.set_identity(fields! { subject: "bob" });
    assert_eq!(ada.query::<Option<String>>("weir-test:who", fields! {}).unwrap().as_deref(), Some("ada"));
    assert_eq!(who().as_deref(), Some("bob"));
}

#[test]
fn a_token_that_a_function_signs_is_verified() {
    let db = Database::new();
    let ada = db.as_user(fields! { subject: "ada" });
    let invite = |team: &str, seconds: f64| {
        ada.mutation::<String>("weir-test:invite", fields! { team: team, seconds: seconds })
    };
    let token = invite("red", 60.0).unwrap();
    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Claims {
        iss: String,
        iat: f64,
        exp: f64,
        team: String,
        by: String,
        seats: f64,
    }
    let claims: Claims = db.verify_token(&token).unwrap();
    let [iss, team, by] = ["https://test.invalid", "red", "ada"].map(str::to_owned);
    assert_eq!(claims, Claims { iss, iat: 1_767_225_600.0, exp: 1_767_225_660.0, team, by, seats: 5.0 });
    assert_eq!(
        Database::new()
            .as_user(fields! { subject: "ada" })
            .mutation::<String>("weir-test:invite", fields! { team: "red", seconds: 60.0 })
            .unwrap(),
        token
    );
    db.advance(Duration::from_secs(60));
    assert!(matches!(db.verify_token::<Claims>(&token), Err(TokenError::Expired { .. })));
    let forged = token.replace('.', ".A");
    assert!(db.verify_token::<Claims>(&forged).is_err());
    let error = invite("red", 0.5).unwrap_err();
    assert!(error.message().contains("whole number from 1 to 3600"), "{error}");
}

/// As in a host, the call runs again when the hash is there, and what it did before is not done twice.
#[test]
fn passwords_are_hashed_and_verified() {
    let db = Database::new();
    let args = fields! { label: "ada", password: "correct horse" };
    let hash: String = db.mutation("weir-test:keepPassword", args).unwrap();
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    assert_eq!(db.last().log_lines, ["[LOG] hashing"]);
    assert_eq!(labels(&db), ["ada"]);
    for (password, expected) in [("correct horse", true), ("battery staple", false)] {
        let args = fields! { password: password, hash: &hash };
        assert_eq!(db.mutation::<bool>("weir-test:isPassword", args).unwrap(), expected);
    }
    let args = fields! { password: "correct horse", hash: "forged" };
    let error = db.mutation::<bool>("weir-test:isPassword", args).unwrap_err();
    assert!(error.message().contains("not a hash that can be verified"), "{error}");
}

#[test]
fn secrets_come_from_the_seed_of_the_test() {
    let secret = |db: &Database| db.query::<(Vec<u8>, Vec<u8>)>("weir-test:secret", fields! {}).unwrap();
    let db = Database::new();
    let (first, digest) = secret(&db);
    assert_eq!((first.len(), digest.len()), (4, 32));
    assert_ne!(secret(&db).0, first);
    assert_eq!(secret(&Database::new()).0, first);
    assert_ne!(secret(&Database::with_seed(2)).0, first);
}

/// Adds an item after so many seconds, and so on until there are `count`; the last fails.
#[mutation]
fn add_later(ctx: &MutationCtx, count: u32) -> Result<Id<ScheduledFunction>> {
    ctx.scheduler.run_after(Duration::from_secs(1), "weir-test:addNow", fields! { count: count })
}

#[mutation(internal)]
fn add_now(ctx: &MutationCtx, count: u32) -> Result<Option<Id<ScheduledFunction>>> {
    add(ctx, format!("item {count}"), 0)?;
    ensure!(count > 0, "that was the last");
    add_later(ctx, count - 1).map(Some)
}

#[mutation]
fn cancel(ctx: &MutationCtx, id: Id<ScheduledFunction>) -> Result<()> {
    ctx.scheduler.cancel(&id)
}

#[query]
fn state(ctx: &QueryCtx, id: Id<ScheduledFunction>) -> Result<Option<ScheduledState>> {
    Ok(ctx.db.system().get(&id)?.map(|job| job.into_value().state))
}

#[test]
fn scheduled_functions_are_called_when_the_test_lets_their_time_come() {
    let db = Database::new();
    let later = || db.mutation::<Id<ScheduledFunction>>("weir-test:addLater", fields! { count: 2 }).unwrap();
    let state = |id: &Id<ScheduledFunction>| {
        db.query::<Option<ScheduledState>>("weir-test:state", fields! { id: id }).unwrap().unwrap()
    };
    let id = later();
    assert!(db.advance(Duration::from_millis(998)).is_empty());
    assert_eq!(state(&id), ScheduledState::Pending);
    let runs = db.advance(Duration::from_millis(2));
    assert_eq!((runs.len(), &runs[0].id, runs[0].path.as_str()), (1, &id, "weir-test:addNow"));
    assert_eq!(runs[0].args::<std::collections::BTreeMap<String, u32>>()["count"], 2);
    assert_eq!(runs[0].log_lines, ["[LOG] adding item 2"]);
    let next = runs[0].result::<Option<Id<ScheduledFunction>>>().unwrap().unwrap();
    assert_eq!((state(&id), state(&next)), (ScheduledState::Success, ScheduledState::Pending));

    let runs = db.finish_scheduled();
    assert_eq!((runs.len(), runs[0].error()), (2, None));
    let error = runs[1].error().expect("it fails");
    assert!(error.message().contains("that was the last"), "{error}");
    assert_eq!(db.query::<u64>("weir-test:count", fields! {}).unwrap(), 2);
    assert!(db.finish_scheduled().is_empty());

    let id = later();
    db.mutation::<()>("weir-test:cancel", fields! { id: &id }).unwrap();
    assert!(db.finish_scheduled().is_empty());
    assert_eq!(state(&id), ScheduledState::Canceled);
}

#[test]
fn a_handle_is_called_and_scheduled_like_a_path() {
    let db = Database::new();
    let found: Vec<String> = db.mutation("weir-test:byHandle", fields! {}).unwrap();
    assert!(found[0].starts_with("function://"), "{found:?}");
    assert!(found[1].contains("There is no component `mail`"), "{found:?}");
    assert!(found[2].contains("There is no function `weir-test:nowhere`"), "{found:?}");
    assert_eq!(db.finish_scheduled().len(), 1);
    let items: Vec<Doc<Item>> = db.query("weir-test:list", fields! {}).unwrap();
    assert_eq!(items.len(), 2);
}
