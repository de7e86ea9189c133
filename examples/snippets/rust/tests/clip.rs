use notes as _;
use weir::{Id, Value, fields};
use weir_test::{Database, FetchResponse};

#[test]
fn a_page_is_clipped() {
    let db = Database::new();
    db.on_fetch(|request| match request.url.as_str() {
        "https://example.com/a" => FetchResponse::text("a page"),
        _ => FetchResponse::unanswered(),
    });
    let id: Id = db.action("notes:clip", fields! { url: "https://example.com/a" }).unwrap();
    let note: Value = db.query("notes:read", fields! { id: id }).unwrap();
    assert_eq!(note.get("text").and_then(Value::as_str), Some("a page"));
}
