//! Every limit: what is allowed works, one more is refused, and then the transaction is poisoned.
use weir_value::limits::{
    DELETED_ROWS_PER_DOCUMENT, FUNCTION_HOST_CALLS_MAX, QUERY_BATCH_BYTES_MAX, QUERY_BATCH_ROWS_DEFAULT,
    QUERY_BATCH_ROWS_MAX, QUERY_CURSORS_MAX, TABLES_MAX, TRANSACTION_BYTES_READ_MAX,
    TRANSACTION_BYTES_WRITTEN_MAX, TRANSACTION_DOCUMENTS_READ_MAX, TRANSACTION_DOCUMENTS_WRITTEN_MAX,
    TRANSACTION_RANGES_READ_MAX,
};

use crate::testing::World;
use crate::{DbError, Transaction};

/// Asserts that this was a limit and that nothing works any more.
fn assert_poisoned(tx: &mut Transaction, error: &DbError, code: &str) {
    assert_eq!(error.code, code, "{error}");
    assert_eq!(tx.poisoned(), Some(error));
    assert_eq!(tx.get(None, "x").as_ref(), Err(error));
    assert_eq!(tx.query(b"{}", 0).as_ref(), Err(error));
    assert_eq!(tx.query_next(1, 0).as_ref(), Err(error));
    assert_eq!(tx.insert("t", b"{}").as_ref(), Err(error));
    assert_eq!(tx.delete(None, "x").as_ref(), Err(error));
    assert_eq!(tx.normalize_id("t", "x"), None);
}

fn fill(world: &World, rows: usize, document: &str) {
    for from in (0..rows).step_by(8_000) {
        world.write(|tx| {
            (from..rows.min(from + 8_000)).try_for_each(|_| tx.insert("t", document.as_bytes()).map(drop))
        });
    }
}

/// Reads the table until an error or the end.
fn read_all(tx: &mut Transaction) -> Result<usize, DbError> {
    let mut rows = 0;
    let mut batch = tx.query(br#"{"table":"t"}"#, u32::MAX)?;
    loop {
        assert!(batch.count as usize <= QUERY_BATCH_ROWS_MAX);
        rows += batch.count as usize;
        let Some(cursor) = batch.cursor else { return Ok(rows) };
        batch = tx.query_next(cursor, u32::MAX)?;
    }
}

#[test]
fn documents_read() {
    let world = World::new();
    fill(&world, TRANSACTION_DOCUMENTS_READ_MAX, "{}");
    assert_eq!(read_all(&mut world.tx()), Ok(TRANSACTION_DOCUMENTS_READ_MAX));
    fill(&world, 1, "{}");
    let mut tx = world.tx();
    let error = read_all(&mut tx).unwrap_err();
    assert_poisoned(&mut tx, &error, "TooManyReads");
}

#[test]
fn rows_that_a_filter_drops_count() {
    let world = World::new();
    fill(&world, TRANSACTION_DOCUMENTS_READ_MAX + 1, "{}");
    let mut tx = world.tx();
    let error = tx.query(br#"{"table":"t","filter":{"$literal":false}}"#, 0).unwrap_err();
    assert_poisoned(&mut tx, &error, "TooManyReads");
}

/// Nothing is flushed in this world: what was deleted lies in memory.
#[test]
fn rows_that_were_deleted_are_passed_and_count() {
    let (world, _stepper) = World::stepped();
    fill(&world, 5000, "{}");
    let mut tx = world.tx();
    let batch = tx.query(br#"{"table":"t"}"#, 10).unwrap();
    assert_eq!((batch.count, tx.usage.deleted_passed), (10, 0));
    for _ in 0..5 {
        world.write(|tx| {
            let rows = tx.query(br#"{"table":"t"}"#, 1000)?;
            let documents: Vec<serde_json::Value> = serde_json::from_slice(&rows.documents).expect("a list");
            documents
                .iter()
                .try_for_each(|document| tx.delete(None, document["_id"].as_str().expect("an id")).map(drop))
        });
    }
    let mut tx = world.tx();
    assert_eq!(read_all(&mut tx), Ok(0));
    assert_eq!((tx.usage.deleted_passed, tx.usage.documents_read), (5000, 0));
    tx.usage.deleted_passed = TRANSACTION_DOCUMENTS_READ_MAX * DELETED_ROWS_PER_DOCUMENT - 2000;
    let error = read_all(&mut tx).unwrap_err();
    assert!(tx.usage.deleted_passed < TRANSACTION_DOCUMENTS_READ_MAX * DELETED_ROWS_PER_DOCUMENT + 2000);
    assert_poisoned(&mut tx, &error, "TooManyReads");
}

#[test]
fn bytes_read() {
    let world = World::new();
    let document = format!(r#"{{"x":"{}"}}"#, "x".repeat(900_000));
    let fitting = TRANSACTION_BYTES_READ_MAX / 900_100;
    for _ in 0..fitting {
        fill(&world, 1, &document);
    }
    assert_eq!(read_all(&mut world.tx()), Ok(fitting));
    fill(&world, 1, &document);
    let mut tx = world.tx();
    let error = read_all(&mut tx).unwrap_err();
    assert_poisoned(&mut tx, &error, "TooManyBytesRead");
}

#[test]
fn ranges_read() {
    let world = World::new();
    let id = world.write(|tx| tx.insert("t", b"{}"));
    let mut tx = world.tx();
    (0..TRANSACTION_RANGES_READ_MAX).for_each(|_| drop(tx.get(None, &id).unwrap()));
    let error = tx.get(None, &id).unwrap_err();
    assert_poisoned(&mut tx, &error, "TooManyReads");
    let mut tx = world.tx();
    (0..TRANSACTION_RANGES_READ_MAX).for_each(|_| drop(tx.query(br#"{"table":"t"}"#, 0).unwrap()));
    let error = tx.query(br#"{"table":"t"}"#, 0).unwrap_err();
    assert_poisoned(&mut tx, &error, "TooManyReads");
}

#[test]
fn documents_written() {
    let world = World::new();
    let mut tx = world.tx();
    let ids: Vec<String> =
        (0..TRANSACTION_DOCUMENTS_WRITTEN_MAX).map(|_| tx.insert("t", b"{}").unwrap()).collect();
    let error = tx.delete(None, &ids[0]).unwrap_err();
    assert_poisoned(&mut tx, &error, "TooManyWrites");
}

#[test]
fn bytes_written() {
    let world = World::new();
    let document = format!(r#"{{"x":"{}"}}"#, "x".repeat(900_000));
    let mut tx = world.tx();
    (0..TRANSACTION_BYTES_WRITTEN_MAX / 900_100)
        .for_each(|_| drop(tx.insert("t", document.as_bytes()).unwrap()));
    let error = tx.insert("t", document.as_bytes()).unwrap_err();
    assert_poisoned(&mut tx, &error, "TooManyBytesWritten");
}

#[test]
fn host_calls() {
    let world = World::new();
    let mut tx = world.tx();
    (0..FUNCTION_HOST_CALLS_MAX).for_each(|_| drop(tx.normalize_id("t", "x")));
    let error = tx.count_host_call().unwrap_err();
    assert_poisoned(&mut tx, &error, "TooManyHostCalls");
}

#[test]
fn open_cursors() {
    let world = World::new();
    fill(&world, 2, "{}");
    let mut tx = world.tx();
    let cursors: Vec<u32> =
        (0..QUERY_CURSORS_MAX).map(|_| tx.query(br#"{"table":"t"}"#, 1).unwrap().cursor.unwrap()).collect();
    assert_eq!(tx.query(br#"{"table":"t"}"#, 1).unwrap_err().code, "TooManyCursors");
    tx.query_close(cursors[7]);
    assert!(tx.query(br#"{"table":"t"}"#, 1).is_ok(), "it is no limit that ends the call");
}

#[test]
fn batches() {
    let world = World::new();
    fill(&world, QUERY_BATCH_ROWS_MAX + 1, "{}");
    let mut tx = world.tx();
    let count = |tx: &mut Transaction, rows| tx.query(br#"{"table":"t"}"#, rows).unwrap().count as usize;
    assert_eq!(count(&mut tx, 0), QUERY_BATCH_ROWS_DEFAULT);
    assert_eq!(count(&mut tx, 7), 7);
    assert_eq!(count(&mut tx, u32::MAX), QUERY_BATCH_ROWS_MAX);
    let world = World::new();
    fill(&world, 12, &format!(r#"{{"x":"{}"}}"#, "x".repeat(200_000)));
    let batch = world.tx().query(br#"{"table":"t"}"#, 0).unwrap();
    assert_eq!(batch.count, 6, "until it is full, the last one over it");
    assert!(batch.documents.len() < QUERY_BATCH_BYTES_MAX + 200_100 && batch.cursor.is_some());
}

#[test]
fn tables() {
    let world = World::new();
    for from in (0..TABLES_MAX).step_by(5_000) {
        world.write(|tx| (from..from + 5_000).try_for_each(|n| tx.insert(&format!("t{n}"), b"{}").map(drop)));
    }
    let mut tx = world.tx();
    let error = tx.insert("one_more", b"{}").unwrap_err();
    assert_eq!((error.code.as_str(), tx.has_writes()), ("TooManyTables", false));
    assert!(tx.insert("t42", b"{}").is_ok());
}
