use std::time::Duration;

use notes as _;
use weir::{Id, StoredFile, Value, fields};
use weir_test::{Database, FetchResponse, HttpRequest};

const A: &str = "https://example.com/a";
const B: &str = "https://example.com/b";

fn count(db: &Database) -> usize {
    db.query::<Vec<Value>>("notes:latest", fields! {}).unwrap().len()
}

#[test]
fn two_pages_are_asked_for_at_the_same_time_and_take_as_long_as_the_slower_one() {
    let db = Database::new();
    let begun = 1_767_225_600_000.0;
    db.set_now(begun);
    db.on_fetch(|request| {
        let delay = if request.url == A { 3 } else { 1 };
        FetchResponse::text(&request.url).delay(Duration::from_secs(delay))
    });
    let ids: Vec<Id> = db.action("notes:clipBoth", fields! { first: A, second: B }).unwrap();
    let last = db.last();
    let sent: Vec<_> = last.requests.iter().map(|sent| (sent.request.url.as_str(), sent.outcome.clone())).collect();
    assert_eq!(sent, [(A, Some(Ok(200))), (B, Some(Ok(200)))]);
    assert_eq!((last.calls.len(), last.writes.len(), ids.len()), (2, 2, 2));
    let notes: Vec<Value> = db.query("notes:latest", fields! {}).unwrap();
    let written = notes[0].get("_creationTime").and_then(Value::as_f64).unwrap();
    assert!(written >= begun + 3_000.0 && written < begun + 3_100.0);
}

#[test]
fn what_a_page_is_not_answered_with_fails_the_action() {
    let db = Database::new();
    let clip = || db.action::<Id>("notes:clip", fields! { url: A }).unwrap_err().message().to_owned();
    db.on_fetch(|_| FetchResponse::new(404));
    assert!(clip().contains("answers 404"));
    db.on_fetch(|_| FetchResponse::failure("connection refused"));
    assert!(clip().contains("connection refused"));
    assert_eq!(db.last().requests[0].outcome, Some(Err("connection refused".to_owned())));
    assert_eq!(count(&db), 0);
}

#[test]
#[should_panic(expected = "the test answers no request to GET https://example.com/a: give")]
fn no_request_reaches_the_network() {
    let _ = Database::new().action::<Id>("notes:clip", fields! { url: A });
}

#[test]
fn a_request_becomes_a_note() {
    let db = Database::new();
    let note = fields! { author: "ada", text: "hi" };
    let answer = db.http(HttpRequest::post("/notes").json(note)).unwrap();
    assert_eq!((answer.status, count(&db)), (201, 1));
    let refused = db.http(HttpRequest::post("/notes").body("no JSON")).unwrap();
    assert_eq!((refused.status, refused.text()), (400, "send an author and a text as JSON"));
    assert_eq!(db.http(HttpRequest::get("/notes")).unwrap().status, 404);
}

#[test]
fn files_come_by_uploads_by_actions_and_by_the_test() {
    let db = Database::new();
    let url: String = db.mutation("notes:upload", fields! {}).unwrap();
    let file = db.upload(&url, "a picture", Some("image/png")).unwrap();
    let picture_of = |file: &Id<StoredFile>| {
        db.query::<Option<String>>("notes:picture", fields! { file: file }).unwrap().unwrap()
    };
    let kept = db.file(&picture_of(&file)).unwrap();
    assert_eq!((kept.content_type.as_deref(), &kept.bytes[..]), (Some("image/png"), &b"a picture"[..]));
    assert_eq!(db.upload(&url, "again", None).unwrap_err().code(), "UploadTokenUsed");
    assert_ne!(picture_of(&db.store_file("hello", None)), picture_of(&file));
    db.on_fetch(|_| FetchResponse::text("<p>hi</p>"));
    let page: Id<StoredFile> = db.action("notes:savePage", fields! { url: A }).unwrap();
    assert_eq!(db.file(page.as_str()).unwrap().bytes, b"<p>hi</p>");
}
