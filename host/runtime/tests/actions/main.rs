//! Actions in TypeScript, on the runtime, with a host of their own: a database in memory, and a web of canned answers.

mod files;
mod host;
mod served;
mod web;

use std::sync::LazyLock;

use anyhow::{Result, ensure};
use serde_json::{Value as Json, json};

use host::World;

/// One for all tests: its functions are built once.
static WORLD: LazyLock<World> = LazyLock::new(|| World::new().expect("the guest is built, and loads"));

/// Whether an action gives this.
fn gives(path: &str, args: Json, expected: Json) -> Result<()> {
    let found = WORLD.ask(path, &args)?;
    ensure!(found == expected, "{path}\n  found:    {found}\n  expected: {expected}");
    Ok(())
}

#[test]
fn functions_are_called_at_the_same_time_with_all_values() -> Result<()> {
    let found = WORLD.ask("calls:all", &json!({ "texts": ["b", "a", "c"] }))?;
    let list: Vec<_> = found["list"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    ensure!(["a", "b", "c"].iter().all(|text| list.contains(text)), "{found}");
    ensure!(found["of"] == json!({ "$integer": "AQAAAAAAABA=" }) && found["size"] == 2, "{found}");
    gives("calls:nested", json!({}), json!(3))
}

#[test]
fn functions_are_called_by_handle_and_by_name() -> Result<()> {
    let found = WORLD.ask("calls:byHandle", &json!({}))?;
    ensure!(
        found[0].as_str().is_some_and(|handle| handle.starts_with("function://"))
            && found[1].is_array()
            && found[2].is_array(),
        "{found}"
    );
    ensure!(found[3].as_str().is_some_and(|error| error.contains("no function `notes:absent`")), "{found}");
    Ok(())
}

#[test]
fn what_a_function_throws_is_thrown_where_it_is_called() -> Result<()> {
    let found = WORLD.ask("calls:failures", &json!({}))?;
    let refused = r#"{"why":"5n"}"#;
    ensure!(found[0] == json!([true, refused, { "why": { "$integer": "BQAAAAAAAAA=" } }]), "{found}");
    ensure!(found[1] == json!([false, "refused", null]), "{found}");
    ensure!(found[2][1].as_str().is_some_and(|text| text.contains("notes:absent")), "{found}");
    ensure!(found[3][1].as_str().is_some_and(|text| text.contains("mutation")), "{found}");
    let list = WORLD.query("notes:list", &json!({}))?.to_string();
    ensure!(!list.contains("refused"), "what failed has written nothing: {list}");
    let error = WORLD.run("calls:thrown", &json!({})).result.unwrap_err();
    ensure!(error.data.as_deref() == Some(br#"{"why":"own"}"#), "{error:?}");
    Ok(())
}

#[test]
fn functions_are_scheduled_and_taken_back() -> Result<()> {
    gives("calls:scheduled", json!({}), json!(["string", true, null]))?;
    let members = WORLD.ask("calls:database", &json!({}))?;
    ensure!(!members.to_string().contains("\"db\""), "{members}");
    let error = WORLD.run("calls:noDatabase", &json!({})).result.unwrap_err();
    let advice = "an action has none; it calls queries and mutations, with `ctx.runQuery`";
    ensure!(error.message.contains(advice), "{}", error.message);
    Ok(())
}

#[test]
fn waits_at_the_same_time_take_as_long_as_the_longest() -> Result<()> {
    let found = WORLD.ask("waits:together", &json!({ "each": [150, 300, 250] }))?;
    for clock in found.as_array().into_iter().flatten() {
        ensure!(clock.as_f64().is_some_and(|time| (299.0..600.0).contains(&time)), "{found}");
    }
    Ok(())
}

#[test]
fn timers_come_in_their_order_each_with_its_jobs() -> Result<()> {
    let expected = json!([
        "microtask",
        "0",
        "a job of 0",
        "also 0",
        "immediate",
        "20 a",
        "20 b",
        "interval",
        "60",
        "interval",
        "interval"
    ]);
    let outcome = WORLD.run("waits:order", &json!({}));
    ensure!(
        outcome.log_lines.len() == 1 && outcome.log_lines[0].contains("of a timer"),
        "{:?}",
        outcome.log_lines
    );
    let found: Json = serde_json::from_slice(&outcome.result?)?;
    // The interval's second time is at 60 too, and may come before or after.
    let without = |list: &Json| {
        list.as_array()
            .cloned()
            .unwrap_or_default()
            .into_iter()
            .filter(|text| text != "interval")
            .collect::<Vec<_>>()
    };
    ensure!(without(&found) == without(&expected), "{found}");
    ensure!(found.as_array().map(Vec::len) == expected.as_array().map(Vec::len), "{found}");
    Ok(())
}

#[test]
fn a_timer_without_end_keeps_nobody_from_anything() -> Result<()> {
    gives("waits:fair", json!({}), json!(["slow", true]))
}

#[test]
fn an_action_that_waits_for_nothing_is_told_so() -> Result<()> {
    for path in ["waits:never", "waits:cancelled"] {
        let error = WORLD.run(path, &json!({})).result.unwrap_err();
        ensure!(error.message.contains("waits for a promise that nothing will settle"), "{}", error.message);
    }
    Ok(())
}

#[test]
fn time_goes_on_in_an_action_alone() -> Result<()> {
    let outcome = WORLD.run("waits:computing", &json!({}));
    ensure!(outcome.result?.as_ref() == b"[true,true,true]");
    let timed = outcome.log_lines[0].trim_start_matches("[LOG] timed: ").trim_end_matches("ms");
    ensure!(timed.parse::<f64>().is_ok_and(|time| time >= 19.0), "{:?}", outcome.log_lines);
    ensure!(WORLD.query("notes:waiting", &json!({ "what": "" }))? == "0,0");
    gives("waits:timeout", json!({}), json!([false, true, "TimeoutError", true]))
}

#[test]
fn a_query_is_told_to_leave_it_to_an_action() -> Result<()> {
    for what in ["fetch", "setTimeout", "AbortSignal.timeout"] {
        let said = WORLD.query("notes:waiting", &json!({ "what": what }))?.to_string();
        ensure!(said.contains(&format!("Error: {what} ")) && said.contains("do it in an action"), "{said}");
    }
    let error = WORLD.query("notes:waiting", &json!({ "what": "never" })).unwrap_err();
    ensure!(error.message.contains("waits for a promise that nothing will settle"), "{}", error.message);
    Ok(())
}

#[test]
fn a_response_has_what_the_server_said() -> Result<()> {
    let expected = json!({
        "status": 418, "statusText": "I'm a teapot", "ok": false, "url": "http://web/head?a=1", "redirected": false,
        "type": "basic", "bodyUsed": false, "isFrozen": true,
        "headers": [["set-cookie", "a"], ["set-cookie", "b"], ["x-a", "1"], ["x-b", "2, 3"]]
    });
    gives("web:head", json!({}), expected)?;
    let redirects = json!([
        [true, "http://web/there", 200],
        [false, 302, "/there"],
        ["TypeError", "fetch failed", "it sends the request on", "FetchFailed"]
    ]);
    gives("web:redirects", json!({}), redirects)
}

#[test]
fn every_kind_of_body_is_sent() -> Result<()> {
    let expected = json!([
        ["POST", "text/plain;charset=UTF-8", "téxt"],
        ["POST", null, "ab"],
        ["POST", "application/x-www-form-urlencoded;charset=UTF-8", "a=b+c"],
        ["POST", "image/png", "blob"],
        ["POST", "multipart/form-data; boundary", true],
        ["GET", null, ""],
        ["PUT", "application/json", "{\"a\":1}"]
    ]);
    gives("web:bodies", json!({}), expected)?;
    let requests = json!([
        ["POST", "once", "a", "*/*"],
        ["TypeError", "Body is unusable: Body has already been read"],
        ["PATCH", "once", "b"]
    ]);
    gives("web:requests", json!({}), requests)
}

#[test]
fn a_body_is_read_in_every_way() -> Result<()> {
    let expected = json!({
        "pieces": ["one ", "two ", "thrée"],
        "texts": ["one two thrée", "one two thrée"],
        "twice": ["TypeError", "Body is unusable: Body has already been read", null, null],
        "used": [true, true], "bytes": 14, "blob": [14, "text/x-own"], "json": "POST", "form": "b c",
        "joined": "one two thrée", "empty": [null, ""], "head": null
    });
    gives("web:reading", json!({}), expected)
}

#[test]
fn bodies_stream_both_ways_at_the_same_time() -> Result<()> {
    let expected = json!(["> one ", "< ONE ", "> two ", "< TWO ", "> three", "< THREE"]);
    gives("web:both", json!({}), expected)?;
    gives("web:large", json!({ "size": 10_000_000 }), json!([10_000_000, true]))
}

#[test]
fn a_body_may_be_larger_than_the_memory() -> Result<()> {
    gives("web:drained", json!({ "mebibytes": 200 }), json!(200 << 20))
}

#[test]
fn a_url_may_hold_its_data() -> Result<()> {
    let expected = json!([
        ["text/plain;charset=US-ASCII", "a b"],
        ["text/html", "é"],
        ["text/plain;charset=utf-8", "é"]
    ]);
    gives("web:data", json!({}), expected)
}

#[test]
fn what_fails_says_why() -> Result<()> {
    let found = WORLD.ask("web:failing", &json!({}))?;
    let starts = json!([
        ["TypeError", "fetch failed", "nobody listens there", "FetchFailed"],
        ["TypeError", "fetch failed", "the address is a private one", "AddressRefused"],
        ["TypeError", "Failed to parse URL from no url", null, null],
        ["TypeError", "Request with GET/HEAD method cannot have body.", null, null],
        ["TypeError", "terminated", "The body broke off: the line was cut", "BodyBroken"],
        ["TypeError", "fetch failed", "of the stream", null]
    ]);
    for (found, expected) in
        found.as_array().into_iter().flatten().zip(starts.as_array().into_iter().flatten())
    {
        ensure!(found == expected, "found: {found}, expected: {expected}");
    }
    ensure!(found[6][1].as_str().is_some_and(|text| text.contains("duplex")), "{found}");
    let error = WORLD.run("web:uncaught", &json!({})).result.unwrap_err();
    ensure!(error.message.contains("TypeError: fetch failed"), "{}", error.message);
    ensure!(error.message.contains("cause: Error: nobody listens there"), "{}", error.message);
    Ok(())
}

#[test]
fn what_is_aborted_is_given_up() -> Result<()> {
    let before = WORLD.web.wait_for_given_up(0);
    let aborted = ["AbortError", "This operation was aborted"];
    let expected = json!({
        "before": [aborted[0], aborted[1], null, null],
        "meanwhile": ["RangeError", "enough", null, null],
        "first": "drop",
        "after": [aborted[0], aborted[1], null, null],
        "timed": ["TimeoutError", "The operation was aborted due to timeout", null, null]
    });
    gives("web:aborting", json!({}), expected)?;
    let given_up = WORLD.web.wait_for_given_up(before + 4) - before;
    ensure!(given_up == 4, "{given_up} of four were given up");
    Ok(())
}

#[test]
fn many_requests_take_as_long_as_one() -> Result<()> {
    let found = WORLD.ask("web:many", &json!({ "count": 200 }))?;
    ensure!(found[0] == 200 && found[1].as_f64().is_some_and(|time| time < 2_000.0), "{found}");
    Ok(())
}
