//! The chat with Wikipedia, which the tests answer for.

use std::time::Duration;

use weir::{Value, fields};
use weir_test::{Database, FetchRequest, FetchResponse};
use wiki as _;

fn shown(db: &Database) -> Vec<String> {
    let messages: Vec<Value> = db.query("chat:getMessages", fields! {}).unwrap();
    let text = |message: &Value, name: &str| message.get(name).and_then(Value::as_str).unwrap().to_owned();
    messages.iter().map(|message| format!("{}: {}", text(message, "user"), text(message, "body"))).collect()
}

fn send(db: &Database, body: &str) {
    db.mutation::<()>("chat:sendMessage", fields! { user: "ada", body: body }).unwrap();
}

/// Answers as Wikipedia does, with the title in the place of the article.
fn article(request: &FetchRequest) -> FetchResponse {
    let (address, title) = request.url.rsplit_once("&titles=").unwrap();
    assert!(address.starts_with("https://en.wikipedia.org/w/api.php?format=json&"), "{address}");
    let extract = format!("{title} is a small dam.");
    let page = fields! { extract: extract };
    FetchResponse::json(fields! { query: fields! { pages: fields! { page: page } } })
}

#[test]
fn a_message_that_asks_for_an_article_has_one_written_into_the_chat() {
    let db = Database::new();
    db.on_fetch(article);
    send(&db, "/wiki Low-head weir");
    assert_eq!(shown(&db), ["ada: /wiki Low-head weir"]);
    let runs = db.finish_scheduled();
    assert_eq!((runs.len(), runs[0].path.as_str(), runs[0].error()), (1, "chat:getWikipediaSummary", None));
    assert_eq!(runs[0].requests[0].outcome, Some(Ok(200)));
    assert_eq!(runs[0].calls[0].path, "chat:sendMessage");
    assert_eq!(shown(&db)[1], "Wikipedia: Low-head%20weir is a small dam.");
}

#[test]
fn what_wikipedia_does_not_know_or_does_not_answer_is_said() {
    let db = Database::new();
    let ask = |topic: &str| db.action::<()>("chat:getWikipediaSummary", fields! { topic: topic }).unwrap();
    db.on_fetch(|_| FetchResponse::json(fields! { query: fields! { pages: fields! {} } }));
    ask("Wier");
    db.on_fetch(|_| FetchResponse::text("busy").status(503).delay(Duration::from_secs(20)));
    ask("Weir");
    assert_eq!(
        shown(&db),
        ["Wikipedia: There is no such article.", "Wikipedia: Wikipedia does not answer: 503"]
    );
}

#[test]
fn articles_come_in_the_order_of_their_answers() {
    let db = Database::new();
    db.on_fetch(|request| {
        let delay = if request.url.ends_with("Slow") { 9 } else { 2 };
        article(request).delay(Duration::from_secs(delay))
    });
    send(&db, "/wiki Slow");
    send(&db, "/wiki Fast");
    assert_eq!(db.advance(Duration::from_secs(5)).len(), 1);
    assert_eq!(db.finish_scheduled().len(), 1);
    assert!(shown(&db)[2].contains("Fast") && shown(&db)[3].contains("Slow"));
}

#[test]
fn a_failed_request_fails_the_action_alone() {
    let db = Database::new();
    db.on_fetch(|_| FetchResponse::failure("connection refused"));
    send(&db, "/wiki Weir");
    let runs = db.finish_scheduled();
    assert!(runs[0].error().unwrap().message().contains("connection refused"));
    assert_eq!(shown(&db), ["ada: /wiki Weir"]);
}

#[test]
#[should_panic(expected = "the test answers no request to GET https://en.wikipedia.org/w/api.php?")]
fn no_request_reaches_wikipedia() {
    let db = Database::new();
    send(&db, "/wiki Weir");
    db.finish_scheduled();
}
