//! Requests that an action makes.

use serde::{Deserialize, Serialize};

use super::beside::send_beside;
use super::http::{Body, Handed, Headers, Redirect, Request, Response, with_content_type};
use super::stream::Outgoing;
use super::task::Task;
use crate::failure::{Context, Result};
use crate::host::http;
use crate::json;

#[derive(Serialize)]
struct RequestHead<'a> {
    method: &'a str,
    url: &'a str,
    headers: Headers,
    redirect: Redirect,
    stream: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResponseHead {
    status: u16,
    url: String,
    redirected: bool,
    headers: Headers,
    stream: Option<u32>,
}

/// Sends a request, and gives the response when its head is there. The rest of a body that is written meanwhile is sent
/// beside the action.
pub(super) async fn fetch(request: Request) -> Result<Response> {
    let headers = with_content_type(request.headers, &request.body);
    let Request { method, url, redirect, body, .. } = request;
    let head = |stream| json::to_vec(&RequestHead { method: &method, url: &url, headers, redirect, stream });
    let received = match body.hand_over() {
        Handed::Nothing => Task::new(http::send(&head(None)?, None))?.await?,
        Handed::Whole(bytes) => Task::new(http::send(&head(None)?, Some(&bytes)))?.await?,
        Handed::Written(write) => {
            let outgoing = Outgoing::new()?;
            let sent = Task::new(http::send(&head(Some(outgoing.stream()))?, None))?;
            send_beside(sent, outgoing.write(write)).await?
        }
    };
    let ResponseHead { status, url, redirected, headers, stream } =
        json::from_slice(&received).context("reading the head of a response")?;
    Ok(Response { status, url, is_redirected: redirected, headers, body: Body::incoming(stream) })
}
