//! The placeholder for the timestamp of the commit: a value of its own until then, and the timestamp afterwards.
use serde_json::{Value as Json, json};
use weir_db::native::NativeFunctions;
use weir_db::{FunctionError, SessionRequest, Transaction};
use weir_store::{Env, StoreOptions, memory};
use weir_value::json::Bounds;
use weir_value::{Timestamp, Value};

use crate::nested::Nesting;
use crate::schemas::{functions as of_schemas, indexes, n_is};
use crate::world::{World, call, json as value_of, text};

const PLACEHOLDER: &str = r#"{"$commitTs":null}"#;

/// A timestamp as a document has it.
fn int64(ts: Timestamp) -> Json {
    json!({ "$integer": ts.to_base64() })
}

fn placeholder() -> Json {
    serde_json::from_str(PLACEHOLDER).expect("JSON")
}

fn read(json: &[u8]) -> Value {
    weir_value::json::parse_within(json, Bounds::MUTATION).expect("a value")
}

fn rows(tx: &mut Transaction, plan: &Json) -> Result<Value, FunctionError> {
    Ok(read(&tx.query(plan.to_string().as_bytes(), 1_000)?.documents))
}

/// The documents of the index by `n` that are written in this transaction, or come after a number.
fn by_n(range: &Json) -> Json {
    json!({ "table": "t", "index": "by_n", "range": range })
}

/// Beside the functions for schemas `w:stamp {k}`, which inserts a document with the placeholder and gives it as it is read
/// back, by its id and by the index; `w:twice {id}`, which patches, and then replaces; `w:gone`, which inserts and deletes;
/// `w:echo {json}`, which writes nothing; `q:here`, what the index holds of this transaction.
fn functions() -> NativeFunctions {
    let own = |tx: &mut Transaction| {
        rows(tx, &by_n(&json!([{ "op": "eq", "field": "n", "value": placeholder() }])))
    };
    of_schemas(1)
        .mutation("w:stamp", move |tx, args| {
            let document = format!(r#"{{"n":{PLACEHOLDER},"k":{:?}}}"#, text(args, "k"));
            let id = tx.insert("t", document.as_bytes())?;
            let read_back = read(&tx.get(None, &id)?.expect("the document"));
            assert_eq!(read_back.at_path("n"), Some(&Value::CommitTimestamp));
            let max =
                json!([{ "op": "gt", "field": "n", "value": { "$integer": Timestamp::MAX.to_base64() } }]);
            assert_eq!(rows(tx, &by_n(&max))?, own(tx)?, "it is higher than all integers");
            Ok(Value::from(vec![read_back, own(tx)?]))
        })
        .mutation("w:twice", move |tx, args| {
            let id = text(args, "id");
            tx.patch(None, id, format!(r#"{{"n":{PLACEHOLDER}}}"#).as_bytes())?;
            tx.patch(None, id, br#"{"k":"patched"}"#)?;
            tx.replace(None, id, format!(r#"{{"n":{PLACEHOLDER},"k":[{PLACEHOLDER},"\"{{"]}}"#).as_bytes())?;
            own(tx)
        })
        .mutation("w:gone", |tx, _| {
            let id = tx.insert("t", format!(r#"{{"n":{PLACEHOLDER}}}"#).as_bytes())?;
            tx.delete(None, &id)?;
            Ok(Value::Null)
        })
        .mutation("w:echo", |_, args| Ok(read(text(args, "json").as_bytes())))
        .mutation("w:fails", |tx, _| {
            tx.insert("t", format!(r#"{{"n":{PLACEHOLDER}}}"#).as_bytes())?;
            Err(FunctionError::Application { message: "after it was written".to_owned(), data: None })
        })
        .mutation("w:schedule", |tx, _| {
            let args = format!(r#"{{"at":[{PLACEHOLDER}]}}"#);
            Ok(Value::from(tx.schedule("w:gone", args.as_bytes(), tx.context().now_ms)?))
        })
        .query("q:echo", |_, args| Ok(read(text(args, "json").as_bytes())))
        .query("q:here", move |tx, _| own(tx))
}

fn deployed(world: &World) {
    let declared = indexes(&[("by_n", &["n"]), ("by_k_and_n", &["k", "n"])]);
    world
        .db
        .deploy(declared.documents(n_is("commitTs")).schema(), std::sync::Arc::new(functions()))
        .expect("deployed");
}

fn world() -> World {
    let world = World::new(functions());
    deployed(&world);
    world
}

#[test]
fn it_becomes_the_timestamp_of_the_commit_in_documents_indexes_and_results() {
    let world = world();
    let mut stamps = Vec::new();
    for k in ["a", "b", "c"] {
        let outcome = world.mutate("w:stamp", &json!({ "k": k }));
        let result = value_of(&outcome.result);
        assert_eq!(result[0]["n"], int64(outcome.ts), "the result is of the commit too");
        assert_eq!(result[1], json!([result[0]]));
        stamps.push((k, outcome.ts));
    }
    assert!(stamps.is_sorted_by_key(|(_, ts)| *ts));
    let found = world.rows(&by_n(&json!([]))).unwrap();
    let expected: Vec<Json> = stamps.iter().map(|(k, ts)| json!([k, int64(*ts)])).collect();
    assert_eq!(found.iter().map(|row| json!([row["k"], row["n"]])).collect::<Vec<_>>(), expected);
    let after = json!([{ "op": "gt", "field": "n", "value": int64(stamps[0].1) }]);
    assert_eq!(world.rows(&by_n(&after)).unwrap(), found[1..]);
    let of_b = json!([{ "op": "eq", "field": "k", "value": "b" }, { "op": "eq", "field": "n", "value": int64(stamps[1].1) }]);
    assert_eq!(
        world.rows(&json!({ "table": "t", "index": "by_k_and_n", "range": of_b })).unwrap(),
        found[1..2]
    );
    assert_eq!(
        value_of(&world.query("q:here", &json!({})).result),
        json!([]),
        "nobody else sees a placeholder"
    );
    world.assert_indexes(2, 6);
}

#[test]
fn a_store_that_is_opened_again_has_the_same() {
    let disk = memory::MemoryDisk::new();
    let world = World::on(&disk, StoreOptions::default(), functions());
    deployed(&world);
    let ts = world.mutate("w:stamp", &json!({ "k": "a" })).ts;
    let before = world.rows(&by_n(&json!([]))).unwrap();
    world.store.wait_durable(ts).unwrap();
    drop(world);
    let world = World::on(&disk, StoreOptions::default(), functions());
    assert_eq!(world.rows(&by_n(&json!([]))).unwrap(), before);
    assert_eq!(before[0]["n"], int64(ts));
    world.assert_indexes(2, 2);
}

#[test]
fn what_is_written_twice_or_taken_away_again_leaves_no_entry_behind() {
    let world = world();
    let id = world.insert(&json!({ "n": { "$integer": "AQAAAAAAAAA=" }, "k": "before" }));
    let outcome = world.mutate("w:twice", &json!({ "id": id }));
    let row = json!([[int64(outcome.ts), "\"{"], int64(outcome.ts)]);
    for found in [value_of(&outcome.result), Json::Array(world.rows(&by_n(&json!([]))).unwrap())] {
        assert_eq!(json!([found[0]["k"], found[0]["n"]]), row, "{found}");
    }
    world.assert_indexes(2, 2);
    value_of(&world.mutate("w:gone", &json!({})).result);
    world.patch(&id, &json!({ "k": "after" }));
    assert_eq!(world.rows(&by_n(&json!([]))).unwrap()[0]["n"], int64(outcome.ts), "it stays what it became");
    world.assert_indexes(2, 2);
}

/// Somebody wrote the very number before that the timestamp turns out to be.
#[test]
fn an_entry_under_the_key_of_one_that_is_removed_is_there() {
    let world = world();
    let ts = world.insert_and_foresee();
    assert_eq!(
        world.rows(&by_n(&json!([{ "op": "eq", "field": "n", "value": int64(ts) }]))).unwrap().len(),
        1
    );
    world.assert_indexes(2, 2);
}

impl World {
    /// Writes a number, and then the placeholder over it in a commit that has this number as its timestamp.
    fn insert_and_foresee(&self) -> Timestamp {
        let ts = Timestamp::from_nanos(self.env.now().as_nanos() + 1_000_000_000);
        let id = self.insert(&json!({ "n": int64(ts), "k": "foreseen" }));
        self.env.advance(std::time::Duration::from_nanos(ts.as_nanos() - self.env.now().as_nanos()));
        let outcome =
            self.mutate("t:patch", &json!({ "id": id, "fields": json!({ "n": placeholder() }).to_string() }));
        value_of(&outcome.result);
        assert_eq!(outcome.ts, ts);
        ts
    }
}

#[test]
fn a_repetition_of_the_request_gets_the_timestamp_of_the_first() {
    let world = world();
    let request = Some(SessionRequest { session: [3; 16], request: 1 });
    let stamp = call("w:stamp", &json!({ "k": "a" }));
    let first = world.db.mutation(&stamp, request);
    let again = world.db.mutation(&stamp, request);
    assert!(again.replayed);
    assert_eq!(value_of(&again.result), value_of(&first.result));
    assert_eq!(value_of(&again.result)[0]["n"], int64(first.ts));
}

#[test]
fn what_commits_nothing_took_place_where_it_read() {
    let world = world();
    let snapshot = world.store.sequenced();
    let outcome = world.mutate("w:echo", &json!({ "json": format!("[{PLACEHOLDER},1]") }));
    assert_eq!(value_of(&outcome.result), json!([int64(snapshot), 1]));
}

#[test]
fn nested_calls_read_and_return_it_and_those_that_fail_leave_none() {
    let nesting = Nesting::of(functions());
    let world = World::new(NativeFunctions::new());
    let declared = indexes(&[("by_n", &["n"])]);
    world.db.deploy(declared.schema(), std::sync::Arc::new(nesting)).unwrap();
    let steps = json!([
        { "kind": "mutation", "path": "w:stamp", "args": { "k": "kept" } },
        { "kind": "mutation", "path": "w:fails", "args": {}, "caught": true },
        { "kind": "query", "path": "q:here", "args": {} },
    ]);
    let outcome = world.mutate("n:run", &json!({ "steps": steps }));
    let result = value_of(&outcome.result);
    assert_eq!(result[1]["message"], "after it was written");
    let here = result[2].as_array().expect("rows");
    assert_eq!((here.len(), &here[0]["n"]), (1, &int64(outcome.ts)));
    assert_eq!(world.rows(&by_n(&json!([]))).unwrap(), *here);
    world.assert_indexes(1, 1);
    let steps = json!([{ "kind": "mutation", "path": "w:stamp", "args": format!(r#"{{"k":{PLACEHOLDER}}}"#), "caught": true }]);
    let result = value_of(&world.mutate("n:run", &json!({ "steps": steps })).result);
    let message = result[0]["message"].as_str().expect("an error");
    assert!(message.contains("at `.k`: the placeholder for the commit's timestamp"), "{message}");
}

#[test]
fn it_is_refused_where_no_commit_completes_it() {
    let world = world();
    let refused = |path: &str, args: &Json, place: &str| {
        let outcome = match path.starts_with("q:") {
            true => world.query(path, args).result,
            false => world.mutate(path, args).result,
        };
        let message = outcome.expect_err(path).message;
        let expected = format!("{place}the placeholder for the commit's timestamp may stand only in");
        assert!(message.contains(&expected), "{path}: {message}");
    };
    refused("w:stamp", &json!({ "k": { "deep": [placeholder()] } }), "at `.k.deep[0]`: ");
    refused("q:here", &json!({ "k": placeholder() }), "at `.k`: ");
    refused("q:echo", &json!({ "json": format!("[{PLACEHOLDER}]") }), "at `[0]`: ");
    refused("w:schedule", &json!({}), "at `.at[0]`: ");
    let message = world.try_insert(&json!({ "n": "no timestamp" })).unwrap_err();
    assert!(message.contains("expected v.bigint(), found string"), "{message}");
}
