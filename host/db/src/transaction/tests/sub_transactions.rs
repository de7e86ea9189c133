//! Savepoints: what a nested call wrote is undone, what it read stays read.
use serde_json::json;

use crate::Transaction;
use crate::testing::{World, field, query_all};

fn names(tx: &mut Transaction) -> Vec<serde_json::Value> {
    field(&query_all(tx, &json!({"table": "t"}), 0).unwrap(), "name")
}

#[test]
fn a_rolled_back_one_leaves_nothing() {
    let world = World::new();
    let id = world.write(|tx| tx.insert("t", br#"{"name":"a"}"#));
    let mut tx = world.tx();
    tx.insert("t", br#"{"name":"b"}"#).unwrap();
    let sub = tx.begin_sub();
    tx.insert("t", br#"{"name":"c"}"#).unwrap();
    tx.delete(None, &id).unwrap();
    tx.insert("made", b"{}").unwrap();
    assert_eq!(names(&mut tx), ["b", "c"]);
    tx.rollback_sub(sub);
    assert_eq!(names(&mut tx), ["a", "b"]);
    assert!(query_all(&mut tx, &json!({"table": "made"}), 0).unwrap().is_empty(), "the table is gone too");
    world.commit(tx).unwrap();
    assert_eq!(names(&mut world.tx()), ["a", "b"]);
}

#[test]
fn a_kept_one_goes_with_the_outer_one() {
    let world = World::new();
    for (keep_outer, expected) in [(true, vec!["x", "y"]), (false, vec![])] {
        let mut tx = world.tx();
        let outer = tx.begin_sub();
        tx.insert("t", br#"{"name":"x"}"#).unwrap();
        let inner = tx.begin_sub();
        tx.insert("t", br#"{"name":"y"}"#).unwrap();
        tx.commit_sub(inner);
        match keep_outer {
            true => tx.commit_sub(outer),
            false => tx.rollback_sub(outer),
        }
        assert_eq!(names(&mut tx), expected);
    }
}

#[test]
fn what_was_read_stays_read() {
    let world = World::new();
    let id = world.write(|tx| tx.insert("t", br#"{"name":"a"}"#));
    let mut tx = world.tx();
    let sub = tx.begin_sub();
    tx.get(None, &id).unwrap();
    tx.rollback_sub(sub);
    tx.insert("t", b"{}").unwrap();
    world.write(|tx| tx.patch(None, &id, br#"{"name":"z"}"#));
    assert!(world.commit(tx).is_err());
}
