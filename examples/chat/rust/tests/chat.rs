//! The chat's functions, on a database in memory: `cargo test`.

use chat as _;
use weir::prelude::*;
use weir_test::Database;

#[value]
struct Message {
    user: String,
    body: String,
}

fn bodies(db: &Database) -> Vec<String> {
    let messages: Vec<Doc<Message>> = db.query("chat:getMessages", fields! {}).unwrap();
    messages.into_iter().map(|message| message.into_value().body).collect()
}

fn send(db: &Database, body: &str) {
    db.mutation::<()>("chat:sendMessage", fields! { user: "ada", body: body }).unwrap();
}

#[test]
fn messages_come_in_the_order_in_which_they_were_sent() {
    let db = Database::new();
    assert!(bodies(&db).is_empty());
    send(&db, "hello");
    assert_eq!(db.last().writes[0].table, "messages");
    send(&db, "is anyone there?");
    assert_eq!(bodies(&db), ["hello", "is anyone there?"]);
}

#[test]
fn only_the_latest_fifty_are_shown() {
    let db = Database::new();
    (1..=52).for_each(|number| send(&db, &number.to_string()));
    let bodies = bodies(&db);
    assert_eq!((bodies.len(), bodies[0].as_str(), bodies[49].as_str()), (50, "3", "52"));
}

#[test]
fn a_message_needs_a_body() {
    let error = Database::new().mutation::<()>("chat:sendMessage", fields! { user: "ada" }).unwrap_err();
    assert_eq!(error.code(), "ArgumentValidationError");
}
