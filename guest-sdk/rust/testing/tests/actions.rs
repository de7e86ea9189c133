//! Actions under test: their calls, requests, waits and files, and the requests that HTTP actions answer.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::{Either, join, join_all, select};
use weir::http::{Body, Redirect};
use weir::prelude::*;
use weir_test::{Database, FetchResponse, HttpRequest};

#[document("notes")]
struct Note {
    text: String,
}

#[mutation(internal)]
fn note(ctx: &MutationCtx, text: String) -> Result<()> {
    if text.is_empty() {
        return Err(Error::app("a note is empty"));
    }
    log!("noting {text}");
    ctx.db.insert("notes", &Note { text })?;
    Ok(())
}

#[query]
fn notes(ctx: &QueryCtx) -> Result<Vec<String>> {
    let notes: Vec<Doc<Note>> = ctx.db.query("notes").collect()?;
    Ok(notes.into_iter().map(|note| note.into_value().text).collect())
}

async fn add(ctx: &ActionCtx, text: impl Into<String>) -> Result<()> {
    let text: String = text.into();
    ctx.run_mutation("weir-test:note", fields! { text: text }).await
}

/// What stands at each of these URLs, asked for at the same time.
#[action]
async fn ask_all(ctx: &ActionCtx, urls: Vec<String>) -> Result<Vec<String>> {
    log!("asking {}", urls.len());
    let ask = async |url: String| match ctx.fetch(Request::get(url)).await {
        Ok(response) => response.text().await,
        Err(error) => Ok(format!("{}: {}", error.code().unwrap_or("?"), error.message())),
    };
    let texts = join_all(urls.into_iter().map(ask)).await.into_iter().collect::<Result<Vec<_>>>()?;
    add(ctx, texts.join(",")).await?;
    Ok(texts)
}

/// What a server answers within a second.
#[action]
async fn impatient(ctx: &ActionCtx, url: String) -> Result<(String, f64)> {
    let begun = ctx.now();
    let request = pin!(ctx.fetch(Request::get(url)));
    let answer = match select(request, pin!(ctx.sleep(Duration::from_secs(1)))).await {
        Either::Left((response, _)) => response?.text().await?,
        Either::Right(_) => "too late".to_owned(),
    };
    Ok((answer, ctx.now() - begun))
}

#[action]
async fn send(ctx: &ActionCtx, url: String, pieces: Vec<String>) -> Result<(f64, String, String)> {
    let body = Body::stream(|mut out| async move {
        for piece in pieces {
            out.write(piece).await?;
        }
        Ok(())
    });
    let request = Request::post(url).header("X-Kind", "test").body(body).redirect(Redirect::Follow);
    let response = ctx.fetch(request).await?;
    let (status, kind) = (response.status(), response.headers().get("x-kind").unwrap_or("none").to_owned());
    Ok((f64::from(status), kind, response.text().await?))
}

/// Waits three times at the same time, in another action too.
#[action]
async fn wait(ctx: &ActionCtx, depth: f64) -> Result<Vec<String>> {
    let order = RefCell::new(Vec::new());
    let after = async |ms: u64| {
        ctx.sleep(Duration::from_millis(ms)).await?;
        order.borrow_mut().push(format!("{ms} at {}", ctx.now()));
        Ok::<_, Error>(())
    };
    let below = async {
        if depth > 0.0 {
            let below: Vec<String> = ctx.run_action("weir-test:wait", fields! { depth: depth - 1.0 }).await?;
            order.borrow_mut().push(format!("below: {}", below.len()));
        }
        Ok::<_, Error>(())
    };
    let (waited, below) = join(join_all([300, 100, 200].map(after)), below).await;
    below?;
    waited.into_iter().collect::<Result<Vec<()>>>()?;
    Ok(order.into_inner())
}

#[action]
async fn fail(ctx: &ActionCtx, how: String) -> Result<()> {
    add(ctx, "before").await?;
    match how.as_str() {
        "panic" => panic!("on purpose"),
        "mutation" => add(ctx, "").await,
        "gone" => ctx.run_query("weir-test:gone", fields! {}).await,
        "handle" => ctx.function_handle("weir-test:gone").map(drop),
        "component" => ctx.run_mutation(&component("mail").function("lib:send"), fields! {}).await,
        "url" => ctx.fetch(Request::get("ftp://example.com")).await.map(drop),
        _ => Err(Error::new("not today")),
    }
}

/// Has itself called again, so often.
#[action(internal)]
async fn again(ctx: &ActionCtx, left: f64) -> Result<String> {
    add(ctx, format!("{left} at {}", ctx.now() % 100_000.0)).await?;
    if left > 0.0 {
        ctx.scheduler.run_after(Duration::from_secs(10), "weir-test:again", fields! { left: left - 1.0 })?;
    }
    ctx.sleep(Duration::from_secs(15)).await?;
    add(ctx, format!("{left} ends at {}", ctx.now() % 100_000.0)).await?;
    ctx.fetch(Request::get("https://example.com/done")).await?.text().await
}

#[mutation]
fn begin(ctx: &MutationCtx) -> Result<()> {
    ctx.scheduler.run_after(Duration::from_secs(1), "weir-test:again", fields! { left: 1.0 })?;
    ctx.scheduler.run_after(Duration::from_secs(5), "weir-test:note", fields! { text: "meanwhile" })?;
    Ok(())
}

#[http_action(method = "POST", path = "/hook")]
async fn hook(ctx: &ActionCtx, request: Request) -> Result<Response> {
    let who = ctx.identity().map_or("nobody".to_owned(), |who| who.subject().to_owned());
    let query = request.url().split_once('?').map_or("", |(_, query)| query).to_owned();
    let text = request.text().await?;
    if text == "fail" {
        return Err(Error::new("a hook that fails"));
    }
    add(ctx, text.clone()).await?;
    Ok(Response::new(201).header("X-Who", who).body(format!("{query}: {text}")))
}

#[http_action(method = "GET", path_prefix = "/events/")]
async fn events(ctx: &ActionCtx, request: Request) -> Result<Response> {
    let (ctx, breaks) = (ctx.clone(), request.url().ends_with("broken"));
    let body = Body::stream(move |mut out| async move {
        for number in 1..=3 {
            out.write(format!("data: {number}\n\n")).await?;
            ctx.sleep(Duration::from_secs(1)).await?;
            if breaks {
                return Err(Error::new("no more"));
            }
        }
        Ok(())
    });
    Ok(Response::new(200).header("content-type", "text/event-stream").body(body))
}

#[test]
fn requests_are_answered_by_the_test_and_recorded() {
    let db = Database::new();
    db.on_fetch(|request| match request.url.as_str() {
        "https://example.com/a" => FetchResponse::text("A").delay(Duration::from_secs(3)),
        "https://example.com/b?c=d%20e" => FetchResponse::text("B"),
        _ => FetchResponse::failure("connection refused"),
    });
    let urls = ["https://example.com/a", "HTTPS://EXAMPLE.com/b?c=d e#f", "http://127.0.0.1:1"];
    let texts: Vec<String> = db.action("weir-test:askAll", fields! { urls: urls }).unwrap();
    assert_eq!(texts, ["A", "B", "FetchFailed: connection refused"]);
    let last = db.last();
    assert_eq!(last.log_lines, ["[LOG] asking 3"]);
    assert_eq!(last.calls.len(), 1);
    let call = &last.calls[0];
    assert_eq!((call.kind, call.path.as_str()), ("mutation", "weir-test:note"));
    assert_eq!(
        call.args::<Value>().get("text").and_then(Value::as_str),
        Some("A,B,FetchFailed: connection refused")
    );
    assert!(call.result::<()>().unwrap().is_ok());
    assert_eq!(call.log_lines, ["[LOG] noting A,B,FetchFailed: connection refused"]);
    assert_eq!(last.writes.len(), 1);
    let sent: Vec<_> =
        last.requests.iter().map(|sent| (sent.request.url.as_str(), sent.outcome.clone())).collect();
    assert_eq!(
        sent,
        [
            ("https://example.com/a", Some(Ok(200))),
            ("https://example.com/b?c=d%20e", Some(Ok(200))),
            ("http://127.0.0.1:1/", Some(Err("connection refused".to_owned()))),
        ]
    );
    assert_eq!(db.query::<Vec<String>>("weir-test:notes", fields! {}).unwrap().len(), 1);
}

#[test]
fn a_request_without_an_answer_ends_the_test_also_in_a_scheduled_action() {
    let text = |panic: Box<dyn std::any::Any + Send>| *panic.downcast::<String>().unwrap();
    let db = Database::new();
    let urls = || fields! { urls: ["https://example.com/x"] };
    let call = || drop(db.action::<Vec<String>>("weir-test:askAll", urls()));
    let expected = "the test answers no request to GET https://example.com/x: give the database a handler";
    assert!(text(catch_unwind(AssertUnwindSafe(call)).unwrap_err()).starts_with(expected));
    db.on_fetch(|_| FetchResponse::unanswered());
    assert!(text(catch_unwind(AssertUnwindSafe(call)).unwrap_err()).starts_with(expected));
    db.on_fetch(|_| FetchResponse::new(99));
    let wrong = text(catch_unwind(AssertUnwindSafe(call)).unwrap_err());
    assert!(wrong.contains("with status 99"), "{wrong}");
    let db = Database::new();
    db.mutation::<()>("weir-test:begin", fields! {}).unwrap();
    let advance = || drop(db.advance(Duration::from_secs(60)));
    let scheduled = text(catch_unwind(AssertUnwindSafe(advance)).unwrap_err());
    assert!(scheduled.contains("no request to GET https://example.com/done"), "{scheduled}");
}

#[test]
fn a_slow_answer_takes_the_tests_time_and_loses_against_a_shorter_one() {
    let db = Database::new();
    db.on_fetch(|request| {
        let delay = if request.url.ends_with("slow") { 5_000 } else { 400 };
        FetchResponse::text("there").delay(Duration::from_millis(delay))
    });
    let ask = |path: &str| {
        let url = format!("https://example.com/{path}");
        db.action::<(String, f64)>("weir-test:impatient", fields! { url: url }).unwrap()
    };
    assert_eq!(ask("fast"), ("there".to_owned(), 400.0));
    assert_eq!(ask("slow"), ("too late".to_owned(), 1_000.0));
    assert_eq!(db.last().requests[0].outcome, None, "it was given up");
    db.on_fetch(|_| FetchResponse::timeout());
    let error = db.action::<(String, f64)>("weir-test:impatient", fields! { url: "https://example.com" });
    assert_eq!(error.unwrap_err().code(), "ApplicationError");
    assert_eq!(db.last().requests[0].outcome, Some(Err("no answer in time".to_owned())));
}

#[test]
fn bodies_go_both_ways_in_pieces_and_redirects_are_followed() {
    let db = Database::new();
    let seen = Rc::new(RefCell::new(Vec::new()));
    let kept = seen.clone();
    db.on_fetch(move |request| {
        kept.borrow_mut().push(format!("{} {} {}", request.method, request.url, request.text()));
        assert_eq!(request.headers.get("x-kind"), Some("test"));
        match request.url.as_str() {
            "https://example.com/old" => FetchResponse::new(303).header("Location", "../new?a=b"),
            "https://example.com/moved" => FetchResponse::new(307).header("location", "/new"),
            _ => FetchResponse::new(200).header("X-Kind", "answer").pieces(["on", "e, ", "two"]),
        }
    });
    let send = |url: &str| {
        let args = fields! { url: url, pieces: ["a", "", "bc"] };
        db.action::<(f64, String, String)>("weir-test:send", args)
    };
    let expected = (200.0, "answer".to_owned(), "one, two".to_owned());
    assert_eq!(send("https://example.com/new").unwrap(), expected);
    assert_eq!(send("https://example.com/old").unwrap(), expected);
    let error = send("https://example.com/moved").unwrap_err();
    assert!(error.message().contains("whose body was a stream and is gone"), "{error}");
    assert_eq!(
        seen.take(),
        [
            "POST https://example.com/new abc",
            "POST https://example.com/old abc",
            "GET https://example.com/new?a=b ",
            "POST https://example.com/moved abc",
        ]
    );
    db.on_fetch(|_| FetchResponse::text("half").broken("the plug was pulled"));
    let error = send("https://example.com/new").unwrap_err();
    assert!(error.message().contains("the plug was pulled"), "{error}");
}

#[test]
fn waiting_takes_no_time_and_goes_in_one_order() {
    let run = || {
        let db = Database::new();
        db.action::<Vec<String>>("weir-test:wait", fields! { depth: 2.0 }).unwrap()
    };
    let order = run();
    let at = |ms: u64| format!("{ms} at {}", 1_767_225_600_000 + ms);
    assert_eq!(order, [at(100), at(200), at(300), "below: 4".to_owned()]);
    assert_eq!(run(), order);
}

#[test]
fn failures_are_the_actions_and_what_it_wrote_stays() {
    let fail = |how: &str| {
        let db = Database::new();
        let error = db.action::<()>("weir-test:fail", fields! { how: how }).unwrap_err();
        assert_eq!(db.query::<Vec<String>>("weir-test:notes", fields! {}).unwrap(), ["before"]);
        (error.code().to_owned(), error.message().to_owned(), error.data::<Value>().is_some())
    };
    assert_eq!(fail("x"), ("ApplicationError".to_owned(), "Uncaught Error: not today".to_owned(), false));
    let (code, message, has_data) = fail("mutation");
    assert!(code == "ApplicationError" && message.contains("a note is empty") && has_data, "{message}");
    assert!(fail("gone").1.contains("gone"));
    assert!(fail("handle").1.contains("There is no function `weir-test:gone`"));
    let (code, message, _) = fail("component");
    assert!(code == "ApplicationError" && message.contains("no component `mail`"), "{code}: {message}");
    assert!(fail("url").1.contains("neither http nor https"));
    let (code, message, _) = fail("panic");
    assert!(code == "FunctionTrapped" && message.contains("on purpose"), "{code}: {message}");
    let wrong = Database::new().query::<()>("weir-test:fail", fields! { how: "x" }).unwrap_err();
    assert!(wrong.message().contains("defined as an action"), "{wrong}");
}

#[test]
fn scheduled_actions_go_on_beside_each_other_as_the_clock_does() {
    let run = || {
        let db = Database::new();
        db.on_fetch(|_| FetchResponse::text("done"));
        db.mutation::<()>("weir-test:begin", fields! {}).unwrap();
        let ended = |runs: Vec<weir_test::ScheduledRun>| -> Vec<String> {
            runs.iter().map(|run| run.path.clone()).collect()
        };
        assert_eq!(ended(db.advance(Duration::from_secs(12))), ["weir-test:note"], "the actions wait");
        let runs = db.advance(Duration::from_secs(5));
        assert_eq!(runs[0].result::<String>().unwrap(), "done");
        assert_eq!((runs.len(), runs[0].calls.len(), runs[0].requests.len()), (1, 2, 1));
        assert_eq!(ended(db.finish_scheduled()), ["weir-test:again"]);
        assert!(db.finish_scheduled().is_empty());
        db.query::<Vec<String>>("weir-test:notes", fields! {}).unwrap()
    };
    let notes = run();
    let expected = ["1 at 1", "meanwhile", "0 at 11", "1 ends at 16", "0 ends at 26"];
    for (note, expected) in notes.iter().zip(expected) {
        // Each mutation moves the clock by a millisecond.
        assert!(note.starts_with(expected), "{notes:?}");
    }
    assert_eq!(notes.len(), expected.len());
    assert_eq!(run(), notes, "equal tests give equal results");
}

#[test]
fn http_actions_answer_requests() {
    let db = Database::new();
    let response = db.http(HttpRequest::post("/hook?id=7").body("hello")).unwrap();
    assert_eq!((response.status, response.text()), (201, "id=7: hello"));
    assert_eq!(response.headers.get("x-who"), Some("nobody"));
    assert_eq!(db.last().calls[0].path, "weir-test:note");
    let ada = db.as_user(fields! { subject: "ada" });
    let response = ada.http(HttpRequest::post("/hook").json(fields! { a: 1.5 })).unwrap();
    assert_eq!((response.headers.get("x-who"), response.text()), (Some("ada"), r#": {"a":1.5}"#));
    let error = db.http(HttpRequest::post("/hook").body("fail")).unwrap_err();
    assert_eq!(error.message(), "Uncaught Error: a hook that fails");
    for wrong in [HttpRequest::get("/hook"), HttpRequest::post("/nowhere")] {
        let response = db.http(wrong).unwrap();
        assert_eq!((response.status, response.text()), (404, "No matching routes found"));
    }
    let no_path = catch_unwind(AssertUnwindSafe(|| db.http(HttpRequest::get("hook"))));
    assert!(no_path.unwrap_err().downcast::<String>().unwrap().contains("it begins with `/`"));
}

#[test]
fn responses_stream_and_break_off() {
    let db = Database::new();
    let response = db.http(HttpRequest::get("/events/all")).unwrap();
    assert_eq!(response.pieces, [b"data: 1\n\n", b"data: 2\n\n", b"data: 3\n\n"]);
    assert_eq!((response.broken, response.headers.get("content-type")), (None, Some("text/event-stream")));
    let response = db.http(HttpRequest::get("/events/broken")).unwrap();
    assert_eq!((response.pieces.len(), response.broken.as_deref()), (1, Some("no more")));
    let response = db.http(HttpRequest::new("HEAD", "/events/all")).unwrap();
    assert_eq!((response.status, response.body.len()), (200, 0));
}

#[test]
fn an_action_under_way_is_given_up_with_the_database() {
    let db = Database::new();
    db.mutation::<()>("weir-test:begin", fields! {}).unwrap();
    assert!(db.advance(Duration::from_secs(2)).is_empty());
    drop(db);
}

/// Fetches a picture, keeps it, and says what is known of it.
#[action]
async fn keep(ctx: &ActionCtx, url: String) -> Result<(Id<StoredFile>, Option<FileMetadata>, String)> {
    let response = ctx.fetch(Request::get(url)).await?;
    let id = ctx.storage.store(NewFile::new(response.into_body()).content_type("image/png")).await?;
    let content = ctx.storage.get(&id).await?.ok_or_else(|| Error::new("it is gone"))?;
    Ok((id.clone(), ctx.storage.get_metadata(&id)?, content.text().await?))
}

#[mutation]
fn upload_url(ctx: &MutationCtx) -> Result<String> {
    ctx.storage.generate_upload_url()
}

#[mutation]
fn forget(ctx: &MutationCtx, id: Id<StoredFile>) -> Result<()> {
    ctx.storage.delete(&id)
}

#[query]
fn url_of(ctx: &QueryCtx, id: Id<StoredFile>) -> Result<(Option<String>, Option<f64>)> {
    let size = ctx.storage.get_metadata(&id)?.map(|known| known.size);
    Ok((ctx.storage.get_url(&id)?, size))
}

/// Deletes a file, in an action, and says whether it can be read after that.
#[action]
async fn replace(ctx: &ActionCtx, id: Id<StoredFile>) -> Result<bool> {
    ctx.storage.delete(&id)?;
    Ok(ctx.storage.get(&id).await?.is_some())
}

#[test]
fn files_are_stored_read_and_deleted() {
    let db = Database::new();
    db.on_fetch(|_| FetchResponse::new(200).pieces([vec![b'a'; 100_000], b"bc".to_vec()]));
    let args = fields! { url: "https://example.com/picture" };
    let (id, known, text): (Id<StoredFile>, Option<FileMetadata>, String) =
        db.action("weir-test:keep", args).unwrap();
    let known = known.unwrap();
    assert_eq!(
        (known.size, known.content_type.as_deref(), text.len()),
        (100_002.0, Some("image/png"), 100_002)
    );
    let file = db.file(id.as_str()).unwrap();
    assert_eq!((file.bytes.len(), file.content_type.as_deref()), (100_002, Some("image/png")));
    let put = db.store_file("hello", Some("text/plain"));
    let url_of = |id: &Id<StoredFile>| {
        db.query::<(Option<String>, Option<f64>)>("weir-test:urlOf", fields! { id: id }).unwrap()
    };
    let (url, size) = url_of(&put);
    assert_eq!(size, Some(5.0));
    assert_eq!(db.file(&url.unwrap()).unwrap().bytes, b"hello");
    db.mutation::<()>("weir-test:forget", fields! { id: put }).unwrap();
    assert_eq!((db.file(put.as_str()), url_of(&put)), (None, (None, None)));
    assert!(!db.action::<bool>("weir-test:replace", fields! { id: id }).unwrap());
    let gone = db.mutation::<()>("weir-test:forget", fields! { id: id }).unwrap_err();
    assert!(gone.message().contains("no stored file"), "{gone}");
}

#[test]
fn an_upload_url_is_good_once_and_for_an_hour() {
    let db = Database::new();
    let url = || db.mutation::<String>("weir-test:uploadUrl", fields! {}).unwrap();
    let (first, late) = (url(), url());
    let id = db.upload(&first, "hello", None).unwrap();
    assert_eq!(db.file(id.as_str()).unwrap().content_type, None);
    assert_eq!(db.upload(&first, "hello", None).unwrap_err().code(), "UploadTokenUsed");
    db.advance(Duration::from_secs(3_601));
    assert_eq!(db.upload(&late, "hello", None).unwrap_err().code(), "UploadTokenExpired");
    let error = db.upload("https://example.com", "hello", None).unwrap_err();
    assert_eq!(error.code(), "InvalidUploadToken");
    assert_eq!(db.upload(&url(), "x", Some("")).unwrap_err().code(), "InvalidContentType");
}

#[action]
async fn sign_up(ctx: &ActionCtx, password: String) -> Result<(bool, bool)> {
    let hash = ctx.hash_password(&password)?;
    Ok((ctx.verify_password(&password, &hash)?, ctx.verify_password("another", &hash)?))
}

/// Has a note written while it waits, and reads it then.
#[action]
async fn wait_for_note(ctx: &ActionCtx) -> Result<Vec<String>> {
    ctx.scheduler.run_after(Duration::from_secs(5), "weir-test:note", fields! { text: "later" })?;
    ctx.sleep(Duration::from_secs(6)).await?;
    ctx.run_query("weir-test:notes", fields! {}).await
}

#[test]
fn what_is_due_while_an_action_waits_is_run_and_told_afterwards() {
    let db = Database::new();
    let notes: Vec<String> = db.action("weir-test:waitForNote", fields! {}).unwrap();
    assert_eq!(notes, ["later"]);
    let runs = db.advance(Duration::ZERO);
    assert_eq!((runs.len(), runs[0].path.as_str()), (1, "weir-test:note"));
    assert!(db.advance(Duration::ZERO).is_empty(), "it is told once");
}

#[test]
fn passwords_are_computed_and_recursion_ends() {
    let db = Database::new();
    let checked: (bool, bool) = db.action("weir-test:signUp", fields! { password: "secret" }).unwrap();
    assert_eq!(checked, (true, false));
    let deep = db.action::<Vec<String>>("weir-test:wait", fields! { depth: 20.0 }).unwrap_err();
    assert!(deep.message().contains("too many actions"), "{deep}");
}

#[test]
fn what_answers_requests_cannot_use_the_database() {
    let db = Rc::new(Database::new());
    let same = db.clone();
    db.on_fetch(move |_| {
        let _ = same.query::<Vec<String>>("weir-test:notes", fields! {});
        FetchResponse::text("never")
    });
    let url = fields! { url: "https://example.com" };
    let call = || drop(db.action::<(String, f64)>("weir-test:impatient", url));
    let panic = catch_unwind(AssertUnwindSafe(call)).unwrap_err();
    assert!(panic.downcast::<&str>().unwrap().contains("cannot use the database"));
    // The next one goes through.
    db.on_fetch(|_| FetchResponse::text("there"));
    let url = fields! { url: "https://example.com" };
    assert!(db.action::<(String, f64)>("weir-test:impatient", url).is_ok());
}
