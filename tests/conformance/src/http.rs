//! Requests of a case to its HTTP actions, as a host answers them.

use std::fmt::Write as _;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use anyhow::{Context, Result};
use bytes::Bytes;
use futures_core::Stream;
use serde_json::json;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use weir_db::{Body, BodyError, BodyStream, Deployment, HttpExchange, HttpResponse, Route};
use weir_testing::{Outcome, TestDatabase};
use weir_value::Identity;

use crate::Step;
use crate::transcript::shortened;

/// Where requests of cases go to.
const ORIGIN: &str = "https://app.example.com";
/// A piece of a request's body, in bytes.
const PIECE_BYTES: usize = 7;

/// What came of a request: the response as lines, if there was one, and how the action ended.
pub(crate) struct Served {
    pub(crate) response: String,
    pub(crate) outcome: Outcome,
}

/// Sends a request, `GET /path?a=b`, to the HTTP action of its route. `None`: there is no route.
pub(crate) fn serve(
    db: &mut TestDatabase,
    functions: &dyn Deployment,
    threads: &Handle,
    step: &Step,
    body: Option<String>,
    identity: Option<Identity>,
) -> Result<Option<Served>> {
    let (method, url) = step.http.as_deref().and_then(|http| http.split_once(' ')).context("`GET /path`")?;
    let path = url.split('?').next().unwrap_or(url);
    let Some(route) = Route::find(functions.routes(), method, path) else { return Ok(None) };
    let args = json!({
        "method": method,
        "url": format!("{ORIGIN}{url}"),
        "headers": step.headers,
        "stream": body.as_ref().map(|_| 1),
    });
    let (sender, receiver) = oneshot::channel();
    let responder = Box::new(move |response| drop(sender.send(response)));
    let exchange = HttpExchange { body: body.map(in_pieces), connection: None, responder: Some(responder) };
    let taking = threads.spawn(async {
        match receiver.await {
            Ok(response) => shown(response).await,
            Err(_) => Ok(String::new()),
        }
    });
    let outcome = db.http_action_as(route.function.clone(), args.to_string().into(), exchange, identity)?;
    Ok(Some(Served { response: threads.block_on(taking)??, outcome }))
}

/// A body that comes in small pieces.
fn in_pieces(text: String) -> BodyStream {
    Box::pin(Pieces(Bytes::from(text)))
}

struct Pieces(Bytes);

impl Stream for Pieces {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        _context: &mut std::task::Context<'_>,
    ) -> Poll<Option<Self::Item>> {
        let size = self.0.len().min(PIECE_BYTES);
        Poll::Ready((size > 0).then(|| Ok(self.0.split_to(size))))
    }
}

/// The status, the headers, and each piece of the body.
async fn shown(response: HttpResponse) -> Result<String> {
    let mut lines = format!("  {}\n", response.status);
    let mut headers = response.headers;
    headers.sort();
    for (name, value) in headers {
        writeln!(lines, "  {}: {value}", name.to_ascii_lowercase())?;
    }
    match response.body {
        Body::Empty => {}
        Body::Whole(bytes) => show_piece(&mut lines, &bytes)?,
        Body::Stream(mut body) => loop {
            match poll_fn(|context| body.as_mut().poll_next(context)).await {
                Some(Ok(piece)) => show_piece(&mut lines, &piece)?,
                Some(Err(_)) => {
                    lines.push_str("  (broken off)\n");
                    break;
                }
                None => {
                    lines.push_str("  (end)\n");
                    break;
                }
            }
        },
    }
    Ok(lines)
}

fn show_piece(lines: &mut String, piece: &[u8]) -> Result<()> {
    writeln!(lines, "  | {}", shortened(&String::from_utf8_lossy(piece)))?;
    Ok(())
}
