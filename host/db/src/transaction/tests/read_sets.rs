//! Read sets are exact: a write inside conflicts, a write outside does not.
use proptest::prelude::*;
use serde_json::json;
use weir_value::DocumentId;

use super::model::{Row, any_query};
use crate::testing::{World, documents_of, parse, query_all};
use crate::{DbError, Transaction, keyspace};

fn rows_of(world: &World, ns: &[u8]) -> Vec<Row> {
    world.write(|tx| {
        let insert = |n: &u8| {
            let id = tx.insert("t", format!(r#"{{"n":{n}}}"#).as_bytes())?;
            let time =
                parse(&tx.get(None, &id)?.expect("just inserted"))["_creationTime"].as_f64().expect("a time");
            Ok(Row { id, time, n: *n, deleted: false })
        };
        ns.iter().map(insert).collect::<Result<Vec<Row>, DbError>>()
    })
}

/// Whether a transaction that reads so conflicts with one that writes so.
fn conflicts(
    world: &World,
    read: impl FnOnce(&mut Transaction),
    write: impl FnOnce(&mut Transaction) -> Result<(), DbError>,
) -> bool {
    let mut reader = world.tx();
    read(&mut reader);
    reader.insert("results", b"{}").unwrap();
    world.write(write);
    world.commit(reader).is_err()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_query_depends_on_what_it_passed(
        ns in prop::collection::vec(0u8..8, 1..30), query in any_query(), written in 0usize..30,
    ) {
        let world = World::new();
        let rows = rows_of(&world, &ns);
        world.write(|tx| tx.insert("results", b"{}"));
        let (passed, _) = query.run(&rows);
        let mut tx = world.tx();
        query_all(&mut tx, &query.plan(&rows), query.batch_rows).unwrap();
        let (read_set, _, _) = tx.into_read_set();
        for (place, row) in rows.iter().enumerate() {
            let id: DocumentId = row.id.parse().unwrap();
            let read = read_set.contains(&keyspace::document_key(&id));
            prop_assert_eq!(read, passed.contains(&place), "row {} of {:?}", place, passed);
        }
        let place = written % rows.len();
        let conflicted = conflicts(
            &world,
            |tx| drop(query_all(tx, &query.plan(&rows), query.batch_rows).unwrap()),
            |tx| tx.patch(None, &rows[place].id, br#"{"m":1}"#),
        );
        prop_assert_eq!(conflicted, passed.contains(&place));
    }
}

#[test]
fn a_row_at_the_end_concerns_those_who_read_the_end() {
    let world = World::new();
    let rows = rows_of(&world, &[1, 2, 3, 4]);
    world.write(|tx| tx.insert("results", b"{}"));
    let last = rows[3].time;
    let cases = [
        (json!({"table": "t"}), true),
        (json!({"table": "t", "order": "desc", "limit": 2}), true),
        (json!({"table": "t", "limit": 4}), false),
        (json!({"table": "t", "limit": 5}), true),
        (json!({"table": "t", "limit": 0}), false),
        (json!({"table": "t", "range": [{"op": "lte", "field": "_creationTime", "value": last}]}), false),
        (json!({"table": "t", "range": [{"op": "gt", "field": "_creationTime", "value": last}]}), true),
        (json!({"table": "t", "range": [{"op": "lt", "field": "_creationTime", "value": null}]}), false),
        (json!({"table": "t", "filter": {"$literal": false}}), true),
        (json!({"table": "nowhere"}), false),
    ];
    for (plan, expected) in cases {
        let conflicted = conflicts(
            &world,
            |tx| drop(query_all(tx, &plan, 0).unwrap()),
            |tx| {
                let id = tx.insert("t", b"{}")?;
                tx.get(None, &id).map(drop)
            },
        );
        assert_eq!(conflicted, expected, "{plan}");
        world.write(|tx| {
            let newest = tx.query(br#"{"table":"t","order":"desc","limit":1}"#, 0)?;
            tx.delete(None, documents_of(&newest)[0]["_id"].as_str().expect("an id"))
        });
    }
}

#[test]
fn bounds_of_other_types_and_times() {
    let world = World::new();
    rows_of(&world, &[1, 2, 3]);
    let cases = [
        ("gt", json!(null), 3),
        ("gte", json!({"$undefined": null}), 3),
        ("eq", json!({"$undefined": null}), 0),
        ("lt", json!("text"), 3),
        ("gt", json!("text"), 0),
        ("lt", json!(true), 3),
        ("gt", json!({"$integer": "AAAAAAAAAAA="}), 3),
        ("lt", json!(0), 0),
        ("gte", json!(0), 3),
        ("gt", json!(-5.5), 3),
        ("lte", json!({"$float": "AAAAAAAA8H8="}), 3),
        ("gt", json!({"$float": "AAAAAAAA8H8="}), 0),
        ("gte", json!({"$float": "AAAAAAAA8P8="}), 3),
        ("gte", json!({"$float": "AAAAAAAAAIA="}), 3),
        ("lt", json!({"$float": "AAAAAAAAAIA="}), 0),
        ("eq", json!(1.5), 0),
    ];
    for (op, value, rows) in cases {
        let plan = json!({"table": "t", "range": [{"op": op, "field": "_creationTime", "value": value}]});
        let given = query_all(&mut world.tx(), &plan, 0).unwrap();
        assert_eq!(given.len(), rows, "{plan}");
    }
    let plan = json!({"table": "t", "index": "by_id", "range": [{"op": "gt", "field": "_id", "value": 7}]});
    assert_eq!(query_all(&mut world.tx(), &plan, 0).unwrap().len(), 3);
}

#[test]
fn points_conflict_when_they_are_written() {
    let world = World::new();
    let rows = rows_of(&world, &[1, 2]);
    world.write(|tx| tx.insert("results", b"{}"));
    let get = |tx: &mut Transaction| drop(tx.get(None, &rows[0].id).unwrap());
    assert!(conflicts(&world, get, |tx| tx.patch(None, &rows[0].id, b"{}")));
    assert!(!conflicts(&world, get, |tx| tx.patch(None, &rows[1].id, b"{}")));
    assert!(conflicts(&world, get, |tx| tx.delete(None, &rows[0].id)), "a deletion is a write");
    assert!(!conflicts(&world, get, |tx| tx.delete(None, &rows[1].id)));
}

#[test]
fn own_writes_are_no_reads() {
    let world = World::new();
    rows_of(&world, &[1]);
    let mut tx = world.tx();
    let id = tx.insert("t", b"{}").unwrap();
    tx.get(None, &id).unwrap();
    tx.patch(None, &id, b"{}").unwrap();
    assert!(tx.into_read_set().0.is_empty());
}

#[test]
fn a_missing_table_is_a_read() {
    let world = World::new();
    world.write(|tx| tx.insert("results", b"{}"));
    let read = |tx: &mut Transaction| drop(query_all(tx, &json!({"table": "t"}), 0).unwrap());
    assert!(conflicts(&world, read, |tx| tx.insert("t", b"{}").map(drop)));
    assert!(!conflicts(&world, read, |tx| tx.insert("u", b"{}").map(drop)), "another one is none");
}

#[test]
fn two_creations_of_tables_conflict() {
    for (first, second) in [("a", "a"), ("a", "b")] {
        let world = World::new();
        let (mut one, mut two) = (world.tx(), world.tx());
        one.insert(first, b"{}").unwrap();
        two.insert(second, b"{}").unwrap();
        world.commit(one).unwrap();
        assert!(world.commit(two).is_err(), "{first} and {second}");
    }
}

#[test]
fn a_bad_row_is_a_read_too() {
    let world = World::new();
    let rows = rows_of(&world, &[1, 2]);
    world.write(|tx| tx.insert("results", b"{}"));
    let read = |tx: &mut Transaction| {
        tx.query(br#"{"table":"t","filter":{"$field":"n"}}"#, 0).expect_err("a number is no condition");
    };
    assert!(conflicts(&world, read, |tx| tx.patch(None, &rows[0].id, br#"{"n":true}"#)));
}
