//! What a call says that it read and wrote.
use serde_json::json;
use weir_db::Read;

use crate::world::{World, basics, call, json as value_of};

#[test]
fn a_mutation_says_what_it_read_and_wrote() {
    let world = World::new(basics());
    let (outcome, trace) = world.db.mutation_traced(&call("t:insert", &json!({"n": 1})));
    let id = value_of(&outcome.result);
    assert_eq!(trace.writes.len(), 1);
    let written = &trace.writes[0];
    assert_eq!((written.table.as_str(), written.id.to_string()), ("t", id.as_str().unwrap().to_owned()));
    let document: serde_json::Value = serde_json::from_slice(written.document.as_ref().unwrap()).unwrap();
    assert_eq!(document["n"], 1.0);

    let (_, trace) = world.db.mutation_traced(&call("t:add", &json!({"id": id, "n": 2})));
    assert_eq!(trace.reads, [Read::Document { table: "t".to_owned(), id: written.id }]);
    assert_eq!(trace.writes[0].id, written.id);
}

#[test]
fn a_failed_mutation_wrote_nothing_and_yet_read() {
    let world = World::new(basics());
    let id = value_of(&world.mutate("t:insert", &json!({"n": 1})).result);
    let failing = world.mutate("t:insert", &json!({"n": 2}));
    let other = value_of(&failing.result);
    let functions = basics().mutation("t:fails", |tx, args| {
        tx.delete(None, crate::world::text(args, "id"))?;
        Err(weir_db::FunctionError::Application { message: "no".to_owned(), data: None })
    });
    world.db.set_deployment(std::sync::Arc::new(functions));
    let (outcome, trace) = world.db.mutation_traced(&call("t:fails", &json!({"id": id})));
    assert!(outcome.result.is_err() && trace.writes.is_empty());
    assert_eq!(trace.reads.len(), 1, "{trace:?}");
    assert_ne!(id, other);
}

#[test]
fn a_query_says_what_it_read_even_of_a_table_that_is_not_there() {
    let functions = basics().query("t:first", |tx, _| {
        let batch = tx.query(br#"{"table":"t","limit":1}"#, 0)?;
        Ok(weir_value::Value::from(f64::from(batch.count)))
    });
    let world = World::new(functions);
    let read =
        || world.db.query_traced(&call("t:first", &json!({})), world.store.snapshot_sequenced()).1.reads;
    let whole = Read::Range { table: "t".to_owned(), from_ms: None, to_ms: None };
    assert_eq!(read(), [whole]);
    world.mutate("t:insert", &json!({"n": 1}));
    world.mutate("t:insert", &json!({"n": 2}));
    let reads = read();
    let [Read::Range { table, from_ms: None, to_ms: Some(to_ms) }] = reads.as_slice() else {
        panic!("the range ends behind the first document: {reads:?}");
    };
    assert_eq!((table.as_str(), *to_ms > 1.7e12), ("t", true));
}
