//! Go's timers, and contexts that end what an action waits for, on the test's clock: no time is left to chance.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use serde_json::{Value as Json, json};
use weir_build::Language;
use weir_conformance::{deploy, folder, runtime};
use weir_db::CallError;
use weir_db::FunctionKind::{Action, Query};
use weir_testing::{
    AnswersFetch, FetchAnswer, FetchRequest, FetchResponse, NOW_MS_DEFAULT, TestDatabase, TestRequest,
};

/// Answers with a text, after a minute where the URL says so.
struct Web;

impl AnswersFetch for Web {
    fn answer(&self, requests: &[FetchRequest]) -> Result<Vec<FetchAnswer>, String> {
        let answer = |request: &FetchRequest| {
            let body = vec![Bytes::from_static(b"first"), Bytes::from_static(b"second")];
            let response = FetchResponse { status: 200, headers: Vec::new(), body, broken: None };
            let delay = if request.url.ends_with("/slow") { 60 } else { 0 };
            FetchAnswer { outcome: Some(Ok(response)), delay: Duration::from_secs(delay) }
        };
        Ok(requests.iter().map(answer).collect())
    }
}

fn action(db: &mut TestDatabase, path: &str, args: &Json) -> Result<Result<Json, CallError>> {
    let outcome = db.call(Action, path, args.to_string().into())?;
    Ok(match outcome.result {
        Ok(result) => Ok(serde_json::from_slice(&result)?),
        Err(error) => Err(error),
    })
}

#[test]
fn timers_and_contexts_end_what_an_action_waits_for() -> Result<()> {
    let runtime = runtime()?;
    let deployment = deploy(&runtime, &folder("guests/go"), Language::Go)?;
    let mut db = TestDatabase::new(deployment.clone(), deployment.schema(), NOW_MS_DEFAULT, 1)?;
    db.set_fetch_handler(Some(Box::new(Web)));
    let (slow, fast) = ("https://a.example/slow", "https://a.example/fast");
    let order = ["ctx.Sleep 10", "time.After 20", "ctx.Sleep 30", "time.Sleep 40", "time.AfterFunc 50"];
    let cases = [
        ("waits:sleep", json!({ "ms": 1 }), json!([1, 1])),
        ("waits:sleep", json!({ "ms": 1500 }), json!([1500, 1500])),
        ("waits:order", json!({}), json!(order)),
        ("waits:ticks", json!({ "ms": 20 }), json!(10)),
        ("waits:fetch", json!({ "url": slow, "ms": 2000 }), json!(["DeadlineExceeded", 2000])),
        ("waits:fetch", json!({ "url": fast, "ms": 2000 }), json!(["fine", 0])),
        ("waits:body", json!({ "url": fast, "ms": 30 }), json!(["DeadlineExceeded", 30, "first"])),
        (
            "waits:upload",
            json!({ "url": fast, "ms": 30 }),
            json!(["DeadlineExceeded", 30, "io: read/write on closed pipe"]),
        ),
        ("waits:call", json!({ "ms": 50 }), json!(["DeadlineExceeded", 50])),
        ("waits:cancel", json!({ "ms": 25 }), json!([100, 25])),
        ("waits:doneBefore", json!({}), json!(["Canceled", 0])),
        ("waits:collect", json!({}), json!(20)),
    ];
    let mut wrong = Vec::new();
    for (path, args, expected) in cases {
        // Twice, as equal calls are equal.
        for _ in 0..2 {
            match action(&mut db, path, &args)? {
                Ok(found) if found == expected => {}
                found => wrong.push(format!("{path} {args}: wanted {expected}, found {found:?}")),
            }
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn what_can_end_no_wait_is_told() -> Result<()> {
    let runtime = runtime()?;
    let deployment = deploy(&runtime, &folder("guests/go"), Language::Go)?;
    let mut db = TestDatabase::new(deployment.clone(), deployment.schema(), NOW_MS_DEFAULT, 1)?;
    let error = action(&mut db, "waits:forever", &json!({}))?.err().context("it ends")?;
    ensure!(error.code == "FunctionTrapped", "{error:?}");
    ensure!(error.message.contains("all goroutines are asleep - deadlock!"), "{error:?}");
    let error = db.call(Query, "waits:inQuery", "{}".into())?.result.err().context("it waits")?;
    ensure!(error.message.contains("its clock stands still"), "{error:?}");
    Ok(())
}

#[test]
fn a_response_goes_out_as_its_writer_wakes() -> Result<()> {
    let runtime = runtime()?;
    let deployment = deploy(&runtime, &folder("guests/go"), Language::Go)?;
    let mut db = TestDatabase::new(deployment.clone(), deployment.schema(), NOW_MS_DEFAULT, 1)?;
    let path = "/waits".to_owned();
    let served = db.request(TestRequest { method: "GET".to_owned(), path, ..TestRequest::default() })?;
    let answer = served.answer?;
    ensure!(answer.body == ["now ", "and ", "then"] && answer.broken.is_none(), "{answer:?}");
    Ok(())
}
