//! A web of canned answers.

use std::collections::BTreeMap;
use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use serde_json::json;
use tokio::sync::mpsc::{self, Receiver, Sender};
use weir_db::{Body, BodyError, BodyStream, DbError, HttpRequest, HttpResponse, Redirect};
use weir_value::ErrorCode;

/// A piece of a body.
type Piece = Result<Bytes, BodyError>;

/// Answers requests by the path of their URL.
#[derive(Default)]
pub struct Web {
    /// Answers that were given up before their end.
    pub given_up: Arc<AtomicUsize>,
}

impl Web {
    /// Answers one request.
    pub async fn answer(self: Arc<Self>, request: HttpRequest) -> Result<HttpResponse, DbError> {
        let path = request.url.trim_start_matches("http://web").to_owned();
        let (path, query) = path.split_once('?').unwrap_or((&path, ""));
        let given_up = GivenUp(Some(self.given_up.clone()));
        let response = match path {
            "/echo" => echo(request).await,
            "/head" => head(&request),
            "/slow" => {
                let milliseconds = query.trim_start_matches("ms=").parse().unwrap_or(0);
                tokio::time::sleep(Duration::from_millis(milliseconds)).await;
                Ok(response(200, stream_of(vec![Ok("slow".into())], Duration::ZERO)))
            }
            "/stream" => {
                let pieces = ["one ", "two ", "thrée"].map(|piece| Ok(piece.into()));
                let mut response = response(200, stream_of(pieces.to_vec(), Duration::from_millis(10)));
                response.headers.push(("Content-Type".into(), "text/x-own".into()));
                Ok(response)
            }
            "/zeros" => {
                let mebibytes = query.trim_start_matches("ms=").parse().unwrap_or(0);
                let pieces = vec![Ok(Bytes::from(vec![0; 1 << 20])); mebibytes];
                Ok(response(200, stream_of(pieces, Duration::ZERO)))
            }
            "/form" => {
                let mut response = response(200, stream_of(vec![Ok("a=b+c".into())], Duration::ZERO));
                let form = "application/x-www-form-urlencoded";
                response.headers.push(("content-type".into(), form.into()));
                Ok(response)
            }
            "/empty" => Ok(response(204, stream_of(Vec::new(), Duration::ZERO))),
            "/upper" => Ok(response(200, upper(request.body))),
            "/mirror" => mirror(request.body).await,
            "/broken" => {
                let pieces = vec![Ok("half".into()), Err(BodyError("the line was cut".into()))];
                Ok(response(200, stream_of(pieces, Duration::ZERO)))
            }
            "/refused" => Err(DbError::new(ErrorCode::FetchFailed, "nobody listens there")),
            "/private" => Err(DbError::new(ErrorCode::AddressRefused, "the address is a private one")),
            "/moved" => moved(&request),
            "/never" => pending().await,
            "/drip" => Ok(response(200, drip(self.given_up.clone()))),
            _ => Ok(response(404, Body::Empty)),
        };
        given_up.is_not();
        response
    }

    /// How many answers were given up so far; waits until they are so many.
    pub fn wait_for_given_up(&self, count: usize) -> usize {
        for _ in 0..200 {
            if self.given_up.load(Ordering::SeqCst) >= count {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        self.given_up.load(Ordering::SeqCst)
    }
}

/// Counts an answer that nobody waits for to its end.
struct GivenUp(Option<Arc<AtomicUsize>>);

impl GivenUp {
    fn is_not(mut self) {
        self.0 = None;
    }
}

impl Drop for GivenUp {
    fn drop(&mut self) {
        if let Some(count) = &self.0 {
            count.fetch_add(1, Ordering::SeqCst);
        }
    }
}

fn response(status: u16, body: Body) -> HttpResponse {
    HttpResponse { status, url: String::new(), redirected: false, headers: Vec::new(), body }
}

async fn echo(request: HttpRequest) -> Result<HttpResponse, DbError> {
    let headers: BTreeMap<_, _> = request.headers.into_iter().collect();
    let body = collect(request.body).await.map_err(|error| DbError::new(ErrorCode::FetchFailed, error.0))?;
    let body = String::from_utf8_lossy(&body).into_owned();
    let text = json!({ "method": request.method, "headers": headers, "body": body }).to_string();
    Ok(response(200, stream_of(vec![Ok(text.into())], Duration::ZERO)))
}

fn head(request: &HttpRequest) -> Result<HttpResponse, DbError> {
    let mut response = response(418, stream_of(vec![Ok("short".into())], Duration::ZERO));
    response.url.clone_from(&request.url);
    for (name, value) in [("X-B", "2"), ("Set-Cookie", "a"), ("x-a", "1"), ("set-cookie", "b"), ("x-b", "3")]
    {
        response.headers.push((name.into(), value.into()));
    }
    Ok(response)
}

fn moved(request: &HttpRequest) -> Result<HttpResponse, DbError> {
    match request.redirect {
        Redirect::Follow => {
            let followed = response(200, stream_of(vec![Ok("there".into())], Duration::ZERO));
            Ok(HttpResponse { url: "http://web/there".into(), redirected: true, ..followed })
        }
        Redirect::Manual => {
            let headers = vec![("location".into(), "/there".into())];
            Ok(HttpResponse { url: request.url.clone(), headers, ..response(302, Body::Empty) })
        }
        Redirect::Error => Err(DbError::new(ErrorCode::FetchFailed, "it sends the request on")),
    }
}

async fn mirror(body: Body) -> Result<HttpResponse, DbError> {
    let bytes = collect(body).await.map_err(|error| DbError::new(ErrorCode::FetchFailed, error.0))?;
    Ok(response(200, stream_of(vec![Ok(bytes)], Duration::ZERO)))
}

/// The body in capitals, each piece as it comes.
fn upper(body: Body) -> Body {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        let Body::Stream(mut body) = body else { return };
        while let Some(piece) = next(&mut body).await {
            let piece = piece.map(|bytes| Bytes::from(bytes.to_ascii_uppercase()));
            if sender.send(piece).await.is_err() {
                return;
            }
        }
    });
    Body::Stream(Box::pin(Received(receiver)))
}

/// A body without end, which counts where nobody reads it any more.
fn drip(given_up: Arc<AtomicUsize>) -> Body {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        let _given_up = GivenUp(Some(given_up));
        let once: Sender<Piece> = sender;
        if once.send(Ok("drop".into())).await.is_ok() {
            once.closed().await;
        }
    });
    Body::Stream(Box::pin(Received(receiver)))
}

/// These pieces, with a pause before each but the first.
pub fn stream_of(pieces: Vec<Piece>, pause: Duration) -> Body {
    Body::Stream(body_of(pieces, pause))
}

/// See [`stream_of`].
pub fn body_of(pieces: Vec<Piece>, pause: Duration) -> BodyStream {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        for (number, piece) in pieces.into_iter().enumerate() {
            if number > 0 {
                tokio::time::sleep(pause).await;
            }
            if sender.send(piece).await.is_err() {
                return;
            }
        }
    });
    Box::pin(Received(receiver))
}

/// All of a body.
pub async fn collect(body: Body) -> Result<Bytes, BodyError> {
    match body {
        Body::Empty => Ok(Bytes::new()),
        Body::Whole(bytes) => Ok(bytes),
        Body::Stream(mut stream) => {
            let mut all = Vec::new();
            while let Some(piece) = next(&mut stream).await {
                all.extend_from_slice(&piece?);
            }
            Ok(all.into())
        }
    }
}

/// The next piece of a body.
pub async fn next(body: &mut BodyStream) -> Option<Piece> {
    poll_fn(|context| body.as_mut().poll_next(context)).await
}

struct Received(Receiver<Piece>);

impl Stream for Received {
    type Item = Piece;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Piece>> {
        self.0.poll_recv(context)
    }
}
