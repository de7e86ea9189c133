use notes as _;
use weir::{Id, Value, fields};
use weir_test::Database;

#[test]
fn a_note_can_be_starred() {
    let db = Database::new();
    let note = fields! { author: "ada", text: "hi" };
    let id: Id = db.mutation("notes:write", note).unwrap();
    db.mutation::<()>("notes:star", fields! { id: id }).unwrap();
    let starred: Vec<Value> = db.query("notes:starred", fields! { least: 1.0 }).unwrap();
    assert_eq!(starred.len(), 1);
}
