//! How an HTTP action answers.

use serde::{Deserialize, Serialize};

use super::http::{Body, Handed, Headers, Redirect, Request, Response, with_content_type};
use super::stream::Outgoing;
use crate::failure::{Context, Error, Result};
use crate::host::http;
use crate::json;

/// The arguments of an HTTP action.
#[derive(Deserialize)]
struct Received {
    method: String,
    url: String,
    headers: Headers,
    stream: Option<u32>,
}

#[derive(Serialize)]
struct ResponseHead {
    status: u16,
    headers: Headers,
    stream: Option<u32>,
}

/// Lets an HTTP action answer the request that the host tells of; is over when all was sent.
pub(crate) async fn serve<F>(args: &[u8], action: impl FnOnce(Request) -> F) -> Result<()>
where
    F: Future<Output = Result<Response>>,
{
    let Received { method, url, headers, stream } = json::from_slice(args).context("reading the request")?;
    let body = Body::incoming(stream);
    let request = Request { method, url, headers, redirect: Redirect::Follow, body };
    respond(action(request).await?).await
}

async fn respond(response: Response) -> Result<()> {
    let headers = with_content_type(response.headers, &response.body);
    let begin = |stream, body: Option<&[u8]>| {
        let head = ResponseHead { status: response.status, headers, stream };
        http::respond(&json::to_vec(&head)?, body).map_err(Error::from_host)
    };
    match response.body.hand_over() {
        Handed::Nothing => begin(None, None),
        Handed::Whole(bytes) => begin(None, Some(&bytes)),
        Handed::Written(write) => {
            let outgoing = Outgoing::new()?;
            begin(Some(outgoing.stream()), None)?;
            outgoing.write(write).await
        }
    }
}
