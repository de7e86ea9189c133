//! HTTP actions: what they are asked, and what they answer.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value as Json, json};
use weir_db::{Body, HttpResponse, Route, RoutePath};

use crate::WORLD;
use crate::web::{body_of, collect, next};

/// Of the route for a request: the function.
fn routed(method: &str, path: &str) -> Result<String> {
    let (_, functions) = WORLD.db.deployment();
    let route = Route::find(functions.routes(), method, path).context("a route")?;
    Ok(route.function.to_string())
}

fn request(method: &str, path: &str, stream: Option<u32>) -> Json {
    let url = format!("https://app.example.com{path}");
    json!({ "method": method, "url": url, "headers": [["X-B", "2"], ["x-a", "1"]], "stream": stream })
}

/// What a response says, all of it.
async fn whole(response: HttpResponse) -> (u16, Vec<(String, String)>, String) {
    let body = collect(response.body).await;
    let body = body.map_or_else(
        |error| format!("broken: {error}"),
        |bytes| String::from_utf8_lossy(&bytes).into_owned(),
    );
    (response.status, response.headers, body)
}

#[test]
fn routes_have_functions_of_readable_names() -> Result<()> {
    let cases = [
        ("POST", "/echo", "http:echo"),
        ("PUT", "/echo", "http:echo"),
        ("GET", "/", "http:GET_root"),
        ("GET", "/notes", "http:GET_notes"),
        ("GET", "/events/1", "http:GET_events_all"),
        ("GET", "/events/broken", "http:GET_events_broken"),
    ];
    for (method, path, expected) in cases {
        let found = routed(method, path)?;
        ensure!(found == expected, "{method} {path}: {found}");
    }
    ensure!(routed("DELETE", "/echo").is_err());
    let (_, functions) = WORLD.db.deployment();
    let prefixes = functions.routes().iter().filter(|route| matches!(route.path, RoutePath::Prefix(_)));
    ensure!(prefixes.count() == 1);
    Ok(())
}

#[test]
fn a_request_goes_in_and_a_response_comes_out() -> Result<()> {
    let body =
        WORLD.on_threads(|| body_of(vec![Ok("bo".into()), Ok("dy".into())], Duration::from_millis(10)));
    let (found, outcome) =
        WORLD.serve("http:echo", &request("POST", "/echo?a=1", Some(1)), Some(body), whole);
    ensure!(outcome.result?.as_ref() == b"null");
    let (status, headers, body) = found.context("a response")?;
    ensure!(status == 201 && headers.contains(&("x-own".into(), "1".into())), "{headers:?}");
    ensure!(headers.contains(&("content-type".into(), "application/json".into())), "{headers:?}");
    let expected = json!({
        "method": "POST", "url": "https://app.example.com/echo?a=1", "headers": [["x-a", "1"], ["x-b", "2"]],
        "body": "body"
    });
    ensure!(serde_json::from_str::<Json>(&body)? == expected, "{body}");

    let (found, _) = WORLD.serve("http:GET_root", &request("GET", "/", None), None, whole);
    ensure!(found.context("a response")? == (204, Vec::new(), String::new()));
    let (found, _) = WORLD.serve("http:GET_notes", &request("GET", "/notes", None), None, whole);
    let (_, headers, body) = found.context("a response")?;
    let cookies: Vec<_> =
        headers.iter().filter(|(name, _)| name == "set-cookie").map(|(_, value)| value).collect();
    ensure!(cookies == ["a=1", "b=2"] && body.contains("by HTTP"), "{headers:?} {body}");
    Ok(())
}

#[test]
fn a_response_streams_each_piece_as_it_comes() -> Result<()> {
    let request = request("GET", "/events/1", None);
    let (found, outcome) = WORLD.serve("http:GET_events_all", &request, None, |response| async move {
        let Body::Stream(mut body) = response.body else { return Vec::new() };
        let mut pieces = Vec::new();
        while let Some(Ok(piece)) = next(&mut body).await {
            pieces.push(String::from_utf8_lossy(&piece).into_owned());
        }
        pieces
    });
    outcome.result?;
    ensure!(found.context("a response")? == ["data: 1\n\n", "data: 2\n\n", "data: 3\n\n"]);
    Ok(())
}

#[test]
fn a_stream_that_fails_is_broken_off() -> Result<()> {
    let request = request("GET", "/events/broken", None);
    let (found, outcome) = WORLD.serve("http:GET_events_broken", &request, None, whole);
    let (status, _, body) = found.context("a response")?;
    ensure!(status == 200 && body == "broken: RangeError: no more", "{body}");
    let error = outcome.result.unwrap_err();
    ensure!(error.message.contains("RangeError: no more"), "{}", error.message);
    Ok(())
}

#[test]
fn a_response_is_made_of_a_request_or_of_another_response() -> Result<()> {
    let body =
        WORLD.on_threads(|| body_of(vec![Ok("bo".into()), Ok("dy".into())], Duration::from_millis(10)));
    let (found, _) = WORLD.serve("http:POST_upper", &request("POST", "/upper", Some(1)), Some(body), whole);
    ensure!(found.context("a response")?.2 == "BODY");
    let (found, _) = WORLD.serve("http:GET_proxy", &request("GET", "/proxy", None), None, whole);
    ensure!(found.context("a response")?.2 == "one two thrée");
    Ok(())
}

#[test]
fn what_nobody_reads_is_written_no_longer() -> Result<()> {
    let request = request("GET", "/endless", None);
    let (found, outcome) = WORLD.serve("http:GET_endless", &request, None, |response| async move {
        let Body::Stream(mut body) = response.body else { return 0 };
        next(&mut body).await.and_then(Result::ok).map_or(0, |piece| piece.len())
    });
    ensure!(found == Some(1000) && outcome.result.is_ok(), "{found:?} {:?}", outcome.result);
    Ok(())
}

#[test]
fn what_fails_before_the_head_has_no_response() -> Result<()> {
    for (function, expected) in
        [("http:GET_fails", "TypeError: of the handler"), ("http:GET_wrong", "must return a Response")]
    {
        let (found, outcome) = WORLD.serve(function, &request("GET", "/", None), None, whole);
        ensure!(found.is_none(), "{found:?}");
        let error = outcome.result.unwrap_err();
        ensure!(error.message.contains(expected), "{}", error.message);
    }
    Ok(())
}
