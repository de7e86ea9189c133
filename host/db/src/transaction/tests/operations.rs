//! What each operation does, and each error that it gives.
use serde_json::json;

use crate::testing::{World, field, parse, query_all};
use crate::{DbError, FunctionKind, LogLevel, Transaction};

#[test]
fn a_document_has_its_id_and_time() {
    let world = World::new();
    let id = world.write(|tx| tx.insert("messages", br#"{ "body":"hi", "n": 1.0, "a":null }"#));
    let mut tx = world.begin(FunctionKind::Query);
    let document = tx.get(None, &id).unwrap().expect("the document");
    let expected = format!(r#"{{"_creationTime":1790000000000,"_id":"{id}","a":null,"body":"hi","n":1}}"#);
    assert_eq!(document, expected.as_bytes(), "canonical");
    assert_eq!(tx.get(Some("messages"), &id).unwrap(), Some(document));
}

#[test]
fn times_within_a_transaction_increase() {
    let world = World::new();
    let (now_ms, ids) = world.write(|tx| {
        let ids: Result<Vec<String>, DbError> = (0..50).map(|_| tx.insert("t", b"{}")).collect();
        Ok((tx.context().now_ms, ids?))
    });
    let mut tx = world.tx();
    let rows = query_all(&mut tx, &json!({"table": "t"}), 0).unwrap();
    assert_eq!(field(&rows, "_id"), ids, "in the order of their insertion");
    let times: Vec<f64> = rows.iter().map(|row| row["_creationTime"].as_f64().unwrap()).collect();
    assert!(times.is_sorted_by(|a, b| a < b));
    assert_eq!(times[0], now_ms);
}

#[test]
fn patch_is_shallow_and_undefined_removes() {
    let world = World::new();
    let id = world.write(|tx| tx.insert("t", br#"{"a":{"x":1,"y":2},"b":1,"c":1}"#));
    let patch = format!(
        r#"{{"a":{{"x":3}},"b":{{"$undefined":null}},"d":[],"_id":"{id}","_creationTime":1790000000000,"gone":{{"$undefined":null}}}}"#
    );
    world.write(|tx| tx.patch(None, &id, patch.as_bytes()));
    let document = parse(&world.tx().get(None, &id).unwrap().unwrap());
    let expected = json!({"_creationTime": 1_790_000_000_000.0, "_id": id, "a": {"x": 3}, "c": 1, "d": []});
    assert_eq!(document.to_string(), parse(expected.to_string().as_bytes()).to_string().replace(".0", ""));
}

#[test]
fn replace_keeps_id_and_time_alone() {
    let world = World::new();
    let id = world.write(|tx| tx.insert("t", br#"{"a":1,"b":2}"#));
    world.env.advance(std::time::Duration::from_secs(9));
    world.write(|tx| tx.replace(Some("t"), &id, br#"{"b":3}"#));
    let document = parse(&world.tx().get(None, &id).unwrap().unwrap());
    assert_eq!(document, json!({"_creationTime": 1_790_000_000_000_u64, "_id": id, "b": 3}));
}

#[test]
fn what_is_deleted_is_gone() {
    let world = World::new();
    let id = world.write(|tx| tx.insert("t", b"{}"));
    world.write(|tx| {
        tx.delete(None, &id)?;
        assert_eq!(tx.get(None, &id)?, None, "its own writes are seen");
        assert_eq!(tx.delete(None, &id).unwrap_err().code, "NotFound");
        Ok(())
    });
    let mut tx = world.tx();
    assert_eq!(tx.get(None, &id).unwrap(), None);
    assert!(query_all(&mut tx, &json!({"table": "t"}), 0).unwrap().is_empty());
}

#[test]
fn ids_are_normalized_to_one_table() {
    let world = World::new();
    let id = world.write(|tx| {
        tx.insert("rooms", b"{}")?;
        tx.insert("users", b"{}")
    });
    let mut tx = world.tx();
    assert_eq!(tx.normalize_id("users", &id), Some(id.clone()), "the document need not be looked at");
    for (table, text) in
        [("rooms", id.as_str()), ("nowhere", &id), ("users", ""), ("users", "abc"), ("no name", &id)]
    {
        assert_eq!(tx.normalize_id(table, text), None, "{table} {text}");
    }
}

#[test]
fn tables_appear_with_their_first_document() {
    let world = World::new();
    let mut tx = world.tx();
    assert!(query_all(&mut tx, &json!({"table": "later"}), 0).unwrap().is_empty());
    let id = tx.insert("later", b"{}").unwrap();
    assert_eq!(
        query_all(&mut tx, &json!({"table": "later"}), 0).unwrap().len(),
        1,
        "in the same transaction"
    );
    assert_eq!(tx.normalize_id("later", &id), Some(id.clone()));
    let other = tx.insert("another", b"{}").unwrap();
    assert_ne!(id[..4], other[..4], "another number");
    world.commit(tx).unwrap();
    assert!(world.tx().get(Some("later"), &id).unwrap().is_some());
    let reopened = crate::Database::open(world.db.store().clone(), world.env.clone()).unwrap();
    let reopened = World { db: reopened, env: world.env.clone() };
    assert!(reopened.tx().get(Some("another"), &other).unwrap().is_some());
}

#[test]
fn an_old_snapshot_does_not_see_a_new_table() {
    let world = World::new();
    let mut old = world.tx();
    let id = world.write(|tx| tx.insert("new", b"{}"));
    world.write(|tx| tx.get(Some("new"), &id).map(drop));
    assert!(query_all(&mut old, &json!({"table": "new"}), 0).unwrap().is_empty());
    assert_eq!(old.normalize_id("new", &id), None);
    assert_eq!(old.get(None, &id).unwrap_err().code, "InvalidId");
}

#[test]
fn equal_seeds_give_equal_transactions() {
    let run = || {
        let world = World::seeded(9);
        let id = world.write(|tx| tx.insert("t", b"{}"));
        (id, world.tx().context().clone())
    };
    assert_eq!(run(), run());
    let world = World::new();
    assert_ne!(world.tx().context().seed, world.tx().context().seed, "another one for each call");
}

#[test]
fn the_clock_stands_still() {
    let world = World::new();
    let tx = world.tx();
    let before = tx.context().clone();
    world.env.advance(std::time::Duration::from_secs(60));
    assert_eq!(*tx.context(), before);
    assert_eq!(world.tx().context().now_ms, before.now_ms + 60_000.0);
}

/// What an operation under test is given.
struct Given {
    id: String,
    deleted: String,
    other: String,
    foreign: String,
}

type Operation = fn(&mut Transaction, &Given) -> Result<(), DbError>;

#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn every_error_says_what_was_wrong() {
    let cases: &[(&str, &str, Operation)] = &[
        ("InvalidId", "check sum", |tx, g| tx.get(None, &g.id.replace(&g.id[9..12], "000")).map(drop)),
        ("InvalidId", "has 3 characters", |tx, _| tx.get(None, "abc").map(drop)),
        ("InvalidId", "is an id of table `users`, not of table `rooms`", |tx, g| {
            tx.get(Some("rooms"), &g.id).map(drop)
        }),
        ("InvalidId", "not of table `never`", |tx, g| tx.get(Some("never"), &g.id).map(drop)),
        ("InvalidId", "no table with its number", |tx, g| tx.get(None, &g.foreign).map(drop)),
        ("InvalidId", "", |tx, _| tx.patch(None, "", b"{}")),
        ("InvalidId", "", |tx, g| tx.replace(Some("rooms"), &g.id, b"{}")),
        ("InvalidId", "", |tx, g| tx.delete(Some("users"), &g.other)),
        ("NotFound", "no document `", |tx, g| tx.patch(None, &g.deleted, b"{}")),
        ("NotFound", "", |tx, g| tx.replace(None, &g.deleted, b"{}")),
        ("NotFound", "", |tx, g| tx.delete(None, &g.deleted)),
        ("InvalidTableName", "", |tx, _| tx.insert("", b"{}").map(drop)),
        ("InvalidTableName", "reserved", |tx, _| tx.insert("_storage", b"{}").map(drop)),
        ("InvalidTableName", "'-'", |tx, _| tx.insert("my-table", b"{}").map(drop)),
        ("InvalidDocument", "", |tx, _| tx.insert("t", b"{").map(drop)),
        ("InvalidDocument", "", |tx, _| tx.insert("t", b"[]").map(drop)),
        ("InvalidDocument", "", |tx, _| tx.insert("t", b"\xff").map(drop)),
        ("InvalidDocument", "", |tx, _| tx.insert("t", br#"{"$x":1}"#).map(drop)),
        ("InvalidDocument", "", |tx, _| tx.insert("t", br#"{"_mine":1}"#).map(drop)),
        ("InvalidDocument", "", |tx, _| tx.insert("t", br#"{"a":{"$undefined":null}}"#).map(drop)),
        ("InvalidDocument", "`_id` is given by the host", |tx, g| {
            tx.insert("t", format!(r#"{{"_id":"{}"}}"#, g.id).as_bytes()).map(drop)
        }),
        ("InvalidDocument", "`_creationTime` is given", |tx, _| {
            tx.insert("t", br#"{"_creationTime":1}"#).map(drop)
        }),
        ("InvalidDocument", "", |tx, _| {
            tx.insert("t", format!(r#"{{"a":"{}"}}"#, "x".repeat(1 << 20)).as_bytes()).map(drop)
        }),
        ("InvalidDocument", "", |tx, _| {
            tx.insert("t", format!(r#"{{"a":{}1{}}}"#, "[".repeat(16), "]".repeat(16)).as_bytes()).map(drop)
        }),
        ("InvalidDocument", "`_id` of a document cannot change", |tx, g| {
            tx.patch(None, &g.id, format!(r#"{{"_id":"{}"}}"#, g.other).as_bytes())
        }),
        ("InvalidDocument", "`_creationTime` of a document", |tx, g| {
            tx.patch(None, &g.id, br#"{"_creationTime":5}"#)
        }),
        ("InvalidDocument", "`_id` of a document", |tx, g| {
            tx.patch(None, &g.id, br#"{"_id":{"$undefined":null}}"#)
        }),
        ("InvalidDocument", "`_creationTime` of a", |tx, g| {
            tx.replace(None, &g.id, br#"{"_creationTime":5}"#)
        }),
        ("InvalidDocument", "", |tx, g| tx.patch(None, &g.id, b"7")),
        ("InvalidDocument", "", |tx, g| tx.patch(None, &g.id, br#"{"a":{"b":{"$undefined":null}}}"#)),
        ("InvalidDocument", "", |tx, g| {
            tx.patch(None, &g.id, format!(r#"{{"big":"{}"}}"#, "x".repeat(1 << 20)).as_bytes())
        }),
        ("InvalidDocument", "", |tx, g| tx.replace(None, &g.id, b"null")),
        ("InvalidQuery", "cannot be read", |tx, _| tx.query(b"", 0).map(drop)),
        ("InvalidQuery", "table", |tx, _| tx.query(b"{}", 0).map(drop)),
        ("InvalidQuery", "unknown field `tabel`", |tx, _| {
            tx.query(br#"{"table":"users","tabel":1}"#, 0).map(drop)
        }),
        ("InvalidQuery", "unknown variant `up`", |tx, _| {
            tx.query(br#"{"table":"users","order":"up"}"#, 0).map(drop)
        }),
        ("InvalidQuery", "", |tx, _| tx.query(br#"{"table":"users","limit":-1}"#, 0).map(drop)),
        ("InvalidQuery", "`neq` is not a comparison", |tx, _| {
            tx.query(br#"{"table":"users","range":[{"op":"neq","field":"_creationTime","value":1}]}"#, 0)
                .map(drop)
        }),
        ("InvalidQuery", "the range compares `n`", |tx, _| {
            tx.query(br#"{"table":"users","range":[{"op":"eq","field":"n","value":1}]}"#, 0).map(drop)
        }),
        ("InvalidQuery", "not an id of table `users`", |tx, g| {
            let plan = json!({"table": "users", "index": "by_id", "range": [{"op": "eq", "field": "_id", "value": g.other}]});
            tx.query(plan.to_string().as_bytes(), 0).map(drop)
        }),
        ("InvalidQuery", "`$nope` is not an operator", |tx, _| {
            tx.query(br#"{"table":"users","filter":{"$nope":[]}}"#, 0).map(drop)
        }),
        ("InvalidQuery", "got a number", |tx, _| {
            tx.query(br#"{"table":"users","filter":{"$field":"n"}}"#, 0).map(drop)
        }),
        ("IndexNotFound", "`users.by_name` not found", |tx, _| {
            tx.query(br#"{"table":"users","index":"by_name"}"#, 0).map(drop)
        }),
        ("InvalidCursor", "cursor 77", |tx, _| tx.query_next(77, 0).map(drop)),
    ];
    let world = World::new();
    let given = world.write(|tx| {
        let id = tx.insert("users", br#"{"n":1}"#)?;
        let deleted = tx.insert("users", b"{}")?;
        tx.delete(None, &deleted)?;
        let other = tx.insert("rooms", b"{}")?;
        let mut foreign: weir_value::DocumentId = other.parse().expect("an id");
        foreign.table.0 += 500;
        Ok(Given { id, deleted, other, foreign: foreign.to_string() })
    });
    for (code, text, operation) in cases {
        let mut tx = world.tx();
        let error = operation(&mut tx, &given).expect_err(text);
        assert_eq!(error.code, *code, "{error}");
        assert!(error.message.contains(text), "{text:?} is not in: {error}");
        assert!(tx.poisoned().is_none() && !tx.has_writes(), "the transaction is as it was after: {error}");
        assert!(tx.get(None, &given.id).unwrap().is_some(), "and goes on");
    }
}

#[test]
fn queries_cannot_write() {
    let world = World::new();
    let id = world.write(|tx| tx.insert("t", b"{}"));
    let mut tx = world.begin(FunctionKind::Query);
    let errors = [
        tx.insert("t", b"{}").unwrap_err(),
        tx.patch(None, &id, b"{}").unwrap_err(),
        tx.replace(None, &id, b"{}").unwrap_err(),
        tx.delete(None, &id).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.code, "ReadOnly");
        assert_eq!(error.message, "`test:run` is a query, which cannot write; make it a mutation.");
    }
    assert!(tx.get(None, &id).unwrap().is_some());
}

#[test]
fn lines_are_kept_in_order() {
    let world = World::new();
    let mut tx = world.tx();
    tx.log(LogLevel::Log, "'one'");
    tx.log(LogLevel::Warn, "two");
    let (_, _, lines) = tx.into_read_set();
    assert_eq!(lines, [(LogLevel::Log, "[LOG] 'one'".to_owned()), (LogLevel::Warn, "[WARN] two".to_owned())]);
}

#[test]
fn cursors_see_later_writes_and_end() {
    let world = World::new();
    world.write(|tx| (0..5).try_for_each(|n| tx.insert("t", format!(r#"{{"n":{n}}}"#).as_bytes()).map(drop)));
    let mut tx = world.tx();
    let batch = tx.query(br#"{"table":"t"}"#, 2).unwrap();
    assert_eq!((batch.count, batch.cursor), (2, Some(1)));
    tx.insert("t", br#"{"n":5}"#).unwrap();
    let rest = tx.query_next(1, 0).unwrap();
    assert_eq!((rest.count, rest.cursor), (4, None), "the new one too");
    assert_eq!(tx.query_next(1, 0).unwrap_err().code, "InvalidCursor");
    let batch = tx.query(br#"{"table":"t"}"#, 1).unwrap();
    tx.query_close(batch.cursor.unwrap());
    tx.query_close(4_000);
    assert_eq!(tx.query_next(batch.cursor.unwrap(), 0).unwrap_err().code, "InvalidCursor");
    let none = tx.query(br#"{"table":"t","limit":0}"#, 0).unwrap();
    assert_eq!((none.documents.as_slice(), none.count, none.cursor), (&b"[]"[..], 0, None));
}

#[test]
fn a_cursor_stays_where_an_error_found_it() {
    let world = World::new();
    world.write(|tx| {
        tx.insert("t", br#"{"n":true}"#)?;
        tx.insert("t", br#"{"n":7}"#)
    });
    let mut tx = world.tx();
    let batch = tx.query(br#"{"table":"t","filter":{"$field":"n"}}"#, 1).unwrap();
    let cursor = batch.cursor.expect("more");
    for _ in 0..2 {
        assert_eq!(tx.query_next(cursor, 1).unwrap_err().code, "InvalidQuery");
    }
}
