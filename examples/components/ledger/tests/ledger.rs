//! The ledger by itself, on a database in memory: `cargo test`.

use ledger as _;
use weir::{Value, fields};
use weir_test::Database;

fn balance(db: &Database, owner: &str) -> f64 {
    db.query("ledger:balance", fields! { owner: owner }).unwrap()
}

#[test]
fn what_is_issued_can_be_transferred_once() {
    let db = Database::new();
    db.mutation::<()>("ledger:issue", fields! { to: "ada", amount: 10.0 }).unwrap();
    let transfer = fields! { from: "ada", to: "bob", amount: 7.0 };
    db.mutation::<()>("ledger:transfer", &transfer).unwrap();
    assert_eq!((balance(&db, "ada"), balance(&db, "bob")), (3.0, 7.0));

    let error = db.mutation::<()>("ledger:transfer", &transfer).unwrap_err();
    let data: Value = error.data().unwrap();
    assert_eq!(data.get("code").and_then(Value::as_str), Some("TooLittle"));
    assert_eq!((balance(&db, "ada"), balance(&db, "bob")), (3.0, 7.0));
}

#[test]
fn an_amount_is_more_than_nothing() {
    let db = Database::new();
    for amount in [0.0, -1.0, f64::INFINITY] {
        let error = db.mutation::<()>("ledger:issue", fields! { to: "ada", amount: amount }).unwrap_err();
        assert!(error.message().contains("an amount is more than nothing"), "{}", error.message());
    }
    assert_eq!(balance(&db, "ada"), 0.0);
}
