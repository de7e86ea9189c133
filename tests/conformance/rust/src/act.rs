//! Actions.

use std::time::Duration;

use futures::future::{join, join_all, try_join};
use futures::stream::{FuturesUnordered, StreamExt};
use weir::prelude::*;

use crate::told;

#[mutation(internal)]
fn note(ctx: &MutationCtx, text: String) -> Result<f64> {
    ctx.db.insert("acted", &fields! { text: text, at: ctx.now() })?;
    Ok(ctx.db.query::<Value>("acted").count()? as f64)
}

#[query]
fn notes(ctx: &QueryCtx) -> Result<Vec<Value>> {
    let notes = ctx.db.query::<Value>("acted").collect()?;
    Ok(notes.iter().filter_map(|note| note.get("text").cloned()).collect())
}

/// Writes something down, and fails with data.
#[mutation]
fn refuse(ctx: &MutationCtx, text: String) -> Result<()> {
    ctx.db.insert("acted", &fields! { text: text.clone() })?;
    bail_with!(fields! { code: "Refused", text: text, left: 5_i64 })
}

#[query(internal)]
fn who_asks(ctx: &QueryCtx) -> Option<String> {
    Some(ctx.identity()?.subject().to_owned())
}

/// Writes a text down, and gives all that are there.
#[action]
async fn relay(ctx: &ActionCtx, text: String) -> Result<Vec<Value>> {
    log!("relaying {text}");
    ctx.run_mutation::<f64>("act:note", fields! { text: text }).await?;
    ctx.run_query("act:notes", fields! {}).await
}

/// What several sleeps at the same time come to.
#[value]
struct Together {
    order: Vec<u32>,
    took: f64,
}

async fn slept(ctx: &ActionCtx, ms: u32) -> Result<u32> {
    ctx.sleep(Duration::from_millis(ms.into())).await?;
    Ok(ms)
}

#[action]
async fn together(ctx: &ActionCtx, each: Vec<u32>) -> Result<Together> {
    let began = ctx.now();
    let sleeps = each.into_iter().map(|ms| slept(ctx, ms));
    let mut sleeps: FuturesUnordered<_> = sleeps.collect();
    let mut order = Vec::new();
    while let Some(ms) = sleeps.next().await {
        order.push(ms?);
    }
    Ok(Together { order, took: ctx.now() - began })
}

/// How far the clock goes while an action sleeps, and while it does not.
#[action]
async fn clock(ctx: &ActionCtx, ms: u32) -> Result<Vec<f64>> {
    let began = ctx.now();
    let computed = ctx.now() - began;
    ctx.sleep(Duration::from_millis(ms.into())).await?;
    Ok(vec![computed, ctx.now() - began])
}

/// A response, as far as it is the same each time.
#[value]
struct Fetched {
    status: u32,
    ok: bool,
    url: String,
    redirected: bool,
    /// Those that begin with `x-`.
    headers: Vec<Vec<String>>,
    body: String,
}

async fn fetched(ctx: &ActionCtx, request: Request) -> Result<Fetched> {
    let response = ctx.fetch(request).await?;
    let own = response.headers().iter().filter(|(name, _)| name.starts_with("x-"));
    let headers = own.map(|(name, value)| vec![name.to_owned(), value.to_owned()]).collect();
    Ok(Fetched {
        status: response.status().into(),
        ok: response.is_success(),
        url: response.url().to_owned(),
        redirected: response.is_redirected(),
        headers,
        body: response.text().await?,
    })
}

#[action]
async fn fetch(
    ctx: &ActionCtx,
    url: String,
    method: String,
    headers: Vec<Vec<String>>,
    body: Option<String>,
    redirect: Option<String>,
) -> Result<Fetched> {
    let mut request = Request::new(method, url);
    for header in &headers {
        request = request.header(&header[0], &header[1]);
    }
    if let Some(body) = body {
        request = request.body(body);
    }
    fetched(ctx, request.redirect(redirect_of(redirect.as_deref()))).await
}

fn redirect_of(name: Option<&str>) -> Redirect {
    match name {
        Some("manual") => Redirect::Manual,
        Some("error") => Redirect::Error,
        _ => Redirect::Follow,
    }
}

/// Why a request fails.
#[action]
async fn try_fetch(ctx: &ActionCtx, url: String, redirect: Option<String>) -> Result<String> {
    let request = Request::get(url).redirect(redirect_of(redirect.as_deref()));
    Ok(told(fetched(ctx, request).await, |response| response.status.to_string()))
}

/// Sends JSON, and reads a field of the JSON that comes back.
#[action]
async fn exchange(ctx: &ActionCtx, url: String, text: String) -> Result<Value> {
    let request = Request::post(url).body(Body::json(fields! { text: text })?);
    let answer: Value = ctx.fetch(request).await?.json().await?;
    Ok(answer.get("body").cloned().unwrap_or_default())
}

/// Reads a body piece by piece; how many bytes they are, and how it ended.
#[action]
async fn pieces(ctx: &ActionCtx, url: String) -> Result<Vec<String>> {
    let mut response = ctx.fetch(Request::get(url)).await?;
    let mut text = Vec::new();
    let end = loop {
        match response.body_mut().next().await {
            Ok(Some(piece)) => text.extend(piece),
            Ok(None) => break "the end".to_owned(),
            Err(error) => break error.code().unwrap_or_default().to_owned(),
        }
    };
    Ok(vec![String::from_utf8(text)?, end])
}

/// Sends a body piece by piece.
#[action]
async fn upload(ctx: &ActionCtx, url: String, pieces: Vec<String>) -> Result<Fetched> {
    let body = Body::stream(|mut out| async move {
        for piece in pieces {
            out.write(piece).await?;
        }
        Ok(())
    });
    fetched(ctx, Request::post(url).body(body)).await
}

/// Fetches two pages at the same time.
#[action]
async fn both(ctx: &ActionCtx, first: String, second: String) -> Result<Vec<String>> {
    let text = async |url| ctx.fetch(Request::get(url)).await?.text().await;
    let (first, second) = try_join(text(first), text(second)).await?;
    Ok(vec![first, second])
}

/// Writes many texts down at the same time, and a sleep beside it.
#[action]
async fn many(ctx: &ActionCtx, texts: Vec<String>) -> Result<Vec<Value>> {
    let note = |text| ctx.run_mutation::<f64>("act:note", fields! { text: text });
    let (noted, slept) =
        join(join_all(texts.into_iter().map(note)), ctx.sleep(Duration::from_millis(1))).await;
    slept?;
    noted.into_iter().collect::<Result<Vec<_>>>()?;
    let mut notes: Vec<Value> = ctx.run_query("act:notes", fields! {}).await?;
    notes.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
    Ok(notes)
}

#[action]
async fn fail(_ctx: &ActionCtx, message: String) -> Result<()> {
    bail!("{message}")
}

/// What a mutation fails with that an action calls, and that what it wrote is not there.
#[action]
async fn data(ctx: &ActionCtx, text: String) -> Result<Value> {
    let Err(error) = ctx.run_mutation::<()>("act:refuse", fields! { text: text }).await else {
        bail!("it did not fail")
    };
    let left: Vec<Value> = ctx.run_query("act:notes", fields! {}).await?;
    let data = error.data().map_or(Ok(Value::Null), weir::json::from_slice)?;
    let code = error.code().unwrap_or_default();
    Ok(Value::Object(
        [
            ("code".to_owned(), code.into()),
            ("data".to_owned(), data),
            ("left".to_owned(), Value::Array(left)),
        ]
        .into(),
    ))
}

/// Calls a function as what it may not be; the error's code and words.
#[action]
async fn try_call(ctx: &ActionCtx, kind: String, path: String, args: Value) -> Result<String> {
    let result: Result<Value> = match kind.as_str() {
        "query" => ctx.run_query(&path, &args).await,
        "mutation" => ctx.run_mutation(&path, &args).await,
        _ => ctx.run_action(&path, &args).await,
    };
    Ok(told(result, |_| "fine".to_owned()))
}

/// Calls itself so often, one inside the other.
#[action]
async fn nest(ctx: &ActionCtx, depth: u32) -> Result<f64> {
    if depth == 0 {
        return Ok(0.0);
    }
    let below: f64 = ctx.run_action("act:nest", fields! { depth: depth - 1 }).await?;
    Ok(below + 1.0)
}

/// Schedules a mutation and an action, and takes another one back.
#[action]
async fn later(ctx: &ActionCtx, ms: u32, text: String) -> Result<()> {
    let delay = Duration::from_millis(ms.into());
    ctx.scheduler.run_after(delay, "act:note", fields! { text: format!("{text} by mutation") })?;
    let next = delay + Duration::from_millis(1);
    ctx.scheduler.run_after(next, "act:relay", fields! { text: format!("{text} by action") })?;
    let id = ctx.scheduler.run_after(delay, "act:note", fields! { text: "never" })?;
    ctx.scheduler.cancel(&id)
}

/// Who the action is called by, and who a query of it.
#[action]
async fn who(ctx: &ActionCtx) -> Result<Vec<Option<String>>> {
    let own = ctx.identity().map(|who| who.subject().to_owned());
    Ok(vec![own, ctx.run_query("act:whoAsks", fields! {}).await?])
}

#[action]
async fn variable(ctx: &ActionCtx, name: String) -> Option<String> {
    ctx.env(&name)
}
