//! The list's functions, on a database in memory: `cargo test`.

use todos::Todo;
use weir::prelude::*;
use weir_test::Database;

fn add(db: &Database, text: &str) -> Id<Todo> {
    db.mutation("todos:add", fields! { text: text }).unwrap()
}

fn list(db: &Database) -> Vec<(String, bool)> {
    let todos: Vec<Doc<Todo>> = db.query("todos:list", fields! {}).unwrap();
    todos.into_iter().map(|todo| (todo.text.clone(), todo.done)).collect()
}

#[test]
fn what_is_added_is_on_the_list() {
    let db = Database::new();
    add(&db, "water the plants");
    add(&db, "  call home ");
    assert_eq!(list(&db), [("water the plants".to_owned(), false), ("call home".to_owned(), false)]);
}

#[test]
fn a_todo_needs_a_text() {
    let db = Database::new();
    let error = db.mutation::<Id<Todo>>("todos:add", fields! { text: "  " }).unwrap_err();
    assert_eq!(error.message(), "Uncaught Error: write what is to do");
    assert!(list(&db).is_empty());
}

#[test]
fn what_is_done_can_be_cleared() {
    let db = Database::new();
    let plants = add(&db, "water the plants");
    add(&db, "call home");
    db.mutation::<()>("todos:toggle", fields! { id: plants }).unwrap();
    assert_eq!(db.mutation::<f64>("todos:clearDone", fields! {}).unwrap(), 1.0);
    assert_eq!(list(&db), [("call home".to_owned(), false)]);
    let error = db.mutation::<()>("todos:toggle", fields! { id: plants }).unwrap_err();
    assert_eq!(error.message(), "Uncaught Error: this is no longer on the list");
}
