//! Actions that do what they must not.

use std::future::{pending, poll_fn};
use std::hint::black_box;
use std::task::Poll;
use std::time::Duration;

use weir::prelude::*;

const HOURS: Duration = Duration::from_secs(100_000);

/// Never ends.
#[action]
async fn spin(_ctx: &ActionCtx) {
    loop {
        black_box(());
    }
}

/// Takes memory until there is none.
#[action]
async fn hoard(_ctx: &ActionCtx) -> u32 {
    let mut hoard: Vec<Vec<u8>> = Vec::new();
    loop {
        hoard.push(black_box(vec![1; 1 << 20]));
    }
}

/// Calls itself until the stack is full.
#[action]
async fn overflow(_ctx: &ActionCtx) -> u32 {
    #[allow(unconditional_recursion, reason = "that is the point")]
    fn deeper(depth: u32) -> u32 {
        let frame = black_box([depth; 64]);
        deeper(depth + 1).wrapping_add(frame[black_box(7)])
    }
    deeper(0)
}

/// Calls itself as an action, one in the other, without end.
#[action]
async fn nest(ctx: &ActionCtx) -> Result<Value> {
    ctx.run_action("rogue:nest", fields! {}).await
}

/// Begins what takes long, and drops it.
#[action]
async fn forget(ctx: &ActionCtx) -> &'static str {
    let mut sleep = Box::pin(ctx.sleep(HOURS));
    poll_fn(|context| {
        assert!(sleep.as_mut().poll(context).is_pending());
        Poll::Ready(())
    })
    .await;
    "done"
}

/// Waits for what never happens.
#[action]
async fn wait_for_nothing(_ctx: &ActionCtx) -> Result<()> {
    pending().await
}

/// Does more than a thousand things at once.
#[action]
async fn crowd(ctx: &ActionCtx) -> Result<()> {
    let mut sleeps: Vec<_> = (0..2000).map(|_| Box::pin(ctx.sleep(HOURS))).collect();
    poll_fn(|context| {
        let failed = sleeps.iter_mut().find_map(|sleep| match sleep.as_mut().poll(context) {
            Poll::Ready(Err(error)) => Some(error),
            _ => None,
        });
        failed.map_or(Poll::Pending, |error| Poll::Ready(Err(error)))
    })
    .await
}

/// Gives a text of this length.
#[action]
async fn huge_result(_ctx: &ActionCtx, bytes: u32) -> String {
    "x".repeat(bytes as usize)
}

/// Tells the error of a request.
#[action]
async fn fetch(ctx: &ActionCtx, url: String) -> String {
    match ctx.fetch(Request::get(url)).await {
        Ok(response) => response.status().to_string(),
        Err(error) => format!("{}: {}", error.code().unwrap_or_default(), error.message()),
    }
}

/// Answers with more than there is memory for.
#[http_action(method = "GET", path = "/large")]
async fn large(_ctx: &ActionCtx, _request: Request) -> Response {
    Response::new(200).body("x".repeat(100 << 20))
}

/// Writes half of a body, and waits for what never happens.
#[http_action(method = "GET", path = "/half")]
async fn half(_ctx: &ActionCtx, _request: Request) -> Response {
    Response::new(200).body(Body::stream(|mut out| async move {
        out.write("half").await?;
        pending().await
    }))
}

/// Writes half of a body, and loops.
#[http_action(method = "GET", path = "/loop")]
async fn half_and_spin(_ctx: &ActionCtx, _request: Request) -> Response {
    Response::new(200).body(Body::stream(|mut out| async move {
        out.write("half").await?;
        loop {
            black_box(());
        }
    }))
}
