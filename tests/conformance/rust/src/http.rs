//! HTTP actions.

use weir::prelude::*;

#[http_action(method = "GET", path = "/hello")]
async fn hello(_ctx: &ActionCtx, request: Request) -> Response {
    let name = request.query("name").unwrap_or_else(|| "nobody".to_owned());
    let body = format!("{} {}: hello, {name}", request.method(), request.path());
    Response::new(200).header("x-two", request.headers().get("X-Two").unwrap_or("none")).body(body)
}

/// Sends the body back as it comes.
#[http_action(method = "POST", path = "/echo")]
async fn echo(_ctx: &ActionCtx, request: Request) -> Response {
    let content_type = request.headers().get("content-type").unwrap_or("text/plain").to_owned();
    Response::new(201).header("content-type", content_type).body(request.into_body())
}

/// The whole body, and how long it is.
#[http_action(method = "PUT", path = "/whole")]
async fn whole(_ctx: &ActionCtx, request: Request) -> Result<Response> {
    let text = request.text().await?;
    Ok(Response::new(200).body(format!("{} bytes: {text}", text.len())))
}

#[http_action(method = "GET", path_prefix = "/files/")]
async fn files(_ctx: &ActionCtx, request: Request) -> Result<Response> {
    let names: Vec<&str> = request.path().split('/').skip(2).collect();
    Ok(Response::new(200).body(Body::json(fields! { names: names })?))
}

/// Three pieces, one after the other, the last from a query.
#[http_action(method = "GET", path = "/pieces")]
async fn pieces(ctx: &ActionCtx, _request: Request) -> Response {
    let ctx = ctx.clone();
    let body = Body::stream(|mut out| async move {
        out.write("one").await?;
        ctx.sleep(std::time::Duration::from_millis(1)).await?;
        out.write("two").await?;
        let notes: Vec<Value> = ctx.run_query("act:notes", fields! {}).await?;
        out.write(format!("{} notes", notes.len())).await
    });
    Response::new(200).header("content-type", "text/event-stream").body(body)
}

#[http_action(method = "GET", path = "/broken")]
async fn broken(_ctx: &ActionCtx, _request: Request) -> Response {
    Response::new(200).body(Body::stream(|mut out| async move {
        out.write("half").await?;
        bail!("no other half")
    }))
}

#[http_action(method = "GET", path = "/fail")]
async fn fail(_ctx: &ActionCtx, _request: Request) -> Result<Response> {
    bail!("no such page")
}

/// Writes a text down that comes as JSON.
#[http_action(method = "POST", path = "/note")]
async fn note(ctx: &ActionCtx, request: Request) -> Result<Response> {
    let Ok(args) = request.json::<Value>().await else {
        return Ok(Response::new(400).body("this is not JSON"));
    };
    let count: f64 = ctx.run_mutation("act:note", args).await?;
    Ok(Response::new(204).header("x-count", count.to_string()))
}

#[http_action(method = "GET", path = "/who")]
async fn who(ctx: &ActionCtx, _request: Request) -> Response {
    let who = ctx.identity().map_or_else(|| "nobody".to_owned(), |who| who.subject().to_owned());
    Response::new(200).body(who)
}
